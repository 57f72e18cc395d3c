"""Objects that can be called, but not as an option needs it: each is a mistake with a hint that is accepted."""

from collections.abc import AsyncIterator, Awaitable, Generator, Iterator
from functools import partial, wraps
from typing import Any

import pytest

from asgi_cors import Cached, ConfigError, CORSMiddleware, Issue, Loaded, Policy, Tenants, WSGIMiddleware
from asgi_cors.registry import SQLiteRegistry
from tests.support.policies import policy_without_warnings

PAGE = "https://app.example.com"
REGISTRY = SQLiteRegistry("origins.db")


async def allow(_origin: str) -> bool:
    return True


def customers() -> list[str]:
    return [PAGE]


def of_two(_one: str, _two: str) -> bool:
    return True


async def each() -> AsyncIterator[str]:
    yield PAGE


async def each_of(_value: Any) -> AsyncIterator[str]:
    yield PAGE


def policy_of(_key: Any) -> Policy | None:
    return None


async def app(*_arguments: Any) -> None:
    """Do nothing."""


CACHED, LOADED, TENANTS = Cached(allow), Loaded(customers), Tenants.by_host(policy_of)
USE_A_FUNCTION = "Use a function that takes an origin and returns True or False."
ENTRIES: list[tuple[Any, str, str, Any]] = [  # value, code, hint, correction
    (Cached, "class-not-object", "Write Cached(…), an object of the class.", CACHED),
    (Loaded, "class-not-object", "Write Loaded(…), an object of the class.", LOADED),
    (SQLiteRegistry, "class-not-object", "Write SQLiteRegistry(…), an object of the class.", REGISTRY),
    (bool, "class-not-object", USE_A_FUNCTION, allow),
    (REGISTRY.add, "wrong-function", "Use the object itself, without .add.", REGISTRY),
    (REGISTRY.list, "wrong-function", "Use the object itself, without .list.", REGISTRY),
    (REGISTRY.tenant, "wrong-function", "Call it with the name of a tenant: .tenant('acme').", REGISTRY.tenant("acme")),
    (REGISTRY.sync.add, "wrong-function", USE_A_FUNCTION, allow),
    (TENANTS.get, "wrong-function", USE_A_FUNCTION, allow),
    (customers, "wrong-parameters", USE_A_FUNCTION, allow),
    (of_two, "wrong-parameters", USE_A_FUNCTION, partial(of_two, "")),
    (each_of, "generator-function", USE_A_FUNCTION, allow),
]


@pytest.mark.parametrize(("value", "code", "hint", "correction"), ENTRIES)
@pytest.mark.parametrize("listed", [False, True], ids=["alone", "in a list"])
def test_an_entry_that_could_decide_on_no_origin_is_a_mistake(
    value: Any, code: str, hint: str, correction: Any, listed: bool
) -> None:
    found = issue_of(lambda: Policy(allow_origins=[PAGE, value] if listed else value))
    assert (found.code, found.option, found.hint) == (code, "allow_origins", hint)
    policy_without_warnings(allow_origins=[PAGE, correction] if listed else correction)


def test_tenants_belong_in_policy_for() -> None:
    for value in (TENANTS, Tenants):
        found = issue_of(lambda value=value: Policy(allow_origins=[value]))
        assert found.code == "wrong-place"
        assert found.hint == "Use it in policy_for, and leave it out of allow_origins."
    assert issue_of(lambda: Policy(allow_origins=Tenants)).message == "Tenants belongs in policy_for"
    CORSMiddleware(app, allow_origins=PAGE, policy_for=TENANTS)


async def test_the_result_of_a_call_is_not_its_function() -> None:
    called, iterator = allow(PAGE), each()
    assert issue_of(lambda: Policy(allow_origins=called)).hint == "Use the function itself: allow, without parentheses."  # type: ignore[typeddict-item]
    assert issue_of(lambda: Policy(allow_origins=[called])).code == "wrong-type"  # type: ignore[list-item]
    advice = "Use Loaded(load), with a function load() that returns the list."
    assert issue_of(lambda: Policy(allow_origins=iterator)).hint == advice  # type: ignore[typeddict-item]
    called.close()


POLICY_FOR: list[tuple[Any, str]] = [
    *((value, "wrong-place") for value in (CACHED, LOADED, REGISTRY, REGISTRY.tenant("acme"), Cached, SQLiteRegistry)),
    *((value, "class-not-object") for value in (Tenants, Policy)),
    *((value, "wrong-function") for value in (TENANTS.get, REGISTRY.tenant)),
    *((value, "wrong-parameters") for value in (customers, of_two)),
    (each_of, "generator-function"),
]


