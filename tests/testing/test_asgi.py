"""An ASGI application in place of a server: it never hangs, and shows what a server would."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from asgi_cors.testing import AsyncPage, CORSError, FetchTimeout, NetworkError, Response, ScriptError
from tests.support.page_apps import API, ORIGIN, ASGIEcho, allowed, http_only, raw

START = {"type": "http.response.start", "status": 200, "headers": raw(allowed())}


def body(content: bytes = b"", *, more: bool = False) -> dict[str, Any]:
    """Return a message with a part of the body."""
    return {"type": "http.response.body", "body": content, "more_body": more}


def fetch(interface: Any, app: Any, url: str = f"{API}/items", **init: Any) -> tuple[Response, Any]:
    """Fetch once from a page of its own."""

    async def once() -> tuple[Response, Any]:
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            return await page.fetch(url, **init), page

    result: tuple[Response, Any] = interface.run(once)
    return result


def test_the_scope_is_that_of_a_server(interface):
    """Path, query, host and the header bytes arrive as a server would hand them on."""
    app = ASGIEcho(allowed(("access-control-allow-headers", "x-id")))
    fetch(interface, app, f"{API}:8443/a%20b/%C3%A9?q=%20", headers=[("X-Id", "é")], method="POST", content=b"xyz")
    preflight, main = app.scopes[0], app.scopes[-1]
    assert preflight["method"] == "OPTIONS"
    assert main["method"] == "POST"
    assert (main["path"], main["raw_path"], main["query_string"]) == ("/a b/é", b"/a%20b/%C3%A9", b"q=%20")
    assert (main["scheme"], main["server"]) == ("https", ("api.test", 8443))
    headers = dict(main["headers"])
    assert headers[b"host"] == b"api.test:8443"
    assert headers[b"x-id"] == "é".encode("latin-1")
    assert headers[b"origin"] == ORIGIN.encode()
    assert headers[b"content-length"] == b"3"
    assert app.bodies[-1] == b"xyz"


def test_an_app_that_returns_only_after_disconnect_is_told_of_it(interface):
    """Quart 0.23 waits so for the end of the connection."""
    ended = []

    async def app(scope, receive, send):
        await receive()
        await send(START)
        await send(body(b"done"))
        assert (await receive())["type"] == "http.disconnect"
        ended.append(True)

    response, _ = fetch(interface, app)
    assert response.content == b"done"
    assert ended == [True]


def test_an_app_that_never_returns_does_not_hang_the_fetch_or_the_page(interface):
    """What still runs when the page is left is cancelled."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"done"))
        await anyio.sleep_forever()

    response, _ = fetch(interface, app)
    assert response.content == b"done"


def test_an_app_that_raises_shows_as_500_without_cors_fields(interface):
    """The page is blocked as it would be in a browser; the exception is kept."""

    async def app(scope, receive, send):
        raise LookupError("no such item")

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            with pytest.raises(CORSError) as caught:
                await page.fetch(f"{API}/items")
            return caught.value

    error = interface.run(once)
    assert error.code == "MissingAllowOriginHeader"
    assert error.exchange.response.status_code == 500
    assert error.exchange.response.text == "Internal Server Error"
    assert repr(error.exchange.exception) == "LookupError('no such item')"
    assert error.__notes__ == ["  the application raised LookupError('no such item')"]


def test_an_exception_after_the_response_is_kept_and_hurts_nobody(interface):
    """As under a server, where it is only logged."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"done"))
        raise LookupError

    response, page = fetch(interface, app)
    assert response.content == b"done"
    assert isinstance(page.exchanges[0].exception, LookupError)


@pytest.mark.parametrize("error", [None, LookupError()], ids=["return", "raise"])
def test_an_app_that_stops_within_the_body_cuts_the_response_short(interface, error):
    """A body that doesn't end is a network error."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"do", more=True))
        if error:
            raise error

    with pytest.raises(NetworkError, match="before its response was complete") as caught:
        fetch(interface, app)
    assert getattr(caught.value, "__notes__", []) == (["  the application raised LookupError()"] if error else [])


