"""Functions that look origins up."""

import asyncio
from collections.abc import Callable
from typing import Any

from asgi_cors import Answer, Cached
from tests.support.expected import APP
from tests.support.logs import Clock


class Customers:
    """A look-up that records its calls.

    Args:
        allowed: The origins that are customers'.
    """

    def __init__(self, *allowed: str) -> None:
        self.allowed = {*allowed}
        self.calls: list[str] = []
        self.error: BaseException | None = None

    def __call__(self, origin: str) -> bool:
        """Look an origin up."""
        self.calls.append(origin)
        if self.error is not None:
            raise self.error
        return origin in self.allowed

    async def look_up(self, origin: str) -> bool:
        """Look an origin up, asynchronously."""
        await asyncio.sleep(0)
        return self(origin)


class Gate:
    """An async look-up that waits until a test opens it.

    Args:
        result: Returned by each call; an exception is raised.
    """

    def __init__(self, result: Any = True) -> None:
        self.result = result
        self.calls: list[str] = []
        self.cancelled: list[str] = []
        self._entered: asyncio.Queue[str] = asyncio.Queue()
        self._open = asyncio.Event()

    async def __call__(self, origin: str) -> Any:
        """Wait, then return the result that was set when the call began."""
        result = self.result
        self.calls.append(origin)
        self._entered.put_nowait(origin)
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(origin)
            raise
        if isinstance(result, BaseException):
            raise result
        return result

    async def entered(self) -> str:
        """Wait for a call, and return its origin."""
        return await self._entered.get()

    def open(self) -> None:
        """End all calls."""
        self._open.set()


async def settle(condition: Callable[[], bool]) -> None:
    """Run the event loop until a condition holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    message = "the condition never came true"
    raise AssertionError(message)


class Methods:
    """Look-ups as methods."""

    def sync(self, origin: str) -> bool:
        """Look an origin up."""
        return origin == APP

    async def asynchronous(self, origin: str) -> bool:
        """Look an origin up, asynchronously."""
        return origin == APP


class AsyncCallable:
    """A callable object with an async `__call__`."""

    async def __call__(self, origin: str) -> bool:
        """Look an origin up."""
        return origin == APP


async def answer_of(cached: Cached, origin: str = APP) -> Answer:
    """Look an origin up as a middleware does."""
    answer = cached.look_up(origin)
    return answer if isinstance(answer, Answer) else await answer


def answered(cached: Cached, origin: str = APP) -> Answer:
    """Look an origin up in an event loop of its own."""
    return asyncio.run(answer_of(cached, origin))


def build(look_up: Any, **options: Any) -> tuple[Cached, Clock]:
    """Build an entry with a clock that the test moves."""
    clock = Clock()
    return Cached(look_up, **{"clock": clock, **options}), clock


def is_current(answer: Answer) -> bool:
    """Return whether a middleware may serve a response that it stored with this answer."""
    return answer.leases is not None and all(lease.is_current for lease in answer.leases)
