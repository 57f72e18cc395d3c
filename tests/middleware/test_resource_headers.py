"""`timing_allow_origin` and `resource_policy`: which responses have their headers."""

from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import Client
from tests.support.expected import APP, EVIL, OWN, VARY, granted, origin_line

HOST = ("host", "api.example.com")
CORP, TIMING = "cross-origin-resource-policy", "timing-allow-origin"
BOTH: dict[str, Any] = {"timing_allow_origin": True, "resource_policy": "same-site"}


@pytest.mark.parametrize(
    ("origins", "origin", "timing"),
    [
        (APP, APP, APP),
        (APP, EVIL, None),
        (APP, None, None),
        ("*", EVIL, "*"),
        ("*", None, "*"),
        (["null"], "null", "null"),
    ],
)
@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_timing_allow_origin_has_the_value_of_access_control_allow_origin(
    serve: Any, origins: Any, origin: Any, timing: str | None
) -> None:
    client = serve(allow_origins=origins, **BOTH)
    for _ in range(2):
        response = client.request(origin=origin)
        allowed = [] if timing is None else [origin_line(timing), f"{TIMING}: {timing}"]
        vary = [] if origins == "*" else [VARY]
        assert response.lines == sorted([OWN, *allowed, f"{CORP}: same-site", *vary])


@pytest.mark.parametrize("value", ["same-origin", "same-site", "cross-origin"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_the_resource_policy_is_on_every_actual_response(serve: Any, method: str, value: str) -> None:
    client = serve(allow_origins=APP, resource_policy=value)
    assert [client.request(method, origin=origin).values(CORP) for origin in (APP, EVIL, None)] == [[value]] * 3


def test_a_preflights_response_has_neither_header(serve: Any) -> None:
    client = serve(allow_origins=APP, **BOTH)
    for _ in range(2):
        assert client.preflight(origin=APP).lines == granted()
        assert client.preflight(origin=EVIL).values(CORP) == []


def test_the_middlewares_own_responses_have_the_headers() -> None:
    """403, 421 and 500. The timing header is sent where the page may read the response."""
    options: dict[str, Any] = {
        "allow_origins": APP,
        **BOTH,
        "csrf_protection": True,
        "allowed_hosts": "api.example.com",
    }
    for interface in ("asgi", "wsgi"):
        client = Client(interface, App(raises=RuntimeError("crash")), **options)
        cookie = [HOST, ("cookie", "a=1"), ("sec-fetch-site", "cross-site")]
        for response, status, timing in (
            (client.request("POST", origin=APP, headers=cookie), 403, [APP]),
            (client.request("POST", origin=EVIL, headers=cookie), 403, []),
            (client.request(origin=APP, headers=[("host", "evil.test")]), 421, []),
            (client.request(origin=APP, headers=[HOST]), 500, [APP]),
            (client.request(headers=[HOST]), 500, []),
        ):
            assert (response.status, response.values(CORP)) == (status, ["same-site"])
            assert response.values(TIMING) == timing


@pytest.mark.parametrize("name", [CORP, "Cross-Origin-Resource-Policy"])
def test_a_header_that_the_app_sets_itself_stays(serve: Any, name: str) -> None:
    own = [(name, "cross-origin"), ("Timing-Allow-Origin", "https://rum.example.net")]
    client = serve(app=App(headers=[("content-type", "text/plain"), *own]), allow_origins=APP, **BOTH)
    for origin in (APP, EVIL, None):
        response = client.request(origin=origin)
        assert response.values(CORP) == ["cross-origin"]
        assert response.values(TIMING) == ["https://rum.example.net"]
    assert client.request(origin=APP).cors == [origin_line(APP)]


def test_a_header_of_the_app_stays_if_the_option_is_off(serve: Any) -> None:
    headers = [("content-type", "text/plain"), (CORP, "same-site"), (TIMING, "*")]
    client = serve(app=App(headers=headers), allow_origins=APP)
    response = client.request(origin=APP)
    assert (response.values(CORP), response.values(TIMING)) == (["same-site"], ["*"])


def test_a_response_that_is_passed_through_gets_neither_header(serve: Any) -> None:
    client = serve(allow_origins=APP, **BOTH, paths={"/raw": None, "/own": {"resource_policy": None}})
    assert client.request(path="/raw", origin=APP).lines == [OWN]
    assert client.request(path="/own", origin=APP).values(CORP) == []
    assert client.request(path="/own", origin=APP).values(TIMING) == [APP]


@pytest.mark.parametrize(
    ("outer", "inner", "sent"),
    [
        ("same-origin", "cross-origin", "same-origin"),
        ("cross-origin", "same-site", "same-site"),
        (None, "same-site", "same-site"),
        ("same-site", None, "same-site"),
    ],
)
def test_of_two_nested_middlewares_the_narrower_resource_policy_is_sent(
    interface: str, outer: Any, inner: Any, sent: str
) -> None:
    app = App()
    wrap: Any = CORSMiddleware if interface == "asgi" else WSGIMiddleware
    nested = wrap(app.asgi if interface == "asgi" else app.wsgi, allow_origins=APP, resource_policy=inner)
    client = Client(interface, App(), allow_origins=APP, resource_policy=outer)
    client.middleware.app = nested
    for _ in range(2):
        assert client.request(origin=APP).values(CORP) == [sent]


def test_a_preset_allows_the_requests_of_its_protocol_and_no_origin(serve: Any) -> None:
    client = serve(allow_origins=APP, presets=["mcp"])
    names = "content-type, mcp-protocol-version, mcp-param-region"
    assert client.preflight("DELETE", names, origin=APP).status == 204
    assert client.preflight("DELETE", names, origin=EVIL).cors == []
    assert "Mcp-Session-Id".lower() in client.request(origin=APP).elements("access-control-expose-headers")
    assert client.preflight("DELETE", "x-other", origin=APP).status == 200


def test_policies_that_differ_in_a_resource_header_share_no_response(serve: Any) -> None:
    first, second = Policy(allow_origins=APP, resource_policy="same-site"), Policy(allow_origins=APP)
    client = serve(first, paths={"/b": second})
    for _ in range(2):
        assert client.request(origin=APP).values(CORP) == ["same-site"]
        assert client.request(path="/b", origin=APP).values(CORP) == []
