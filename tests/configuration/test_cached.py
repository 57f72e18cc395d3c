"""`Cached`: answers are stored for a time, and revoked at once."""

import asyncio
import functools
import os
import threading
import tracemalloc
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
import trio

from asgi_cors import Answer, Cached, ConfigError, LimitedAwaitable
from tests.support.event_loops import run_asyncio_jumping
from tests.support.expected import APP, EVIL
from tests.support.logs import Clock, lines
from tests.support.look_ups import Customers, Gate, settle

OTHER = "https://other.example"


async def answer_of(cached: Cached, origin: str = APP) -> Answer:
    """Look an origin up as a middleware does."""
    answer = cached.look_up(origin)
    return answer if isinstance(answer, Answer) else await answer


def answered(cached: Cached, origin: str = APP) -> Answer:
    """Look an origin up in an event loop of its own."""
    return asyncio.run(answer_of(cached, origin))


def build(look_up: Any, **options: Any) -> tuple[Cached, Clock]:
    """Build an entry with a clock that the test moves."""
    clock = Clock()
    return Cached(look_up, **{"clock": clock, **options}), clock


def is_current(answer: Answer) -> bool:
    """Return whether a middleware may serve a response that it stored with this answer."""
    return answer.leases is not None and all(lease.is_current for lease in answer.leases)


# -- hits and misses


@pytest.mark.parametrize("origin", [APP, EVIL])
def test_an_answer_is_returned_again_without_a_call(origin: str) -> None:
    customers = Customers(APP)
    cached, _ = build(customers)
    first = answered(cached, origin)
    assert first.allowed is (origin == APP)
    assert cached.look_up(origin) == first
    assert (customers.calls, is_current(first)) == ([origin], True)


def test_a_hundred_requests_at_once_make_one_call() -> None:
    async def main() -> None:
        gate = Gate()
        cached, _ = build(gate)
        requests = [asyncio.create_task(answer_of(cached)) for _ in range(100)]
        await gate.entered()
        assert cached.stats().in_flight == 1
        gate.open()
        assert all(answer.allowed for answer in await asyncio.gather(*requests))
        assert gate.calls == [APP]
        assert cached.stats()[:2] == (0, 100)

    asyncio.run(main())


def test_a_look_up_that_is_never_awaited_makes_no_call() -> None:
    """A request may be cancelled before it awaits."""
    customers = Customers(APP)
    cached, _ = build(customers)
    assert isinstance(cached.look_up(APP), LimitedAwaitable)
    assert not customers.calls


def test_a_request_that_awaits_late_gets_the_stored_answer() -> None:
    async def main() -> None:
        customers = Customers(APP)
        cached, _ = build(customers)
        first, second = cached.look_up(APP), cached.look_up(APP)
        assert isinstance(first, LimitedAwaitable)
        assert isinstance(second, LimitedAwaitable)
        assert (await first) == (await second)
        assert customers.calls == [APP]

    asyncio.run(main())


class Methods:
    """Look-ups as methods."""

    def sync(self, origin: str) -> bool:
        """Look an origin up."""
        return origin == APP

    async def asynchronous(self, origin: str) -> bool:
        """Look an origin up, asynchronously."""
        return origin == APP


class AsyncCallable:
    """A callable object with an async `__call__`."""

    async def __call__(self, origin: str) -> bool:
        """Look an origin up."""
        return origin == APP


