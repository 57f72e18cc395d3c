"""The drivers for tests without an event loop: they execute the commands in a thread of the page."""

from __future__ import annotations

import contextlib
import math
import time
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Protocol, cast

import anyio
import httpx

from asgi_cors.testing._errors.errors import LifespanError, ScriptError
from asgi_cors.testing._exchange import Exchange
from asgi_cors.testing._fetch.script import Stream
from asgi_cors.testing._fetch.state import Outcome
from asgi_cors.testing._transports.asgi import ASGIApp
from asgi_cors.testing._transports.loop_thread import LoopThread
from asgi_cors.testing._transports.tasks import GRACE
from asgi_cors.testing._transports.worker import Worker

from .async_driver import AsyncBody, AsyncDriver
from .driver import TRANSPORT_ERRORS, Command, Commands, response_of, with_body

DRAIN_LIMIT = 1.0
"""Seconds after which the driver abandons a body that the page does not need and that blocks its thread."""

_BLOCKED = "it blocks its event loop"


class Body(Protocol):
    """A body that is read in parts."""

    def next_part(self, timeout: float) -> bytes | None:
        """Return the next part, None at the end. Raises TimeoutError after `timeout` seconds."""
        ...

    def close(self) -> None:
        """Close the response without reading the rest."""
        ...


class Driver(Protocol):
    """Sends the requests of one page. Timeouts are in seconds; a call that takes longer raises TimeoutError."""

    def start(self, timeout: float) -> None:
        """Start the application. Raises LifespanError."""
        ...

    def stop(self, timeout: float, error: BaseException | None) -> None:
        """Close open responses and stop the application. Raises LifespanError, or adds it to `error` as a note."""
        ...

    def run(self, commands: Commands, timeout: float) -> Outcome:
        """Execute the commands of a fetch, and return its outcome."""
        ...

    def shake_hands(self, exchange: Exchange, timeout: float) -> httpx.Response:
        """Return the response to a WebSocket's handshake."""
        ...

    def body(self, exchange: Exchange) -> Body:
        """Return the body of a response, for reading in parts. `stop()` closes the body."""
        ...

    def checked_stream(self, stream: Stream) -> Stream:
        """Return a request's stream in the form that the driver needs. Raises ScriptError."""
        ...


class LoopDriver:
    """The async driver, in an event loop of the page's own."""

    def __init__(self, app: ASGIApp) -> None:
        self.thread = LoopThread()
        self._driver = AsyncDriver(app, None)
        # A page that is never left ends its event loop when it is garbage-collected. The interpreter's exit does not
        # wait for it.
        weakref.finalize(self, self.thread.close, 0).atexit = False

    def start(self, timeout: float) -> None:
        try:
            self.thread.call(self._driver.start, timeout, timeout=timeout)
        except TimeoutError as error:
            self.thread.close()
            raise LifespanError(f"the application did not start within {timeout} s: {_BLOCKED}") from error
        except BaseException:
            self.thread.close()
            raise

    def stop(self, timeout: float, error: BaseException | None) -> None:
        limit = 0 if self.thread.blocks_opaque_response else timeout
        try:
            self.thread.call(self._driver.stop, timeout, error, timeout=limit)
        except TimeoutError as late:
            message = f"the application did not shut down: {_BLOCKED}, or ignores its cancellation"
            if error is None:
                raise LifespanError(message) from late
            error.add_note(message)
        finally:
            self.thread.close()

    def run(self, commands: Commands, timeout: float) -> Outcome:
        return self.thread.call(self._driver.run, commands, timeout, timeout=timeout)

    def shake_hands(self, exchange: Exchange, timeout: float) -> httpx.Response:
        return self.thread.call(self._driver.shake_hands, exchange, timeout, timeout=timeout)

    def body(self, exchange: Exchange) -> Body:
        return _LoopBody(self._driver.body(exchange), self)

    def checked_stream(self, stream: Stream) -> Stream:
        return stream if isinstance(stream, AsyncIterable) else _PartsInThread(stream)


