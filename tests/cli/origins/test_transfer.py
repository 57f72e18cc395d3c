"""`origins import` and `export`: lines in and out, mistakes in them, and interruptions."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors.cli import main
from asgi_cors.cli.origins import progress, transfer
from asgi_cors.cli.origins.lines import Defaults, InvalidLine, LineReader
from asgi_cors.cli.origins.store import delayed_interrupt
from asgi_cors.registry import Entry, open_registry
from tests.support.command_line import run

APP, SHOP, PATTERN = "https://app.example.com", "https://shop.example.com", "https://*.example.org"
DONE, REFUSED, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130


def rows(ran):
    return [json.loads(line) for line in ran.out.splitlines()]


def entries_of(url):
    """The entries of a store without id and time."""
    with contextlib.closing(open_registry(url).sync) as registry:
        return {(entry.origin, entry.tenant, entry.note, entry.by, entry.expires_at) for entry in registry.list()}


def add_all(url, entries):
    with contextlib.closing(open_registry(url).sync) as registry:
        registry.add_all(entries)


def test_a_round_trip_is_exact(store, tmp_path):
    end = datetime(2099, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    add_all(
        store,
        [
            Entry(origin=APP, note='Müller "&" 日本', by="ann", expires_at=end),
            Entry(origin=APP, tenant="acme"),
            Entry(origin=PATTERN, tenant="acme", by="bob"),
        ],
    )
    file, other = str(tmp_path / "origins.jsonl"), f"sqlite:///{tmp_path}/other.db"
    assert run("origins", "export", file, "--store", store).code == DONE
    ran = run("origins", "import", file, "--store", other)
    assert (ran.code, ran.out) == (DONE, "✓ 3 added, 0 updated, 0 unchanged\n")
    assert entries_of(other) == entries_of(store)
    assert len(entries_of(other)) == 3


def test_plain_lines_are_imported(origins, sqlite_url):
    lines = f"\ufeff# customers\r\n\r\n  {APP}  \r\n\t\n{PATTERN}\r\n{APP}\n   # the end\n{SHOP}"
    ran = origins("import", "--note", "n", "--by", "ann", "--tenant", "acme", stdin=lines)
    assert (ran.code, ran.out, ran.err) == (DONE, "✓ 3 added, 0 updated, 1 unchanged\n", "")
    assert entries_of(sqlite_url) == {(origin, "acme", "n", "ann", None) for origin in (APP, PATTERN, SHOP)}


def test_options_apply_to_lines_without_the_value_and_the_tenant_to_all(origins, sqlite_url):
    lines = [{"origin": APP, "note": "", "by": "", "tenant": "b", "expires_at": None}, {"origin": SHOP}]
    stdin = "\n".join(map(json.dumps, lines))
    origins("import", "--note", "n", "--by", "ann", "--expires", "2099-01-01", stdin=stdin)
    assert entries_of(sqlite_url) == {
        (APP, "b", "", "", None),
        (SHOP, "", "n", "ann", datetime(2099, 1, 1, tzinfo=UTC)),
    }
    origins("import", "--tenant", "c", stdin=stdin)
    assert {entry[1] for entry in entries_of(sqlite_url)} == {"b", "", "c"}


INVALID = [
    (b"https://a.com/", "ends in a slash; an origin has no path. Write 'https://a.com'."),
    (b"*", "'*' would allow every origin"),
    (b"null", "'null'"),
    (b"https://\xff.com", "byte 9 of the line is not UTF-8. Save the file as UTF-8."),
    (b"\x00\x01", "line 1: "),
    (b"{", "the line is not a JSON object: "),
    (b"[]", "line 1: "),
    (b'{"origin": 3}', 'origin is not a string. Write {"origin": "\u2026"}.'),
    (b'{"origin": "https://a.com", "note": null}', 'note is not a string. Write {"note": "\u2026"}.'),
    (b'{"note": "x"}', "the line has no origin. Write"),
    (b'{"origin": "https://a.com", "expires": 1}', "there is no key 'expires'. Did you mean 'expires_at'?"),
    (b'{"origin": "https://a.com", "expires_at": 1}', "expires_at is not an ISO 8601 date-time or null."),
    (b'{"origin": "https://a.com", "expires_at": "x"}', "expires_at is not an ISO 8601 date-time or null."),
    (b'{"origin": "https://a.com", "expires_at": "2001-01-01"}', "has passed"),
    (b'{"origin": "https://a.com", "note": "\\ud800"}', "has the control character"),
    (b'{"origin": "https://a.com", "tenant": "a\\nb"}', "has the control character"),
    (b'{"origin": ' + b"[" * 20_000, "the line is not a JSON object"),
    (b"https://" + b"a" * 70_000, "the line has over 65,536 bytes. Write one origin on each line."),
]


@pytest.mark.parametrize(("line", "message"), INVALID, ids=[repr(line[:30]) for line, _ in INVALID])
def test_an_invalid_line_is_reported_with_its_number_and_hint_and_left_out(origins, line, message):
    ran = origins("import", stdin=line + b"\n" + APP.encode())
    assert (ran.code, ran.out) == (REFUSED, "✗ 1 added, 0 updated, 0 unchanged, 1 invalid\n")
    assert ran.err.startswith("✗ line 1: ")
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert len(ran.err) < 400


def test_the_json_of_an_import_has_each_invalid_line_and_the_numbers(origins):
    ran = origins("import", "--json", stdin=f"{APP}\nbad\n\n{'x' * 500}/\n")
    first, second, numbers = rows(ran)
    assert (first["line"], first["value"], list(first)) == (2, "bad", ["line", "value", "message", "hint"])
    assert (second["line"], len(second["value"])) == (4, 81)
    assert numbers == {
        "read": 3,
        "added": 1,
        "updated": 0,
        "unchanged": 0,
        "invalid": 2,
        "dry_run": False,
        "complete": True,
    }


def test_only_the_first_invalid_lines_are_shown(origins):
    ran = origins("import", stdin="bad\n" * 100)
    assert ran.err.count("✗ line") == 20
    assert "80 more lines are invalid. Write --json to see all of them." in ran.err
    assert len(rows(origins("import", "--json", stdin="bad\n" * 100))) == 101


def test_a_dry_run_counts_and_stores_nothing(origins, sqlite_url, tmp_path):
    ran = origins("import", "--dry-run", stdin=f"{APP}\n{APP}\nbad\n")
    assert (ran.code, ran.out) == (
        REFUSED,
        "✗ a dry run, nothing was stored: 1 added, 0 updated, 1 unchanged, 1 invalid\n",
    )
    assert entries_of(sqlite_url) == set()
    origins("add", APP, "--note", "old")
    assert "0 added, 1 updated, 0 unchanged" in origins("import", "--dry-run", "--note", "x", stdin=APP).out
    assert {entry[2] for entry in entries_of(sqlite_url)} == {"old"}


def test_many_lines_are_stored_in_several_transactions(origins, sqlite_url):
    lines = "".join(f"https://a{number}.example.com\n" for number in range(transfer.BATCH * 2 + 1))
    assert origins("import", stdin=lines).out == "✓ 10,001 added, 0 updated, 0 unchanged\n"
    assert origins("import", stdin=lines).out == "✓ 0 added, 0 updated, 10,001 unchanged\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [("x".encode("utf-16"), "is UTF-16. Save it as UTF-8."), (None, "can't be read: "), ("folder", "can't be read: ")],
    ids=["UTF-16", "no file", "a folder"],
)
def test_a_file_that_cannot_be_read_exits_with_2(origins, tmp_path, content, line):
    path = tmp_path / "in"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    ran = origins("import", str(path))
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert line in ran.err


def test_a_file_name_that_no_system_accepts_exits_with_2(origins):
    assert origins("import", "a\0b").code == COULD_NOT_RUN
    assert origins("export", "a\0b").code == COULD_NOT_RUN


def test_a_closed_standard_input_exits_with_2(sqlite_url, monkeypatch, capsys):
    """Python has no stdin then."""
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "origins", "import", "--store", sqlite_url])
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == COULD_NOT_RUN
    assert capsys.readouterr().err == "asgi-cors: standard input is closed. Name a file.\n"


def test_a_closed_standard_output_exits_with_2(sqlite_url, monkeypatch, capsys):
    """Python has no stdout then."""
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "origins", "export", "--store", sqlite_url])
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == COULD_NOT_RUN
    assert capsys.readouterr().err == "asgi-cors: standard output is closed. Name a file.\n"


def test_an_ignored_interrupt_stays_ignored():
    """As of a process in the background."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with delayed_interrupt():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_block_without_ctrl_c_leaves_the_handler_of_the_program() -> None:
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with delayed_interrupt():
            assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_stream_that_fails_exits_with_2_and_the_finished_transactions_stay(origins, sqlite_url, monkeypatch):
    read = LineReader._read

    class Stream:
        def __init__(self, stream):
            self.stream = stream

        def readline(self, size):
            if line := self.stream.readline(size):
                return line
            raise OSError(5, "Input/output error")

    def read_and_fail(self):
        if not isinstance(self._stream, Stream):
            self._stream = Stream(self._stream)
        return read(self)

    monkeypatch.setattr(LineReader, "_read", read_and_fail)
    ran = origins("import", stdin="".join(f"https://a{number}.example.com\n" for number in range(5001)))
    assert ran.code == COULD_NOT_RUN
    assert ran.out == "✗ the import was interrupted: 5,000 added, 0 updated, 0 unchanged\n"
    assert "standard input can't be read: Input/output error." in ran.err


