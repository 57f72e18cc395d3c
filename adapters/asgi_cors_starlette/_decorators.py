"""`cross_origin` and `cors_exempt`: the policy of one endpoint, route, router or app.

A function or class is not changed. The decorator returns a copy with the policy, so that two routes can have the same
endpoint with different policies. A decorator above `@app.get(…)` makes a copy that no route calls; the policy then
counts for the registered function. A route, router or app gets the policy itself.
"""

from __future__ import annotations

import functools
import inspect
import types
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Never, TypeGuard, TypeVar, Unpack, cast

from starlette.routing import BaseRoute

from asgi_cors import EXEMPT, AttachedPolicy, ConfigError, FixedPolicy, Issue, Policy, attach_policy

from ._copied_routes import add_owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgi_cors import PolicyOptions

T = TypeVar("T")


def cross_origin(
    policy: Policy | None = None, /, *arguments: Never, **options: Unpack[PolicyOptions]
) -> Callable[[T], T]:
    """Apply a policy to an endpoint, or to all routes of a route, router or app. `install` must be called for the app.

    The policy replaces that of the app. That of an endpoint replaces that of its route, router or app.

    Args:
        policy: The policy; else its options are given as keywords.
        arguments: None: options are keywords.
        options: Those of `Policy`.

    Returns:
        The decorator. For a function or class it returns a copy; for another object, the object itself.

    Raises:
        ConfigError: With every mistake found. The decorator raises it for an object that can't have a policy.
    """
    key = FixedPolicy.from_arguments(policy, arguments, options, option_line="install(app, {}=…)".format)

    def decorate(target: T) -> T:
        return _attach(target, key, "cross_origin(…)(endpoint)")

    return decorate


def cors_exempt(target: T) -> T:
    """Pass the requests of an endpoint, route, router or app through, preflights included: its own headers decide.

    Returns:
        A copy of a function or class; another object itself.

    Raises:
        ConfigError: If the object can't have a policy.
    """
    return _attach(target, EXEMPT, "cors_exempt(endpoint)")


def _attach(target: T, key: AttachedPolicy, line: str) -> T:
    """Attach a policy to a copy of a function or class, or to another object itself.

    Raises:
        ConfigError: If the object can't have a policy.
    """
    found: Any = target
    if not callable(found) and not isinstance(found, BaseRoute):
        raise ConfigError([_wrong_target(found, line)])
    decorated = _copy(found)
    try:
        attach_policy(_function_of(decorated), key, wrapped=None if decorated is found else _function_of(found))
    except (AttributeError, TypeError):
        raise ConfigError([_wrong_target(found, line)]) from None
    if key is not EXEMPT:
        key.add_view(SimpleNamespace(__name__=_name_of(found)))
    add_owner(found)
    return cast("T", decorated)


def _copy(target: object) -> Any:
    """Return a copy of a function, method or partial, or a subclass of a class; another object itself."""
    if isinstance(target, types.FunctionType):
        return _copy_function(target)
    if isinstance(target, types.MethodType) and isinstance(target.__func__, types.FunctionType):
        return types.MethodType(_copy_function(target.__func__), target.__self__)
    if _is_partial(target):
        return _copy_partial(target)
    return _subclass(target) if inspect.isclass(target) else target


def _is_partial(target: object) -> TypeGuard[functools.partial[Any]]:
    return isinstance(target, functools.partial)


def _copy_partial(target: functools.partial[Any]) -> functools.partial[Any]:
    """Return a partial with the same function and arguments. `copy.copy` would share its attributes."""
    copied = type(target)(target.func, *target.args, **target.keywords)
    vars(copied).update(vars(target))
    return copied


def _copy_function(function: types.FunctionType) -> types.FunctionType:
    """Return a function with the same code, names and annotations. It is not a wrapper, which FastAPI would notice."""
    parts = function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    copied = types.FunctionType(*parts)
    copied.__kwdefaults__ = function.__kwdefaults__
    copied.__dict__.update(function.__dict__)
    for name in functools.WRAPPER_ASSIGNMENTS:  # a function has all that its release of Python knows
        setattr(copied, name, getattr(function, name))
    return copied


def _subclass(endpoint: type[Any]) -> type[Any]:
    """Return a subclass that differs in its policy only; the class itself if it does not allow that."""
    names = {name: getattr(endpoint, name) for name in ("__module__", "__qualname__", "__doc__")}
    try:
        return types.new_class(endpoint.__name__, (endpoint,), exec_body=lambda body: body.update(names))
    except Exception:  # noqa: BLE001 - its metaclass or `__init_subclass__` may raise anything
        return endpoint


def _function_of(target: Any) -> Any:
    """Return the function of a method, which can have attributes; another object itself."""
    return target.__func__ if isinstance(target, types.MethodType) else target


def _name_of(target: Any) -> str:
    """Return the name of a function or class, or the class and path of another object."""
    name = getattr(target, "__name__", None)
    if isinstance(name, str):
        return name
    place = getattr(target, "path", None) or getattr(target, "host", None) or getattr(target, "prefix", None)
    return f"{type(target).__name__} {place}" if isinstance(place, str) else type(target).__name__


def _wrong_target(target: object, line: str) -> Issue:
    advice = f"Write {line} with a function or class that a route calls, a route, a router or an app."
    return Issue.wrong_type(line.partition("(")[0], target, "an endpoint, a route, a router or an app", advice)
