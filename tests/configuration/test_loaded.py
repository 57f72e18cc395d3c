"""`Loaded`: a list that is loaded as a whole, again and again."""

import asyncio
import contextvars
import functools
import gc
import logging
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from asgi_cors import Answer, Loaded, Policy
from tests.support.event_loops import run_trio
from tests.support.expected import APP, EVIL
from tests.support.lists import Rows, allows, answer_of, answered, build, ended
from tests.support.look_ups import is_current, settle

OTHER = "https://other.example"


# -- answers


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
async def test_the_origins_of_the_list_are_allowed_and_others_cost_no_call(load: str) -> None:
    rows = Rows(APP, "https://*.customer.example")
    loaded, _ = build(getattr(rows, load))
    assert await allows(loaded, APP)
    assert await allows(loaded, "https://a.b.customer.example")
    for number in range(100):
        answer = loaded.look_up(f"https://evil{number}.example")
        assert isinstance(answer, Answer)
        assert (answer.allowed, is_current(answer)) == (False, True)
    assert rows.calls == 1


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
async def test_a_hundred_requests_at_once_make_one_call(load: str) -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(getattr(rows, load))
    requests = [asyncio.create_task(allows(loaded, APP)) for _ in range(100)]
    await settle(lambda: rows.calls == 1)
    rows.is_open.set()
    assert all(await asyncio.gather(*requests))
    assert rows.calls == 1


async def test_a_request_that_arrives_during_the_first_load_waits_for_it() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows)
    loaded.start()
    loaded.start()
    request = asyncio.create_task(allows(loaded, APP))
    await settle(lambda: rows.calls == 1)
    rows.is_open.set()
    assert await request
    assert rows.calls == 1


async def test_an_awaitable_that_is_awaited_after_the_load_has_ended_has_its_answer() -> None:
    loaded, _ = build(Rows(APP))
    answer = loaded.look_up(APP)
    await ended(loaded)
    assert not isinstance(answer, Answer)
    assert (await answer).allowed


async def test_a_cancelled_request_leaves_the_load_running() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows.asynchronous)
    request = asyncio.create_task(allows(loaded, APP))
    await settle(lambda: rows.calls == 1)
    request.cancel()
    await asyncio.wait({request})
    rows.is_open.set()
    assert await allows(loaded, APP)
    assert rows.calls == 1


@pytest.mark.parametrize(
    "entries",
    [[APP], (APP,), {APP}, frozenset([APP]), dict.fromkeys([APP]).keys(), (each for each in [APP]), iter([APP])],
    ids=lambda value: type(value).__name__,
)
async def test_any_iterable_is_a_list(entries: Any) -> None:
    loaded, _ = build(lambda: entries)
    assert await allows(loaded, APP)


async def test_a_sync_function_may_return_an_awaitable() -> None:
    rows = Rows(APP)

    def load() -> Any:
        return rows.asynchronous()

    loaded, _ = build(load)
    assert await allows(loaded, APP)
    loaded, _ = build(functools.partial(rows.asynchronous))
    assert await allows(loaded, APP)


# -- renewals


async def test_a_list_older_than_every_is_renewed_in_the_background() -> None:
    rows = Rows(APP)
    loaded, clock = build(rows, every=30)
    first = await answer_of(loaded, APP)
    clock.now += 29
    assert is_current(first)
    assert loaded.look_up(APP) == first
    assert rows.calls == 1
    clock.now += 1
    assert not is_current(first)
    rows.entries = [OTHER]
    rows.is_open.clear()
    stale = loaded.look_up(APP)
    assert isinstance(stale, Answer)
    assert stale.allowed
    assert is_current(first)  # while the load is in flight
    await settle(lambda: rows.calls == 2)
    assert loaded.look_up(APP) == stale
    rows.is_open.set()
    await ended(loaded)
    assert not is_current(first)
    assert [await allows(loaded, origin) for origin in (APP, OTHER)] == [False, True]
    assert (rows.calls, loaded.stats().version) == (2, 2)


async def test_an_unchanged_list_is_not_compiled_again_and_its_answers_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows(APP, OTHER, "bad", 7)
    loaded, clock = build(rows)
    first = await answer_of(loaded, APP)
    rows.entries = [7, "bad", OTHER, APP, OTHER]
    clock.now += 30
    loaded.look_up(APP)
    await ended(loaded)
    assert is_current(first)
    assert loaded.stats().version == 1
    clock.now += 29
    assert is_current(first)
    clock.now += 1
    assert not is_current(first)


