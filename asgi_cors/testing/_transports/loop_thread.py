"""An event loop in a thread, for a page without one.

A call of anyio's BlockingPortal waits as long as the application blocks the event loop; a call of LoopThread times out.
The thread is a daemon, and so are the threads that the event loop starts. The interpreter can therefore exit even if a
page is never left, or an application never returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

MARGIN = 1.0
"""Seconds after the deadline in which the event loop can report the timeout itself."""


class _Running(NamedTuple):
    loop: asyncio.AbstractEventLoop
    thread: int
    stop: asyncio.Event


class LoopThread:
    """Runs coroutine functions in one event loop, in the caller's context; the first call starts the loop."""

    def __init__(self) -> None:
        self.is_blocked = False
        self._running: _Running | None = None
        self._ended: Future[None] = Future()
        self._lock = threading.Lock()

    def call(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any, timeout: float) -> T:
        """Return or raise the result of the coroutine function.

        The function itself ends after `timeout` seconds, except if the application blocks the event loop. Then this
        method raises TimeoutError.
        """
        running, ended = self._started()
        if running.thread == threading.get_ident():
            raise RuntimeError("the application called the page that tests it. This call would never end.")
        future = asyncio.run_coroutine_threadsafe(function(*args), running.loop)
        either: list[Future[Any]] = [future, ended]
        try:
            wait(either, min(max(timeout, 0) + MARGIN, threading.TIMEOUT_MAX), FIRST_COMPLETED)
        finally:
            self.is_blocked = not future.done() and not ended.done()
            if self.is_blocked:
                future.cancel()
        if self.is_blocked:
            raise TimeoutError
        if future.cancelled() or not future.done():
            ended.result(MARGIN)  # raises the application's SystemExit
            raise RuntimeError("the page was left while it was in use")
        return future.result()

    def close(self, timeout: float = MARGIN) -> None:
        """End the event loop, and wait up to `timeout` seconds for its end. Do not wait if it is blocked."""
        running, self._running = self._running, None
        if running is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                running.loop.call_soon_threadsafe(running.stop.set)
            if timeout and not self.is_blocked:
                wait((self._ended,), timeout)

    def _started(self) -> tuple[_Running, Future[None]]:
        with self._lock:
            if self._running is None or self._ended.done():
                started: Future[_Running] = Future()
                self._ended = Future()
                arguments = (started, self._ended)
                threading.Thread(target=_serve, args=arguments, name="asgi_cors.testing", daemon=True).start()
                self._running = started.result()
            return self._running, self._ended


def _serve(started: Future[_Running], ended: Future[None]) -> None:
    async def run() -> None:
        stop = asyncio.Event()
        started.set_result(_Running(asyncio.get_running_loop(), threading.get_ident(), stop))
        await stop.wait()

    try:
        asyncio.run(run())
    except BaseException as error:  # noqa: BLE001 - `call()` raises it
        (ended if started.done() else started).set_exception(error)
    else:
        ended.set_result(None)
