"""A thread for functions that may block. A caller can abandon it after a timeout."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple["Future[Any]", contextvars.Context, Callable[[], Any]]


class Worker:
    """Runs functions one after the other in one daemon thread, in the caller's context.

    A function that exceeds its timeout is abandoned with its thread. The next function gets a new thread.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] | None = None

    def call(self, function: Callable[[], T], timeout: float) -> T:
        """Return or raise the result of the function. Raises TimeoutError after `timeout` seconds."""
        future: Future[T] = Future()
        jobs = self._queue()
        jobs.put((future, contextvars.copy_context(), function))
        try:
            return future.result(min(max(timeout, 0), threading.TIMEOUT_MAX))
        except TimeoutError:
            if not future.done():
                self.close()
            raise

    def close(self) -> None:
        """End the thread when it is idle."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None

    def _queue(self) -> SimpleQueue[_Job | None]:
        if self._jobs is None:
            self._jobs = SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name="asgi_cors.testing", daemon=True).start()
        return self._jobs


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        future, context, function = job
        try:
            future.set_result(context.run(function))
        except BaseException as error:  # noqa: BLE001 - `call()` raises it
            future.set_exception(error)
        del job, future, context, function
