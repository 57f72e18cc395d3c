"""The page for WSGI applications, live servers, and tests without an event loop."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import AsyncIterable, Iterator
from types import TracebackType
from typing import Literal, Self, Unpack, cast, overload

import httpx

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
from ._errors import ScriptError
from ._exchange import Exchange
from ._page import BasePage, PageOptions
from ._response import Response
from ._script import FetchInit, Stream
from ._state import Outcome
from ._tasks import GRACE
from ._websocket import Handshake, handshake_exchange, handshake_result
from ._worker import Worker
from ._wsgi import WSGIApp, WSGITransport

DRAIN_LIMIT = 1.0
"""Seconds after which a body that nobody waits for is left, where it blocks its thread."""


class Page(BasePage):
    """A browser's page for tests without an event loop, over a WSGI application, a transport or real connections.

    The application runs in a thread of the page, as under a server: what blocks there cannot hang the test.

    Args:
        origin: the page's origin, e.g. "https://app.example.com"; "null" for a sandboxed page.
        app: the WSGI application that gets every request, whatever its host.
        transport: an httpx transport in place of `app`; closing it is up to you.
        options: those of every page: `engine`, `cookies`, `clock`, `follow`, `timeout`.

    Raises:
        ValueError: an option is wrong; the message tells what to write.
    """

    def __init__(
        self,
        origin: str,
        *,
        app: WSGIApp | None = None,
        transport: httpx.BaseTransport | None = None,
        **options: Unpack[PageOptions],
    ) -> None:
        super().__init__(origin, **options)
        self._check_ways(app, transport, asgi=False)
        self._worker = Worker()
        self._streams: list[StreamedResponse] = []
        self._owns_transport = transport is None
        if transport is not None:
            self._transport = transport
        else:
            self._transport = httpx.HTTPTransport() if app is None else WSGITransport(app)

    def __enter__(self) -> Self:
        """Return the page."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what is open, and end the page's thread."""
        for stream in self._streams:
            stream.close()
        if self._owns_transport:
            self._transport.close()
        self._worker.close()

    @overload
    def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,
        stream: Literal[False] = False,
        **init: Unpack[FetchInit],
    ) -> Response: ...

    @overload
    def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,
        stream: Literal[True],
        **init: Unpack[FetchInit],
    ) -> StreamedResponse: ...

    def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,
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
            outcome = self._carry_out(todo, time.monotonic() + limit)
        except TimeoutError as error:
            raise timeout_error(limit, fetch.last) from error
        if not stream:
            return Response(outcome, self.engine)
        response = StreamedResponse(outcome, self.engine, limit, self._worker)
        self._streams.append(response)
        return response

    def websocket(self, url: str) -> Handshake:
        """Make a WebSocket's handshake as a browser does; a refusal is no exception.

        Raises:
            ScriptError, NetworkError, FetchTimeout: there is no decision.
        """
        exchange = handshake_exchange(url, self._state)
        prepare(exchange, self._timeout)
        try:
            response = self._worker.call(lambda: self._shake_hands(exchange), self._timeout)
        except TimeoutError as error:
            raise timeout_error(self._timeout, exchange) from error
        except TRANSPORT_ERRORS as error:
            raise transport_error(error, exchange) from error
        return handshake_result(exchange, response, self._state)

    def _usable(self, stream: Stream) -> Stream:
        if isinstance(stream, AsyncIterable):
            raise ScriptError("content is an async iterator; Page reads plain ones, AsyncPage both.")
        return stream

    def _shake_hands(self, exchange: Exchange) -> httpx.Response:
        response = self._transport.handle_request(exchange.request)
        response.close()
        return recorded(exchange, response, b"")

    def _carry_out(self, todo: Commands, deadline: float) -> Outcome:
        try:
            command = next(todo)
            while True:
                try:
                    self._do(command, deadline)
                except TRANSPORT_ERRORS as error:
                    command = todo.throw(error)
                else:
                    command = next(todo)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome

    def _do(self, command: Command, deadline: float) -> None:
        exchange = command.exchange
        if command.action == "send":
            exchange.response = self._worker.call(lambda: self._send(exchange, deadline), _until(deadline))
        elif command.action == "drain":
            exchange.response = self._drained(exchange, response_of(exchange))
        else:
            self._worker.call(lambda: _read(response_of(exchange)), _until(deadline))

    def _send(self, exchange: Exchange, deadline: float) -> httpx.Response:
        response = self._transport.handle_request(exchange.request)
        response.stream = _BoundedStream(cast("httpx.SyncByteStream", response.stream), deadline)
        return response

    def _drained(self, exchange: Exchange, response: httpx.Response) -> httpx.Response:
        parts: list[bytes] = []
        _bound(response, time.monotonic() + GRACE)
        with contextlib.suppress(TimeoutError, *TRANSPORT_ERRORS):  # the head has decided already
            self._worker.call(lambda: _collect(response, parts), DRAIN_LIMIT)
        return recorded(exchange, response, b"".join(parts))


class StreamedResponse(Response):
    """A response whose body is read as it is sent; `content` is there once `read()` has returned."""

    def __init__(self, outcome: Outcome, engine: Engine, timeout: float, worker: Worker) -> None:
        super().__init__(outcome, engine)
        self._timeout = timeout
        self._worker = worker
        _bound(response_of(self.exchange), math.inf)
        self._parts = response_of(self.exchange).iter_bytes()

    def iter_bytes(self) -> Iterator[bytes]:
        """Iterate over the body's parts. Raises NetworkError, and FetchTimeout where one is late."""
        return self

    def __iter__(self) -> Self:
        """Return the response, which iterates over its body's parts."""
        return self

    def __next__(self) -> bytes:
        """Return the next part."""
        if self._is_opaque:
            raise StopIteration
        try:
            part = self._worker.call(lambda: next(self._parts, None), self._timeout)
        except TimeoutError as error:
            raise timeout_error(self._timeout, self.exchange) from error
        except TRANSPORT_ERRORS as error:
            raise transport_error(error, self.exchange) from error
        if part is None:
            raise StopIteration
        return part

    def read(self) -> bytes:
        """Read the rest of the body. Raises as `iter_bytes()` does."""
        self._content = b"".join(self)
        return self._content

    def close(self) -> None:
        """Leave the rest of the body unread."""
        response_of(self.exchange).close()


class _BoundedStream(httpx.SyncByteStream):
    """A body that ends in a time-out once its deadline has passed, so that no thread reads on for ever."""

    def __init__(self, stream: httpx.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self.deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            yield part
            if time.monotonic() > self.deadline:
                raise httpx.ReadTimeout("the body did not end in time")

    def close(self) -> None:
        self._stream.close()


def _read(response: httpx.Response) -> None:
    try:
        response.read()
    finally:
        response.close()


def _collect(response: httpx.Response, parts: list[bytes]) -> None:
    try:
        for part in response.iter_raw():
            parts.append(part)  # noqa: PERF402 - extend() would keep nothing when time is up
    finally:
        response.close()


def _bound(response: httpx.Response, deadline: float) -> None:
    if isinstance(response.stream, _BoundedStream):
        response.stream.deadline = deadline


def _until(deadline: float) -> float:
    return deadline - time.monotonic()
