"""The background event loop of the registries, and how a caller waits for it.

All stores are read and written in one event loop per process, in a daemon thread. So a store's connections belong to
one event loop, a request never waits on a connection, and asyncio, trio, WSGI and scripts all use the same code.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the background event loop of this process. A forked process gets its own."""
    global _loop  # noqa: PLW0603 - one per process
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="asgi_cors-registry", daemon=True).start()
        return _loop


def submit(coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
    """Run a coroutine in the background event loop, in an empty context."""
    return Context().run(asyncio.run_coroutine_threadsafe, coroutine, background_loop())


def run_blocking(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in the background event loop, and block this thread until it has ended."""
    if threading.current_thread().name == "asgi_cors-registry":
        coroutine.close()
        raise RuntimeError(
            "registry.sync blocks the event loop that it waits for. Write `await registry.add(…)`, without sync."
        )
    if sys.is_finalizing():  # the thread of the event loop has ended
        coroutine.close()
        raise RuntimeError("registry.sync can't be used while Python ends. Call it in a function of atexit.")
    return submit(coroutine).result()


async def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in the background event loop, and wait for it under asyncio or trio.

    A cancelled caller does not cancel the coroutine: a write is never interrupted.
    """
    future = submit(coroutine)
    await wait_for(future)
    return future.result()


async def wait_for(future: Future[Any], timeout: float | None = None) -> bool:  # noqa: ASYNC109 - of asyncio and trio
    """Wait for the end of a future of another thread, under asyncio or trio, and return whether it has ended.

    Args:
        future: The future. It is never cancelled.
        timeout: The seconds to wait; None for no limit.
    """
    if _is_asyncio():
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        future.add_done_callback(lambda _: _call_in(loop.call_soon_threadsafe, ended.set_result, None))
        await asyncio.wait({ended}, timeout=timeout)
    else:
        await _wait_in_trio(future, timeout)
    return future.done()


async def _wait_in_trio(future: Future[Any], timeout: float | None) -> None:  # noqa: ASYNC109
    trio: Any = sys.modules["trio"]
    event, token = trio.Event(), trio.lowlevel.current_trio_token()
    future.add_done_callback(lambda _: _call_in(token.run_sync_soon, event.set))
    with trio.CancelScope() if timeout is None else trio.move_on_after(timeout):
        await event.wait()


def _is_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _call_in(schedule: Callable[..., object], *arguments: Any) -> None:
    """Call a function in the caller's event loop, unless the loop is closed."""
    try:
        schedule(*arguments)
    except RuntimeError:  # trio.RunFinishedError, and asyncio's "Event loop is closed"
        return


# -- forks


class Forkable(Protocol):
    """An object with threads, locks or connections of this process."""

    def before_fork(self) -> None:
        """Close the connections, and hold the locks."""

    def after_fork_in_parent(self) -> None:
        """Release the locks."""

    def after_fork_in_child(self) -> None:
        """Replace the locks. The threads of the parent do not run in the child."""


_forkables: weakref.WeakSet[Forkable] = weakref.WeakSet()


def call_at_fork(owner: Forkable) -> None:
    """Call the methods of `Forkable` at each fork of this process, as long as the object exists."""
    with _fork_lock:
        _forkables.add(owner)


def _before_fork() -> None:
    _fork_lock.acquire()
    for owner in [*_forkables]:
        owner.before_fork()
        _forking.append(owner)


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop().after_fork_in_parent()
    _fork_lock.release()


def _after_fork_in_child() -> None:
    global _loop, _lock, _fork_lock
    _loop, _lock, _fork_lock = None, threading.Lock(), threading.Lock()
    while _forking:
        _forking.pop().after_fork_in_child()


_fork_lock = threading.Lock()  # held during a fork: another thread that forks waits
_forking: list[Forkable] = []  # the objects whose locks are held during a fork

if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
