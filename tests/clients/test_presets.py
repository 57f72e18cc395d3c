"""Each preset with the reference client of its protocol: in a page of another origin, in a real Chromium."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy
from asgi_cors._policy.presets import PRESETS

from .apis import connect, grpc_web, htmx, mcp, tracing, tus
from .serving import App, Recorder, serving

# A client that doesn't notice a failure would wait for ever.
RUN = """async api => {
    const late = new Promise(resolve => setTimeout(resolve, 20_000, {failure: "no result"}));
    try {
        return await Promise.race([run(api).then(result => ({result})), late]);
    } catch (error) {
        return {failure: String(error)};
    }
}"""


@dataclass(frozen=True)
class Client:
    """A reference client.

    Args:
        preset: The preset of its protocol.
        build: A function that builds the API that it calls.
        result: The result of its page if all its calls succeed.
        methods: The methods that its preflights request.
        headers: The request headers that its preflights request.
        reads: Whether it reads exposed headers.
    """

    preset: str
    build: Callable[[], Any]
    result: Any
    methods: set[str]
    headers: set[str]
    reads: bool = True


CLIENTS = {
    "mcp-1": Client(
        "mcp",
        mcp.build,
        {"hasSession": True, "tools": ["add"], "sums": ["5", "5"], "scope": "tools", "version": "2025-11-25"},
        {"GET", "POST", "DELETE"},
        {"authorization", "content-type", "last-event-id", "mcp-protocol-version", "mcp-session-id"},
    ),
    "mcp-2": Client(
        "mcp",
        mcp.build,
        {"tools": ["add"], "sum": "5", "version": "2026-07-28", "nonce": "42"},
        {"POST"},
        {
            "authorization",
            "content-type",
            "dpop",
            "mcp-method",
            "mcp-name",
            "mcp-param-left",
            "mcp-protocol-version",
        },
    ),
    "connect": Client(
        "connect",
        lambda: connect.app,
        {"said": "Hello, Ada", "looked": "Seen: Ada", "counted": ["1", "2"], "error": "5 no such visitor"},
        {"POST"},
        {"connect-protocol-version", "connect-timeout-ms", "content-type"},
        reads=False,
    ),
    "connect-grpc-web": Client(
        "grpc-web",
        lambda: grpc_web.app,
        {
            "said": "Hello, Ada",
            "counted": ["1", "2"],
            "error": ["NotFound", "no such visitor"],
            "details": ["Grace"],
        },
        {"POST"},
        {"content-type", "grpc-timeout", "x-grpc-web", "x-user-agent"},
    ),
    "grpc-web": Client(
        "grpc-web",
        lambda: grpc_web.app,
        {"said": "Hello, Ada", "counted": ["1", "2"], "error": [5, "no such visitor"]},
        {"POST"},
        {"content-type", "grpc-timeout", "x-grpc-web", "x-user-agent"},
    ),
    "tus": Client(
        "tus",
        lambda: tus.app,
        {
            "resumed": "0123456789",
            "parallel": "0123456789",
            "unknown": "a stream",
            "ietf-draft-03": "0123456789",
            "ietf-draft-05": "0123456789",
            "terminated": 404,
        },
        {"POST", "HEAD", "PATCH", "DELETE"},
        {
            "authorization",
            "content-type",
            "tus-resumable",
            "upload-complete",
            "upload-concat",
            "upload-defer-length",
            "upload-draft-interop-version",
            "upload-length",
            "upload-metadata",
            "upload-offset",
            "x-request-id",
            "x-requested-with",
        },
    ),
    "htmx-2": Client(
        "htmx",
        lambda: htmx.app,
        {"triggered": ["served", "swapped", "settled"], "right": "GET POST PUT PATCH DELETE POST "},
        {"GET", "POST", "PUT", "PATCH", "DELETE"},
        {
            "hx-boosted",
            "hx-current-url",
            "hx-prompt",
            "hx-request",
            "hx-target",
            "hx-trigger",
            "hx-trigger-name",
        },
    ),
    "htmx-4": Client(
        "htmx",
        lambda: htmx.app,
        {"triggered": ["served"], "right": "GET POST PUT PATCH DELETE "},
        {"GET", "POST", "PUT", "PATCH", "DELETE"},
        {"hx-current-url", "hx-request", "hx-request-type", "hx-source", "hx-target"},
    ),
    "opentelemetry": Client(
        "opentelemetry",
        lambda: tracing.app,
        {"trace": "0af7651916cd43dd8448eb211c80319c", "tracestate": "shop=1", "baggage": "user=ada"},
        {"GET"},
        {"baggage", "traceparent", "tracestate"},
        reads=False,
    ),
    "sentry": Client(
        "sentry",
        lambda: tracing.app,
        ["baggage", "sentry-trace", "traceparent"],
        {"GET"},
        {"baggage", "sentry-trace", "traceparent"},
        reads=False,
    ),
}
READERS = [name for name, client in CLIENTS.items() if client.reads]


@pytest.fixture
def visit(page, site) -> Callable[[str, App], dict[str, Any]]:
    """Return a function that opens the page of a client, lets it call an API, and returns its result or failure."""

    def visit(name: str, app: App) -> dict[str, Any]:
        with serving(app) as api:
            page.goto(f"{site}/{name}")
            return page.evaluate(RUN, api)

    return visit


def policy(site: str, **options: Any) -> Policy:
    """Return a policy under which every request that needs a preflight has one of its own."""
    return Policy(allow_origins=[site], max_age=0, **options)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_preset_suffices_its_reference_client(visit, site, name):
    client = CLIENTS[name]
    recorder = Recorder(CORSMiddleware(client.build(), policy(site, presets=[client.preset])))
    assert visit(name, recorder) == {"result": client.result}
    assert recorder.requested() == (client.methods, client.headers)


@pytest.mark.parametrize("name", ["mcp-2", "tus"])
def test_a_preset_suffices_for_pages_with_credentials_too(visit, site, name):
    client = CLIENTS[name]
    credentials = policy(site, presets=[client.preset], allow_credentials=True)
    assert visit(name, CORSMiddleware(client.build(), credentials)) == {"result": client.result}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_fails_at_its_preflight_without_the_preset(visit, site, name):
    client = CLIENTS[name]
    recorder = Recorder(CORSMiddleware(client.build(), policy(site)))
    assert "failure" in visit(name, recorder)
    assert recorder.preflights


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_fails_at_its_preflight_without_the_middleware(visit, name):
    recorder = Recorder(CLIENTS[name].build())
    assert "failure" in visit(name, recorder)
    assert recorder.preflights


@pytest.mark.parametrize("name", READERS)
def test_a_client_needs_the_headers_that_its_preset_exposes(visit, site, name):
    client = CLIENTS[name]
    preset = PRESETS[client.preset]
    sending = policy(site, allow_methods=preset.methods, allow_headers=preset.headers)
    assert visit(name, CORSMiddleware(client.build(), sending)) != {"result": client.result}


def test_every_preset_has_a_reference_client():
    assert {client.preset for client in CLIENTS.values()} == set(PRESETS)
