"""`allowed_hosts` over ASGI and WSGI: a request with another Host gets 421 before any other check."""

from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy, Tenants
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, http_scope, websocket_scope
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, NO_STORE, granted

HOST = ("host", "api.example.com")
REBOUND = ("host", "evil.example.net:8000")
ON: dict[str, Any] = {"allow_origins": APP, "allowed_hosts": ["api.example.com", "localhost:*"]}
DENIAL = {"extensions": {"websocket.http.response": {}}}


def test_a_request_with_another_host_gets_421_and_does_not_reach_the_app(serve: Any) -> None:
    client = serve(**ON)
    for _ in range(3):
        response = client.request(headers=[REBOUND], origin="http://evil.example.net:8000")
        assert response.status == 421
        assert response.lines == sorted(
            [NO_STORE, f"content-length: {len(response.body)}", "content-type: text/plain; charset=utf-8"]
        )
        assert response.body == (
            b"Refused by the CORS policy: no entry of allowed_hosts matches the Host header (HostNotAllowed).\n"
            b"The Host received is 'evil.example.net:8000'.\n"
        )
    assert client.reached == 0


def test_requests_with_an_allowed_host_are_served_as_without_the_option(serve: Any) -> None:
    client, plain = serve(**ON), serve(allow_origins=APP)
    for _ in range(3):
        for host in ("api.example.com", "API.example.com:8443", "localhost:8000"):
            for origin in (APP, EVIL, None):
                expected = plain.request(origin=origin, headers=[("host", host)])
                assert client.request(origin=origin, headers=[("host", host)]).lines == expected.lines
            assert client.preflight(origin=APP, headers=[("host", host)]).lines == granted()


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    "hosts",
    [[], [("host", "")], [HOST, REBOUND], [REBOUND, HOST], [HOST, HOST], [("host", "api.example.com.")]],
    ids=["none", "empty", "two", "two, reversed", "twice", "final dot"],
)
def test_a_request_without_one_allowed_host_gets_421_although_allowed_ones_are_cached(
    serve: Any, method: str, hosts: list[tuple[str, str]]
) -> None:
    client = serve(**ON)
    for _ in range(2):
        assert client.request(method, origin=APP, headers=[HOST]).status == 200
        response = client.request(method, origin=APP, headers=hosts)
        assert (response.status, response.body == b"") == (421, method == "HEAD")


def test_a_preflight_with_another_host_gets_421_without_cors_headers(serve: Any) -> None:
    client = serve(**ON, resource_policy="same-origin")
    for _ in range(2):
        assert client.preflight(origin=APP, headers=[HOST]).status == 204
        response = client.preflight(origin=APP, headers=[REBOUND])
        assert (response.status, response.cors) == (421, [])
        assert response.values("cross-origin-resource-policy") == []


def test_x_forwarded_host_is_never_read(serve: Any) -> None:
    client = serve(**ON)
    forwarded = ("x-forwarded-host", "api.example.com")
    assert client.request(headers=[REBOUND, forwarded]).status == 421
    assert client.request(headers=[HOST, ("x-forwarded-host", "evil.example.net")]).status == 200


@pytest.mark.parametrize("origins", ["*", APP])
def test_the_host_is_checked_whatever_paths_or_views_say(serve: Any, origins: str) -> None:
    paths = {"/raw": None, "/other": {"max_age": 5}}
    client = serve(allow_origins=origins, allowed_hosts="api.example.com", paths=paths)
    single = serve(allow_origins=origins, allowed_hosts="api.example.com")
    for _ in range(3):
        for path in ("/raw", "/other", "/", "/./raw"):
            assert client.request("GET", path, headers=[HOST]).status == 200
            assert client.request("GET", path, headers=[REBOUND]).status == 421
            assert single.request("POST", path, headers=[HOST]).status == 200
            assert single.request("POST", path, headers=[REBOUND]).status == 421


def test_the_host_is_checked_before_policy_for(serve: Any) -> None:
    calls: list[str] = []

    def find(scope: Any) -> Any:
        calls.append(scope["path"])

    client = serve(**ON, policy_for=find)
    assert client.request(headers=[REBOUND]).status == 421
    assert calls == []
    assert client.request(headers=[HOST]).status == 200
    assert set(calls) == {"/"}


