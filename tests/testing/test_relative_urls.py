"""A relative URL is same-origin and tests nothing of CORS: it warns, unless `base_url` leads to the API."""

from __future__ import annotations

import inspect
import re
import warnings

import httpx
import pytest
from doubles import API, ORIGIN, ASGIEcho, WSGIEcho, allowed

from asgi_cors.testing import AsyncPage, Page, SameOriginWarning, ScriptError

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
def test_a_relative_url_warns(url):
    """The message names the page's origin, and a URL that is followed without a warning."""
    with pytest.warns(SameOriginWarning, match=re.escape(ORIGIN)) as caught:
        page().fetch(url)
    assert caught[0].filename == __file__
    (absolute,) = re.findall(r"Write '([^']+)'", str(caught[0].message))
    (base_url,) = re.findall(r"base_url='([^']+)'", str(caught[0].message))
    with warnings.catch_warnings(action="error"):
        assert page().fetch(absolute).type == "cors"
        assert page(base_url=base_url).fetch(url).type == "cors"


@pytest.mark.parametrize("url", ABSOLUTE)
def test_another_url_does_not_warn(url):
    """An absolute URL of the page's own origin is a test of just that."""
    page().fetch(url)


def test_the_hint_leads_away_from_a_page_of_the_usual_test_host():
    """It would be same-origin again."""
    with pytest.warns(SameOriginWarning, match=r"base_url='https://api\.example\.com'"):
        Page("https://api.test", app=WSGIEcho()).fetch("/items")


async def test_the_warning_shows_the_readers_line():
    """In both kinds of page, also if a task awaits the coroutine, and for a WebSocket."""
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


def test_an_httpx_url_may_be_relative_too():
    """It is read as text."""
    with pytest.warns(SameOriginWarning):
        page().fetch(httpx.URL("/items"))


def test_a_page_without_an_app_does_not_warn():
    """A live server may well serve the page and the API."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    assert Page(ORIGIN, transport=transport).fetch("/items").type == "basic"


def test_a_malformed_relative_url_is_the_scripts_mistake():
    """There is no warning beside the error."""
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
    """Origin and Referer stay those of the page."""
    app = WSGIEcho(allowed())
    with Page(ORIGIN, app=app, base_url="https://api.test:8443") as opened:
        assert str(opened.fetch(url).url) == reached
    assert app.environs[0]["HTTP_REFERER"] == f"{ORIGIN}/"


@pytest.mark.parametrize(("base_url", "scheme"), [("https://api.test", "wss"), ("http://api.test:8000", "ws")])
async def test_a_websockets_url_is_resolved_against_the_base_url(base_url, scheme):
    """Its scheme follows that of the base."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await send({"type": "websocket.accept"})

    assert (await AsyncPage(ORIGIN, app=app, base_url=base_url).websocket("/feed")).accepted
    assert Page(ORIGIN, app=app, base_url=base_url).websocket("/feed").accepted
    assert {(scope["scheme"], scope["path"]) for scope in scopes} == {(scheme, "/feed")}
    assert all((b"origin", ORIGIN.encode()) in scope["headers"] for scope in scopes)


def test_a_sandboxed_page_may_have_a_base_url():
    """Everything is cross-origin to it."""
    app = WSGIEcho([("access-control-allow-origin", "null")])
    assert Page("null", app=app, base_url=API).fetch("/items").type == "cors"


def test_the_pages_own_origin_as_base_url_warns():
    """It changes nothing; a test of the own origin writes an absolute URL."""
    with pytest.warns(SameOriginWarning):
        page(base_url=ORIGIN).fetch("/items")


def test_a_redirect_is_resolved_against_the_url_that_redirects():
    """The base is the script's alone."""
    app = WSGIEcho(allowed(("location", "/next")), status="302 Found")
    with Page(ORIGIN, app=app, base_url="https://other.test", follow=1) as opened, pytest.raises(Exception, match="1 "):
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
def test_a_base_url_is_an_origin(base_url, corrected):
    """The message says which to write, and that one is accepted."""
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
def test_another_base_url_gets_an_example(base_url):
    """It is accepted."""
    with pytest.raises(ValueError, match=r"base_url=.*Write an origin such as 'https://api\.test'\."):
        page(base_url=base_url)
