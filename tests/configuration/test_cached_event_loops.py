"""`Cached`: event loops, threads and forked processes."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import trio

from asgi_cors import Answer
from tests.support.expected import APP, EVIL
from tests.support.look_ups import (
    Customers,
    Gate,
    Methods,
    answer_of,
    answered,
    build,
    is_current,
    settle,
)

OTHER = "https://other.example"


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


@pytest.mark.parametrize("late", [True, OSError("away")], ids=["an answer", "a failure"])
def test_an_older_call_of_another_event_loop_does_not_replace_a_newer_answer(late: Any) -> None:
    entered, end = threading.Event(), threading.Event()
    results = [late, False]

    async def look_up(_: str) -> bool:
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
    newer = answered(cached)
    end.set()
    older.join(30)
    assert answers[0].leases is None
    assert cached.look_up(APP) == newer
    assert (newer.allowed, cached.stats().refused) == (False, 1)


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
            while not is_current(answer):  # noqa: ASYNC110 - another thread renews it
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


def test_an_app_that_ends_does_not_cancel_the_calls_of_another_event_loop() -> None:
    entered, end = threading.Event(), threading.Event()

    async def look_up(_: str) -> bool:
        entered.set()
        return await asyncio.to_thread(end.wait, 60)

    cached, _ = build(look_up)
    answers: list[Answer] = []
    other = threading.Thread(target=lambda: answers.append(answered(cached)))
    other.start()
    assert entered.wait(30)
    cached.stop()
    end.set()
    other.join(30)
    assert answers[0].allowed
