"""The store in a real Redis: transactions, pages, cancelled callers, event loops and forks."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

redis = pytest.importorskip("redis.asyncio")

from asgi_cors.registry.redis import RedisStore  # noqa: E402 - it needs redis-py
from asgi_cors.registry.store import Entry, RegistryError, Status, Write  # noqa: E402
from tests.support.redis_server import RedisServer, running_redis  # noqa: E402

A, B = "https://a.example.com", "https://b.example.com"


def add(origin: str, **options) -> Write:
    return Write("add", Entry(origin=origin, **options))


def remove(origin: str, **options) -> Write:
    return Write("remove", Entry(origin=origin, **options))


def many(start: int, stop: int, **options) -> list[Write]:
    return [add(f"https://c{number}.example.com", **options) for number in range(start, stop)]


@pytest.fixture
async def store(redis_server):
    store = RedisStore(redis_server.url)
    yield store
    await store.close()


async def scanned(store, **options) -> list[Entry]:
    return [entry async for page in store.scan(**options) for entry in page]


# -- entries and history


async def test_texts_are_stored_as_they_are(store):
    entry = {"tenant": 'a"*[\\b', "note": "ü\n\0/\ud800", "by": "🙂"}
    await store.write([add(A, **entry), add(A, tenant="a")])
    (found,) = await scanned(store, tenant=entry["tenant"])
    (change,) = await store.changes(tenant=entry["tenant"])
    for record in (found, change):
        assert {name: getattr(record, name) for name in entry} == entry


async def test_the_times_of_an_entry_are_stored_to_the_microsecond(store):
    expires_at = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    before = datetime.now(UTC)
    await store.write([add(A, expires_at=expires_at)])
    (entry,) = await store.entries()
    assert entry.expires_at == expires_at
    assert before <= entry.added_at <= datetime.now(UTC)
    (change,) = await store.changes()
    assert (change.at, change.expires_at) == (entry.added_at, expires_at)


async def test_writes_of_one_call_see_the_earlier_ones(store):
    ended = datetime.now(UTC) - timedelta(days=1)
    writes = [add(A), add(A), add(A, note="x"), remove(A), remove(A), add(A, expires_at=ended), add(A)]
    assert await store.write(writes) == ["add", None, "update", "remove", None, "add", "add"]
    assert [entry.id for entry in await store.entries()] == [5]
    assert [(change.version, change.action, change.note) for change in await store.changes()] == [
        (1, "add", ""),
        (2, "update", "x"),
        (3, "remove", "x"),
        (4, "add", ""),
        (5, "add", ""),
    ]


async def test_an_update_leaves_id_author_and_time(store):
    await store.write([add(A, by="ann"), add(B)])
    (before, _) = await store.entries()
    await store.write([add(A, by="bob", note="x")])
    (after, _) = await store.entries()
    assert (after.id, after.by, after.added_at, after.note) == (1, "ann", before.added_at, "x")
    assert (await store.changes(after=2))[0].by == "bob"


async def test_an_equal_entry_writes_nothing(store, redis_server):
    await store.write([add(A)])
    before = redis_server.execute("INFO", "persistence").partition("rdb_changes_since_last_save:")[2][:3]
    assert await store.write([add(A, by="bob")]) == [None]
    assert redis_server.execute("INFO", "persistence").partition("rdb_changes_since_last_save:")[2][:3] == before


async def test_an_empty_write_makes_the_store(store):
    assert await store.status() == Status("", 0, 1)
    assert await store.write([]) == []
    made = await store.status()
    assert (len(made.id), made.version, made.oldest) == (32, 0, 1)
    await store.write([])
    assert await store.status() == made


async def test_prefixes_separate_registries(store, redis_server):
    other = RedisStore(redis_server.url, prefix="{other}:")
    await store.write([add(A)])
    await other.write([add(B)])
    assert [entry.origin for entry in await store.entries()] == [A]
    assert [entry.origin for entry in await scanned(other)] == [B]
    await other.close()


async def test_a_large_list_is_read_in_pages(store):
    await store.write(many(0, 2500))
    await store.write([remove("https://c7.example.com"), add(A, tenant="a")])
    entries = await scanned(store)
    assert len({entry.origin for entry in entries}) == 2500
    assert {entry.origin for entry in await scanned(store, tenant="a")} == {A}
    ids, after = [], 0
    while page := await store.entries(after=after, limit=700):
        ids += [entry.id for entry in page]
        after = ids[-1]
    assert ids == [number for number in range(1, 2501) if number != 8] + [2502]
    assert [entry.origin for entry in await store.entries(tenant="a", limit=1)] == [A]
    assert await store.entries(tenant="b") == []


async def test_entries_are_in_the_order_of_their_ids_when_their_additions_are_purged(store):
    await store.write(many(0, 1500))
    await store.write([add("https://c3.example.com", note="x")])
    purged = await store.purge_history(datetime.now(UTC))
    assert purged == 1501
    assert await store.status() == Status((await store.status()).id, 1501, 1502)
    assert await store.changes() == []
    await store.write([add(A)])
    assert [entry.id for entry in await store.entries(limit=2)] == [1, 2]
    assert [entry.id for entry in await store.entries(after=1499, limit=5)] == [1500, 1502]
    assert [entry.id for entry in await store.entries(after=1501, limit=5)] == [1502]
    assert await store.entries(after=1502) == []


async def test_a_purge_ends_at_the_first_newer_change(store):
    await store.write(many(0, 1200))
    time = datetime.now(UTC)
    await store.write(many(1200, 1205))
    assert await store.purge_history(time) == 1200
    assert await store.purge_history(time) == 0
    assert (await store.status()).oldest == 1201
    assert [change.version for change in await store.changes(limit=2)] == [1201, 1202]


async def test_changes_of_a_tenant_are_found_behind_those_of_others(store):
    await store.write([*many(0, 1500), add(A, tenant="a"), add(B, tenant="a")])
    assert [change.version for change in await store.changes(tenant="a", limit=1)] == [1501]
    assert [change.version for change in await store.changes(tenant="a", after=1501)] == [1502]


async def test_a_write_is_all_or_nothing_after_kill_9():
    with running_redis(appendonly="yes", appendfsync="always") as server:
        store = RedisStore(server.url)
        await store.write(many(0, 10))
        writing = asyncio.ensure_future(store.write(many(10, 5010)))
        await asyncio.sleep(0)
        server.kill()
        with pytest.raises(RegistryError):
            await writing
        server.start()
        status = await store.status()
        assert status.version in {10, 5010}
        assert len({entry.id for entry in await scanned(store)}) == status.version
        assert len(await store.changes(limit=10_000)) == status.version
        await store.close()


# -- cancelled callers


async def test_a_cancelled_writer_leaves_its_write_to_end_and_no_reply_behind(store, redis_server):
    await store.write([add(A)])
    redis_server.execute("CLIENT", "PAUSE", "60000", "WRITE")
    writer = asyncio.ensure_future(store.write([add(B)]))
    while "blocked_clients:1" not in redis_server.execute("INFO", "clients"):  # noqa: ASYNC110 - Redis has no event for it
        await asyncio.sleep(0)
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    redis_server.execute("CLIENT", "UNPAUSE")
    while (await store.status()).version != 2:
        pass
    assert [entry.origin for entry in await store.entries()] == [A, B]


async def test_a_scan_that_is_left_leaves_no_reply_behind(store):
    await store.write(many(0, 3000))
    for _ in range(5):
        scan = store.scan()
        await anext(scan)
        reading = asyncio.ensure_future(anext(scan))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (await store.status()).version == 3000


async def test_a_scan_ends_with_an_error_if_redis_is_restarted(redis_server):
    with running_redis(appendonly="yes") as server:
        store = RedisStore(server.url)
        await store.write(many(0, 3000))
        scan = store.scan()
        await anext(scan)
        server.kill()
        server.start()
        with pytest.raises(RegistryError):
            await anext(scan)
        await store.close()


# -- notifications


async def test_a_write_ends_the_wait_of_another_store(store, redis_server):
    other = RedisStore(redis_server.url)
    await store.wait(30)  # the new subscription ends the first one
    waiting = asyncio.ensure_future(store.wait(30))
    await other.write([add(A)])
    await waiting
    await other.close()


async def test_a_subscription_is_made_again_after_a_restart(store, redis_server):
    await store.wait(30)
    redis_server.kill()
    await store.wait(0.1)
    redis_server.start()
    waiting = asyncio.ensure_future(store.wait(30))
    await waiting  # the new subscription
    assert "{cors}:changed" in redis_server.execute("PUBSUB", "CHANNELS")


async def test_a_silent_connection_is_tested_and_replaced(store, redis_server, monkeypatch):
    monkeypatch.setattr("asgi_cors.registry.redis.connections.SILENCE", 0.05)
    await store.wait(30)
    await store.wait(30)  # the response to the ping
    redis_server.pause()
    (client,) = store._connections._by_loop.values()
    await asyncio.wait([client._listener])
    redis_server.pause(to_go_on=True)
    await store.wait(30)


# -- event loops, forks, clients


def test_each_event_loop_has_its_own_connections_and_closes_them(redis_server):
    store = RedisStore(redis_server.url)
    for number in range(1, 4):
        asyncio.run(store.write([add(f"https://c{number}.example.com")]))
        assert asyncio.run(store.status()).version == number
    assert "connected_clients:1\r" in redis_server.execute("INFO", "clients")


async def test_two_event_loops_use_a_store_at_once(store):
    await store.write([add(A)])
    other = await asyncio.to_thread(asyncio.run, store.status())
    assert other == await store.status()


async def test_a_store_is_used_again_after_it_was_closed(store):
    await store.write([add(A)])
    await store.wait(30)
    await store.close()
    await store.close()
    assert (await store.status()).version == 1


FORK = """
import asyncio, os, sys
from asgi_cors.registry.redis import RedisStore
from asgi_cors.registry.store import Entry, Write

