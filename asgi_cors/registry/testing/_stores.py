"""The tests of a store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asgi_cors.registry.store import Action, Entry, Store, Write

from ._support import (
    DEADLINE,
    ORIGIN,
    OTHER,
    UNUSUAL_TEXTS,
    MakeStore,
    add,
    in_event_loop,
    opened,
    origins_of_shops,
    remove,
)


class StoreTests:
    """Tests of a `Store`. Override the fixture `make_store`."""

    # -- a new store

    @in_event_loop
    async def test_a_store_that_was_never_written_to_has_no_id_and_is_empty(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            status = await store.status()
            assert (status.id, status.version) == ("", 0)
            assert await store.entries() == []
            assert await store.changes() == []
            assert [entry async for page in store.scan() for entry in page] == []
            assert [row async for page in store.scan_origins() for row in page] == []
            assert await store.find([ORIGIN]) == []
            assert await store.purge_history(datetime.now(UTC)) == 0

    @in_event_loop
    async def test_a_write_of_nothing_makes_the_store(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            assert await store.write([]) == []
            status = await store.status()
            assert status.id
            assert (status.version, status.oldest) == (0, 1)

    @in_event_loop
    async def test_the_id_stays_and_another_object_reads_it(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store, opened(make_store) as other:
            await store.write([add()])
            before = await store.status()
            await store.write([add(OTHER)])
            assert (await other.status()).id == before.id

    # -- writes

    @in_event_loop
    async def test_an_entry_gets_the_version_of_its_change_as_its_id(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            before = datetime.now(UTC)
            assert await store.write([add(note="the shop", by="ann", tenant="acme")]) == ["add"]
            [entry] = await store.entries()
            assert (entry.id, entry.origin, entry.tenant, entry.note, entry.by, entry.expires_at) == (
                *(1, ORIGIN, "acme", "the shop", "ann", None),
            )
            assert entry.added_at is not None
            assert before - timedelta(seconds=2) <= entry.added_at <= datetime.now(UTC) + timedelta(seconds=2)
            assert entry.added_at.utcoffset() == timedelta(0)
            assert await store.status() == await store.status()
            assert (await store.status()).version == 1

    @in_event_loop
    async def test_adding_an_equal_entry_changes_nothing(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add(note="the shop")])
            assert await store.write([add(note="the shop", by="ben")]) == [None]
            assert (await store.status()).version == 1
            assert len(await store.changes()) == 1

    @in_event_loop
    async def test_another_note_or_expiry_updates_the_entry(self, make_store: MakeStore) -> None:
        end = datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        async with opened(make_store) as store:
            await store.write([add(note="old", by="ann"), add(OTHER)])
            [before, _] = await store.entries()
            assert await store.write([add(note="new", by="ben")]) == ["update"]
            assert await store.write([add(note="new", by="ben", expires_at=end)]) == ["update"]
            [after, _] = await store.entries()
            assert (after.id, after.by, after.added_at) == (before.id, "ann", before.added_at)
            assert (after.note, after.expires_at) == ("new", end)
            change = (await store.changes())[-1]
            assert (change.action, change.by, change.note, change.expires_at) == ("update", "ben", "new", end)

    @in_event_loop
    async def test_an_expired_entry_is_added_again(self, make_store: MakeStore) -> None:
        past = datetime.now(UTC) - timedelta(days=1)
        async with opened(make_store) as store:
            assert await store.write([add(expires_at=past, by="ann")]) == ["add"]
            assert [entry.expires_at for entry in await store.entries()] == [past]
            assert await store.write([add(by="ben")]) == ["add"]
            [entry] = await store.entries()
            assert (entry.id, entry.by, entry.expires_at) == (2, "ben", None)

    @in_event_loop
    async def test_a_removed_entry_leaves_its_note_in_the_history(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add(note="the shop", by="ann")])
            assert await store.write([remove(by="ben")]) == ["remove"]
            assert await store.write([remove(by="ben")]) == [None]
            assert await store.entries() == []
            change = (await store.changes())[-1]
            assert (change.version, change.action, change.origin, change.by, change.note) == (
                *(2, "remove", ORIGIN, "ben", "the shop"),
            )

    @in_event_loop
    async def test_a_write_sees_the_earlier_ones_of_its_call(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            writes = [add(), add(), add(note="new"), remove(), remove(), add()]
            assert await store.write(writes) == ["add", None, "update", "remove", None, "add"]
            assert [entry.id for entry in await store.entries()] == [4]
            assert [change.version for change in await store.changes()] == [1, 2, 3, 4]

    @in_event_loop
    async def test_writes_are_made_all_or_none(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add()])
            impossible: Any = object()
            with pytest.raises(Exception):  # noqa: B017, PT011 - each engine has its own
                await store.write([add(OTHER), remove(), add("https://x.example.com", note=impossible)])
            assert [entry.origin for entry in await store.entries()] == [ORIGIN]
            assert (await store.status()).version == 1
            assert await store.write([add(OTHER)]) == ["add"]
            assert [change.version for change in await store.changes()] == [1, 2]

    @in_event_loop
    async def test_five_thousand_entries_are_one_write(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            origins = origins_of_shops(5_000)
            assert await store.write([add(origin) for origin in origins]) == ["add"] * 5_000
            assert [entry.origin for entry in await store.entries(limit=10_000)] == origins

    @in_event_loop
    async def test_writers_at_the_same_time_lose_nothing(self, make_store: MakeStore) -> None:
        async def write(number: int) -> list[Action | None]:
            async with opened(make_store) as store:
                return [
                    action
                    for each in range(20)
                    for action in await store.write([add(f"https://shop-{number}-{each}.example.com")])
                ]

        assert await asyncio.gather(*map(write, range(4))) == [["add"] * 20] * 4
        async with opened(make_store) as store:
            assert len({entry.origin for entry in await store.entries()}) == 80
            assert [change.version for change in await store.changes()] == [*range(1, 81)]

    # -- reads

    @in_event_loop
    async def test_entries_come_in_pages_in_their_order(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            origins = origins_of_shops(7)
            await store.write([add(origin, tenant="ab"[number % 2]) for number, origin in enumerate(origins)])
            await store.write([remove(origins[2], tenant="a"), add(origins[1], tenant="b", note="new")])
            expected = [number + 1 for number in range(7) if number != 2]
            assert [entry.id for entry in await store.entries()] == expected
            assert [entry.id for entry in await store.entries(limit=2)] == expected[:2]
            assert [entry.id for entry in await store.entries(after=2, limit=2)] == expected[2:4]
            assert [entry.id for entry in await store.entries(tenant="b", after=2)] == [4, 6]
            assert await store.entries(tenant="") == []
            assert await store.entries(after=7) == []

    @in_event_loop
    async def test_changes_come_in_pages_in_their_order(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add(tenant="a"), add(tenant="b"), remove(tenant="a"), add(OTHER, tenant="b")])
            assert [change.version for change in await store.changes()] == [1, 2, 3, 4]
            assert [change.version for change in await store.changes(after=1, limit=2)] == [2, 3]
            assert [change.version for change in await store.changes(tenant="b")] == [2, 4]
            assert [change.version for change in await store.changes(tenant="b", after=2)] == [4]
            assert await store.changes(after=4) == []

    @in_event_loop
    async def test_a_tenant_has_entries_of_its_own(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            assert await store.write([add(), add(tenant="a"), add(tenant="b")]) == ["add"] * 3
            assert await store.write([remove(tenant="a")]) == ["remove"]
            assert [entry.tenant for entry in await store.entries()] == ["", "b"]

    @in_event_loop
    async def test_a_scan_has_every_entry_also_while_others_change(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            origins = origins_of_shops(3_000)
            past = datetime.now(UTC) - timedelta(days=1)
            await store.write([add(origin, tenant="a") for origin in origins])
            await store.write([add(OTHER, expires_at=past)])
            found: set[str] = set()
            async for page in store.scan():
                found |= {entry.origin for entry in page}
                await store.write([add(f"https://new-{len(found)}.example.com")])
            assert {*origins, OTHER} <= found
            assert {entry.origin async for page in store.scan(tenant="a") for entry in page} == {*origins}

    @in_event_loop
    async def test_a_scan_can_be_limited_to_patterns(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            pattern = "https://*.example.org"
            await store.write([add(pattern, tenant="a", note="*"), add(tenant="a", note="*"), add(pattern)])
            await store.write([add(tenant="a*"), add(pattern, tenant="a*")])
            found = [e async for page in store.scan(only_patterns=True) for e in page]
            assert sorted((entry.tenant, entry.origin) for entry in found) == [
                ("", pattern),
                ("a", pattern),
                ("a*", pattern),
            ]
            [entry] = [e async for page in store.scan(tenant="a*", only_patterns=True) for e in page]
            assert (entry.id, entry.tenant, entry.origin) == (5, "a*", pattern)

    @in_event_loop
    async def test_a_worker_reads_tenant_origin_and_end_only(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            end = datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
            past = datetime(1999, 12, 31, tzinfo=UTC)
            trap = 'a note with "expires_at":"" in it'
            await store.write(
                [add(), add(tenant="a", expires_at=end, note=trap), add(OTHER, tenant="ä\\", expires_at=past)]
            )
            rows = [row async for page in store.scan_origins() for row in page]
            assert sorted(rows) == [
                ("", ORIGIN, None),
                ("a", ORIGIN, end.timestamp()),
                ("ä\\", OTHER, past.timestamp()),
            ]

    @in_event_loop
    async def test_entries_are_found_by_their_texts(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            past = datetime.now(UTC) - timedelta(days=1)
            origins = origins_of_shops(5_000)
            await store.write([add(origin) for origin in origins])
            await store.write([add("https://*.example.org", expires_at=past, note="old"), add(tenant="a"), add(OTHER)])
            found = await store.find([*origins[10:], "https://*.example.org", OTHER, ORIGIN, OTHER])
            expected = [*origins[10:], "https://*.example.org", OTHER]
            assert sorted(entry.origin for entry in found) == sorted(expected)
            [entry] = await store.find([ORIGIN], tenant="a")
            assert (entry.id, entry.tenant, entry.origin) == (5_002, "a", ORIGIN)
            [entry] = await store.find(["https://*.example.org"])
            assert (entry.note, entry.expires_at) == ("old", past)
            assert await store.find(["https://a.example.org"]) == await store.find([]) == []
            assert await store.find([ORIGIN], tenant="b") == []

    @in_event_loop
    async def test_unusual_texts_are_stored_as_they_are(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            for text in UNUSUAL_TEXTS:
                await store.write([add(tenant=text, note=text, by=text)])
                [entry] = await store.entries(tenant=text)
                assert (entry.tenant, entry.note, entry.by) == (text, text, text)
                assert await store.find([ORIGIN], tenant=text) == [entry]
                assert [row async for page in store.scan_origins() for row in page] == [(text, ORIGIN, None)]
                assert [e async for page in store.scan(tenant=text) for e in page] == [entry]
                [change] = await store.changes(tenant=text)
                assert (change.tenant, change.note, change.by) == (text, text, text)
                assert await store.write([remove(tenant=text)]) == ["remove"]

    # -- history

    @in_event_loop
    async def test_a_purge_removes_the_oldest_changes_only(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add(), remove()])
            await asyncio.sleep(0.01)  # an engine may count in milliseconds
            between = datetime.now(UTC)
            await asyncio.sleep(0.01)
            await store.write([add(OTHER)])
            before = await store.status()
            assert await store.purge_history(between) == 2
            assert [change.version for change in await store.changes()] == [3]
            status = await store.status()
            assert (status.id, status.version, status.oldest) == (before.id, 3, 3)
            assert await store.purge_history(between) == 0

    @in_event_loop
    async def test_entries_and_version_stay_when_all_changes_are_purged(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add(), add(OTHER)])
            assert await store.purge_history(datetime.now(UTC) + timedelta(days=1)) == 2
            status = await store.status()
            assert (status.version, status.oldest) == (2, 3)
            assert len(await store.entries()) == 2
            await store.write([remove()])
            assert [change.version for change in await store.changes()] == [3]

    # -- connections

    @in_event_loop
    async def test_a_closed_store_is_opened_again(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add()])
            await store.close()
            await store.close()
            assert len(await store.entries()) == 1

    @in_event_loop
    async def test_waiting_ends_after_the_timeout(self, make_store: MakeStore) -> None:
        async with opened(make_store) as store:
            await store.write([add()])
            async with asyncio.timeout(DEADLINE):
                await store.wait(0.01)
                await store.wait(0.01)

    def test_one_object_works_in_several_event_loops(self, make_store: MakeStore) -> None:
        store = make_store()
        asyncio.run(_write_and_close(store, [add()]))
        asyncio.run(_write_and_close(store, [add(OTHER)]))
        both = origins_of_shops(2)
        threads = [threading.Thread(target=_run_write, args=(store, origin)) for origin in both]
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


def _run_write(store: Store, origin: str) -> None:
    asyncio.run(_write_and_close(store, [add(origin)]))
