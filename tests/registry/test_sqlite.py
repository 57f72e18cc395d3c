"""The SQLite store: its file, and everything that can be wrong with it."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asgi_cors import ConfigError
from asgi_cors.registry import Entry, RegistryError, SQLiteRegistry, Write, sqlite_connection
from asgi_cors.registry.sqlite import SQLiteStore
from asgi_cors.registry.sqlite_connection import _use_wal
from tests.registry.support import APP, SHOP, answer, wait_until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "origins.db"


@pytest.fixture
def registry(path: Path) -> Iterator[SQLiteRegistry]:
    registry = SQLiteRegistry(path, poll=0.01)
    yield registry
    registry.stop()
    registry.sync.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a user without the rights of root."""
    folder = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder
    if os.getuid() == 0:
        os.seteuid(0)
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_a_file_has_the_settings_of_a_durable_shared_database(registry, path) -> None:
    registry.sync.add(APP)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("PRAGMA application_id").fetchone() == (0x434F5253,)
    connection.close()


def test_a_path_is_resolved_when_it_is_given(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    registry = SQLiteRegistry("origins.db")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    registry.sync.add(APP)
    registry.sync.close()
    assert (tmp_path / "origins.db").exists()
    assert repr(registry) == "SQLiteRegistry('origins.db')"


def test_repr_shows_the_options_that_were_given(path) -> None:
    assert repr(SQLiteRegistry("o.db", poll=2, read_only=True)) == "SQLiteRegistry('o.db', poll=2, read_only=True)"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("", "Write 'origins.db'."),
        ("a\0b", "Write 'origins.db'."),
        (None, "Write SQLiteRegistry('origins.db')."),
        (b"origins.db", "Write SQLiteRegistry('origins.db')."),
        (":memory:", "Name a file, in a temporary folder for tests."),
        ("sqlite:///o.db", "Write open_registry('sqlite:///o.db')."),
        ("file:o.db", "Write open_registry('file:o.db')."),
    ],
)
def test_an_invalid_path_is_refused(path, hint) -> None:
    with pytest.raises(ConfigError) as caught:
        SQLiteRegistry(path)
    assert [issue.hint for issue in caught.value.issues] == [hint]


# -- queries


@pytest.mark.parametrize("tenant", [None, "", "acme"])
@pytest.mark.parametrize("method", ["entries", "changes"])
def test_a_page_is_read_from_an_index_without_sorting(registry, path, tenant, method) -> None:
    registry.sync.add(APP)
    [plan] = _plans(path, lambda store: getattr(store, method)(tenant=tenant, after=5, limit=10))
    key = "INTEGER PRIMARY KEY (rowid>?)" if tenant is None else "_of_tenant (tenant=? AND rowid>?)"
    assert key in plan
    assert "TEMP B-TREE" not in plan


def test_entries_are_found_in_the_index_of_their_texts(registry, path) -> None:
    registry.sync.add(APP)
    for plan in _plans(path, lambda store: store.find([("", APP), ("acme", SHOP)])):
        assert plan.endswith("INDEX sqlite_autoindex_entries_1 (tenant=? AND origin=?)")


def test_a_scan_of_a_tenant_reads_its_own_entries(registry, path) -> None:
    registry.sync.add(APP)

    async def scan(store: SQLiteStore) -> None:
        assert [page async for page in store.scan(tenant="acme", only_patterns=True)] == []

    assert _plans(path, scan)[-1].endswith("entries_of_tenant (tenant=? AND rowid>?)")


def _plans(path: Path, call: Callable[[SQLiteStore], Awaitable[object]]) -> list[str]:
    """Return SQLite's plans for the statements of a call."""
    statements: list[str] = []
    store = SQLiteStore(path)

    async def main() -> None:
        await store.status()
        store._reader._file._connection.set_trace_callback(statements.append)
        await call(store)
        await store.close()

    asyncio.run(main())
    queries = [text for text in statements if text.startswith("SELECT")]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return ["; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")) for query in queries]