store = RedisStore(sys.argv[1])

def add(name):
    return store.write([Write("add", Entry(origin=f"https://{name}.example.com"))])

async def main():
    await add("parent")
    child = os.fork()
    if not child:
        asyncio.run(add("child"))
        os._exit(0)
    await asyncio.to_thread(os.waitpid, child, 0)
    await add("parent2")
    print((await store.status()).version)

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_opens_its_own_connection(redis_server):
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", FORK, redis_server.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("3\n", "")


async def test_a_client_of_the_user_is_used_and_stays_open(redis_server):
    client = redis.Redis.from_url(redis_server.url, decode_responses=True)
    store = RedisStore(client=client)
    await store.write([add(A)])
    await store.wait(30)
    assert [entry.origin for entry in await scanned(store)] == [A]
    assert [entry.id for entry in await store.entries()] == [1]
    await store.close()
    assert await client.ping()
    await client.connection_pool.disconnect()


def test_a_function_makes_a_client_for_each_event_loop(redis_server):
    made = []

    def make():
        made.append(redis.Redis.from_url(redis_server.url))
        return made[-1]

    store = RedisStore(client=make)
    for _ in range(2):
        asyncio.run(store.status())
    assert len(made) == 2


def test_a_socket_is_used(tmp_path):
    server = RedisServer(tmp_path, {"unixsocket": str(tmp_path / "redis.sock")})
    server.start()
    try:
        store = RedisStore(f"unix://{tmp_path}/redis.sock")
        assert asyncio.run(store.write([add(A)])) == ["add"]
    finally:
        server.kill()
