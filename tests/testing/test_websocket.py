"""A WebSocket's handshake as browsers make it."""

from __future__ import annotations

import threading

import anyio
import httpx
import pytest

from asgi_cors.testing import AsyncPage, FetchTimeout, NetworkError, Page, ScriptError
from tests.support.page_apps import API, ORIGIN, WSGIEcho, http_only, raw


class Socket:
    """Receives the connection, sends scripted messages, and waits for the end."""

    def __init__(self, *messages):
        self.messages = messages
        self.scope = None
        self.received = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        self.scope = scope
        self.received.append((await receive())["type"])
        for message in self.messages:
            await send(message)
        self.received.append((await receive())["type"])


ACCEPT = {"type": "websocket.accept", "headers": raw([("set-cookie", "ws=1; SameSite=None; Secure")])}
DENIAL = [
    {"type": "websocket.http.response.start", "status": 401, "headers": []},
    {"type": "websocket.http.response.body", "body": b"log ", "more_body": True},
    {"type": "websocket.http.response.body", "body": b"in"},
]


@pytest.mark.parametrize(
    ("messages", "accepted", "status"),
    [([ACCEPT], True, 101), ([{"type": "websocket.close"}], False, 403), (DENIAL, False, 401)],
    ids=["accept", "close", "denial"],
)
def test_the_server_accepts_or_refuses_and_the_connection_ends(interface, messages, accepted, status):
    """The application receives the disconnect. A refusal is not an exception."""
    app = Socket(*messages)

    async def once():
        async with interface.page(ORIGIN, app=app) as page:
            return await page.websocket("wss://api.test/feed?x=1"), page

    socket, page = interface.run(once)
    assert (socket.accepted, socket.status) == (accepted, status)
    assert bool(socket) is accepted
    assert app.received == ["websocket.connect", "websocket.disconnect"]
    assert page.exchanges == [socket.exchange]
    assert socket.exchange.kind == "websocket"
    assert ("blocked" in page.table()) is not accepted


async def test_a_handshake_always_has_the_origin_and_the_cookies(new_page):
    """CORS does not apply, so the server must check them itself."""
    app = Socket(ACCEPT)
    cookies = {API: ["none=1; SameSite=None; Secure", "lax=1; SameSite=Lax"]}
    async with new_page(ORIGIN, app=app, cookies=cookies) as page:
        await page.websocket("wss://api.test/feed")
        assert page.cookies["ws"] == "1"
    headers = dict(app.scope["headers"])
    assert headers[b"origin"] == ORIGIN.encode()
    assert headers[b"cookie"] == b"none=1"
    assert headers[b"sec-fetch-mode"] == b"websocket"
    assert (app.scope["scheme"], app.scope["path"]) == ("wss", "/feed")


async def test_the_handshake_of_a_sandboxed_page_has_the_origin_null(new_page):
    app = Socket(ACCEPT)
    async with new_page("null", app=app) as page:
        await page.websocket("ws://api.test/feed")
    assert (b"origin", b"null") in app.scope["headers"]


@pytest.mark.parametrize("url", ["https://app.example.com/feed", "wss://app.example.com/feed"])
async def test_a_handshake_may_have_an_http_url(new_page, url):
    """The WebSocket constructor accepts it, too."""
    app = Socket(ACCEPT)
    async with new_page(ORIGIN, app=app) as page:
        socket = await page.websocket(url)
    assert (socket.accepted, app.scope["scheme"], app.scope["path"]) == (True, "wss", "/feed")


@pytest.mark.parametrize("url", ["ftp://api.test/", "wss://u:p@api.test/", "wss://"])
async def test_an_invalid_url_of_a_websocket_is_a_script_error(new_page, url):
    """JavaScript throws a SyntaxError."""
    async with new_page(ORIGIN, app=Socket()) as page:
        with pytest.raises(ScriptError):
            await page.websocket(url)


@pytest.mark.parametrize(("error", "status"), [(None, 403), (LookupError(), 500)], ids=["returns", "raises"])
async def test_an_app_that_returns_without_an_accept_refuses_the_handshake(new_page, error, status):
    """As under a server. The exchange has the exception."""

    async def app(scope, receive, send):
        if error:
            raise error

    async with new_page(ORIGIN, app=http_only(app)) as page:
        socket = await page.websocket("wss://api.test/feed")
    assert (socket.accepted, socket.status, socket.exchange.exception) == (False, status, error)


async def test_an_unexpected_message_is_an_error_of_the_application(new_page):
    """`send` raises a RuntimeError, as under a server."""
    async with new_page(ORIGIN, app=Socket({"type": "http.response.start"})) as page:
        socket = await page.websocket("wss://api.test/feed")
    assert isinstance(socket.exchange.exception, RuntimeError)


async def test_messages_after_the_decision_are_ignored(new_page):
    """The browser has disconnected."""
    app = Socket(ACCEPT, {"type": "websocket.send", "text": "hello"}, {"type": "websocket.close"})
    async with new_page(ORIGIN, app=app) as page:
        assert (await page.websocket("wss://api.test/feed")).accepted
    assert app.received[-1] == "websocket.disconnect"


async def test_an_app_that_neither_accepts_nor_refuses_times_out(new_page):
    """The exchange is recorded."""

    async def app(scope, receive, send):
        await anyio.sleep_forever()

    async with new_page(ORIGIN, app=http_only(app), timeout=0.05) as page:
        with pytest.raises(FetchTimeout) as caught:
            await page.websocket("wss://api.test/feed")
    assert caught.value.exchange.kind == "websocket"


def transport_with(status):
    """Return a transport that sends this response to every handshake."""
    return httpx.MockTransport(lambda request: httpx.Response(status))


async def test_over_a_transport_the_status_101_accepts_the_handshake():
    """Over live servers, too."""
    async with AsyncPage(ORIGIN, transport=transport_with(101)) as page:
        assert (await page.websocket("wss://api.test/feed")).accepted
    with Page(ORIGIN, transport=transport_with(403)) as page:
        assert not page.websocket("wss://api.test/feed").accepted


def test_a_wsgi_app_refuses_the_handshake():
    """WSGI has no WebSockets."""
    app = WSGIEcho(status="400 Bad Request")
    with Page(ORIGIN, app=app) as page:
        assert page.websocket("wss://api.test/feed").status == 400
    assert app.environs[0]["HTTP_UPGRADE"] == "websocket"


def failing(request):
    """Refuse the connection."""
    raise httpx.ConnectError("refused")


async def test_a_handshake_without_a_connection_is_a_network_error():
    """In both pages."""
    async with AsyncPage(ORIGIN, transport=httpx.MockTransport(failing)) as page:
        with pytest.raises(NetworkError, match="refused"):
            await page.websocket("wss://api.test/feed")
    with Page(ORIGIN, transport=httpx.MockTransport(failing)) as page, pytest.raises(NetworkError, match="refused"):
        page.websocket("wss://api.test/feed")


def test_a_transport_that_does_not_respond_times_out():
    """In the page's thread."""
    release = threading.Event()

    def handler(request):
        release.wait(30)
        return httpx.Response(101)

    with Page(ORIGIN, transport=httpx.MockTransport(handler), timeout=0.05) as page, pytest.raises(FetchTimeout):
        page.websocket("wss://api.test/feed")
    release.set()
