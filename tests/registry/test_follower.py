"""A worker's copy of a store: loads, changes, outages, replaced stores."""

import asyncio
import contextlib
import dataclasses
import gc
import logging
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from asgi_cors import Answer, LimitedAwaitable, Policy
from asgi_cors.registry import Entry, Registry, SQLiteRegistry, Write, background
from asgi_cors.registry.sqlite import SQLiteStore
from tests.registry.support import APP, SHOP, FailingStore, answer, is_current, outage, wait_until
from tests.support.clients import Client
from tests.support.event_loops import run_asyncio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "origins.db"


@pytest.fixture
def store(path: Path) -> FailingStore:
    return FailingStore(path)


@pytest.fixture
def worker(store: FailingStore) -> Iterator[Registry]:
    """A registry whose store fails on demand."""
    registry = Registry(store, poll=0.01)
    yield registry
    registry.stop()
    store.failure = None
    registry.sync.close()


@pytest.fixture
def admin(path: Path) -> Iterator[Registry]:
    """Another registry object of the same file, as another process has."""
    registry = SQLiteRegistry(path)
    yield registry
    registry.sync.close()


def test_a_registry_allows_its_origins_on_every_interface(serve, worker, admin) -> None:
    admin.sync.add(APP)
    client: Client = serve(Policy(allow_origins=[worker]), run=run_asyncio)
    assert client.request(origin=APP).cors
    assert not client.request(origin=SHOP).cors
    admin.sync.add("https://*.example.org")
    wait_until(lambda: client.request(origin="https://a.example.org").cors)
    admin.sync.remove(APP)
    wait_until(lambda: not client.request(origin=APP).cors)


def test_a_registry_works_under_trio(worker, admin) -> None:
    admin.sync.add(APP)

    async def main() -> tuple[Answer, bool]:
        found = worker.look_up(APP)
        assert isinstance(found, LimitedAwaitable)
        return await found.awaitable, await worker.add(SHOP)

    first, is_new = trio.run(main)
    assert (first.allowed, is_new) == (True, True)
    assert answer(worker, SHOP).allowed


def test_a_request_does_not_wait_once_the_list_is_loaded(worker, admin) -> None:
    admin.sync.add(APP)
    answer(worker)
    assert isinstance(worker.look_up(APP), Answer)
    assert isinstance(worker.look_up(SHOP), Answer)


def test_a_request_during_a_first_load_that_hangs_fails_after_two_seconds(monkeypatch, worker, store) -> None:
    monkeypatch.setattr("asgi_cors.registry.follower._FIRST_LOAD", 0.05)
    hung = asyncio.Event()

    async def status() -> None:
        await hung.wait()

    monkeypatch.setattr(store, "status", status)
    found = answer(worker)
    assert (found.allowed, found.leases) == (False, None)
    assert "is not loaded yet" in str(found.error)


def test_a_cancelled_request_does_not_cancel_the_load(worker, admin) -> None:
    admin.sync.add(APP)

    async def main() -> bool:
        first, second = worker.look_up(APP), worker.look_up(APP)
        assert isinstance(first, LimitedAwaitable)
        assert isinstance(second, LimitedAwaitable)
        task = asyncio.ensure_future(first.awaitable)
        await asyncio.sleep(0)
        task.cancel()
        return (await second.awaitable).allowed

    assert asyncio.run(main())


def test_a_store_that_was_never_written_to_is_unavailable_and_used_after_the_first_write(worker, admin) -> None:
    found = answer(worker)
    assert "was never written to" in str(found.error)
    assert worker.describe(APP)[0] is None
    admin.sync.add(APP)
    wait_until(lambda: answer(worker).allowed)


def test_an_empty_list_refuses_without_an_error(worker, admin) -> None:
    admin.sync.add_all([])
    found = answer(worker)
    assert (found.allowed, found.error, is_current(found)) == (False, None, True)


def test_the_last_good_list_stays_in_use_during_an_outage(caplog, worker, store, admin) -> None:
    admin.sync.add(APP)
    good = answer(worker)
    with caplog.at_level(logging.INFO, logger="asgi_cors"):
        store.failure = outage()
        wait_until(lambda: worker.stats().errors >= 3)
        assert (answer(worker).allowed, is_current(good)) == (True, True)
        allowed, text = worker.describe(APP)
        assert (allowed, text.endswith("1 entry; the store can't be read now")) == (True, True)
        store.failure = None
        admin.sync.remove(APP)
        wait_until(lambda: not answer(worker).allowed)
        wait_until(lambda: worker.stats().error is None)
    assert not is_current(good)
    warnings = [record.getMessage() for record in caplog.records]
    assert warnings == [
        f"A registry can't be read, and is tried again; the last good list stays in use. {outage()}",
        f"{store.name} can be read again",
    ]
    assert worker.stats().loads == 1