FUNCTIONS: dict[str, Any] = {
    "a function": lambda origin: origin == APP,
    "an object": Customers(APP),
    "an async object": AsyncCallable(),
    "a method": Methods().sync,
    "an async method": Methods().asynchronous,
    "a partial": functools.partial(lambda wanted, origin: origin == wanted, APP),
    "a partial of an async method": functools.partial(Methods().asynchronous),
    "a function that returns an awaitable": lambda origin: Methods().asynchronous(origin),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_every_kind_of_function_is_called(function: Any) -> None:
    cached, _ = build(function)
    assert (answered(cached).allowed, answered(cached, EVIL).allowed) == (True, False)


@pytest.mark.parametrize("name", ["a function", "an object", "a method", "a partial"])
def test_a_blocking_function_runs_in_a_thread(name: str) -> None:
    cached, _ = build(FUNCTIONS[name], thread=True)
    assert (answered(cached).allowed, answered(cached, EVIL).allowed) == (True, False)


@pytest.mark.parametrize("thread", [False, True])
def test_a_call_runs_in_an_empty_context(thread: bool) -> None:
    """Not in that of the request that began it."""
    import contextvars

    user: contextvars.ContextVar[str] = contextvars.ContextVar("user")
    seen: list[str] = []

    def look_up(origin: str) -> bool:
        seen.append(user.get(f"unset, for {origin}"))
        return True

    user.set("the first request's")
    cached, _ = build(look_up, thread=thread)
    assert answered(cached).allowed
    assert seen == [f"unset, for {APP}"]


@pytest.mark.parametrize("thread", [False, True])
def test_a_call_runs_in_the_app_context(thread: bool) -> None:
    import contextlib

    events: list[str] = []

    @contextlib.contextmanager
    def app_context() -> Any:
        events.append("enter")
        yield
        events.append("exit")

    cached, _ = build(lambda origin: bool(events.append(origin)) or True, thread=thread)
    cached.app_context = app_context
    assert answered(cached).allowed
    assert events == ["enter", APP, "exit"]


@pytest.mark.parametrize("thread", [False, True])
def test_an_app_context_that_fails_is_a_failed_look_up(thread: bool) -> None:
    def app_context() -> Any:
        raise RuntimeError("no app")

    cached, _ = build(Customers(APP), thread=thread)
    cached.app_context = app_context
    assert repr(answered(cached).error) == "RuntimeError('no app')"


# -- freshness


def test_an_allowed_origin_is_known_for_its_ttl_shortened_by_up_to_a_tenth() -> None:
    customers = Customers(APP)
    cached, clock = build(customers, ttl=100)
    answer = answered(cached)
    clock.now += 89.9
    assert is_current(answer)
    clock.now += 10.1
    assert not is_current(answer)
    assert answered(cached).allowed
    assert customers.calls == [APP, APP]


def test_a_refused_origin_is_known_for_its_negative_ttl() -> None:
    customers = Customers()
    cached, clock = build(customers, negative_ttl=10)
    answer = answered(cached)
    clock.now += 8.9
    assert (answered(cached), is_current(answer)) == (answer, True)
    customers.allowed.add(APP)
    clock.now += 1.1
    assert not is_current(answer)
    assert answered(cached).allowed


def test_answers_that_were_stored_together_expire_one_after_another() -> None:
    origins = [f"https://c{number}.example" for number in range(100)]
    cached, clock = build(lambda _: True, ttl=100)

    async def main() -> list[Answer]:
        return await asyncio.gather(*[answer_of(cached, origin) for origin in origins])

    answers = asyncio.run(main())
    ends = {lease.until - clock.now for answer in answers for lease in answer.leases or ()}
    assert len(ends) > 50
    assert all(90 <= end <= 100 for end in ends)


def test_a_renewed_answer_extends_the_lease_of_stored_responses() -> None:
    cached, clock = build(Customers(APP), ttl=100)
    answer = answered(cached)
    clock.now += 100
    assert not is_current(answer)
    assert answered(cached).allowed
    assert is_current(answer)


def test_a_later_refusal_ends_the_lease_and_both_stale_times() -> None:
    customers = Customers(APP)
    cached, clock = build(customers, ttl=100, stale_if_error=1000, stale_while_revalidate=1000)

    async def main() -> None:
        answer = await answer_of(cached)
        clock.now += 100
        customers.allowed.clear()
        assert (await answer_of(cached)).allowed
        await settle(lambda: cached.stats().refused == 1)
        assert not is_current(answer)
        assert not (await answer_of(cached)).allowed
        customers.error = OSError("away")
        clock.now += 10
        assert not (await answer_of(cached)).allowed

    asyncio.run(main())


def test_an_old_answer_is_used_while_one_call_renews_it() -> None:
    async def main() -> None:
        gate = Gate()
        gate.open()
        cached, clock = build(gate, ttl=100, stale_while_revalidate=50)
        await answer_of(cached)
        clock.now += 100
        gate._open.clear()
        answers = [cached.look_up(APP) for _ in range(10)]
        assert all(isinstance(answer, Answer) and answer.allowed for answer in answers)
        await gate.entered()
        await gate.entered()
        assert (gate.calls, cached.stats().stale) == ([APP, APP], 10)
        gate.open()
        await settle(lambda: is_current(answers[0]))  # type: ignore[arg-type]

    asyncio.run(main())


def test_an_old_answer_is_not_used_beyond_stale_while_revalidate() -> None:
    cached, clock = build(Customers(APP), ttl=100, stale_while_revalidate=50)
    answered(cached)
    clock.now += 150
    assert isinstance(cached.look_up(APP), LimitedAwaitable)


def test_an_old_answer_is_renewed_from_a_thread_without_an_event_loop() -> None:
    """In the background event loop."""
    customers = Customers(APP)
    cached, clock = build(customers.look_up, ttl=100, stale_while_revalidate=50)
    answered(cached)
    clock.now += 100
    answer = cached.look_up(APP)
    assert isinstance(answer, Answer)
    asyncio.run(settle(lambda: is_current(answer)))
    assert customers.calls == [APP, APP]


def test_an_old_answer_is_used_if_the_call_fails(caplog: pytest.LogCaptureFixture) -> None:
    customers = Customers(APP)
    cached, clock = build(customers, ttl=100, stale_if_error=300)
    answered(cached)
    clock.now += 100
    customers.error = OSError("away")
    answer = answered(cached)
    assert (answer.allowed, answer.error, is_current(answer)) == (True, None, True)
    assert len(lines(caplog)) == 1
    assert lines(caplog)[0].startswith("Customers() failed, so its last answer is used again: OSError: 'away'")
    clock.now += 0.9
    assert answered(cached).allowed
    assert customers.calls == [APP, APP]
    clock.now += 0.1
    assert answered(cached).allowed
    assert customers.calls == [APP, APP, APP]
    assert len(lines(caplog)) == 1


def test_an_old_answer_is_not_used_beyond_stale_if_error() -> None:
    customers = Customers(APP)
    cached, clock = build(customers, ttl=100, stale_if_error=300)
    answered(cached)
    customers.error = OSError("away")
    clock.now += 400
    answer = answered(cached)
    assert (answer.allowed, repr(answer.error)) == (False, "OSError('away')")


def test_the_extended_lease_ends_with_stale_if_error() -> None:
    customers = Customers(APP)
    cached, clock = build(customers, ttl=100, stale_if_error=10, error_ttl=60)
    answered(cached)
    customers.error = OSError("away")
    clock.now += 100
    answer = answered(cached)
    assert (answer.allowed, is_current(answer)) == (True, True)
    clock.now += 10
    assert not is_current(answer)
    assert answered(cached).error is not None
    assert len(customers.calls) == 2  # the failure is remembered


def test_a_failure_is_not_stored_as_a_refusal() -> None:
    customers = Customers(APP)
    customers.error = OSError("away")
    cached, clock = build(customers, error_ttl=1)
    answer = answered(cached)
    assert (answer.allowed, answer.leases, cached.stats().refused) == (False, None, 0)
    clock.now += 0.9
    again = answered(cached)
    assert (again.allowed, customers.calls) == (False, [APP])
    assert "OSError: away" in str(again.error)
    customers.error = None
    clock.now += 0.1
    assert answered(cached).allowed


def test_the_number_of_remembered_failures_is_bounded() -> None:
    customers = Customers()
    customers.error = OSError("away")
    cached, _ = build(customers, max_refused=2)
    for origin in (APP, EVIL, OTHER, APP):
        answered(cached, origin)
    assert customers.calls == [APP, EVIL, OTHER, APP]


@pytest.mark.parametrize("jump", [-1e6, -3600.0, 1e6])
def test_a_clock_that_jumps_does_no_harm(jump: float) -> None:
    """Ages are not known after it was set back, so all is looked up again."""
    customers = Customers(APP)
    cached, clock = build(customers)
    answered(cached)
    clock.now += jump
    customers.allowed.clear()
    assert not answered(cached).allowed
    clock.now += 9
    customers.allowed.add(APP)
    clock.now += 10
    assert answered(cached).allowed


# -- limits


def test_refused_origins_never_evict_allowed_ones() -> None:
    customers = Customers(APP)
    cached, _ = build(customers, max_refused=10)

    async def main() -> None:
        first = await answer_of(cached)
        for number in range(1000):
            await answer_of(cached, f"https://evil{number}.example")
        assert is_current(first)
        assert cached.stats()[-2:] == (1, 10)
        assert customers.calls.count(APP) == 1

    asyncio.run(main())


def test_the_oldest_allowed_origin_is_evicted_and_its_lease_voided() -> None:
    """Because `invalidate` must reach all responses that middlewares stored."""
    cached, _ = build(lambda _: True, max_entries=2)
    answers = [answered(cached, origin) for origin in (APP, EVIL, OTHER)]
    assert [is_current(answer) for answer in answers] == [False, True, True]
    assert cached.stats().allowed == 2


def test_a_renewed_origin_is_not_the_oldest() -> None:
    cached, clock = build(lambda _: True, max_entries=2, ttl=100)
    answered(cached, APP)
    clock.now += 50
    answered(cached, EVIL)
    clock.now += 50
    renewed = answered(cached, APP)
    answered(cached, OTHER)
    assert is_current(renewed)


def test_a_million_hostile_origins_take_no_more_memory_than_ten_thousand() -> None:
    """A twentieth of a million here, with limits in proportion."""
    cached, _ = build(lambda _: False, max_refused=500)

    async def flood(numbers: range) -> None:
        for number in numbers:
            await answer_of(cached, f"https://evil{number}.example")

    tracemalloc.start()
    try:
        asyncio.run(flood(range(1000)))
        before = tracemalloc.get_traced_memory()[0]
        asyncio.run(flood(range(1000, 6000)))
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()
    assert cached.stats().refused == 500


def test_unknown_origins_use_three_quarters_of_the_calls_and_renewals_all() -> None:
    async def main() -> None:
        gate = Gate()
        gate.open()
        cached, clock = build(gate, max_in_flight=8, ttl=100)
        await answer_of(cached)
        await gate.entered()
        clock.now += 100
        gate._open.clear()
        waiting = [asyncio.create_task(answer_of(cached, f"https://evil{number}.example")) for number in range(6)]
        for _ in waiting:
            await gate.entered()
        refused = await answer_of(cached, EVIL)
        assert (refused.allowed, refused.leases) == (False, None)
        assert "8 calls of Gate() are in flight" in str(refused.error)
        renewal = asyncio.create_task(answer_of(cached))
        await gate.entered()
        joined = asyncio.create_task(answer_of(cached, "https://evil0.example"))
        assert cached.stats().in_flight == 7
        gate.open()
        assert (await renewal).allowed
        assert (await joined).allowed
        await asyncio.gather(*waiting)
        assert cached.stats().refused == 0
        assert (await answer_of(cached, EVIL)).allowed  # the failure was not stored

    asyncio.run(main())


def test_requests_that_await_beyond_the_limit_are_refused_at_once() -> None:
    async def main() -> None:
        gate = Gate()
        cached, _ = build(gate, max_in_flight=1)
        first, second = cached.look_up(APP), cached.look_up(EVIL)
        assert isinstance(first, LimitedAwaitable)
        assert isinstance(second, LimitedAwaitable)
        waiting = asyncio.ensure_future(first)
        await gate.entered()
        assert "in flight" in str((await second).error)
        gate.open()
        assert (await waiting).allowed

    asyncio.run(main())


def test_an_allowed_origin_is_served_from_its_old_answer_beyond_the_limit() -> None:
    async def main() -> None:
        gate = Gate()
        gate.open()
        cached, clock = build(gate, max_in_flight=1, ttl=100)
        await answer_of(cached)
        await gate.entered()
        clock.now += 100
        gate._open.clear()
        waiting = asyncio.create_task(answer_of(cached, EVIL))
        await gate.entered()
        assert (await answer_of(cached)).allowed
        gate.open()
        await waiting

    asyncio.run(main())


# -- failures


JUNK: list[Any] = [None, 0, "", [], 1, "yes", b"no", object(), [True]]


@pytest.mark.parametrize("value", JUNK, ids=repr)
@pytest.mark.parametrize("thread", [False, True])
def test_a_value_other_than_true_refuses_and_a_truthy_one_is_logged_once(
    value: Any, thread: bool, caplog: pytest.LogCaptureFixture
) -> None:
    cached, _ = build(lambda _: value, thread=thread)
    assert answered(cached) == Answer(False, cached.look_up(APP).leases)  # type: ignore[union-attr]
    answered(cached, EVIL)
    assert len(lines(caplog)) == bool(value)
    assert all(type(value).__name__ in line and "bool(…)" in line for line in lines(caplog))


FAILURES: list[BaseException] = [
    OSError("away"),
    SystemExit(1),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
    GeneratorExit(),
    StopIteration(1),
    TimeoutError(),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("kind", ["sync", "async", "thread"])
def test_every_exception_is_a_failed_look_up(error: BaseException, kind: str) -> None:
    customers = Customers(APP)
    customers.error = error
    cached, clock = build(customers.look_up if kind == "async" else customers, thread=kind == "thread")
    answer = answered(cached)
    assert (answer.allowed, answer.leases) == (False, None)
    assert isinstance(answer.error, Exception)
    customers.error = None
    clock.now += 1
    assert answered(cached).allowed


def test_a_call_without_a_result_times_out_and_is_cancelled() -> None:
    gate: list[Gate] = []

    async def main() -> Answer:
        gate.append(Gate())
        cached, _ = build(gate[0], timeout=2)
        answer = await answer_of(cached)
        await settle(lambda: cached.stats().in_flight == 0)
        return answer

    answer = run_asyncio_jumping(main)
    assert repr(answer.error) == "TimeoutError('no result within 2 seconds')"
    assert gate[0].cancelled == [APP]


def test_a_coroutine_that_ignores_its_cancellation_takes_up_a_place_until_it_ends() -> None:
    async def main() -> None:
        end = asyncio.Event()

        async def stubborn(origin: str) -> bool:
            while not end.is_set():
                try:
                    await end.wait()
                except asyncio.CancelledError:
                    continue
            return True

        cached, _ = build(stubborn, timeout=1, max_in_flight=1)
        assert isinstance((await answer_of(cached)).error, TimeoutError)
        assert "in flight" in str((await answer_of(cached, EVIL)).error)
        end.set()
        await settle(lambda: cached.stats().in_flight == 0)
        assert cached.stats().allowed == 0  # the late result was dropped
        assert (await answer_of(cached, EVIL)).allowed

    run_asyncio_jumping(main)


def test_a_thread_that_timed_out_takes_up_a_place_until_it_ends() -> None:
    entered, end = threading.Event(), threading.Event()

    def look_up(origin: str) -> bool:
        entered.set()
        return end.wait(60) and origin == APP

    async def main() -> None:
        cached, _ = build(look_up, thread=True, timeout=0.01, max_in_flight=1)
        assert isinstance((await answer_of(cached)).error, TimeoutError)
        assert cached.stats().in_flight == 1
        assert "in flight" in str((await answer_of(cached, EVIL)).error)
        end.set()
        await settle(lambda: cached.stats().in_flight == 0)
        assert cached.stats().allowed == 0  # the late result was dropped

    asyncio.run(main())
    assert entered.is_set()


def test_a_thread_that_ends_after_its_event_loop_is_dropped() -> None:
    end = threading.Event()
    cached, _ = build(lambda _: end.wait(60), thread=True, max_in_flight=1)

    async def main() -> None:
        task = asyncio.create_task(answer_of(cached))
        await settle(lambda: cached.stats().in_flight == 1)
        task.cancel()

    asyncio.run(main())
    assert cached.stats().in_flight == 1
    assert "in flight" in str(answered(cached, EVIL).error)
    end.set()
    asyncio.run(settle(lambda: cached.stats().in_flight == 0))
    assert cached.stats().allowed == 0


def test_a_thread_that_cannot_be_started_is_a_failed_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have as many threads as the system allows."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    cached, _ = build(lambda _: True, thread=True)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        assert repr(answered(cached).error) == 'RuntimeError("can\'t start new thread")'
    assert cached.stats().in_flight == 0


def test_a_function_that_returns_an_awaitable_in_a_thread_is_a_failed_look_up() -> None:
    cached, _ = build(lambda origin: Methods().asynchronous(origin), thread=True)
    assert "leave out thread=True" in str(answered(cached).error)


def test_an_awaitable_that_has_no_close_is_dropped_in_a_thread() -> None:
    class Awaitable:
        def __await__(self) -> Any:
            yield

    cached, _ = build(lambda _: Awaitable(), thread=True)
    assert "leave out thread=True" in str(answered(cached).error)


def test_an_exception_without_a_text_is_remembered() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError

    customers = Customers()
    customers.error = Broken()
    cached, _ = build(customers)
    answered(cached)
    assert str(answered(cached).error) == "it failed a moment ago: Broken"


# -- event loops and threads


def test_a_cancelled_request_leaves_the_call_running() -> None:
    async def main() -> None:
        gate = Gate()
        cached, _ = build(gate)
        first, second = (asyncio.create_task(answer_of(cached)) for _ in range(2))
        await gate.entered()
        first.cancel()
        await asyncio.wait({first})
        assert not gate.cancelled
        gate.open()
        assert (await second).allowed
        assert isinstance(cached.look_up(APP), Answer)
        assert gate.calls == [APP]

    asyncio.run(main())


def test_a_call_whose_only_request_is_cancelled_is_stored() -> None:
    async def main() -> None:
        gate = Gate()
        cached, _ = build(gate)
        request = asyncio.create_task(answer_of(cached))
        await gate.entered()
        request.cancel()
        gate.open()
        await settle(lambda: cached.stats().allowed == 1)

    asyncio.run(main())


def test_the_calls_of_a_closed_event_loop_are_dropped() -> None:
    loop = asyncio.new_event_loop()
    customers = Customers(APP)
    gates: list[Gate] = []

    def look_up(origin: str) -> Any:
        return gates[0](origin) if gates else customers(origin)

    async def begin() -> None:
        gates.append(Gate())
        tasks.append(asyncio.create_task(answer_of(cached)))
        await gates[0].entered()

    tasks: list[asyncio.Task[Answer]] = []
    cached, _ = build(look_up, max_in_flight=1)
    loop.run_until_complete(begin())
    calls = [*asyncio.all_tasks(loop)]
    loop.close()
    gates.clear()
    assert cached.stats().in_flight == 0
    assert answered(cached).allowed
    assert customers.calls == [APP]
    for task in calls:
        task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_call_that_its_event_loop_cancels_is_not_remembered_as_a_failure() -> None:
    """An app that shuts down cancels its tasks."""

    async def main() -> None:
        gate = Gate()
        customers = Customers(APP)
        gates = [gate]
        cached, _ = build(lambda origin: gates.pop()(origin) if gates else customers(origin))
        request = asyncio.create_task(answer_of(cached))
        await gate.entered()
        cached.stop()
        assert "event loop ended" in str((await request).error)
        assert (await answer_of(cached)).allowed
        assert cached.stats().errors == 0

    asyncio.run(main())


def test_two_event_loops_in_two_threads_make_two_calls() -> None:
    barrier = threading.Barrier(2, timeout=30)
    customers = Customers(APP)

    async def look_up(origin: str) -> bool:
        barrier.wait()
        return customers(origin)

    cached, _ = build(look_up)
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(answered(cached))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.allowed for answer in answers] == [True, True]
    assert customers.calls == [APP, APP]


def test_an_older_call_of_another_event_loop_does_not_replace_a_newer_answer() -> None:
    """Neither by its result nor by its failure."""
    for late in (True, OSError("away")):
        entered, end = threading.Event(), threading.Event()
        results = [late, False]

        async def look_up(origin: str) -> bool:
            result = results.pop(0)
            if result is not False:
                entered.set()
                await asyncio.to_thread(end.wait, 60)
            if isinstance(result, BaseException):
                raise result
            return result is True

        cached, _ = build(look_up)
        answers: list[Answer] = []
        older = threading.Thread(target=lambda: answers.append(answered(cached)))
        older.start()
        assert entered.wait(30)
        assert not answered(cached).allowed
        end.set()
        older.join(30)
        assert answers[0].leases is None
        assert cached.look_up(APP) == Answer(False, cached.look_up(APP).leases)  # type: ignore[union-attr]
        assert cached.stats().refused == 1


@pytest.mark.parametrize("function", [lambda origin: origin == APP, Customers(APP)])
@pytest.mark.parametrize("thread", [False, True])
def test_a_sync_function_works_under_trio(function: Callable[[str], bool], thread: bool) -> None:
    cached, _ = build(function, thread=thread)
    assert trio.run(answer_of, cached).allowed
    assert not trio.run(answer_of, cached, EVIL).allowed
    assert isinstance(cached.look_up(APP), Answer)


def test_an_async_function_under_trio_is_a_failed_look_up_that_says_why() -> None:
    cached, _ = build(Methods().asynchronous)
    assert "needs the event loop of asyncio" in str(trio.run(answer_of, cached).error)


def test_an_old_answer_is_renewed_in_the_background_under_trio() -> None:
    customers = Customers(APP)
    cached, clock = build(customers, ttl=100, stale_while_revalidate=50)

    async def main() -> None:
        answer = await answer_of(cached)
        clock.now += 100
        assert (await answer_of(cached)).allowed
        with trio.fail_after(30):
            while not is_current(answer):
                await trio.sleep(0.001)

    trio.run(main)
    assert customers.calls == [APP, APP]


def test_a_request_that_is_cancelled_under_trio_leaves_the_call_running() -> None:
    entered, end = threading.Event(), threading.Event()
    cached, _ = build(lambda _: not entered.set() and end.wait(60), thread=True)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer_of, cached)
            await trio.to_thread.run_sync(entered.wait, 30)
            nursery.cancel_scope.cancel()

    trio.run(main)
    end.set()
    asyncio.run(settle(lambda: cached.stats().allowed == 1))


