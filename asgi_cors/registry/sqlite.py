"""A registry in an SQLite file: one file, shared by the workers of one machine."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from asgi_cors import ConfigError, Issue

from .registry import Registry
from .sqlite_connection import Connection
from .store import Action, Change, Entry, RegistryError, Status, Store, Write

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE: Final = 2_000  # rows of one read of a scan
_PURGE: Final = 10_000  # changes that are purged in one transaction

# Pages, with the condition on the tenant to be filled in
_ENTRIES: Final = "SELECT * FROM entries WHERE {}id > ? ORDER BY id LIMIT ?"
_PATTERNS: Final = "SELECT * FROM entries WHERE {}id > ? AND instr(origin, '*') ORDER BY id LIMIT ?"
_ORIGINS: Final = "SELECT id, tenant, origin, expires_at FROM entries WHERE {}id > ? ORDER BY id LIMIT ?"
_CHANGES: Final = "SELECT * FROM history WHERE {}version > ? ORDER BY version LIMIT ?"


class SQLiteRegistry(Registry):
    """A registry in an SQLite file, for the workers of one machine.

    The first write makes the file. Its folder must exist, on a local file system, not on NFS. SQLite makes two more
    files next to it, whose names end in `-wal` and `-shm`. So workers, too, need write rights to the folder.

    Args:
        path: The path of the file. A relative path is resolved at once.
        poll: The seconds between two checks for changes of other processes.
        read_only: Whether methods that write raise `RegistryError`.
        clock: A monotonic clock for ages, in seconds.

    Raises:
        ConfigError: If an argument is invalid.
    """

    has_url = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        poll: float = 0.5,
        read_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet. The first call opens the file."""
        super().__init__(SQLiteStore(path, read_only=read_only), poll=poll, clock=clock)
        self._arguments = [repr(os.fspath(path))]
        self._arguments += [f"poll={poll:g}"] if poll != 0.5 else []  # noqa: PLR2004 - the default
        self._arguments += ["read_only=True"] if read_only else []

    def __repr__(self) -> str:
        """Return the call that makes an equal registry."""
        return f"SQLiteRegistry({', '.join(self._arguments)})"


class SQLiteStore(Store):
    """A store in an SQLite file. Readers and writers have connections of their own.

    Args:
        path: The path of the file.
        read_only: Whether methods that write raise `RegistryError`.

    Raises:
        ConfigError: If the path is invalid.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        """Open nothing yet. The first call opens the file."""
        self.path = _absolute(path)
        self.name = _url_of(os.fspath(path))
        self._read_only = read_only
        self._reader = Connection(self.path, self.name, writes=False)
        self._writer = Connection(self.path, self.name, writes=True)

    async def status(self) -> Status:
        """Return the id and the versions."""
        return await self._reader.run(_status, Status("", 0, 1))

    async def write(self, writes: Sequence[Write]) -> list[Action | None]:
        """Make changes in one transaction."""
        if self._read_only:
            raise RegistryError(f"{self.name}: it was opened with read_only=True. Write with another registry object.")
        return await self._writer.run(lambda connection: _write(connection, writes))

    async def entries(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return entries in the order of their ids."""
        return [_entry(*row) for row in await self._page(_ENTRIES, tenant, after, limit)]

    async def find(self, names: Sequence[tuple[str, str]]) -> list[Entry]:
        """Return the entries with these tenants and origins."""
        rows: list[Any] = await self._reader.run(lambda connection: _find(connection, names), [])
        return [_entry(*row) for row in rows]

    async def scan(self, *, tenant: str | None = None, only_patterns: bool = False) -> AsyncIterator[list[Entry]]:
        """Yield all entries in pages, in the order of their ids. Entries that are added meanwhile may be left out."""
        async for rows in self._scan(_PATTERNS if only_patterns else _ENTRIES, tenant):
            yield [_entry(*row) for row in rows]

    async def scan_origins(self) -> AsyncIterator[list[tuple[str, str, float | None]]]:
        """Yield tenant, origin and end of all entries, as `scan` does."""
        async for rows in self._scan(_ORIGINS, None):
            yield [(of, origin, None if ends is None else ends / 1_000_000) for _, of, origin, ends in rows]

    async def _scan(self, query: str, tenant: str | None) -> AsyncIterator[list[Any]]:
        after, last = 0, (await self.status()).version
        while after < last and (rows := await self._page(query, tenant, after, _PAGE)):
            yield rows
            after = rows[-1][0]

    async def _page(self, query: str, tenant: str | None, after: int, limit: int) -> list[Any]:
        return await self._reader.run(lambda connection: _page(connection, query, tenant, after, limit), [])

    async def changes(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list[Change]:
        """Return changes with a version above `after`."""
        return [_change(*row) for row in await self._page(_CHANGES, tenant, after, limit)]

    async def purge_history(self, before: datetime) -> int:
        """Remove the oldest changes, in transactions of 10,000."""
        if not (await self.status()).id:
            return 0
        if self._read_only:
            raise RegistryError(f"{self.name}: it was opened with read_only=True. Write with another registry object.")
        purged = 0
        while count := await self._writer.run(lambda connection: _purge(connection, _microseconds(before))):
            purged += count
        return purged

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109 - SQLite has no notification
        """Wait for `timeout` seconds. Checks are made at that interval, because SQLite has no notification."""
        await asyncio.sleep(timeout)

    async def close(self) -> None:
        """Close both connections."""
        await self._reader.close()
        await self._writer.close()


def _absolute(path: str | os.PathLike[str]) -> Path:
    text: Any = os.fspath(path) if isinstance(path, os.PathLike) else path
    issue = None
    if not isinstance(text, str):
        issue = Issue.wrong_type("path", path, "a path", "Write SQLiteRegistry('origins.db').")
    elif not text or "\0" in text:
        issue = Issue("registry-path", "path", path, "the path of a file is needed", "Write 'origins.db'.")
    elif text.startswith(":memory:"):
        message = "a registry in memory would be lost, and other workers could not read it"
        issue = Issue("registry-path", "path", path, message, "Name a file, in a temporary folder for tests.")
    elif text.startswith(("sqlite:", "file:")):
        issue = Issue("registry-path", "path", path, "this is a URL, not a path", f"Write open_registry({text!r}).")
    if issue is not None:
        raise ConfigError([issue])
    return Path(os.path.abspath(text))  # noqa: PTH100 - resolve() would follow links


def _url_of(path: str) -> str:
    """Return the URL with which `open_registry` opens a path. Letters that are not ASCII stay as they are."""
    encoded = re.sub(r"[\x00-\x7f\s]+", lambda match: quote(match[0], safe="/:"), path)
    return f"sqlite:///{encoded}"


# -- in the thread of a connection, in a transaction


def _status(connection: sqlite3.Connection) -> Status:
    identity, version = connection.execute("SELECT id, version FROM state").fetchone()
    (oldest,) = connection.execute("SELECT min(version) FROM history").fetchone()
    return Status(identity, version, version + 1 if oldest is None else oldest)


def _write(connection: sqlite3.Connection, writes: Sequence[Write]) -> list[Action | None]:
    now = _microseconds(datetime.now(UTC))
    (version,) = connection.execute("SELECT version FROM state").fetchone()
    actions: list[Action | None] = []
    for write in writes:
        action = _write_one(connection, write, version + 1, now)
        version += action is not None
        actions.append(action)
    connection.execute("UPDATE state SET version = ?", (version,))
    return actions


def _write_one(connection: sqlite3.Connection, write: Write, version: int, now: int) -> Action | None:
    entry = write.entry
    note, ends = entry.note, _microseconds(entry.expires_at)
    stored = connection.execute(
        "SELECT id, note, expires_at FROM entries WHERE tenant = ? AND origin = ?", (entry.tenant, entry.origin)
    ).fetchone()
    action: Action
    if write.action == "remove":
        if stored is None:
            return None
        action, (number, note, ends) = "remove", stored
        connection.execute("DELETE FROM entries WHERE id = ?", (number,))
    elif stored is None or (stored[2] is not None and stored[2] <= now):
        action = "add"
        connection.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)",
            (version, entry.tenant, entry.origin, note, entry.by, now, ends),
        )
    elif stored[1:] != (note, ends):
        action = "update"
        connection.execute("UPDATE entries SET note = ?, expires_at = ? WHERE id = ?", (note, ends, stored[0]))
    else:
        return None
    connection.execute(
        "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (version, now, action, entry.tenant, entry.origin, note, entry.by, ends),
    )
    return action