def test_a_worker_that_never_loaded_refuses_at_once_during_an_outage(caplog, worker, store) -> None:
    store.failure = ValueError("a mistake of the store")
    assert answer(worker).error is store.failure
    assert isinstance(worker.look_up(APP), Answer)
    assert "its origins are refused until it is read" in caplog.text


def test_an_outage_is_logged_once_a_minute(caplog, store) -> None:
    now = [0.0]
    registry = Registry(store, poll=0.01, clock=lambda: now[0])
    store.failure = outage()
    answer(registry)
    wait_until(lambda: registry.stats().errors >= 3)
    assert len(caplog.records) == 1
    now[0] = 60.0
    wait_until(lambda: len(caplog.records) == 2)
    registry.stop()


def test_a_store_that_lost_its_id_is_unavailable(worker, store, admin) -> None:
    admin.sync.add(APP)
    assert answer(worker).allowed
    store.lost = True
    wait_until(lambda: worker.stats().errors)
    assert "has lost its content" in str(worker.stats().error)
    assert answer(worker).allowed


@pytest.mark.parametrize("change", [{"other_id": "other"}, {"version_offset": -1}], ids=["other id", "went back"])
def test_a_store_that_comes_back_empty_is_unavailable(worker, store, admin, change) -> None:
    admin.sync.add_all([APP, SHOP])
    assert answer(worker).allowed
    vars(store).update(empty=True, **change)
    wait_until(lambda: worker.stats().errors)
    assert "has lost its entries" in str(worker.stats().error)
    assert answer(worker).allowed


@pytest.mark.parametrize("change", [{"other_id": "other"}, {"version_offset": -1}], ids=["other id", "went back"])
def test_the_list_of_a_replaced_store_is_loaded_again(worker, store, admin, change) -> None:
    admin.sync.add_all([APP, SHOP])
    good = answer(worker)
    vars(store).update(change)
    wait_until(lambda: worker.stats().loads >= 2)
    assert not is_current(good)
    assert answer(worker).allowed


def test_a_file_that_is_replaced_by_another_one_is_read(worker, admin, path, tmp_path) -> None:
    admin.sync.add(APP)
    assert answer(worker).allowed
    other = SQLiteRegistry(tmp_path / "other.db")
    other.sync.add(SHOP)
    other.sync.close()
    admin.sync.close()
    (tmp_path / "other.db").replace(path)
    wait_until(lambda: answer(worker, SHOP).allowed)
    assert not answer(worker, APP).allowed


def test_an_older_copy_of_a_file_with_as_many_new_changes_is_noticed(worker, admin, path, tmp_path) -> None:
    admin.sync.add(APP)
    admin.sync.close()
    shutil.copy(path, tmp_path / "copy.db")
    admin.sync.add_all([SHOP, "https://lost.example.com"])
    assert answer(worker, SHOP).allowed
    worker.stop()  # no check sees the version of the copy
    admin.sync.close()
    (tmp_path / "copy.db").replace(path)
    admin.sync.add_all([f"https://new-{number}.example.com" for number in range(3)])
    wait_until(lambda: answer(worker, "https://new-0.example.com").allowed)
    assert not answer(worker, SHOP).allowed
    assert (worker.stats().entries, worker.stats().version, worker.stats().loads) == (4, 4, 2)


@pytest.mark.parametrize("new", [2, 3, 1_500], ids=["as many", "more", "two pages"])
def test_changes_that_replace_lost_ones_load_the_list_again(worker, store, admin, path, new) -> None:
    """The store has the same id and a version that is not older, but another history."""
    admin.sync.add_all([APP, SHOP, "https://lost.example.com"])
    good = answer(worker, SHOP)
    worker.stop()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE state SET version = 1, purged = 9")
        connection.execute("DELETE FROM history WHERE version > 1")
        connection.execute("DELETE FROM entries WHERE id > 1")
    connection.close()
    admin.sync.add_all(f"https://new-{number}.example.com" for number in range(new))
    wait_until(lambda: answer(worker, f"https://new-{new - 1}.example.com").allowed)
    assert (answer(worker, SHOP).allowed, answer(worker).allowed, is_current(good)) == (False, True, False)
    assert (worker.stats().loads, worker.stats().version) == (2, 1 + new)


