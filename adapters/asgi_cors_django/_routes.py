"""The key of the view that serves a request.

The middleware predicts the view before any code of the app runs. `misprediction` compares the prediction with the view
that Django has resolved, in `process_view`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest

from asgi_cors import DENY_ALL, TOO_LONG, AttachedPolicy, FixedPolicy, is_too_long

from ._resolution import find_match
from ._views import attached_to_view, class_of, hidden_view, key_of, key_of_preflight

if TYPE_CHECKING:
    from django.urls import ResolverMatch

Scope = MutableMapping[str, Any]

REQUEST: Final = "asgi_cors.request"  # the key of Django's request, in the scope or environ that the core gets
_PREDICTED: Final = "asgi_cors.view"  # the key of the predicted view, in the scope or environ

_UNKNOWN: Final = FixedPolicy("an unknown view", DENY_ALL)


def view_of(scope: Scope) -> Hashable | None:
    """Return the key of the view that will serve a scope; None if it has no policy. For `Configuration(view_of=…)`.

    The scope, or the environ in it, has Django's request as `REQUEST`. Without one, the scope's path is resolved by
    `ROOT_URLCONF`. For a preflight, return a `PerMethodKey` if other methods of the URL lead to other keys. A path that
    is too long is not resolved, and nothing is allowed there.
    """
    noted = scope.get("wsgi.environ", scope)
    if scope.get("asgi_cors.preflight"):
        return _predict(scope, noted, key_of_preflight)
    noted[_PREDICTED] = _UNKNOWN  # it stays if a converter raises, so that the view that runs is checked
    noted[_PREDICTED] = key = _predict(scope, noted, key_of)
    return key


def misprediction(
    request: HttpRequest, callback: Callable[..., Any], key: AttachedPolicy | None, noted: Mapping[str, Any]
) -> tuple[Hashable | None, AttachedPolicy | None] | None:
    """Compare the view that is about to run with the predicted one; for `process_view`.

    Args:
        request: The request, which Django has resolved.
        callback: The view.
        key: Its policy, as `key_of_request` returns it.
        noted: The scope or environ, in which `view_of` stored its prediction.

    Returns:
        The predicted key and that of the view that runs; None if they are the same. Before the first view of the
        process has a policy, nothing is predicted, and a URLconf that Django imports late may have one. A preflight
        is not compared: it comes here only if the view that it is for passes it through.
    """
    predicted = noted.get(_PREDICTED, key if request.method == "OPTIONS" else None)
    if predicted is not key:
        return predicted, key
    hidden = hidden_view(callback)
    if class_of(hidden) is None:  # the decorator of a function checks it when it is called
        return None
    found = next(attached_to_view(hidden, request.method or "GET"), key)
    return None if found is key else (key, found)


def key_of_request(request: HttpRequest, callback: Callable[..., Any]) -> AttachedPolicy | None:
    """Return the policy attached to the view that Django has resolved for a request."""
    method = request.method or "GET"
    match = request.resolver_match
    if match is None or match.func is not callback:  # another middleware has replaced the view
        return next(attached_to_view(callback, method), None)
    return key_of(match, method)


def _predict(
    scope: Scope, noted: Mapping[str, Any], key_for: Callable[[ResolverMatch, str], Hashable | None]
) -> Hashable | None:
    if is_too_long(scope["path"]):
        return TOO_LONG
    match = find_match(noted.get(REQUEST) or _request_for(scope))
    return None if match is None else key_for(match, scope.get("method", "GET"))


def _request_for(scope: Scope) -> HttpRequest:
    """Return a request for a path that has none, such as one that is explained."""
    request = HttpRequest()
    root: str = scope.get("root_path", "").rstrip("/")
    request.method = scope.get("method", "GET")
    request.path = scope["path"]
    request.path_info = request.path.removeprefix(root) or "/"
    return request
