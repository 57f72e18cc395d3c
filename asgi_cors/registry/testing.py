"""The tests that a store must pass, for the author of a store for another database engine.

They need pytest, and no plug-in::

    from asgi_cors.registry.testing import RegistryTests, StoreTests

    class TestMyStore(StoreTests, RegistryTests):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStore(tmp_path / "origins")

`make_store` returns a new object for the same data at each call. The data of each test begin empty.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from asgi_cors import Answer, ConfigError, OriginSource

from .registry import Registry
from .store import Action, Entry, Store, Write

MakeStore = Callable[[], Store]

ORIGIN: Final = "https://app.example.com"
OTHER: Final = "https://other.example.com"
UNUSUAL_TEXTS: Final = (
    "🦊 for the shop in Zürich",
    "'; DROP TABLE entries; --",
    'a "quoted" text with \\ and %s and {0}',
    "null",
    "0",
    " spaces around ",
    "\u202eright to left",
    "e\u0301 and é",
    "x" * 2_000,
)
_DEADLINE: Final = 20.0  # seconds until another worker must have seen a change


def _in_event_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*arguments: Any, **keywords: Any) -> None:
        asyncio.run(test(*arguments, **keywords))

    return run


@asynccontextmanager
async def _opened(make_store: MakeStore) -> AsyncIterator[Store]:
    store = make_store()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _registry(make_store: MakeStore) -> AsyncIterator[Registry]:
    registry = Registry(make_store(), poll=0.02)
    try:
        yield registry
    finally:
        await registry.close()


def _add(origin: str = ORIGIN, **values: Any) -> Write:
    return Write("add", Entry(origin=origin, **values))


def _remove(origin: str = ORIGIN, **values: Any) -> Write:
    return Write("remove", Entry(origin=origin, **values))


def _origins(count: int) -> list[str]:
    return [f"https://shop-{number}.example.com" for number in range(count)]


async def _answer(source: OriginSource, origin: str = ORIGIN) -> Answer:
    answer = source.look_up(origin)
    if isinstance(answer, Answer):
        return answer
    result: Answer = await answer.awaitable
    return result


async def _wait_until(source: OriginSource, origin: str, *, allowed: bool) -> None:
    async with asyncio.timeout(_DEADLINE):
        while (await _answer(source, origin)).allowed is not allowed:
            await asyncio.sleep(0.01)


class StoreTests:
    """Tests of a `Store`. Override the fixture `make_store`."""

    # -- a new store

    @_in_event_loop
    async def test_a_store_that_was_never_written_to_has_no_id_and_is_empty(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            status = await store.status()
            assert (status.id, status.version) == ("", 0)
            assert await store.entries() == []
            assert await store.changes() == []
            assert [page async for page in store.scan()] == []
            assert await store.purge_history(datetime.now(UTC)) == 0

    @_in_event_loop
    async def test_a_write_of_nothing_makes_the_store(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            assert await store.write([]) == []
            status = await store.status()
            assert status.id
            assert (status.version, status.oldest) == (0, 1)

    @_in_event_loop
    async def test_the_id_stays_and_another_object_reads_it(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store, _opened(make_store) as other:
            await store.write([_add()])
            before = await store.status()
            await store.write([_add(OTHER)])
            assert (await other.status()).id == before.id

    # -- writes

    @_in_event_loop
    async def test_an_entry_gets_the_version_of_its_change_as_its_id(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            before = datetime.now(UTC)
            assert await store.write([_add(note="the shop", by="ann", tenant="acme")]) == ["add"]
            [entry] = await store.entries()
            assert (entry.id, entry.origin, entry.tenant, entry.note, entry.by, entry.expires_at) == (
                *(1, ORIGIN, "acme", "the shop", "ann", None),
            )
            assert entry.added_at is not None
            assert before - timedelta(seconds=2) <= entry.added_at <= datetime.now(UTC) + timedelta(seconds=2)
            assert entry.added_at.utcoffset() == timedelta(0)
            assert await store.status() == await store.status()
            assert (await store.status()).version == 1

    @_in_event_loop
    async def test_an_equal_entry_is_no_change(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add(note="the shop")])
            assert await store.write([_add(note="the shop", by="ben")]) == [None]
            assert (await store.status()).version == 1
            assert len(await store.changes()) == 1

    @_in_event_loop
    async def test_another_note_or_end_updates_the_entry(self, make_store: MakeStore) -> None:
        end = datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        async with _opened(make_store) as store:
            await store.write([_add(note="old", by="ann"), _add(OTHER)])
            [before, _] = await store.entries()
            assert await store.write([_add(note="new", by="ben")]) == ["update"]
            assert await store.write([_add(note="new", by="ben", expires_at=end)]) == ["update"]
            [after, _] = await store.entries()
            assert (after.id, after.by, after.added_at) == (before.id, "ann", before.added_at)
            assert (after.note, after.expires_at) == ("new", end)
            change = (await store.changes())[-1]
            assert (change.action, change.by, change.note, change.expires_at) == ("update", "ben", "new", end)

    @_in_event_loop
    async def test_an_entry_that_has_ended_is_added_anew(self, make_store: MakeStore) -> None:
        past = datetime.now(UTC) - timedelta(days=1)
        async with _opened(make_store) as store:
            assert await store.write([_add(expires_at=past, by="ann")]) == ["add"]
            assert [entry.expires_at for entry in await store.entries()] == [past]
            assert await store.write([_add(by="ben")]) == ["add"]
            [entry] = await store.entries()
            assert (entry.id, entry.by, entry.expires_at) == (2, "ben", None)

    @_in_event_loop
    async def test_a_removed_entry_leaves_its_note_in_the_history(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add(note="the shop", by="ann")])
            assert await store.write([_remove(by="ben")]) == ["remove"]
            assert await store.write([_remove(by="ben")]) == [None]
            assert await store.entries() == []
            change = (await store.changes())[-1]
            assert (change.version, change.action, change.origin, change.by, change.note) == (
                *(2, "remove", ORIGIN, "ben", "the shop"),
            )

    @_in_event_loop
    async def test_a_write_sees_the_earlier_ones_of_its_call(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            writes = [_add(), _add(), _add(note="new"), _remove(), _remove(), _add()]
            assert await store.write(writes) == ["add", None, "update", "remove", None, "add"]
            assert [entry.id for entry in await store.entries()] == [4]
            assert [change.version for change in await store.changes()] == [1, 2, 3, 4]

    @_in_event_loop
    async def test_writes_are_made_all_or_none(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add()])
            impossible: Any = object()
            try:
                await store.write([_add(OTHER), _remove(), _add("https://x.example.com", note=impossible)])
            except Exception:  # noqa: BLE001 - each engine has its own
                pass
            else:
                raise AssertionError("the note can't be stored")
            assert [entry.origin for entry in await store.entries()] == [ORIGIN]
            assert (await store.status()).version == 1
            assert await store.write([_add(OTHER)]) == ["add"]
            assert [change.version for change in await store.changes()] == [1, 2]

    @_in_event_loop
    async def test_five_thousand_entries_are_one_write(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            origins = _origins(5_000)
            assert await store.write([_add(origin) for origin in origins]) == ["add"] * 5_000
            assert [entry.origin for entry in await store.entries(limit=10_000)] == origins

    @_in_event_loop
    async def test_writers_at_the_same_time_lose_nothing(self, make_store: MakeStore) -> None:
        async def write(number: int) -> list[Action | None]:
            async with _opened(make_store) as store:
                return [
                    action
                    for each in range(20)
                    for action in await store.write([_add(f"https://shop-{number}-{each}.example.com")])
                ]

        assert await asyncio.gather(*map(write, range(4))) == [["add"] * 20] * 4
        async with _opened(make_store) as store:
            assert len({entry.origin for entry in await store.entries()}) == 80
            assert [change.version for change in await store.changes()] == [*range(1, 81)]

    # -- reads

    @_in_event_loop
    async def test_entries_come_in_pages_in_their_order(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            origins = _origins(7)
            await store.write([_add(origin, tenant="ab"[number % 2]) for number, origin in enumerate(origins)])
            await store.write([_remove(origins[2], tenant="a"), _add(origins[1], tenant="b", note="new")])
            expected = [number + 1 for number in range(7) if number != 2]
            assert [entry.id for entry in await store.entries()] == expected
            assert [entry.id for entry in await store.entries(limit=2)] == expected[:2]
            assert [entry.id for entry in await store.entries(after=2, limit=2)] == expected[2:4]
            assert [entry.id for entry in await store.entries(tenant="b", after=2)] == [4, 6]
            assert await store.entries(tenant="") == []
            assert await store.entries(after=7) == []

    @_in_event_loop
    async def test_changes_come_in_pages_in_their_order(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add(tenant="a"), _add(tenant="b"), _remove(tenant="a"), _add(OTHER, tenant="b")])
            assert [change.version for change in await store.changes()] == [1, 2, 3, 4]
            assert [change.version for change in await store.changes(after=1, limit=2)] == [2, 3]
            assert [change.version for change in await store.changes(tenant="b")] == [2, 4]
            assert [change.version for change in await store.changes(tenant="b", after=2)] == [4]
            assert await store.changes(after=4) == []

    @_in_event_loop
    async def test_a_tenant_has_entries_of_its_own(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            assert await store.write([_add(), _add(tenant="a"), _add(tenant="b")]) == ["add"] * 3
            assert await store.write([_remove(tenant="a")]) == ["remove"]
            assert [entry.tenant for entry in await store.entries()] == ["", "b"]

    @_in_event_loop
    async def test_a_scan_has_every_entry_also_while_others_change(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            origins = _origins(3_000)
            past = datetime.now(UTC) - timedelta(days=1)
            await store.write([_add(origin, tenant="a") for origin in origins])
            await store.write([_add(OTHER, expires_at=past)])
            found: set[str] = set()
            async for page in store.scan():
                found |= {entry.origin for entry in page}
                await store.write([_add(f"https://new-{len(found)}.example.com")])
            assert {*origins, OTHER} <= found
            assert {entry.origin async for page in store.scan(tenant="a") for entry in page} == {*origins}

    @_in_event_loop
    async def test_unusual_texts_are_stored_as_they_are(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            for text in UNUSUAL_TEXTS:
                await store.write([_add(tenant=text, note=text, by=text)])
                [entry] = await store.entries(tenant=text)
                assert (entry.tenant, entry.note, entry.by) == (text, text, text)
                [change] = await store.changes(tenant=text)
                assert (change.tenant, change.note, change.by) == (text, text, text)
                assert await store.write([_remove(tenant=text)]) == ["remove"]

    # -- history

    @_in_event_loop
    async def test_a_purge_removes_the_oldest_changes_only(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add(), _remove()])
            await asyncio.sleep(0.01)  # an engine may count in milliseconds
            between = datetime.now(UTC)
            await asyncio.sleep(0.01)
            await store.write([_add(OTHER)])
            before = await store.status()
            assert await store.purge_history(between) == 2
            assert [change.version for change in await store.changes()] == [3]
            status = await store.status()
            assert (status.id, status.version, status.oldest) == (before.id, 3, 3)
            assert await store.purge_history(between) == 0

    @_in_event_loop
    async def test_entries_and_version_stay_when_all_changes_are_purged(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add(), _add(OTHER)])
            assert await store.purge_history(datetime.now(UTC) + timedelta(days=1)) == 2
            status = await store.status()
            assert (status.version, status.oldest) == (2, 3)
            assert len(await store.entries()) == 2
            await store.write([_remove()])
            assert [change.version for change in await store.changes()] == [3]

    # -- connections

    @_in_event_loop
    async def test_a_closed_store_is_opened_again(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add()])
            await store.close()
            await store.close()
            assert len(await store.entries()) == 1

    @_in_event_loop
    async def test_waiting_ends_after_the_timeout(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await store.write([_add()])
            async with asyncio.timeout(_DEADLINE):
                await store.wait(0.01)
                await store.wait(0.01)

    def test_one_object_works_in_several_event_loops(self, make_store: MakeStore) -> None:
        store = make_store()
        asyncio.run(_write_and_close(store, [_add()]))
        asyncio.run(_write_and_close(store, [_add(OTHER)]))
        both = _origins(2)
        threads = [
            threading.Thread(target=lambda origin=origin: asyncio.run(_write_and_close(store, [_add(origin)])))
            for origin in both
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {entry.origin for entry in asyncio.run(_read_and_close(store))} == {ORIGIN, OTHER, *both}


async def _write_and_close(store: Store, writes: Sequence[Write]) -> None:
    await store.write(writes)
    await store.close()


async def _read_and_close(store: Store) -> list[Entry]:
    entries = await store.entries()
    await store.close()
    return entries


class RegistryTests:
    """Tests of a `Registry` over a `Store`. Override the fixture `make_store`."""

    @_in_event_loop
    async def test_a_change_is_used_when_the_call_returns(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry:
            assert (await _answer(registry)).error is not None  # the store was never written to
            assert await registry.add(ORIGIN) is True
            assert (await _answer(registry)).allowed
            assert await registry.add(ORIGIN) is False
            assert await registry.remove(ORIGIN) is True
            assert await registry.remove(ORIGIN) is False
            answer = await _answer(registry)
            assert (answer.allowed, answer.error) == (False, None)

    @_in_event_loop
    async def test_another_worker_follows_the_changes(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry, _registry(make_store) as worker:
            await registry.add(OTHER)
            await _wait_until(worker, OTHER, allowed=True)
            await registry.add("https://*.example.org")
            await _wait_until(worker, "https://a.example.org", allowed=True)
            answer = await _answer(worker, OTHER)
            assert answer.leases is not None
            assert all(lease.is_current for lease in answer.leases)
            await registry.remove(OTHER)
            await _wait_until(worker, OTHER, allowed=False)
            assert not all(lease.is_current for lease in answer.leases)
            assert worker.stats().loads == 1

    @_in_event_loop
    async def test_a_worker_loads_the_list_again_if_changes_were_purged(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry, _registry(make_store) as worker:
            await registry.add(OTHER)
            await _wait_until(worker, OTHER, allowed=True)
            worker.stop()
            await registry.remove(OTHER)
            await registry.add(ORIGIN)
            await registry.purge_history(datetime.now(UTC) + timedelta(days=1))
            await _wait_until(worker, ORIGIN, allowed=True)
            assert not (await _answer(worker, OTHER)).allowed
            assert worker.stats().loads == 2

    @_in_event_loop
    async def test_an_entry_ends_at_its_time(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry:
            end = datetime.now(UTC) + timedelta(seconds=0.5)
            await registry.add(ORIGIN, expires_at=end)
            answer = await _answer(registry)
            assert answer.allowed or datetime.now(UTC) >= end
            await _wait_until(registry, ORIGIN, allowed=False)
            assert datetime.now(UTC) >= end
            assert answer.leases is not None
            assert not all(lease.is_current for lease in answer.leases)
            assert await registry.add(ORIGIN) is True
            assert (await _answer(registry)).allowed

    @_in_event_loop
    async def test_a_tenant_allows_its_own_origins_only(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry:
            await registry.add(ORIGIN, tenant="acme")
            await registry.add(OTHER)
            assert (await _answer(registry.tenant("acme"), ORIGIN)).allowed
            assert not (await _answer(registry.tenant("acme"), OTHER)).allowed
            assert not (await _answer(registry.tenant("unknown"), ORIGIN)).allowed
            assert not (await _answer(registry, ORIGIN)).allowed
            assert (await _answer(registry, OTHER)).allowed

    @_in_event_loop
    async def test_an_invalid_entry_is_refused(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry:
            for origin in ("*", "null", r"https://.*\.example\.com", "https://example.com/path", "", "example.com"):
                await _expect_config_error(registry.add(origin))
            for text in ("two\nlines", "zero\0", "\x1b[31m", "\ud800", "x" * 3_000):
                await _expect_config_error(registry.add(ORIGIN, note=text))
                await _expect_config_error(registry.add(ORIGIN, tenant=text))
                await _expect_config_error(registry.add(ORIGIN, by=text))
            naive = datetime(2999, 1, 1)  # noqa: DTZ001 - the mistake
            await _expect_config_error(registry.add(ORIGIN, expires_at=naive))
            assert await registry.list() == []

    @_in_event_loop
    async def test_many_entries_are_added_without_the_invalid_ones(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry:
            await registry.add(ORIGIN, note="old")
            entries = [Entry(origin=ORIGIN, note="new"), OTHER, "*", *_origins(6_000), OTHER]
            progress: list[int] = []
            expected = (6_001, 1, 1)
            preview = await registry.add_all(entries, dry_run=True)
            assert (preview[:3], len(preview.issues)) == (expected, 1)
            assert len(await registry.list()) == 1
            result = await registry.add_all(entries, on_progress=progress.append)
            assert (result[:3], len(result.issues)) == (expected, 1)
            assert progress == [5_000, 6_004]
            assert (await registry.add_all(entries))[:3] == (0, 0, 6_003)

    @_in_event_loop
    async def test_list_and_history_come_in_pages(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry:
            await registry.add_all(_origins(5))
            await registry.remove(_origins(5)[0], by="ann")
            first = await registry.list(limit=3)
            rest = await registry.list(after=first[-1].id)
            assert [entry.origin for entry in [*first, *rest]] == _origins(5)[1:]
            assert [change.action for change in await registry.history(after=4)] == ["add", "remove"]
            assert await registry.list(tenant="acme") == []

    @_in_event_loop
    async def test_changes_can_be_watched(self, make_store: MakeStore) -> None:
        async with _registry(make_store) as registry, _registry(make_store) as other:
            await registry.add(ORIGIN)
            changes = other.watch(after=0)
            async with asyncio.timeout(_DEADLINE):
                assert (await anext(changes)).origin == ORIGIN
                following = asyncio.ensure_future(anext(changes))
                await registry.remove(ORIGIN)
                assert (await following).action == "remove"

    def test_the_methods_without_async_do_the_same(self, make_store: MakeStore) -> None:
        registry = Registry(make_store(), poll=0.02)
        try:
            assert registry.sync.add(ORIGIN, note="the shop", by="ann")
            assert [entry.note for entry in registry.sync.list()] == ["the shop"]
            assert registry.sync.add_all([OTHER]).added == 1
            assert next(registry.sync.watch(after=1)).origin == OTHER
            assert registry.sync.remove(ORIGIN)
            assert len(registry.sync.history()) == 3
            assert registry.sync.purge_history(datetime.now(UTC) + timedelta(days=1)) == 3
        finally:
            registry.sync.close()

    def test_one_registry_works_in_several_event_loops(self, make_store: MakeStore) -> None:
        registry = Registry(make_store(), poll=0.02)

        async def add(origin: str) -> None:
            await registry.add(origin)
            assert (await _answer(registry, origin)).allowed

        asyncio.run(add(ORIGIN))
        asyncio.run(add(OTHER))
        assert len(registry.sync.list()) == 2
        registry.sync.close()


async def _expect_config_error(coroutine: Coroutine[Any, Any, object]) -> None:
    try:
        await coroutine
    except ConfigError as error:
        assert error.issues  # noqa: PT017 - without pytest
    else:
        raise AssertionError("a ConfigError was expected")