@pytest.mark.parametrize("idle", [301, 10_000])
async def test_a_request_after_ten_times_every_waits_for_a_new_list(idle: float) -> None:
    rows = Rows(APP)
    loaded, clock = build(rows)
    await allows(loaded, APP)
    rows.entries = [OTHER]
    clock.now += idle
    assert not isinstance(loaded.look_up(APP), Answer)
    assert not await allows(loaded, APP)
    assert rows.calls == 2


async def test_a_worker_without_requests_makes_no_call() -> None:
    rows = Rows(APP)
    loaded, clock = build(rows)
    await allows(loaded, APP)
    clock.now += 1_000
    await asyncio.sleep(0.01)
    assert rows.calls == 1


async def test_refresh_loads_the_list_by_a_call_that_begins_after_it() -> None:
    rows = Rows(APP)
    loaded, _ = build(rows)
    first = await answer_of(loaded, APP)
    rows.entries = [OTHER]
    await loaded.refresh()
    assert not is_current(first)
    assert [await allows(loaded, origin) for origin in (APP, OTHER)] == [False, True]
    assert rows.calls == 2


async def test_refreshes_during_a_load_share_the_next_one() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows)
    loaded.start()
    await settle(lambda: rows.calls == 1)
    rows.entries = [OTHER]
    refreshes = [asyncio.create_task(loaded.refresh()) for _ in range(10)]
    await asyncio.sleep(0)
    rows.is_open.set()
    await asyncio.gather(*refreshes)
    assert rows.calls == 2
    assert await allows(loaded, OTHER)


async def test_a_refresh_ends_the_lease_of_an_unchanged_list() -> None:
    """The caller knows of a change, so that no cached response may outlive it."""
    rows = Rows(APP)
    loaded, clock = build(rows)
    first = await answer_of(loaded, APP)
    await loaded.refresh()
    assert not is_current(first)
    second = await answer_of(loaded, APP)
    assert is_current(second)
    clock.now += 30
    rows.is_open.clear()
    loaded.look_up(APP)
    refresh = asyncio.create_task(loaded.refresh())
    await settle(lambda: not is_current(second))
    assert is_current(await answer_of(loaded, APP))
    rows.is_open.set()
    await refresh


async def test_a_refresh_that_fails_raises_its_cause() -> None:
    rows = Rows(APP)
    loaded, _ = build(rows)
    await allows(loaded, APP)
    rows.error = OSError("no database")
    with pytest.raises(LookupError, match=r"Rows\(\) failed") as caught:
        await loaded.refresh()
    assert caught.value.__cause__ is rows.error
    assert await allows(loaded, APP)


async def test_an_item_of_the_feed_renews_the_list() -> None:
    items: asyncio.Queue[str | None] = asyncio.Queue()

    async def feed() -> AsyncIterator[str | None]:
        while True:
            yield await items.get()

    rows = Rows(APP)
    loaded, _ = build(rows, feed=feed)
    loaded.start()
    assert await allows(loaded, APP)
    rows.is_open.clear()
    rows.entries = [OTHER]
    for _ in range(100):
        items.put_nowait(None)
    await settle(lambda: items.empty() and rows.calls == 2)
    rows.is_open.set()
    await ended(loaded)
    assert await allows(loaded, OTHER)
    assert rows.calls == 3  # one that ran when the items came, and one after them
    loaded.stop()


# -- contexts, event loops and threads


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_load_runs_in_the_app_context_and_in_no_context_of_a_request(is_async: bool) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="empty")
    found: list[str] = []

    @contextmanager
    def app_context() -> Iterator[None]:
        found.append("app")
        yield
        found.append("end")

    def load() -> Iterator[str]:
        found.append(variable.get())
        yield APP

    async def load_async() -> list[str]:
        found.append(variable.get())
        return [APP]

    variable.set("request")
    loaded, _ = build(load_async if is_async else load)
    loaded.app_context = app_context
    assert await allows(loaded, APP)
    assert found == ["app", "empty", "end"]


async def test_the_event_loop_runs_while_a_sync_function_blocks() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows)
    request = asyncio.create_task(allows(loaded, APP))
    for _ in range(10):
        await asyncio.sleep(0.001)
    rows.is_open.set()
    assert await request


def test_a_load_serves_every_event_loop() -> None:
    rows = Rows(APP)
    loaded, _ = build(rows.asynchronous)
    assert answered(loaded, APP).allowed
    assert answered(loaded, APP).allowed
    assert rows.calls == 1


