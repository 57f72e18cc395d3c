"""The records of a registry, and `Store`: the interface to one database engine.

A store has entries, a version and the history of changes. `Registry` parses the origins, and caches the entries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Action = Literal["add", "update", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An origin, or a pattern, that a registry allows.

    Args:
        id: The version of the change that added it; 0 if it is not stored yet. An update does not change it.
        origin: An origin such as `https://app.example.com`, or a pattern such as `https://*.example.com`.
        tenant: The tenant that it belongs to; empty for none.
        note: A text for administrators.
        by: Who added it.
        added_at: When it was added, as an aware datetime; None if it is not stored yet.
        expires_at: When it expires, as an aware datetime; None for never.
    """

    id: int = 0
    origin: str
    tenant: str = ""
    note: str = ""
    by: str = ""
    added_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a registry. The history is append-only.

    Args:
        version: The number of the change, without gaps, from 1.
        at: When it was made, as an aware datetime.
        action: `add`, `update` (another note or expiry) or `remove`.
        origin: The origin or pattern.
        tenant: The tenant; empty for none.
        by: Who made it.
        note: The note of the entry.
        expires_at: When the entry expires, as an aware datetime; None for never.
    """

    version: int
    at: datetime
    action: Action
    origin: str
    tenant: str
    by: str = ""
    note: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One change to be made.

    Args:
        action: `add`, which also updates an entry, or `remove`.
        entry: The entry. For `remove`, only its origin, tenant and `by` are used.
    """

    action: Literal["add", "remove"]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a store.

    Args:
        id: The random id that was made with the store; empty if the store was never written to, or has lost it.
        version: The version of the newest change; 0 if there is none.
        oldest: The version of the oldest change in the history; `version + 1` if the history is empty.
    """

    id: str
    version: int
    oldest: int


class RegistryError(OSError):
    """A read or write of a store failed.

    The message names the store (a path, or host and port; never a password), the cause and the remedy.
    """


class Store(ABC):
    """One database engine, used by `Registry`. `asgi_cors.registry.testing` tests an implementation.

    Each method raises `RegistryError` if the store is unavailable. A store that was never written to is not an error:
    it has an empty id, version 0 and no entries. `Registry` calls the methods in one event loop of its own, in a
    background thread, but an implementation must work in several event loops.
    """

    name: str
    """The store in messages, such as `sqlite:///origins.db`, without a password."""

    @abstractmethod
    async def status(self) -> Status:
        """Return the id and the versions, in one consistent read."""

    @abstractmethod
    async def write(self, writes: Sequence[Write]) -> list[Action | None]:
        """Make changes in one transaction: entries, version and history, all or nothing. They are durable on return.

        If the store does not exist, make it, with its id, even if `writes` is empty. A later write sees the earlier
        ones of the same call.

        Returns:
            For each write the action that was recorded; None if nothing changed (an equal entry, or nothing to remove).

            - `add` of an entry that is not there, or that has expired by the store's clock: "add". The entry gets the
              version of the change as its id.
            - `add` with another note or expiry: "update". Id, `by` and `added_at` of the entry stay.
            - `remove` of an entry, expired or not: "remove". The change has the note and expiry of the removed entry,
              and `by` of the write.
        """

    @abstractmethod
    async def entries(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return entries in the order of their ids, including expired ones.

        Args:
            tenant: The tenant; None for all.
            after: The id of the last entry of the previous page.
            limit: The number of entries.
        """

    @abstractmethod
    async def find(self, origins: Sequence[str], *, tenant: str = "") -> list[Entry]:
        """Return the entries of a tenant with these texts, in any order, including expired ones.

        Patterns are found by their text, too; they are not matched. The cost does not depend on the number of entries
        in the store. `Registry` asks for up to 5,000 at once.
        """

    @abstractmethod
    def scan(self, *, tenant: str | None = None, only_patterns: bool = False) -> AsyncIterator[list[Entry]]:
        """Yield all entries in pages, in any order, including expired ones.

        An entry that is there from the beginning to the end of the scan is yielded at least once. The scan ends even if
        entries are added all the time. It reads each entry once, while `entries` may have to find its place again.

        Args:
            tenant: The tenant; None for all.
            only_patterns: Leave out the entries without `*`.
        """

    async def scan_origins(self) -> AsyncIterator[list[tuple[str, str, float | None]]]:
        """Yield tenant, origin and end of all entries, by the rules of `scan`.

        The end is in seconds since 1970; None for never. Workers load their list with this method. Override it if the
        engine can read that in less time than whole entries.
        """
        async for page in self.scan():
            yield [
                (entry.tenant, entry.origin, None if entry.expires_at is None else entry.expires_at.timestamp())
                for entry in page
            ]

    @abstractmethod
    async def changes(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list[Change]:
        """Return changes with a version above `after`, in their order."""

    @abstractmethod
    async def purge_history(self, before: datetime) -> int:
        """Remove the oldest changes, up to the first one that was made at `before` or later, and return their number.

        The changes that remain have no gap. Entries and version stay.
        """

    @abstractmethod
    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109 - of the store's notification
        """Return when the store may have changed, or after `timeout` seconds. Only a hint: the version decides."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections. A later call opens new ones."""
