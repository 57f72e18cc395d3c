"""Follows a store: loads its entries once, and applies its changes to this process's copy.

The follower runs in the background event loop of the registries, so a request never waits on a connection, and the
app's event loop does none of its work.

- A store without an id counts as unavailable: it was never written to, or it was flushed.
- While the store is unavailable, the last good list stays in use. A process that never loaded one refuses.
- The whole list is loaded again if changes were purged, if the version went back, or if the store has another id. If
  that list is empty because the store lost its entries, the store counts as unavailable.
- A failover, or an older copy of a file, may lose changes that were made, and as many new ones may follow before the
  next check. Id and version look unbroken then. So each check compares the last change that was applied, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asgi_cors import Answer, LimitedAwaitable

from .background import call_at_fork, submit, wait_for
from .origin_list import OriginList
from .store import RegistryError, Status, Store

if TYPE_CHECKING:
    from asgi_cors import Policy

_LOGGER: Final = logging.getLogger("asgi_cors")
_PAGE: Final = 1_000  # changes of one read
_FIRST_LOAD: Final = 2.0  # seconds that a request waits for the first load
_MAX_BACK_OFF: Final = 4.0  # seconds between two attempts to reach a store
_CATCH_UP: Final = 1.0  # seconds that a write waits until this process uses the change
_FREE_AFTER: Final = 10.0  # seconds after which no request reads a replaced list
_LOG_EVERY: Final = 60.0  # seconds between two log lines about one outage


class RegistryStatistics(NamedTuple):
    """The state of a process's copy of a registry.

    Args:
        entries: The number of entries of all tenants, including expired ones that were not removed.
        version: The version of the last change that was applied; None before the first load.
        age: The seconds since the store was last read; None before the first load.
        loads: How often the whole list was loaded.
        changes: How many changes were applied.
        errors: How many reads failed.
        error: The error of the last read; None if it succeeded.
    """

    entries: int
    version: int | None
    age: float | None
    loads: int
    changes: int
    errors: int
    error: Exception | None


class Follower:
    """This process's copy of a store's entries, and the background task that updates it.

    Args:
        store: The store.
        poll: The seconds between two checks of its version.
        clock: A monotonic clock for ages, in seconds.
    """

    def __init__(self, store: Store, *, poll: float, clock: Callable[[], float]) -> None:
        """Start without a list. The first request, or `start`, begins to load it."""
        self.poll: Final = poll
        self._store = store
        self._clock = clock
        self._list = OriginList(clock, store.name)
        self._read_at = 0.0
        self._logged_at: float | None = None
        self._loads = self._changes = self._errors = 0
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._task: Future[None] | None = None
        self._first_check: Future[None] | None = None  # of the running task; done after a failed check, too
        self._checks = asyncio.Lock()
        call_at_fork(self)

    # -- the task

    def start(self) -> None:
        """Start the background task unless it runs."""
        with self._lock:
            if self._first_check is None:
                first_check: Future[None] = Future()
                self._task = submit(self._follow(first_check))
                self._first_check = first_check

    def stop(self) -> None:
        """End the background task. The next request starts it again."""
        with self._lock:
            task, self._task = self._task, None
            self._end()
        if task is not None:
            task.cancel()

    def _end(self) -> None:
        """Void all leases, and wake the requests that wait. Without the task, no change would void a lease."""
        first_check, self._first_check = self._first_check, None
        self._list.allow_leases(allowed=False)
        if first_check is not None and not first_check.done():
            first_check.set_result(None)

    def before_fork(self) -> None:
        """Wait until no thread starts or stops the task."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Release the lock."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Use the list of the parent. The next request starts a task of this process."""
        self._lock, self._task, self._first_check = threading.Lock(), None, None
        self._checks = asyncio.Lock()
        self._list.after_fork()
        self._list.allow_leases(allowed=False)

    async def _follow(self, first_check: Future[None]) -> None:
        """Check the store until the task is cancelled."""
        failures = 0
        try:
            while True:
                failures = 0 if await self._check() else failures + 1
                with self._lock:
                    if first_check is self._first_check and not first_check.done():
                        self._list.allow_leases(allowed=True)
                        first_check.set_result(None)
                self._list.follow_clock()
                await self._wait(failures)
        finally:
            with self._lock:
                if first_check is self._first_check:  # the task failed: the next request starts another one
                    self._end()

    async def _wait(self, failures: int) -> None:
        if failures:
            longest = max(self.poll, _MAX_BACK_OFF)
            return await asyncio.sleep(min(self.poll * 2.0 ** min(failures, 20), longest))
        with contextlib.suppress(RegistryError):  # the store's notification fails
            return await self._store.wait(self.poll)
        return await asyncio.sleep(self.poll)

    async def catch_up(self) -> None:
        """Apply a write of this process now if requests use the list. Wait for a second at most."""
        if self._first_check is not None:
            self._catching_up = asyncio.ensure_future(self._check())  # referenced, so that it is not freed
            await asyncio.wait({self._catching_up}, timeout=_CATCH_UP)

    # -- one check

    async def _check(self) -> bool:
        """Compare the versions, and update the list. Return whether the store could be read."""
        async with self._checks:
            try:
                await self._update()
            except Exception as error:  # noqa: BLE001 - a RegistryError, or a mistake of a store
                self._fail(error)
                return False
            if self._error is not None:
                _LOGGER.info("%s can be read again", self._store.name)
            self._error, self._logged_at, self._read_at = None, None, self._clock()
            return True

    async def _update(self) -> None:
        status = await self._store.status()
        if not status.id:
            raise RegistryError(
                f"{self._store.name}: it was never written to, or has lost its content. Add an origin, or restore it."
            )
        origins = self._list
        is_same = status.id == origins.id and status.oldest - 1 <= origins.version <= status.version
        if is_same and status.oldest > origins.version:  # the last change was purged, and can't be compared
            is_same = self._error is None  # else changes may have been lost during the outage
        if not is_same:
            await self._load(status)
        elif not await self._apply(origins, status.oldest):
            await self._load(await self._store.status())

    async def _apply(self, origins: OriginList, oldest: int) -> bool:
        """Apply the changes since the list's version. Return False if they don't follow it, or some are missing.

        Args:
            origins: The list.
            oldest: The version of the oldest change that the store has.
        """
        has_more = True
        while has_more:
            changes = await self._store.changes(after=max(origins.version - 1, 0), limit=_PAGE)
            if changes and changes[0].version == origins.version:
                if changes.pop(0) != origins.newest:
                    return False
            elif oldest <= origins.version:
                return False
            for change in changes:
                if change.version != origins.version + 1:
                    return False
                origins.apply(change)
                self._changes += 1
            has_more = len(changes) >= _PAGE - 1
        return True

    async def _load(self, status: Status) -> None:
        """Load the whole list, and apply the changes that were made meanwhile."""
        newest = await self._store.changes(after=max(status.version - 1, 0), limit=1)
        fresh = OriginList(self._clock, self._store.name, status, newest[0] if newest else None)
        async for page in self._store.scan_origins():
            fresh.load(page)
        if not await self._apply(fresh, status.oldest) or (await self._store.status()).id != status.id:
            raise RegistryError(f"{self._store.name}: it was replaced while it was read. It will be read again.")
        old = self._list
        if old.size and not fresh.size and (status.id != old.id or status.version < old.version):
            raise RegistryError(f"{self._store.name}: it has lost its entries. Restore them.")
        with self._lock:  # `stop` ends the leases of one of both lists
            self._list = fresh
            fresh.allow_leases(allowed=old.has_leases)
            old.allow_leases(allowed=False)
        self._loads += 1
        asyncio.get_running_loop().call_later(_FREE_AFTER, old.free)

    def _fail(self, error: Exception) -> None:
        self._errors += 1
        self._error = error
        now = self._clock()
        if self._logged_at is None or now - self._logged_at >= _LOG_EVERY:
            self._logged_at = now
            effect = "the last good list stays in use" if self._list.id else "its origins are refused until it is read"
            text = error if isinstance(error, RegistryError) else f"{self._store.name}: {error!r}"
            _LOGGER.warning("A registry can't be read, and is tried again; %s. %s", effect, text)

    # -- requests

    def look_up(self, tenant: str, origin: str, policy: Policy | None) -> Answer | LimitedAwaitable:
        """Return whether an entry of a tenant allows an origin; an awaitable during the first load."""
        if self._first_check is None:
            try:
                self.start()
            except Exception as error:  # noqa: BLE001 - such as "can't start new thread"
                return Answer(allowed=False, error=error)
        first_check = self._first_check
        if first_check is None or first_check.done():
            return self._answer(tenant, origin, policy)
        return LimitedAwaitable(self._wait_and_answer(first_check, tenant, origin, policy), _FIRST_LOAD + 1)

    async def _wait_and_answer(
        self, first_check: Future[None], tenant: str, origin: str, policy: Policy | None
    ) -> Answer:
        await wait_for(first_check, _FIRST_LOAD)
        return self._answer(tenant, origin, policy)

    def _answer(self, tenant: str, origin: str, policy: Policy | None) -> Answer:
        origins = self._list
        if origins.id:
            return origins.answer(tenant, origin, policy)
        error = self._error or RegistryError(
            f"{self._store.name}: the list is not loaded yet. A server with lifespan loads it at start-up."
        )
        return Answer(allowed=False, error=error)

    def origin_sets(self, tenant: str, policy: Policy) -> Iterable[Any]:
        """Return the sets of a tenant's origins."""
        return self._list.origin_sets(tenant, policy)

    def describe(self, tenant: str, origin: str, policy: Policy | None, name: str) -> tuple[bool | None, str]:
        """Return whether a tenant's entry allows an origin, and the age of the list. Load nothing."""
        origins = self._list
        if not origins.id:
            return None, f"asked at run time ({name} is not loaded yet)"
        allowed = origins.answer(tenant, origin, policy).allowed
        read = f"version {origins.version}, read {_age(self._clock() - self._read_at)} ago"
        count = origins.count(tenant)
        text = (
            f"{'allowed' if allowed else 'refused'} by {name}, {read}, {count:,} {'entry' if count == 1 else 'entries'}"
        )
        return allowed, text if self._error is None else f"{text}; the store can't be read now"

    def stats(self) -> RegistryStatistics:
        """Return the state of the list."""
        origins = self._list
        version, age = (origins.version, self._clock() - self._read_at) if origins.id else (None, None)
        return RegistryStatistics(
            entries=origins.size,
            version=version,
            age=age,
            loads=self._loads,
            changes=self._changes,
            errors=self._errors,
            error=self._error,
        )


def _age(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits
