"""`Cached`: its options and their mistakes."""

import functools
from datetime import timedelta
from typing import Any

import pytest

from asgi_cors import Cached, ConfigError
from tests.support.expected import APP
from tests.support.look_ups import AsyncCallable, Customers, Methods, answered, build, is_current

OTHER = "https://other.example"


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


def test_a_number_beyond_all_floats_is_infinite() -> None:
    assert answered(Cached(lambda _: True, ttl=10**400)).allowed
    with pytest.raises(ConfigError, match=r"Cached\.timeout"):
        Cached(lambda _: True, timeout=10**400)


def test_times_may_be_timedeltas() -> None:
    cached, clock = build(Customers(APP), ttl=timedelta(minutes=1))
    answer = answered(cached)
    clock.now += 53
    assert is_current(answer)
    clock.now += 7
    assert not is_current(answer)