@pytest.mark.parametrize(("value", "code"), POLICY_FOR)
@pytest.mark.parametrize("build", [partial(CORSMiddleware, app), partial(WSGIMiddleware, of_two)], ids=["ASGI", "WSGI"])
def test_a_policy_for_that_could_find_no_policy_is_a_mistake(value: Any, code: str, build: Any) -> None:
    found = issue_of(lambda: build(allow_origins=PAGE, policy_for=value))
    assert (found.code, found.option) == (code, "policy_for")
    if code == "wrong-place":
        assert found.hint == "Use it in allow_origins, and leave policy_for out."
    elif value is Tenants:
        assert found.hint == "Write Tenants(…), an object of the class."
        build(allow_origins=PAGE, policy_for=TENANTS)
    else:
        assert found.hint == "Use a function from scope to Policy."
        build(allow_origins=PAGE, policy_for=policy_of)


def test_a_wrong_policy_for_is_reported_with_the_other_mistakes() -> None:
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(app, allow_origins="x y", policy_for=CACHED, paths={"/a": {"max_age": -1}})
    assert [found.option for found in caught.value.issues] == ["allow_origins", "policy_for", "paths['/a'].max_age"]


IN_ALLOW_ORIGINS = "Use it in allow_origins itself."
CACHED_LINE = "Write Cached(is_customer), with a function is_customer(origin)."
LOADED_LINE = "Write Loaded(customers), with a function customers()."
TENANTS_LINE = "Write Tenants(key, policy), with functions key(scope) and policy(key)."
SOURCES: list[tuple[Any, tuple[Any, ...], str, str]] = [  # class, arguments, code, hint
    (Cached, (REGISTRY,), "wrong-place", IN_ALLOW_ORIGINS),
    (Cached, (LOADED,), "wrong-place", IN_ALLOW_ORIGINS),
    (Cached, (SQLiteRegistry,), "wrong-place", IN_ALLOW_ORIGINS),
    (Cached, (TENANTS,), "wrong-place", "Use it in policy_for itself."),
    (Cached, (REGISTRY.add,), "wrong-function", "Use the object itself in allow_origins, without .add."),
    (Cached, (REGISTRY.sync.add,), "wrong-function", CACHED_LINE),
    (Cached, (customers,), "wrong-parameters", CACHED_LINE),
    (Cached, (each_of,), "generator-function", CACHED_LINE),
    (Cached, (bool,), "class-not-object", CACHED_LINE),
    (Loaded, (REGISTRY,), "wrong-place", IN_ALLOW_ORIGINS),
    (Loaded, (REGISTRY.list,), "wrong-function", "Use the object itself in allow_origins, without .list."),
    (Loaded, (allow,), "wrong-parameters", LOADED_LINE),
    (Loaded, (object,), "class-not-object", LOADED_LINE),
    (Loaded, (each_of,), "async-generator", "Return a list: [origin async for origin in …]."),
    (Tenants, (customers, policy_of), "wrong-parameters", TENANTS_LINE),
    (Tenants, (policy_of, Policy), "class-not-object", TENANTS_LINE),
    (Tenants, (policy_of, REGISTRY), "wrong-place", IN_ALLOW_ORIGINS),
]


@pytest.mark.parametrize(("kind", "functions", "code", "hint"), SOURCES)
def test_a_source_of_a_function_that_can_not_answer_is_a_mistake(
    kind: Any, functions: tuple[Any, ...], code: str, hint: str
) -> None:
    found = issue_of(lambda: kind(*functions))
    assert (found.code, found.hint) == (code, hint)


class Later:
    """A class whose objects can be awaited, so that a call of the class is an answer."""

    def __init__(self, _origin: str) -> None: ...

    def __await__(self) -> Generator[None, None, bool]:
        yield
        return True


class NoSignature:
    """A callable whose signature can't be read."""

    __signature__ = "unknown"

    def __call__(self, _origin: str) -> bool:
        return True


@wraps(customers)
def decorated(*arguments: Any) -> bool:
    return bool(arguments)


class List(list[str]):
    """A list that loads itself."""


def lines() -> Iterator[str]:
    yield PAGE


def test_functions_that_can_be_called_as_needed_are_accepted() -> None:
    awaitable: Awaitable[bool] = Later("")
    assert awaitable
    for value in (Later, NoSignature(), decorated, {PAGE: True}.get, {PAGE}.__contains__, partial(of_two, "")):
        policy_without_warnings(allow_origins=value)
    for load in (customers, lines, List, partial(sorted, [PAGE])):
        Loaded(load)


def issue_of(build: Any) -> Issue:
    with pytest.raises(ConfigError) as caught:
        build()
    (found,) = caught.value.issues
    return found
