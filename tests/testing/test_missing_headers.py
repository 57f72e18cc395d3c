"""The error for a header that the script cannot read has the reason and the correction."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from asgi_cors.testing import Page
from asgi_cors.testing import Response as PageResponse
from tests.support.page_apps import API, ORIGIN

SENT = {"access-control-allow-origin": ORIGIN, "content-type": "text/plain", "x-total": "3", "set-cookie": "a=1"}


def fetched(**init: Any) -> PageResponse:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=SENT))
    return Page(ORIGIN, transport=transport).fetch(API, **init)


@pytest.mark.parametrize(
    ("name", "init", "reason"),
    [
        ("X-Total", {}, "the page may not read 'x-total': expose it, by expose_headers=['x-total']"),
        ("set-cookie", {}, "no script can read 'set-cookie'; the cookies that were stored are in page.cookies"),
        ("x-other", {}, "the response has no header 'x-other'"),
        ("x-total", {"mode": "no-cors"}, "no script can read 'x-total': the response is of the type 'opaque'"),
    ],
    ids=["not exposed", "a cookie", "absent", "opaque"],
)
def test_the_key_error_says_why_the_script_cannot_read_it(name: str, init: dict[str, str], reason: str) -> None:
    """It has the option that exposes the header."""
    with pytest.raises(KeyError) as caught:
        fetched(**init).headers[name]
    assert caught.value.args == (reason,)


def test_get_of_a_hidden_header_returns_none_as_in_a_script() -> None:
    """Only the brackets raise."""
    assert fetched().headers.get("x-total") is None
    assert fetched().headers["Content-Type"] == "text/plain"
