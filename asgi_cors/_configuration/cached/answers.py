"""A bounded cache of the results of a user's function, by key: `AnswerCache`.

- Allowed and refused keys are in separate stores, so that refused keys can't evict allowed ones. Each evicts its oldest
  answer at its own limit.
- An answer is fresh for `ttl`. A fresh answer is returned without a call. Until its lease ends, middlewares send the
  responses that they cached with it.
- An answer that is not fresh is renewed by a call. Requests wait for it, except during `stale_while_revalidate`.
- A failure is remembered for `error_ttl`, but never stored as a refusal. If the key was allowed, the old answer is used
  again for up to `stale_if_error`. Each failure extends its lease by `error_ttl`.
- A lease is voided if its answer is evicted, invalidated, or replaced by another value.

Threads share a cache. A lock guards the stores; a fresh answer is read without it.
"""

from __future__ import annotations

import functools
import math
import operator
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic

from asgi_cors._configuration.calls import (
    background_loop,
    call_after_fork,
    is_in_trio,
    run_in_background,
    running_loop,
    wait_for,
)
from asgi_cors._configuration.log import Log, RememberedError
from asgi_cors._configuration.source import Lease
from asgi_cors._configuration.source_options import show_duration, text_of

from .records import CacheStatistics, Failure, Limits, Record, Result, Value

if TYPE_CHECKING:
    from asgi_cors._configuration.calls import AppContext
    from asgi_cors._configuration.feed import Feed, FeedReader

    from .flights import Flight, Outcome

_JITTER: Final = 0.1  # the part of a ttl by which it is shortened at the most
_CLOCK_STEP: Final = 1.0  # seconds by which threads may read the clock out of order
_MAX_TEXT: Final = 500  # characters of a remembered failure


