"""The page for tests that are not async, over an application or real connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, Unpack, overload

import httpx

from asgi_cors.testing._errors.tracebacks import short_traceback
from asgi_cors.testing._fetch.engines import Engine
from asgi_cors.testing._fetch.form import FormInit
from asgi_cors.testing._fetch.handshake import Handshake, handshake_exchange, handshake_result
from asgi_cors.testing._fetch.script import FetchInit, Stream
from asgi_cors.testing._fetch.state import Outcome
from asgi_cors.testing._transports.apps import interface_of
from asgi_cors.testing._transports.asgi import ASGIApp
from asgi_cors.testing._transports.wsgi import WSGIApp, WSGITransport

from .base import BasePage, PageOptions
from .driver import as_fetch_errors, attach_options, commands, timeout_error
from .fetch_options import parse_timeout
from .navigation import Navigation
from .response import Response
from .sync_driver import LoopBody, LoopDriver, WorkerBody, WorkerDriver


class Page(BasePage):
    """A browser's page for tests that are not async, over an ASGI or WSGI application, a transport or real connections.

    The application runs in a thread of the page, so the test does not hang if the application blocks. An ASGI
    application runs in an asyncio event loop of the page's own. While the page is entered, its lifespan runs.

    Args:
        origin: the page's origin, e.g. "https://app.example.com"; "null" for a sandboxed page.
        app: the ASGI or WSGI application that gets every request, whatever its host.
        transport: an httpx transport in place of `app`; you close it.
        options: those of all pages: `base_url`, `engine`, `cookies`, `referrer_policy`, `clock`, `follow`,
            `timeout`.

    Raises:
        ValueError: an option is wrong; the message has the correction.
        TypeError: an option is unknown; the message names the closest one.
        LifespanError: on entry or exit, if the application fails to start or stop.
    """

    _interfaces = frozenset({"asgi", "wsgi", "unknown"})
    _transport_method = "handle_request"

    @short_traceback
    def __init__(
        self,
        origin: str,
        *,
        app: ASGIApp | WSGIApp | None = None,
        transport: httpx.BaseTransport | None = None,
        **options: Unpack[PageOptions],
    ) -> None:
        super().__init__(origin, app=app, transport=transport, **options)
        self._driver = self._new_driver(app, transport)

    @short_traceback
    def __enter__(self) -> Self:
        """Start the application. Raises LifespanError."""
        self._check_not_entered()
        self._driver.start(self._timeout)
        self._is_entered = True
        return self

    @short_traceback
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close open responses and stop the application. Raises LifespanError, or adds it to `error` as a note."""
        self._is_entered = False
        self._driver.stop(self._timeout, error)

    if not TYPE_CHECKING:  # type checkers report `async with` by themselves

        @short_traceback
        async def __aenter__(self) -> NoReturn:
            """Raise TypeError: a page that is not async is entered by `with`."""
            raise TypeError("Page is not async. Write 'with' instead of 'async with', or use AsyncPage.")

        async def __aexit__(self, *_: object) -> None:
            """Do nothing. Python looks for this method before it calls `__aenter__`."""

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

    @short_traceback
    def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,
        stream: bool = False,
        **init: Unpack[FetchInit],
    ) -> Response:
        """Fetch as the page's script would, and return its response.

        Args:
            url: absolute, or relative to `base_url` (by default the page's origin).
            timeout: seconds, in place of the page's.
            stream: return a StreamedResponse as soon as the response starts.
            init: `method`, `headers`, `content` or `json`, `credentials`, `mode`, `redirect`, `cache`,
                `upload_listener`, `referrer_policy`.

        Raises:
            CORSError: the browser would block the fetch.
            ScriptError: an argument is wrong; the message has the correction.
            NetworkError, RedirectError, FetchTimeout: the fetch fails for another reason.
        """
        limit = parse_timeout(timeout, self._timeout)
        self._warn_if_same_origin(url)
        fetch = self._new_fetch(url, init, stream=stream)
        try:
            outcome = self._driver.run(commands(fetch.run(), limit, stream=stream), limit)
        except TimeoutError as error:
            raise timeout_error(limit, fetch.last) from error
        if not stream:
            return Response(outcome, self.engine)
        return StreamedResponse(outcome, self.engine, limit, self._driver.body(outcome.exchange))

    @short_traceback
    def submit(self, url: str | httpx.URL, *, timeout: float | None = None, **form: Unpack[FormInit]) -> Navigation:
        """Send a form as the page's user would, and follow it: the page is then at the final URL.

        CORS does not apply to a form. The browser sends it with cookies, whatever the target allows. The page's origin
        and URL change, unless the response is a 204, a 205 or a download.

        Args:
            url: the form's action: absolute, or relative to `base_url` (by default the page's URL).
            timeout: seconds, in place of the page's.
            form: `method` ("POST" or "GET"), `data`, `enctype`, `by_user`.

        Raises:
            ScriptError: an argument is wrong; the message has the correction.
            NetworkError, RedirectError, FetchTimeout: no response came, or a redirect cannot be followed.
        """
        limit = parse_timeout(timeout, self._timeout)
        submission = self._new_submission(url, form)
        try:
            outcome = self._driver.run(commands(submission.run(), limit, stream=False), limit)
        except TimeoutError as error:
            raise timeout_error(limit, submission.last) from error
        return Navigation(outcome, submission.exchanges)

    @short_traceback
    def websocket(self, url: str | httpx.URL) -> Handshake:
        """Make a WebSocket's handshake as browsers do. A refusal is not an exception.

        Args:
            url: its scheme is ws, wss, http or https; or it is relative to `base_url` (by default the page's origin).

        Raises:
            ScriptError: the URL is wrong.
            NetworkError, FetchTimeout: the server neither accepts nor refuses.
        """
        self._warn_if_same_origin(url)
        exchange = handshake_exchange(url, self._state)
        attach_options(exchange, self._timeout)
        with as_fetch_errors(exchange, self._timeout):
            response = self._driver.shake_hands(exchange, self._timeout)
        return handshake_result(exchange, response, self._state)

    def _new_driver(
        self, app: Callable[..., Any] | None, transport: httpx.BaseTransport | None
    ) -> LoopDriver | WorkerDriver:
        if transport is not None:
            return WorkerDriver(transport, owns_transport=False)
        if app is None:
            return WorkerDriver(httpx.HTTPTransport(), owns_transport=True)
        if interface_of(app) != "asgi":
            return WorkerDriver(WSGITransport(app), owns_transport=True)
        return LoopDriver(app)

    def _checked_stream(self, stream: Stream) -> Stream:
        return self._driver.checked_stream(stream)


class StreamedResponse(Response):
    """A response whose body is read while the application sends it. `content` is set by `read()`."""

    def __init__(self, outcome: Outcome, engine: Engine, timeout: float, body: LoopBody | WorkerBody) -> None:
        super().__init__(outcome, engine)
        self._timeout = timeout
        self._body = body

    def iter_bytes(self) -> Iterator[bytes]:
        """Iterate over the body's parts. Raises NetworkError, and FetchTimeout if one is late."""
        return self

    def __iter__(self) -> Self:
        """Return the response, which iterates over its body's parts."""
        return self

    @short_traceback
    def __next__(self) -> bytes:
        """Return the next part."""
        if self._is_opaque:
            raise StopIteration
        with as_fetch_errors(self.exchange, self._timeout):
            part = self._body.next_part(self._timeout)
        if part is None:
            raise StopIteration
        return part

    @short_traceback
    def read(self) -> bytes:
        """Read the rest of the body, once. Raises as `iter_bytes()` does."""
        if self._content is None:
            self._content = b"".join(self)
        return self._content

    def close(self) -> None:
        """Close the response without reading the rest. An ASGI application receives `http.disconnect`."""
        self._body.close()
