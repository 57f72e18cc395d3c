"""A wrong option of a page raises an error when the page is created, with the correction."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import time
from typing import Any

import httpx
import pytest

from asgi_cors.testing import AsyncPage, Page
from tests.support.page_apps import API, ORIGIN, ASGIEcho, WSGIEcho, allowed

KINDS = pytest.mark.parametrize("kind", [Page, AsyncPage])


@KINDS
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("enginge", "Did you mean 'engine'?"),
        ("baseUrl", "Did you mean 'base_url'?"),
        ("cookie", "Did you mean 'cookies'?"),
        ("headers", "It is an option of fetch()."),
        ("method", "It is an option of fetch()."),
        ("raise_server_exceptions", "Leave it out: page.exchanges[-1].exception has the application's exception."),
        ("max_redirects", "Write follow= instead."),
        ("url", "Write the page's origin first. The API's origin is base_url=."),
        (
            "xyz",
            "Write one of origin, app, transport, base_url, engine, cookies, referrer_policy, clock, follow, timeout.",
        ),
    ],
)
def test_an_unknown_option_is_a_type_error_that_names_the_closest_one(kind, name, hint):
    with pytest.raises(TypeError, match=re.escape(f"{kind.__name__} has no option {name!r}. {hint}")):
        kind(ORIGIN, **{name: 1})


@KINDS
@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("timeout", "5", "timeout=30"),
        ("timeout", None, "timeout=30"),
        ("timeout", -1, "timeout=30"),
        ("timeout", True, "timeout=30"),
        ("timeout", 10**400, "timeout=30"),
        ("follow", True, "follow=20"),
        ("follow", -1, "follow=20"),
        ("follow", None, "follow=20"),
        ("clock", 5, "clock=time.monotonic"),
        ("cookies", ["a=1"], "cookies={'https://api.test': ['sid=1; SameSite=None; Secure']}"),
        ("cookies", "a=1", "cookies={'https://api.test': ['sid=1; SameSite=None; Secure']}"),
        ("cookies", {"sid": "1"}, "cookies={'https://api.test': ['sid=1; SameSite=None; Secure']}"),
        ("cookies", {5: "1"}, "cookies={'https://api.test': ['sid=1; SameSite=None; Secure']}"),
        ("cookies", {API: 5}, "cookies={'https://api.test': ['sid=1; SameSite=None; Secure']}"),
        ("cookies", {API: [5]}, "cookies={'https://api.test': ['sid=1; SameSite=None; Secure']}"),
        ("origin", None, "an origin such as 'https://app.example.com', or 'null'"),
        ("origin", 5, "an origin such as 'https://app.example.com', or 'null'"),
        ("engine", None, "engine='chromium'"),
        ("engine", "netscape", "one of"),
        ("engine", ["chromium"], "engine='chromium'"),
    ],
)
def test_a_wrong_value_is_a_value_error_with_the_correction(kind, option, value, hint):
    """The corrected value is accepted."""
    with pytest.raises(ValueError, match=f"{option}.*Write {re.escape(hint)}"):
        kind(**{"origin": ORIGIN, option: value})
    if "=" in hint:
        kind(ORIGIN, **eval(f"dict({hint})", {"time": time}))  # noqa: S307 - the hint is the test's


def test_an_option_of_the_transport_names_the_transport_of_the_page():
    """The transport of the other page would be refused."""
    with pytest.raises(TypeError, match=r"Write transport=httpx\.HTTPTransport\(verify=\.\.\.\)\."):
        Page(ORIGIN, verify=False)
    with pytest.raises(TypeError, match=r"Write transport=httpx\.AsyncHTTPTransport\(verify=\.\.\.\)\."):
        AsyncPage(ORIGIN, verify=False)


@pytest.mark.parametrize("seconds", [None, "5", float("nan")])
def test_a_clock_that_does_not_return_a_number_is_a_value_error(seconds):
    """The error is raised at the call, because a test may move the clock."""
    with pytest.raises(ValueError, match=r"clock\(\) returned .*, not a number of seconds\. Return one, such as 0\.0"):
        Page(ORIGIN, app=ASGIEcho(allowed()), clock=lambda: seconds).fetch(API)


def create_app() -> Any:
    """Make an application."""
    return WSGIEcho(allowed())


async def create_app_later() -> Any:
    """Make an application asynchronously."""
    return ASGIEcho(allowed())


def create_configured_app(config: str) -> Any:
    """Make an application from a configuration."""
    return WSGIEcho([("x", config)])


def create_default_app(config: str = "", *, debug: bool = False, **more: Any) -> Any:
    """Make an application from an optional configuration."""
    return WSGIEcho([(config, str(debug)), *more.items()])


@KINDS
@pytest.mark.parametrize(
    ("app", "hint"),
    [
        ("main:app", "is not an application. Import the application itself, and write app=app."),
        (5, "is not an application. Import the application itself, and write app=app."),
        (WSGIEcho, "is a class, not an application. Write app=WSGIEcho(...)."),
        (create_app, "If it makes an application, call it: write app=create_app()."),
        (create_app_later, "If it makes an application, call it: write app=await create_app_later()."),
        (create_default_app, "If it makes an application, call it: write app=create_default_app()."),
        (functools.partial(create_app), "If it makes an application, call it: write app=create_app()."),
        (lambda: None, "If it makes an application, call it: write app=create_app()."),
        (create_configured_app, "If it makes an application, call it: write app=create_configured_app(...)."),
    ],
    ids=["text", "number", "class", "factory", "async", "defaults", "partial", "lambda", "needs a configuration"],
)
def test_an_object_that_is_not_an_app_is_refused(kind, app, hint):
    """The message has the correction for a factory, a class and an import string."""
    with pytest.raises(ValueError, match=rf"app=.*{re.escape(hint)}"):
        kind(ORIGIN, app=app)


class WSGIResponse:
    """A WSGI application as in PEP 3333: the class itself."""

    def __init__(self, environ, start_response):
        start_response("200 OK", allowed())

    def __iter__(self):
        return iter([b"ok"])


class ASGIEndpoint:
    """An ASGI application as in Starlette's HTTPEndpoint: the class itself."""

    def __init__(self, scope, receive, send):
        self.call = ASGIEcho(allowed())(scope, receive, send)

    def __await__(self):
        return self.call.__await__()