@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_issues(content):
    import io  # noqa: PLC0415 - here only

    reader = LineReader(io.BytesIO(content), "bytes", Defaults())
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = [*reader]
        assert len(found) <= content.count(b"\n") + 1
        assert all(isinstance(each, InvalidLine) or isinstance(each[1].origin, str) for each in found)


# -- export


def test_the_export_leaves_ended_entries_out_and_has_one_tenant(origins, sqlite_url):
    origins("add", APP, "--expires", "1h")
    origins("add", SHOP, "--tenant", "acme")
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE entries SET expires_at = 1 WHERE expires_at")
    assert [row["origin"] for row in rows(origins("export"))] == [SHOP]
    assert rows(origins("export", "--tenant", "other")) == []


def test_export_and_check_read_a_store_once(store, monkeypatch):
    """Each page of `list` may read all entries, after a purge of the history of a Redis registry."""
    add_all(store, [APP, PATTERN])
    monkeypatch.setattr("asgi_cors.registry.Registry.list", None)
    assert len(run("origins", "export", "--store", store).out.splitlines()) == 2
    found = run("origins", "check", APP, "https://a.example.org", SHOP, "--store", store)
    assert (found.code, found.out.count("the store has it"), found.out.count("allows it with")) == (REFUSED, 1, 1)


