"""`Cached`: how long answers are used, and when they are renewed."""

import asyncio

import pytest

from asgi_cors import Answer, LimitedAwaitable
from tests.support.expected import APP, EVIL
from tests.support.logs import lines
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
