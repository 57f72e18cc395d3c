"""An ASGI application in place of a server: a page never hangs, and shows the same as over a server."""

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


def test_the_scope_is_the_one_of_a_server(interface):
    """Path, query, host and header bytes are the ones that a server would pass."""
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


def test_an_app_that_waits_for_the_disconnect_receives_it(interface):
    """Quart 0.23 waits for the end of the connection this way."""
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
    """The application is cancelled when the page is left."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"done"))
        await anyio.sleep_forever()

    response, _ = fetch(interface, app)
    assert response.content == b"done"


def test_an_app_that_raises_becomes_a_500_without_cors_headers(interface):
    """The fetch is blocked as in a browser. The exchange has the exception."""

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


def test_an_exception_after_the_response_is_recorded_and_the_fetch_succeeds(interface):
    """A server only logs it."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"done"))
        raise LookupError

    response, page = fetch(interface, app)
    assert response.content == b"done"
    assert isinstance(page.exchanges[0].exception, LookupError)


@pytest.mark.parametrize("error", [None, LookupError()], ids=["return", "raise"])
def test_an_app_that_returns_before_the_end_of_the_body_cuts_the_response_short(interface, error):
    """The fetch fails with a NetworkError."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"do", more=True))
        if error:
            raise error

    with pytest.raises(NetworkError, match="before its response was complete") as caught:
        fetch(interface, app)
    assert getattr(caught.value, "__notes__", []) == (["  the application raised LookupError()"] if error else [])


def test_an_app_that_returns_without_a_response_becomes_a_500(interface):
    async def app(scope, receive, send):
        await receive()

    with pytest.raises(CORSError) as caught:
        fetch(interface, app)
    assert caught.value.exchange.response.status_code == 500
    assert "without starting a response" in str(caught.value.exchange.exception)


async def test_an_app_that_cancels_itself_becomes_a_500(new_page):
    """The fetch does not wait forever because of a stray CancelledError."""

    async def app(scope, receive, send):
        raise asyncio.CancelledError

    async with new_page(ORIGIN, app=http_only(app)) as page:
        with pytest.raises(CORSError) as caught:
            await page.fetch(f"{API}/items")
    assert caught.value.exchange.response.status_code == 500


def test_an_endless_response_times_out_and_is_recorded(interface):
    """A stream of server-sent events does not hang a test."""
    received = []

    async def app(scope, receive, send):
        await receive()
        await send(START)
        await send(body(b"data: 1\n\n", more=True))
        received.append((await receive())["type"])

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            with pytest.raises(FetchTimeout, match=r"within 0\.5 s") as caught:
                await page.fetch(f"{API}/events", timeout=0.5)
            assert caught.value.exchange is page.exchanges[0]
            assert caught.value.exchange.response.status_code == 200

    interface.run(once)
    assert received == ["http.disconnect"]


def test_an_app_that_never_starts_its_response_times_out(interface):
    """The exchange then has no response."""

    async def app(scope, receive, send):
        await anyio.sleep_forever()

    with pytest.raises(FetchTimeout) as caught:
        fetch(interface, app, timeout=0.05)
    assert caught.value.exchange.response is None


def test_a_stream_is_read_part_by_part(interface):
    """The parts arrive while the application is still sending."""
    received = []

    async def app(scope, receive, send):
        await receive()
        await send(START)
        for number in range(3):
            await send(body(b"data: %d\n\n" % number, more=True))
        received.append((await receive())["type"])

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            response = await page.fetch(f"{API}/events", stream=True)
            parts = response.aiter_bytes()
            assert [await anext(parts) for _ in range(3)] == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
            await response.aclose()

    interface.run(once)
    assert received == ["http.disconnect"]


def test_a_stream_can_be_read_whole(interface):
    """Then its `content` is set, as for any other response."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed(), body=b"all")) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            assert await response.aread() == response.content == b"all"
            opaque = await page.fetch(f"{API}/items", stream=True, mode="no-cors")
            assert await opaque.aread() == b""
            assert [part async for part in opaque.aiter_bytes()] == []

    interface.run(once)


def test_a_stream_can_be_read_again(interface):
    """The content is stored."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed(), body=b"all")) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            assert await response.aread() == await response.aread() == response.content == b"all"
            await response.aclose()
        return [await response.aread(), [part async for part in response.aiter_bytes()]]

    assert interface.run(once) == [b"all", []]


def test_the_content_of_a_stream_that_was_not_read_is_an_error_with_the_correction(interface):
    """The message names the methods of both pages."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed())) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            for read in (lambda: response.content, lambda: response.text, response.json):
                with pytest.raises(
                    RuntimeError, match=r"has not been read\. Call response\.read\(\) first, or await resp"
                ):
                    read()

    interface.run(once)


