"""presets: the methods and headers of known protocols, added to the lists of a policy."""

import datetime as dt
import re
from typing import Any

import pytest

from asgi_cors import Policy, Request, decide
from asgi_cors._http import FORBIDDEN_METHODS, UNEXPOSABLE_HEADERS, is_forbidden_header
from asgi_cors._policy.presets import PRESETS
from tests.support.expected import APP
from tests.support.policies import allows, issue, policy_without_warnings

NAMES = {"mcp", "connect", "grpc-web", "tus", "htmx", "opentelemetry", "sentry"}


def preflight(policy: Policy, method: str, *headers: str) -> dict[str, str]:
    """Return the headers of an allowed preflight; none if it is refused."""
    names = ",".join(sorted(headers)).encode() or None
    request = Request("OPTIONS", origin=APP.encode(), requested_method=method.encode(), requested_headers=names)
    decision = decide(policy, request)
    return {name.decode(): value.decode() for name, value in decision.headers} if decision.allowed else {}


def exposed(policy: Policy) -> str:
    headers = dict(decide(policy, Request("GET", origin=APP.encode())).headers)
    return headers.get(b"access-control-expose-headers", b"").decode()


def test_the_table_has_the_protocols() -> None:
    assert set(PRESETS) == NAMES


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_its_source_and_date_and_names_that_browsers_send(name: str) -> None:
    preset = PRESETS[name]
    assert preset.source
    assert dt.date.fromisoformat(preset.date) <= dt.datetime.now(tz=dt.UTC).date()
    for names in (preset.methods, preset.headers, preset.exposed):
        assert len(set(names)) == len(names)
    assert all(each == each.lower() for each in (*preset.headers, *preset.exposed))
    assert not [each for each in preset.headers if is_forbidden_header(each)]
    assert not {*preset.methods} & FORBIDDEN_METHODS
    assert not {*preset.exposed} & UNEXPOSABLE_HEADERS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_equals_the_lists_of_its_names(name: str) -> None:
    """Its names pass the rules of the lists without a warning."""
    preset = PRESETS[name]
    lists = {"allow_methods": preset.methods, "allow_headers": preset.headers, "expose_headers": preset.exposed}
    assert Policy(allow_origins=APP, presets=name) == Policy(allow_origins=APP, **lists)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_allows_each_of_its_methods_and_headers(name: str) -> None:
    policy, preset = Policy(allow_origins=APP, presets=name), PRESETS[name]
    headers = [header.replace("*", "x") for header in preset.headers]
    for method in preset.methods or ("POST",):
        assert preflight(policy, method, *headers)
    assert exposed(policy) == ", ".join(preset.exposed)


def test_the_prefix_of_a_preset_allows_any_name_that_begins_with_it() -> None:
    policy = Policy(allow_origins=APP, presets="mcp")
    assert preflight(policy, "POST", "mcp-method", "mcp-param-city")
    assert not preflight(policy, "POST", "mcp-other")
    assert not preflight(Policy(allow_origins=APP), "POST", "mcp-method")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_adds_no_origin_and_no_credentials(name: str) -> None:
    policy = policy_without_warnings(presets=name)
    assert not allows(policy, APP)
    assert not allows(policy, "null")
    policy = Policy(allow_origins=APP, presets=name)
    assert not policy.allow_credentials
    assert "access-control-allow-credentials" not in preflight(policy, "POST")


def test_presets_are_added_to_the_lists_of_the_policy_and_to_each_other() -> None:
    policy = Policy(
        allow_origins=APP,
        allow_methods="LOCK",
        allow_headers=["X-Id", "Baggage"],
        expose_headers=["ETag", "Location"],
        presets=["tus", "sentry"],
    )
    assert preflight(policy, "LOCK", "x-id", "sentry-trace", "upload-offset")
    assert preflight(policy, "PATCH")
    listed = exposed(policy).split(", ")
    assert listed[:3] == ["ETag", "Location", "tus-version"]
    assert "location" not in listed


@pytest.mark.parametrize("option", ["allow_methods", "allow_headers", "expose_headers"])
def test_a_preset_leaves_any_name_as_it_is(option: str) -> None:
    options: dict[str, Any] = {"allow_origins": APP, option: "*"}
    policy = Policy(**options, presets="mcp")
    assert getattr(policy, option) == "*"
    headers = preflight(policy, "POST", "mcp-method", "authorization")
    assert headers == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "*" if option == "allow_methods" else "GET, HEAD, POST, DELETE",
        "access-control-allow-headers": headers["access-control-allow-headers"],
        "access-control-max-age": "600",
    }
    assert (headers["access-control-allow-headers"] == "*, authorization") is (option == "allow_headers")
    assert (exposed(policy) == "*") is (option == "expose_headers")


def test_any_exposed_header_with_credentials_is_refused_with_a_preset_too() -> None:
    found = issue(allow_origins=APP, allow_credentials=True, expose_headers="*", presets="mcp")
    assert found.code == "expose-any-with-credentials"
    policy = Policy(allow_origins=APP, allow_credentials=True, presets="mcp")
    assert re.match("mcp-session-id, ", exposed(policy))


def test_the_attributes_of_a_policy_are_its_own_options_without_the_names_of_its_presets() -> None:
    policy = Policy(allow_origins=APP, allow_headers="x-id", presets=["mcp"])
    assert (policy.allow_headers, policy.presets) == (("x-id",), ("mcp",))
    assert repr(policy) == f"Policy(allow_origins=['{APP}'], allow_headers=['x-id'], presets=['mcp'])"
    assert policy.replace(presets=()) == Policy(allow_origins=APP, allow_headers="x-id")