@pytest.mark.parametrize("cancels", [True, False])
def test_a_load_of_a_closed_event_loop_is_dropped_and_begun_again(
    cancels: bool, caplog: pytest.LogCaptureFixture
) -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows.asynchronous)

    async def begin() -> None:
        loaded.start()
        await settle(lambda: rows.calls == 1)

    loop = asyncio.new_event_loop()
    if cancels:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(begin())
    else:
        loop.run_until_complete(begin())
        loop.close()
    rows.is_open.set()
    assert answered(loaded, APP).allowed
    assert (rows.calls, loaded.stats().errors) == (2, 0)
    gc.collect()
    assert "destroyed" not in caplog.text
    assert [record for record in caplog.records if record.name == "asgi_cors"] == []


def test_a_request_that_waits_for_the_load_of_another_event_loop_begins_it_again_if_that_is_closed() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows.asynchronous)
    waits = threading.Event()
    found: list[bool] = []

    async def wait() -> None:
        answer = loaded.look_up(APP)
        waits.set()
        assert not isinstance(answer, Answer)
        found.append((await answer).allowed)

    async def main() -> None:
        loaded.start()
        await settle(lambda: rows.calls == 1)
        thread.start()
        waits.wait(5)

    thread = threading.Thread(target=lambda: asyncio.run(wait()))
    asyncio.run(main())
    rows.is_open.set()
    thread.join(5)
    assert (found, rows.calls) == ([True], 2)


async def test_stop_ends_the_load_that_runs_in_the_event_loop() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows.asynchronous)
    loaded.stop()
    loaded.start()
    await settle(lambda: rows.calls == 1)
    loaded.stop()
    await ended(loaded)
    rows.is_open.set()
    assert loaded.stats().errors == 0
    assert await allows(loaded, APP)


def test_a_sync_load_works_under_trio() -> None:
    loaded, _ = build(Rows(APP))
    assert run_trio(lambda: allows(loaded, APP))


@pytest.mark.parametrize("load", [Rows(APP).asynchronous, lambda: Rows(APP).asynchronous()], ids=["async", "sync"])
def test_an_async_load_fails_under_trio_and_says_so(load: Any) -> None:
    loaded, _ = build(load)
    answer = run_trio(lambda: answer_of(loaded, APP))
    assert not answer.allowed
    assert "under trio, write a sync one" in str(answer.error).lower()


def test_an_async_load_runs_in_the_background_without_an_event_loop() -> None:
    loaded, _ = build(Rows(APP).asynchronous)
    loaded.start()
    assert answered(loaded, APP).allowed


def test_threads_share_one_load() -> None:
    rows = Rows(APP)
    loaded, _ = build(rows)
    found: list[bool] = []
    barrier = threading.Barrier(8)

    def request() -> None:
        barrier.wait()
        found.append(answered(loaded, APP).allowed)

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
    assert rows.calls == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_retains_the_list_and_loads_the_next_one_itself() -> None:
    rows = Rows(APP)
    loaded, clock = build(rows)
    first = answered(loaded, APP)
    clock.now += 30
    rows.is_open.clear()
    loaded.start()  # this load is in flight when the process forks
    child = os.fork()
    if child == 0:  # pragma: no cover - in another process
        rows.entries = [OTHER]
        is_void = not is_current(first)
        retains = answered(loaded, APP).allowed
        rows.is_open.set()
        asyncio.run(ended(loaded))
        os._exit(not (is_void and retains and answered(loaded, OTHER).allowed))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert is_current(first)
    rows.is_open.set()


@pytest.mark.parametrize("error", [None, OSError("late")], ids=["list", "error"])
async def test_the_function_that_a_fork_calls_drops_the_load_in_flight(error: Exception | None) -> None:
    """The same in this process."""
    rows = Rows(APP)
    loaded, clock = build(rows)
    first = await answer_of(loaded, APP)
    clock.now += 30
    rows.is_open.clear()
    rows.error = error
    loaded.look_up(APP)
    await settle(lambda: rows.calls == 2)
    rows.error = None
    loaded._after_fork()
    assert not is_current(first)
    assert await allows(loaded, APP)
    rows.is_open.set()
    await settle(lambda: rows.calls == 3)
    await ended(loaded)
    assert is_current(await answer_of(loaded, APP))
    assert loaded.stats().errors == 0


# -- reports


