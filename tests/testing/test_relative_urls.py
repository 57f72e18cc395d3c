"""A relative URL is same-origin and does not test CORS, so it warns. With `base_url` it belongs to the API."""

from __future__ import annotations

import inspect
import re
import warnings

import httpx
import pytest

from asgi_cors.testing import AsyncPage, Page, RedirectError, SameOriginWarning, ScriptError
from tests.support.page_apps import API, ORIGIN, ASGIEcho, WSGIEcho, allowed

RELATIVE = [
    "/items",
    "items",
    "",
    "?a=1",
    "#top",
    "./x",
    "../x",
    "https:items",
    "https:/items",
    " /items\n",
    "\\items",
    "/\titems",
]
ABSOLUTE = [f"{ORIGIN}/items", f"{API}/items", "HTTPS://APP.example.com", "//api.test/x", "http:app.example.com"]


def page(**options):
    """Return a page over an application that allows everything."""
    return Page(ORIGIN, app=WSGIEcho(allowed()), **options)


@pytest.mark.parametrize("url", RELATIVE)
def test_a_relative_url_to_the_pages_own_origin_warns(url):
    """The message names the page's origin, and a URL and a base_url that do not warn."""
    with pytest.warns(SameOriginWarning, match=re.escape(ORIGIN)) as caught:
        page().fetch(url)
    assert caught[0].filename == __file__
    (absolute,) = re.findall(r"Write '([^']+)'", str(caught[0].message))
    (base_url,) = re.findall(r"base_url='([^']+)'", str(caught[0].message))
    with warnings.catch_warnings(action="error"):
        assert page().fetch(absolute).type == "cors"
        assert page(base_url=base_url).fetch(url).type == "cors"


@pytest.mark.parametrize("url", ABSOLUTE)
def test_an_absolute_url_does_not_warn(url):
    """A test may fetch from the page's own origin on purpose."""
    page().fetch(url)


def test_the_hint_of_the_warning_names_a_host_other_than_the_pages():
    """The usual hint, https://api.test, would be same-origin there."""
    with pytest.warns(SameOriginWarning, match=r"base_url='https://api\.example\.com'"):
        Page("https://api.test", app=WSGIEcho()).fetch("/items")


async def test_the_warning_shows_the_users_line():
    """In both kinds of page, for WebSockets, and for a coroutine that is awaited later."""
    lines = []
    app = ASGIEcho(allowed())
    with warnings.catch_warnings(record=True, action="always") as caught:
        Page(ORIGIN, app=app).fetch("/sync")
        lines.append(inspect.currentframe().f_lineno - 1)
        async with AsyncPage(ORIGIN, app=app) as opened:
            await opened.fetch("/async")
            lines.append(inspect.currentframe().f_lineno - 1)
            later = opened.fetch("/later")
            lines.append(inspect.currentframe().f_lineno - 1)
            await later
            await opened.websocket("/feed")
            lines.append(inspect.currentframe().f_lineno - 1)
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line) for line in lines]


def test_a_relative_httpx_url_warns_too():
    """It is used as text."""
    with pytest.warns(SameOriginWarning):
        page().fetch(httpx.URL("/items"))


def test_a_page_without_an_app_does_not_warn():
    """A live server may serve both the page and the API."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    assert Page(ORIGIN, transport=transport).fetch("/items").type == "basic"


def test_a_malformed_relative_url_is_a_script_error():
    """It does not warn."""
    with pytest.raises(ScriptError):
        page().fetch("//a:port/")


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("/items", "https://api.test:8443/items"),
        ("items?a=1#b", "https://api.test:8443/items?a=1"),
        ("", "https://api.test:8443/"),
        ("//other.test/x", "https://other.test/x"),
        (f"{ORIGIN}/x", f"{ORIGIN}/x"),
    ],
)
def test_relative_urls_are_resolved_against_the_base_url(url, reached):
    """The Referer is still the page's."""
    app = WSGIEcho(allowed())
    with Page(ORIGIN, app=app, base_url="https://api.test:8443") as opened:
        assert str(opened.fetch(url).url) == reached
    assert app.environs[0]["HTTP_REFERER"] == f"{ORIGIN}/"


@pytest.mark.parametrize(("base_url", "scheme"), [("https://api.test", "wss"), ("http://api.test:8000", "ws")])
async def test_a_websockets_url_is_resolved_against_the_base_url(base_url, scheme):
    """The base's http becomes ws, and its https becomes wss."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await send({"type": "websocket.accept"})

    assert (await AsyncPage(ORIGIN, app=app, base_url=base_url).websocket("/feed")).accepted
    assert Page(ORIGIN, app=app, base_url=base_url).websocket("/feed").accepted
    assert {(scope["scheme"], scope["path"]) for scope in scopes} == {(scheme, "/feed")}
    assert all((b"origin", ORIGIN.encode()) in scope["headers"] for scope in scopes)


def test_a_sandboxed_page_may_have_a_base_url():
    """Every URL is cross-origin for it."""
    app = WSGIEcho([("access-control-allow-origin", "null")])
    assert Page("null", app=app, base_url=API).fetch("/items").type == "cors"


def test_the_pages_own_origin_as_base_url_warns():
    """It changes nothing. To test the page's own origin, write an absolute URL."""
    with pytest.warns(SameOriginWarning):
        page(base_url=ORIGIN).fetch("/items")


def test_a_relative_location_is_resolved_against_the_url_that_redirects():
    """The base_url is for the script's own URLs only."""
    app = WSGIEcho(allowed(("location", "/next")), status="302 Found")
    with Page(ORIGIN, app=app, base_url="https://other.test", follow=1) as opened, pytest.raises(RedirectError):
        opened.fetch(f"{API}/first")
    assert [environ["SERVER_NAME"] for environ in app.environs] == ["api.test", "api.test"]


@pytest.mark.parametrize(
    ("base_url", "corrected"),
    [
        ("https://api.test/", "https://api.test"),
        ("https://api.test/v1?x", "https://api.test"),
        ("HTTPS://API.test:443", "https://api.test"),
        ("https://user:word@api.test", "https://api.test"),
        ("ws://api.test:8000/feed", "http://api.test:8000"),
        ("wss://api.test", "https://api.test"),
        ("api.test", "https://api.test"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("//api.test", "https://api.test"),
    ],
)
def test_a_base_url_that_is_not_an_origin_is_a_value_error_with_the_correction(base_url, corrected):
    """The corrected origin is accepted."""
    with pytest.raises(ValueError, match=rf"base_url=.*Write {re.escape(repr(corrected))}\."):
        page(base_url=base_url)
    assert page(base_url=corrected).fetch("/items").type == "cors"


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "/v1",
        "null",
        "*",
        "a b",
        "file:///x",
        "data:,x",
        "capacitor://localhost",
        "https://",
        "https://a:port",
        5,
        b"x",
    ],
)
def test_a_base_url_without_a_host_is_a_value_error_with_an_example(base_url):
    """No origin can be guessed from it, so the message has an example."""
    with pytest.raises(ValueError, match=r"base_url=.*Write an origin such as 'https://api\.test'\."):
        page(base_url=base_url)
