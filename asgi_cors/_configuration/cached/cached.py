"""`Cached`: an entry of `allow_origins` whose answers are cached."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Literal, Never, TypedDict, Unpack, cast

from asgi_cors._configuration.calls import LimitedAwaitable
from asgi_cors._configuration.source import Answer, OriginSource
from asgi_cors._configuration.source_options import (
    check_function,
    check_options,
    count,
    flag,
    function,
    is_async,
    positional_error,
    raise_issues,
    repr_of,
    seconds,
)
from asgi_cors._decision.callables import call_name, name_of
from asgi_cors._errors import Issue
from asgi_cors._origins.origin import parse_origin

from .answers import AnswerCache
from .records import CacheStatistics, Deferred, Limits, Result

if TYPE_CHECKING:
    from datetime import timedelta

    from asgi_cors._configuration.feed import Feed
    from asgi_cors._policy.policy import Policy

OriginLookup = Callable[[str], bool | Awaitable[bool]]


class CachedOptions(TypedDict, total=False):
    """The options of `Cached`, as keywords."""

    ttl: float | timedelta
    negative_ttl: float | timedelta
    error_ttl: float | timedelta
    stale_while_revalidate: float | timedelta
    stale_if_error: float | timedelta
    timeout: float | timedelta
    max_entries: int
    max_refused: int
    max_in_flight: int
    thread: bool
    feed: Feed | None
    clock: Callable[[], float]


OPTIONS: Final = {
    "ttl": seconds(60, is_positive=True),
    "negative_ttl": seconds(10),
    "error_ttl": seconds(1),
    "stale_while_revalidate": seconds(0),
    "stale_if_error": seconds(300),
    "timeout": seconds(2, is_positive=True, is_finite=True),
    "max_entries": count(100_000),
    "max_refused": count(10_000),
    "max_in_flight": count(100),
    "thread": flag(),
    "feed": function(None, "a function that returns an async iterator", "Write feed=changes, without parentheses."),
    "clock": function(time.monotonic, "a function that returns seconds", "Leave clock out, or write clock=my_clock."),
}


class Cached(OriginSource):
    """An entry of `allow_origins`: a function whose answers are cached.

    One call serves all requests that wait for the same origin. Allowed and refused origins are cached separately, so
    that refused ones can't evict allowed ones.

    Args:
        lookup: Returns whether an origin is allowed, sync or async. Only `True` allows. A sync function runs in the
            event loop, so it must not block; see `thread`. Under WSGI and trio it always runs in a thread.
        options: As keywords. Times are in seconds, or a timedelta:
            `ttl` (how long an origin stays allowed without another call; each time is shortened at random by up to a
            tenth; default 60),
            `negative_ttl` (how long an origin stays refused without another call; default 10),
            `error_ttl` (how long an origin is not looked up again after a failure; default 1),
            `stale_while_revalidate` (how long after `ttl` the old answer of an allowed origin is used while a call in
            the background renews it; default 0; RFC 5861),
            `stale_if_error` (how long after `ttl` the old answer of an allowed origin is used if calls fail; default
            300; RFC 5861),
            `timeout` (of one call; default 2),
            `max_entries` (allowed origins that are cached; default 100,000),
            `max_refused` (refused origins that are cached; default 10,000),
            `max_in_flight` (calls that may run; a quarter is reserved for allowed origins; default 100),
            `thread` (whether `lookup` runs in a thread, because it blocks; default False),
            `feed` (a function that returns an async iterator: each item is an origin to be invalidated, or None for
            all),
            `clock` (a monotonic clock in seconds; default `time.monotonic`).

    Raises:
        ConfigError: With every mistake found.
    """

    def __init__(self, lookup: OriginLookup | None = None, *arguments: Never, **options: Unpack[CachedOptions]) -> None:
        """Validate the options, and start with an empty cache."""
        if arguments:
            raise positional_error("Cached", "lookup", arguments, OPTIONS)
        issues: list[Issue] = []
        check_function(lookup, "lookup", "Cached(is_customer), with a function is_customer(origin)", issues)
        values = check_options(OPTIONS, options, issues)
        if values["thread"] and is_async(lookup):
            hint = "Leave out thread=True."
            issues.append(Issue("async-in-thread", "thread", True, "an async function does not run in a thread", hint))
        raise_issues(issues, "Cached")
        self._lookup = cast("OriginLookup", lookup)
        self._values = values
        self._cache: AnswerCache[Literal[True]] = AnswerCache(
            self._lookup,
            self._convert,
            Limits.of(values),
            clock=values["clock"],
            name=call_name(lookup),
            app_context=lambda: self.app_context,
            thread=values["thread"],
            feed=values["feed"],
        )

    def __repr__(self) -> str:
        """Return the function's name, and the options that are not defaults."""
        return repr_of("Cached", (name_of(self._lookup),), OPTIONS, self._values)

    def look_up(self, origin: str, policy: Policy | None = None) -> Answer | LimitedAwaitable:  # noqa: ARG002 - the base's
        """Return the answer for an origin, or its awaitable if a call is needed; see `OriginSource`."""
        result = self._cache.look_up(origin)
        if result is not None:
            return _answer(result)
        return LimitedAwaitable(Deferred(self._wait, origin), self._cache.limits.timeout)

    async def _wait(self, origin: str) -> Answer:
        return _answer(await self._cache.wait(origin))

    async def get(self, origin: str) -> bool:
        """Return whether an origin is allowed. A value that is not a serialized origin is refused without a call.

        Raises:
            LookupError: If the look-up failed. Its cause is the exception of the function.
        """
        if parse_origin(origin) is None:
            return False
        return await self._cache.get(origin) is True

    def invalidate(self, origin: str) -> None:
        """Drop the answer for an origin, and the responses that middlewares cached with it.

        A call in flight is not stored: later requests begin another one. Any thread may call this.
        """
        self._cache.invalidate(origin)

    def clear(self) -> None:
        """Drop all answers, as `invalidate` does."""
        self._cache.clear()

    def stats(self) -> CacheStatistics:
        """Return the number of hits, misses and errors since the start, and of origins that are stored."""
        return self._cache.stats()

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:  # noqa: ARG002 - the base's
        """Return whether an origin is allowed, and how that was decided, without a call; see `OriginSource`."""
        return self._cache.describe(origin)

    def remedy(self, origin: str) -> str:
        """Return how an origin can be allowed; see `OriginSource`."""
        return f"let {call_name(self._lookup)} allow {origin!r}"

    def start(self) -> None:
        """Begin to read the feed in the running event loop."""
        self._cache.start()

    def stop(self) -> None:
        """End the calls and the feed in the running event loop."""
        self._cache.stop()

    def _convert(self, value: object) -> Literal[True] | None:
        """Return True if a value allows. Log another truthy value."""
        if value is True:
            return True
        if value is not False:
            self._cache.log.warn_truthy(self._lookup, value)
        return None


def _answer(result: Result[Literal[True]]) -> Answer:
    """Return a result as the answer of a source."""
    leases = None if result.lease is None else (result.lease,)
    return Answer(result.value is True, leases, result.error)
