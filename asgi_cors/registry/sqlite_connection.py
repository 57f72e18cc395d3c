"""A connection to an SQLite file in a daemon thread. Errors of SQLite become a `RegistryError`."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from .background import call_at_fork
from .sqlite_schema import SCHEMA, create, is_created
from .store import RegistryError

Result = TypeVar("Result")
Calls = queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]

BUSY_TIMEOUT: Final = 5.0  # seconds that a writer waits for another one
CLOSE_TIMEOUT: Final = 1.0  # seconds that a reader waits while another connection closes the file
READER_RETRIES: Final = 1.0  # seconds for which a reader tries again if the file is locked
_RETRY: Final = 0.02  # seconds between two attempts to get a lock

_abandoned: Final[list[sqlite3.Connection]] = []  # of the parent process; never closed

_CAUSES: Final = {
    "SQLITE_AUTH": ("this user may not open it", "Give the user read and write rights to the file and its folder."),
    "SQLITE_BUSY": ("another process locks it", "Try again; end a program that locks it for long, such as a backup."),
    "SQLITE_CANTOPEN": (
        "it can't be opened",
        "The user needs rights to the file and its folder, also to read: SQLite writes -wal and -shm files there.",
    ),
    "SQLITE_CORRUPT": ("the file is damaged", "Restore a backup, or `sqlite3 FILE .recover` into a new file."),
    "SQLITE_FULL": ("the disk is full", "Free some space. Nothing of the write was stored."),
    "SQLITE_IOERR": ("the disk failed", "Check the disk; it must be local, not NFS."),
    "SQLITE_LOCKED": ("another process locks it", "Try again; end a program that locks it for long, such as a backup."),
    "SQLITE_NOTADB": ("the file is not an SQLite database", "Name another file, or restore a backup."),
    "SQLITE_PERM": ("this user may not open it", "Give the user read and write rights to the file and its folder."),
    "SQLITE_PROTOCOL": ("another process locks it", "Try again; the file must be on a local disk, not NFS."),
    "SQLITE_READONLY": (
        "the file, or its folder, is read-only",
        "Give the user write rights to both: SQLite writes -wal and -shm files next to the file, also to read.",
    ),
}


class Connection:
    """One connection, used in a thread of its own.

    Args:
        path: The absolute path of the file.
        name: The store in messages.
        writes: Whether the connection writes, and creates the file if it does not exist.
    """

    def __init__(self, path: Path, name: str, *, writes: bool) -> None:
        """Open nothing yet."""
        self._file = _File(path, name, writes=writes)
        self._calls: Calls | None = None
        self._lock = threading.Lock()
        self._is_locked = False  # by a fork
        call_at_fork(self)

    async def run(self, function: Callable[[sqlite3.Connection], Result], absent: Result | None = None) -> Result:
        """Call a function with the connection, in the thread, in a transaction.

        Args:
            function: The content of the transaction.
            absent: The result if the file does not exist or is empty. A writer creates the file.

        Raises:
            RegistryError: If SQLite reports an error. The transaction is rolled back.
        """
        file = self._file
        deadline = time.monotonic() + READER_RETRIES
        while True:
            try:
                return await asyncio.wrap_future(self._submit(lambda: file.run(function, absent)))
            except RegistryError as error:
                if not _is_busy(error.__cause__) or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_RETRY)

    async def close(self) -> None:
        """Close the connection and end the thread, after the calls that were submitted."""
        with self._lock:
            calls, self._calls = self._calls, None
        if calls is not None:
            closed: Future[None] = Future()
            calls.put((closed, self._file.close))
            calls.put(None)
            await asyncio.wrap_future(closed)

    def _submit(self, function: Callable[[], Result]) -> Future[Result]:
        future: Future[Result] = Future()
        with self._lock:
            if self._calls is None:
                self._calls = queue.SimpleQueue()
                weakref.finalize(self, self._calls.put, None)
                arguments = (self._file, self._calls)
                threading.Thread(target=_work, args=arguments, name="asgi_cors-sqlite", daemon=True).start()
            self._calls.put((future, function))
        return future

    def before_fork(self) -> None:
        """Close the connection, because a child must not use that of its parent (sqlite.org/howtocorrupt.html, 2.6)."""
        self._is_locked = self._file.lock.acquire(timeout=BUSY_TIMEOUT)
        if self._is_locked:  # otherwise a call takes long, and the process forks with the connection open
            self._file.disconnect()

    def after_fork_in_parent(self) -> None:
        """Release the lock. The next call opens a connection."""
        if self._is_locked:
            self._file.lock.release()

    def after_fork_in_child(self) -> None:
        """Replace the locks. The next call starts a thread."""
        self._file.lock, self._lock, self._calls = threading.Lock(), threading.Lock(), None
        self._file.abandon()


def _work(file: _File, calls: Calls) -> None:
    while (call := calls.get()) is not None:
        future, function = call
        if future.set_running_or_notify_cancel():
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                future.set_exception(error)
            else:
                future.set_result(result)
                del result
        del call, future, function
    file.close()


def _is_busy(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.Error) and error.sqlite_errorname.startswith("SQLITE_BUSY")


def _use_wal(connection: sqlite3.Connection) -> str:
    """Turn write-ahead logging on, and return the journal mode. SQLite does not wait for other processes here."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY)


