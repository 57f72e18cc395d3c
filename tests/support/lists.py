"""Functions that return lists of origins, and ways to look an origin up in them."""

import asyncio
import threading
from typing import Any

from asgi_cors import Answer, Loaded, Policy
from tests.support.look_ups import Clock, settle


class Rows:
    """A sync function that returns a list which the test changes.

    Args:
        entries: The list.
    """

    def __init__(self, *entries: Any) -> None:
        self.entries: Any = [*entries]
        self.error: BaseException | None = None
        self.calls = 0
        self.is_open = threading.Event()
        self.is_open.set()

    def __call__(self) -> Any:
        """Return the list that was set when the call began, once the test allows it."""
        result, error = self.entries, self.error
        self.calls += 1
        self.is_open.wait(5)
        if error is not None:
            raise error
        return result

    async def asynchronous(self) -> Any:
        """Return the list, asynchronously."""
        result, error = self.entries, self.error
        self.calls += 1
        await settle(self.is_open.is_set)
        if error is not None:
            raise error
        return result


def build(load: Any, **options: Any) -> tuple[Loaded, Clock]:
    """Build an entry with a clock that the test moves."""
    clock = Clock()
    return Loaded(load, **{"clock": clock, **options}), clock


async def answer_of(loaded: Loaded, origin: str, policy: Policy | None = None) -> Answer:
    """Look an origin up as a middleware does."""
    answer = loaded.look_up(origin, policy)
    return answer if isinstance(answer, Answer) else await answer


def answered(loaded: Loaded, origin: str, policy: Policy | None = None) -> Answer:
    """Look an origin up in an event loop of its own."""
    return asyncio.run(answer_of(loaded, origin, policy))


async def allows(loaded: Loaded, origin: str) -> bool:
    """Return whether an origin is allowed."""
    return (await answer_of(loaded, origin)).allowed


async def ended(loaded: Loaded) -> None:
    """Wait for the load in flight."""
    await settle(lambda: loaded._flight is None)
