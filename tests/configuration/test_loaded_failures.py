"""`Loaded` if its source fails, or returns something else than a list of origins."""

import asyncio
import concurrent.futures
import logging
import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from asgi_cors import Answer, ConfigError, Loaded
from asgi_cors._configuration.calls import ThreadPool
from asgi_cors._configuration.loaded import loaded as module
from asgi_cors._configuration.loaded.fetching import Fetcher, Place
from asgi_cors._configuration.loaded.loading import compile_entries
from tests.support.expected import APP
from tests.support.lists import Rows, allows, answer_of, build, ended
from tests.support.look_ups import settle

OTHER = "https://other.example"


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


async def origins() -> AsyncIterator[str]:
    """Yield origins, which is not a list."""
    yield APP


NOT_LISTS: list[tuple[Any, str]] = [
    (APP, "text.split()"),
    (APP.encode(), "text.split()"),
    ({APP: 1}, "a list of its keys or values"),
    (None, "[] for none"),
    (7, "[] for none"),
    (origins, "a list of strings"),
]


class BrokenText:
    """A proxy of a string whose text can't be read."""

    __class__ = str  # type: ignore[assignment]  # as proxies of strings do

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError


async def test_an_entry_whose_text_cannot_be_read_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    loaded, _ = build(Rows(APP, BrokenText()))
    assert await allows(loaded, APP)
    assert "1 entries are left out, because their type is 'BrokenText'" in caplog.text


# -- failed loads


async def test_a_first_load_that_failed_is_retried_after_1_2_4_seconds_and_not_by_each_request() -> None:
    rows = Rows(APP)
    rows.error = OSError("no database")
    loaded, clock = build(rows, every=5)
    for calls, delay in enumerate([1, 2, 4, 5, 5], start=1):
        answer = await answer_of(loaded, APP)
        assert (answer.allowed, answer.leases) == (False, None)
        assert isinstance(answer.error, LookupError)
        assert "no database" in str(answer.error)
        clock.now += delay - 0.01
        assert isinstance(loaded.look_up(APP), Answer)
        assert rows.calls == calls
        clock.now += 0.02
    rows.error = None
    assert await allows(loaded, APP)


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
async def test_the_last_good_list_stays_in_use_while_loading_fails(load: str, caplog: pytest.LogCaptureFixture) -> None:
    rows = Rows(APP)
    loaded, clock = build(getattr(rows, load))
    assert await allows(loaded, APP)
    rows.error = OSError("no database")
    for errors in range(1, 4):
        clock.now += 30
        assert isinstance(loaded.look_up(APP), Answer)
        await ended(loaded)
        assert await allows(loaded, APP)
        assert loaded.stats().errors == errors
    assert caplog.text.count("failed, so its last list stays in use: OSError: 'no database'") == 1
    rows.error = None
    rows.entries = [OTHER]
    clock.now += 301
    assert await allows(loaded, OTHER)


@pytest.mark.parametrize(("value", "hint"), NOT_LISTS, ids=[type(value).__name__ for value, _ in NOT_LISTS])
async def test_a_value_that_is_not_a_list_is_a_failed_load_with_a_hint(value: Any, hint: str) -> None:
    loaded, _ = build(lambda: value)
    answer = await answer_of(loaded, APP)
    assert "is not a list of origins" in str(answer.error)
    assert hint in str(answer.error)


async def test_an_async_generator_is_a_failed_load_with_a_hint() -> None:
    def load() -> Any:
        return origins()

    loaded, _ = build(load)
    assert "[origin async for origin in …]" in str((await answer_of(loaded, APP)).error)


async def test_an_iterable_that_raises_is_a_failed_load() -> None:
    def rows() -> Any:
        yield APP
        raise OSError("lost")

    loaded, _ = build(rows)
    assert "lost" in str((await answer_of(loaded, APP)).error)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "the list is empty, but the last one was not. If that is intended, write allow_empty=True."),
        ([APP] * 4, "over 3 entries. If they are intended, raise max_entries."),
        (["bad", "*", 7], "none of the 3 entries is valid"),
    ],
    ids=["empty", "too-long", "invalid"],
)
async def test_a_list_that_looks_like_a_mistake_does_not_replace_a_good_one(entries: Any, message: str) -> None:
    rows = Rows(APP)
    loaded, _ = build(rows, max_entries=3)
    assert await allows(loaded, APP)
    rows.entries = entries
    with pytest.raises(LookupError) as caught:
        await loaded.refresh()
    assert message in str(caught.value.__cause__)
    assert await allows(loaded, APP)
    assert loaded.stats()[:2] == (1, 0)


