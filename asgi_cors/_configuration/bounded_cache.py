"""Bounded caches: they hold responses until newer ones evict them.

Allowed and refused requests have limits of their own, so that an attacker cannot evict allowed ones.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asgi_cors._decision.decision import Decision

    from .cache import Part
    from .evaluation import LookUp
    from .source import Lease

MAX_ACTUAL: Final = 4096
MAX_PREFLIGHT: Final = 1024
MAX_WRITES: Final = 1024
MAX_REFUSED: Final = 256  # of each of these kinds


@dataclass(slots=True)
class CachedResponse:
    """A cached response, or the part of its key that is missing.

    Args:
        key: The key of this item.
        response: Whatever a middleware needs to respond again; None if it has to be checked by `ResponseCache.check`.
        leases: The response may be sent as long as all of these are current; see `is_current`.
        log_after: The time on the log's clock after which a refusal is logged again; 0 for never.
        decision: The decision that `on_decision` is called with; None if there is no such callable.
        origin: If there is no response: the origin with which the policy's callables are called, if they are.
        part: If there is no response: the part of the request that it depends on.
        reported: If there is no response: the item with the response, whose decision is reported first.
        answer: The answer of the policy's callables for one request, which has to be evaluated; see `check`.
    """

    key: Hashable
    response: Any = None
    leases: tuple[Lease, ...] = ()
    log_after: float = 0.0
    decision: Decision | None = None
    origin: str | None = None
    part: Part | None = None
    reported: CachedResponse | None = None
    answer: LookUp | None = None

    def is_current(self) -> bool:
        """Return whether all leases are current. If so, count a hit for each."""
        leases = self.leases
        for lease in leases:
            if lease.clock() >= lease.until:
                return False
        for lease in leases:
            lease.hits += 1
        return True


class BoundedCache(dict[Hashable, CachedResponse]):
    """Cached responses, by the request headers on which they depend.

    Holds allowed and refused requests in one dict, so that a hit costs one look-up. Each kind evicts its oldest item at
    its own limit, so that an attacker cannot evict allowed ones. Threads need no lock: a deque's ends are thread-safe.

    Args:
        max_allowed: The limit of allowed requests.
    """

    def __init__(self, max_allowed: int = MAX_ACTUAL) -> None:
        super().__init__()
        self._allowed: deque[Hashable] = deque()
        self._refused: deque[Hashable] = deque()
        self._max_allowed = max_allowed

    def store(self, cached: CachedResponse, *, refused: bool) -> None:
        """Store a response under its key."""
        key = cached.key
        self[key] = cached
        order, limit = (self._refused, MAX_REFUSED) if refused else (self._allowed, self._max_allowed)
        order.append(key)  # after the dict, because another thread may evict the key as soon as `order` has it
        if len(order) > limit:
            self.pop(order.popleft(), None)


class SharedBounds:
    """The limits that the cached responses of all tenants share, and the order of eviction.

    Args:
        max_allowed: The limit of allowed requests.
    """

    def __init__(self, max_allowed: int) -> None:
        self._allowed: deque[tuple[weakref.ref[TenantResponses], Hashable]] = deque()
        self._refused: deque[tuple[weakref.ref[TenantResponses], Hashable]] = deque()
        self._max_allowed = max_allowed

    def add(self, responses: TenantResponses, key: Hashable, *, refused: bool) -> None:
        """Add a response, and evict the oldest one beyond the limit."""
        order, limit = (self._refused, MAX_REFUSED) if refused else (self._allowed, self._max_allowed)
        order.append((weakref.ref(responses), key))
        if len(order) > limit:
            reference, oldest = order.popleft()
            owner = reference()
            if owner is not None:  # None if its policy was dropped
                owner.pop(oldest, None)


class TenantResponses(BoundedCache):
    """Cached responses of one tenant.

    Args:
        bounds: The bounds, which all tenants share.
    """

    def __init__(self, bounds: SharedBounds) -> None:
        super(BoundedCache, self).__init__()  # without bounds of its own
        self._bounds = bounds

    def store(self, cached: CachedResponse, *, refused: bool) -> None:
        """Store a response under its key."""
        self[cached.key] = cached
        self._bounds.add(self, cached.key, refused=refused)
