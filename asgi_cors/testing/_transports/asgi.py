"""An ASGI application in place of a server (ASGI 3.0, HTTP message format).

- The response is returned as soon as the application starts it. The body follows in parts, as the application sends it.
- The application receives `http.disconnect` when the response is complete, or when the page reads no further.
- An exception before the start becomes a 500, as under a server. A later one cuts the response short.
- HEAD, 204 and 304 have no body. Early hints, trailers, pushes and debug messages have no effect. The file of
  `http.response.pathsend` is sent.
"""

from __future__ import annotations

import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import anyio
import anyio.lowlevel
import httpx

from asgi_cors.testing._exchange import Exchange

from .head import BODILESS, SERVER_ERROR, check_head
from .tasks import GRACE, Signal, Task

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

BUFFER_LIMIT = 65536
EXTENSIONS = ("http.response.early_hint", "http.response.pathsend", "http.response.trailers")
_IGNORED = frozenset({"http.response.early_hint", "http.response.push", "http.response.debug"})


def base_scope(request: httpx.Request, kind: str, state: Message) -> Scope:
    """Return the keys of the scope that a request and a handshake share."""
    url = request.url
    path, _, query = url.raw_path.partition(b"?")
    default_port = 443 if url.scheme in {"https", "wss"} else 80
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": url.scheme,
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 50000),
        "server": (url.host, url.port or default_port),
        "state": dict(state),
    }


class ASGITransport(httpx.AsyncBaseTransport):
    """Sends requests to an application in this process."""

    def __init__(self, app: ASGIApp, state: Message) -> None:
        self._app = app
        self._state = state
        self._running: set[_Cycle] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application and return when its response starts."""
        cycle = _Cycle(self._app, request, self._state)
        self._running = {running for running in self._running if not running.has_ended} | {cycle}
        try:
            await cycle.head()
        except BaseException:
            cycle.disconnect()
            raise
        return httpx.Response(cycle.status, headers=cycle.headers, stream=cycle, request=request)

    async def aclose(self) -> None:
        """Stop the calls of the application that are still running."""
        for cycle in self._running:
            await cycle.stop()


class _Cycle(httpx.AsyncByteStream):
    """One request and its response."""

    def __init__(self, app: ASGIApp, request: httpx.Request, state: Message) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._app = app
        self._request = request
        self._exchange: Exchange = request.extensions["exchange"]
        self._scope: Scope = {
            **base_scope(request, "http", state),
            "method": request.method,
            "extensions": {name: {} for name in EXTENSIONS},
        }
        stream = request.stream
        self._parts: AsyncIterator[bytes] | None = None
        if isinstance(stream, httpx.AsyncByteStream) and not isinstance(stream, httpx.ByteStream):
            self._parts = aiter(stream)
        self._has_more_body = True
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._has_trailers = False
        self._is_complete = False
        self._error: Exception | None = None
        self._is_disconnected = False
        self._signal = Signal()
        self._task = Task(self._run)

    @property
    def has_ended(self) -> bool:
        return self._task.has_ended

    async def head(self) -> None:
        """Wait for the response's start.

        Raises:
            httpx.RemoteProtocolError: the start is malformed.
            Exception: an error of the test's own iterator, which is the request's body.
        """
        await self._signal.until(lambda: self.status or self._error)
        if self._error and not self.status:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await self._signal.until(lambda: self._chunks or self._is_disconnected or self._error)
            if not self._chunks:
                break
            chunks, self._chunks, self._buffered = self._chunks, [], 0
            self._signal.send()
            for chunk in chunks:
                yield chunk
        if self._error:
            raise self._error

    async def aclose(self) -> None:
        self.disconnect()
        await self._task.wait(GRACE)

    def disconnect(self) -> None:
        """Let the application receive `http.disconnect`."""
        self._is_disconnected = True
        self._signal.send()

    async def stop(self) -> None:
        """End the application's call."""
        self.disconnect()
        await self._task.stop()

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - a server survives its application
            self._exchange.exception = error
        finally:
            self._settle()

    def _settle(self) -> None:
        """Send a 500 if the application started no response, or cut an unfinished response short."""
        if not self.status and not self._error:
            if self._exchange.exception is None:
                self._exchange.exception = RuntimeError("the application returned without starting a response")
            status, headers, body = SERVER_ERROR
            self._start(status, headers)
            self._chunks.append(body)
            self._finish()
        elif not self._is_complete:
            self._fail(httpx.RemoteProtocolError("the application ended before its response was complete"))

    async def _receive(self) -> Message:
        if self._has_more_body and not self._is_disconnected:
            return await self._next_part()
        await self._signal.until(lambda: self._is_disconnected)
        return {"type": "http.disconnect"}

    async def _next_part(self) -> Message:
        if self._parts is None:
            part: bytes | None = self._request.content
            self._has_more_body = False
        else:
            try:
                part = await anext(self._parts, None)
            except Exception as error:  # noqa: BLE001 - the test raised it, not the application
                self._fail(error)
                self.disconnect()
                return {"type": "http.disconnect"}
            self._has_more_body = part is not None
        return {"type": "http.request", "body": part or b"", "more_body": self._has_more_body}

    async def _send(self, message: Message) -> None:
        await self._wait_for_room()
        kind = message["type"]
        if kind == "http.response.start" and not self.status:
            self._has_trailers = message.get("trailers", False)
            self._handle_start(message)
        elif kind == "http.response.body" and self.status and not self._is_complete:
            self._handle_body(message.get("body", b""), more=message.get("more_body", False))
        elif kind == "http.response.pathsend" and self.status:
            self._handle_body(await anyio.to_thread.run_sync(pathlib.Path(message["path"]).read_bytes), more=False)
        elif kind == "http.response.trailers" and self._has_trailers:
            if not message.get("more_trailers", False):
                self._finish()
        elif kind not in _IGNORED:
            raise RuntimeError(f"{kind} is not expected here.")

    async def _wait_for_room(self) -> None:
        """Wait until the page has read enough of the body. Let other tasks run if it reads no further."""
        if self._is_disconnected:
            await anyio.lowlevel.checkpoint()
        await self._signal.until(lambda: self._buffered <= BUFFER_LIMIT or self._is_disconnected)

    def _handle_start(self, message: Message) -> None:
        headers = list(message.get("headers", ()))
        try:
            check_head(message["status"], headers)
        except ValueError as error:
            self._fail(httpx.RemoteProtocolError(str(error)))
            raise
        self._start(message["status"], headers)

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status, self.headers = status, headers
        self._signal.send()

    def _handle_body(self, body: bytes, *, more: bool) -> None:
        if not isinstance(body, bytes | bytearray):  # pyright: ignore[reportUnnecessaryIsInstance] - an app may send anything
            raise TypeError(f"http.response.body: {body!r:.200} is not bytes.")
        if self._request.method != "HEAD" and self.status not in BODILESS and not self._is_disconnected:
            self._chunks.append(body)
            self._buffered += len(body)
        if more or self._has_trailers:
            self._signal.send()
        else:
            self._finish()

    def _finish(self) -> None:
        self._is_complete = self._is_disconnected = True
        self._signal.send()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._signal.send()