def test_a_history_that_is_replaced_between_two_pages_loads_the_list_again(monkeypatch, worker, store, admin) -> None:
    monkeypatch.setattr("asgi_cors.registry.follower._PAGE", 3)
    admin.sync.add(APP)
    assert answer(worker).allowed
    worker.stop()
    admin.sync.add_all(f"https://new-{number}.example.com" for number in range(6))
    changes = store.changes

    async def replaced(*, after: int = 0, **arguments):
        found = await changes(after=after, **arguments)
        if after == 2:
            monkeypatch.setattr(store, "changes", changes)
            return [dataclasses.replace(found[0], by="another writer"), *found[1:]]
        return found

    monkeypatch.setattr(store, "changes", replaced)
    assert answer(worker, "https://new-5.example.com").allowed
    assert worker.stats().loads == 2


def test_a_purge_of_the_last_change_loads_the_list_again_only_after_an_outage(worker, store, admin) -> None:
    """Without that change, nothing shows whether a failover lost some."""
    admin.sync.add_all([APP, SHOP])
    assert answer(worker).allowed
    admin.sync.purge_history(datetime.now(UTC) + timedelta(days=1))
    admin.sync.remove(SHOP)
    wait_until(lambda: not answer(worker, SHOP).allowed)
    assert worker.stats().loads == 1
    admin.sync.purge_history(datetime.now(UTC) + timedelta(days=1))
    store.failure = outage()
    wait_until(lambda: worker.stats().errors)
    store.failure = None
    wait_until(lambda: worker.stats().loads == 2)


def test_an_outage_loads_the_list_again_only_if_it_changed(worker, store, admin) -> None:
    admin.sync.add(APP)
    assert answer(worker).allowed
    store.failure = outage()
    wait_until(lambda: worker.stats().errors)
    store.failure = None
    wait_until(lambda: worker.stats().error is None)
    assert worker.stats().loads == 1


def test_a_removed_file_leaves_the_list_in_use(worker, admin, path) -> None:
    admin.sync.add(APP)
    assert answer(worker).allowed
    admin.sync.close()
    path.unlink()
    wait_until(lambda: worker.stats().errors)
    assert answer(worker).allowed


def test_a_store_that_is_replaced_during_a_load_is_loaded_again(monkeypatch, worker, store, admin) -> None:
    admin.sync.add(APP)
    scan = store.scan_origins

    async def replaced():
        async for page in scan():
            yield page
        store.other_id = "other"
        monkeypatch.setattr(store, "scan_origins", scan)

    monkeypatch.setattr(store, "scan_origins", replaced)
    assert "was replaced while it was read" in str(answer(worker).error)
    wait_until(lambda: answer(worker).allowed)


def test_changes_during_a_load_are_applied(monkeypatch, worker, store, admin) -> None:
    admin.sync.add_all([APP])
    scan = store.scan_origins

    async def slow():
        async for page in scan():
            yield page
        await SQLiteStore.write(store, [])
        monkeypatch.setattr(store, "scan_origins", scan)
        await asyncio.get_running_loop().run_in_executor(None, change)

    def change() -> None:
        writer = SQLiteRegistry(store.path)
        asyncio.run(_change(writer))

    async def _change(writer: Registry) -> None:
        await writer.store.write([])
        await writer.store.write([Write("remove", Entry(origin=APP)), Write("add", Entry(origin=SHOP))])
        await writer.store.close()

    monkeypatch.setattr(store, "scan_origins", slow)
    assert answer(worker, SHOP).allowed
    assert not answer(worker, APP).allowed
    assert worker.stats()[:2] == (1, 3)


def test_a_purge_between_status_and_changes_loads_the_list_again(monkeypatch, worker, store, admin) -> None:
    admin.sync.add(APP)
    assert answer(worker).allowed
    changes = store.changes

    async def purged(**arguments):
        monkeypatch.setattr(store, "changes", changes)
        return (await changes(**arguments))[1:]

    monkeypatch.setattr(store, "changes", purged)
    admin.sync.add_all([SHOP, "https://third.example.com"])
    wait_until(lambda: answer(worker, SHOP).allowed)
    assert worker.stats().loads == 2


