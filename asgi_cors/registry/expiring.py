"""Origins that expire at a time of the wall clock. The code calls that time the end of an entry."""

from __future__ import annotations

import heapq
import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import Lease, OriginTable

if TYPE_CHECKING:
    from asgi_cors import Policy

_SLICE: Final = 10_000  # entries that are freed at once: other threads wait meanwhile


def wall_clock() -> float:
    """Return the seconds since 1970. Entries expire by this clock."""
    return time.time()


class ExpiringOrigins:
    """Origins and patterns that expire. If the wall clock is set back, an expired one is allowed again."""

    __slots__ = ("_ended", "_ends", "_expected", "_lock", "_table")

    def __init__(self) -> None:
        """Start without an entry."""
        self._table = OriginTable()  # entries that have not expired
        self._ends: dict[str, float] = {}  # of all entries
        # Heaps, with the next change of the table first. A pair is outdated if `_ends` does not have it.
        self._expected: list[tuple[float, str]] = []
        self._ended: list[tuple[float, str]] = []  # with the negative end
        self._lock = threading.Lock()  # readers, too, remove expired entries from the table

    def __len__(self) -> int:
        """Return the number of entries, including expired ones."""
        return len(self._ends)

    def add(self, text: str, end: float) -> bool:
        """Add an entry, or change its expiry, and return whether it is valid."""
        with self._lock:
            if not self._table.insert(text):
                return False
            self._ends[text] = end
            heapq.heappush(self._expected, (end, text))
            if len(self._expected) > 2 * len(self._ends) + 100:
                self._expected = [(end, text) for text, end in self._ends.items()]
                heapq.heapify(self._expected)
            return True

    def discard(self, text: str) -> bool:
        """Remove an entry, and return whether it was there."""
        with self._lock:
            self._table.discard(text)
            return self._ends.pop(text, None) is not None

    def lease(self, origin: str, policy: Policy | None) -> Lease | None:
        """Return a lease if `origin` is allowed now, else None. The lease ends when the next entry expires."""
        with self._lock:
            self._follow_clock(wall_clock())
            if self._table.allows(origin, policy):
                return Lease(wall_clock, self._expected[0][0])
            return None

    def origin_sets(self, policy: Policy | None) -> tuple[Any, ...]:
        """Return the sets of allowed origins."""
        return self._table.origin_sets(policy)

    def _follow_clock(self, now: float) -> None:
        while self._expected and (self._expected[0][0] <= now or self._is_outdated(*self._expected[0])):
            end, text = heapq.heappop(self._expected)
            if not self._is_outdated(end, text):
                self._table.discard(text)
                heapq.heappush(self._ended, (-end, text))
        while self._ended and (-self._ended[0][0] > now or self._is_outdated(-self._ended[0][0], self._ended[0][1])):
            end, text = heapq.heappop(self._ended)
            if not self._is_outdated(-end, text):
                self._table.insert(text)
                heapq.heappush(self._expected, (-end, text))

    def _is_outdated(self, end: float, text: str) -> bool:
        return self._ends.get(text, math.nan) != end

    def after_fork(self) -> None:
        """Replace the lock, which another thread may have held."""
        self._lock = threading.Lock()

    def free(self) -> None:
        """Free the memory in slices."""
        for container in (self._expected, self._ended):
            while container:
                del container[-_SLICE:]
        while self._ends:
            for _ in range(min(_SLICE, len(self._ends))):
                self._ends.popitem()
