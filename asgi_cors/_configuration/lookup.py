"""Calls users' callables with a timeout. If one fails, the caller refuses the request.

Two functions drive the same generator. `drive` awaits its awaitables under asyncio or trio. `drive_blocking`, for WSGI,
runs them on one background event loop per process, so that a client's open connections can be used again.
"""

from __future__ import annotations

import inspect
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import asyncio


Result = TypeVar("Result")
AwaitableGenerator = Generator[Awaitable[Any], Any, Result]
Awaiter = Callable[[Awaitable[Any]], Awaitable[Any]]

TIMEOUT: Final = 2.0  # seconds for one awaitable


def call_origin_callables(callables: Iterator[Callable[[str], object]], origin: str) -> bool | AwaitableGenerator[bool]:
    """Call callables one after another until one allows `origin`. Only `True`, or an awaitable of it, allows.

    Returns:
        Whether one of them allows it; a generator of awaitables if a result has to be awaited.

    Raises:
        Exception: Any exception of a callable.
    """
    for entry in callables:
        answer = entry(origin)
        if answer is True:
            return True
        if answer is not False and inspect.isawaitable(answer):
            return _await_answer(answer, callables, origin)
    return False


def _await_answer(
    answer: Awaitable[Any], others: Iterator[Callable[[str], object]], origin: str
) -> AwaitableGenerator[bool]:
    """Yield a result that has to be awaited, then call the other callables."""
    if (yield answer) is True:
        return True
    rest = call_origin_callables(others, origin)
    return rest if isinstance(rest, bool) else (yield from rest)


async def drive(generator: AwaitableGenerator[Result], awaiter: Awaiter | None = None) -> Result:
    """Drive a generator of awaitables in the running event loop, asyncio's or trio's.

    Args:
        generator: The generator.
        awaiter: Awaits with a timeout.
    """
    awaiter = awaiter or _await_with_timeout
    try:
        awaitable = next(generator)
        while True:
            try:
                result = await awaiter(awaitable)
            except Exception as error:  # noqa: BLE001 - the generator decides what a failure means
                awaitable = generator.throw(error)
            else:
                awaitable = generator.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def drive_blocking(generator: AwaitableGenerator[Result]) -> Result:
    """Drive a generator of awaitables from a thread without an event loop."""
    coroutine = drive(generator, _await_in_background)
    try:
        coroutine.send(None)  # never suspends: `_await_in_background` blocks
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError  # pragma: no cover


async def _await_with_timeout(awaitable: Awaitable[Any]) -> Any:
    """Await in the running event loop."""
    trio = sys.modules.get("trio")
    if trio is not None and _is_running(trio):
        with trio.fail_after(TIMEOUT):
            return await awaitable
    return await _await_in_asyncio(awaitable)


async def _await_in_asyncio(awaitable: Awaitable[Any]) -> Any:
    """Await in a separate task, so that a coroutine that ignores its cancellation does not delay the request."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({task}, timeout=TIMEOUT)
        if not task.done():
            raise TimeoutError(f"no result within {TIMEOUT:g} seconds")
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(lambda task: task.cancelled() or task.exception())  # otherwise asyncio logs it
    if task.cancelled():
        raise LookupError("the look-up cancelled itself")
    return task.result()


def _is_running(trio: Any) -> bool:
    try:
        trio.lowlevel.current_trio_token()
    except RuntimeError:
        return False
    return True


async def _await_in_background(awaitable: Awaitable[Any]) -> Any:
    """Await in the background event loop, and block this thread until there is a result."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    future = asyncio.run_coroutine_threadsafe(_await_in_asyncio(_contain(awaitable)), _background_loop())
    return future.result(TIMEOUT + 1)  # in case a callable blocks the loop


async def _contain(awaitable: Awaitable[Any]) -> Any:
    """Await, and turn the exceptions that would end the background event loop into a RuntimeError."""
    try:
        return await awaitable
    except (KeyboardInterrupt, SystemExit) as error:
        raise RuntimeError(f"{error!r} in a look-up") from error


_loops: dict[int, asyncio.AbstractEventLoop] = {}


def _background_loop() -> asyncio.AbstractEventLoop:
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
