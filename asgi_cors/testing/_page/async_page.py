"""The page for asyncio and trio."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, TypeVar, Unpack, overload

import httpx

from asgi_cors.testing._errors.tracebacks import short_traceback
from asgi_cors.testing._fetch.engines import Engine
from asgi_cors.testing._fetch.form import FormInit
from asgi_cors.testing._fetch.handshake import Handshake, handshake_exchange, handshake_result
from asgi_cors.testing._fetch.script import FetchInit, Stream
from asgi_cors.testing._fetch.state import Outcome
from asgi_cors.testing._transports.asgi import ASGIApp

from .async_driver import AsyncBody, AsyncDriver
from .base import BasePage, PageOptions
from .driver import as_fetch_errors, attach_options, commands, timeout_error
from .fetch_options import parse_timeout
from .navigation import Navigation
from .response import Response

T = TypeVar("T")


class AsyncPage(BasePage):
    """A browser's page for async tests, over an ASGI application, a transport or real connections.

    Args:
        origin: the page's origin, e.g. "https://app.example.com"; "null" for a sandboxed page.
        app: the ASGI application that gets every request, whatever its host. While the page is entered, its lifespan
            runs.
        transport: an httpx transport in place of `app`; you close it.
        options: those of all pages: `base_url`, `engine`, `cookies`, `referrer_policy`, `clock`, `follow`,
            `timeout`.

    Raises:
        ValueError: an option is wrong; the message has the correction.
        TypeError: an option is unknown; the message names the closest one.
        LifespanError: on entry or exit, if the application fails to start or stop.
    """

    _interfaces = frozenset({"asgi", "unknown"})
    _transport_method = "handle_async_request"

    @short_traceback
    def __init__(
        self,
        origin: str,
        *,
        app: ASGIApp | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **options: Unpack[PageOptions],
    ) -> None:
        super().__init__(origin, app=app, transport=transport, **options)
        self._driver = AsyncDriver(app, transport)
        self._unawaited: dict[object, str] = {}

    @short_traceback
    async def __aenter__(self) -> Self:
        """Start the application. Raises LifespanError."""
        self._check_not_entered()
        await self._driver.start(self._timeout)
        self._is_entered = True
        return self

    @short_traceback
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close open responses and stop the application.

        Raises:
            LifespanError: the application fails to stop. If another error is underway, that error gets a note instead.
            RuntimeError: a call of `fetch()`, `submit()` or `websocket()` was never awaited.
        """
        self._is_entered = False
        unawaited = list(self._unawaited.values())  # before the application stops, since tasks may start meanwhile
        await self._driver.stop(self._timeout, error)
        if error is None and unawaited:
            call = unawaited[0]
            raise RuntimeError(f"{call} was never awaited, so nothing was sent. Write await {call}.")

    if not TYPE_CHECKING:  # type checkers report `with` by themselves

        @short_traceback
        def __enter__(self) -> NoReturn:
            """Raise TypeError: an async page is entered by `async with`."""
            raise TypeError(
                "AsyncPage is async. Write 'async with' instead of 'with'. In a test that is not async, write"
                f" Page({self.origin!r}, app=app), or cors_page({self.origin!r}, app=app, page_class=Page)."
            )

        def __exit__(self, *_: object) -> None:
            """Do nothing. Python looks for this method before it calls `__enter__`."""

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

    @short_traceback
    def fetch(
        self,
        url: str | httpx.URL,
        *,
        timeout: float | None = None,
        stream: bool = False,
        **init: Unpack[FetchInit],
    ) -> Coroutine[Any, Any, Response]:
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
        self._warn_if_same_origin(url)  # not in the coroutine, so that the warning shows the line of the call
        return self._start("fetch", url, lambda: self._fetch(url, init, timeout=timeout, stream=stream))

    @short_traceback
    def submit(
        self, url: str | httpx.URL, *, timeout: float | None = None, **form: Unpack[FormInit]
    ) -> Coroutine[Any, Any, Navigation]:
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
        return self._start("submit", url, lambda: self._submit(url, form, timeout=timeout))

    @short_traceback
    def websocket(self, url: str | httpx.URL) -> Coroutine[Any, Any, Handshake]:
        """Make a WebSocket's handshake as browsers do. A refusal is not an exception.

        Args:
            url: its scheme is ws, wss, http or https; or it is relative to `base_url` (by default the page's origin).

        Raises:
            ScriptError: the URL is wrong.
            NetworkError, FetchTimeout: the server neither accepts nor refuses.
        """
        self._warn_if_same_origin(url)
        return self._start("websocket", url, lambda: self._websocket(url))

    def _start(self, name: str, url: object, function: Callable[[], Awaitable[T]]) -> Coroutine[Any, Any, T]:
        """Return the coroutine of a call, and record the call until it is awaited."""
        call = object()
        self._unawaited[call] = f"page.{name}({url!r:.200}, ...)"

        @short_traceback
        async def run() -> T:
            del self._unawaited[call]
            return await function()

        run.__qualname__ = f"AsyncPage.{name}"  # shown in Python's own warning
        return run()

    async def _fetch(
        self,
        url: str | httpx.URL,
        init: FetchInit,
        *,
        timeout: float | None,  # noqa: ASYNC109 - as in httpx
        stream: bool,
    ) -> Response:
        limit = parse_timeout(timeout, self._timeout)
        fetch = self._new_fetch(url, init, stream=stream)
        try:
            outcome = await self._driver.run(commands(fetch.run(), limit, stream=stream), limit)
        except TimeoutError as error:
            raise timeout_error(limit, fetch.last) from error
        if not stream:
            return Response(outcome, self.engine)
        return StreamedResponse(outcome, self.engine, limit, self._driver.body(outcome.exchange))

    async def _submit(self, url: str | httpx.URL, form: FormInit, *, timeout: float | None) -> Navigation:  # noqa: ASYNC109 - as in httpx
        limit = parse_timeout(timeout, self._timeout)
        submission = self._new_submission(url, form)
        try:
            outcome = await self._driver.run(commands(submission.run(), limit, stream=False), limit)
        except TimeoutError as error:
            raise timeout_error(limit, submission.last) from error
        return Navigation(outcome, submission.exchanges)

    async def _websocket(self, url: str | httpx.URL) -> Handshake:
        exchange = handshake_exchange(url, self._state)
        attach_options(exchange, self._timeout)
        with as_fetch_errors(exchange, self._timeout):
            response = await self._driver.shake_hands(exchange, self._timeout)
        return handshake_result(exchange, response, self._state)

    def _checked_stream(self, stream: Stream) -> Stream:
        return stream if isinstance(stream, AsyncIterable) else _AsyncParts(stream)