# -- the history


@pytest.mark.parametrize("statement", ["UPDATE history SET note = 'x'", "DELETE FROM history"])
def test_the_history_is_append_only(registry, path, statement) -> None:
    registry.sync.add(APP)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="the history is append-only"):
        connection.execute(statement)
    connection.close()
    assert registry.sync.purge_history(datetime.now(UTC) + timedelta(days=1)) == 1


def test_a_long_history_is_purged(monkeypatch, registry) -> None:
    monkeypatch.setattr("asgi_cors.registry.sqlite._PURGE", 10)
    registry.sync.add_all(f"https://shop-{number}.example.com" for number in range(25))
    assert registry.sync.purge_history(datetime.now(UTC) + timedelta(days=1)) == 25


# -- faults


def _error(registry: SQLiteRegistry) -> str:
    with pytest.raises(RegistryError) as caught:
        registry.sync.add(APP)
    return str(caught.value)


def _read_error(registry: SQLiteRegistry) -> str:
    with pytest.raises(RegistryError) as caught:
        registry.sync.list()
    return str(caught.value)


def test_a_missing_folder(tmp_path) -> None:
    registry = SQLiteRegistry(tmp_path / "none" / "origins.db")
    expected = f"the folder {tmp_path / 'none'} does not exist. Create it, or name another file."
    assert _error(registry) == f"sqlite:///{tmp_path}/none/origins.db: {expected}"
    assert expected in _read_error(registry)
    assert expected in str(answer(registry).error)
    registry.sync.close()


def test_a_folder_instead_of_a_file(tmp_path) -> None:
    registry = SQLiteRegistry(tmp_path)
    assert _error(registry).endswith(f"it is a folder. Name a file in it, such as {tmp_path}/origins.db.")
    registry.sync.close()


def test_a_file_below_a_file(tmp_path) -> None:
    (tmp_path / "file").touch()
    registry = SQLiteRegistry(tmp_path / "file" / "origins.db")
    assert "Check the path, and the user's rights to its folders." in _error(registry)
    registry.sync.close()


def test_a_file_that_is_not_a_database(registry, path) -> None:
    path.write_text("not a database" * 100)
    assert "the file is not an SQLite database" in _error(registry)
    assert "the file is not an SQLite database" in _read_error(registry)
    assert path.read_text() == "not a database" * 100


