"""The options of `Cached`, `Loaded` and `Tenants`: their checks, their defaults and their repr."""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, cast

from asgi_cors._decision.callables import name_of
from asgi_cors._errors import ConfigError, Issue, PositionalOptionsError, show
from asgi_cors._policy.functions import PolicyFinder, Problem, function_problem, is_a, wrong_place

from .source import OriginSource


class Option(NamedTuple):
    """An option of a source.

    Args:
        default: Its default.
        check: Returns the value to use. Raises a ValueError with a noun phrase for valid values.
        hint: The correction if the value is not valid.
    """

    default: Any
    check: Callable[[Any], Any]
    hint: str


def seconds(default: float, *, is_positive: bool = False, is_finite: bool = False) -> Option:
    """Describe an option that is a time span: a number of seconds, or a timedelta.

    Args:
        default: Its default, in seconds.
        is_positive: Whether 0 is not valid.
        is_finite: Whether infinity is not valid.
    """
    noun = f"a {'finite ' if is_finite else ''}number of seconds {'above 0' if is_positive else 'of 0 or more'}"

    def check(value: object) -> float:
        number: Any = value.total_seconds() if isinstance(value, timedelta) else value
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if is_number and number > sys.float_info.max:
            number = math.inf
        if not (is_number and number >= 0) or (is_positive and not number) or (is_finite and math.isinf(number)):
            raise ValueError(noun)
        return cast("float", number)

    return Option(default, check, f"Write a number of seconds, such as {default or 60:g}, or a timedelta.")


def count(default: int) -> Option:
    """Describe an option that is a number of at least 1."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError("a whole number of at least 1")
        return value

    return Option(default, check, f"Write a whole number, such as {default}.")


def flag() -> Option:
    """Describe an option that is off by default."""

    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("True or False")  # noqa: TRY004 - a noun phrase for `check_options`
        return value

    return Option(default=False, check=check, hint="Write True or False.")


def function(default: Callable[..., Any] | None, noun: str, hint: str) -> Option:
    """Describe an option that is a function. None is valid if it is the default."""

    def check(value: object) -> object:
        if not callable(value) and (value is not None or default is not None):
            raise ValueError(noun)
        return value

    return Option(default, check, hint)


def check_options(options: Mapping[str, Option], given: Mapping[str, object], issues: list[Issue]) -> dict[str, Any]:
    """Return the values of all options: those given, or the defaults. Add an issue for each mistake."""
    issues += [Issue.unknown(name, options) for name in given if name not in options]
    values = {name: option.default for name, option in options.items()}
    for name, option in options.items():
        if name in given:
            try:
                values[name] = option.check(given[name])
            except ValueError as error:
                issues.append(Issue.wrong_type(name, given[name], str(error), option.hint))
    return values


def check_function(
    value: object, option: str, line: str, issues: list[Issue], parameters: tuple[str, ...] = ("origin",)
) -> None:
    """Add an issue if a value is not a function, or can't be called as required.

    Args:
        value: The value; None if it is missing.
        option: The name of the parameter.
        line: The code to write.
        issues: The issues.
        parameters: What the arguments of a call are.
    """
    if value is None:
        issues.append(Issue(f"missing-{option}", option, value, f"the function {option} is missing", f"Write {line}."))
    elif not callable(value):
        issues.append(Issue.wrong_type(option, value, "callable", f"Write {line}."))
    elif problem := _function_problem(value, f"Write {line}.", parameters):
        issues.append(Issue(problem.code, option, value, problem.message, problem.hint))


def _function_problem(value: Any, hint: str, parameters: tuple[str, ...]) -> Problem | None:
    """Return what is wrong with a callable."""
    for base, place in ((OriginSource, "allow_origins"), (PolicyFinder, "policy_for")):
        if is_a(value, base):
            return wrong_place(value, place, f"Use it in {place} itself.")
    if not parameters and isinstance(value, type) and hasattr(value, "__iter__"):
        return None  # a class of lists, such as in Loaded(Customers)
    is_method = isinstance(getattr(value, "__self__", None), OriginSource)
    hint_for_method = f"Use the object itself in allow_origins, without .{value.__name__}." if is_method else None
    return function_problem(value, parameters, hint, hint_for_method)


def positional_error(
    kind: str, functions: str, values: Sequence[object], options: Iterable[str]
) -> PositionalOptionsError:
    """Return the error of options that are given as positional arguments.

    Args:
        kind: The class.
        functions: The names of its parameters, as text.
        values: The positional arguments.
        options: The names of the options, in order.
    """
    keywords = ", ".join(f"{name}={show(value)}" for name, value in zip(options, values, strict=False))
    message = f"{kind} takes options as keywords, not as positional arguments"
    hint = f"Write {kind}({functions}, {keywords})."
    return PositionalOptionsError([Issue("positional-options", kind, tuple(values), message, hint)])


def raise_issues(issues: list[Issue], kind: str) -> None:
    """Raise all issues at once.

    Raises:
        ConfigError: If there is an issue. The name of its option is prefixed by `kind`.
    """
    if issues:
        raise ConfigError(
            Issue(issue.code, f"{kind}.{issue.option}", issue.value, issue.message, issue.hint) for issue in issues
        )


def is_async(value: object) -> bool:
    """Return whether calls of a function return coroutines, as far as that is known without a call."""
    while isinstance(value, functools.partial):
        value = value.func
    return inspect.iscoroutinefunction(value) or (callable(value) and inspect.iscoroutinefunction(value.__call__))


def repr_of(kind: str, names: tuple[str, ...], options: Mapping[str, Option], values: Mapping[str, Any]) -> str:
    """Return the repr of a source: its functions by name, and the options that are not defaults."""
    changed = [
        f"{name}={name_of(value) if callable(value) else show(value)}"
        for name, value in values.items()
        if value != options[name].default
    ]
    return f"{kind}({', '.join([*names, *changed])})"


def text_of(error: Exception) -> str:
    """Return the type and the text of an exception."""
    text = ""
    with contextlib.suppress(Exception):  # a user's exception may fail in any way
        text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def show_duration(duration: float) -> str:
    """Return a number of seconds for a message."""
    return f"{max(duration, 0):,.0f} s" if duration >= 1 else f"{max(duration, 0):.1f} s"