def test_an_app_that_returns_without_a_response_shows_as_500(interface):
    """As under a server."""

    async def app(scope, receive, send):
        await receive()

    with pytest.raises(CORSError) as caught:
        fetch(interface, app)
    assert caught.value.exchange.response.status_code == 500
    assert "without starting a response" in str(caught.value.exchange.exception)


async def test_an_app_that_cancels_itself_shows_as_500(new_page):
    """A stray CancelledError must not leave the fetch waiting."""

    async def app(scope, receive, send):
        raise asyncio.CancelledError

    async with new_page(ORIGIN, app=http_only(app)) as page:
        with pytest.raises(CORSError) as caught:
            await page.fetch(f"{API}/items")
    assert caught.value.exchange.response.status_code == 500


def test_an_endless_response_times_out_and_is_kept(interface):
    """A server-sent-events stream that is not read as a stream must not hang a test."""
    told = []

    async def app(scope, receive, send):
        await receive()
        await send(START)
        await send(body(b"data: 1\n\n", more=True))
        told.append((await receive())["type"])

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            with pytest.raises(FetchTimeout, match=r"within 0\.5 s") as caught:
                await page.fetch(f"{API}/events", timeout=0.5)
            assert caught.value.exchange is page.exchanges[0]
            assert caught.value.exchange.response.status_code == 200

    interface.run(once)
    assert told == ["http.disconnect"]


def test_an_app_that_never_starts_its_response_times_out(interface):
    """The exchange has no response then."""

    async def app(scope, receive, send):
        await anyio.sleep_forever()

    with pytest.raises(FetchTimeout) as caught:
        fetch(interface, app, timeout=0.05)
    assert caught.value.exchange.response is None


def test_a_stream_is_read_as_it_comes(interface):
    """The parts arrive while the application still sends; closing tells it so."""
    told = []

    async def app(scope, receive, send):
        await receive()
        await send(START)
        for number in range(3):
            await send(body(b"data: %d\n\n" % number, more=True))
        told.append((await receive())["type"])

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            response = await page.fetch(f"{API}/events", stream=True)
            parts = response.aiter_bytes()
            assert [await anext(parts) for _ in range(3)] == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
            await response.aclose()

    interface.run(once)
    assert told == ["http.disconnect"]


def test_a_stream_can_be_read_whole(interface):
    """Then its content is there as with any other response."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed(), body=b"all")) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            assert await response.aread() == response.content == b"all"
            opaque = await page.fetch(f"{API}/items", stream=True, mode="no-cors")
            assert await opaque.aread() == b""
            assert [part async for part in opaque.aiter_bytes()] == []

    interface.run(once)


def test_a_stream_can_be_read_again(interface):
    """The content stays."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed(), body=b"all")) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            assert await response.aread() == await response.aread() == response.content == b"all"
            await response.aclose()
        return [await response.aread(), [part async for part in response.aiter_bytes()]]

    assert interface.run(once) == [b"all", []]


def test_the_content_of_a_stream_that_was_not_read_is_an_error_in_words(interface):
    """It says what to call; httpx's own names a method that not every page's response has."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed())) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            for read in (lambda: response.content, lambda: response.text, response.json):
                with pytest.raises(RuntimeError, match=r"has not been read\. Call response\.read\(\) first, or await resp"):
                    read()

    interface.run(once)


@pytest.mark.parametrize("by", ["aclose", "the page"])
def test_a_stream_that_was_left_cannot_be_read(interface, by):
    """An empty body would be one that the application did not send."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed())) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            if by == "aclose":
                await response.aclose()
        with pytest.raises(NetworkError, match="StreamClosed"):
            await response.aread()

    interface.run(once)


