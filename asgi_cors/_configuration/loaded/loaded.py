"""`Loaded`: an entry of `allow_origins` whose list is loaded as a whole by a function, at intervals.

- At most one load is in flight per process. A thread supervises it: it waits for the function with a timeout, compiles
  the list, and replaces the old one at once.
- The lease of a list ends when the next load is due, but holds while a load runs, so cached responses stay valid.
- A failed load leaves the last good list in force.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import threading
from collections.abc import Callable, Generator, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Never, Unpack, cast

from asgi_cors._configuration.calls import (
    LimitedAwaitable,
    ThreadPool,
    call_after_fork,
    is_in_trio,
    running_loop,
    wait_for,
)
from asgi_cors._configuration.log import Log
from asgi_cors._configuration.source import Answer, Lease, OriginSource
from asgi_cors._configuration.source_options import (
    check_function,
    check_options,
    positional_error,
    raise_issues,
    repr_of,
    show_duration,
    text_of,
)
from asgi_cors._decision.callables import call_name, name_of
from asgi_cors._errors import Issue

from .fetching import Fetcher, Place
from .loading import EMPTY, Entries, OriginList, UnsafeReports, compile_entries, report_left_out
from .options import OPTIONS, LoadedOptions, LoadedStatistics, OriginLoader
from .snapshot import Snapshot

if TYPE_CHECKING:
    from concurrent.futures import Future

    from asgi_cors._configuration.feed import FeedReader
    from asgi_cors._origins.origin_set import OriginSet
    from asgi_cors._policy.policy import Policy

_IDLE: Final = 10  # times `every`: after that time without a load, a request waits for one
_FIRST_RETRY: Final = 1.0  # seconds after which a first load that failed is tried again


class _Current(NamedTuple):
    """The list in force.

    Args:
        list: The list.
        lease: The lease of its answers.
        loaded_at: When it was loaded, on the clock of the entry; None if it is from the snapshot.
    """

    list: OriginList
    lease: Lease
    loaded_at: float | None


class _DroppedError(LookupError):
    """A load has no result, because its event loop was closed."""

    def __init__(self) -> None:
        super().__init__("the event loop of the load was closed")


class _Flight:
    """A load that runs, or that waits for the end of another. It belongs to the event loop in which it is made."""

    is_late = False  # whether it began so late that requests wait for it

    def __init__(self) -> None:
        from concurrent.futures import Future  # noqa: PLC0415 - expensive, and rarely needed

        self.place = Place(running_loop(), is_in_trio())
        self.ended: Future[None] = Future()
        self.error: Exception | None = None

    def end(self, error: Exception | None) -> None:
        """Wake those who wait for the load."""
        self.error = error
        self.ended.set_result(None)


class Loaded(OriginSource):
    """An entry of `allow_origins`: a list of origins and patterns that is loaded as a whole, at intervals.

    An unknown origin costs no call. `*`, `null`, regular expressions and invalid entries are left out. A policy with
    credentials does not use entries that are unsafe for it. Each of these entries is logged with a hint.

    Args:
        load: Returns the whole list: an iterable of strings. A sync function runs in a thread, an async one in an event
            loop.
        options: As keywords. Times are in seconds, or a timedelta:
            `every` (the age of the list at which a request starts a new load; default 30),
            `timeout` (of one call of `load`; default 10),
            `max_entries` (a longer list is a failed load; default 1,000,000),
            `allow_empty` (whether an empty list may replace one with entries; default False),
            `feed` (a function that returns an async iterator: each item starts a new load),
            `snapshot` (the path of a file that stores the last good list; it is read if the first load fails),
            `clock` (a monotonic clock in seconds; default `time.monotonic`).

    Raises:
        ConfigError: With every mistake found.
    """

    def __init__(self, load: OriginLoader | None = None, *arguments: Never, **options: Unpack[LoadedOptions]) -> None:
        """Validate the options. Nothing is loaded yet."""
        if arguments:
            raise positional_error("Loaded", "load", arguments, OPTIONS)
        issues: list[Issue] = []
        if not inspect.isasyncgenfunction(load):
            check_function(load, "load", "Loaded(customers), with a function customers()", issues, ())
        else:
            hint = "Return a list: [origin async for origin in …]."
            issues.append(Issue("async-generator", "load", load, "an async generator does not return a list", hint))
        self._values = values = check_options(OPTIONS, options, issues)
        raise_issues(issues, "Loaded")
        self._load = cast("OriginLoader", load)
        self.name: Final = call_name(load)
        self._clock: Callable[[], float] = values["clock"]
        self._every: float = values["every"]
        self._log = Log()
        self._fetcher = Fetcher(
            self._load,
            timeout=values["timeout"],
            max_entries=values["max_entries"],
            app_context=lambda: self.app_context,
        )
        self._threads = ThreadPool("asgi_cors-loaded")
        self._lock = threading.Lock()  # held while a flight begins or ends
        self._flight: _Flight | None = None
        self._next_flight: _Flight | None = None
        self._current: _Current | None = None
        self._error: Exception | None = None
        self._next_at = self._tried_at = -math.inf
        self._loaded_at: datetime | None = None
        self._errors = self._failures = self._version = 0
        self._reported = EMPTY
        self._unsafe = UnsafeReports(self.name)
        self._snapshot = Snapshot(values["snapshot"], self.name, self._log)
        self._feed: FeedReader | None = None
        if values["feed"] is not None:
            from asgi_cors._configuration.feed import FeedReader  # noqa: PLC0415 - rarely needed

            self._feed = FeedReader(values["feed"], self._on_item, self.name)
        call_after_fork(self, Loaded._after_fork)

    def _after_fork(self) -> None:
        """Retain the list in a forked child. The parent's threads do not run there, so its load is dropped."""
        self._lock = threading.Lock()
        self._snapshot.reset()
        self._fetcher.reset()
        self._flight = self._next_flight = None
        self._replace_lease()

    def __repr__(self) -> str:
        """Return the function's name, and the options that are not defaults."""
        return repr_of("Loaded", (name_of(self._load),), OPTIONS, self._values)

    # -- answers

    def look_up(self, origin: str, policy: Policy | None = None) -> Answer | LimitedAwaitable:
        """Return the answer for an origin, or its awaitable if the list has to be loaded; see `OriginSource`."""
        if self._feed is not None:
            self._feed.ensure_running()
        now = self._clock()
        current = self._current
        if now >= self._next_at:
            flight = self._begin()
            if current is None or (flight is not None and flight.is_late):
                return self._waiting(origin, policy)
        elif current is None and self._flight is not None:
            return self._waiting(origin, policy)
        return self._answer(origin, policy)

    def _waiting(self, origin: str, policy: Policy | None) -> LimitedAwaitable:
        return LimitedAwaitable(_Waiting(self, origin, policy), 2 * self._values["timeout"])  # see `wait`

    def _answer(self, origin: str, policy: Policy | None) -> Answer:
        """Return the answer according to the list in force."""
        current = self._current
        if current is None:
            error = self._error or LookupError(f"{self.name} is not loaded yet")
            return Answer(allowed=False, error=error)
        if policy is not None and policy.allow_credentials:
            self._unsafe.report(current.list.table, self._version, policy, self._threads)
        return Answer(current.list.table.allows(origin, policy), (current.lease,))

    async def wait(self, origin: str, policy: Policy | None) -> Answer:
        """Wait for the load in flight, at most for the timeout, and return the answer."""
        flight = self._flight
        for _ in range(2):  # if the event loop of another request is closed, its load is begun again in this one
            if flight is None:
                break
            await _wait_at_most(flight.ended, self._values["timeout"])
            flight = self._begin() if isinstance(flight.error, _DroppedError) else None
        return self._answer(origin, policy)

    async def refresh(self) -> None:
        """Load the list with a call that begins now or later. Any event loop may call this.

        Raises:
            LookupError: If the load fails. Its cause is the exception. The last good list stays in force.
        """
        flight = self._begin_another()
        await wait_for(flight.ended)
        if flight.error is not None:
            raise LookupError(f"{self.name} failed") from flight.error

    def stats(self) -> LoadedStatistics:
        """Return the size and age of the list in force, and the number of failed loads."""
        found = EMPTY if self._current is None else self._current.list
        return LoadedStatistics(len(found.table), found.left_out, self._loaded_at, self._errors, self._version)

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        """Return whether an origin is allowed, and how that was decided, without a call; see `OriginSource`."""
        current = self._current
        if current is None:
            return None, f"asked at run time ({self.name} is not loaded yet)"
        table, at = current.list.table, current.loaded_at
        source = "from its snapshot" if at is None else f"loaded {show_duration(self._clock() - at)} ago"
        allowed = table.allows(origin, policy)
        size = f"{len(table):,} {'entry' if len(table) == 1 else 'entries'}"
        return allowed, f"{'allowed' if allowed else 'refused'} by {self.name}, {source}, {size}"

    def remedy(self, origin: str) -> str:
        """Return how an origin can be allowed; see `OriginSource`."""
        return f"add {origin!r} to the list that {self.name} loads"

    def origin_sets(self, policy: Policy) -> Iterable[OriginSet]:
        """Return the sets of the list in force, to find the closest origin of a refused one."""
        return () if self._current is None else self._current.list.table.origin_sets(policy)

    def start(self) -> None:
        """Begin to load in the running event loop, before the first request."""
        if self._feed is not None:
            self._feed.ensure_running()
        self._begin()

    def stop(self) -> None:
        """End the load and the feed in the running event loop."""
        self._fetcher.cancel(running_loop())
        if self._feed is not None:
            self._feed.stop()

    # -- loads

    def _on_item(self, item: str | None) -> None:  # noqa: ARG002 - each item of the feed means the whole list
        self._begin_another()

    def _begin(self) -> _Flight | None:
        """Return the load in flight. If there is none, begin one; return None if it is not due."""
        with self._lock:
            if self._flight is not None and not self._fetcher.is_lost:
                return self._flight
            if self._clock() < self._next_at:
                return None
            flight = self._prepare(_Flight())
        return self._fly(flight)

    def _begin_another(self) -> _Flight:
        """Return a load that begins now, or when the one in flight has ended. All callers until then share it."""
        with self._lock:
            self._replace_lease()
            if self._flight is not None and not self._fetcher.is_lost:
                self._next_flight = self._next_flight or _Flight()
                return self._next_flight
            flight = self._prepare(_Flight())
        return self._fly(flight)

    def _prepare(self, flight: _Flight) -> _Flight:
        """Make a load the one in flight. The caller holds the lock, and begins the load when it has released it."""
        flight.is_late = self._clock() - self._tried_at > _IDLE * self._every
        lost, self._flight = self._flight, flight
        if lost is not None:
            lost.end(_DroppedError())
        if self._current is not None:
            self._current.lease.until = math.inf
        return flight

    def _fly(self, flight: _Flight) -> _Flight:
        """Begin the load in flight."""
        try:
            self._threads.submit(self._run, flight)
        except RuntimeError as error:  # no thread can be started
            self._end_failed(flight, error, None)
        return flight

    def _replace_lease(self) -> None:
        """End the lease of the list in force, and begin another one."""
        if self._current is not None:
            old = self._current.lease
            until = self._next_at if self._flight is None else math.inf
            self._current = self._current._replace(lease=Lease(self._clock, until))
            old.void()

    def _run(self, flight: _Flight) -> None:
        """Load the list, in a thread."""
        from concurrent.futures import CancelledError  # noqa: PLC0415 - expensive, and rarely needed

        previous = self._current  # so that the old list is freed at the end, not while the lock is held
        try:
            new = self._compile(self._fetcher.fetch(flight.place))
        except CancelledError:
            self._finish(flight, self._drop, _DroppedError())
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            from_snapshot = self._snapshot.read(self._values["max_entries"]) if previous is None else None
            self._end_failed(flight, error, from_snapshot)
        else:
            if self._finish(flight, functools.partial(self._succeed, new)) and new is not None:
                self._snapshot.write(new.table, lambda: self._current is not None and self._current.list is new)
        del previous

    def _end_failed(self, flight: _Flight, error: Exception, from_snapshot: OriginList | None) -> None:
        """End a load that failed, and log that."""
        if self._finish(flight, functools.partial(self._fail, error, from_snapshot), error):
            result = "it allows no origin" if self._current is None else "its last list stays in use"
            self._log.failure(f"{self.name} failed, so {result}", error)

    def _finish(self, flight: _Flight, apply: Callable[[], None], error: Exception | None = None) -> bool:
        """Apply the result of a load, and begin the next one if it is due. Return False if the load was dropped."""
        with self._lock:
            if self._flight is not flight:
                return False
            apply()
            if self._current is not None:
                self._current.lease.until = self._next_at
            self._flight, following, self._next_flight = None, self._next_flight, None
            if following is not None:
                self._prepare(following)
        flight.end(error)
        if following is not None:
            self._fly(following)
        return True

    def _compile(self, entries: Entries) -> OriginList | None:
        """Return a new list; None if the one in force has the same entries.

        Raises:
            ValueError: If no entry is valid, or if the list is empty and must not be.
        """
        current = self._current
        if current is not None and current.list.is_made_of(entries):
            return None
        new = compile_entries(entries)
        report_left_out(self.name, new, self._reported)
        self._reported = new
        if not len(new.table) and new.left_out:
            raise ValueError(f"none of the {new.left_out:,} entries is valid")
        if not len(new.table) and current is not None and len(current.list.table) and not self._values["allow_empty"]:
            raise ValueError(
                "the list is empty, but the last one was not. If that is intended, write allow_empty=True."
            )
        return new

    def _drop(self) -> None:
        """Forget a load, so that the next request begins another one."""

    def _succeed(self, new: OriginList | None) -> None:
        """Put a new list in force; None if it is unchanged. The caller holds the lock."""
        now = self._tried_at = self._clock()
        self._failures, self._next_at, self._loaded_at = 0, now + self._every, datetime.now(UTC)
        if new is None:
            self._current = cast("_Current", self._current)._replace(loaded_at=now)
        else:
            self._replace(new, now)

    def _fail(self, error: Exception, from_snapshot: OriginList | None) -> None:
        """Plan the next load after a failed one. The caller holds the lock."""
        now = self._tried_at = self._clock()
        self._errors += 1
        self._failures += 1
        retry = _FIRST_RETRY * 2.0 ** min(self._failures - 1, 60)
        self._next_at = now + (min(retry, self._every) if self._loaded_at is None else self._every)
        self._error = LookupError(f"{self.name} failed: {text_of(error)}")
        if from_snapshot is not None:
            self._replace(from_snapshot, None)

    def _replace(self, new: OriginList, loaded_at: float | None) -> None:
        """Put a list in force. The caller holds the lock."""
        old, self._current = self._current, _Current(new, Lease(self._clock, self._next_at), loaded_at)
        self._version += 1
        if old is not None:
            old.lease.void()


class _Waiting(NamedTuple):
    """An awaitable of the answer for an origin, after the load in flight."""

    source: Loaded
    origin: str
    policy: Policy | None

    def __await__(self) -> Generator[object, Any, Answer]:
        return self.source.wait(self.origin, self.policy).__await__()


async def _wait_at_most(future: Future[None], duration: float) -> None:
    """Wait for a thread, for a number of seconds at the most, in asyncio or trio."""
    if is_in_trio():
        import trio  # noqa: PLC0415 - an event loop that is optional

        with trio.move_on_after(duration):
            await wait_for(future)
    else:
        import asyncio  # noqa: PLC0415 - expensive, and rarely needed

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(duration):
                await wait_for(future)
