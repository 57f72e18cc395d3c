"""A value of the wrong type is a ConfigError with a hint, never a TypeError, AttributeError or RecursionError."""

from typing import Any

import pytest

from asgi_cors import Configuration, CORSMiddleware, MiddlewareOptions, Policy, WSGIMiddleware
from tests.support.hints import found_in
from tests.support.junk import JUNK, KINDS

PAGE = "https://app.example.com"
OPTIONS = [*MiddlewareOptions.__annotations__]


def app(scope, receive, send): ...


def check(build: Any, **options: Any) -> None:
    """Assert that only a ConfigError is raised, and that each of its issues has one line and a hint."""
    for found in found_in(build, **options):
        assert found.hint, found
        assert "\n" not in str(found)


@pytest.mark.parametrize("value", JUNK, ids=KINDS)
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_accepts_any_value_or_refuses_it_with_a_hint(option: str, value: Any) -> None:
    """With and without credentials, because risks are checked with credentials only."""
    check(lambda **options: CORSMiddleware(app, **options), **{"allow_origins": PAGE, option: value})
    check(Configuration, **{"allow_origins": PAGE, "allow_credentials": True, option: value})


@pytest.mark.parametrize("value", JUNK, ids=KINDS)
def test_an_argument_accepts_any_value_or_refuses_it_with_a_hint(value: Any) -> None:
    """The argument is an app, a policy, a mapping, an environment, or the options of a path."""
    for middleware in (CORSMiddleware, WSGIMiddleware):
        check(lambda middleware=middleware: middleware(value, allow_origins=PAGE))
        check(lambda middleware=middleware: middleware(lambda *_: None, value, value))
    check(lambda: Configuration(value))
    check(lambda: Policy(value))
    check(lambda: Policy.from_mapping(value))
    check(lambda: Policy.from_mapping({"allow_origins": value, "allow_credentials": value}))
    check(lambda: Policy.from_env(environ={"CORS_ALLOW_ORIGINS": value}))
    check(lambda: Policy.from_env(environ={} if value is None else value))
    check(lambda: Policy.from_env(prefix=value, environ={}))
    check(lambda: CORSMiddleware(app, allow_origins=PAGE, paths={"/a": value}))
    check(lambda: CORSMiddleware(app, allow_origins=PAGE, paths={"/a": {"max_age": value}}))
