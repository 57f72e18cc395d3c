"""The driver for asyncio and trio: it executes the commands over an ASGI application or an async transport."""

from __future__ import annotations

import contextlib

import anyio
import httpx

from asgi_cors.testing._errors.errors import LifespanError
from asgi_cors.testing._exchange import Exchange
from asgi_cors.testing._fetch.state import Outcome
from asgi_cors.testing._transports.asgi import ASGIApp, ASGITransport, Message
from asgi_cors.testing._transports.lifespan import Lifespan
from asgi_cors.testing._transports.tasks import GRACE
from asgi_cors.testing._transports.websocket import ASGIHandshake

from .driver import TRANSPORT_ERRORS, Command, Commands, response_of, with_body


class AsyncDriver:
    """Sends the requests of one page. Timeouts are in seconds; a call that takes longer raises TimeoutError."""

    def __init__(self, app: ASGIApp | None, transport: httpx.AsyncBaseTransport | None) -> None:
        self._app = app
        self._app_state: Message = {}
        self._lifespan: Lifespan | None = None
        self._bodies: list[AsyncBody] = []
        self._owns_transport = transport is None
        if transport is not None:
            self._transport = transport
        elif app is not None:
            self._transport = ASGITransport(app, self._app_state)
        else:
            self._transport = httpx.AsyncHTTPTransport()

    async def start(self, timeout: float) -> None:  # noqa: ASYNC109 - Lifespan reports it
        """Start the application. Raises LifespanError."""
        if self._app is not None:
            self._app_state.clear()
            self._lifespan = Lifespan(self._app, self._app_state)
            await self._lifespan.start(timeout)

    async def stop(self, timeout: float, error: BaseException | None) -> None:  # noqa: ASYNC109 - the same
        """Close open responses and stop the application. Raises LifespanError, or adds it to `error` as a note."""
        for body in self._bodies:
            await body.aclose()
        if self._owns_transport:
            await self._transport.aclose()
        if self._lifespan is not None:
            try:
                await self._lifespan.stop(timeout)
            except LifespanError as failure:
                if error is None:
                    raise
                error.add_note(str(failure))

    async def run(self, commands: Commands, timeout: float) -> Outcome:  # noqa: ASYNC109 - the page reports it
        """Execute the commands of a fetch, and return its outcome."""
        with anyio.fail_after(timeout):
            try:
                command = next(commands)
                while True:
                    try:
                        await self._execute(command)
                    except TRANSPORT_ERRORS as error:
                        command = commands.throw(error)
                    else:
                        command = next(commands)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome

    async def shake_hands(self, exchange: Exchange, timeout: float) -> httpx.Response:  # noqa: ASYNC109 - the same
        """Return the response to a WebSocket's handshake."""
        with anyio.fail_after(timeout):
            if self._app is not None:
                return await ASGIHandshake(self._app, exchange, self._app_state).run()
            response = await self._transport.handle_async_request(exchange.request)
            return await _drain(exchange, response)

    def body(self, exchange: Exchange) -> AsyncBody:
        """Return the body of a response, for reading in parts. `stop()` closes it."""
        body = AsyncBody(response_of(exchange))
        self._bodies.append(body)
        return body

    async def _execute(self, command: Command) -> None:
        exchange = command.exchange
        if command.action == "send":
            exchange.response = await self._transport.handle_async_request(exchange.request)
        elif command.action == "drain":
            exchange.response = await _drain(exchange, response_of(exchange))
        else:
            await _read(response_of(exchange))


class AsyncBody:
    """A body that is read in parts."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._parts = response.aiter_bytes()
        self._has_ended = False
        self._is_closed = False

    async def next_part(self, timeout: float) -> bytes | None:  # noqa: ASYNC109 - the response reports it
        """Return the next part, None at the end."""
        if self._is_closed:
            raise httpx.StreamClosed
        with anyio.fail_after(timeout):
            part = await anext(self._parts, None)
        self._has_ended = part is None
        return part

    async def aclose(self) -> None:
        """Close the response without reading the rest. The application receives `http.disconnect`."""
        self._is_closed = not self._has_ended
        await _close(self._response)
        with contextlib.suppress(*TRANSPORT_ERRORS):
            # A closed body ends at once. Reading to its end also ends its generators, or trio warns about them.
            async for _ in self._parts:
                pass


async def _drain(exchange: Exchange, response: httpx.Response) -> httpx.Response:
    parts: list[bytes] = []
    with anyio.move_on_after(GRACE):
        try:
            async for part in response.aiter_raw():
                parts.append(part)  # noqa: PERF401 - a comprehension would lose the parts at a timeout
        except TRANSPORT_ERRORS:
            pass  # the page needs the headers only
    await _close(response)
    return with_body(exchange, response, b"".join(parts))


async def _read(response: httpx.Response) -> None:
    try:
        await response.aread()
    except BaseException:
        await _close(response)
        raise


async def _close(response: httpx.Response) -> None:
    with anyio.CancelScope(shield=True):
        await response.aclose()
