"""Which request headers need no preflight, compared with the simulator of `asgi_cors.testing`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import Policy, WSGIMiddleware, explain
from asgi_cors._decision.safelist import unsafe_names
from tests.support.apps import App
from tests.support.expected import APP

pytestmark = pytest.mark.slow

ONE = Policy(allow_origins=APP)

# behaviour, headers, the names that a preflight requests
HEADERS: list[tuple[str, list[tuple[str, str]], list[str]]] = [
    ("a range", [("Range", "bytes=0-99")], []),
    ("an open range", [("range", "bytes=100-")], []),
    ("a range of one byte", [("range", "bytes=7-7")], []),
    ("a range with leading zeros", [("range", "bytes=0010-9")], ["range"]),
    ("a range of huge numbers", [("range", f"bytes={'9' * 50}-{'9' * 51}")], []),
    ("a range whose end is before its start", [("range", "bytes=9-1")], ["range"]),
    ("a range from the end", [("range", "bytes=-99")], ["range"]),
    ("two ranges", [("range", "bytes=0-1,3-4")], ["range"]),
    ("a range in upper case", [("range", "BYTES=0-1")], ["range"]),
    ("a range of another unit", [("range", "items=0-1")], ["range"]),
    ("a range with a space", [("range", "bytes= 0-1")], ["range"]),
    ("a range with other digits", [("range", "bytes=\u0661-\u0662")], ["range"]),
    ("a range without a value", [("range", "")], ["range"]),
    ("accept", [("Accept", "text/html, */*;q=0.1")], []),
    ("accept with an unsafe byte", [("accept", "text/html;a=(b)")], ["accept"]),
    ("accept with a tab", [("accept", "a\tb")], []),
    ("accept of 128 bytes", [("accept", "a" * 128)], []),
    ("accept of 129 bytes", [("accept", "a" * 129)], ["accept"]),
    ("accept with white space around", [("accept", f" \t{'a' * 128}\n")], []),
    ("a language", [("accept-language", "de-DE, de;q=0.9, *;q=0.5")], []),
    ("a language with an underscore", [("accept-language", "de_DE")], ["accept-language"]),
    ("a content language", [("content-language", "de")], []),
    ("a content language with quotes", [("content-language", '"de"')], ["content-language"]),
    ("a form", [("Content-Type", "application/x-www-form-urlencoded")], []),
    ("an upload", [("content-type", "multipart/form-data; boundary=x")], []),
    ("text", [("content-type", "Text/Plain ; charset=utf-8")], []),
    ("text with an unsafe byte", [("content-type", 'text/plain; charset="utf-8"')], ["content-type"]),
    ("JSON", [("content-type", "application/json")], ["content-type"]),
    ("a type without a value", [("content-type", "")], ["content-type"]),
    ("a forbidden header", [("Cookie", "a"), ("Sec-X", "b"), ("Proxy-X", "c"), ("Origin", "d")], []),
    ("a method override", [("x-http-method-override", "PUT")], ["x-http-method-override"]),
    ("a forbidden method override", [("x-http-method-override", "GET, trace")], []),
    ("another header", [("X-B", "1"), ("x-a", "2"), ("x-b", "3")], ["x-a", "x-b"]),
    ("1024 bytes in all", [("accept", "a" * 128)] * 8, []),
    ("1025 bytes in all", [*[("accept", "a" * 128)] * 8, ("content-language", "a")], ["accept", "content-language"]),
]


@pytest.mark.parametrize(("headers", "names"), [row[1:] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_a_safelisted_header_needs_no_preflight_and_any_other_is_refused_by_name(
    headers: list[tuple[str, str]], names: list[str]
) -> None:
    assert unsafe_names(headers) == names
    explanation = explain(ONE, "GET", APP, headers)
    assert explanation.allowed is not bool(
        set(names) - {"accept", "accept-language", "content-language", "content-type"}
    )
    assert explanation.request == f"GET from {APP!r}" + (f", headers {', '.join(names)}" if names else "")


NAMES = ["accept", "Accept-Language", "content-language", "content-type", "range", "x-id", "x-method-override", "dnt"]
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=140),
    st.text("bytes=0123456789-+ ", max_size=14),
    st.from_regex(r"bytes=[0-9]{1,20}-[0-9]{0,20}", fullmatch=True),
    st.sampled_from(["text/plain", "text/plain;charset=utf-8", "text/ plain", "application/json", "TRACE", "a" * 128]),
)


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12))
def test_a_preflight_of_the_simulator_requests_the_same_names(headers: list[tuple[str, str]]) -> None:
    pytest.importorskip("httpx", reason="httpx is an extra")
    testing: Any = pytest.importorskip("asgi_cors.testing")
    app = WSGIMiddleware(App().wsgi, allow_origins=APP)
    with testing.Page(APP, app=app, engine="standard") as page:
        try:
            page.fetch("https://api.test/", headers=headers)
            passes = True
        except testing.CORSError:
            passes = False
        requested = [
            exchange.request.headers["access-control-request-headers"].split(",")
            for exchange in page.exchanges
            if exchange.kind == "preflight"
        ]
    names = unsafe_names(headers)
    assert requested == ([names] if names else [])
    assert explain(ONE, "GET", APP, headers).allowed is passes
