"""Limits of the work that one request can cause: floods of header lines, and oversized preflights."""

import itertools
import tracemalloc
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Decision, Outcome, Policy, Request, decide
from tests.support.apps import App
from tests.support.clients import Client, Headers, Response, call_asgi, http_scope, websocket_scope
from tests.support.expected import APP, EVIL, OWN, PREFLIGHT_VARY, VARY, granted, origin_line

ONE: dict[str, Any] = {"allow_origins": APP}
ALL: dict[str, Any] = {**ONE, "allow_methods": "*", "allow_headers": "*"}
ANY: dict[str, Any] = {"allow_origins": "*", "allow_methods": "*", "allow_headers": "*"}

METHOD, NAMES, PRIVATE = (f"access-control-request-{part}" for part in ("method", "headers", "private-network"))
PREFLIGHT = [("origin", EVIL), (METHOD, "PUT")]

Lines = list[tuple[str, str]]


# -- floods


def flood(name: bytes, size: int = 1_000_000) -> list[tuple[bytes, bytes]]:
    """Return about a megabyte of lines of one header, with values of a thousand bytes and of one."""
    long, short = b"a" * 1000, b"a"
    return [line for _ in range(size // 1000) for line in ((name, long), *itertools.repeat((name, short), 20))]


def peak(middleware: Any, scope: dict[str, Any], headers: Lines, name: bytes) -> tuple[Response, int]:
    """Serve a flood, and return the peak number of bytes in use."""
    scope["headers"] = [*((key.encode(), value.encode()) for key, value in headers), *flood(name)]
    tracemalloc.start()
    try:
        response = call_asgi(middleware, scope)
        return response, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


FLOODED = [
    b"origin",
    b"host",
    b"sec-fetch-site",
    b"cookie",
    b"x-any",
    METHOD.encode(),
    NAMES.encode(),
    PRIVATE.encode(),
]
REQUESTS = {
    "GET": lambda: http_scope("GET", "/", []),
    "preflight": lambda: http_scope("OPTIONS", "/", []),
    "handshake": lambda: websocket_scope("/", []),
}


@pytest.mark.parametrize("options", [{}, {"enforce": True}], ids=["plain", "enforce"])
@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("name", FLOODED, ids=bytes.decode)
def test_a_flood_of_lines_is_neither_joined_nor_stored(name: bytes, kind: str, options: dict[str, Any]) -> None:
    """Joined one by one, a megabyte of lines would be copied a thousand times."""
    middleware = CORSMiddleware(App().asgi, **ONE, **options)
    call_asgi(middleware, http_scope("GET", "/", []))  # imports and compiles at the first request
    headers = [("host", "api.test"), *PREFLIGHT[: 2 if kind == "preflight" else 1]]
    call_asgi(middleware, REQUESTS[kind]() | {"headers": [(b"origin", EVIL.encode())]})
    response, used = peak(middleware, REQUESTS[kind](), headers, name)
    assert (response.raised, response.cors) == (None, [])
    assert used < 100_000


@pytest.mark.parametrize("name", [b"host", b"sec-fetch-site", b"cookie", b"x-any", NAMES.encode()], ids=bytes.decode)
def test_an_allowed_origin_is_allowed_despite_a_flood(name: bytes) -> None:
    response, _ = peak(CORSMiddleware(App().asgi, **ONE), http_scope("GET", "/", []), [("origin", APP)], name)
    assert response.lines == sorted([OWN, VARY, origin_line(APP)])


@pytest.mark.parametrize("name", [b"host", b"x-any"], ids=bytes.decode)
def test_a_flood_without_an_origin_is_neither_joined_nor_stored(name: bytes) -> None:
    """Its names are not even converted to lower case, to cache the decision."""
    middleware = CORSMiddleware(App().asgi, **ONE)
    call_asgi(middleware, http_scope("GET", "/", []) | {"headers": [(b"Host", b"api.test")]})  # imports
    response, used = peak(middleware, http_scope("GET", "/", []), [], name)
    assert (response.lines, used < 100_000) == (sorted([OWN, VARY]), True)


@pytest.mark.parametrize("name", [b"Origin", b"ORIGIN", b"oRiGiN"])
def test_a_second_origin_is_found_between_other_headers_in_any_letter_case(name: bytes) -> None:
    between = [(b"x-any", b"a"), (b"cookie", b"a"), (b"x-any", b"a")]
    scope = http_scope("GET", "/", [])
    scope["headers"] = [*between, (b"origin", APP.encode()), *between, (name, APP.encode()), *between]
    assert call_asgi(CORSMiddleware(App().asgi, **ONE), scope).lines == sorted([OWN, VARY])


# -- a second Origin


@pytest.mark.parametrize("second", [APP, EVIL, "", "null"], ids=["the same", "another", "empty", "null"])
@pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
def test_a_second_origin_is_refused(serve: Any, second: str, warm: bool) -> None:
    """No callable is called, and an earlier decision for the first line alone does not count."""
    called: list[str] = []

    def allow(origin: str) -> bool:
        called.append(origin)
        return True

    client = serve(allow_origins=[APP, allow])
    if warm:
        client.request(origin=APP)
        client.preflight(origin=APP)
    response = client.request(headers=[("origin", APP), ("origin", second)])
    assert response.lines == sorted([OWN, VARY])
    response = client.request("OPTIONS", headers=[("origin", APP), ("origin", second), (METHOD, "GET")])
    assert (response.status, response.cors, response.lines[-1:]) == (200, [], [PREFLIGHT_VARY])
    assert b"InvalidOrigin" in response.body
    assert called == []


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_request_with_a_second_origin_is_never_same_origin(serve: Any, site: str) -> None:
    """No browser sends two, so Sec-Fetch-Site is ignored."""
    headers = [("host", "api.test"), ("sec-fetch-site", site)]
    client = serve(enforce=True, **ONE)
    assert client.request("POST", origin=EVIL, headers=headers).status == 200
    assert client.request("POST", origin=EVIL, headers=[*headers, ("origin", EVIL)]).status == 403
    for number, kind in ((1, "websocket.accept"), (2, "websocket.close")):
        scope = websocket_scope("/", [*headers, *[("origin", EVIL)] * number])
        assert call_asgi(CORSMiddleware(App().asgi, **ONE), scope).messages[0]["type"] == kind


ORIGINS: dict[str, Headers] = {
    "none": [],
    "valid": [("origin", APP)],
    "malformed": [("origin", "a b,")],
    "repeated": [("origin", APP), ("origin", EVIL)],
    "long": [("origin", "a" * 400)],
}


@pytest.mark.parametrize("headers", ORIGINS.values(), ids=ORIGINS)
def test_an_anonymous_wildcard_ignores_origin(serve: Any, headers: Headers) -> None:
    """Its response is the same for every request, cached or not."""
    client = serve(**ANY)
    for _ in range(2):
        assert client.request(headers=headers).lines == sorted([OWN, origin_line("*")])
    if headers:
        preflight = client.request("OPTIONS", headers=[*headers, (METHOD, "PUT"), (NAMES, "x-a")])
        assert (preflight.status, preflight.lines) == (204, granted("*", "*", "*, authorization"))
        scope = websocket_scope("/", headers)
        assert call_asgi(CORSMiddleware(App().asgi, **ANY), scope).messages[0]["type"] == "websocket.accept"


def test_a_cookie_behind_thousands_of_headers_refuses_a_handshake_under_an_anonymous_wildcard(serve: Any) -> None:
    """The policy ignores Origin, but not credentials."""
    del serve
    lines = [("origin", EVIL), ("origin", EVIL), *[("x-any", "a")] * 5000, ("cookie", "a=1")]
    response = call_asgi(CORSMiddleware(App().asgi, **ANY), websocket_scope("/", lines))
    assert response.messages[0]["type"] == "websocket.close"


# -- the limits of a preflight


def names(count: int, *, size: int = 0) -> list[str]:
    return [f"x-{number}-".ljust(size, "a") for number in range(count)]


# behaviour, lines, whether it is within the limits
REQUESTED: list[tuple[str, Lines, bool]] = [
    ("31 lines of names, and the method's", [(NAMES, name) for name in names(31)], True),
    ("32 lines of names, and the method's", [(NAMES, name) for name in names(32)], False),
    ("31 lines of names, the method's and the flag's", [*((NAMES, n) for n in names(31)), (PRIVATE, "true")], False),
    ("empty lines count", [(NAMES, "")] * 32, False),
    ("100,000 lines", [(NAMES, "x-a")] * 100_000, False),
    ("128 names in two lines", [(NAMES, ",".join(names(64))), (NAMES, ",".join(names(128)[64:]))], True),
    ("129 names in two lines", [(NAMES, ",".join(names(64))), (NAMES, ",".join(names(129)[64:]))], False),
    ("8 KiB in sixteen lines", [(NAMES, name) for name in names(16, size=8192 // 16 - 2)], True),
    ("over 8 KiB in sixteen lines", [(NAMES, name) for name in names(16, size=8192 // 16 + 1)], False),
    ("a megabyte in one line", [(NAMES, "x" * 1_000_000)], False),
    ("the flag counts", [(NAMES, "x" * 8000), (PRIVATE, "1" * 300)], False),
]


@pytest.mark.parametrize("options", [ALL, ANY], ids=["one origin", "anonymous *"])
@pytest.mark.parametrize(("lines", "fits"), [row[1:] for row in REQUESTED], ids=[row[0] for row in REQUESTED])
def test_an_oversized_preflight_is_refused_without_cors_headers_and_not_cached(
    options: dict[str, Any], lines: Lines, fits: bool
) -> None:
    """Its headers are not parsed."""
    client = Client("asgi", App(), **options)
    for _ in range(2):
        response = client.preflight("PUT", origin=APP, headers=lines)
        assert (response.status, bool(response.cors)) == ((204, True) if fits else (200, False))
        assert response.values("vary") == [PREFLIGHT_VARY.removeprefix("vary: ")]
        assert (b"InvalidRequestedHeaders" in response.body) is not fits
        assert client.preflight("PUT", origin=APP).status == 204
    assert client.reached == 0


METHODS: dict[str, Lines] = {
    "two": [(METHOD, "PUT"), (METHOD, "PUT")],
    "one of them empty": [(METHOD, "PUT"), (METHOD, "")],
    "too many": [(METHOD, "PUT")] * 100,
    "too long": [(METHOD, "P" * 10_000)],
    "too long together": [(METHOD, "P" * 5000), (NAMES, "x" * 5000)],
}


@pytest.mark.parametrize("options", [ALL, ANY], ids=["one origin", "anonymous *"])
@pytest.mark.parametrize("lines", METHODS.values(), ids=METHODS)
def test_a_repeated_or_long_requested_method_is_refused_and_not_echoed(
    serve: Any, options: dict[str, Any], lines: Lines
) -> None:
    """Also after a single one was allowed."""
    client = serve(**options)
    assert client.preflight("PUT", origin=APP).status == 204
    for _ in range(2):
        response = client.request("OPTIONS", origin=APP, headers=lines)
        assert (response.status, response.cors, client.reached) == (200, [], 0)
        assert len(response.body) < 1000


def test_requested_headers_without_a_requested_method_go_to_the_app(serve: Any) -> None:
    """At any number of lines."""
    client = serve(**ALL)
    response = client.request("OPTIONS", origin=APP, headers=[(NAMES, "x-a")] * 100)
    assert (response.lines, client.reached) == (sorted([OWN, VARY, origin_line(APP)]), 1)


def test_an_oversized_request_is_refused_by_decide() -> None:
    """`decide` refuses a request that its caller reports as `oversized`."""
    policy = Policy(**ALL)
    request = Request("OPTIONS", APP.encode(), b"PUT")
    assert decide(policy, request).allowed
    refused: Decision = decide(policy, request._replace(oversized=True))
    assert (refused.outcome, refused.headers) == (Outcome.PREFLIGHT_REFUSED, ())
