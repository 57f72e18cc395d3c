"""Requests of arbitrary bytes get a response: nothing is raised, and only tokens and allowed origins are echoed."""

import logging
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import CORSMiddleware, Outcome, Policy, Request, WSGIMiddleware, decide
from tests.support import logs
from tests.support.apps import App
from tests.support.browser_checks import passes_cors_check, passes_preflight
from tests.support.clients import Headers, Response, call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.expected import APP, OWN, VARY
from tests.support.policies import allows
from tests.support.strategies import policies, requests

pytestmark = pytest.mark.slow

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CORS = ("origin", "access-control-request-method", "access-control-request-headers")


def over_asgi(policy: Policy, method: str, headers: Headers, path: str = "/", **options: Any) -> Response:
    """Send one request over ASGI."""
    return call_asgi(CORSMiddleware(App().asgi, policy, **options), http_scope(method, path, headers))


def over_wsgi(policy: Policy, method: str, headers: Headers, path: str = "/", **options: Any) -> Response:
    """Send one request over WSGI."""
    return call_wsgi(WSGIMiddleware(App().wsgi, policy, **options), wsgi_environ(method, path, headers))


def check_nothing_echoed(policy: Policy, answer: Response) -> None:
    """Check that the headers hold tokens, the wildcard, or an origin that the policy allows."""
    assert answer.raised is None
    for origin in answer.values("access-control-allow-origin"):
        assert origin == "*" or allows(policy, origin)
    for name in (
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-expose-headers",
        "vary",
    ):
        assert all(TOKEN.fullmatch(element) for element in answer.elements(name)), name
    assert len(answer.values("access-control-allow-origin")) <= 1
    assert len(answer.values("vary")) <= 1


@given(
    policies(),
    st.sampled_from(["GET", "OPTIONS"]),
    st.lists(st.tuples(st.sampled_from(CORS), st.binary(max_size=60)), max_size=6),
)
def test_no_bytes_in_the_cors_request_headers_raise_or_are_echoed(
    policy: Policy, method: str, headers: list[tuple[str, bytes]]
) -> None:
    check_nothing_echoed(policy, over_asgi(policy, method, headers))
    check_nothing_echoed(policy, over_wsgi(policy, method, headers))