class _File:
    """The file and its connection, which is opened again after an error, and if the file was replaced."""

    def __init__(self, path: Path, name: str, *, writes: bool) -> None:
        self._path = path
        self._name = name
        self._writes = writes
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None  # device and inode of the open file
        self.lock = threading.Lock()  # held while the connection is used

    def run(self, function: Callable[[sqlite3.Connection], Result], absent: Result | None) -> Result:
        """Call a function in a transaction. A reader of a file without a registry returns `absent` instead.

        Raises:
            RegistryError: If the file can't be used. The next call opens it again.
        """
        with self.lock:
            try:
                connection = self._open()
                return self._transact(connection, function, absent) if connection else cast("Result", absent)
            except sqlite3.Error as error:
                self.disconnect()
                raise self._describe(error) from error
            except RegistryError:
                self.disconnect()
                raise

    def _transact(
        self, connection: sqlite3.Connection, function: Callable[[sqlite3.Connection], Result], absent: Result | None
    ) -> Result:
        connection.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
        try:
            if not self._check(connection):
                if not self._writes:
                    return cast("Result", absent)
                create(connection)
            result = function(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return result

    # -- the file

    def _open(self) -> sqlite3.Connection | None:
        """Return the connection, or None if a reader's file does not exist."""
        while self._connection is None or self._stat() != self._identity:  # also if it is replaced while it is opened
            self.disconnect()
            self._identity = self._stat()
            if self._identity is None and not self._writes:
                return None
            self._connection = sqlite3.connect(
                f"{self._path.as_uri()}?mode={'rwc' if self._writes else 'ro'}",
                uri=True,
                timeout=BUSY_TIMEOUT if self._writes else CLOSE_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,  # a thread that forks closes it
            )
            if self._writes:
                self._prepare_to_write(self._connection)
        return self._connection

    def _prepare_to_write(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")  # another process may create the registry between two reads
        self._check(connection)  # never change the file of another application
        connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous = FULL")
        mode = _use_wal(connection)
        if mode != "wal":
            raise self._error("its file system does not support WAL", "Name a file on a local disk, not NFS.")

    def _check(self, connection: sqlite3.Connection) -> bool:
        """Return True for a registry, and False for an empty file. Raise for the database of another application."""
        found = is_created(connection)
        if found is None:
            raise self._error("it is the database of another application", "Name another file.")
        if found > SCHEMA:
            raise self._error(
                f"a newer version of asgi-cors-bridge made it, with schema {found}; this one supports schema {SCHEMA}",
                "Run pip install --upgrade asgi-cors-bridge.",
            )
        return found > 0

    def _stat(self) -> tuple[int, int] | None:
        """Return device and inode of the file; None if it does not exist."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            if not self._path.parent.exists():
                raise self._error(
                    f"the folder {self._path.parent} does not exist", "Create it, or name another file."
                ) from None
            return None
        except OSError as error:
            raise self._error(
                error.strerror or str(error), "Check the path, and the user's rights to its folders."
            ) from error
        if self._path.is_dir():
            raise self._error("it is a folder", f"Name a file in it, such as {self._path / 'origins.db'}.")
        return stat.st_dev, stat.st_ino

    def close(self) -> None:
        with self.lock:
            if self._writes and self._connection is not None:
                with contextlib.suppress(sqlite3.Error):  # so that the file is complete without its -wal file
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection. The caller holds the lock."""
        connection, self._connection, self._identity = self._connection, None, None
        if connection is not None:
            connection.close()

    def abandon(self) -> None:
        """Forget the connection that a call of the parent used during the fork. To close it could block for ever."""
        if self._connection is not None:
            _abandoned.append(self._connection)
            self._connection = None

    # -- errors

    def _error(self, cause: str, remedy: str) -> RegistryError:
        """Return an error that names the store, the cause and the remedy."""
        return RegistryError(f"{self._name}: {cause}. {remedy}")

    def _describe(self, error: sqlite3.Error) -> RegistryError:
        code: str = getattr(error, "sqlite_errorname", "")
        for prefix, (cause, remedy) in _CAUSES.items():
            if code.startswith(prefix):
                return self._error(f"{cause} ({error})", remedy.replace("FILE", str(self._path)))
        return self._error(f"{error} ({code})" if code else str(error), "Check the file with `sqlite3`.")
