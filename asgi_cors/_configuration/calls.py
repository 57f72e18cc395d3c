"""Calls of users' functions: their context, threads of their own, and a background event loop.

- A function never runs in the context of the request that happened to start it. It runs in an empty context; in an
  adapter's app context if the framework has one.
- Blocking functions run in daemon threads. The default executor of asyncio is not used, because the interpreter joins
  its threads at exit, and a hung look-up would block that.
- One background event loop per process, in a daemon thread, serves callers without an event loop of asyncio, such as
  WSGI, so that a client's open connections can be used again.
- A forked process starts threads and a background event loop of its own.

asyncio is imported when it is first needed, because that is expensive.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

Result = TypeVar("Result")
Owner = TypeVar("Owner")
AppContext = Callable[[], contextlib.AbstractContextManager[object]]
"""Returns a context manager in which users' functions run, such as Flask's `app.app_context`."""

_Call = tuple["Future[Any]", Callable[[], Any]]

IDLE: Final = 10.0  # seconds after which an idle thread ends


class LimitedAwaitable(NamedTuple):
    """An awaitable that ends by itself, so that its caller needs no timeout. It must tolerate being cancelled.

    Args:
        awaitable: The awaitable.
        limit: The seconds after which it has ended at the latest.
    """

    awaitable: Awaitable[Any]
    limit: float

    def __await__(self) -> Generator[Any, Any, Any]:
        """Await the awaitable."""
        return self.awaitable.__await__()


class IsolatedAwaitable(NamedTuple):
    """An awaitable of a user's function, which has to be awaited in an empty context.

    Args:
        awaitable: The awaitable.
        app_context: The app context in which it runs.
    """

    awaitable: Awaitable[Any]
    app_context: AppContext | None = None

    def __await__(self) -> Generator[Any, Any, Any]:
        """Await the awaitable in its app context. The caller makes the empty context."""
        return self._await().__await__()

    async def _await(self) -> Any:
        with contextlib.nullcontext() if self.app_context is None else self.app_context():
            return await self.awaitable


# -- contexts


def call(function: Callable[..., Result], *arguments: Any, app_context: AppContext | None = None) -> Result:
    """Call a function in an empty context, and in the app context if there is one."""
    if app_context is None:
        return Context().run(function, *arguments)
    return Context().run(_call_in_app_context, function, arguments, app_context)


def _call_in_app_context(
    function: Callable[..., Result], arguments: tuple[Any, ...], app_context: AppContext
) -> Result:
    with app_context():
        return function(*arguments)


def start_task(
    function: Callable[..., Awaitable[Any]], *arguments: Any, app_context: AppContext | None = None
) -> asyncio.Task[Any]:
    """Call a function and await its result, in a task of the running event loop with an empty context."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    async def run() -> Any:
        with contextlib.nullcontext() if app_context is None else app_context():
            return await contain(function(*arguments))

    return asyncio.get_running_loop().create_task(run(), context=Context())


async def contain(awaitable: Awaitable[Result]) -> Result:
    """Await, and raise a RuntimeError for the exceptions that would end an event loop outside of the main thread."""
    try:
        return await awaitable
    except (KeyboardInterrupt, SystemExit) as error:
        if threading.current_thread() is threading.main_thread():
            raise  # Ctrl-C, or `sys.exit()`
        raise RuntimeError(f"{error!r} in a look-up") from error


# -- threads


