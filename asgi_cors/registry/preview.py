"""Counts what writes would change, for `add_all(dry_run=True)`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from .store import Action, RegistryError, Store, Write

Key = tuple[str, str]  # tenant and origin
Value = tuple[str, str]  # note and end

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS entries
    (tenant TEXT, origin TEXT, note TEXT, ends TEXT, PRIMARY KEY (tenant, origin)) WITHOUT ROWID
"""


class Preview:
    """The entries as they would be after some writes.

    Those of earlier calls are in a temporary file of SQLite, so a long import takes constant memory.

    Args:
        store: The store. It is only read.
    """

    def __init__(self, store: Store) -> None:
        """Begin without a write."""
        self._store = store
        # SQLite deletes the file. Its methods may be called in another thread, one at a time.
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)

    async def write(self, writes: Sequence[Write]) -> list[Action | None]:
        """Return the actions that `Store.write` would record for writes that add entries.

        Raises:
            RegistryError: If the store can't be read, or there is no space for the temporary file.
        """
        try:
            return await self._write(writes)
        except sqlite3.Error as error:
            raise RegistryError(
                f"{self._store.name}: the dry run has no temporary file ({error}). Free some space in the temporary "
                "folder, or set SQLITE_TMPDIR to another one."
            ) from error

    async def _write(self, writes: Sequence[Write]) -> list[Action | None]:
        keys = dict.fromkeys((write.entry.tenant, write.entry.origin) for write in writes)
        known = self._previewed([*keys])
        known |= await self._stored([key for key in keys if key not in known])
        actions: list[Action | None] = []
        for write in writes:
            entry = write.entry
            key, value = (entry.tenant, entry.origin), (entry.note, _text(entry.expires_at))
            actions.append("add" if key not in known else "update" if known[key] != value else None)
            known[key] = value
        self._file.execute("BEGIN")
        self._file.executemany("REPLACE INTO entries VALUES (?, ?, ?, ?)", [(*key, *known[key]) for key in keys])
        self._file.execute("COMMIT")
        return actions

    def _previewed(self, keys: list[Key]) -> dict[Key, Value]:
        self._file.execute(_TABLE)
        query = "SELECT note, ends FROM entries WHERE tenant = ? AND origin = ?"
        found = ((key, self._file.execute(query, key).fetchone()) for key in keys)
        return {key: row for key, row in found if row is not None}

    async def _stored(self, keys: list[Key]) -> dict[Key, Value]:
        now = datetime.now(UTC)
        return {
            (entry.tenant, entry.origin): (entry.note, _text(entry.expires_at))
            for entry in await self._store.find(keys)
            if entry.expires_at is None or entry.expires_at > now
        }

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()


def _text(end: datetime | None) -> str:
    return "" if end is None else end.astimezone(UTC).isoformat()
