"""`Cached`: `invalidate` and `clear`."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from asgi_cors import Answer, Cached
from asgi_cors._configuration import calls
from tests.support.expected import APP, EVIL
from tests.support.look_ups import (
    Customers,
    Gate,
    answer_of,
    answered,
    build,
    is_current,
    settle,
)

OTHER = "https://other.example"


@pytest.mark.parametrize("revoke", [lambda cached: cached.invalidate(APP), Cached.clear], ids=["invalidate", "clear"])
def test_an_invalidated_origin_is_called_again_and_its_lease_is_void(revoke: Callable[[Cached], None]) -> None:
    customers = Customers(APP)
    cached, _ = build(customers)
    answer = answered(cached)
    revoke(cached)
    assert not is_current(answer)
    customers.allowed.clear()
    assert not answered(cached).allowed
    assert customers.calls == [APP, APP]


def test_invalidation_of_an_origin_leaves_the_others() -> None:
    cached, _ = build(lambda _: True)
    answers = [answered(cached, origin) for origin in (APP, EVIL)]
    cached.invalidate(EVIL)
    assert [is_current(answer) for answer in answers] == [True, False]


def test_invalidation_before_any_request_and_of_a_failure_is_possible() -> None:
    customers = Customers(APP)
    customers.error = OSError("away")
    cached, _ = build(customers)
    cached.invalidate(APP)
    cached.clear()
    answered(cached)
    customers.error = None
    cached.invalidate(APP)
    assert answered(cached).allowed


@pytest.mark.parametrize("revoke", [lambda cached: cached.invalidate(APP), Cached.clear], ids=["invalidate", "clear"])
@pytest.mark.parametrize("result", [True, OSError("away")], ids=["an answer", "a failure"])
def test_a_request_after_an_invalidation_gets_the_result_of_a_later_call(
    revoke: Callable[[Cached], None], result: Any
) -> None:
    """A call in flight is not stored, whichever call ends first."""

    async def main() -> None:
        gate = Gate(result)
        cached, _ = build(gate)
        before = asyncio.create_task(answer_of(cached))
        await gate.entered()
        revoke(cached)
        gate.result = False
        after = asyncio.create_task(answer_of(cached))
        await gate.entered()
        gate.open()
        assert (await before).leases is None
        assert await after == cached.look_up(APP) == Answer(False, (await after).leases)
        assert gate.calls == [APP, APP]

    asyncio.run(main())


def test_an_old_answer_that_was_invalidated_is_not_used_if_the_call_fails() -> None:
    async def main() -> None:
        gate = Gate(True)
        gate.open()
        cached, clock = build(gate, ttl=100)
        await answer_of(cached)
        await gate.entered()
        clock.now += 100
        gate._open.clear()
        gate.result = OSError("away")
        request = asyncio.create_task(answer_of(cached))
        await gate.entered()
        cached.invalidate(APP)
        gate.open()
        assert not (await request).allowed

    asyncio.run(main())


def test_invalidation_from_many_threads_never_leaves_an_old_answer() -> None:
    """Each thread changes the truth, invalidates, and must then see its own change or a later one."""
    version = 0
    lock = threading.Lock()
    wrong: list[tuple[int, int]] = []
    seen: dict[int, int] = {}

    async def look_up(origin: str) -> bool:
        now = version
        await asyncio.sleep(0)
        seen[threading.get_ident()] = now
        return now % 2 == 0

    cached, _ = build(look_up)

    def work() -> None:
        nonlocal version
        for _ in range(30):
            with lock:
                version += 1
                cached.invalidate(APP)
                expected = version % 2 == 0
                if answered(cached).allowed is not expected:
                    wrong.append((version, expected))

    def read() -> None:
        while not done.is_set():
            answered(cached)

    done = threading.Event()
    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=work) for _ in range(3)]
    for thread in [*readers, *writers]:
        thread.start()
    for thread in writers:
        thread.join(120)
    done.set()
    for thread in readers:
        thread.join(120)
    assert not wrong


def test_the_feed_invalidates_origins() -> None:
    async def main() -> None:
        items: asyncio.Queue[str | bytes | None] = asyncio.Queue()

        async def feed() -> Any:
            while True:
                yield await items.get()

        cached = Cached(lambda _: True, feed=feed)
        cached.start()
        for origin in (APP, EVIL):
            await cached.get(origin)
        items.put_nowait(APP.encode())
        await settle(lambda: cached.stats().allowed == 1)
        assert isinstance(cached.look_up(EVIL), Answer)
        items.put_nowait(None)
        await settle(lambda: cached.stats().allowed == 0)
        cached.stop()

    asyncio.run(main())


def test_a_forked_child_with_a_feed_drops_the_answers() -> None:
    """Its own feed begins later than the parent's, so it may miss a change."""

    async def feed() -> Any:
        yield await asyncio.Event().wait()

    with_feed, without_feed = Cached(lambda _: True, feed=feed), Cached(lambda _: True)
    for cached in (with_feed, without_feed):
        asyncio.run(cached.get(APP))
    calls._after_fork()
    assert (with_feed.stats().allowed, without_feed.stats().allowed) == (0, 1)


def test_an_entry_without_a_feed_starts_and_stops() -> None:
    cached, _ = build(Customers(APP))
    cached.start()
    cached.stop()
    assert answered(cached).allowed