def test_a_second_purge_between_status_and_changes_loads_the_list_again(monkeypatch, worker, store, admin) -> None:
    admin.sync.add(APP)
    assert answer(worker).allowed
    worker.stop()
    admin.sync.purge_history(datetime.now(UTC) + timedelta(days=1))
    changes = store.changes

    async def purged(**arguments):
        monkeypatch.setattr(store, "changes", changes)
        return (await changes(**arguments))[1:]

    monkeypatch.setattr(store, "changes", purged)
    admin.sync.add_all([SHOP, "https://third.example.com"])
    assert answer(worker, SHOP).allowed
    assert worker.stats().loads == 2


@pytest.mark.parametrize("is_purged", [False, True])
def test_changes_of_several_pages_are_applied_at_once(monkeypatch, worker, admin, is_purged) -> None:
    monkeypatch.setattr("asgi_cors.registry.follower._PAGE", 3)
    admin.sync.add(APP)
    assert answer(worker).allowed
    worker.stop()
    if is_purged:
        admin.sync.purge_history(datetime.now(UTC) + timedelta(days=1))
    admin.sync.add_all(f"https://shop-{number}.example.com" for number in range(11))
    assert answer(worker, "https://shop-10.example.com").allowed
    assert (worker.stats().loads, worker.stats().changes) == (1, 11)


def test_a_list_that_is_loaded_again_and_again_does_not_grow(monkeypatch, worker, store, admin) -> None:
    monkeypatch.setattr("asgi_cors.registry.follower._FREE_AFTER", 0.0)
    admin.sync.add_all(f"https://shop-{number}.example.com" for number in range(5_000))
    blocks: list[int] = []
    for number in range(4):
        replaced = worker._follower._list
        store.other_id = f"id {number}"
        worker.start()
        wait_until(lambda number=number: worker.stats().loads > number)
        wait_until(lambda replaced=replaced: not replaced.count(""))
        gc.collect()
        blocks.append(sys.getallocatedblocks())
    assert max(blocks[1:]) - min(blocks[1:]) < 2_000  # a list has over 5,000


def test_a_notification_that_fails_does_not_end_the_polling(monkeypatch, worker, store, admin) -> None:
    async def wait(timeout: float) -> None:  # noqa: ASYNC109
        raise outage()

    monkeypatch.setattr(store, "wait", wait)
    admin.sync.add(APP)
    assert answer(worker).allowed
    admin.sync.remove(APP)
    wait_until(lambda: not answer(worker).allowed)


def test_a_stored_entry_that_is_not_valid_is_left_out_and_logged(caplog, worker, admin, path) -> None:
    bad = [
        Write("add", Entry(origin="*")),
        Write("add", Entry(origin="null", tenant="acme")),
        Write("add", Entry(origin=APP)),
    ]
    asyncio.run(SQLiteStore(path).write(bad))
    assert answer(worker).allowed
    assert not answer(worker, SHOP).allowed
    assert worker.stats().entries == 1
    assert "the stored entry '*' is not a valid origin, and is left out" in caplog.text
    assert "of tenant 'acme'" in caplog.text


# -- start and stop


def test_a_stopped_registry_leases_nothing_and_starts_again_at_the_next_request(worker, admin) -> None:
    admin.sync.add(APP)
    good = answer(worker)
    worker.stop()
    assert not is_current(good)
    admin.sync.remove(APP)
    assert not answer(worker).allowed
    assert worker.stats().loads == 1


def test_stop_wakes_the_requests_that_wait(monkeypatch, worker, store) -> None:
    hung = asyncio.Event()

    async def status() -> None:
        await hung.wait()

    monkeypatch.setattr(store, "status", status)
    found = worker.look_up(APP)
    assert isinstance(found, LimitedAwaitable)
    worker.stop()
    assert "not loaded yet" in str(asyncio.run(_wait(found)).error)


async def _wait(found: LimitedAwaitable) -> Answer:
    result: Answer = await found.awaitable
    return result


def test_start_loads_before_the_first_request(worker, admin) -> None:
    admin.sync.add(APP)
    worker.tenant("acme").start()
    worker.start()
    wait_until(lambda: worker.stats().version)
    assert answer(worker).allowed
    worker.tenant("acme").stop()