def joined(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the value of a header, several lines joined; None if the header is missing."""
    values = [value for key, value in headers if key == name]
    return b", ".join(values) if values else None


@given(policies(), requests())
def test_asgi_and_wsgi_send_the_decision_of_decide(
    policy: Policy, request_: tuple[str, list[tuple[bytes, bytes]]]
) -> None:
    method, headers = request_
    origin, requested, names = (joined(headers, name.encode()) for name in CORS)
    decision = decide(policy, Request(method, origin=origin, requested_method=requested, requested_headers=names))
    wanted = sorted(f"{name.decode()}: {value.decode()}" for name, value in decision.headers)
    if decision.vary:
        wanted = sorted([*wanted, f"vary: {', '.join(name.decode() for name in decision.vary)}"])
    for answer in (over_asgi(policy, method, headers), over_wsgi(policy, method, headers)):
        assert [line for line in answer.lines if not line.startswith("content-")] == wanted
        assert answer.status == (decision.status or 200)
        assert (answer.body == b"the app") is (decision.status is None)
        assert (answer.body == b"") is (decision.status == 204)


@given(policies(), requests())
def test_a_browser_allows_exactly_the_requests_whose_outcome_is_allowed(
    policy: Policy, request_: tuple[str, list[tuple[bytes, bytes]]]
) -> None:
    method, headers = request_
    headers = [*{name: (name, value.strip()) for name, value in headers}.values()]
    origin, requested, names = (joined(headers, name.encode()) for name in CORS)
    if not origin:
        return
    found = decide(policy, Request(method, origin=origin, requested_method=requested, requested_headers=names))
    answer, page = over_asgi(policy, method, headers), origin.decode("latin-1")
    credentials = policy.allow_credentials
    if found.status is None:
        assert passes_cors_check(answer, page, credentials=credentials) is (found.outcome is Outcome.ALLOWED)
        return
    unsafe = [name.strip().decode("latin-1").lower() for name in (names or b"").split(b",") if name.strip()]
    passed = passes_preflight(answer, page, (requested or b"").decode("latin-1"), unsafe, credentials=credentials)
    assert passed is (found.outcome is Outcome.PREFLIGHT_ALLOWED)


@given(st.text(max_size=30), st.lists(st.sampled_from(["", ".", "..", "a", "b"]), max_size=6))
def test_no_path_raises(text: str, segments: list[str]) -> None:
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    policy = Policy(allow_origins=APP)
    paths: dict[str, Any] = {"/a/*": Policy(allow_origins="*"), "/b": None}
    for path in ("/" + text, "/" + "/".join(segments), text):
        for answer in (
            over_asgi(policy, "GET", [("origin", APP)], path, paths=paths),
            over_wsgi(policy, "GET", [("origin", APP)], path, paths=paths),
        ):
            assert (answer.raised, answer.status) == (None, 200)
            assert answer.values("access-control-allow-origin") in ([], [APP], ["*"])


@given(st.lists(st.binary(max_size=20), max_size=3))
def test_any_vary_of_the_app_stays_and_contains_origin_or_an_asterisk(values: list[bytes]) -> None:
    app = App(headers=[("vary", value.decode("latin-1")) for value in values])
    for answer in (
        call_asgi(CORSMiddleware(app.asgi, allow_origins=APP), http_scope("GET", "/", [])),
        call_wsgi(WSGIMiddleware(app.wsgi, allow_origins=APP), wsgi_environ("GET", "/", [])),
    ):
        assert answer.raised is None
        whole = ", ".join(answer.values("vary"))
        names = {name.strip(" \t").lower() for name in whole.split(",")}
        assert names & {"origin", "*"}
        assert all(value.decode("latin-1").strip(" \t,") in whole for value in values)


MEGABYTE = b"x-a," * 250_000
BAD: dict[str, list[tuple[bytes, bytes]]] = {
    "1 MB of requested headers": [
        (b"origin", APP.encode()),
        (b"access-control-request-method", b"GET"),
        (b"access-control-request-headers", MEGABYTE),
    ],
    "1 MB of commas": [
        (b"origin", APP.encode()),
        (b"access-control-request-method", b"GET"),
        (b"access-control-request-headers", b"," * 1_000_000),
    ],
    "1 MB of one name": [
        (b"origin", APP.encode()),
        (b"access-control-request-method", b"GET"),
        (b"access-control-request-headers", b"x" * 1_000_000),
    ],
    "1 MB of requested method": [(b"origin", APP.encode()), (b"access-control-request-method", b"P" * 1_000_000)],
    "10,000 lines of requested headers": [
        (b"origin", APP.encode()),
        (b"access-control-request-method", b"GET"),
        *[(b"access-control-request-headers", b"x-a")] * 10_000,
    ],
    "10,000 Origin headers": [(b"origin", APP.encode())] * 10_000,
    "an Origin of 64 KiB": [(b"origin", b"https://" + b"a" * 65_536)],
    "an Origin of 64 KiB of spaces": [(b"origin", b" " * 65_536 + b"x")],
    "an Origin of 64 KiB of dots": [(b"origin", b"https://" + b"a." * 32_768)],
    "an Origin that is not UTF-8": [(b"origin", b"https://\xff\xfe.example.com")],
    "a header name that is not UTF-8": [(b"origin", APP.encode() + b"x"), (b"\xff\xfe", b"\xff")],
    "a header without a name": [(b"origin", APP.encode() + b"x"), (b"", b"")],
    "a requested method that is not UTF-8": [
        (b"origin", APP.encode()),
        (b"access-control-request-method", b"\xff\xfe"),
    ],
    "requested headers that are not UTF-8": [
        (b"origin", APP.encode()),
        (b"access-control-request-method", b"GET"),
        (b"access-control-request-headers", b"\xff\xfe"),
    ],
    "line breaks in Origin": [(b"origin", b"https://a\r\nset-cookie: a=b")],
    "line breaks in requested headers": [
        (b"origin", APP.encode()),
        (b"access-control-request-method", b"GET"),
        (b"access-control-request-headers", b"x\r\ny"),
    ],
}


@pytest.mark.parametrize("over", [over_asgi, over_wsgi], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("headers", BAD.values(), ids=BAD)
def test_bad_input_gets_a_response_and_is_escaped_in_the_log(
    over: Any, method: str, headers: list[tuple[bytes, bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised, and only an allowed origin is granted."""
    caplog.set_level(logging.DEBUG, logger="asgi_cors")
    policy = Policy(
        allow_origins=[APP, "https://*.example.org"], allow_headers="*", allow_methods="*", allow_credentials=True
    )
    answer = over(policy, method, headers)
    assert answer.raised is None
    check_nothing_echoed(policy, answer)
    site = (b"origin", APP.encode()) in headers and headers.count(headers[0]) == 1
    if method == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in headers):
        assert answer.status in {200, 204}
        assert len(answer.body) < 5000
    else:
        assert answer.values("access-control-allow-origin") == ([APP] if site else [])
        assert [line for line in answer.lines if not line.startswith("access-")] == [OWN, VARY]
    assert [line for line in logs.lines(caplog) if not (line.isprintable() and len(line) < 2000)] == []


def test_text_beyond_latin_1_in_an_environ_is_refused() -> None:
    """No server sends it."""
    environ = wsgi_environ("GET", "/", [])
    environ["HTTP_ORIGIN"] = "https://b\u0416.example"
    assert call_wsgi(WSGIMiddleware(App().wsgi, allow_origins=APP), environ).lines == [OWN, VARY]