def test_the_database_of_another_application_is_not_changed(registry, path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (name TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert "it is the database of another application. Name another file." in _error(registry)
    assert "it is the database of another application. Name another file." in _read_error(registry)
    assert path.read_bytes() == before


def test_an_empty_file_is_a_store_that_was_never_written_to(registry, path) -> None:
    path.touch()
    assert registry.sync.list() == []
    assert registry.sync.add(APP)


def test_a_newer_schema_is_not_changed(registry, path) -> None:
    registry.sync.add(APP)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    for text in (_error(registry), _read_error(registry)):
        assert "a newer version of asgi-cors-bridge made it, with schema 2; this one supports schema 1" in text
        assert "pip install --upgrade asgi-cors-bridge" in text
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version FROM state").fetchone() == (1,)
    connection.close()


def test_a_damaged_file_is_reported_with_its_remedy(registry, path) -> None:
    registry.sync.add_all(f"https://shop-{number}.example.com" for number in range(2_000))
    registry.sync.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    assert f"the file is damaged (database disk image is malformed). Restore a backup, or `sqlite3 {path}" in _error(
        registry
    )


def test_a_locked_file_is_reported_with_its_remedy(monkeypatch, registry, path) -> None:
    monkeypatch.setattr("asgi_cors.registry.sqlite_connection.BUSY_TIMEOUT", 0.05)
    registry.sync.add(APP)
    registry.sync.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    assert "another process locks it (database is locked)" in _error(registry)
    assert [entry.origin for entry in registry.sync.list()] == [APP]  # a writer never delays a reader
    connection.execute("ROLLBACK")
    connection.close()
    assert registry.sync.add(SHOP)


def test_a_reader_tries_again_while_a_file_is_locked(registry, path) -> None:
    registry.sync.add(APP)
    registry.sync.close()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.1, connection.close)
    timer.start()
    assert [entry.origin for entry in registry.sync.list()] == [APP]
    timer.join()


def test_a_reader_fails_after_a_while(monkeypatch, registry, path) -> None:
    monkeypatch.setattr("asgi_cors.registry.sqlite_connection.READER_RETRIES", 0.05)
    registry.sync.add(APP)
    registry.sync.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    assert "another process locks it" in _read_error(registry)
    connection.close()


def test_a_file_that_another_process_creates(monkeypatch, registry, path) -> None:
    monkeypatch.setattr("asgi_cors.registry.sqlite_connection.BUSY_TIMEOUT", 0.1)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    assert "another process locks it" in _error(registry)
    connection.close()
    assert registry.sync.add(APP)


def test_a_writer_waits_for_a_reader_of_a_file_that_has_no_wal_yet(monkeypatch, registry, path) -> None:
    registry.sync.add(APP)
    registry.sync.close()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM entries").fetchall()
    with monkeypatch.context() as patch:
        patch.setattr("asgi_cors.registry.sqlite_connection.BUSY_TIMEOUT", 0.05)
        assert "another process locks it" in _error(registry)
    timer = threading.Timer(0.1, connection.close)
    timer.start()
    writer = sqlite3.connect(path, timeout=0)  # SQLite does not wait either if two processes do this
    assert _use_wal(writer) == "wal"
    writer.close()
    timer.join()
    assert registry.sync.add(SHOP)


def test_a_file_system_without_wal(monkeypatch, registry) -> None:
    """The result of the pragma on such a file system. There is none to be had."""
    monkeypatch.setattr("asgi_cors.registry.sqlite_connection._use_wal", lambda connection: "delete")
    assert "its file system does not support WAL. Name a file on a local disk, not NFS." in _error(registry)


def test_a_full_disk_loses_nothing(path) -> None:
    """A limit on the size of files, in a process of its own."""
    program = f"""
import resource, signal
from asgi_cors.registry import SQLiteRegistry, RegistryError
registry = SQLiteRegistry({str(path)!r})
registry.sync.add({APP!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    registry.sync.add_all((f"https://shop-{{number}}.example.com" for number in range(5_000)))
except RegistryError as error:
    print(error)
print(len(registry.sync.list()), len(registry.sync.history()))
"""
    output = _run(program)
    assert "sqlite:///" in output
    assert "disk" in output
    assert output.splitlines()[-1] == "1 1"


def test_a_full_database_loses_nothing(monkeypatch, registry) -> None:
    """SQLite's own limit, which raises the error of a full disk."""
    registry.sync.add(APP)
    create = sqlite_connection.is_created

    def limited(connection: sqlite3.Connection) -> int | None:
        connection.execute("PRAGMA max_page_count = 20")
        return create(connection)

    monkeypatch.setattr(sqlite_connection, "is_created", limited)
    with pytest.raises(
        RegistryError, match=r"the disk is full .*\. Free some space\. Nothing of the write was stored\."
    ):
        registry.sync.add_all(f"https://shop-{number}.example.com" for number in range(2_000))
    assert [entry.origin for entry in registry.sync.list()] == [APP]


def test_an_unknown_error_of_sqlite_names_the_file(monkeypatch, registry, path) -> None:
    registry.sync.add(APP)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TRIGGER broken BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no more'); END")
    connection.commit()
    connection.close()
    with pytest.raises(RegistryError, match=r"no more \(SQLITE_CONSTRAINT_TRIGGER\)\. Check the file with `sqlite3`\."):
        registry.sync.add(SHOP)


def test_a_read_only_registry_reads_and_never_writes(registry, path) -> None:
    reader = SQLiteRegistry(path, read_only=True, poll=0.01)
    assert reader.sync.list() == []
    assert not path.exists()
    registry.sync.add(APP)
    wait_until(lambda: answer(reader).allowed)
    for write in (lambda: reader.sync.add(SHOP), lambda: reader.sync.purge_history(datetime.now(UTC))):
        with pytest.raises(RegistryError, match="it was opened with read_only=True"):
            write()
    reader.sync.close()


def test_a_read_only_file(folder) -> None:
    registry = SQLiteRegistry(folder / "origins.db")
    registry.sync.add(APP)
    registry.sync.close()
    (folder / "origins.db").chmod(0o400)
    assert "the file, or its folder, is read-only" in _error(registry)
    registry.sync.close()
    assert [entry.origin for entry in registry.sync.list()] == [APP]
    registry.sync.close()


def test_a_read_only_folder(folder) -> None:
    registry = SQLiteRegistry(folder / "origins.db")
    folder.chmod(0o500)
    assert "The user needs rights to the file and its folder" in _error(registry)
    folder.chmod(0o700)
    registry.sync.add(APP)
    registry.sync.close()
    folder.chmod(0o500)
    assert "SQLite writes -wal and -shm files" in _error(registry)
    registry.sync.close()
    assert "SQLite writes -wal and -shm files" in _read_error(registry)
    registry.sync.close()


def test_a_folder_without_rights(folder) -> None:
    registry = SQLiteRegistry(folder / "origins.db")
    registry.sync.add(APP)
    registry.sync.close()
    (folder / "origins.db").chmod(0)
    assert "it can't be opened" in _error(registry)
    folder.chmod(0)
    assert "Check the path, and the user's rights to its folders." in _error(registry)
    registry.sync.close()


# -- processes

WRITERS = """
import os, sys
from asgi_cors.registry import SQLiteRegistry

def write(number):
    registry = SQLiteRegistry(sys.argv[1])
    while True:
        origin = f"https://shop-{number}.example.com"
        registry.sync.add(origin)
        print(origin, flush=True)
        number += 1

for run in range(20):
    writer = os.fork()
    if not writer:
        write(run * 100_000)
    print("writer", writer, flush=True)
    assert os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]) == -9
    print("killed", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_kill_9_of_a_writer_loses_no_acknowledged_write(path) -> None:
    """One program forks the writers, because the start of Python takes longer than all writes."""
    acknowledged: list[str] = []
    killed = 0
    command = [sys.executable, "-P", "-c", _importing(WRITERS), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        writer, left = 0, 1
        for line in program.stdout:
            if line.startswith("writer"):
                writer = int(line.split()[1])
            elif line == "killed\n":
                killed += 1
                left = 1 + killed
            else:
                acknowledged.append(line.strip())
                left -= 1
            if not left:
                os.kill(writer, signal.SIGKILL)
    registry = SQLiteRegistry(path)
    stored = {entry.origin for entry in registry.sync.list(limit=1_000_000)}
    versions = [change.version for change in registry.sync.history(limit=1_000_000)]
    registry.sync.close()
    assert (program.returncode, killed) == (0, 20)
    assert len(acknowledged) >= 210
    assert {*acknowledged} <= stored
    assert versions == [*range(1, len(stored) + 1)]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_processes_that_begin_together_make_one_store(path) -> None:
    program = f"""
from asgi_cors.registry import SQLiteRegistry
import os
registry = SQLiteRegistry({str(path)!r})
for number in range(20):
    assert registry.sync.add(f"https://shop-{{os.getpid()}}-{{number}}.example.com")
"""
    command = [sys.executable, "-P", "-c", _importing(program)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    registry = SQLiteRegistry(path)
    assert [change.version for change in registry.sync.history()] == [*range(1, 61)]
    registry.sync.close()


def _importing(program: str) -> str:
    return f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})\n{program}"


def _run(program: str) -> str:
    command = [sys.executable, "-P", "-c", _importing(program)]
    return subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout


def test_a_fork_during_a_call_goes_on(monkeypatch, registry) -> None:
    """The fork does not wait for longer than a writer would."""
    monkeypatch.setattr("asgi_cors.registry.sqlite_connection.BUSY_TIMEOUT", 0.01)
    from asgi_cors.registry.sqlite_connection import Connection  # noqa: PLC0415

    connection: Connection = registry.store._writer
    inside, leave = threading.Event(), threading.Event()

    def block(_: sqlite3.Connection) -> None:
        inside.set()
        leave.wait(20)

    thread = threading.Thread(target=lambda: asyncio.run(connection.run(block)))
    thread.start()
    inside.wait(20)
    connection.before_fork()
    connection.after_fork_in_parent()
    leave.set()
    thread.join()
    assert registry.sync.add(APP)


PROGRAM_THAT_FORKS_DURING_A_WRITE = """
import os, sqlite3, sys, threading, time
from asgi_cors.registry import SQLiteRegistry, sqlite_connection

path = sys.argv[1]
registry = SQLiteRegistry(path)
registry.sync.add("https://a.example.com")
other = sqlite3.connect(path, isolation_level=None)
other.execute("BEGIN IMMEDIATE")
thread = threading.Thread(target=registry.sync.add, args=["https://b.example.com"])
thread.start()
time.sleep(0.3)
sqlite_connection.BUSY_TIMEOUT = 0.1
child = os.fork()
if child == 0:
    threading.Timer(10, os._exit, [1]).start()
    try:
        registry.sync.add("https://c.example.com")
    finally:
        os._exit(0)
time.sleep(0.5)
other.execute("COMMIT")
thread.join()
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_does_not_use_the_connection_of_a_write_that_was_under_way(path) -> None:
    """The child would wait for ever on a lock of SQLite's that a thread of the parent holds."""
    command = [sys.executable, "-c", PROGRAM_THAT_FORKS_DURING_A_WRITE, str(path)]
    assert subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout == "0\n"


def test_a_connection_that_was_used_during_a_fork_is_left_alone_by_the_child(registry) -> None:
    assert registry.sync.add(APP)
    file = registry.store._writer._file
    connection = file._connection
    registry.store._writer.after_fork_in_child()
    assert file._connection is None
    assert connection.execute("SELECT 1").fetchone() == (1,)  # still open
    assert registry.sync.remove(APP)


def test_a_file_that_is_replaced_while_it_is_opened_is_opened_again(monkeypatch, registry, path) -> None:
    other = SQLiteRegistry(path.with_name("other.db"))
    other.sync.add(SHOP)
    other.sync.close()
    connect, opened = sqlite3.connect, []

    def replace_after(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        if not opened:
            path.with_name("other.db").replace(path)
        opened.append(connection)
        return connection

    registry.sync.add(APP)
    registry.sync.close()
    monkeypatch.setattr(sqlite3, "connect", replace_after)
    assert [entry.origin for entry in registry.sync.list()] == [SHOP]
    assert len(opened) == 2


def test_a_cancelled_call_that_waits_is_not_made(registry) -> None:
    connection = registry.store._writer
    inside, leave = threading.Event(), threading.Event()

    def block(_: sqlite3.Connection) -> None:
        inside.set()
        leave.wait(20)

    async def main() -> None:
        first = asyncio.ensure_future(connection.run(block))
        await asyncio.get_running_loop().run_in_executor(None, inside.wait, 20)
        second = asyncio.ensure_future(registry.store.write([Write("add", Entry(origin=APP))]))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait({second})
        leave.set()
        await first

    asyncio.run(main())
    assert registry.sync.list() == []


def test_a_registry_that_is_freed_ends_its_threads(path) -> None:
    registry = SQLiteRegistry(path)
    registry.sync.add(APP)
    threads = [thread for thread in threading.enumerate() if thread.name == "asgi_cors-sqlite"]
    del registry
    import gc  # noqa: PLC0415

    gc.collect()
    wait_until(lambda: not all(thread.is_alive() for thread in threads))
