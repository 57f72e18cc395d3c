"""`Cached`: one call for all requests, and its methods."""

import asyncio
import contextlib
import contextvars
import functools
import os
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest

from asgi_cors import Cached, LimitedAwaitable
from tests.support.expected import APP, EVIL
from tests.support.look_ups import (
    AsyncCallable,
    Customers,
    Gate,
    Methods,
    answer_of,
    answered,
    build,
    is_current,
)

OTHER = "https://other.example"


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
    assert cached.describe(APP) == (True, "allowed by customers() 100 s ago, used until a call succeeds")
    answered(cached, OTHER)
    assert cached.describe(OTHER) == (
        None,
        "asked at run time (customers(); it failed a moment ago: OSError: away)",
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
        assert "too many calls of Gate() are in flight (max_in_flight=8)" in str(refused.error)
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