def test_no_thread_for_the_load_is_a_failed_look_up(monkeypatch, worker) -> None:
    def submit(coroutine) -> None:
        coroutine.close()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("asgi_cors.registry.follower.submit", submit)
    assert str(answer(worker).error) == "can't start new thread"


def test_a_background_task_that_failed_is_started_again(monkeypatch, worker, store, admin) -> None:
    async def wait(timeout: float) -> None:  # noqa: ASYNC109
        raise ZeroDivisionError

    admin.sync.add(APP)
    monkeypatch.setattr(store, "wait", wait)
    good = answer(worker)
    assert good.allowed
    wait_until(lambda: not is_current(good))
    monkeypatch.undo()
    admin.sync.remove(APP)
    wait_until(lambda: not answer(worker).allowed)


FORKED = """
import os, sys, time
from asgi_cors.registry import SQLiteRegistry
from tests.registry.support import APP, SHOP, answer, is_current
registry = SQLiteRegistry(sys.argv[1], poll=0.01)
registry.sync.add(APP)
good = answer(registry)
assert good.allowed and is_current(good)
child = os.fork()
if child == 0:
    assert not is_current(good), "the child would never learn of a change"
    assert answer(registry).allowed
    assert registry.sync.add(SHOP)
    assert answer(registry, SHOP).allowed
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
deadline = time.monotonic() + 20
while not answer(registry, SHOP).allowed:
    assert time.monotonic() < deadline
assert registry.sync.remove(SHOP)
"""


def test_a_forked_worker_has_the_list_and_follows_the_store_itself(path) -> None:
    program = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})\n{FORKED}"
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", program, str(path)], check=True, timeout=60)


def test_a_fork_waits_for_the_fork_of_another_thread(monkeypatch, worker) -> None:
    follower = worker._follower
    monkeypatch.setattr(background, "_forkables", weakref.WeakSet([follower]))
    background._before_fork()
    thread = threading.Thread(target=lambda: (background._before_fork(), background._after_fork_in_parent()))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    background._after_fork_in_parent()
    thread.join(20)
    assert not thread.is_alive()
    assert not follower._lock.locked()


def test_a_forked_process_begins_with_locks_of_its_own(worker, admin) -> None:
    """The steps of a fork in one process, because the coverage of a child is not measured."""
    admin.sync.add(APP)
    worker.sync.add(SHOP, expires_at=datetime(2999, 1, 1, tzinfo=UTC))
    good = answer(worker, SHOP)
    background._before_fork()
    background._after_fork_in_parent()
    assert is_current(good)
    background._before_fork()
    background._after_fork_in_child()
    assert not is_current(good)
    worker.sync.remove(APP)
    assert (answer(worker).allowed, answer(worker, SHOP).allowed) == (False, True)


# -- ends


def test_ends_follow_the_wall_clock_also_if_it_goes_back(monkeypatch, worker, admin) -> None:
    now = datetime.now(UTC)
    offset = [0.0]
    monkeypatch.setattr(time, "time", lambda: now.timestamp() + offset[0])
    for minutes, name in ((10, "ten"), (20, "twenty"), (30, "thirty")):
        admin.sync.add(f"https://{name}.example.com", expires_at=now + timedelta(minutes=minutes))
    admin.sync.add(APP)

    def allowed() -> list[str]:
        return [name for name in ("ten", "twenty", "thirty") if answer(worker, f"https://{name}.example.com").allowed]

    assert allowed() == ["ten", "twenty", "thirty"]
    lasting, ending = answer(worker), answer(worker, "https://thirty.example.com")
    offset[0] = 15 * 60.0
    assert (is_current(lasting), is_current(ending)) == (True, False)
    assert allowed() == ["twenty", "thirty"]
    offset[0] = 60 * 60.0
    assert allowed() == []
    refused = answer(worker, "https://ten.example.com")
    wait_until(lambda: worker._follower._list._wall_time == time.time())  # this worker has seen it
    offset[0] = 0.0
    assert allowed() == ["ten", "twenty", "thirty"]
    wait_until(lambda: not is_current(refused))


