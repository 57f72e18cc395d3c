"""Tasks that outlive the call that starts them, on asyncio and trio.

One task may enter a page, such as a fixture's, and others may use and leave it. No task group allows that. The
application therefore runs in a task of the event loop itself, in a cancel scope of its own.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

import anyio

GRACE = 0.1
"""Seconds to wait for an application's return, or for the body of a blocked response."""


class Signal:
    """An event that can be sent and awaited many times."""

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def send(self) -> None:
        """Wake all waiting tasks."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition is true. It is checked after every `send()`."""
        while not condition():
            if self._event is None:
                self._event = anyio.Event()
            await self._event.wait()


class Task:
    """A running function, which must not raise an Exception."""

    def __init__(self, function: Callable[[], Awaitable[None]]) -> None:
        self.has_ended = False
        self._function = function
        self._scope = anyio.CancelScope()
        self._end = Signal()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            import trio  # noqa: PLC0415 - trio runs if asyncio does not

            trio.lowlevel.spawn_system_task(self._run)
        else:
            self._task = loop.create_task(self._run())  # stored, because the loop has only a weak reference
            # Reads the exception, so that asyncio does not log a SystemExit that already ends the event loop.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def wait(self, seconds: float = math.inf) -> None:
        """Wait until the function has returned, for `seconds` at most."""
        if not self.has_ended:
            with anyio.move_on_after(seconds):
                await self._end.until(lambda: self.has_ended)

    async def stop(self) -> None:
        """Cancel the function and wait for it."""
        if not self.has_ended:
            self._scope.cancel()
            with anyio.CancelScope(shield=True):
                await self.wait()

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._function()
        finally:
            self.has_ended = True
            self._end.send()
