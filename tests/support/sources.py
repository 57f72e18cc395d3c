"""Sources of origins whose answers a test sets."""

from collections.abc import Callable, Iterable
from typing import Any

from asgi_cors import Answer, Lease, LimitedAwaitable, OriginSource, Policy
from asgi_cors._origins.origin_set import OriginSet
from tests.support.logs import Clock


class Known(OriginSource):
    """A source that allows some origins for a time.

    Args:
        allowed: The origins that it allows.
        ttl: The seconds for which an answer holds.
        clock: The clock.
        is_async: Whether each answer has to be awaited.
    """

    def __init__(
        self, *allowed: str, ttl: float = 60, clock: Callable[[], float] | None = None, is_async: bool = False
    ) -> None:
        """Start without a call."""
        self.allowed = {*allowed}
        self.ttl, self.clock, self.is_async = ttl, clock or Clock(), is_async
        self.error: Exception | None = None
        self.calls: list[str] = []
        self.leases: list[Lease] = []
        self.events: list[str] = []  # of the lifespan

    def look_up(self, origin: str, policy: Any = None) -> Answer | LimitedAwaitable:
        """Answer, with a new lease."""
        del policy
        self.calls.append(origin)
        return LimitedAwaitable(self._later(origin), 1) if self.is_async else self._answer(origin)

    def _answer(self, origin: str) -> Answer:
        if self.error:
            return Answer(allowed=False, error=self.error)
        lease = Lease(self.clock, self.clock() + self.ttl)
        self.leases.append(lease)
        return Answer(origin in self.allowed, (lease,))

    async def _later(self, origin: str) -> Answer:
        return self._answer(origin)

    def void(self) -> None:
        """End all leases."""
        for lease in self.leases:
            lease.void()

    def describe(self, origin: str, policy: Any = None) -> tuple[bool | None, str]:
        """Describe the answer."""
        del policy
        return origin in self.allowed, "by a test"

    def start(self) -> None:
        """Record the start."""
        self.events.append("start")

    def stop(self) -> None:
        """Record the end."""
        self.events.append("stop")


class Customers(OriginSource):
    """A source that allows a set of origins, and describes that as `Loaded` does.

    Args:
        allowed: The origins.
        age: The text that follows each answer.
        known: Whether it can describe an answer without a call.
    """

    def __init__(self, *allowed: str, age: str = "loaded 12 s ago", known: bool = True) -> None:
        self.allowed = frozenset(allowed)
        self.age = age
        self.known = known

    def look_up(self, origin: str, policy: Policy | None = None) -> Answer:
        return Answer(origin in self.allowed)

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        if not self.known:
            return None, "asked at run time (customers())"
        allowed = origin in self.allowed
        return allowed, f"{'allowed' if allowed else 'refused'} by customers(), {self.age}"

    def origin_sets(self, policy: Policy) -> Iterable[OriginSet]:
        return (OriginSet(self.allowed, (), ()),)

    def __repr__(self) -> str:
        return "Customers()"