def test_an_end_can_be_moved_and_removed(worker, admin) -> None:
    now = datetime.now(UTC)
    for days in range(1, 300):
        admin.sync.add(APP, expires_at=now + timedelta(days=days))
    assert answer(worker).allowed
    for days in range(1, 300):
        worker.sync.add(APP, expires_at=now + timedelta(days=days))
    assert worker.stats().entries == 1
    worker.sync.add(APP)
    assert answer(worker).leases is not None
    assert len(answer(worker).leases or ()) == 1
    worker.sync.add(APP, expires_at=now + timedelta(days=1))
    assert len(answer(worker).leases or ()) == 2
    worker.sync.remove(APP)
    assert not answer(worker).allowed
    assert worker.stats().entries == 0


def test_an_end_that_was_changed_has_no_effect_any_more(monkeypatch, worker, admin) -> None:
    now = datetime.now(UTC)
    offset = [0.0]
    monkeypatch.setattr(time, "time", lambda: now.timestamp() + offset[0])
    worker.start()
    worker.sync.add(APP, expires_at=now + timedelta(minutes=10))
    worker.sync.add(APP, expires_at=now + timedelta(minutes=30))
    worker.sync.add(SHOP, expires_at=now + timedelta(minutes=10))
    offset[0] = 15 * 60.0
    assert (answer(worker).allowed, answer(worker, SHOP).allowed) == (True, False)
    worker.sync.remove(SHOP)
    offset[0] = 0.0
    assert (answer(worker).allowed, answer(worker, SHOP).allowed) == (True, False)


def test_an_invalid_entry_with_an_end_is_left_out(worker, path) -> None:
    bad = [Write("add", Entry(origin="*", expires_at=datetime(2999, 1, 1, tzinfo=UTC)))]
    asyncio.run(SQLiteStore(path).write(bad))
    assert answer(worker).error is None
    assert worker.stats().entries == 0


def test_the_removal_of_an_entry_that_was_left_out_changes_nothing(worker, path, admin) -> None:
    asyncio.run(SQLiteStore(path).write([Write("add", Entry(origin=f"*{number}")) for number in range(12)]))
    assert answer(worker).error is None
    admin.sync.remove("*1")
    wait_until(lambda: worker.stats().version == 13)


# -- descriptions


def test_describe_names_version_age_and_entries(worker, admin, store, path) -> None:
    now = [100.0]
    registry = Registry(store, poll=0.01, clock=lambda: now[0])
    assert registry.describe(APP) == (None, f"asked at run time (Registry('sqlite:///{path}') is not loaded yet)")
    admin.sync.add_all([APP, SHOP])
    answer(registry)
    registry.stop()
    now[0] = 100.3
    expected = f"by Registry('sqlite:///{path}'), version 2, read 0.3 s ago, 2 entries"
    assert registry.describe(APP) == (True, f"allowed {expected}")
    assert registry.describe("https://evil.example") == (False, f"refused {expected}")
    now[0] = 112.0
    expected = f"refused by Registry('sqlite:///{path}').tenant('acme'), version 2, read 12 s ago, 0 entries"
    assert registry.tenant("acme").describe(APP) == (False, expected)


def test_the_log_finds_the_closest_origin_of_a_registry(worker, admin) -> None:
    admin.sync.add(APP)
    admin.sync.add(SHOP, tenant="acme", expires_at=datetime(2999, 1, 1, tzinfo=UTC))
    answer(worker)
    policy = Policy(allow_origins=[worker])
    assert any(APP in origins for origins in worker.origin_sets(policy))
    assert any(SHOP in origins for origins in worker.tenant("acme").origin_sets(policy))
    assert not any(SHOP in origins for origins in worker.tenant("unknown").origin_sets(policy))


def test_stats_say_what_is_known(worker, admin) -> None:
    assert worker.stats() == (0, None, None, 0, 0, 0, None)
    admin.sync.add(APP)
    answer(worker)
    stats = worker.stats()
    assert (stats.entries, stats.version, stats.loads, stats.changes, stats.errors) == (1, 1, 1, 0, 0)
    assert stats.age is not None


def test_a_list_that_was_replaced_is_freed(monkeypatch, worker, store, admin) -> None:
    monkeypatch.setattr("asgi_cors.registry.follower._FREE_AFTER", 0.0)
    admin.sync.add(APP)
    admin.sync.add(SHOP, expires_at=datetime(2999, 1, 1, tzinfo=UTC))
    admin.sync.add(SHOP, tenant="acme")
    assert answer(worker).allowed
    replaced = worker._follower._list
    store.other_id = "other"
    wait_until(lambda: replaced.count("") == replaced.count("acme") == 0)
    assert answer(worker, SHOP).allowed
