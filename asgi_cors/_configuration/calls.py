"""Where users' functions run: their context, threads of their own, and a background event loop.

- A function never runs in the context of the request that happened to start it. It runs in an empty context; in an
  adapter's app context if the framework has one.
- Blocking functions run in daemon threads. The default executor of asyncio is not used, because the interpreter joins
  its threads at exit, and a hung look-up would block that.
- One background event loop per process, in a daemon thread, serves callers without an event loop of asyncio, such as
  WSGI, so that a client's open connections can be used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context
from typing import Any, Final, NamedTuple, Protocol, TypeVar

Result = TypeVar("Result")
AppContext = Callable[[], contextlib.AbstractContextManager[object]]
"""Returns a context manager in which users' functions run, such as Flask's `app.app_context`."""

IDLE: Final = 10.0  # seconds after which an idle thread ends


class LimitedAwaitable(NamedTuple):
    """An awaitable that ends by itself, so that its caller needs no timeout.

    Args:
        awaitable: The awaitable.
        limit: The seconds after which it has ended.
    """

    awaitable: Awaitable[Any]
    limit: float


def call(function: Callable[..., Result], *arguments: Any, app_context: AppContext | None = None) -> Result:
    """Call a function in an empty context, and in the app context if there is one."""
    return Context().run(_call_in_app_context, function, arguments, app_context)


def _call_in_app_context(
    function: Callable[..., Result], arguments: tuple[Any, ...], app_context: AppContext | None
) -> Result:
    if app_context is None:
        return function(*arguments)
    with app_context():
        return function(*arguments)


def start_task(
    function: Callable[..., Any], *arguments: Any, app_context: AppContext | None = None
) -> asyncio.Task[Any]:
    """Call a function and await its result, in a task of the running event loop with an empty context."""
    loop = asyncio.get_running_loop()
    return loop.create_task(_await_in_app_context(function, arguments, app_context), context=Context())


async def _await_in_app_context(
    function: Callable[..., Any], arguments: tuple[Any, ...], app_context: AppContext | None
) -> Any:
    with contextlib.nullcontext() if app_context is None else app_context():
        return await function(*arguments)


class ThreadPool:
    """Daemon threads that end when they are idle. The caller bounds the number of calls.

    Args:
        name: The beginning of the threads' names.
    """

    def __init__(self, name: str) -> None:
        """Start without a thread."""
        self._name = name
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._idle = 0
        self._lock = threading.Lock()
        call_after_fork(self, ThreadPool._after_fork)

    def _after_fork(self) -> None:
        self._calls, self._idle, self._lock = queue.SimpleQueue(), 0, threading.Lock()

    def submit(self, function: Callable[[], Result]) -> Future[Result]:
        """Call a function in a thread. Its result, or its exception, becomes that of the future."""
        future: Future[Result] = Future()
        with self._lock:
            needs_thread = self._idle == 0
            self._idle -= not needs_thread
        self._calls.put((future, function))
        if needs_thread:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def _work(self) -> None:
        calls = self._calls
        while True:
            try:
                future, function = calls.get(timeout=IDLE)
            except queue.Empty:
                with self._lock:
                    if self._idle:  # else a call is on its way to this thread
                        self._idle -= 1
                        return
                continue
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                future.set_exception(error)
            else:
                future.set_result(result)
            del future, function
            with self._lock:
                self._idle += 1


# -- the background event loop

_loops: dict[int, asyncio.AbstractEventLoop] = {}


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the background event loop of this process. It runs in a thread, which a forked process does not have."""
    process = os.getpid()
    if process not in _loops:
        loop = asyncio.new_event_loop()
        if _loops.setdefault(process, loop) is loop:
            threading.Thread(target=loop.run_forever, name="asgi_cors-lookup", daemon=True).start()
        else:
            loop.close()
    return _loops[process]


def run_in_background(coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
    """Run a coroutine in the background event loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, background_loop())


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the running event loop of asyncio; None in a thread without one, and under trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


# -- forks


class _Forkable(Protocol):
    __weakref__: Any


_forkables: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()


def call_after_fork(owner: Result, function: Callable[[Result], None]) -> None:
    """Call a function with its owner in each forked child: its locks and threads are those of the parent."""
    _forkables[owner] = function


def _after_fork() -> None:
    for owner, function in [*_forkables.items()]:
        function(owner)


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_after_fork)