class StreamedResponse(Response):
    """A response whose body is read while the application sends it. `content` is set by `aread()`."""

    def __init__(self, outcome: Outcome, engine: Engine, timeout: float, body: AsyncBody) -> None:
        super().__init__(outcome, engine)
        self._timeout = timeout
        self._body = body

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Iterate over the body's parts. Raises NetworkError, and FetchTimeout if one is late."""
        return self

    def __aiter__(self) -> Self:
        """Return the response, which iterates over its body's parts."""
        return self

    @short_traceback
    async def __anext__(self) -> bytes:
        """Return the next part."""
        if self._is_opaque:
            raise StopAsyncIteration
        with as_fetch_errors(self.exchange, self._timeout):
            part = await self._body.next_part(self._timeout)
        if part is None:
            raise StopAsyncIteration
        return part

    @short_traceback
    async def aread(self) -> bytes:
        """Read the rest of the body, once. Raises as `aiter_bytes()` does."""
        if self._content is None:
            self._content = b"".join([part async for part in self])
        return self._content

    async def aclose(self) -> None:
        """Close the response without reading the rest. The application receives `http.disconnect`."""
        await self._body.aclose()


class _AsyncParts(AsyncIterator[bytes]):
    """A plain iterator as an async one, for an async transport."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)

    async def __anext__(self) -> bytes:
        for part in self._parts:
            return part
        raise StopAsyncIteration