@pytest.mark.parametrize("by", ["aclose", "the page"])
def test_a_closed_stream_cannot_be_read(interface, by):
    """An empty body would look like the application's."""

    async def once():
        async with interface.page(ORIGIN, app=ASGIEcho(allowed())) as page:
            response = await page.fetch(f"{API}/items", stream=True)
            if by == "aclose":
                await response.aclose()
        with pytest.raises(NetworkError, match="StreamClosed"):
            await response.aread()

    interface.run(once)


def test_a_late_part_of_a_stream_times_out(interface):
    """The timeout applies to each part."""

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


def test_a_stream_that_is_cut_short_is_a_network_error(interface):
    async def app(scope, receive, send):
        await send(START)
        await send(body(b"1", more=True))

    async def once():
        async with interface.page(ORIGIN, app=http_only(app)) as page:
            response = await page.fetch(f"{API}/events", stream=True)
            with pytest.raises(NetworkError):
                await response.aread()

    interface.run(once)


def test_an_endless_stream_waits_until_the_page_reads_it(interface):
    """An application that never pauses would otherwise fill the memory and block the page."""
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
    """The headers decide. The page does not wait for the body."""

    async def app(scope, receive, send):
        await send({**START, "headers": []})
        await send(body(b"data: 1\n\n", more=True))
        await receive()
        await receive()

    with pytest.raises(CORSError) as caught:
        fetch(interface, app)
    assert caught.value.exchange.response.content == b"data: 1\n\n"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_head_204_and_304_have_no_body(interface, method, status):
    """The application's body is ignored."""
    response, _ = fetch(interface, ASGIEcho(allowed(), status=status, body=b"surplus"), method=method)
    assert (response.status, response.content) == (status, b"")


def test_early_hints_trailers_pushes_and_debug_messages_have_no_effect(interface):
    """The scope lists them as extensions."""
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


def test_the_file_of_pathsend_is_the_body(interface, tmp_path: pathlib.Path):
    """The scope lists the extension `http.response.pathsend`."""
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
def test_an_unexpected_message_is_an_error_of_the_application(interface, message):
    """`send` raises a RuntimeError, as under a server."""

    async def app(scope, receive, send):
        if message is START:
            await send(START)
        await send(message)

    with pytest.raises((CORSError, NetworkError)) as caught:
        fetch(interface, app)
    assert isinstance(caught.value.exchange.exception, RuntimeError)


def test_a_body_that_is_not_bytes_is_an_error_of_the_application(interface):
    """`send` raises a TypeError."""

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
def test_a_malformed_head_is_a_network_error(interface, status, headers):
    """A server would not send it, and the browser would see the connection close."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": headers})

    with pytest.raises(NetworkError, match="the application's") as caught:
        fetch(interface, app)
    assert isinstance(caught.value.exchange.exception, ValueError)


def test_huge_headers_are_read(interface):
    """An application in this process has no limit for headers."""
    value = "x" * 1_000_000
    response, page = fetch(interface, ASGIEcho(allowed(("access-control-expose-headers", "x-a"), ("x-a", value))))
    assert response.headers["x-a"] == value
    assert "(1000000 characters)" not in page.table()


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_an_iterator_is_sent_as_a_stream_after_a_preflight(interface, kind):
    """Each part is a message."""
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
def test_an_exception_of_the_tests_own_iterator_passes_through_the_fetch(interface, kind, starts):
    """The application receives the disconnect."""
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
def test_a_part_of_a_stream_that_is_not_bytes_is_a_script_error(interface, kind, part):
    """JavaScript throws a TypeError."""

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
def test_the_page_leaves_a_transport_of_the_test_open(backend):
    """For example, a transport of httpx."""

    async def once():
        async with AsyncPage(ORIGIN, transport=httpx.ASGITransport(ASGIEcho(allowed()))) as page:
            return await page.fetch(f"{API}/items")

    assert anyio.run(once, backend=backend).content == b"ok"


async def test_a_page_may_be_used_and_left_by_other_tasks_than_entered_it(new_page):
    """A fixture of pytest-asyncio does so."""
    page = new_page(ORIGIN, app=ASGIEcho(allowed()))
    await asyncio.create_task(page.__aenter__())
    response = await asyncio.create_task(page.fetch(f"{API}/items"))
    await asyncio.create_task(page.__aexit__(None, None, None))
    assert response.content == b"ok"


async def test_fetches_of_one_page_run_concurrently(new_page):
    """Each has its own exchange."""
    async with new_page(ORIGIN, app=ASGIEcho(allowed())) as page:
        responses = []

        async def one(number: int) -> None:
            responses.append(await page.fetch(f"{API}/{number}"))

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, number)
    assert {str(response.url) for response in responses} == {f"{API}/{number}" for number in range(20)}
