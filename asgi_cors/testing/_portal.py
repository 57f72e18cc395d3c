"""An event loop in a thread, for a page without one.

The thread is a daemon, and so are the threads that the application's event loop starts: neither a page that is never
closed nor an application that blocks its event loop keeps the interpreter from exiting.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

T = TypeVar("T")

MARGIN = 1.0
"""Seconds that the event loop has, past a deadline of its own, to report it."""


class Portal:
    """Runs coroutine functions in one event loop, in the caller's context; the first call starts the loop."""

    def __init__(self) -> None:
        self.is_blocked = False
        self._portal: BlockingPortal | None = None
        self._ended: Future[None] = Future()
        self._lock = threading.Lock()

    def call(self, function: Callable[..., Awaitable[T]], *args: Any, timeout: float) -> T:
        """Return what the coroutine function returns, or raise what it raises.

        The function has a deadline of its own; `timeout` (seconds) is the same one. If the application blocks the event
        loop, the function cannot notice: then TimeoutError is raised here.
        """
        portal, ended = self._started()
        future = portal.start_task_soon(function, *args)
        either: list[Future[Any]] = [future, ended]
        wait(either, min(max(timeout, 0) + MARGIN, threading.TIMEOUT_MAX), FIRST_COMPLETED)
        self.is_blocked = not future.done() and not ended.done()
        if self.is_blocked:
            raise TimeoutError
        if future.cancelled() or not future.done():
            ended.result(MARGIN)  # raises the application's SystemExit
            raise RuntimeError("the page was closed by another thread")
        return future.result()

    def close(self, timeout: float = MARGIN) -> None:
        """End the event loop, and wait for it (seconds); one that is blocked is left with its thread."""
        portal, self._portal = self._portal, None
        if portal is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                portal.start_task_soon(portal.stop, True)
            if timeout and not self.is_blocked:
                wait((self._ended,), timeout)

    def _started(self) -> tuple[BlockingPortal, Future[None]]:
        with self._lock:
            if self._portal is None or self._ended.done():
                started: Future[BlockingPortal] = Future()
                self._ended = Future()
                arguments = (started, self._ended)
                threading.Thread(target=_serve, args=arguments, name="asgi_cors.testing", daemon=True).start()
                self._portal = started.result()
            return self._portal, self._ended


def _serve(started: Future[BlockingPortal], ended: Future[None]) -> None:
    async def run() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    try:
        anyio.run(run)
    except BaseException as error:  # noqa: BLE001 - it is the caller's
        (ended if started.done() else started).set_exception(error)
    else:
        ended.set_result(None)
