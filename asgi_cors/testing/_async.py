"""The page for asyncio and trio."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from types import TracebackType
from typing import Literal, Self, Unpack, overload

import anyio
import httpx

from ._asgi import ASGIApp, ASGITransport
from ._driver import (
    TRANSPORT_ERRORS,
    Command,
    Commands,
    commands,
    prepare,
    recorded,
    response_of,
    timeout_error,
    transport_error,
)
from ._engines import Engine
from ._errors import LifespanError
from ._exchange import Exchange
from ._lifespan import Lifespan
from ._page import BasePage, PageOptions
from ._response import Response
from ._script import FetchInit, Stream
from ._state import Outcome
from ._tasks import GRACE
from ._websocket import ASGIHandshake, Handshake, handshake_exchange, handshake_result


class AsyncPage(BasePage):
    """A browser's page for async tests, over an ASGI application, a transport or real connections.

    Args:
        origin: the page's origin, e.g. "https://app.example.com"; "null" for a sandboxed page.
        app: the ASGI application that gets every request, whatever its host. While the page is entered, its lifespan
            runs.
        transport: an httpx transport in place of `app`; closing it is up to you.
        options: those of every page: `engine`, `cookies`, `clock`, `follow`, `timeout`.

    Raises:
        ValueError: an option is wrong; the message tells what to write.
        LifespanError: on entry or exit, where the application fails to start or stop.
    """

    def __init__(
        self,
        origin: str,
        *,
        app: ASGIApp | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **options: Unpack[PageOptions],
    ) -> None:
        super().__init__(origin, **options)
        self._check_ways(app, transport, asgi=True)
        self._app = app
        self._lifespan = None if app is None else Lifespan(app)
        self._streams: list[StreamedResponse] = []
        self._owns_transport = transport is None
        if transport is not None:
            self._transport = transport
        elif app is not None and self._lifespan is not None:
            self._transport = ASGITransport(app, self._lifespan.state)
        else:
            self._transport = httpx.AsyncHTTPTransport()

    async def __aenter__(self) -> Self:
        """Start the application. Raises LifespanError."""
        if self._lifespan is not None:
            await self._lifespan.start(self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what is open and stop the application. Raises LifespanError, or notes it on the error underway."""
        for stream in self._streams:
            await stream.aclose()
        if self._owns_transport:
            await self._transport.aclose()
        if self._lifespan is not None:
            try:
                await self._lifespan.stop(self._timeout)
            except LifespanError as failure:
                if error is None:
                    raise
                error.add_note(str(failure))

    @overload
    async def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as in httpx
        stream: Literal[False] = False,
        **init: Unpack[FetchInit],
    ) -> Response: ...

    @overload
    async def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as in httpx
        stream: Literal[True],
        **init: Unpack[FetchInit],
    ) -> StreamedResponse: ...

    async def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as in httpx
        stream: bool = False,
        **init: Unpack[FetchInit],
    ) -> Response:
        """Fetch as the page's script would, and return what it gets.

        Args:
            url: absolute, or relative to the page.
            timeout: seconds, in place of the page's.
            stream: return a StreamedResponse as soon as the response starts.
            init: `method`, `headers`, `content` or `json`, `credentials`, `mode`, `redirect`, `cache`,
                `upload_listener`.

        Raises:
            CORSError: the browser would block it.
            ScriptError, NetworkError, RedirectError, FetchTimeout: it fails for another reason.
        """
        limit = self._timeout if timeout is None else timeout
        fetch = self._new_fetch(url, init)
        todo = commands(fetch.run(), limit, stream=stream)
        try:
            with anyio.fail_after(limit):
                outcome = await self._carry_out(todo)
        except TimeoutError as error:
            raise timeout_error(limit, fetch.last) from error
        if not stream:
            return Response(outcome, self.engine)
        response = StreamedResponse(outcome, self.engine, limit)
        self._streams.append(response)
        return response

    async def websocket(self, url: str) -> Handshake:
        """Make a WebSocket's handshake as a browser does; a refusal is no exception.

        Raises:
            ScriptError, NetworkError, FetchTimeout: there is no decision.
        """
        exchange = handshake_exchange(url, self._state)
        prepare(exchange, self._timeout)
        try:
            with anyio.fail_after(self._timeout):
                response = await self._shake_hands(exchange)
        except TimeoutError as error:
            raise timeout_error(self._timeout, exchange) from error
        except TRANSPORT_ERRORS as error:
            raise transport_error(error, exchange) from error
        return handshake_result(exchange, response, self._state)

    def _usable(self, stream: Stream) -> Stream:
        return stream if isinstance(stream, AsyncIterable) else _AsyncParts(stream)

    async def _shake_hands(self, exchange: Exchange) -> httpx.Response:
        if self._app is not None and self._lifespan is not None:
            return await ASGIHandshake(self._app, exchange, self._lifespan.state).run()
        response = await self._transport.handle_async_request(exchange.request)
        return await _drained(exchange, response)

    async def _carry_out(self, todo: Commands) -> Outcome:
        try:
            command = next(todo)
            while True:
                try:
                    await self._do(command)
                except TRANSPORT_ERRORS as error:
                    command = todo.throw(error)
                else:
                    command = next(todo)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome

    async def _do(self, command: Command) -> None:
        exchange = command.exchange
        if command.action == "send":
            exchange.response = await self._transport.handle_async_request(exchange.request)
        elif command.action == "drain":
            exchange.response = await _drained(exchange, response_of(exchange))
        else:
            await _read(response_of(exchange))