@pytest.mark.parametrize("first", [[], [APP]])
async def test_an_empty_list_is_accepted_at_first_and_if_the_option_says_so(first: list[str]) -> None:
    rows = Rows(*first)
    loaded, _ = build(rows, allow_empty=True)
    await allows(loaded, APP)
    rows.entries = []
    await loaded.refresh()
    assert not (await answer_of(loaded, APP)).allowed
    assert loaded.stats().errors == 0


async def test_an_endless_list_is_a_failed_load() -> None:
    def endless() -> Any:
        while True:
            yield APP

    loaded, _ = build(endless, max_entries=1_000)
    assert "over 1,000 entries" in str((await answer_of(loaded, APP)).error)


# -- time-outs


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
async def test_a_load_that_does_not_end_in_time_failed_and_its_late_result_is_dropped(load: str) -> None:
    rows = Rows(OTHER)
    rows.is_open.clear()
    loaded, clock = build(getattr(rows, load), timeout=0.05)
    answer = await answer_of(loaded, APP)
    assert not answer.allowed
    await ended(loaded)
    assert "no list within 0.05 s" in str((await answer_of(loaded, APP)).error)
    rows.is_open.set()
    clock.now += 1
    rows.entries = [APP]
    assert await allows(loaded, APP)
    assert not await allows(loaded, OTHER)


async def test_a_request_waits_no_longer_than_the_timeout_while_the_load_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    def customers() -> list[str]:
        return [APP]

    def compile_late(entries: Any) -> Any:
        released.wait(5)
        return compile_entries(entries)

    monkeypatch.setattr(module, "compile_entries", compile_late)
    loaded, _ = build(customers, timeout=0.01)
    answer = await answer_of(loaded, APP)
    assert str(answer.error) == "customers() is not loaded yet"
    released.set()
    await ended(loaded)
    assert await allows(loaded, APP)


