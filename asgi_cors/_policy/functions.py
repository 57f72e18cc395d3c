"""Users' functions: mistakes that show without a call, such as a class in place of an object of it.

Each of these objects is callable, but would allow nothing at run time, or change a registry with every request.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Final, NamedTuple

from asgi_cors._errors import show

_PACKAGE: Final = __name__.partition(".")[0]
_COUNTS: Final = ("no arguments", "one argument", "two arguments")


class PolicyFinder:
    """The base class of callables for `policy_for`, which `allow_origins` does not accept."""

    __slots__ = ()


class Problem(NamedTuple):
    """A mistake in a function.

    Args:
        code: The code of the issue.
        message: What is wrong.
        hint: What to write instead.
    """

    code: str
    message: str
    hint: str


def entry_problem(entry: Any, option: str) -> Problem | None:
    """Return what is wrong with a callable entry of an option for origins; None if it can decide on an origin."""
    if is_a(entry, PolicyFinder):
        return wrong_place(entry, "policy_for", f"Use it in policy_for, and leave it out of {option}.")
    hint = "Use a function that takes an origin and returns True or False."
    owner, name = getattr(entry, "__self__", None), getattr(entry, "__name__", "")
    if callable(owner) and not isinstance(owner, PolicyFinder):
        by_name = "Call it with the name of a tenant: .tenant('acme')."
        hint_for_method = by_name if name == "tenant" else f"Use the object itself, without .{name}."
    else:
        hint_for_method = hint
    return function_problem(entry, ("origin",), hint, hint_for_method)


def wrong_place(value: object, option: str, hint: str) -> Problem:
    """Return the problem of a source, or of a class of sources, that belongs in another option."""
    shown = value.__name__ if isinstance(value, type) else show(value)
    return Problem("wrong-place", f"{shown} belongs in {option}", hint)


def is_a(value: object, base: type) -> bool:
    """Return whether a value is an object of a class, or a subclass of it."""
    return issubclass(value, base) if isinstance(value, type) else isinstance(value, base)


def function_problem(
    function: Any, parameters: tuple[str, ...], hint: str, hint_for_method: str | None = None
) -> Problem | None:
    """Return what is wrong with a callable; None if it can be called as required, or if that is not known.

    Args:
        function: The callable.
        parameters: What the arguments of a call are.
        hint: The hint that describes a valid function.
        hint_for_method: The hint for a function or method of this package, if that is another one.
    """
    if isinstance(function, type):
        return _class_problem(function, hint)
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    name = _name(inner)
    if inspect.isroutine(inner) and f"{getattr(inner, '__module__', None)}".partition(".")[0] == _PACKAGE:
        message = f"{name} is a function of {_PACKAGE} with another purpose"
        return Problem("wrong-function", message, hint_for_method or hint)
    if parameters and (inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)):
        return Problem("generator-function", f"{name} has a yield, so its result is a generator", hint)
    if not _takes(function, len(parameters)):
        arguments = " and ".join(f"the {name}" for name in parameters)
        arguments = f"{_COUNTS[len(parameters)]}{', ' if parameters else ''}{arguments}"
        return Problem("wrong-parameters", f"{name} can't be called with {arguments}", hint)
    return None


def _class_problem(function: type, hint: str) -> Problem | None:
    """Return the problem of a class: a call returns an object of it, which is no answer unless it can be awaited."""
    names = {name for base in function.__mro__ for name in vars(base)}
    if "__await__" in names:
        return None
    name = function.__name__
    better = f"Write {name}(…), an object of the class." if "__call__" in names else hint
    return Problem("class-not-object", f"{name} is a class, not an object of it", better)


def _name(function: object) -> str:
    """Return a function as text: `customers()`, or the repr of another object."""
    name = getattr(function, "__qualname__", None)
    return f"{name.rpartition('<locals>.')[2]}()" if isinstance(name, str) else show(function)


def _takes(function: Any, arguments: int) -> bool:
    """Return whether a callable can be called with a number of positional arguments, or has no readable signature."""
    try:
        # A decorator may add or remove arguments, so its own signature counts, not that of `__wrapped__`.
        signature = inspect.signature(function, follow_wrapped=False)
    except Exception:  # noqa: BLE001 - a built-in, or an object with an invalid signature
        return True
    try:
        signature.bind(*range(arguments))
    except TypeError:
        return False
    return True


def hint_for_result(value: object) -> str:
    """Return the hint for the result of a function, where the function itself is meant; empty for other values."""
    if inspect.isasyncgen(value):
        return "Use Loaded(load), with a function load() that returns the list."
    if inspect.iscoroutine(value):
        return f"Use the function itself: {value.__name__}, without parentheses."
    return "Use the function itself, without parentheses." if inspect.isawaitable(value) else ""