def test_an_exported_file_is_replaced_at_the_end(origins, tmp_path):
    file = tmp_path / "out.jsonl"
    file.write_text("old")
    origins("add", APP)
    ran = origins("export", str(file))
    assert (ran.code, ran.out, ran.err) == (DONE, "", f"1 origin was exported to '{file}'.\n")
    assert json.loads(file.read_text())["origin"] == APP
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.jsonl"]


def test_an_export_that_fails_leaves_the_old_file(origins, sqlite_url, tmp_path):
    file = tmp_path / "out.jsonl"
    file.write_text("old")
    origins("add", APP)
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    assert origins("export", str(file)).code == COULD_NOT_RUN
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.jsonl"]


def test_an_export_to_a_device_writes_to_it(origins):
    origins("add", APP)
    assert origins("export", os.devnull).code == DONE


def test_an_export_to_a_missing_folder_exits_with_2(origins, tmp_path):
    origins("add", APP)
    ran = origins("export", str(tmp_path / "none" / "out"))
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "can't be written: No such file or directory." in ran.err


# -- Ctrl-C and the progress


def stored(sqlite_url):
    try:
        with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
            return connection.execute("SELECT count(*) FROM entries").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


@pytest.fixture
def interruptible():
    """Let SIGINT interrupt this process and those that it starts, as on a terminal. In the background it is ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_leaves_the_finished_transactions_and_says_how_many(sqlite_url):
    command = [sys.executable, "-m", "asgi_cors", "origins", "import", "--json", "--store", sqlite_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(b"".join(b"https://a%d.example.com\n" % number for number in range(5001)))
        process.stdin.flush()
        end = time.monotonic() + 60
        while stored(sqlite_url) < transfer.BATCH and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (INTERRUPTED, b"")
    numbers = json.loads(out)
    assert (numbers["added"], numbers["complete"]) == (5000, False)
    assert stored(sqlite_url) == 5000


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_a_transaction_is_delayed_to_its_end(origins, sqlite_url, monkeypatch):
    """The write is complete, and counted."""
    add_all = transfer.Import._count

    def interrupt(*arguments):
        signal.raise_signal(signal.SIGINT)
        add_all(*arguments)

    monkeypatch.setattr(transfer.Import, "_count", interrupt)
    ran = origins("import", stdin="".join(f"https://a{number}.example.com\n" for number in range(5001)))
    assert (ran.code, ran.out) == (INTERRUPTED, "✗ the import was interrupted: 5,000 added, 0 updated, 0 unchanged\n")
    assert stored(sqlite_url) == 5000
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("interruptible")
def test_a_second_ctrl_c_ends_the_transaction(origins, monkeypatch):
    def interrupt(*_):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("not interrupted")

    monkeypatch.setattr(transfer.Import, "_count", interrupt)
    assert origins("import", stdin=APP).code == INTERRUPTED


def test_an_import_in_another_thread_needs_no_signals(origins):
    ran = []
    thread = threading.Thread(target=lambda: ran.append(origins("import", stdin=APP)))
    thread.start()
    thread.join(60)
    assert ran[0].code == DONE


def test_the_progress_is_shown_on_a_terminal_only_if_it_takes_long(origins, monkeypatch, tmp_path):
    file = tmp_path / "in.txt"
    file.write_text(f"{APP}\n{SHOP}\nbad\n")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    assert "2 origins" not in origins("import", str(file)).err
    monkeypatch.setattr(progress, "DELAY", 0)
    ran = origins("import", str(file))
    assert "import: 3 origins" in ran.err
    assert "line 3" in ran.err
    assert "2 origins" in origins("export", os.devnull).err


def test_times_are_exact_to_the_microsecond(origins):
    end = datetime.now(UTC) + timedelta(days=1)
    origins("import", stdin=json.dumps({"origin": APP, "expires_at": end.isoformat()}))
    (row,) = rows(origins("export"))
    assert datetime.fromisoformat(row["expires_at"]) == end


def test_the_command_is_found_in_the_help_of_asgi_cors():
    assert "origins" in run("--help").out
    assert Path(progress.__file__).exists()
