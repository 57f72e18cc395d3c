"""The tests of a registry over a store."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asgi_cors import ConfigError
from asgi_cors.registry.registry import Registry
from asgi_cors.registry.store import Entry

from ._support import (
    DEADLINE,
    ORIGIN,
    OTHER,
    MakeStore,
    in_event_loop,
    look_up,
    open_registry_over,
    origins_of_shops,
    wait_until,
)


class RegistryTests:
    """Tests of a `Registry` over a `Store`. Override the fixture `make_store`."""

    @in_event_loop
    async def test_a_change_is_used_when_the_call_returns(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry:
            assert (await look_up(registry)).error is not None  # the store was never written to
            assert await registry.add(ORIGIN) is True
            assert (await look_up(registry)).allowed
            assert await registry.add(ORIGIN) is False
            assert await registry.remove(ORIGIN) is True
            assert await registry.remove(ORIGIN) is False
            answer = await look_up(registry)
            assert (answer.allowed, answer.error) == (False, None)

    @in_event_loop
    async def test_another_worker_follows_the_changes(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry, open_registry_over(make_store) as worker:
            await registry.add(OTHER)
            await wait_until(worker, OTHER, allowed=True)
            await registry.add("https://*.example.org")
            await wait_until(worker, "https://a.example.org", allowed=True)
            answer = await look_up(worker, OTHER)
            assert answer.leases is not None
            assert all(lease.is_current for lease in answer.leases)
            await registry.remove(OTHER)
            await wait_until(worker, OTHER, allowed=False)
            assert not all(lease.is_current for lease in answer.leases)
            assert worker.stats().loads == 1

    @in_event_loop
    async def test_a_worker_loads_the_list_again_if_changes_were_purged(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry, open_registry_over(make_store) as worker:
            await registry.add(OTHER)
            await wait_until(worker, OTHER, allowed=True)
            worker.stop()
            await registry.remove(OTHER)
            await registry.add(ORIGIN)
            await registry.purge_history(datetime.now(UTC) + timedelta(days=1))
            await wait_until(worker, ORIGIN, allowed=True)
            assert not (await look_up(worker, OTHER)).allowed
            assert worker.stats().loads == 2

    @in_event_loop
    async def test_an_entry_expires_at_its_time(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry:
            end = datetime.now(UTC) + timedelta(seconds=0.5)
            await registry.add(ORIGIN, expires_at=end)
            answer = await look_up(registry)
            assert answer.allowed or datetime.now(UTC) >= end
            await wait_until(registry, ORIGIN, allowed=False)
            assert datetime.now(UTC) >= end
            assert not (answer.allowed and all(lease.is_current for lease in answer.leases or ()))
            assert await registry.add(ORIGIN) is True
            assert (await look_up(registry)).allowed

    @in_event_loop
    async def test_a_tenant_allows_its_own_origins_only(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry:
            await registry.add(ORIGIN, tenant="acme")
            await registry.add(OTHER)
            assert (await look_up(registry.tenant("acme"), ORIGIN)).allowed
            assert not (await look_up(registry.tenant("acme"), OTHER)).allowed
            assert not (await look_up(registry.tenant("unknown"), ORIGIN)).allowed
            assert not (await look_up(registry, ORIGIN)).allowed
            assert (await look_up(registry, OTHER)).allowed

    @in_event_loop
    async def test_an_invalid_entry_is_refused(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry:
            for origin in ("*", "null", r"https://.*\.example\.com", "https://example.com/path", "", "example.com"):
                await _expect_config_error(registry.add(origin))
            for text in ("two\nlines", "zero\0", "\x1b[31m", "\ud800", "x" * 3_000):
                await _expect_config_error(registry.add(ORIGIN, note=text))
                await _expect_config_error(registry.add(ORIGIN, tenant=text))
                await _expect_config_error(registry.add(ORIGIN, by=text))
            naive = datetime(2999, 1, 1)  # noqa: DTZ001 - the mistake
            await _expect_config_error(registry.add(ORIGIN, expires_at=naive))
            assert await registry.list() == []

    @in_event_loop
    async def test_many_entries_are_added_without_the_invalid_ones(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry:
            await registry.add(ORIGIN, note="old")
            entries: list[Entry | str] = [Entry(origin=ORIGIN, note="new"), OTHER, "*", *origins_of_shops(6_000), OTHER]
            progress: list[int] = []
            expected = (6_001, 1, 1)
            preview = await registry.add_all(entries, dry_run=True)
            assert (preview[:3], len(preview.issues)) == (expected, 1)
            assert len(await registry.list()) == 1
            result = await registry.add_all(entries, on_progress=progress.append)
            assert (result[:3], len(result.issues)) == (expected, 1)
            assert progress == [5_000, 6_004]
            assert (await registry.add_all(entries))[:3] == (0, 0, 6_003)

    @in_event_loop
    async def test_list_and_history_come_in_pages(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry:
            await registry.add_all(origins_of_shops(5))
            await registry.remove(origins_of_shops(5)[0], by="ann")
            first = await registry.list(limit=3)
            rest = await registry.list(after=first[-1].id)
            assert [entry.origin for entry in [*first, *rest]] == origins_of_shops(5)[1:]
            assert [change.action for change in await registry.history(after=4)] == ["add", "remove"]
            assert await registry.list(tenant="acme") == []

    @in_event_loop
    async def test_changes_can_be_watched(self, make_store: MakeStore) -> None:
        async with open_registry_over(make_store) as registry, open_registry_over(make_store) as other:
            await registry.add(ORIGIN)
            changes = other.watch(after=0)
            async with asyncio.timeout(DEADLINE):
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
            assert (await look_up(registry, origin)).allowed

        asyncio.run(add(ORIGIN))
        asyncio.run(add(OTHER))
        assert len(registry.sync.list()) == 2
        registry.sync.close()


async def _expect_config_error(coroutine: Coroutine[Any, Any, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        await coroutine
    assert caught.value.issues