def test_the_host_is_checked_for_each_tenant(serve: Any) -> None:
    policies = {"api.example.com": Policy(allow_origins=APP)}
    client = serve(**ON, policy_for=Tenants.by_host(policies.get), run=run_asyncio)
    for _ in range(3):
        assert client.request(origin=APP, headers=[HOST]).status == 200
        assert client.request(origin=APP, headers=[REBOUND]).status == 421


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"check_websockets": False},
        {"paths": {"/*": None}},
        {"check_websockets": False, "paths": {"/*": None}},
        {"enforce": True},
    ],
)
@pytest.mark.parametrize("origin", [None, APP, "https://api.example.com"])
def test_a_handshake_with_another_host_is_refused_whatever_the_options(options: dict[str, Any], origin: Any) -> None:
    middleware = CORSMiddleware(App().asgi, **ON, **options)
    page = [("origin", origin)] if origin else []
    for host, status in ((HOST, None), (REBOUND, 421), (("host", ""), 421)):
        is_own = origin == "https://api.example.com" and host is not HOST
        headers = [host, *page, *([("sec-fetch-site", "same-origin")] if is_own else [])]
        response = call_asgi(middleware, websocket_scope("/", headers, **DENIAL))
        assert response.status == status
        closed = call_asgi(middleware, websocket_scope("/", headers))
        assert closed.messages[0]["type"] == ("websocket.close" if status else "websocket.accept")


def test_a_lifespan_has_no_host() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    run = call_asgi(CORSMiddleware(app, **ON), {"type": "lifespan"})
    assert (seen, run.raised) == (["lifespan"], None)


def test_an_upper_case_host_header_is_read() -> None:
    """Some ASGI servers do not send names in lower case."""
    middleware = CORSMiddleware(App().asgi, **ON)
    for value, status in ((b"api.example.com", 200), (b"evil.example.net", 421), (b"api.example.com", 200)):
        scope = {**http_scope("GET", "/", []), "headers": [(b"Host", value)]}
        assert [call_asgi(middleware, dict(scope)).status for _ in range(2)] == [status, status]


def test_another_host_in_upper_case_is_not_hidden_by_a_cached_response() -> None:
    middleware = CORSMiddleware(App().asgi, **ON)
    for more, status in (([], 200), ([(b"Host", b"evil.test")], 421), ([(b"Origin", APP.encode())], 200)):
        headers = [(b"host", b"api.example.com"), (b"from", b"a@b.c"), *more]
        assert call_asgi(middleware, {**http_scope("GET", "/", []), "headers": headers}).status == status


def test_an_authority_in_the_target_does_not_replace_host() -> None:
    """A server passes the target's path on, and Host as it is received."""
    middleware = CORSMiddleware(App().asgi, **ON)
    assert call_asgi(middleware, http_scope("GET", "http://api.example.com/", [REBOUND])).status == 421


def test_reconfigure_replaces_the_hosts(serve: Any) -> None:
    client = serve(**ON)
    for hosts, statuses in ((["evil.example.net"], [421, 200]), ("*", [200, 200]), (None, [200, 200])):
        client.middleware.reconfigure(allowed_hosts=hosts)
        assert [client.request(headers=[host]).status for host in (HOST, REBOUND)] == statuses


def test_on_decision_gets_the_refusal_and_the_resource_policy_is_sent(serve: Any) -> None:
    seen: list[Any] = []
    client = serve(
        **ON,
        resource_policy="same-origin",
        timing_allow_origin=True,
        name="public",
        on_decision=lambda decision, _: seen.append(decision),
    )
    response = client.request(headers=[REBOUND])
    assert response.values("cross-origin-resource-policy") == ["same-origin"]
    assert [(each.reason, each.status, each.policy_name) for each in seen] == [("HostNotAllowed", 421, "public")]


@pytest.mark.parametrize(
    ("host", "level", "text"),
    [
        (
            "evil.example.net",
            "INFO",
            "Host is 'evil.example.net'. If that is a name of this server, add it to allowed_hosts.",
        ),
        ("www.api.example.com", "WARNING", "Did you mean 'api.example.com'?"),
        ("127.0.0.1:8000", "WARNING", "Did you mean 'localhost'?"),
        ("web:8000", "WARNING", "add it to allowed_hosts."),
        ("10.1.2.3", "WARNING", "add it to allowed_hosts."),
        ("", "INFO", "The request has no Host."),
        ("evil\n.net", "INFO", r"Host is 'evil\n.net'."),
    ],
)
def test_a_refused_host_is_logged_once_with_its_correction(
    host: str, level: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An internal name or address is probably that of a proxy or a health check."""
    caplog.set_level("INFO", logger="asgi_cors")
    client = Client("asgi", App(), **ON)
    for _ in range(3):
        client.request(headers=[("host", host)])
    (record,) = caplog.records
    assert record.levelname == level
    assert text in record.getMessage()
    assert len(record.getMessage().splitlines()) == 1


def test_refused_hosts_leave_room_for_warnings(caplog: pytest.LogCaptureFixture) -> None:
    """Any client can send them."""
    caplog.set_level("INFO", logger="asgi_cors")
    client = Client("asgi", App(), **ON)
    for number in range(200):
        client.request(headers=[("host", f"web{number}:8000")])
    client.preflight("PUT", origin=APP, headers=[HOST])
    assert "MethodDisallowedByPreflightResponse" in caplog.text
