"""`Cached`: calls that fail, time out or return junk."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from asgi_cors import Answer
from tests.support.event_loops import run_asyncio_jumping
from tests.support.expected import APP, EVIL
from tests.support.logs import lines
from tests.support.look_ups import (
    Customers,
    Gate,
    Methods,
    answer_of,
    answered,
    build,
    settle,
)

OTHER = "https://other.example"


JUNK: list[Any] = [None, 0, "", [], 1, "yes", b"no", object(), [True]]


@pytest.mark.parametrize("value", JUNK, ids=["None", "0", "no text", "no list", "1", "text", "bytes", "object", "list"])
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


@pytest.mark.parametrize("max_in_flight", [0, 1])
def test_a_handler_of_the_log_may_use_the_entry(max_in_flight: int) -> None:
    """The failure is logged without a lock, which the handler would wait for."""
    is_locked: list[bool] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            is_locked.append(cached._cache._lock.locked())

    customers = Customers(APP)
    cached, clock = build(customers)
    answered(cached)
    clock.now += 60
    customers.error = OSError("no database")
    cached._cache.flights._max_in_flight = max_in_flight
    handler = Handler()
    logging.getLogger("asgi_cors").addHandler(handler)
    try:
        assert answered(cached).allowed
    finally:
        logging.getLogger("asgi_cors").removeHandler(handler)
    assert is_locked == [False]


def test_an_exception_without_a_text_is_remembered() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError

    customers = Customers()
    customers.error = BrokenError()
    cached, _ = build(customers)
    answered(cached)
    assert str(answered(cached).error) == "it failed a moment ago: BrokenError"