def test_a_look_up_without_an_event_loop_fails() -> None:
    cached, _ = build(Customers(APP))
    coroutine: Coroutine[Any, Any, Answer] = answer_of(cached)
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert "needs a running event loop" in str(stop.value.value.error)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("thread", [False, True])
def test_a_forked_child_retains_the_answers_and_makes_calls_of_its_own(thread: bool) -> None:
    entered, end = threading.Event(), threading.Event()
    is_child = False

    def look_up(origin: str) -> bool:
        if origin == EVIL and not is_child:
            entered.set()
            return end.wait(60)
        return True

    cached, _ = build(look_up, thread=thread, max_in_flight=1)
    answered(cached)
    request = threading.Thread(target=answered, args=(cached, EVIL))
    request.start()
    assert entered.wait(30)
    child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not see a child that is forked
        is_child = True
        is_right = isinstance(cached.look_up(APP), Answer) and cached.stats().in_flight == 0
        os._exit(0 if is_right and answered(cached, EVIL).allowed else 1)
    end.set()
    request.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- revocation


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
        for _ in range(100):
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


# -- methods


def test_get_returns_whether_an_origin_is_allowed() -> None:
    customers = Customers(APP)
    cached, _ = build(customers)

    async def main() -> None:
        assert await cached.get(APP) is True
        assert await cached.get(APP) is True
        assert await cached.get(EVIL) is False
        for junk in ("null", "*", "", "https://app.example.com/", "app.example.com", "x" * 10_000):
            assert await cached.get(junk) is False
        assert customers.calls == [APP, EVIL]

    asyncio.run(main())


