"""The policies attached to a view that Django's resolver has found, to its class, and to the patterns that led to it.

The innermost policy counts: that of the method that serves the request, of `dispatch`, of the class, of the view that
is registered, of its pattern, and of each `include()` from the inside out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable, Iterator
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

from asgi_cors import AttachedPolicy, PerMethodKey, attached_policy

if TYPE_CHECKING:
    from django.urls import ResolverMatch

_API_VIEW: Final = ("rest_framework.decorators", "api_view.<locals>.decorator.<locals>.handler")


def key_of(match: ResolverMatch, method: str) -> AttachedPolicy | None:
    """Return the innermost policy attached to the view that a match leads to, or to its patterns.

    If the class of a view does not serve the method, so that the response is a 405, the policies of the methods that
    it serves come first.
    """
    return next(_attached_to_match(match, method), None)


def key_of_preflight(match: ResolverMatch, method: str) -> Hashable | None:
    """Return the key for a preflight: a `PerMethodKey` if other methods of the URL have other policies."""
    found = key_of(match, method)
    others = (key_of(match, served) for served in methods_of(match.func))
    return PerMethodKey(found) if any(other is not found for other in others) else found


def leads_to(match: ResolverMatch, policy: AttachedPolicy) -> bool:
    """Return whether a policy is attached to the view that a match leads to, for any method, or to its patterns."""
    patterns = (policy for pattern in _patterns(match) for policy in attached_to_pattern(pattern))
    return any(policy is each for each in (*attached_for_any_method(match.func), *patterns))


def attached_to_view(view: object, method: str) -> Iterator[AttachedPolicy]:
    """Yield the policies attached to a view for an HTTP method, the innermost first."""
    view = without_partials(view)
    view_class = class_of(view)
    parts = [view]
    if view_class is not None:
        parts = [*_handlers(view, method), getattr(view_class, "dispatch", None), view_class, view]
    return filter(None, map(attached_policy, parts))


def attached_for_any_method(view: object) -> Iterator[AttachedPolicy]:
    """Yield the policies attached to a view, to its class, and to the methods of this class."""
    for method in methods_of(view) or ["GET"]:
        yield from attached_to_view(view, method)


def attached_to_pattern(pattern: object) -> Iterator[AttachedPolicy]:
    """Yield the policies attached to a pattern, or to the URLs that it includes, the innermost first."""
    return filter(None, map(attached_policy, (getattr(pattern, "urlconf_name", None), pattern)))


def class_of(view: object) -> type | None:
    """Return the class of a view that `as_view` has made; None for other views."""
    view = without_partials(view)
    for name in ("view_class", "cls"):
        found = getattr(view, name, None)
        if isinstance(found, type):
            return found
    return None


def methods_of(view: object) -> list[str]:
    """Return the HTTP methods that a class-based view serves. OPTIONS counts if it has a policy of its own."""
    view = without_partials(view)
    view_class = class_of(view)
    if view_class is None:
        return []
    names: Iterable[str] = getattr(view_class, "http_method_names", ())
    handlers = {name.upper(): _handler(view, name.upper()) for name in names}
    served = (method for method, handler in handlers.items() if handler is not None)
    return sorted(method for method in served if method != "OPTIONS" or attached_policy(handlers[method]))


def hidden_view(view: object) -> object:
    """Return the view with a policy that a decorator hides, because it does not use `functools.wraps`; or None.

    Such a decorator returns a function, or an object, that refers to the view that it decorates.
    """
    view = without_partials(view)
    if attached_policy(view) is not None or class_of(view) is not None:
        return None
    inner = filter(callable, _referenced_by(view))
    return next((each for each in inner if any(attached_for_any_method(each))), None)


def without_partials(view: object) -> object:
    """Return the view that a `functools.partial` calls."""
    while isinstance(view, partial):
        inner: Any = cast("object", view)
        if attached_policy(inner) is not None:
            return inner
        view = inner.func
    return view


def _attached_to_match(match: ResolverMatch, method: str) -> Iterator[AttachedPolicy]:
    yield from attached_to_view(match.func, method)
    for pattern in reversed(_patterns(match)):
        yield from attached_to_pattern(pattern)


def _patterns(match: ResolverMatch) -> list[object]:
    """Return the patterns that led to a match, the outermost first: the last of those that were tried."""
    tried: list[list[object]] = match.tried or []
    return tried[-1] if tried else []


def _handlers(view: object, method: str) -> list[object]:
    """Return the handler of an HTTP method. If there is none, return those of all methods."""
    handler = _handler(view, method)
    if handler is not None or class_of(view) is None:
        return [handler]
    return [_handler(view, served) for served in methods_of(view)]


def _handler(view: object, method: str) -> object:
    """Return the method of a class-based view that serves an HTTP method. Without a `head`, `get` serves HEAD."""
    view_class, name = class_of(view), method.lower()
    actions: dict[str, str] = getattr(view, "actions", None) or {}  # of a view set of Django REST framework
    handler: object = getattr(view_class, actions.get(name, name), None)
    if handler is None and method == "HEAD":
        handler = getattr(view_class, actions.get("get", "get"), None)
    return _function_of_api_view(handler)


def _function_of_api_view(handler: object) -> object:
    """Return the function that `api_view` of Django REST framework decorates; for other handlers, the handler.

    `api_view` makes a class with a method that calls the function, and does not copy its attributes.
    """
    if (getattr(handler, "__module__", ""), getattr(handler, "__qualname__", "")) != _API_VIEW:
        return handler
    return next((each for each in _referenced_by(handler) if attached_policy(each)), handler)


def _referenced_by(view: object) -> Iterator[object]:
    """Yield the variables of enclosing functions that a function uses, or the attributes of another object."""
    if not isinstance(view, FunctionType):
        yield from getattr(view, "__dict__", {}).values()
        return
    for cell in view.__closure__ or ():
        with contextlib.suppress(ValueError):  # a variable that is not yet set
            yield cell.cell_contents
