"""Policies that decorators attach to views, and the view that serves a scope.

A view's policy is looked up at each request from the view that is registered now, because views may be replaced,
decorated and exempted late. `ViewPolicies.key_of` predicts the view with the app's own matcher. A signal of the
framework reports the view that really runs, and `ViewPolicies.misprediction` compares the two.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, MapAdapter, RequestRedirect

from asgi_cors import (
    DENY_ALL,
    EXEMPT,
    TOO_LONG,
    AttachedPolicy,
    ConfigError,
    ConfigWarning,
    FixedPolicy,
    Issue,
    PerMethodKey,
    Policy,
    Rules,
    attach_policy,
    attached_policy,
    is_too_long,
    note_usage,
    wrapper_of,
)

Scope = MutableMapping[str, Any]
View = Callable[..., Any]
F = TypeVar("F", bound=View)
Predict = Callable[[], Hashable | None]
PolicySpec = Policy | Mapping[str, Any] | Rules | None

PREDICTED: Final = "asgi_cors.view"  # the key of the predicted view, in the scope or environ
_UNKNOWN: Final = FixedPolicy("an unknown view", DENY_ALL)


def cors_exempt(view: F) -> F:
    """Pass a view's requests through, preflights included: the view's own headers decide."""
    attach_policy(view, EXEMPT)
    return view


# -- the view of a scope


class App(Protocol):
    """The views and routes of a Flask or Quart app."""

    view_functions: dict[str, Any]
    url_map: Any


class ViewPolicies:
    """The policies attached to an app's views and blueprints, and the routes that lead to them.

    Args:
        app: The app.
        bind: Returns the app's URL map bound for a scope; None if nothing can match.
        policy_of: Returns the policy for a key; it is not called for a `FixedPolicy`.
        in_request_context: Runs a function inside of a request context for a scope, for the app's own converters.
    """

    def __init__(
        self,
        app: App,
        bind: Callable[[Scope], MapAdapter | None],
        policy_of: Callable[[Any], PolicySpec],
        in_request_context: Callable[[Scope, Predict], Hashable | None],
    ) -> None:
        """Begin without blueprints; see the class."""
        self._app = app
        self._bind = bind
        self._policy_of = policy_of
        self._in_request_context = in_request_context
        self._blueprints: dict[str, AttachedPolicy] = {}
        self._checked: set[str] = set()

    def attach_to_blueprint(self, state: Any, policy: AttachedPolicy) -> None:
        """Attach a policy to all views of a blueprint. `state` is that of its registration."""
        note_usage()
        self._blueprints[f"{state.name_prefix}.{state.name}".lstrip(".")] = policy

    def policy_of(self, key: Any) -> PolicySpec:
        """Return the policy for a key.

        Raises:
            ConfigError: With every mistake found.
        """
        return key.policy if isinstance(key, FixedPolicy) else self._policy_of(key)

    def registered(self) -> list[AttachedPolicy]:
        """Return the policies of all views and blueprints that are registered now, in this order."""
        found = [policy for view in [*self._app.view_functions.values()] for policy in _all_attached(view)]
        return list(dict.fromkeys([*found, *self._blueprints.values()]))

    def policies(self) -> dict[Hashable, PolicySpec]:
        """Return the policies of all views that are registered now, by key.

        Raises:
            ConfigError: With every mistake found in any of them.
        """
        issues: list[Issue] = []
        policies: dict[Hashable, PolicySpec] = {}
        for key in self.registered():
            try:
                policies[key] = self.policy_of(key)
            except ConfigError as error:
                issues += (issue for issue in error.issues if issue not in issues)
        if issues:
            raise ConfigError(issues)
        for endpoint in [*self._app.view_functions]:
            self.warn_if_misplaced(endpoint)
        return policies

    def key_of(self, scope: Scope) -> Hashable | None:
        """Return the key of the view that will serve a scope, or of its blueprint; None if neither has a policy.

        For a preflight, return a `PerMethodKey` if other methods of the URL lead to other keys. A path that is too long
        is not matched, because a preflight matches it once for each method. Nothing is allowed there.
        """
        if scope.get("asgi_cors.preflight"):
            return self._predict(scope)
        noted = scope.get("wsgi.environ", scope)
        noted[PREDICTED] = _UNKNOWN  # it stays if a converter raises, so that the view that runs is checked
        noted[PREDICTED] = key = self._predict(scope)
        return key

    def key_of_endpoint(self, endpoint: str, method: str) -> AttachedPolicy | None:
        """Return the policy of an endpoint: that of its class's method, of its view, or of its blueprint."""
        found = next(_attached(self._app.view_functions.get(endpoint), method), None)
        while found is None and (endpoint := endpoint.rpartition(".")[0]):
            found = self._blueprints.get(endpoint)
        return found

    def misprediction(
        self, endpoint: str, method: str, noted: Mapping[str, Any]
    ) -> tuple[Hashable | None, AttachedPolicy | None] | None:
        """Compare the view that is about to run with the predicted one.

        Args:
            endpoint: The endpoint of the view that runs.
            method: The method of the request.
            noted: The scope or environ, in which `key_of` noted its prediction.

        Returns:
            The predicted key and that of the view that runs; None if they are the same.
        """
        key = self.key_of_endpoint(endpoint, method)
        if key is None:
            with contextlib.suppress(ConfigWarning):  # warnings may be errors
                self.warn_if_misplaced(endpoint)
        predicted = noted.get(PREDICTED, key)
        return None if predicted is key else (predicted, key)

    def warn_if_misplaced(self, endpoint: str) -> None:
        """Warn, once, if the decorator of a view is above `route`, which has registered the view without it."""
        views = self._app.view_functions
        view = views.get(endpoint)
        wrapper = wrapper_of(view)
        if wrapper is None or attached_policy(view) or endpoint in self._checked:
            return
        self._checked.add(endpoint)
        if not any(registered is wrapper for registered in [*views.values()]):
            message = f"the decorator of view {endpoint!r} is above its route and has no effect"
            hint = "Write it below: first @app.route(…), then the decorator."
            Issue("decorator-above-route", "cross_origin", endpoint, message, hint).warn()

    def _predict(self, scope: Scope) -> Hashable | None:
        if is_too_long(scope["path"]):
            return TOO_LONG
        if self._has_plain_routes():
            return self._match(scope)
        # The app's own converters are called inside of the contexts of the app and of the request, as usual.
        return self._in_request_context(scope, lambda: self._match(scope))

    def _match(self, scope: Scope) -> Hashable | None:
        try:
            adapter = self._bind(scope)
        except HTTPException:
            return None  # the app will raise it, too, for example for an untrusted host
        if adapter is None:
            return None
        found = next((key for key in self._keys(adapter, scope.get("method", "GET")) if key is not None), None)
        if scope.get("asgi_cors.preflight"):
            keys = (key for method in adapter.allowed_methods() for key in self._keys(adapter, method))
            if any(key is not found for key in keys):
                return PerMethodKey(found)
        return found

    def _keys(self, adapter: MapAdapter, method: str) -> Iterator[AttachedPolicy | None]:
        """Yield the keys of the views that can serve a method."""
        return (self.key_of_endpoint(endpoint, served) for endpoint, served in _endpoints(adapter, method))

    def _has_plain_routes(self) -> bool:
        """Return whether no code of the app runs when a route is matched."""
        return bool(self._app.url_map.converters == Map.default_converters)