def test_get_raises_a_lookup_error_with_its_cause() -> None:
    customers = Customers(APP)
    customers.error = OSError("away")
    cached, _ = build(customers)
    with pytest.raises(
        LookupError, match=r"^Customers\(\) failed for 'https://app.example.com': OSError: away$"
    ) as info:
        asyncio.run(cached.get(APP))
    assert info.value.__cause__ is customers.error


def test_an_entry_is_a_callable_as_any_other() -> None:
    cached, _ = build(Customers(APP))

    async def main() -> None:
        found = cached(APP)
        assert not isinstance(found, bool)
        assert await found is True
        assert cached(APP) is True
        assert cached("null") is False

    asyncio.run(main())


def test_the_statistics_count_the_requests() -> None:
    customers = Customers(APP)
    cached, clock = build(customers, ttl=100)
    answer = answered(cached)
    answered(cached)
    for lease in answer.leases or ():
        lease.hits += 3  # as a middleware does that serves a stored response
    answered(cached, EVIL)
    customers.error = OSError("away")
    clock.now += 100
    answered(cached)
    answered(cached, OTHER)
    assert cached.stats() == (4, 4, 1, 2, 0, 1, 1)
    assert cached.stats()._fields == ("hits", "misses", "stale", "errors", "in_flight", "allowed", "refused")
    cached.clear()
    assert cached.stats() == (4, 4, 1, 2, 0, 0, 0)


