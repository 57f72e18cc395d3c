"""Servers that close the connection, or lack a method: what a refusal is, and what a fault."""

import time
from dataclasses import replace

import httpx
import pytest

from asgi_cors.cli.check.guard import Guard
from asgi_cors.cli.check.run import run_check, select_cases
from asgi_cors.cli.doctor.connections import CONNECT

from .servers import ALLOWED, EXPECTATION, REFUSED, changed, mute, right

DECLARED = {*ALLOWED, None}


def closing(when, error=httpx.RemoteProtocolError):
    """Close the connection in response to some requests."""

    def server(request):
        if when(request):
            raise error("Server disconnected without sending a response.")
        return right(request)

    return server


def checked(server, only=(), **changes):
    expectation = replace(EXPECTATION, **changes)
    report = run_check(expectation, httpx.MockTransport(server), select_cases(expectation, only, ()))
    return {result.case.name: result for result in report.results}


def failed(server, **changes):
    return [name for name, result in checked(server, **changes).items() if result.status == "failed"]


@pytest.mark.parametrize("error", [httpx.RemoteProtocolError, httpx.ReadTimeout])
def test_a_firewall_that_drops_undeclared_origins_refuses_them(error):
    server = closing(lambda request: request.headers.get("origin") not in DECLARED, error)
    results = checked(server)
    assert not any(result.is_fatal for result in results.values())
    assert results["origin-other-site"].status == "passed"
    assert results["vary-refused"].problems == (
        "the server does not respond to 'https://asgi-cors-check.example', which is not declared.",
    )
    assert results["request-own-origin"].problems == ("A request of http://127.0.0.1:9 gets no response.",)


def test_one_origin_that_is_dropped_does_not_hide_another_that_is_allowed():
    other = "https://b.example.net"
    allowing = changed(
        lambda request: request.headers.get("origin") == other, lambda pairs: [("access-control-allow-origin", other)]
    )

    def server(request):
        if request.headers.get("origin") == REFUSED:
            raise httpx.ReadError("reset")
        return allowing(request)

    found = checked(server, ["request-refused", "preflight-refused"], refuse=(REFUSED, other), credentials=False)
    assert found["request-refused"].problems == (f"{other} can read the response.",)
    assert found["preflight-refused"].status == "passed"


@pytest.mark.parametrize("error", [httpx.RemoteProtocolError, httpx.ReadTimeout])
def test_a_dropped_preflight_is_reported_once(error):
    assert failed(closing(lambda request: request.method == "OPTIONS", error)) == ["preflight-status"]


def test_a_dropped_request_of_an_allowed_origin_is_reported_once():
    results = checked(closing(lambda request: request.method == "GET" and request.headers.get("origin") in ALLOWED))
    fatal = {name: result.problems for name, result in results.items() if result.is_fatal}
    assert list(fatal) == ["request-accepted"]
    assert "disconnected" in fatal["request-accepted"][0]


def test_a_dropped_handshake_of_another_url_is_no_websocket():
    results = checked(closing(lambda request: "upgrade" in request.headers), ["websocket-*"])
    assert {result.status for result in results.values()} == {"skipped"}
    assert results["websocket-allowed"].problems == ("the URL is not a WebSocket: a handshake gets no response.",)


def test_a_dropped_handshake_of_a_websocket_is_reported_once():
    server = closing(lambda request: "upgrade" in request.headers)
    assert failed(server, url="ws://127.0.0.1:9/items") == ["websocket-allowed"]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_may_lack_head(status):
    server = changed(lambda request: request.method == "HEAD", mute, status)
    assert failed(server) == []
    assert failed(server, methods=("PUT", "HEAD"), headers=()) == ["request-head"]


def test_a_server_may_drop_head():
    found = checked(closing(lambda request: request.method == "HEAD"), ["request-head"])
    assert found["request-head"].problems == ("HEAD is not declared, and gets no response.",)


@pytest.mark.parametrize(
    "name",
    [
        *("request-head", "request-own-origin", "request-origin", "origin-null", "preflight-refused"),
        "websocket-other-site",
    ],
)
def test_a_server_that_pauses_during_the_second_attempt_gets_the_request_again(name):
    """The server drops a request, and also the one that shows whether it responds at all."""
    case_begun = []

    def server(request):
        origin = request.headers.get("origin")
        if case_begun and case_begun[0]:
            case_begun[0] -= 1
            raise httpx.ConnectTimeout("slow")
        if not case_begun and _belongs(name, request, origin):
            case_begun.append(1)
            raise httpx.ConnectTimeout("slow")
        return right(request)

    assert checked(server, [name])[name].status == "passed"


def _belongs(name, request, origin):
    if name == "websocket-other-site":
        return "upgrade" in request.headers and origin not in DECLARED
    if name == "request-head":
        return request.method == "HEAD"
    if name == "request-own-origin":
        return origin == "http://127.0.0.1:9"
    if name == "request-origin":
        return origin in ALLOWED
    return origin == ("null" if name == "origin-null" else REFUSED)


def test_a_pooled_connection_that_has_ended_is_replaced():
    sent = []

    def server(request):
        sent.append((request.method, request.extensions.get(CONNECT)))
        if request.extensions.get(CONNECT) is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return right(request)

    guard = Guard(httpx.MockTransport(server), EXPECTATION, 60)
    assert guard.handle_request(httpx.Request("GET", EXPECTATION.url)).status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        guard.handle_request(httpx.Request("PUT", EXPECTATION.url))
    assert sent == [("GET", None), ("GET", "a new connection"), ("PUT", None)]
    assert guard.sent == 3


def test_a_redirect_to_another_origin_does_not_get_the_secret_of_h():
    sent = []

    def server(request):
        sent.append((request.url.host, request.headers.get("x-key")))
        if request.url.host == "127.0.0.1" and request.url.path == "/items" and request.method == "GET":
            origin = request.headers.get("origin", "*")
            headers = {"location": "http://other.example/items", "access-control-allow-origin": origin}
            return httpx.Response(302, headers=headers)
        return right(request)

    checked(server, ["request-*"], main_headers=(("x-key", "secret"),))
    assert {key for host, key in sent if host == "other.example"} == {None}
    assert ("127.0.0.1", "secret") in sent


def test_the_url_of_an_error_gets_the_secret_of_h():
    sent = []

    def server(request):
        sent.append((request.url.host, request.headers.get("x-key")))
        return right(request)

    checked(server, ["error-declared"], main_headers=(("x-key", "secret"),), error_url="http://errors.example/crash")
    assert ("errors.example", "secret") in sent


def test_the_policy_of_many_origins_is_built_once():
    allow = tuple(f"https://app{number}.example.com" for number in range(300))
    expectation = replace(EXPECTATION, allow=allow)
    began = time.perf_counter()
    assert all(map(expectation.allows, allow))
    assert time.perf_counter() - began < 1


def test_a_dropped_request_that_no_browser_sends_is_advice():
    assert failed(closing(lambda request: request.method == "PROPFIND")) == ["error-method"]


def test_an_error_of_a_request_that_is_not_declared_is_advice():
    """The 416 of nginx has no added header, not even with `always`."""
    results = checked(changed(lambda request: "range" in request.headers, mute, 416))
    assert results["error-range"].status == "failed"
    assert not results["error-range"].is_fatal
