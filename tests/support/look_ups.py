"""Functions that look origins up."""

import asyncio
from collections.abc import Callable
from typing import Any


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