def test_a_late_part_of_a_stream_times_out(interface):
    """The time-out holds between parts."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"1", more=True))
        await receive()
        await receive()

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            response = await page.fetch(f"{API}/events", stream=True, timeout=0.5)
            with pytest.raises(FetchTimeout):
                await response.aread()

    interface.run(once)


def test_a_stream_that_breaks_off_is_a_network_error(interface):
    """Also where it is read as it comes."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"1", more=True))

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            response = await page.fetch(f"{API}/events", stream=True)
            with pytest.raises(NetworkError):
                await response.aread()

    interface.run(once)


def test_an_endless_stream_is_held_back_while_nobody_reads(interface):
    """An application without a pause of its own would fill the memory, and starve the page."""
    sent = []

    async def app(scope, receive, send):
        await send(START)
        while True:
            await send(body(b"x" * 30_000, more=True))
            sent.append(1)

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            response = await page.fetch(f"{API}/endless", stream=True)
            held = len(sent)
            parts = response.aiter_bytes()
            assert await anext(parts) == b"x" * 30_000
            return held

    assert interface.run(once) <= 3


def test_a_blocked_endless_response_is_blocked_at_once(interface):
    """The head decides; the body is not waited for."""

    async def app(scope, receive, send):
        await send({**START, "headers": []})
        await send(body(b"data: 1\n\n", more=True))
        await receive()
        await receive()

    with pytest.raises(CORSError) as caught:
        fetch(interface, app)
    assert caught.value.exchange.response.content == b"data: 1\n\n"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_responses_without_a_body_have_none(interface, method, status):
    """Whatever the application sends."""
    response, _ = fetch(interface, ASGIEcho(allowed(), status=status, body=b"surplus"), method=method)
    assert (response.status, response.content) == (status, b"")


def test_early_hints_trailers_pushes_and_debug_messages_pass(interface):
    """They are announced as extensions, and change nothing that a page sees."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
        await send({"type": "http.response.debug", "info": {}})
        await send({**START, "trailers": True})
        await send({"type": "http.response.push", "path": "/x", "headers": []})
        await send(body(b"a", more=True))
        await send(body(b"b"))
        await send({"type": "http.response.trailers", "headers": [], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": []})

    response, _ = fetch(interface, app)
    assert response.content == b"ab"
    assert {"http.response.early_hint", "http.response.trailers"} <= scopes[-1]["extensions"].keys()


def test_a_file_sent_by_its_path_is_read(interface, tmp_path: pathlib.Path):
    """`http.response.pathsend` is announced, and served."""
    file = tmp_path / "file.txt"
    file.write_bytes(b"from a file")

    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.pathsend", "path": str(file)})

    assert fetch(interface, app)[0].content == b"from a file"


@pytest.mark.parametrize(
    "message",
    [body(), START, {"type": "http.response.trailers"}, {"type": "websocket.accept"}, {"type": "nonsense"}],
    ids=lambda message: message["type"],
)
def test_a_message_out_of_place_is_an_error_of_the_application(interface, message):
    """It sees a RuntimeError, as under a server."""

    async def app(scope, receive, send):
        if message is START:
            await send(START)
        await send(message)

    with pytest.raises((CORSError, NetworkError)) as caught:
        fetch(interface, app)
    assert isinstance(caught.value.exchange.exception, RuntimeError)


def test_a_body_that_is_no_bytes_is_an_error_of_the_application(interface):
    """It sees a TypeError."""

    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": "text"})

    with pytest.raises(NetworkError) as caught:
        fetch(interface, app)
    assert isinstance(caught.value.exchange.exception, TypeError)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (99, []),
        (1000, []),
        ("200", []),
        (200, [(b"x a", b"1")]),
        (200, [(b"", b"1")]),
        (200, [(b"x", b"a\r\nb")]),
        (200, [(b"x", b"\0")]),
        (200, [("x", "1")]),
        (200, [(b"x", "1")]),
    ],
)
def test_a_head_that_is_none_is_a_network_error(interface, status, headers):
    """A server would refuse to send it, and the browser would see the connection close."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": headers})

    with pytest.raises(NetworkError, match="the application's") as caught:
        fetch(interface, app)
    assert isinstance(caught.value.exchange.exception, ValueError)