class AnswerCache(Generic[Value]):
    """The results of a user's function by key.

    Args:
        function: The user's function, sync or async.
        convert: Returns the value to store for a result, or None to refuse the key. It may raise.
        is_same: Returns whether a new value is equivalent to the stored one, which then stays. It may raise.
        limits: The times and sizes.
        clock: A monotonic clock, in seconds.
        name: The function's name with parentheses, for messages.
        app_context: Returns the context in which the function runs.
        thread: Whether the function runs in a thread.
        feed: Returns an async iterator. Each item is a key to be invalidated; the item None invalidates all keys.
    """

    def __init__(  # noqa: PLR0913 - two functions, and how they are called
        self,
        function: Callable[[str], object],
        convert: Callable[[Any], Value | None],
        limits: Limits,
        is_same: Callable[[Value, Value], bool] = operator.is_,
        *,
        clock: Callable[[], float],
        name: str,
        app_context: Callable[[], AppContext | None],
        thread: bool = False,
        feed: Feed | None = None,
    ) -> None:
        """Start with an empty cache."""
        from .flights import Flights  # noqa: PLC0415 - imports asyncio

        self.limits = limits
        self.name = name
        self.log = Log()
        self._stale_duration = max(limits.stale_if_error, limits.stale_while_revalidate)
        self._convert = convert
        self._is_same = is_same
        self._clock = clock
        self._latest = clock()
        self._lock = threading.Lock()
        self._allowed: OrderedDict[str, Record[Value]] = OrderedDict()
        self._refused: OrderedDict[str, Record[Value]] = OrderedDict()
        self._failed: OrderedDict[str, Failure] = OrderedDict()
        self._hits = self._misses = self._stale = self._errors = 0
        self.flights = Flights(function, app_context, self._lock, self._end, limits=limits, thread=thread)
        self._feed: FeedReader | None = None
        if feed is not None:
            from asgi_cors._configuration.feed import FeedReader  # noqa: PLC0415 - rarely needed

            self._feed = FeedReader(feed, self._on_item, name)
        call_after_fork(self, AnswerCache[Value].after_fork)

    def after_fork(self) -> None:
        """Reset the locks and calls in a forked child. Drop the answers if a feed invalidates them: it starts anew."""
        self._lock = threading.Lock()
        self.flights.reset(self._lock)
        if self._feed is not None:
            self.clear()

    def _on_item(self, key: str | None) -> None:
        """Invalidate a key, or all keys."""
        if key is None:
            self.clear()
        else:
            self.invalidate(key)

    def start(self) -> None:
        """Begin to read the feed in the running event loop."""
        if self._feed is not None:
            self._feed.ensure_running()

    def stop(self) -> None:
        """End the calls and the feed in the running event loop."""
        self.flights.cancel()
        if self._feed is not None:
            self._feed.stop()

    # -- reading

    def look_up(self, key: str) -> Result[Value] | None:
        """Return the answer for a key; None if a call is needed, which `wait` makes. Raise nothing."""
        self.start()
        found = self._find(key)
        if found is None and self.flights.is_full(key, is_renewal=key in self._allowed):
            return self._reject(key)
        return found

    async def get(self, key: str) -> Value | None:
        """Return the value for a key; None if it is refused.

        Raises:
            LookupError: If the call failed.
        """
        result = self.look_up(key) or await self.wait(key)
        if result.error is not None:
            raise self.error_of(key, result.error) from result.error
        return result.value

    def error_of(self, key: str, error: Exception) -> LookupError:
        """Return the exception that reports a failed call to its caller."""
        text = str(error) if isinstance(error, RememberedError) else text_of(error)
        return LookupError(f"{self.name} failed for {key!r}: {text}")

    def _find(self, key: str) -> Result[Value] | None:
        """Return the answer for a key if no call is needed."""
        now = self._now()
        record = self._allowed.get(key) or self._refused.get(key)
        if record is not None and now < record.lease.until:
            self._hits += 1
            return record.result
        failure = self._failed.get(key)
        if failure is not None and now < failure.retry_at:
            return Result(None, error=failure.error)
        if record is not None and record.is_stale_for(self.limits.stale_while_revalidate, now):
            self._stale += 1
            self._renew(key)
            return record.result
        return None

    def _now(self) -> float:
        """Return the time. If the clock was set back, drop all answers, because their ages are not known."""
        now = self._clock()
        if now < self._latest - _CLOCK_STEP:
            self.clear()
        self._latest = now
        return now

    # -- calls

    async def wait(self, key: str) -> Result[Value]:
        """Wait for the call of a key, and return its result. Raise nothing."""
        if running_loop() is not None:
            return await self._wait_in_asyncio(key)
        if not is_in_trio():
            return Result(None, error=RuntimeError("a look-up needs a running event loop of asyncio or trio"))
        return await wait_for(run_in_background(self._wait_in_asyncio(key, allows_awaitables=False)))

    async def _wait_in_asyncio(self, key: str, *, allows_awaitables: bool = True) -> Result[Value]:
        """Wait for the call of a key in the running event loop of asyncio."""
        import asyncio  # noqa: PLC0415 - expensive, and rarely needed

        found = self._find(key)  # another request's call may have ended by now
        if found is not None:
            return found
        flight = self.flights.join(key, is_renewal=key in self._allowed, allows_awaitables=allows_awaitables)
        if flight is None:
            return self._reject(key)
        with self._lock:
            self._misses += 1
        await asyncio.wait({flight.future})
        result: Result[Value] = flight.future.result()
        return result

    def _renew(self, key: str) -> None:
        """Begin a call in the background, unless there is one."""
        running = running_loop()
        loop = running or background_loop()
        join = functools.partial(self.flights.join, key, is_renewal=True, allows_awaitables=not is_in_trio())
        if self.flights.has_flight(key, loop):
            return
        if running is not None:
            join()
        else:
            loop.call_soon_threadsafe(join)

    def _reject(self, key: str) -> Result[Value]:
        """Return the result of a call that can't begin."""
        limit = self.limits.max_in_flight
        error = LookupError(
            f"too many calls of {self.name} are in flight (max_in_flight={limit}), so it was not called"
        )
        with self._lock:
            self._misses += 1
            self._errors += 1
            record = self._stale_record(key, self._clock())
        return self._result_of_failure(record, error)

    def _end(self, flight: Flight, outcome: Outcome) -> Result[Value]:
        """Store the result of a call, and return it for the requests that wait."""
        error, now = outcome.error, self._clock()
        if error is None:
            try:
                value = self._convert(outcome.value)
                with self._lock:
                    return self._store(flight, value, now)
            except Exception as value_error:  # noqa: BLE001 - a user's object may raise anything
                error = value_error
        with self._lock:
            self._errors += outcome.is_failure
            is_stored = outcome.is_failure and not flight.is_void
            record = self._store_failure(flight, error, now) if is_stored else None
        return self._result_of_failure(record, error)

    def _result_of_failure(self, record: Record[Value] | None, error: Exception) -> Result[Value]:
        """Return the result of a call that failed: the old answer if it may be used. The caller holds no lock."""
        if record is None:
            return Result(None, error=error)
        self.log.failure(f"{self.name} failed, so its last answer is used again", error)
        return record.result

    def _store(self, flight: Flight, value: Value | None, now: float) -> Result[Value]:
        """Store an answer, and return it. The caller holds the lock."""
        key, limits, number = flight.key, self.limits, flight.number
        store, other, limit, ttl = self._allowed, self._refused, limits.max_entries, limits.ttl
        if value is None:
            store, other, limit, ttl = other, store, limits.max_refused, limits.negative_ttl
        old = store.get(key) or other.get(key)
        if flight.is_void or (old is not None and number < old.number):
            return Result(value)  # an older call, in another event loop, has ended later
        record = store.get(key)
        if record is None or not self._is_equal(record.result.value, value):
            self._discard(key)
            record = store[key] = Record(value, Lease(self._clock))
        self._failed.pop(key, None)
        store.move_to_end(key)
        record.number = number
        record.answered_at, record.expires_at = now, now + ttl * _shortening()
        record.lease.until = record.expires_at
        if len(store) > limit:
            self._discard(next(iter(store)))
        return record.result

    def _is_equal(self, old: Value | None, new: Value | None) -> bool:
        return old is new or (old is not None and new is not None and self._is_same(old, new))

    def _store_failure(self, flight: Flight, error: Exception, now: float) -> Record[Value] | None:
        """Remember a failure, and return the old answer if it may be used. The caller holds the lock."""
        key, retry_at = flight.key, now + self.limits.error_ttl
        old = self._allowed.get(key) or self._refused.get(key)
        if old is not None and flight.number < old.number:
            return None
        self._failed[key] = Failure(retry_at, _without_traceback(error))
        self._failed.move_to_end(key)
        if len(self._failed) > self.limits.max_refused:
            self._failed.popitem(last=False)
        record = self._stale_record(key, now)
        if record is not None:
            record.lease.until = min(retry_at, record.expires_at + self._stale_duration)
        return record

    def _stale_record(self, key: str, now: float) -> Record[Value] | None:
        """Return the old answer of an allowed key if it may be used after a failure. The caller holds the lock."""
        record = self._allowed.get(key)
        if record is None or not record.is_stale_for(self._stale_duration, now):
            return None
        self._stale += 1
        return record

    # -- revoking

    def invalidate(self, key: str) -> None:
        """Drop the answer for a key, the calls in flight, and the cached responses of every middleware."""
        with self._lock:
            self.flights.void(key)
            self._failed.pop(key, None)
            self._discard(key)

    def clear(self) -> None:
        """Drop all answers, the calls in flight, and the cached responses of every middleware."""
        with self._lock:
            self.flights.void()
            self._failed.clear()
            for store in (self._allowed, self._refused):
                for key in [*store]:
                    self._discard(key)

    def _discard(self, key: str) -> None:
        """Drop a stored answer, and void its lease. The caller holds the lock."""
        for store in (self._allowed, self._refused):
            record = store.pop(key, None)
            if record is not None:
                record.lease.void()
                self._hits += record.lease.hits

    # -- describing

    def stats(self) -> CacheStatistics:
        """Return the counts since the cache was made."""
        with self._lock:
            records = [*self._allowed.values(), *self._refused.values()]
            sizes = len(self._allowed), len(self._refused)
            hits, misses, stale, errors = self._hits, self._misses, self._stale, self._errors
        hits += sum(record.lease.hits for record in records)
        return CacheStatistics(hits, misses, stale, errors, len(self.flights), *sizes)

    def describe(self, key: str) -> tuple[bool | None, str]:
        """Return whether a key is allowed, and how that was decided; None if a call is needed to know."""
        now = self._clock()
        record = self._allowed.get(key) or self._refused.get(key)
        if record is not None:
            is_allowed = record.result.value is not None
            decision = f"{'allowed' if is_allowed else 'refused'} by {self.name}"
            if now < min(record.expires_at, record.lease.until):
                return is_allowed, f"{decision}, known {_show_rest(record.expires_at - now)}"
            if now < record.lease.until or record.is_stale_for(self.limits.stale_while_revalidate, now):
                age = show_duration(now - record.answered_at)
                return is_allowed, f"{decision} {age} ago, used until a call succeeds"
        failure = self._failed.get(key)
        if failure is not None and now < failure.retry_at:
            return None, f"asked at run time ({self.name}; {failure.error})"
        return None, f"asked at run time ({self.name})"


def _show_rest(duration: float) -> str:
    return "until it is invalidated" if math.isinf(duration) else f"for {show_duration(duration)} more"


def _shortening() -> float:
    """Return a random factor, so that answers that were stored together do not expire together."""
    import random  # noqa: PLC0415 - expensive, and rarely needed

    return 1 - _JITTER * random.random()  # noqa: S311 - not a secret


def _without_traceback(error: Exception) -> Exception:
    """Return an error to be remembered, without the traceback, which would hold the variables of the call."""
    return RememberedError(f"it failed a moment ago: {text_of(error)}"[:_MAX_TEXT], error)