def test_an_entry_describes_its_answer_without_a_call() -> None:
    def customers(origin: str) -> bool:
        if is_away:
            raise OSError("away")
        return origin == APP

    is_away = False
    cached, clock = build(customers, ttl=100, negative_ttl=10)
    assert cached.describe(APP) == (None, "asked at run time (customers())")
    answered(cached)
    answered(cached, EVIL)
    clock.now += 80
    is_allowed, text = cached.describe(APP)
    assert is_allowed is True
    assert text.startswith("allowed by customers(), known for ")
    assert text.endswith(" s more")
    assert cached.describe(EVIL) == (None, "asked at run time (customers())")
    answered(cached, EVIL)
    is_allowed, text = cached.describe(EVIL)
    assert is_allowed is False
    assert text.startswith("refused by customers(), known for ")
    is_away = True
    clock.now += 20
    answered(cached)
    assert cached.describe(APP) == (True, "allowed by customers() 100 s ago, used until it can be called again")
    answered(cached, OTHER)
    assert cached.describe(OTHER) == (
        None,
        "asked at run time (customers(), which failed: LookupError: it failed a moment ago: OSError: away)",
    )


def test_an_answer_without_an_end_is_known_until_it_is_invalidated() -> None:
    cached, _ = build(Customers(APP), ttl=float("inf"))
    answered(cached)
    assert cached.describe(APP) == (True, "allowed by Customers(), known until it is invalidated")


