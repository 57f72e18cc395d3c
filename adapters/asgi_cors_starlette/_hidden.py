"""The routers that an app or middleware may call by other ways than its attribute `app`.

They are not predicted, but get a guard, which checks the policy of their routes before these run.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Router

_MAX_OBJECTS: Final = 1000
_FRAMEWORKS: Final = ("starlette.", "fastapi.")  # modules whose classes call no other routers


def routers_held_by(holder: object) -> Iterator[Starlette | Router]:
    """Yield the apps and routers that an app or middleware, or the middlewares of a Starlette app, may call.

    They are searched in attributes, arguments and containers, and in the functions of classes.
    """
    waiting: list[object] = [holder.user_middleware if isinstance(holder, Starlette) else holder]
    seen: dict[int, object] = {}  # by id; the objects must stay alive
    while waiting and len(seen) < _MAX_OBJECTS:
        found: Any = waiting.pop()
        if id(found) in seen:
            continue
        seen[id(found)] = found
        if issubclass(type(found), Starlette | Router):
            yield found
            continue
        with contextlib.suppress(Exception):  # an attribute of the app's own may be a lazy object or a proxy
            waiting += _parts_of(found)


def _parts_of(found: Any) -> Iterable[object]:
    """Return the objects that an object may call."""
    if isinstance(found, types.FunctionType):
        return _parts_of_function(found)
    if isinstance(found, types.MethodType):
        return found.__self__, *_attributes_of(found.__self__), found.__func__
    if isinstance(found, functools.partial):
        return found.func, found.args, found.keywords
    if isinstance(found, Mapping):
        return cast("Mapping[object, object]", found).values()
    if isinstance(found, list | tuple):
        return cast("Iterable[object]", found)
    if isinstance(found, type):
        return _functions_of_class(found)
    if callable(found) or isinstance(found, BaseRoute | Middleware):
        return *_attributes_of(found), type(found)
    return ()


def _parts_of_function(function: types.FunctionType) -> Iterator[object]:
    """Yield what a function encloses, and the routers among the globals that it names."""
    yield from enclosed_by(function)
    for name in function.__code__.co_names:
        found = function.__globals__.get(name)
        if isinstance(found, Starlette | Router | BaseRoute):
            yield found


def enclosed_by(function: types.FunctionType) -> Iterator[object]:
    """Yield the values of the variables that a function encloses."""
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # it is empty
            yield cell.cell_contents


def _functions_of_class(kind: type[Any]) -> Iterator[object]:
    for base in kind.__mro__:
        if not f"{base.__module__}.".startswith(_FRAMEWORKS):
            yield from (value for value in vars(base).values() if isinstance(value, types.FunctionType))


def _attributes_of(found: object) -> Iterator[object]:
    yield from getattr(found, "__dict__", {}).values()
    for base in type(found).__mro__:
        for member in vars(base).values():
            if isinstance(member, types.MemberDescriptorType):  # of a name in `__slots__`
                yield getattr(found, member.__name__, None)