def _handler(view: object, method: str) -> object:
    """Return the method of a class-based view that serves an HTTP method. Without a `head`, `get` serves HEAD."""
    view_class = getattr(view, "view_class", None)
    handler: object = getattr(view_class, method.lower(), None)
    return getattr(view_class, "get", None) if handler is None and method == "HEAD" else handler


def _attached(view: object, method: str) -> Iterator[AttachedPolicy]:
    """Yield the policies attached to a view for an HTTP method, the innermost first."""
    dispatch = getattr(getattr(view, "view_class", None), "dispatch_request", None)
    return filter(None, map(attached_policy, (_handler(view, method), dispatch, view)))


def _all_attached(view: object) -> Iterator[AttachedPolicy]:
    """Yield the policies attached to a view and to the methods of its class."""
    for method in getattr(view, "methods", None) or ("GET",):
        yield from _attached(view, method)


def _endpoints(adapter: MapAdapter, method: str) -> Iterator[tuple[str, str]]:
    """Yield the endpoint and method that serve a request, or those at its URL if none serves its method."""
    method = method.upper()  # as werkzeug does
    try:
        yield _endpoint(adapter, method), method
    except MethodNotAllowed as error:
        for other in sorted(error.valid_methods or ()):
            with contextlib.suppress(HTTPException):
                yield _endpoint(adapter, other), other
    except HTTPException:
        return


def _endpoint(adapter: MapAdapter, method: str) -> str:
    """Return the endpoint of a route. For a redirect, such as one that adds a slash, return that of its target."""
    try:
        endpoint: str = adapter.match(method=method)[0]
    except RequestRedirect as redirect:
        path = unquote(urlsplit(redirect.new_url).path).removeprefix(adapter.script_name.rstrip("/"))
        endpoint = adapter.match(path, method=method)[0]
    return endpoint