class _LoopBody:
    def __init__(self, body: AsyncBody, driver: LoopDriver) -> None:
        self._body = body
        self._driver = driver  # a reference, so that the event loop continues

    def next_part(self, timeout: float) -> bytes | None:
        return self._driver.thread.call(self._body.next_part, timeout, timeout=timeout)

    def close(self) -> None:
        with contextlib.suppress(TimeoutError):
            self._driver.thread.call(self._body.aclose, timeout=DRAIN_LIMIT)


class _PartsInThread(AsyncIterator[bytes]):
    """A test's iterator as an async one. It may block, so it runs in a thread."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)

    async def __anext__(self) -> bytes:
        part = await anyio.to_thread.run_sync(next, self._parts, None, abandon_on_cancel=True)
        if part is None:
            raise StopAsyncIteration
        return part


class WorkerDriver:
    """The driver for a WSGI application, a transport and real connections."""

    def __init__(self, transport: httpx.BaseTransport, *, owns_transport: bool) -> None:
        self._transport = transport
        self._owns_transport = owns_transport
        self._worker = Worker()
        self._bodies: list[_WorkerBody] = []

    def start(self, timeout: float) -> None:
        """Do nothing: there is no lifespan."""

    def stop(self, timeout: float, error: BaseException | None) -> None:  # noqa: ARG002 - there is no lifespan
        for body in self._bodies:
            body.close()
        if self._owns_transport:
            self._transport.close()
        self._worker.close()

    def run(self, commands: Commands, timeout: float) -> Outcome:
        deadline = time.monotonic() + timeout
        try:
            command = next(commands)
            while True:
                try:
                    self._execute(command, deadline)
                except TRANSPORT_ERRORS as error:
                    command = commands.throw(error)
                else:
                    command = next(commands)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome

    def shake_hands(self, exchange: Exchange, timeout: float) -> httpx.Response:
        response = self._worker.call(lambda: self._closed_response(exchange), timeout)
        return with_body(exchange, response, b"")

    def body(self, exchange: Exchange) -> Body:
        body = _WorkerBody(response_of(exchange), self._worker)
        self._bodies.append(body)
        return body

    def checked_stream(self, stream: Stream) -> Stream:
        if isinstance(stream, AsyncIterable):
            raise ScriptError("content is an async iterator. Write a plain iterator, or fetch with an AsyncPage.")
        return stream

    def _closed_response(self, exchange: Exchange) -> httpx.Response:
        response = self._transport.handle_request(exchange.request)
        response.close()
        return response

    def _execute(self, command: Command, deadline: float) -> None:
        exchange = command.exchange
        if command.action == "send":
            exchange.response = self._worker.call(lambda: self._send(exchange, deadline), _until(deadline))
        elif command.action == "drain":
            exchange.response = self._drain(exchange, response_of(exchange))
        else:
            self._worker.call(lambda: _read(response_of(exchange)), _until(deadline))

    def _send(self, exchange: Exchange, deadline: float) -> httpx.Response:
        response = self._transport.handle_request(exchange.request)
        response.stream = _BoundedStream(cast("httpx.SyncByteStream", response.stream), deadline)
        return response

    def _drain(self, exchange: Exchange, response: httpx.Response) -> httpx.Response:
        parts: list[bytes] = []
        _bound(response, time.monotonic() + GRACE)
        with contextlib.suppress(TimeoutError, *TRANSPORT_ERRORS):  # the page needs the headers only
            self._worker.call(lambda: _collect(response, parts), DRAIN_LIMIT)
        return with_body(exchange, response, b"".join(parts))


class _WorkerBody:
    def __init__(self, response: httpx.Response, worker: Worker) -> None:
        _bound(response, math.inf)
        self._response = response
        self._worker = worker
        self._parts = response.iter_bytes()

    def next_part(self, timeout: float) -> bytes | None:
        return self._worker.call(lambda: next(self._parts, None), timeout)

    def close(self) -> None:
        self._response.close()


class _BoundedStream(httpx.SyncByteStream):
    """A body that times out after its deadline, so that no thread reads it forever."""

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
            parts.append(part)  # noqa: PERF402 - extend() would lose the parts at a timeout
    finally:
        response.close()


def _bound(response: httpx.Response, deadline: float) -> None:
    if isinstance(response.stream, _BoundedStream):
        response.stream.deadline = deadline


def _until(deadline: float) -> float:
    return deadline - time.monotonic()
