"""`explain` for policies with callables and origin sources: who decided, and how."""

import contextvars
import functools
from typing import Any

import pytest

from asgi_cors import ConfigError, Explanation, Policy, explain
from asgi_cors._decision.callables import failed_answer
from tests.support.expected import APP, EVIL
from tests.support.sources import Customers


def customers(origin: str) -> bool:
    return origin == APP


async def later(origin: str) -> bool:
    return origin == APP


def unavailable(_origin: str) -> bool:
    raise OSError("no database")


class Repository:
    """An object with callables."""

    def __call__(self, origin: str) -> bool:
        return origin == APP

    def allows(self, origin: str) -> bool:
        return origin == APP


class AsyncRepository:
    """An object that is an async callable."""

    async def __call__(self, origin: str) -> bool:
        return origin == APP


def explained(*entries: Any, origin: str = APP) -> Explanation:
    return explain(Policy(allow_origins=entries), "GET", origin)


def origin_rule(*entries: Any, origin: str = APP) -> str:
    return explained(*entries, origin=origin).steps[0].rule


def no_customer(origin: str, *, expected: str = "") -> bool:
    return origin == expected


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (customers, "allowed by customers()"),
        (Repository(), "allowed by Repository()"),
        (Repository().allows, "allowed by Repository.allows()"),
        (lambda origin: origin == APP, "allowed by a lambda"),
        (functools.partial(no_customer, expected=APP), "allowed by no_customer()"),
        (Customers(APP), "allowed by customers(), loaded 12 s ago"),
        (later, "asked at run time (later())"),
        (AsyncRepository(), "asked at run time (AsyncRepository())"),
        (lambda origin: later(origin) if origin else False, "asked at run time (a lambda)"),
        (Customers(APP, known=False), "asked at run time (customers())"),
    ],
    ids=[
        "a function",
        "an object",
        "a method",
        "a lambda",
        "a partial function",
        "a source",
        "an async function",
        "an async object",
        "a lambda that returns an awaitable",
        "a source that must be called",
    ],
)
def test_the_origin_step_names_the_callable(entry: Any, text: str) -> None:
    assert origin_rule(entry) == text


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([customers], "no entry allows the origin: refused by customers()"),
        ([Customers(APP)], "no entry allows the origin: refused by customers(), loaded 12 s ago"),
        (
            [customers, Customers(APP, age="known for 8 s more")],
            "no entry allows the origin: refused by customers(); refused by customers(), known for 8 s more",
        ),
        ([unavailable], "the look-up of the origin failed: unavailable() raised OSError: no database"),
        (
            [customers, unavailable],
            "the look-up of the origin failed: refused by customers(); unavailable() raised OSError: no database",
        ),
        ([lambda _: 1], "no entry allows the origin: refused by a lambda, which returned 1 and not True"),
    ],
    ids=["a function", "a source", "both", "an exception", "one of two raises", "another truthy value"],
)
def test_a_refused_origin_names_every_callable(entries: list[Any], text: str) -> None:
    explanation = explained(*entries, origin=EVIL)
    assert (explanation.steps[0].rule, explanation.allowed) == (text, False)


def test_long_lists_of_callables_are_cut() -> None:
    entries = [functools.partial(no_customer, expected=str(number)) for number in range(5)]
    rule = origin_rule(*entries)
    assert rule.endswith(": refused by no_customer(); refused by no_customer(); refused by no_customer(); 2 more")


@pytest.mark.parametrize(
    ("entries", "allowed"),
    [
        ([unavailable, customers], True),
        ([later, customers], True),
        ([customers, later], True),
        ([Customers(), Customers(APP)], True),
        ([lambda _: False, later], None),
        ([unavailable, later], None),
        ([Customers(known=False), Customers()], None),
        ([Customers(), unavailable], False),
    ],
)
def test_the_first_callable_that_allows_decides_and_an_unknown_one_leaves_the_verdict_open(
    entries: list[Any], allowed: bool | None
) -> None:
    assert explained(*entries).allowed is allowed


def test_a_failed_callable_has_the_code_of_a_failed_look_up_and_a_remedy() -> None:
    explanation = explained(unavailable)
    assert (explanation.code, explanation.remedy) == ("OriginLookupFailed", "Correct the cause of that error.")


def test_the_remedy_in_the_exception_of_a_source_is_not_cut() -> None:
    error = OSError(f"redis://{'long.' * 40}example.com: no connection. Start Redis.")
    assert failed_answer(Customers(), error).text.endswith("Start Redis.")


def test_an_exception_without_a_text_is_named_by_its_type() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fail(_origin: str) -> bool:
        raise SilentError

    assert origin_rule(fail).endswith("fail() raised SilentError")


def test_a_long_exception_is_cut_and_on_one_line() -> None:
    def fail(_origin: str) -> bool:
        raise OSError("a\n" * 100)

    rule = origin_rule(fail)
    assert "\n" not in rule
    assert len(rule) < 200


def test_a_callable_runs_in_an_empty_context() -> None:
    variable = contextvars.ContextVar[str]("variable", default="")
    seen: list[str] = []

    def remember(_origin: str) -> bool:
        seen.append(variable.get())
        return True

    variable.set("of the caller")
    explained(remember)
    assert seen == [""]


def test_an_origin_with_white_space_is_passed_without_it() -> None:
    seen: list[str] = []
    explained(lambda origin: seen.append(origin) or True, origin=f" {APP}\t")
    assert seen == [APP]


def test_an_entry_with_white_space_around_the_origin_is_named() -> None:
    assert origin_rule(APP, origin=f" {APP}") == f"allowed by {APP!r}"


def test_the_closest_origin_of_a_source_is_suggested() -> None:
    rule = origin_rule(Customers(APP), origin=APP.replace("https", "http"))
    assert rule.endswith(f"Did you mean {APP!r}? The origin differs: http, not https.")


def test_the_remedy_of_a_refused_origin_names_the_source() -> None:
    assert explained(Customers(), origin=EVIL).remedy == f"If that page is yours, let Customers() allow {EVIL!r}."


def test_the_remedy_over_http_names_the_secure_origin_for_the_source() -> None:
    policy = Policy(allow_origins=[Customers()], allow_credentials=True)
    line = "If that page is yours, serve it over https, and let Customers() allow 'https://shop.test'."
    assert explain(policy, "GET", "http://shop.test").remedy == line


@pytest.mark.parametrize("entry", [Customers(), customers], ids=["a source", "a function"])
def test_a_callable_in_a_mapping_is_an_error_that_says_why_and_what_to_do(entry: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        Policy(allow_origins=[APP, entry]).to_mapping()
    (issue,) = raised.value.issues
    assert issue.message.endswith("cannot be represented as text, because it is called at run time")
    assert issue.hint == "Write the other options in the mapping, and add this entry in code with policy.replace(…)."


def test_the_repr_of_a_policy_with_a_source_has_the_repr_of_the_source() -> None:
    assert repr(Policy(allow_origins=[APP, Customers()])) == f"Policy(allow_origins=[{APP!r}, Customers()])"
