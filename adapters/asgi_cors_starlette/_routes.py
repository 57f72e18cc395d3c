"""The policies of an app's routes: the key of the route that serves a scope, and the policy of a key.

`RoutePolicies.key_of` predicts the route and leaves a `Prediction` in the scope. The guards of the routers compare it
with the scope that they get; see `_guards`.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Hashable, Iterator
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import Router

from asgi_cors import (
    DENY_ALL,
    TOO_LONG,
    AttachedPolicy,
    CORSMiddleware,
    FixedPolicy,
    PerMethodKey,
    Policy,
    is_too_long,
)

from ._attachments import functions_within, innermost, policy_of_endpoint
from ._candidates import Candidate, Scope
from ._copied_routes import note_app
from ._guards import PREDICTION, UNKNOWN, Prediction, guard
from ._matching import RouteMatch, layers, routes_in
from ._preflights import RoutesOfPath


class RoutePolicies:
    """The policies attached to the endpoints, routes, routers and mounted apps of one app.

    Args:
        app: The app.
    """

    middleware: CORSMiddleware  # the one that applies the policies

    _all: Final[weakref.WeakSet[RoutePolicies]] = weakref.WeakSet()
    _lock: Final = threading.Lock()  # of `_all`, which must not grow while it is read

    def __init__(self, app: Starlette) -> None:
        """Begin without a prediction; see the class."""
        self._app = app
        self._unmatched = RouteMatch(self.outermost(), guard)
        note_app(app)
        with self._lock:
            self._all.add(self)

    @staticmethod
    def policy_of(key: Any) -> Policy | None:
        """Return the policy of a key; None passes its requests through. A policy of another adapter allows nothing."""
        return key.policy if isinstance(key, FixedPolicy) else DENY_ALL

    def key_of(self, scope: Scope) -> Hashable | None:
        """Return the key of the policy of the route that will serve a scope; None if it has no policy of its own.

        For a preflight, return a `PerMethodKey` if other methods of the URL lead to other policies. A path that is too
        long is not matched, because a preflight matches it once for each method. Nothing is allowed there.

        Raises:
            Exception: Any exception of the app's own code, such as a converter.
        """
        if scope.get("asgi_cors.preflight"):
            return TOO_LONG if is_too_long(scope["path"]) else self._preflight_key(scope)
        outer: Prediction | None = scope.get(PREDICTION)
        if outer is not None and outer.policies is self:
            if outer.key is not UNKNOWN and outer.holds_for(scope):
                return outer.key
            outer = outer.outer
        guard(self._app)
        guard(self._app.router)
        # It stays unknown if a converter raises, so that the route that runs is checked.
        scope[PREDICTION] = prediction = Prediction(self, scope, outer, self._unmatched)
        if is_too_long(scope["path"]):
            prediction.key = TOO_LONG
            return TOO_LONG
        match, prediction.key = self._predict(scope)
        prediction.match = match
        return prediction.key

    def match(self, scope: Scope, of_path: RoutesOfPath | None = None) -> RouteMatch:
        """Find the route that serves a scope."""
        match = RouteMatch(self.outermost(), guard, of_path)
        match.match(self._app.router, scope)
        return match

    def outermost(self) -> list[object]:
        """Return the objects around the router of the app that may have a policy."""
        return [self._app]

    def key_of_match(self, match: RouteMatch, scope: Scope) -> AttachedPolicy | None:
        """Return the innermost policy of a route and of the routers and apps that lead to it."""
        found = None
        if match.endpoint is not None:
            found = policy_of_endpoint(match.endpoint, scope.get("method", ""), self._is_registered)
        return innermost(match.owners) if found is None else found

    def key_of_route(self, candidate: Candidate, method: str) -> AttachedPolicy | None:
        """Return the innermost policy of a route of the app's router, with all its owners."""
        match = RouteMatch([*self.outermost(), self._app.router, *candidate.owners], guard)
        match.endpoint = getattr(candidate.route, "endpoint", None)
        return self.key_of_match(match, {"method": method})

    def _predict(self, scope: Scope, of_path: RoutesOfPath | None = None) -> tuple[RouteMatch, AttachedPolicy | None]:
        """Return the route that serves a scope, and its key."""
        match = self.match(scope, of_path)
        if match.error is not None:
            raise match.error
        return match, self.key_of_match(match, scope)

    def _preflight_key(self, scope: Scope) -> Hashable | None:
        of_path = RoutesOfPath()
        _, found = self._predict(scope, of_path)
        tried = {scope["method"]}
        while untried := of_path.methods - tried:
            tried |= untried
            for method in untried:
                match, key = self._predict({**scope, "method": method}, of_path)
                if key is not found and _serves(match, method):
                    return PerMethodKey(found)
        return found

    def _is_registered(self, function: object) -> bool:
        """Return whether a route of any app with a policy calls a function."""
        with self._lock:
            apps = [each._app for each in self._all]  # noqa: SLF001 - of the same class
        return any(found is function for app in apps for found in _endpoints_of(app.router, set()))


def _serves(match: RouteMatch, method: str) -> bool:
    """Return whether a route serves a method. A class does if it has a function for it."""
    if match.is_partial or not inspect.isclass(match.endpoint):
        return not match.is_partial
    names = ("head", "get") if method == "HEAD" else (method.lower(),)
    return any(hasattr(match.endpoint, name) for name in names)


def _endpoints_of(app: Any, seen: set[int]) -> Iterator[object]:
    """Yield the functions and classes that the routes of an app call, including those of mounted apps."""
    for layer in layers(app):
        router = layer.router if isinstance(layer, Starlette) else layer
        if isinstance(router, Router) and id(router) not in seen:
            seen.add(id(router))
            for candidate in routes_in(router).candidates():
                yield from _endpoints_below(candidate, seen)


def _endpoints_below(candidate: Candidate, seen: set[int]) -> Iterator[object]:
    if candidate.included is not None:
        for inner in candidate.included().candidates():
            yield from _endpoints_below(inner, seen)
        return
    route = candidate.route
    if hasattr(route, "endpoint"):
        yield from functions_within(route.endpoint)
    else:
        yield from _endpoints_of(getattr(route, "app", None), seen)
