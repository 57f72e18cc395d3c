"""Ways to run a coroutine: without an event loop, in asyncio, in trio; in real or virtual time."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import trio
import trio.testing

Start = Callable[[], Coroutine[Any, Any, Any]]


def run_bare(start: Start) -> Any:
    """Run a coroutine that never waits, without an event loop."""
    coroutine = start()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    message = "the request path waited for an event loop"
    raise AssertionError(message)


def run_asyncio(start: Start) -> Any:
    """Run in asyncio."""
    return asyncio.run(start())


def run_trio(start: Start) -> Any:
    """Run in trio."""
    return trio.run(start)


RUNNERS = {"no-loop": run_bare, "asyncio": run_asyncio, "trio": run_trio}


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that never sleeps: it sets the clock to the end of the sleep."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_asyncio_jumping(start: Start) -> Any:
    """Run in asyncio, with a clock that jumps over every wait."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(start())


def run_trio_jumping(start: Start) -> Any:
    """Run in trio, with a clock that jumps over every wait."""
    return trio.run(start, clock=trio.testing.MockClock(autojump_threshold=0))


JUMPING = {"asyncio": run_asyncio_jumping, "trio": run_trio_jumping}