async def test_a_load_whose_thread_cannot_be_started_failed_and_is_retried(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A process may have as many threads as the system allows. The list must not be in force for ever then."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    rows = Rows(APP)
    loaded, clock = build(rows)
    for expected in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            loaded._threads = ThreadPool("test")  # without an idle thread
            assert await allows(loaded, APP) is expected
            with pytest.raises(LookupError):
                await loaded.refresh()
        clock.now += 30
        await allows(loaded, APP)
        await ended(loaded)
        assert await allows(loaded, APP)
        clock.now += 30
    rows.entries = []
    assert "can't start new thread" in caplog.text
    rows.entries = [OTHER]
    await loaded.refresh()
    assert not await allows(loaded, APP)


class BrokenError(Exception):
    """An exception that can't be shown."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
@pytest.mark.parametrize("error", [BrokenError(), asyncio.CancelledError()], ids=["no text", "cancelled"])
async def test_a_load_that_raises_any_exception_failed_and_is_retried_when_it_is_due(
    load: str, error: BaseException
) -> None:
    rows = Rows(APP)
    loaded, clock = build(getattr(rows, load))
    await allows(loaded, APP)
    rows.error = error
    for errors in (1, 2):
        clock.now += 30
        for _ in range(3):
            assert await allows(loaded, APP)
            await ended(loaded)
        assert loaded.stats().errors == errors
    rows.error, rows.entries = None, [OTHER]
    await loaded.refresh()
    assert not await allows(loaded, APP)


async def test_requests_do_not_wait_for_a_load_that_began_in_time() -> None:
    """The timeout of a load may be longer than ten times `every`."""
    rows = Rows(APP)
    loaded, clock = build(rows, every=0.1)
    await allows(loaded, APP)
    rows.is_open.clear()
    clock.now += 0.1
    for _ in range(3):
        assert isinstance(loaded.look_up(APP), Answer)
        clock.now += 1
    rows.is_open.set()
    await ended(loaded)


def test_the_calls_that_never_end_in_a_process_do_not_count_in_its_fork() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    one = fetcher(rows, timeout=0.01)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            one.fetch(Place(None))
    rows.is_open.set()
    one.reset()
    assert [*one.fetch(Place(None)).texts] == [APP]


async def test_threads_that_never_end_are_bounded() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, clock = build(rows, timeout=0.01, every=1)
    for _ in range(10):
        await answer_of(loaded, APP)
        await ended(loaded)
        clock.now += 1
    assert rows.calls == 4
    assert "4 earlier calls have not ended yet" in str((await answer_of(loaded, APP)).error)
    rows.is_open.set()
    for _ in range(100):
        clock.now += 1
        if await allows(loaded, APP):
            break
        await asyncio.sleep(0.01)
    assert await allows(loaded, APP)


def fetcher(load: Any, timeout: float = 5) -> Fetcher:
    return Fetcher(load, timeout=timeout, max_entries=10, app_context=lambda: None)


@pytest.mark.parametrize("is_sync", [False, True])
def test_a_call_for_a_closed_event_loop_is_dropped(is_sync: bool) -> None:
    rows = Rows(APP)

    def load() -> Any:
        return rows.asynchronous()

    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(concurrent.futures.CancelledError):
        fetcher(load if is_sync else rows.asynchronous).fetch(Place(loop))


@pytest.mark.parametrize("is_sync", [False, True])
def test_a_call_whose_event_loop_is_closed_before_it_began_ends_with_the_timeout(is_sync: bool) -> None:
    rows = Rows(APP)

    def load() -> Any:
        return rows.asynchronous()

    one, loop = fetcher(load if is_sync else rows.asynchronous, timeout=0.05), asyncio.new_event_loop()
    with ThreadPoolExecutor() as pool:
        future = pool.submit(one.fetch, Place(loop))
        while one._in_loop is None:
            pass
        loop.close()
        assert one.is_lost
        with pytest.raises(TimeoutError):
            future.result()


async def test_a_request_waits_for_a_refresh_after_a_first_load_that_failed() -> None:
    rows = Rows(APP)
    rows.error = OSError("no database")
    loaded, _ = build(rows)
    assert not await allows(loaded, APP)
    rows.error = None
    rows.is_open.clear()
    refresh = asyncio.create_task(loaded.refresh())
    await settle(lambda: rows.calls == 2)
    request = asyncio.create_task(allows(loaded, APP))
    await asyncio.sleep(0)
    rows.is_open.set()
    assert await request
    await refresh


# -- entries that are left out


async def test_invalid_entries_are_left_out_and_logged_with_their_hint_once(caplog: pytest.LogCaptureFixture) -> None:
    rows = Rows(APP, "https://other.example/", "*", "null", r"^https://.*$")
    loaded, _ = build(rows)
    assert await allows(loaded, APP)
    assert (
        "'https://other.example/' ends in a slash; an origin has no path. Write 'https://other.example'." in caplog.text
    )
    assert caplog.text.count("an entry is left out") == 4
    caplog.clear()
    rows.entries = [*rows.entries, OTHER, "b@d"]
    await loaded.refresh()
    assert caplog.text.count("an entry is left out") == 1
    assert "b@d" in caplog.text
    assert await allows(loaded, OTHER)


async def test_many_invalid_entries_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    loaded, _ = build(Rows(APP, *(f"bad{number}" for number in range(1_020))))
    assert await allows(loaded, APP)
    assert caplog.text.count("an entry is left out") == 20
    assert "1,000 more entries are left out" in caplog.text
    assert loaded.stats().left_out == 1_020


async def test_rows_that_are_not_strings_are_left_out_with_a_hint_once(caplog: pytest.LogCaptureFixture) -> None:
    rows = Rows(APP, (OTHER,), (OTHER, "secret"))
    loaded, _ = build(rows)
    assert await allows(loaded, APP)
    assert not await allows(loaded, OTHER)
    assert "2 entries are left out, because their type is 'tuple'" in caplog.text
    assert "session.scalars" in caplog.text
    assert "secret" not in caplog.text
    rows.entries = [*rows.entries, "https://third.example"]
    await loaded.refresh()
    assert caplog.text.count("'tuple'") == 1


# -- the snapshot


async def test_the_snapshot_is_used_if_the_first_load_fails(tmp_path: Path) -> None:
    path = tmp_path / "origins.txt"
    first, _ = build(Rows(APP, "https://*.b.example", "bad"), snapshot=path)
    assert await allows(first, APP)
    await settle(path.exists)
    rows = Rows(OTHER)
    rows.error = OSError("no database")
    second, clock = build(rows, snapshot=str(path))
    assert await allows(second, APP)
    assert await allows(second, "https://x.b.example")
    assert second.describe(APP) == (True, "allowed by Rows(), from its snapshot, 2 entries")
    assert (second.stats().loaded_at, second.stats().errors) == (None, 1)
    rows.error = None
    clock.now += 1
    second.look_up(APP)
    await ended(second)
    assert [await allows(second, origin) for origin in (APP, OTHER)] == [False, True]


async def test_the_snapshot_is_not_read_if_the_first_load_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "origins.txt"
    path.write_text("not a snapshot")
    loaded, _ = build(Rows(APP), snapshot=path)
    assert await allows(loaded, APP)
    assert loaded.stats().errors == 0
    await settle(lambda: path.read_text() != "not a snapshot")


def _damaged(content: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "foreign": b"https://evil.example\n",
        "truncated": content[:-5],
        "half": content[: len(content) // 2],
        "changed": content.replace(b"app", b"bpp"),
        "longer": content.replace(b"# asgi", b"https://evil.example\n# asgi", 1),
        "binary": content.replace(b"app", b"\xff\xfe\xfd"),
        "long line": content.replace(b"app", b"a" * 1_000_000),
    }


@pytest.mark.parametrize("damage", [*_damaged(b"")])
async def test_a_damaged_snapshot_is_ignored_with_a_log_line(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "origins.txt"
    first, _ = build(Rows(APP), snapshot=path)
    await allows(first, APP)
    await settle(path.exists)
    path.write_bytes(_damaged(path.read_bytes())[damage])
    rows = Rows(APP)
    rows.error = OSError("no database")
    second, _ = build(rows, snapshot=path)
    assert not await allows(second, APP)
    assert "the snapshot of Rows() is not used" in caplog.text


async def test_a_snapshot_with_too_many_entries_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "origins.txt"
    first, _ = build(Rows(APP, OTHER), snapshot=path)
    await allows(first, APP)
    await settle(path.exists)
    rows = Rows(APP)
    rows.error = OSError("no database")
    second, _ = build(rows, snapshot=path, max_entries=1)
    assert not await allows(second, APP)


async def test_a_snapshot_that_does_not_exist_yet_is_not_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = Rows(APP)
    rows.error = OSError("no database")
    loaded, _ = build(rows, snapshot=tmp_path / "origins.txt")
    assert not await allows(loaded, APP)
    assert "snapshot" not in caplog.text


async def test_a_snapshot_that_cannot_be_stored_is_logged_and_leaves_no_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    loaded, _ = build(Rows(APP), snapshot=path)
    assert await allows(loaded, APP)
    await settle(lambda: "the snapshot of Rows() is not stored" in caplog.text)
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208 - of an async test


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
async def test_a_full_disk_leaves_the_old_snapshot_in_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile  # noqa: PLC0415

    path = tmp_path / "origins.txt"
    rows = Rows(APP)
    loaded, _ = build(rows, snapshot=path)
    await allows(loaded, APP)
    await settle(path.exists)
    before = path.read_bytes()

    def full(**options: Any) -> tuple[int, str]:
        return os.open("/dev/full", os.O_WRONLY), str(tmp_path / "temporary")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    rows.entries = [OTHER]
    await loaded.refresh()
    await settle(lambda: "is not stored" in caplog.text)
    assert path.read_bytes() == before
    assert await allows(loaded, OTHER)


async def test_an_older_list_never_replaces_the_snapshot_of_a_newer_one(tmp_path: Path) -> None:
    path = tmp_path / "origins.txt"
    loaded, _ = build(Rows(APP), snapshot=path)
    await allows(loaded, APP)
    await settle(path.exists)
    before = path.read_bytes()
    loaded._snapshot.write(loaded._current.list.table, lambda: False)  # type: ignore[union-attr]
    assert path.read_bytes() == before


# -- options


@pytest.mark.parametrize(
    ("arguments", "options", "option", "hint"),
    [
        ((), {}, "Loaded.load", "Write Loaded(customers)"),
        (([APP],), {}, "Loaded.load", "Write Loaded(customers)"),
        ((origins,), {}, "Loaded.load", "[origin async for origin in …]"),
        ((list,), {"every": 0}, "Loaded.every", "such as 30"),
        ((list,), {"every": "30"}, "Loaded.every", "such as 30"),
        ((list,), {"timeout": float("inf")}, "Loaded.timeout", "such as 10"),
        ((list,), {"max_entries": 0}, "Loaded.max_entries", "such as 1000000"),
        ((list,), {"allow_empty": 1}, "Loaded.allow_empty", "True or False"),
        ((list,), {"feed": 7}, "Loaded.feed", "without parentheses"),
        ((list,), {"snapshot": 7}, "Loaded.snapshot", "such as 'origins.txt'"),
        ((list,), {"snapshot": ""}, "Loaded.snapshot", "such as 'origins.txt'"),
        ((list,), {"snapshot": b"a"}, "Loaded.snapshot", "such as 'origins.txt'"),
        ((list,), {"snapshot": "a\0"}, "Loaded.snapshot", "such as 'origins.txt'"),
        ((list,), {"clock": 7}, "Loaded.clock", "clock=my_clock"),
        ((list,), {"every_": 7}, "Loaded.every_", "'every'"),
        ((list, 30), {}, "Loaded", "every=30"),
    ],
)
def test_a_mistake_in_an_option_raises_with_a_hint(arguments: Any, options: Any, option: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Loaded(*arguments, **options)
    (issue,) = caught.value.issues
    assert issue.option == option
    assert hint in issue.hint


def test_all_mistakes_are_raised_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Loaded(None, every=0, timeout=0, max_entries=0)
    assert len(caught.value.issues) == 4
