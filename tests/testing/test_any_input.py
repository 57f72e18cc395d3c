"""A page returns a response or raises an error of its own, whatever the script passes and the server sends."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgi_cors.testing import FetchError, Page
from tests.support.page_apps import API, ORIGIN

ENGINES = st.sampled_from(["browsers", "standard", "chromium", "firefox", "webkit"])
NAMES = st.sampled_from(
    [
        b"access-control-allow-origin",
        b"access-control-allow-credentials",
        b"access-control-allow-methods",
        b"access-control-allow-headers",
        b"access-control-expose-headers",
        b"access-control-max-age",
        b"content-encoding",
        b"cross-origin-resource-policy",
        b"location",
        b"set-cookie",
    ]
)
LIKELY = st.sampled_from(
    [b"*", b"true", ORIGIN.encode(), b"null", b"PUT", b"x-a, *", b"9" * 5000, b"-" + b"9" * 5000, b"/x", b"//", b"gzip"]
)
COOKIES = st.builds(
    lambda name, value: b"a=1; %s=%s" % (name, value),
    st.sampled_from([b"Expires", b"Max-Age", b"Domain", b"Path", b"SameSite"]),
    st.binary(max_size=30)
    | st.sampled_from([b"Thu, 01 Jan 0001 00:00:00 -0000", b"1 Jan 99999 0:0:0 +9999", b"9" * 900]),
)
FIELDS = st.lists(st.tuples(NAMES, LIKELY | COOKIES | st.binary(max_size=40)), max_size=6)
INIT = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["GET", "PUT", "patch"]) | st.text(max_size=5),
        "headers": st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=3),
        "content": st.none() | st.text(max_size=5) | st.binary(max_size=5),
        "credentials": st.sampled_from(["omit", "same-origin", "include"]),
        "mode": st.sampled_from(["cors", "no-cors", "same-origin"]),
        "redirect": st.sampled_from(["follow", "error", "manual"]),
        "upload_listener": st.booleans(),
    },
)


@settings(max_examples=300)
@given(FIELDS, st.integers(100, 999), INIT, ENGINES)
@example(
    [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"PUT"),
        (b"access-control-max-age", b"9" * 5000),
    ],
    200,
    {"method": "PUT"},
    "standard",
)
@example([(b"set-cookie", b"a=1; Expires=1 Jan 0001 0:0:0 -0000")], 200, {"credentials": "include"}, "firefox")
def test_any_response_is_returned_or_raises_a_fetch_error(headers: Any, status: int, init: Any, engine: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers))
    with Page(ORIGIN, transport=transport, engine=engine, follow=2) as page:
        with contextlib.suppress(FetchError):
            page.fetch(API, **init)
        assert page.table()


@settings(max_examples=300)
@given(st.text(max_size=30), st.sampled_from(["", "https:", "https://", "//", "http://[", "https://a:", "https://a@"]))
@example("\ud800", "https://")
@example("0x" + "f" * 5000, "https://")
@example("." * 300, "https://")
def test_any_url_is_fetched_or_raises_a_fetch_error(text: str, prefix: str) -> None:
    """In the script's call, and in a Location."""
    location = (prefix + text).encode("utf-8", "replace").replace(b"\0", b"")
    redirect = httpx.MockTransport(lambda _: httpx.Response(302, headers=[(b"location", location)]))
    with Page(ORIGIN, transport=redirect, follow=1) as page:
        for url in (prefix + text, "/"):
            with contextlib.suppress(FetchError):
                page.fetch(url)
