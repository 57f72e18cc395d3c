"""Origins and policies that only a call can tell: asked with a limit of time, and never trusted when it fails.

Two drivers run the same generator: one awaits what it yields, under asyncio or trio; the other, for WSGI, runs it
on one background event loop per process, so that a client's kept connections work. No event loop is imported until
something has to be awaited.
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
Waits = Callable[[Awaitable[Any]], Awaitable[Any]]

TIMEOUT: Final = 2.0  # seconds for one awaited answer


def call_origin_callables(callables: Iterator[Callable[[str], object]], origin: str) -> bool | AwaitableGenerator[bool]:
    """Call a policy's callables one after another. Only `True`, or an awaitable of it, allows.

    Returns:
        Whether one of them allows `origin`; a generator of awaitables if an answer has to be awaited.

    Raises:
        Exception: Any exception of a callable. The caller refuses the request.
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
    """Yield the answer of one callable, to be awaited, then call the others."""
    if (yield answer) is True:
        return True
    rest = call_origin_callables(others, origin)
    return rest if isinstance(rest, bool) else (yield from rest)


async def run(asking: AwaitableGenerator[Result], wait: Waits | None = None) -> Result:
    """Run a generator of awaitables in the running event loop, asyncio's or trio's.

    Args:
        asking: The generator.
        wait: What awaits, with a limit of time.
    """
    wait = wait or _wait
    try:
        awaitable = next(asking)
        while True:
            try:
                result = await wait(awaitable)
            except Exception as error:  # noqa: BLE001 - the generator decides what a failure means
                awaitable = asking.throw(error)
            else:
                awaitable = asking.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def run_blocking(asking: AwaitableGenerator[Result]) -> Result:
    """Run a generator of awaitables from a thread without an event loop."""
    running = run(asking, _wait_elsewhere)
    try:
        running.send(None)  # never suspends: it waits in this thread
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError  # pragma: no cover


async def _wait(awaitable: Awaitable[Any]) -> Any:
    """Await with a limit of time, in the event loop that runs."""
    trio = sys.modules.get("trio")
    if trio is not None and _runs(trio):
        with trio.fail_after(TIMEOUT):
            return await awaitable
    return await _wait_in_asyncio(awaitable)


async def _wait_in_asyncio(awaitable: Awaitable[Any]) -> Any:
    """Await in a task of its own, which can be left behind: one that swallows its cancellation holds nobody up."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({task}, timeout=TIMEOUT)
        if not task.done():
            raise TimeoutError(f"no answer within {TIMEOUT:g} seconds")
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(lambda left: left.cancelled() or left.exception())  # which nobody else looks at
    if task.cancelled():
        raise LookupError("the look-up was cancelled from within")
    return task.result()


def _runs(trio: Any) -> bool:
    try:
        trio.lowlevel.current_trio_token()
    except RuntimeError:
        return False
    return True


async def _wait_elsewhere(awaitable: Awaitable[Any]) -> Any:
    """Have this process's background event loop await, and block until it has."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    waiting = asyncio.run_coroutine_threadsafe(_wait_in_asyncio(_contained(awaitable)), _loop())
    return waiting.result(TIMEOUT + 1)  # where something blocks the loop itself


async def _contained(awaitable: Awaitable[Any]) -> Any:
    """Await, and let nothing end the event loop that all requests share."""
    try:
        return await awaitable
    except (KeyboardInterrupt, SystemExit) as error:
        raise RuntimeError(f"{error!r} in a look-up") from error


_loops: dict[int, asyncio.AbstractEventLoop] = {}


def _loop() -> asyncio.AbstractEventLoop:
    """Give this process's event loop, in a thread of its own; a forked child starts one anew."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    process = os.getpid()
    if process not in _loops:
        loop = asyncio.new_event_loop()
        if _loops.setdefault(process, loop) is loop:
            threading.Thread(target=loop.run_forever, name="asgi_cors-lookup", daemon=True).start()
        else:
            loop.close()
    return _loops[process]
