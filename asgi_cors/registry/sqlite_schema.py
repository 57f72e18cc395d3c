"""The tables of an SQLite registry. Times are stored as microseconds since 1970 in UTC."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Final

SCHEMA: Final = 1
"""The version of the tables, stored as `PRAGMA user_version`. A newer one is neither read nor changed."""

APPLICATION_ID: Final = 0x43_4F_52_53
"""`CORS` in ASCII, stored as `PRAGMA application_id`, so that a file of another application is never changed."""

_TABLES: Final = (
    """
    CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        purged INTEGER NOT NULL  -- the newest version that was purged from the history
    )
    """,
    """
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY,  -- the version of the change that added the entry
        tenant TEXT NOT NULL,
        origin TEXT NOT NULL,
        note TEXT NOT NULL,
        "by" TEXT NOT NULL,
        added_at INTEGER NOT NULL,
        expires_at INTEGER,
        UNIQUE (tenant, origin)
    )
    """,
    """
    CREATE TABLE history (
        version INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        action TEXT NOT NULL,
        tenant TEXT NOT NULL,
        origin TEXT NOT NULL,
        note TEXT NOT NULL,
        "by" TEXT NOT NULL,
        expires_at INTEGER
    )
    """,
    # SQLite orders equal values of an index by the rowid: here id and version, the order of the pages.
    "CREATE INDEX entries_of_tenant ON entries (tenant)",
    "CREATE INDEX history_of_tenant ON history (tenant)",
    """
    CREATE TRIGGER history_is_never_changed BEFORE UPDATE ON history
    BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END
    """,
    """
    CREATE TRIGGER history_is_only_purged BEFORE DELETE ON history
    WHEN OLD.version > (SELECT purged FROM state)
    BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END
    """,
)


def is_created(connection: sqlite3.Connection) -> int | None:
    """Return the schema of a registry, 0 for an empty file, and None for the file of another application."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION_ID:
        return int(schema)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return None if application or schema or tables else 0


def create(connection: sqlite3.Connection) -> None:
    """Create the tables and the random id of the registry, in the transaction of the caller."""
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO state VALUES (1, ?, 0, 0)", (secrets.token_hex(16),))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
