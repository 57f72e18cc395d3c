"""`FeedReader` reads the notifications of a `feed=`, and starts the feed again when it ends.

- A source has one reader per process. The reader runs in the event loop of the first request. If that loop is closed,
  the reader starts again in the loop of the next request.
- A feed that ends or fails is started again after 1, 2, 4 … 60 seconds, and after 1 second if it ran for a minute. The
  notifications in between are lost, so everything counts as changed then.
- A reader ends when its source is freed, such as that of a policy that was replaced.
- In a forked process the feed is started again, with connections of its own.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
import time
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, cast

from .calls import background_loop, call_after_fork, contain, running_loop
from .log import Log
from .refusal_records import logger

if TYPE_CHECKING:
    import asyncio

Feed = Callable[[], AsyncIterator[str | bytes | None]]

_FIRST_DELAY: Final = 1.0  # seconds until a feed is started again
_MAX_DELAY: Final = 60.0

_running: Final[set[asyncio.Task[None]]] = set()  # event loops refer weakly to their tasks


class FeedReader:
    """Runs a feed in an event loop, and passes its items on.

    Args:
        feed: Returns an async iterator of notifications.
        on_item: A method, called in the event loop with the text of each notification. None means that everything may
            have changed. It must not block. Its object is held weakly: the reader ends when the object is freed.
        name: The name of the entry that has the feed, for messages.
    """

    def __init__(self, feed: Feed, on_item: Callable[[str | None], None], name: str) -> None:
        """Start nothing; see `ensure_running`."""
        self._feed = feed
        self._on_item = weakref.WeakMethod(on_item, self._end)
        self._name = name
        self._log = Log()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # in which the reader runs
        self._task: asyncio.Task[None] | None = None
        self._inherited: asyncio.Task[None] | None = None
        self._was_started = False
        self._has_warned = False
        call_after_fork(self, FeedReader._after_fork)

    def _after_fork(self) -> None:
        """Start again with the next call. The parent's task is not freed, because that would close its connections."""
        self._lock, self._inherited = threading.Lock(), self._task
        self._loop = self._task = None

    def ensure_running(self) -> None:
        """Start the reader unless it runs: in the running event loop of asyncio, or else in the background one."""
        if self._loop is None or self._loop.is_closed():
            self._start()

    def stop(self) -> None:
        """End the reader if it runs in the running event loop."""
        if self._task is not None and self._loop is running_loop():
            self._task.cancel()
            self._loop = None

    def _end(self, _: object) -> None:
        """End the reader, from any thread, because nothing uses its items any more."""
        task, loop = self._task, self._loop
        if task is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(task.cancel)

    def _pass_on(self, item: str | None) -> None:
        on_item = self._on_item()
        if on_item is not None:
            on_item(item)

    def _start(self) -> None:
        running = running_loop()
        with self._lock:
            if self._loop is not None and not self._loop.is_closed():
                return  # another thread has started it
            loop = self._loop = running or background_loop()
        if running is None:
            loop.call_soon_threadsafe(self._create_task, loop)
        else:
            self._create_task(loop)

    def _create_task(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._on_item() is None:
            return
        is_restart, self._was_started = self._was_started, True
        self._task = loop.create_task(self._read_again_and_again(is_restart=is_restart), context=Context())
        # If the loop is closed while the task is pending, asyncio must not log that: the reader starts again.
        self._task.add_done_callback(self._forget)
        self._task.add_done_callback(_running.discard)
        for task in [*_running]:
            if task.get_loop().is_closed():
                _running.discard(task)
        _running.add(self._task)
        setattr(self._task, "_log_destroy_pending", False)  # noqa: B010 - as asyncio's `gather` does

    def _forget(self, task: asyncio.Task[None]) -> None:
        """Let the next call start the reader again."""
        if self._task is task:
            self._loop = None

    async def _read_again_and_again(self, *, is_restart: bool) -> None:
        """Read the feed until the task is cancelled."""
        import asyncio  # noqa: PLC0415 - expensive, and rarely needed

        delay = _FIRST_DELAY
        while True:
            if is_restart:
                self._pass_on(None)
            began = time.monotonic()
            try:
                await contain(self._read())
            except Exception as error:  # noqa: BLE001 - a user's feed may raise anything
                self._log.failure(f"the feed of {self._name} is started again, because it ended", error)
            # An item does not prove that the feed works: many feeds yield None as soon as they have connected.
            delay = _FIRST_DELAY if time.monotonic() - began >= _MAX_DELAY else delay
            await asyncio.sleep(delay)
            delay, is_restart = min(2 * delay, _MAX_DELAY), True

    async def _read(self) -> None:
        """Pass the notifications on until the feed fails.

        Raises:
            EOFError: If the feed ends.
            TypeError: If it is not an async iterator.
        """
        import asyncio  # noqa: PLC0415 - expensive, and rarely needed

        feed: Any = self._feed()
        if not isinstance(feed, AsyncIterable):
            if inspect.iscoroutine(feed):
                feed.close()
            kind = type(cast("object", feed)).__qualname__
            raise TypeError(f"it must return an async iterator, not {kind!r}. Write `async def` with `yield`.")
        items = aiter(cast("AsyncIterable[object]", feed))
        try:
            async for item in items:
                self._pass_on(self._text_of(item))
                await asyncio.sleep(0)  # a feed that never waits must not block the event loop
        except GeneratorExit:  # the event loop was closed, so nothing can be awaited
            raise
        except BaseException:
            await _close(items)
            raise
        raise EOFError("it has no more items, but a feed must wait for the next one")

    def _text_of(self, item: object) -> str | None:
        """Return the text of a notification; None for everything. Warn once of another type."""
        with contextlib.suppress(UnicodeDecodeError):
            item = item.decode() if isinstance(item, bytes) else item
        if item is None or isinstance(item, str):
            return item
        if not self._has_warned:
            self._has_warned = True
            message = (
                "the feed of %s yields a value of the type %r, which counts as None. Yield a string, bytes or None."
            )
            logger.warning(message, self._name, type(item).__qualname__)
        return None


async def _close(items: object) -> None:
    """Close an async generator, so that it closes its connections."""
    close: Any = getattr(items, "aclose", None)
    if close is not None:
        with contextlib.suppress(Exception):
            await close()