def wrapped(*args, **options):
    """Call a WSGI application, with a signature that does not show its arguments."""
    return WSGIEcho(allowed())(*args, **options)


def plain(scope, receive, send):
    """Return the coroutine of an ASGI application."""
    return ASGIEcho(allowed())(scope, receive, send)


@pytest.mark.parametrize(
    "app",
    [
        WSGIResponse,
        ASGIEndpoint,
        wrapped,
        plain,
        WSGIEcho(allowed()),
        ASGIEcho(allowed()),
        functools.partial(ASGIEcho(allowed())),
        functools.partial(plain),
        WSGIEcho(allowed()).__call__,
    ],
    ids=["WSGI class", "ASGI class", "wrapped", "plain", "WSGI", "ASGI", "partial", "partial of plain", "method"],
)
def test_a_page_accepts_every_kind_of_app(app):
    """A Page treats an app as WSGI if its signature does not show the interface."""
    assert Page(ORIGIN, app=app).fetch(API).content == b"ok"


async def test_an_async_page_treats_an_app_of_unknown_kind_as_asgi():
    def hidden(*args):
        return ASGIEcho(allowed())(*args)

    assert (await AsyncPage(ORIGIN, app=hidden).fetch(API)).content == b"ok"


def test_an_app_without_a_signature_is_accepted():
    """Built-in functions and extension modules may have no signature."""

    class Unreadable:
        __signature__ = "none"

        def __call__(self, environ, start_response):
            return WSGIEcho(allowed())(environ, start_response)

    assert Page(ORIGIN, app=Unreadable()).fetch(API).content == b"ok"


@pytest.mark.parametrize(
    ("kind", "transport", "hint"),
    [
        (
            Page,
            httpx.ASGITransport(ASGIEcho()),
            "is not a transport for Page: it has no handle_request(). Use AsyncPage",
        ),
        (
            AsyncPage,
            httpx.WSGITransport(WSGIEcho()),
            "is not a transport for AsyncPage: it has no handle_async_request().",
        ),
        (Page, 5, "is not a transport for Page"),
    ],
    ids=["async", "sync", "number"],
)
def test_a_transport_of_the_other_kind_is_refused(kind, transport, hint):
    """The message names the page to use."""
    with pytest.raises(ValueError, match=re.escape(hint)):
        kind(ORIGIN, transport=transport)


def test_the_error_of_with_on_an_async_page_names_async_with():
    """The message also has the page for a test that is not async."""
    with pytest.raises(
        TypeError, match=r"Write 'async with' instead of 'with'.*Page\('https://app.example.com', app=app"
    ):
        AsyncPage(ORIGIN, app=ASGIEcho()).__enter__()
    with contextlib.ExitStack() as stack, pytest.raises(TypeError, match="async with"):
        stack.enter_context(AsyncPage(ORIGIN, app=ASGIEcho()))


async def test_the_error_of_async_with_on_a_page_names_with():
    """The message also names the page that is async."""
    with pytest.raises(TypeError, match="Write 'with' instead of 'async with', or use AsyncPage"):
        async with Page(ORIGIN, app=ASGIEcho()):
            pytest.fail("it was entered")


@pytest.mark.filterwarnings("ignore:coroutine 'AsyncPage:RuntimeWarning")
@pytest.mark.parametrize("method", ["fetch", "websocket"])
async def test_a_call_that_is_never_awaited_fails_when_the_page_is_left(method):
    """Otherwise the test would pass although nothing was sent."""
    with pytest.raises(RuntimeError, match=rf"page\.{method}\('{API}', \.\.\.\) was never awaited"):
        async with AsyncPage(ORIGIN, app=ASGIEcho(allowed())) as page:
            getattr(page, method)(API)


async def test_a_call_that_starts_only_when_the_page_is_left_counts_as_not_awaited():
    """A task that no test awaits starts while the application stops, and its error is lost."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await asyncio.sleep(0.01)
                await send({"type": f"lifespan.{phase}.complete"})

    with pytest.raises(RuntimeError, match="was never awaited"):
        async with AsyncPage(ORIGIN, app=app) as page:
            tasks = asyncio.gather(page.fetch(API), return_exceptions=True)
    await tasks


@pytest.mark.filterwarnings("ignore:coroutine 'AsyncPage:RuntimeWarning")
async def test_a_call_that_is_never_awaited_does_not_hide_the_error_of_the_test():
    """The test's own error is raised."""

    async def fail() -> None:
        async with AsyncPage(ORIGIN, app=ASGIEcho(allowed())) as page:
            page.fetch(API)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
