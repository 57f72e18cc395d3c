"""The base class of entries whose origins change at run time, and the answers of such entries."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from asgi_cors._origins.origin import parse_origin

if TYPE_CHECKING:
    from asgi_cors._origins.origin_set import OriginSet
    from asgi_cors._policy.policy import Policy

    from .calls import AppContext, LimitedAwaitable


class Lease:
    """The time until which an answer may be used again without another call.

    Cached responses share the lease of the answer that they were made from. Its owner may move `until` at any time.

    Args:
        clock: A monotonic clock, in seconds.
        until: A time on that clock; infinity if only `void` ends the lease.
    """

    __slots__ = ("__weakref__", "clock", "hits", "until")

    def __init__(self, clock: Callable[[], float], until: float = math.inf) -> None:
        """Start without a hit."""
        self.clock = clock
        self.until = until
        self.hits = 0  # responses that were served from a middleware's cache

    @property
    def is_current(self) -> bool:
        """Whether the answer may be used again."""
        return self.clock() < self.until

    def void(self) -> None:
        """End the lease, and with it all cached responses that were made from the answer."""
        self.until = -math.inf


class Answer(NamedTuple):
    """The answer of an entry for one origin.

    Args:
        allowed: Whether the entry allows the origin.
        leases: The answer may be used again while all of these are current. None: for this request only.
        error: The exception if the entry could not answer. `allowed` is False then.
    """

    allowed: bool
    leases: tuple[Lease, ...] | None = None
    error: Exception | None = None


class Source(Protocol):
    """The part of an `OriginSource` that a `policy_for` such as `Tenants` has, too."""

    app_context: AppContext | None

    def start(self) -> None:
        """Begin to load; see `OriginSource.start`."""

    def stop(self) -> None:
        """End the tasks; see `OriginSource.stop`."""


class OriginSource(ABC):
    """An entry of `allow_origins` whose origins change at run time: `Cached`, `Loaded` or a registry.

    Middlewares call it with serialized origins alone, never with `null` or an invalid value.
    """

    app_context: AppContext | None = None
    """The context in which its functions run. The first middleware that uses the entry sets it."""

    @abstractmethod
    def look_up(self, origin: str, policy: Policy | None = None) -> Answer | LimitedAwaitable:
        """Return the answer for `origin`, or an awaitable of the answer if that is not known yet. Raise nothing.

        Args:
            origin: A serialized origin.
            policy: The policy that is to allow the origin. None is treated like a policy with credentials that accepts
                no risk.
        """

    @abstractmethod
    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        """Return whether `origin` is allowed, and how that was decided, without a call.

        Returns:
            None if the entry must be called to know. The text reads "allowed by customers(), known for 8 s more".
        """

    def origin_sets(self, policy: Policy) -> Iterable[OriginSet]:  # noqa: ARG002 - for subclasses
        """Return the sets of allowed origins, to find the closest one of a refused origin."""
        return ()

    def remedy(self, origin: str) -> str:
        """Return how `origin` can be allowed, as an imperative without a full stop, for the log and `explain`."""
        return f"let {self!r} allow {origin!r}"

    def start(self) -> None:  # noqa: B027 - a source without tasks needs none
        """Begin to load in the running event loop, before the first request. Raise nothing, and do not wait."""

    def stop(self) -> None:  # noqa: B027 - as `start`
        """End the tasks that `start` or a request began in the running event loop."""

    def __call__(self, origin: str) -> bool | Awaitable[bool]:
        """Return whether `origin` is allowed, or an awaitable of it, as a callable in `allow_origins` does."""
        if parse_origin(origin) is None:
            return False
        answer = self.look_up(origin)
        return answer.allowed if isinstance(answer, Answer) else _allowed(answer)


async def _allowed(answer: LimitedAwaitable) -> bool:
    return bool((await answer.awaitable).allowed)