def test_huge_headers_are_read(interface):
    """In this process nothing bounds them."""
    value = "x" * 1_000_000
    response, page = fetch(interface, ASGIEcho(allowed(("access-control-expose-headers", "x-a"), ("x-a", value))))
    assert response.headers["x-a"] == value
    assert "(1000000 characters)" not in page.table()


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_an_iterator_is_sent_as_a_stream_after_a_preflight(interface, kind):
    """Each part is a message of its own."""
    app = ASGIEcho(allowed())
    parts = [b"a", b"b"]

    async def agen() -> AsyncIterator[bytes]:
        for part in parts:
            await anyio.lowlevel.checkpoint()
            yield part

    _, page = fetch(interface, app, method="POST", content=agen() if kind == "async" else iter(parts))
    assert [exchange.kind for exchange in page.exchanges] == ["preflight", "main"]
    assert app.bodies[-1] == b"ab"


@pytest.mark.parametrize("kind", ["async", "plain"])
@pytest.mark.parametrize("starts", [False, True], ids=["before the response", "within the response"])
def test_what_the_tests_own_iterator_raises_leaves_the_fetch(interface, kind, starts):
    """It is not the application's exception; the application is told that the client is gone."""
    messages = []

    async def app(scope, receive, send):
        if scope["method"] == "OPTIONS":
            await ASGIEcho(allowed())(scope, receive, send)
            return
        if starts:
            await send(START)
        while not messages or messages[-1]["type"] != "http.disconnect":
            messages.append(await receive())

    def parts():
        yield b"a"
        raise LookupError("no more parts")

    async def aparts() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    content = aparts() if kind == "async" else parts()
    with pytest.raises(LookupError, match="no more parts") as caught:
        fetch(interface, app, method="POST", content=content)
    assert caught.traceback[-1].name == "parts"
    assert [message["type"] for message in messages] == ["http.request", "http.disconnect"]


@pytest.mark.parametrize("part", ["text", 5, None], ids=repr)
@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_part_that_is_not_bytes_is_the_scripts_mistake(interface, kind, part):
    """As for the stream of a browser."""

    async def aparts() -> AsyncIterator[bytes]:
        yield part

    with pytest.raises(ScriptError, match=f"content has the part {part!r}, which is not bytes"):
        fetch(
            interface,
            ASGIEcho(allowed()),
            method="POST",
            content=aparts() if kind == "async" else [part],
        )


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_transport_of_another_may_be_used(backend):
    """Httpx's own, for instance; it stays open."""

    async def once():
        async with AsyncPage(ORIGIN, transport=httpx.ASGITransport(ASGIEcho(allowed()))) as page:
            return await page.fetch(f"{API}/items")

    assert anyio.run(once, backend=backend).content == b"ok"


async def test_a_page_may_be_used_and_left_by_other_tasks_than_entered_it(new_page):
    """As a fixture of pytest-asyncio does."""
    page = new_page(ORIGIN, app=ASGIEcho(allowed()))
    await asyncio.create_task(page.__aenter__())
    response = await asyncio.create_task(page.fetch(f"{API}/items"))
    await asyncio.create_task(page.__aexit__(None, None, None))
    assert response.content == b"ok"


async def test_many_fetches_run_at_once(new_page):
    """A page is no bottleneck, and keeps the exchanges apart."""
    async with new_page(ORIGIN, app=ASGIEcho(allowed())) as page:
        responses = []

        async def one(number: int) -> None:
            responses.append(await page.fetch(f"{API}/{number}"))

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, number)
    assert {str(response.url) for response in responses} == {f"{API}/{number}" for number in range(20)}