class StreamedResponse(Response):
    """A response whose body is read as it is sent; `content` is there once `aread()` has returned."""

    def __init__(self, outcome: Outcome, engine: Engine, timeout: float) -> None:
        super().__init__(outcome, engine)
        self._timeout = timeout
        self._parts = response_of(self.exchange).aiter_bytes()

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Iterate over the body's parts. Raises NetworkError, and FetchTimeout where one is late."""
        return self

    def __aiter__(self) -> Self:
        """Return the response, which iterates over its body's parts."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next part."""
        if self._is_opaque:
            raise StopAsyncIteration
        try:
            with anyio.fail_after(self._timeout):
                return await anext(self._parts)
        except TimeoutError as error:
            raise timeout_error(self._timeout, self.exchange) from error
        except TRANSPORT_ERRORS as error:
            raise transport_error(error, self.exchange) from error

    async def aread(self) -> bytes:
        """Read the rest of the body. Raises as `aiter_bytes()` does."""
        self._content = b"".join([part async for part in self])
        return self._content

    async def aclose(self) -> None:
        """Leave the rest of the body unread; the application is told so."""
        await _close(response_of(self.exchange))
        with contextlib.suppress(*TRANSPORT_ERRORS):
            # What has been closed ends at once, and with it the generators that trio wants to see ended.
            async for _ in self._parts:
                pass


async def _drained(exchange: Exchange, response: httpx.Response) -> httpx.Response:
    parts: list[bytes] = []
    with anyio.move_on_after(GRACE):
        try:
            async for part in response.aiter_raw():
                parts.append(part)  # noqa: PERF401 - a comprehension would lose them when time is up
        except TRANSPORT_ERRORS:
            pass  # the head has decided already
    await _close(response)
    return recorded(exchange, response, b"".join(parts))


async def _read(response: httpx.Response) -> None:
    try:
        await response.aread()
    except BaseException:
        await _close(response)
        raise


async def _close(response: httpx.Response) -> None:
    with anyio.CancelScope(shield=True):
        await response.aclose()


class _AsyncParts(AsyncIterator[bytes]):
    """An iterator for a transport that reads asynchronously."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)

    async def __anext__(self) -> bytes:
        for part in self._parts:
            return part
        raise StopAsyncIteration
