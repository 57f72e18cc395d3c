"""asgi_app: serves a Flask app over ASGI, with asgiref's bridge.

asgiref runs all requests of a process in one thread, in the context that they arrive in. Here each request runs in one
of several threads, in a copy of that context. Preflights need no thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, cast

from asgiref.wsgi import WsgiToAsgi, WsgiToAsgiInstance
from flask import Flask

from asgi_cors import ConfigError, CORSMiddleware, Issue
from asgi_cors_werkzeug import EXTENSION_KEY, PREDICTED, split_root_path, to_wsgi_path

from ._extension import Installation, refuse_other_apps

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_MAX_THREADS: Final = 32
_MAX_REPEATS: Final = 100  # of one header
_MAX_HEADERS: Final = 1000
_IN_MEMORY: Final = 65536  # bytes of a body; a longer one is stored in a file


def asgi_app(app: Flask, threads: int | None = None) -> ASGIApp:
    """Return an ASGI app that serves a Flask app. Call this when the app is complete, `CORS(app)` included.

    Args:
        app: The app.
        threads: How many requests may run at once. Default: four more than there are processors, at most 32.

    Raises:
        ConfigError: If `app` is not a Flask app, or `threads` is not a number of threads.
    """
    refuse_other_apps(app, "asgi_app(app)")
    bridge = Bridge(app, _check_threads(threads))
    installation: Installation | None = app.extensions.get(EXTENSION_KEY)
    return bridge if installation is None else CORSMiddleware(bridge, installation.configuration)


def _check_threads(threads: Any) -> int:
    if threads is None:
        return min(_MAX_THREADS, (os.cpu_count() or 1) + 4)
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        issue = Issue.wrong_type("threads", threads, "a number of threads", "Write a whole number from 1 up.")
        raise ConfigError([replace(issue, code="bad-threads")])
    return threads


class Bridge(WsgiToAsgi):
    """A WSGI app as an ASGI app. It serves the lifespan protocol and refuses WebSocket handshakes."""

    def __init__(self, app: Any, threads: int) -> None:
        """Create the thread pool, whose threads start when they are first needed."""
        super().__init__(app)  # type: ignore[no-untyped-call]  # asgiref has no types
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="asgi_cors_flask")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            installation: Installation | None = cast("Flask", self.wsgi_application).extensions.get(EXTENSION_KEY)
            await _serve_lifespan(receive, send, installation)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # before it is accepted: the server answers 403
        elif _has_too_many_headers(scope["headers"]):
            await _refuse_headers(scope, send)
        else:
            await BridgedRequest(self.wsgi_application, self._threads)(scope, receive, send)


async def _refuse_headers(scope: Scope, send: Send) -> None:
    """Refuse a request with too many headers before its body is read."""
    body = b"Bad Request: too many header lines"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else body  # RFC 9110, 9.3.2
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _serve_lifespan(receive: Receive, send: Send, installation: Installation | None) -> None:
    """Complete start-up and shutdown. Start-up fails if the policy of a view is not valid."""
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.startup" and installation is not None:
            try:
                installation.sync_views()
            except ConfigError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


class ClientDisconnectedError(ConnectionError):
    """The client has disconnected, so the rest of the response is discarded."""


class BridgedRequest(WsgiToAsgiInstance):
    """One request and its response.

    Args:
        app: The WSGI app.
        threads: The pool of threads that the app runs in.
    """

    response_start: dict[str, Any]
    response_content_length: int | None

    def __init__(self, app: Any, threads: ThreadPoolExecutor) -> None:
        """Begin; see the class."""
        super().__init__(app)  # type: ignore[no-untyped-call]
        self._threads = threads
        self._disconnected = False
        self._sending: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, unless the client disconnects before it is complete."""
        self._loop = asyncio.get_running_loop()
        self.scope = dict(scope)
        self._receive, self._send = receive, send
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body.write(message.get("body", b""))
                more = message.get("more_body", False)
            body.seek(0)
            await self.run_wsgi_app(body)

    def build_environ(self, scope: Scope, body: IO[bytes]) -> dict[str, Any]:
        """Build the environ, with paths and values byte for byte, and without ambiguous header names."""
        unused = {"path": "", "query_string": b"", "root_path": ""}  # asgiref can't encode them byte for byte
        self.scope = {**scope, **unused, "headers": list(_unambiguous(scope["headers"]))}
        built = super().build_environ(self.scope, body)  # type: ignore[no-untyped-call]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        environ = cast("dict[str, Any]", built)
        root, path = split_root_path(scope)
        environ |= {
            "SCRIPT_NAME": to_wsgi_path(root),
            "PATH_INFO": to_wsgi_path(path),
            "QUERY_STRING": scope["query_string"].decode("latin-1"),
            "wsgi.input_terminated": True,  # the body is complete, even without a Content-Length
        }
        # The response state of the outer middleware, and the key of the predicted view.
        environ |= {key: scope[key] for key in (EXTENSION_KEY, PREDICTED) if key in scope}
        return environ

    def start_response(  # pyright: ignore[reportIncompatibleMethodOverride]  # asgiref's has no `write`
        self, status: str, response_headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Start the response (PEP 3333). Unlike asgiref's, return `write` and accept values beyond ASCII."""
        if exc_info is None and hasattr(self, "response_start"):
            message = "start_response was called a second time without exc_info"
            raise RuntimeError(message)
        if exc_info is not None and self.response_started:
            raise exc_info[1].with_traceback(exc_info[2])
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response_headers]
        self.response_start = {
            "type": "http.response.start",
            "status": int(status.partition(" ")[0]),
            "headers": headers,
        }
        return self._write

    async def run_wsgi_app(self, body: IO[bytes]) -> None:
        """Run the app in a thread of the pool, in a copy of this request's context.

        If the client disconnects, or the task is cancelled, before a thread is free, the app is not run.
        """
        queued = self._threads.submit(contextvars.copy_context().run, self._run, body)
        running = asyncio.wrap_future(queued)
        watch = asyncio.ensure_future(self._watch(queued))
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            running.cancel()
            self._release_thread()
            raise
        finally:
            watch.cancel()
        if running.cancelled():
            return
        running.result()  # raises the app's exception
        if not self._disconnected:
            await self._send_all(self._begun({"type": "http.response.body"}))

    def _run(self, body: IO[bytes]) -> None:
        """Run the app, in its thread."""
        environ = self.build_environ(self.scope, body)
        application = cast("Callable[..., Iterable[bytes]]", self.wsgi_application)
        output = application(environ, self.start_response)
        try:
            for chunk in output:
                self._write(chunk)
        except ClientDisconnectedError:
            pass
        finally:
            close = getattr(output, "close", None)
            if close is not None:
                close()

    def _write(self, chunk: bytes) -> None:
        """Send a chunk of the body from the thread, and wait until the server has accepted it."""
        if not chunk:
            return
        messages = self._begun({"type": "http.response.body", "body": chunk, "more_body": True})
        sending = asyncio.run_coroutine_threadsafe(self._send_all(messages), self._loop)
        try:
            sending.result()
        except CancelledError:
            raise ClientDisconnectedError from None

    def _begun(self, message: Message) -> Iterable[Message]:
        """Return a message, after the response start if that has not been sent."""
        if self.response_started:
            return [message]
        self.response_started = True
        return [self.response_start, message]

    async def _send_all(self, messages: Iterable[Message]) -> None:
        if self._disconnected:
            raise ClientDisconnectedError
        self._sending = asyncio.current_task()
        for message in messages:
            await self._send(message)

    async def _watch(self, queued: Future[None]) -> None:
        """Wait until the client disconnects. Then remove its request from the queue, or end its stream."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._disconnected = True
        queued.cancel()  # does nothing if a thread has started it

    def _release_thread(self) -> None:
        """Wake the thread that waits for a cancelled request to send its response."""
        self._disconnected = True
        if self._sending is not None:
            self._sending.cancel()


def _has_too_many_headers(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Return whether a request has more headers than any client sends."""
    if len(headers) <= _MAX_REPEATS:
        return False
    return len(headers) > _MAX_HEADERS or max(Counter(name.lower() for name, _ in headers).values()) > _MAX_REPEATS


def _unambiguous(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Drop names with an underscore, which is a hyphen in an environ. Join cookies (RFC 9113, 8.2.3)."""
    cookies: list[bytes] = []
    for name, value in headers:
        if name == b"cookie":
            cookies.append(value)
        elif b"_" not in name:
            yield name, value
    if cookies:
        yield b"cookie", b"; ".join(cookies)