def _page(connection: sqlite3.Connection, query: str, tenant: str | None, after: int, limit: int) -> list[Any]:
    where, values = ("", ()) if tenant is None else ("tenant = ? AND ", (tenant,))
    return connection.execute(query.format(where), (*values, after, limit)).fetchall()


def _find(connection: sqlite3.Connection, names: Sequence[tuple[str, str]]) -> list[Any]:
    query = "SELECT * FROM entries WHERE tenant = ? AND origin = ?"
    found = (connection.execute(query, name).fetchone() for name in dict.fromkeys(names))
    return [row for row in found if row is not None]


def _purge(connection: sqlite3.Connection, before: int) -> int:
    """Purge some of the oldest changes, and return their number."""
    (stays,) = connection.execute("SELECT min(version) FROM history WHERE at >= ?", (before,)).fetchone()
    (oldest,) = connection.execute("SELECT min(version) FROM history").fetchone()
    (newest,) = connection.execute("SELECT version FROM state").fetchone()
    if oldest is None:
        return 0
    last = min(newest if stays is None else stays - 1, oldest + _PURGE - 1)
    connection.execute("UPDATE state SET purged = max(purged, ?)", (last,))
    return connection.execute("DELETE FROM history WHERE version <= ?", (last,)).rowcount


# -- rows


def _entry(  # noqa: PLR0913, PLR0917 - the columns
    number: int, tenant: str, origin: str, note: str, by: str, added_at: int, ends: int | None
) -> Entry:
    return Entry(
        id=number,
        origin=origin,
        tenant=tenant,
        note=note,
        by=by,
        added_at=_datetime(added_at),
        expires_at=_datetime(ends),
    )


def _change(  # noqa: PLR0913, PLR0917 - the columns
    version: int, at: int, action: Action, tenant: str, origin: str, note: str, by: str, ends: int | None
) -> Change:
    return Change(
        version=version,
        at=EPOCH + timedelta(microseconds=at),
        action=action,
        origin=origin,
        tenant=tenant,
        by=by,
        note=note,
        expires_at=_datetime(ends),
    )


def _microseconds(time_: Any) -> Any:
    return None if time_ is None else (time_ - EPOCH) // timedelta(microseconds=1)


def _datetime(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)
