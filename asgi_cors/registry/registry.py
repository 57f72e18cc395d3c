"""The interface of a registry over a store, for administrators and as an entry of `allow_origins`."""

from __future__ import annotations

import copy
import shlex
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import closing
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asgi_cors import Answer, ConfigError, LimitedAwaitable, OriginSource

from .background import run
from .batches import BATCH, AddResult, Scan, add_in_batches
from .follower import Follower, RegistryStatistics
from .preview import Preview
from .store import Action, Change, Entry, Store, Write
from .sync import SyncRegistry, run_in_this_thread
from .validation import (
    check_entry,
    check_options,
    check_origins,
    check_page,
    check_text,
    check_texts,
    check_time,
    check_type,
    is_storable,
)
from .watch import watch

if TYPE_CHECKING:
    from asgi_cors import Policy

Result = TypeVar("Result")


class Registry(OriginSource):
    """A list of origins in a store, and an entry of `allow_origins`: those of tenant "".

    The methods can be awaited under asyncio and trio. `sync` has the same methods without async, for scripts and for
    the views of Flask and Django. If the caller is cancelled, a write still ends.

    Args:
        store: The store.
        poll: The seconds between two checks for changes.
        clock: A monotonic clock for ages, in seconds.

    Raises:
        ConfigError: If an argument is invalid.
    """

    has_url: bool = False
    """Whether the name of the store is a URL with which `asgi-cors origins` opens this registry."""

    command_options: tuple[str, ...] = ()
    """The options of `asgi-cors origins` that open this registry, besides `--store`."""

    def __init__(self, store: Store, *, poll: float = 0.5, clock: Callable[[], float] = time.monotonic) -> None:
        """Open nothing yet. The first call opens the store."""
        check_options(poll=poll, clock=clock)
        self.store: Final = store
        self._follower = Follower(store, poll=poll, clock=clock)
        self._run: Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]] = run  # `sync` has another one

    # -- administration

    async def add(
        self, origin: str, *, tenant: str = "", note: str = "", by: str = "", expires_at: datetime | None = None
    ) -> bool:
        """Add an origin or pattern, or change its note and expiry. This process allows it when the call returns.

        Args:
            origin: An origin such as `https://app.example.com`, or a pattern such as `https://*.example.com`. `*`,
                `null` and regular expressions are not accepted.
            tenant: The tenant that it belongs to.
            note: A text for administrators, on one line.
            by: Who adds it.
            expires_at: When it expires, as an aware datetime; None for never.

        Returns:
            Whether the entry is new.

        Raises:
            ConfigError: If an argument is invalid. Its issues say how to correct it.
            RegistryError: If the write fails.
        """
        entry = Entry(origin=origin, tenant=tenant, note=note, by=by, expires_at=expires_at)
        if issues := check_entry(entry):
            raise ConfigError(issues)
        return await self._write([Write("add", entry)]) == ["add"]

    async def remove(self, origin: str, *, tenant: str = "", by: str = "") -> bool:
        """Remove an origin or pattern. This process refuses it when the call returns.

        Args:
            origin: The origin or pattern, as it was added.
            tenant: The tenant that it belongs to.
            by: Who removes it.

        Returns:
            Whether the entry was there.

        Raises:
            ConfigError: If an argument is not a string.
            RegistryError: If the write fails.
        """
        entry = Entry(origin=origin, tenant=tenant, by=by)
        issues = check_texts(entry)
        if type_issue := check_type("origin", origin, "Write 'https://app.example.com'."):
            issues.insert(0, type_issue)
        if issues:
            raise ConfigError(issues)
        if not is_storable(origin):
            return False
        return await self._write([Write("remove", entry)]) == ["remove"]

    async def add_all(
        self,
        entries: Iterable[Entry | str] | AsyncIterable[Entry | str],
        *,
        dry_run: bool = False,
        on_progress: Callable[[int], object] | None = None,
    ) -> AddResult:
        """Add many entries, in transactions of 5,000. Invalid entries are left out. An empty list makes the store.

        Args:
            entries: Entries or origins. Their `id` and `added_at` are not used.
            dry_run: Check and count only, and write nothing.
            on_progress: Called after each transaction with the number of entries so far.

        Raises:
            RegistryError: If the write fails. The transactions before it are stored.
        """
        if dry_run:
            with closing(Preview(self.store)) as preview:
                return await add_in_batches(entries, lambda writes: self._run(preview.write(writes)), on_progress)
        return await add_in_batches(entries, self._write, on_progress)

    async def list(self, *, tenant: str | None = None, after: int | None = None, limit: int = 1000) -> list[Entry]:
        """Return entries in the order in which they were added, including expired ones.

        Args:
            tenant: The tenant; None for all, "" for the entries without one.
            after: The id of the last entry of the previous page; None for the first page.
            limit: The number of entries.

        Raises:
            ConfigError: If an argument is invalid.
            RegistryError: If the store can't be read.
        """
        check_page(tenant=tenant, after=after, limit=limit)
        entries: list[Entry] = await self._run(self.store.entries(tenant=tenant, after=after or 0, limit=limit))
        return entries

    async def find(self, origins: Iterable[str], *, tenant: str = "") -> list_[Entry]:
        """Return the entries with these texts, in any order, including expired ones. Patterns are not matched.

        Args:
            origins: Origins or patterns, as they were added.
            tenant: Their tenant.

        Raises:
            ConfigError: If an argument is invalid.
            RegistryError: If the store can't be read.
        """
        names = [(tenant, origin) for origin in check_origins(origins, tenant) if is_storable(origin)]
        found: list_[Entry] = []
        for start in range(0, len(names), BATCH):
            found += await self._run(self.store.find(names[start : start + BATCH]))
        return found

    def scan(self, *, tenant: str | None = None, only_patterns: bool = False) -> AsyncIterator[Entry]:
        """Iterate over all entries, in any order, including expired ones.

        One walk over a large store takes much less time than the pages of `list`. Entries that are added or removed
        meanwhile may be left out, and an entry may come twice.

        Args:
            tenant: The tenant; None for all, "" for the entries without one.
            only_patterns: Leave out the entries without `*`.

        Raises:
            ConfigError: If the tenant is invalid.
            RegistryError: If the store can't be read. The iteration ends.
        """
        check_page(tenant=tenant, after=None, limit=1)
        return Scan(self.store.scan(tenant=tenant, only_patterns=only_patterns), self._run)

    async def history(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list_[Change]:
        """Return changes in their order.

        Args:
            tenant: The tenant; None for all, "" for the entries without one.
            after: The version of the last change of the previous page.
            limit: The number of changes.

        Raises:
            ConfigError: If an argument is invalid.
            RegistryError: If the store can't be read.
        """
        check_page(tenant=tenant, after=after, limit=limit)
        changes: list_[Change] = await self._run(self.store.changes(tenant=tenant, after=after, limit=limit))
        return changes

    async def purge_history(self, before: datetime) -> int:
        """Remove the oldest changes from the history, up to the first one that was made at `before` or later.

        Entries and versions stay. A worker that was away for longer loads the whole list again.

        Args:
            before: An aware datetime.

        Returns:
            The number of changes that were removed.

        Raises:
            ConfigError: If `before` is not an aware datetime.
            RegistryError: If the write fails.
        """
        purged: int = await self._run(self.store.purge_history(check_time("before", before)))
        return purged

    def watch(self, *, tenant: str | None = None, after: int | None = None) -> AsyncIterator[Change]:
        """Iterate over changes as they are made. The iterator does not end.

        While the store is unavailable, the iterator waits, and then catches up. Changes that were purged meanwhile are
        skipped. If the store was replaced by another one, the iterator begins with the oldest change of that store. If
        the store lost changes, as Redis may in a failover, the iterator goes on with the next one.

        Args:
            tenant: The tenant; None for all.
            after: The version of the last change that is known; None for changes made after the iteration begins.

        Raises:
            ConfigError: If an argument is invalid.
        """
        check_page(tenant=tenant, after=after, limit=1)
        return watch(self.store, self._run, self._follower.poll, tenant=tenant, after=after)

    async def close(self) -> None:
        """Stop the background task and close the connections. A later use opens them again."""
        self._follower.stop()
        await self._run(self.store.close())

    @cached_property
    def sync(self) -> SyncRegistry:
        """The same methods without async. Each call blocks its thread."""
        registry = copy.copy(self)
        registry._run = run_in_this_thread  # noqa: SLF001 - a copy of this object
        return SyncRegistry(registry)

    async def _write(self, writes: list_[Write]) -> list_[Action | None]:
        async def write() -> list_[Action | None]:
            actions = await self.store.write(writes)
            await self._follower.catch_up()
            return actions

        actions: list_[Action | None] = await self._run(write())
        return actions

    # -- an entry of `allow_origins`

    def tenant(self, name: str) -> TenantOrigins:
        """Return an entry of `allow_origins` with the origins of one tenant alone.

        Args:
            name: The tenant, as in `add(…, tenant=name)`.

        Raises:
            ConfigError: If it is not a valid name.
        """
        if issue := check_text("tenant", name):
            raise ConfigError([issue])
        return TenantOrigins(self, self._follower, name)

    def look_up(self, origin: str, policy: Policy | None = None) -> Answer | LimitedAwaitable:
        """Return whether an entry without a tenant allows `origin`."""
        return self._follower.look_up("", origin, policy)

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        """Return whether an entry without a tenant allows `origin`, and the age of the list."""
        return self._follower.describe("", origin, policy, repr(self))

    def remedy(self, origin: str) -> str:
        """Return the command that adds an origin; see `OriginSource`."""
        return _remedy(self, self, origin)

    def origin_sets(self, policy: Policy) -> Iterable[Any]:
        """Return the origins of the entries without a tenant."""
        return self._follower.origin_sets("", policy)

    def start(self) -> None:
        """Begin to load the list, before the first request."""
        self._follower.start()

    def stop(self) -> None:
        """Stop the background task. The next request starts it again."""
        self._follower.stop()

    def stats(self) -> RegistryStatistics:
        """Return the state of this process's copy of the list."""
        return self._follower.stats()

    def __repr__(self) -> str:
        """Return the name of the store, without a password."""
        return f"{type(self).__name__}({self.store.name!r})"


list_ = list  # in the class above, `list` is a method


def _remedy(registry: Registry, entry: OriginSource, origin: str, tenant: str = "") -> str:
    if not registry.has_url:
        return f"add {origin!r} to {entry!r}"
    arguments = [origin, *(["--tenant", tenant] if tenant else []), "--store", registry.store.name]
    arguments += registry.command_options
    return f"run `asgi-cors origins add {shlex.join(arguments)}`"


class TenantOrigins(OriginSource):
    """The origins of one tenant of a registry; see `Registry.tenant`.

    Args:
        registry: The registry.
        follower: The list of the registry.
        name: The tenant.
    """

    def __init__(self, registry: Registry, follower: Follower, name: str) -> None:
        """Share the list of the registry."""
        self._registry = registry
        self._follower = follower
        self._name = name

    def look_up(self, origin: str, policy: Policy | None = None) -> Answer | LimitedAwaitable:
        """Return whether an entry of the tenant allows `origin`."""
        return self._follower.look_up(self._name, origin, policy)

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        """Return whether an entry of the tenant allows `origin`, and the age of the list."""
        return self._follower.describe(self._name, origin, policy, repr(self))

    def remedy(self, origin: str) -> str:
        """Return the command that adds an origin to the tenant; see `OriginSource`."""
        return _remedy(self._registry, self, origin, self._name)

    def origin_sets(self, policy: Policy) -> Iterable[Any]:
        """Return the origins of the tenant."""
        return self._follower.origin_sets(self._name, policy)

    def start(self) -> None:
        """Begin to load the list, before the first request."""
        self._registry.start()

    def stop(self) -> None:
        """Stop the background task of the registry. The next request starts it again."""
        self._registry.stop()

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same tenant of the same registry."""
        if not isinstance(other, TenantOrigins):
            return NotImplemented
        return self._registry is other._registry and self._name == other._name

    def __hash__(self) -> int:
        """Return a hash of registry and tenant."""
        return hash((self._registry, self._name))

    def __repr__(self) -> str:
        """Return the registry and the tenant, as the call of `tenant`."""
        return f"{self._registry!r}.tenant({self._name!r})"