class ThreadPool:
    """Daemon threads that end when they are idle. The caller bounds the number of calls.

    Args:
        name: The beginning of the threads' names.
    """

    def __init__(self, name: str) -> None:
        """Start without a thread."""
        self._name = name
        self._reset()
        call_after_fork(self, ThreadPool._reset)

    def _reset(self) -> None:
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._idle = 0  # waiting threads, less the calls in the queue
        self._lock = threading.Lock()

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Call a function in a thread, in an empty context.

        Args:
            function: The function.
            arguments: Its arguments.

        Returns:
            The future of the function's result or exception. A call that has begun can't be cancelled.

        Raises:
            RuntimeError: If no thread can be started. The function is never called then.
        """
        from concurrent.futures import Future  # noqa: PLC0415 - expensive, and rarely needed

        future: Future[Result] = Future()
        with self._lock:
            needs_thread = self._idle == 0
            self._idle -= not needs_thread
        new = future, functools.partial(call, function, *arguments)
        if needs_thread:  # in a list, which it empties, because a thread holds its arguments until it ends
            threading.Thread(target=self._work, args=(self._calls, [new]), name=self._name, daemon=True).start()
        else:
            self._calls.put(new)
        return future

    def _work(self, calls: queue.SimpleQueue[_Call], first: list[_Call]) -> None:
        """Make calls until none comes for a while. If a call forks the process, end in the child after it."""
        future, function = first.pop()
        while True:
            _complete(future, function)
            del future, function
            with self._lock:
                if calls is not self._calls:
                    return
                self._idle += 1
            new = self._wait_for_call(calls)
            if new is None:
                return
            future, function = new
            del new

    def _wait_for_call(self, calls: queue.SimpleQueue[_Call]) -> _Call | None:
        """Return the next call; None if none comes for a while."""
        while True:
            try:
                return calls.get(timeout=IDLE)
            except queue.Empty:
                with self._lock:
                    if self._idle:  # else a call is on its way to this thread
                        self._idle -= 1
                        return None


def _complete(future: Future[Any], function: Callable[[], Any]) -> None:
    """Call a function. Its result, or its exception, becomes that of the future."""
    from concurrent.futures import CancelledError  # noqa: PLC0415 - expensive, and rarely needed

    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except (StopIteration, CancelledError) as error:  # would end or cancel the coroutine that waits
        future.set_exception(_unexpected(error))
    except Exception as error:  # noqa: BLE001 - the caller raises it
        future.set_exception(error)
    except BaseException as error:  # noqa: BLE001 - it would end the event loop that waits
        future.set_exception(_unexpected(error))
    else:
        future.set_result(result)


def _unexpected(error: BaseException) -> RuntimeError:
    wrapped = RuntimeError(f"{error!r} in a look-up")
    wrapped.__cause__ = error
    return wrapped


async def wait_for(future: Future[Result]) -> Result:
    """Wait for the result of a thread or of the background event loop, in asyncio or trio.

    A cancellation of the caller leaves the call running.
    """
    event, wake = _event()

    def notify(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the caller's event loop is closed
            wake(event.set)

    future.add_done_callback(notify)
    await event.wait()
    return future.result()


def _event() -> tuple[Any, Callable[[Callable[[], object]], object]]:
    """Return an event of the running event loop, and a function that schedules a call in that loop."""
    if is_in_trio():
        import trio  # noqa: PLC0415 - an event loop that is optional

        return trio.Event(), trio.lowlevel.current_trio_token().run_sync_soon
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    return asyncio.Event(), asyncio.get_running_loop().call_soon_threadsafe


# -- event loops

_loops: dict[int, asyncio.AbstractEventLoop] = {}


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the background event loop of this process. It runs in a thread, which a forked process does not have."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    process = os.getpid()
    if process not in _loops:
        loop = asyncio.new_event_loop()
        if _loops.setdefault(process, loop) is loop:
            threading.Thread(target=loop.run_forever, name="asgi_cors-lookup", daemon=True).start()
        else:
            loop.close()
    return _loops[process]


def is_background_loop(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether an event loop is the background event loop of this process."""
    return _loops.get(os.getpid()) is loop


def run_in_background(coroutine: Coroutine[Any, Any, Result], context: Context | None = None) -> Future[Result]:
    """Run a coroutine in the background event loop.

    Args:
        coroutine: The coroutine.
        context: The context in which it runs; None for an empty one.
    """
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    context = Context() if context is None else context
    return context.run(asyncio.run_coroutine_threadsafe, contain(coroutine), background_loop())


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the running event loop of asyncio; None in a thread without one, and under trio."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or is_in_trio():
        return None
    try:
        return asyncio.get_running_loop()  # type: ignore[no-any-return]
    except RuntimeError:
        return None


def is_in_trio() -> bool:
    """Return whether the caller runs under trio."""
    trio: Any = sys.modules.get("trio")
    try:
        return trio is not None and bool(trio.lowlevel.current_trio_token())
    except RuntimeError:
        return False


# -- forks

_forkables: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()


def call_after_fork(owner: Owner, function: Callable[[Owner], None]) -> None:
    """Have a function called with its owner in each forked child. A child has the parent's locks, but not its threads.

    Args:
        owner: A hashable object. It is held weakly.
        function: The function, which must not refer to its owner: write `Class.method`.
    """
    _forkables[owner] = function


def _after_fork() -> None:
    for owner, function in [*_forkables.items()]:
        function(owner)


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_after_fork)