async def test_stats_have_the_size_and_age_of_the_list() -> None:
    rows = Rows(APP, "http://other.example", "bad", "*", "null", 7, 8)
    loaded, clock = build(rows)
    assert loaded.stats() == (0, 0, None, 0, 0)
    await allows(loaded, APP)
    entries, left_out, loaded_at, errors, version = loaded.stats()
    assert (entries, left_out, errors, version) == (2, 5, 0, 1)
    assert loaded_at is not None
    assert abs((datetime.now(UTC) - loaded_at).total_seconds()) < 60
    rows.error = OSError()
    clock.now += 30
    loaded.look_up(APP)
    await ended(loaded)
    assert loaded.stats() == (2, 5, loaded_at, 1, 1)


async def test_an_entry_describes_how_it_decided_without_a_call() -> None:
    def customers() -> list[str]:
        return [f"https://a{number}.example" for number in range(4_031)]

    loaded, clock = build(customers)
    assert loaded.describe(APP) == (None, "asked at run time (customers() is not loaded yet)")
    await allows(loaded, APP)
    clock.now += 12
    assert loaded.describe("https://a1.example") == (True, "allowed by customers(), loaded 12 s ago, 4,031 entries")
    assert loaded.describe(APP) == (False, "refused by customers(), loaded 12 s ago, 4,031 entries")


async def test_the_description_of_a_list_of_one_entry_has_the_singular() -> None:
    loaded, _ = build(Rows(APP))
    await allows(loaded, APP)
    assert loaded.describe(APP)[1].endswith(", 1 entry")


def test_the_remedy_of_a_refused_origin_is_an_entry_of_the_list() -> None:
    loaded, _ = build(Rows())
    assert loaded.remedy(APP) == f"add '{APP}' to the list that Rows() loads"


async def test_the_closest_origin_is_searched_in_the_list() -> None:
    loaded, _ = build(Rows(APP))
    policy = Policy(allow_origins=[loaded])
    assert [*loaded.origin_sets(policy)] == []
    await allows(loaded, APP)
    assert [APP in origins for origins in loaded.origin_sets(policy)] == [True]


def test_the_repr_has_the_name_of_the_function_and_the_options_that_are_not_defaults() -> None:
    def customers() -> list[str]:
        return []

    assert repr(Loaded(customers)) == "Loaded(customers)"
    assert repr(Loaded(customers, every=5, snapshot="a.txt")) == "Loaded(customers, every=5, snapshot='a.txt')"


# -- policies


@pytest.mark.parametrize("entry", ["http://shop.example", "https://*.github.io"])
async def test_an_entry_that_is_unsafe_with_credentials_is_left_out_for_such_a_policy_and_logged_once(
    entry: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows, origin = Rows(APP, entry), entry.replace("*", "x")
    loaded, _ = build(rows)
    with_credentials = Policy(allow_origins=[loaded], allow_credentials=True)
    plain = Policy(allow_origins=[loaded])
    assert (await answer_of(loaded, origin, plain)).allowed
    assert "credentials" not in caplog.text
    for _ in range(3):
        assert not (await answer_of(loaded, origin, with_credentials)).allowed
        assert (await answer_of(loaded, APP, with_credentials)).allowed
    await settle(lambda: "an entry is left out" in caplog.text)
    assert "dangerously_allow" in caplog.text
    rows.entries = [APP, OTHER, entry, "http://new.example"]
    await loaded.refresh()
    assert not (await answer_of(loaded, origin, with_credentials)).allowed
    await settle(lambda: "new.example" in caplog.text)
    assert caplog.text.count("an entry is left out") == 2
    accepting = with_credentials.replace(dangerously_allow=["credentials-over-http", "credentials-from-shared-suffix"])
    assert (await answer_of(loaded, origin, accepting)).allowed


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def test_an_origin_that_browsers_cannot_send_is_refused_without_a_load() -> None:
    rows = Rows(EVIL)
    loaded, _ = build(rows)
    assert loaded("not an origin") is False
    assert rows.calls == 0


async def test_a_start_loads_no_list_that_is_still_in_force() -> None:
    """Such as that of a second app, with the same entry."""
    rows = Rows(APP)
    loaded, clock = build(rows)
    loaded.start()
    assert await allows(loaded, APP)
    loaded.start()
    await ended(loaded)
    assert rows.calls == 1
    clock.now += 30
    loaded.start()
    await ended(loaded)
    assert rows.calls == 2


def test_a_request_under_trio_waits_for_the_load_in_flight() -> None:
    rows = Rows(APP)
    rows.is_open.clear()
    loaded, _ = build(rows)

    async def main() -> Answer:
        loaded.start()
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, rows.is_open.set)
                return await answer_of(loaded, APP)

    assert trio.run(main).allowed
