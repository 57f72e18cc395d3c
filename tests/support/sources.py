"""A source of origins whose answers a test sets."""

from collections.abc import Callable
from typing import Any

from asgi_cors import Answer, Lease, LimitedAwaitable, OriginSource
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
