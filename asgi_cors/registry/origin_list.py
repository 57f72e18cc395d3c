"""A worker's copy of the entries, by tenant. One thread changes it while others read it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import Answer, Lease, OriginTable

from .expiring import ExpiringOrigins, wall_clock
from .store import Change, Status

if TYPE_CHECKING:
    from asgi_cors import Policy

_LOGGER: Final = logging.getLogger("asgi_cors")
_MAX_LOGGED: Final = 10  # invalid entries of one list


class TenantList:
    """The origins of one tenant.

    Args:
        lease: The lease of its answers. The next change voids it.
    """

    __slots__ = ("expiring", "lease", "permanent", "size")

    def __init__(self, lease: Lease) -> None:
        """Start without an entry."""
        self.lease = lease
        self.size = 0  # entries in `permanent`
        self.permanent = OriginTable()
        self.expiring: ExpiringOrigins | None = None

    def add(self, text: str, end: datetime | None) -> bool:
        """Add an entry, or change its expiry, and return whether it is valid."""
        # It is removed from its old place at last: it is allowed all the time.
        if end is None:
            if text not in self.permanent:
                if not self.permanent.insert(text):
                    return False
                self.size += 1
            if self.expiring is not None:
                self.expiring.discard(text)
            return True
        if self.expiring is None:
            self.expiring = ExpiringOrigins()
        is_valid = self.expiring.add(text, end.timestamp())
        self._discard_permanent(text)
        return is_valid

    def load(self, entries: list[tuple[str, float | None]]) -> list[str]:
        """Add entries with their ends, and return the invalid ones. Of one that comes twice, the last end counts."""
        invalid: list[str] = []
        insert = self.permanent.insert
        for text, end in entries:
            if end is None:
                is_valid = insert(text)
                if self.expiring is not None:
                    self.expiring.discard(text)
            else:
                if self.expiring is None:
                    self.expiring = ExpiringOrigins()
                is_valid = self.expiring.add(text, end)
                self.permanent.discard(text)
            if not is_valid:
                invalid.append(text)
        self.size = len(self.permanent)
        return invalid

    def discard(self, text: str) -> None:
        """Remove an entry if it is there."""
        if self.expiring is None or not self.expiring.discard(text):
            self._discard_permanent(text)

    def _discard_permanent(self, text: str) -> None:
        if text in self.permanent:
            self.permanent.discard(text)
            self.size -= 1

    def __len__(self) -> int:
        """Return the number of entries, including expired ones."""
        return self.size + (0 if self.expiring is None else len(self.expiring))

    def answer(self, origin: str, policy: Policy | None) -> Answer:
        """Return whether an entry allows an origin now."""
        lease = self.lease  # before the origins are read, so that a change in between voids it
        if self.permanent.allows(origin, policy):
            return Answer(allowed=True, leases=(lease,))
        if self.expiring is not None:
            if end := self.expiring.lease(origin, policy):
                return Answer(allowed=True, leases=(lease, end))
            if self.permanent.allows(origin, policy):  # it was moved from one to the other meanwhile
                return Answer(allowed=True, leases=(lease,))
        return Answer(allowed=False, leases=(lease,))


class OriginList:
    """The entries of all tenants. Its answers can't be used again until `allow_leases` is called.

    Args:
        clock: The clock of the leases, in seconds.
        name: The store in log lines.
        status: The state of the store before it was read; None for a list that was not loaded.
        newest: The newest change at that time; None if there was none, or it was purged.
    """

    def __init__(
        self, clock: Callable[[], float], name: str, status: Status | None = None, newest: Change | None = None
    ) -> None:
        """Start without an entry."""
        self.id = "" if status is None else status.id
        self.version = 0 if status is None else status.version  # of the last change that was applied
        self.newest = newest  # that change
        self.has_leases = False
        self._clock = clock
        self._name = name
        self._tenants: dict[str, TenantList] = {}
        self._others = TenantList(self._lease())  # for tenants without an entry
        self._wall_time = wall_clock()
        self._invalid = 0
        self.size = 0

    # -- readers

    def answer(self, tenant: str, origin: str, policy: Policy | None) -> Answer:
        """Return whether an entry of a tenant allows an origin now."""
        others = self._others.lease  # before the tenant is looked for, because a new tenant voids it
        if (found := self._tenants.get(tenant)) is None:
            return Answer(allowed=False, leases=(others,))
        return found.answer(origin, policy)

    def origin_sets(self, tenant: str, policy: Policy) -> tuple[Any, ...]:
        """Return the sets of allowed origins of a tenant."""
        if (found := self._tenants.get(tenant)) is None:
            return ()
        expiring = () if found.expiring is None else found.expiring.origin_sets(policy)
        return (*found.permanent.origin_sets(policy), *expiring)

    def count(self, tenant: str) -> int:
        """Return the number of a tenant's entries, including expired ones."""
        return len(self._tenants.get(tenant, ()))

    # -- the thread that changes the list

    def load(self, page: list[tuple[str, str, float | None]]) -> None:
        """Add entries, before the list has readers."""
        origins: dict[str, list[tuple[str, float | None]]] = {}
        for name, origin, end in page:
            origins.setdefault(name, []).append((origin, end))
        for name, ends in origins.items():
            tenant = self._tenants.get(name)
            if tenant is None:
                tenant = self._tenants[name] = TenantList(self._lease())
            before = len(tenant)
            for invalid in tenant.load(ends):
                self._log_invalid(name, invalid)
            self.size += len(tenant) - before
            if not len(tenant):
                del self._tenants[name]

    def apply(self, change: Change) -> None:
        """Make a change, and void the leases of the tenant's answers."""
        if change.action != "remove":
            self._renew(self._add(change.tenant, change.origin, change.expires_at))
        elif (tenant := self._tenants.get(change.tenant)) is not None:
            before = len(tenant)
            tenant.discard(change.origin)
            self.size += len(tenant) - before
            if not len(tenant):
                del self._tenants[change.tenant]
            self._renew(tenant)
        self.newest = change
        self.version = change.version  # last: a process that is forked before this loads the list again

    def _add(self, name: str, origin: str, end: datetime | None) -> TenantList:
        """Add an entry, and return the list whose answers change."""
        tenant = self._tenants.get(name)
        if is_new := tenant is None:
            tenant = TenantList(self._lease())
        before = len(tenant)
        if not tenant.add(origin, end):
            self._log_invalid(name, origin)
        self.size += len(tenant) - before
        if not is_new:
            return tenant
        if len(tenant):
            self._tenants[name] = tenant
        return self._others

    def _log_invalid(self, tenant: str, origin: str) -> None:
        self._invalid += 1
        if self._invalid <= _MAX_LOGGED:
            of_tenant = f" of tenant {tenant!r}" if tenant else ""
            message = "%s: the stored entry %.200r%s is not a valid origin, and is left out. Remove it."
            _LOGGER.warning(message, self._name, origin, of_tenant)

    # -- leases

    def _lease(self) -> Lease:
        lease = Lease(self._clock)
        if not self.has_leases:
            lease.void()
        return lease

    def _renew(self, tenant: TenantList) -> None:
        """Void the lease of a tenant. Its next answers have a new one."""
        lease, tenant.lease = tenant.lease, self._lease()
        lease.void()

    def allow_leases(self, *, allowed: bool) -> None:
        """Lease answers from now on, or void all leases, because no task applies changes that would void them."""
        self.has_leases = allowed
        for tenant in self._all():
            self._renew(tenant)

    def follow_clock(self) -> None:
        """If the wall clock was set back, void the leases of tenants with expiring entries: some are allowed again."""
        last, self._wall_time = self._wall_time, wall_clock()
        if self._wall_time < last:
            for tenant in self._all():
                if tenant.expiring is not None:
                    self._renew(tenant)

    def _all(self) -> Iterator[TenantList]:
        yield from [*self._tenants.values(), self._others]

    # -- forks and memory

    def after_fork(self) -> None:
        """Replace the locks, which another thread may have held."""
        for tenant in self._all():
            if tenant.expiring is not None:
                tenant.expiring.after_fork()

    def free(self) -> None:
        """Free the memory in slices, because all other threads wait while many objects are freed at once."""
        while self._tenants:
            _, tenant = self._tenants.popitem()
            if tenant.expiring is not None:
                tenant.expiring.free()