@pytest.mark.parametrize(
    ("cached", "text"),
    [
        (lambda: Cached(Methods().sync), "Cached(Methods.sync)"),
        (lambda: Cached(Customers(), ttl=5, thread=True), "Cached(Customers, ttl=5, thread=True)"),
        (lambda: Cached(functools.partial(Methods().sync), ttl=60), "Cached(Methods.sync)"),
        (lambda: Cached(Customers(), clock=os.times), "Cached(Customers, clock=times)"),  # type: ignore[arg-type]
        (lambda: Cached(Customers(), ttl=timedelta(minutes=2)), "Cached(Customers, ttl=120.0)"),
    ],
)
def test_the_repr_has_the_name_of_the_function_and_the_changed_options(cached: Any, text: str) -> None:
    assert repr(cached()) == text


# -- mistakes

MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"ttl": 0}, "Cached.ttl", "0 is not a number of seconds above 0"),
    ({"ttl": "60"}, "Cached.ttl", "'60' is not a number of seconds above 0"),
    ({"ttl": True}, "Cached.ttl", "True is not a number of seconds above 0"),
    ({"ttl": float("nan")}, "Cached.ttl", "nan is not a number of seconds above 0"),
    ({"negative_ttl": -1}, "Cached.negative_ttl", "-1 is not a number of seconds of 0 or more"),
    ({"error_ttl": None}, "Cached.error_ttl", "None is not a number of seconds of 0 or more"),
    ({"stale_if_error": timedelta(-1)}, "Cached.stale_if_error", "is not a number of seconds of 0 or more"),
    ({"stale_while_revalidate": []}, "Cached.stale_while_revalidate", "[] is not a number of seconds of 0 or more"),
    ({"timeout": float("inf")}, "Cached.timeout", "inf is not a finite number of seconds above 0"),
    ({"max_entries": 0}, "Cached.max_entries", "0 is not a whole number of at least 1"),
    ({"max_refused": 1.5}, "Cached.max_refused", "1.5 is not a whole number of at least 1"),
    ({"max_in_flight": True}, "Cached.max_in_flight", "True is not a whole number of at least 1"),
    ({"thread": 1}, "Cached.thread", "1 is not True or False"),
    ({"feed": "redis"}, "Cached.feed", "'redis' is not a function that returns an async iterator"),
    ({"clock": None}, "Cached.clock", "None is not a function that returns seconds"),
    ({"tll": 1}, "Cached.tll", "there is no option of this name"),
    ({"lookup": None}, "Cached.lookup", "the function lookup is missing"),
    ({"lookup": "customers"}, "Cached.lookup", "'customers' is not callable"),
    ({"lookup": AsyncCallable(), "thread": True}, "Cached.thread", "an async function does not run in a thread"),
    ({"lookup": functools.partial(Methods().asynchronous), "thread": True}, "Cached.thread", "an async function"),
]


