"""The values of an `AnswerCache`: its limits, its statistics, and the records that it stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from asgi_cors._configuration.source import Lease

Value = TypeVar("Value")


class CacheStatistics(NamedTuple):
    """The counts of a `Cached` or `Tenants` since it was made, and what it holds now.

    Args:
        hits: Requests that were served without a call, those from a middleware's cache included.
        misses: Requests that waited for a call, or were refused because too many calls ran.
        stale: Requests that got an old answer while a call was due.
        errors: Calls that failed, and those that could not begin.
        in_flight: Calls that run now.
        allowed: Allowed keys that are stored.
        refused: Refused keys that are stored.
    """

    hits: int
    misses: int
    stale: int
    errors: int
    in_flight: int
    allowed: int
    refused: int


class Limits(NamedTuple):
    """The times and sizes of a cache; see `Cached`. Times are in seconds."""

    ttl: float
    negative_ttl: float
    error_ttl: float
    stale_while_revalidate: float
    stale_if_error: float
    timeout: float
    max_entries: int
    max_refused: int
    max_in_flight: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Limits:
        """Return the limits among the values of options. A missing time is 0."""
        return cls(*(values.get(name, 0) for name in cls._fields))


class Result(NamedTuple, Generic[Value]):
    """The answer for one key.

    Args:
        value: The value; None if the key is refused, or if there is an error.
        lease: The time for which the answer may be used again; None for this request only.
        error: The failure that left the key without an answer.
    """

    value: Value | None
    lease: Lease | None = None
    error: Exception | None = None


class Record(Generic[Value]):
    """A stored answer.

    Args:
        value: The value; None if the key is refused.
        lease: The time for which it may be used without a call.
    """

    __slots__ = ("answered_at", "expires_at", "lease", "number", "result")

    def __init__(self, value: Value | None, lease: Lease) -> None:
        """Store both."""
        self.result = Result(value, lease)
        self.lease = lease
        self.number = 0  # of the latest call that returned the value
        self.answered_at = self.expires_at = 0.0

    def is_stale_for(self, duration: float, now: float) -> bool:
        """Return whether the answer may still be used, for `duration` after its expiry. A refusal may not."""
        return self.result.value is not None and now < self.expires_at + duration


class Failure(NamedTuple):
    """A failed call.

    Args:
        retry_at: The time from which the key is looked up again.
        error: The failure, without a traceback, which would hold the variables of the call.
    """

    retry_at: float
    error: Exception


class Deferred(Awaitable[Any]):
    """An awaitable that calls a coroutine function when it is awaited. If it never is, there is no warning.

    Args:
        function: The coroutine function.
        key: Its argument.
    """

    def __init__(self, function: Callable[[str], Coroutine[Any, Any, Any]], key: str) -> None:
        """Store both."""
        self._function = function
        self._key = key

    def __await__(self) -> Generator[Any, Any, Any]:
        """Call the function."""
        return self._function(self._key).__await__()
