"""The policies that decorators attach to endpoints, routes, routers and apps, and the functions that find them."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from asgi_cors import AttachedPolicy, attached_policy, wrapper_of

from ._hidden import enclosed_by

_known_as_registered: Final[weakref.WeakSet[Any]] = weakref.WeakSet()  # copies that a route calls, or has called


def policy_of_endpoint(endpoint: object, method: str, is_registered: Callable[[object], bool]) -> AttachedPolicy | None:
    """Return the policy of an endpoint for an HTTP method: that of the class's method, or of the endpoint.

    Args:
        endpoint: The function or class that a route calls.
        method: The HTTP method; `""` for a handshake.
        is_registered: Returns whether a route calls an object.
    """
    for function in functions_of(endpoint, method):
        found = attached_policy(decorated_later(function, is_registered))
        if found is not None:
            return found
    return None


def decorated_later(function: object, is_registered: Callable[[object], bool]) -> object:
    """Return the copy that a decorator above the registration has made of a function; else the function itself.

    No route calls such a copy, and the name of the function in its module leads to it. If the name still leads
    to the function, the copies were made for other routes.
    """
    found = function
    while _is_copy(wrapper := wrapper_of(found), found) and not _is_named(found):
        if wrapper in _known_as_registered or is_registered(wrapper):
            _known_as_registered.add(wrapper)
            return function  # decorated for that route only
        found = wrapper
    return found


def _is_copy(wrapper: object, found: object) -> bool:
    """Return whether `cross_origin` has made one object of the other. A wrapper or subclass may have its attributes."""
    if wrapper is None:
        return False
    if inspect.isclass(found):
        return getattr(wrapper, "__bases__", ()) == (found,)
    if not isinstance(found, types.FunctionType) or not isinstance(wrapper, types.FunctionType):
        return False
    # The functions of one decorator have the same code, and may have the attributes of each other.
    return wrapper.__code__ is found.__code__ and wrapper.__closure__ is found.__closure__


def _is_named(function: object) -> bool:
    """Return whether the name of a function or class in its module leads to it."""
    found: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for name in getattr(function, "__qualname__", "").split("."):
        found = getattr(found, name, None)
    return found is function


def functions_of(endpoint: object, method: str) -> Iterator[object]:
    """Yield the functions that may have the policy of an endpoint, the innermost first."""
    if inspect.isclass(endpoint):
        yield from filter(None, (_handler(endpoint, method), getattr(endpoint, "dispatch", None)))
    while isinstance(endpoint, functools.partial | types.MethodType):
        if isinstance(endpoint, functools.partial):
            yield endpoint
        endpoint = endpoint.func if isinstance(endpoint, functools.partial) else endpoint.__func__
    yield endpoint
    if not inspect.isroutine(endpoint) and not inspect.isclass(endpoint):
        yield getattr(type(endpoint), "__call__", None)  # noqa: B004 - an object with its own method


def functions_within(endpoint: object) -> Iterator[object]:
    """Yield the functions and classes that an endpoint may call, because decorators have wrapped them."""
    waiting, seen = [*functions_of(endpoint, "")], set[int]()
    while waiting:
        function = waiting.pop()
        if id(function) not in seen:
            seen.add(id(function))
            yield function
            if isinstance(function, types.FunctionType):
                waiting += filter(_is_function, (*enclosed_by(function), getattr(function, "__wrapped__", None)))


def _is_function(found: object) -> bool:
    return isinstance(found, types.FunctionType | type)


def _handler(endpoint: type[Any], method: str) -> object:
    """Return the method of a class that serves an HTTP method. Without a `head`, `get` serves HEAD."""
    handler: object = getattr(endpoint, method.lower(), None) if method else None
    return getattr(endpoint, "get", None) if handler is None and method == "HEAD" else handler


def innermost(owners: Iterable[object]) -> AttachedPolicy | None:
    """Return the policy of the last of some owners that has one."""
    return next(filter(None, map(attached_policy, reversed([*owners]))), None)