@pytest.mark.parametrize(("options", "option", "message"), MISTAKES)
def test_a_mistake_in_an_option_is_a_config_error_with_a_hint(options: Any, option: str, message: str) -> None:
    with pytest.raises(ConfigError) as info:
        Cached(**{"lookup": Customers(), **options})
    (issue,) = info.value.issues
    assert issue.option == option
    assert message in issue.message
    assert issue.hint.endswith((".", "?"))


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as info:
        Cached(None, ttl=0, tll=1, thread=1)  # type: ignore[call-arg, arg-type]
    assert [issue.option for issue in info.value.issues] == [
        "Cached.lookup",
        "Cached.tll",
        "Cached.ttl",
        "Cached.thread",
    ]
    assert "Did you mean 'ttl'?" in str(info.value)


def test_positional_options_are_an_error_with_the_line_to_write() -> None:
    with pytest.raises(ConfigError, match=r"Write Cached\(lookup, ttl=60, negative_ttl=10\)\."):
        Cached(Customers(), 60, 10)  # type: ignore[arg-type]


def test_times_may_be_timedeltas() -> None:
    cached, clock = build(Customers(APP), ttl=timedelta(minutes=1))
    answer = answered(cached)
    clock.now += 53
    assert is_current(answer)
    clock.now += 7
    assert not is_current(answer)
