"""Calls the function of a `Loaded`, with a timeout, and collects its list.

A sync function and all iteration run in a thread. An async function runs in an event loop of asyncio. If a call does
not end in time, its result is dropped: a coroutine is cancelled, and a thread runs on.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

from asgi_cors._configuration.calls import AppContext, ThreadPool, background_loop, call, contain
from asgi_cors._configuration.source_options import is_async

from .loading import Entries, collect

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

Result = TypeVar("Result")

_MAX_LATE: Final = 4  # calls that did not end in time, and still run


class Place(NamedTuple):
    """The event loop in which an async function is called.

    Args:
        loop: The event loop of the caller; None if it has none of asyncio.
        is_trio: Whether the caller runs under trio, where no async function can be called.
    """

    loop: asyncio.AbstractEventLoop | None
    is_trio: bool = False


class Fetcher:
    """Calls a function that returns a list.

    Args:
        load: The function, sync or async.
        timeout: Seconds until the call counts as failed.
        max_entries: The largest number of entries.
        app_context: Returns the context in which the function runs.
    """

    def __init__(
        self,
        load: Callable[[], Any],
        *,
        timeout: float,
        max_entries: int,
        app_context: Callable[[], AppContext | None],
    ) -> None:
        """Call nothing yet."""
        self._load = load
        self._timeout = timeout
        self._max_entries = max_entries
        self._app_context = app_context
        self._threads = ThreadPool("asgi_cors-load")
        self.reset()

    def reset(self) -> None:
        """Forget all calls: in a forked child, none of them runs."""
        self._late: list[Future[Any]] = []
        self._in_loop: tuple[asyncio.AbstractEventLoop, Future[Any]] | None = None

    def fetch(self, place: Place) -> Entries:
        """Call the function, and collect its list. This blocks the thread.

        Args:
            place: The event loop for an async function.

        Raises:
            TimeoutError: If there is no list in time.
            CancelledError: If the event loop ends first (of `concurrent.futures`).
            Exception: Any exception of the function, and those of `collect`.
        """
        self._late = [future for future in self._late if not future.done()]
        if len(self._late) >= _MAX_LATE:
            raise TimeoutError(f"{_MAX_LATE} earlier calls have not ended yet")
        found: object = None if is_async(self._load) else self._run(self._call)
        if isinstance(found, Entries):
            return found
        # `collect` gets the only reference, so the list is freed while its strings are still in use. They are freed
        # later in small parts: to free a million objects at once would block all threads.
        boxed = self._fetch_in_loop(place, cast("Awaitable[Any] | None", found))
        return self._run(lambda: collect(boxed.pop(), self._max_entries))

    def _call(self) -> object:
        """Call a sync function, and collect its list in the same contexts. A lazy list reads its source only then."""
        return call(self._collect, app_context=self._app_context())

    def _collect(self) -> object:
        value = self._load()
        return value if inspect.isawaitable(value) else collect(value, self._max_entries)

    def _run(self, function: Callable[[], Result]) -> Result:
        """Run a function in a thread, and wait for its result."""
        future = self._threads.submit(function)
        try:
            return self._wait(future)
        finally:
            if not future.done():
                self._late.append(future)

    def _wait(self, future: Future[Result]) -> Result:
        from concurrent.futures import wait  # noqa: PLC0415 - expensive, and rarely needed

        wait([future], self._timeout)
        if not future.done():
            raise TimeoutError(f"no list within {self._timeout:g} s")
        return future.result()

    # -- async functions

    def _fetch_in_loop(self, place: Place, awaitable: Awaitable[Any] | None) -> list[Any]:
        """Await a result, or call an async function, in an event loop. Return a list with the result."""
        import asyncio  # noqa: PLC0415 - expensive, and rarely needed
        from concurrent.futures import CancelledError, Future  # noqa: PLC0415 - expensive, and rarely needed

        if place.is_trio:
            _discard(awaitable)
            raise RuntimeError("an async function needs asyncio. Under trio, write a sync one.")
        coroutine, loop = self._await(awaitable), place.loop or background_loop()
        self._in_loop = loop, Future()  # until the call has begun, and the event loop may be closed
        try:
            future = Context().run(asyncio.run_coroutine_threadsafe, coroutine, loop)
        except RuntimeError:  # the event loop is closed
            self._in_loop = None
            coroutine.close()
            _discard(awaitable)
            raise CancelledError from None
        self._in_loop = loop, future
        try:
            return self._wait(future)
        except TimeoutError:
            if loop.is_closed():
                with contextlib.suppress(RuntimeError):  # the user's coroutine does not end
                    coroutine.close()
                _discard(awaitable)
            else:
                future.cancel()
            raise
        finally:
            self._in_loop = None

    async def _await(self, awaitable: Awaitable[Any] | None) -> list[Any]:
        import asyncio  # noqa: PLC0415 - expensive, and rarely needed

        # If the event loop is closed while the task is pending, asyncio must not log that: the call is dropped.
        setattr(asyncio.current_task(), "_log_destroy_pending", False)  # noqa: B010 - as asyncio's `gather` does
        app_context = self._app_context()
        try:
            with contextlib.nullcontext() if app_context is None else app_context():
                return [await contain(self._load() if awaitable is None else awaitable)]
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the event loop ends
            raise LookupError("it cancelled itself") from None

    @property
    def is_lost(self) -> bool:
        """Whether an event loop was closed while it ran a call."""
        running = self._in_loop
        return running is not None and running[0].is_closed() and not running[1].done()

    def cancel(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Cancel a call that runs in an event loop."""
        running = self._in_loop
        if running is not None and running[0] is loop:
            running[1].cancel()


def _discard(awaitable: object) -> None:
    """Close a coroutine that is never awaited."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()
