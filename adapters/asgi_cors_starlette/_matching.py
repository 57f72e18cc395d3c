"""The route of a scope, found as Starlette and FastAPI find it, before the app does.

The routes' own `matches` decides. The order is that of `Router.app`: the first full match, else the first partial one
(another method), else the target of a redirect that changes the final slash, else FastAPI's routes with low priority,
else the router's default app. Mounted apps are entered as far as the attributes `app` of their middlewares lead to a
router.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Router

from ._candidates import Candidate, Routes, Scope, have_own_matchers, own_candidate
from ._fastapi import match_low_priority, own_scope, routes_of

if TYPE_CHECKING:
    from ._preflights import RoutesOfPath

_MAX_LAYERS: Final = 64

Signature = tuple[object, ...]


def signature_of(scope: Scope) -> Signature:
    """Return the parts of a scope that its route depends on."""
    path, root_path = scope["path"], scope.get("root_path", "")
    return scope["type"], scope.get("method"), path, root_path, list(scope["headers"])


def layers(app: Any) -> Iterator[Any]:
    """Yield the middlewares around an app, the outermost first, and the app, as far as `app` attributes lead."""
    layer = app
    for _ in range(_MAX_LAYERS):
        if inspect.ismethod(layer) and layer.__name__ in {"__call__", "app"}:
            layer = layer.__self__
        yield layer
        if isinstance(layer, Starlette | BaseRoute | Router) or inspect.isroutine(layer) or layer is None:
            return
        layer = getattr(layer, "__dict__", {}).get("app")


def routes_in(router: Router) -> Routes:
    """Return the routes of a router. Only FastAPI's include other routers."""
    return routes_of(router) if hasattr(router, "include_router") else Routes(router, router.routes, own_candidate)


class RouteMatch:
    """The route that serves a scope.

    Args:
        owners: The apps, routers and routes that lead to it, the outermost first. Each may have a policy.
        on_layer: Called with each router, app and middleware that is reached.
        of_path: For a preflight: the routes that are tried, whatever the method.
    """

    endpoint: object = None  # the function or class that runs; None if no route serves the scope
    is_certain = True  # whether the same scope always leads to this route
    is_partial = False  # whether the route does not serve the method
    error: Exception | None = None  # raised by a route's `matches`
    failed: Router | None = None  # the router of that route
    signature: Signature | None = None  # that of the scope
    _router: Router | None = None  # the latest one

    def __init__(
        self, owners: Iterable[object], on_layer: Callable[[object], object], of_path: RoutesOfPath | None = None
    ) -> None:
        """Begin before any route is matched."""
        self.owners = [*owners]
        self.reached: dict[int, tuple[int, Signature]] = {}  # by id of a router: the owners before it, and the scope
        self._on_layer = on_layer
        self._of_path = of_path

    def match(self, router: Router, scope: Scope) -> None:
        """Match a scope of an app with the routes of a router."""
        self.signature = signature_of(scope)
        self._enter_router(router, own_scope(scope), self.signature)

    def enter_app(self, app: Any, scope: Scope) -> bool:
        """Match a scope with the router of an app; return whether the app has one."""
        for layer in layers(app):
            self.owners.append(layer)
            self._on_layer(layer)
            if isinstance(layer, Starlette):
                root_path = getattr(layer, "root_path", "")  # FastAPI's own
                inner = {**scope, "root_path": root_path} if root_path else scope
                self._enter_router(layer.router, inner, signature_of(inner))
                return True
            if isinstance(layer, Router):
                self.owners.pop()
                self._enter_router(layer, scope, signature_of(scope))
                return True
            if isinstance(layer, BaseRoute):
                self._try(Routes(layer, (layer,), own_candidate), scope)
                return True
        return False

    def _enter_router(self, router: Router, scope: Scope, signature: Signature) -> None:
        self._on_layer(router)
        self.reached[id(router)] = len(self.owners), signature
        self.owners.append(router)
        self._router = router
        if not self._try(routes_in(router), scope) and self.error is None:
            self._enter_fallback(router, scope)

    def _enter_fallback(self, router: Router, scope: Scope) -> None:
        """Match a scope that no route of a router serves."""
        redirected = _with_other_slash(scope) if scope["type"] == "http" and router.redirect_slashes else None
        if redirected is not None and (self._try(routes_in(router), redirected) or self.error):
            return
        try:
            found = match_low_priority(router, scope)
        except Exception as error:  # noqa: BLE001 - code of the app's own, which the app will run, too
            self.error, self.failed = error, router
            return
        if found is not None:
            if self._of_path is not None:
                self._of_path.add_all_methods()
            candidate, match, child_scope = found
            self.is_partial = match is Match.PARTIAL
            self._enter_route(candidate, scope, child_scope)
        elif not (inspect.ismethod(router.default) and router.default.__self__ is router):
            self.enter_app(router.default, scope)

    def _try(self, routes: Routes, scope: Scope) -> bool:
        """Match a scope with some routes; return whether one serves it."""
        try:
            found = self._select(routes, scope)
        except Exception as error:  # noqa: BLE001 - a converter of the app's own, which the app will call, too
            self.error, self.failed = error, self._router
            return False
        if found is not None:
            self._enter_route(found[0], scope, found[1])
        return found is not None

    def _select(self, routes: Routes, scope: Scope) -> tuple[Candidate, Scope] | None:
        """Return the route that serves a scope, and its changes to the scope; None if none does."""
        self.is_certain = self.is_certain and have_own_matchers(routes.entries)
        partial: tuple[Any, Scope] | None = None
        for entry in self._of_path.among(routes, scope) if self._of_path else routes.entries:
            match, changes = entry.matches(scope)
            if match is Match.FULL:
                return routes.candidate(entry), changes
            if match is Match.PARTIAL and partial is None:
                partial = entry, changes
        self.is_partial = partial is not None
        return (routes.candidate(partial[0]), partial[1]) if partial else None

    def _enter_route(self, candidate: Candidate, scope: Scope, changes: Scope) -> None:
        """Add a route that serves a scope, and enter the routers below it."""
        self.owners += candidate.owners
        route = candidate.route
        if candidate.included is not None:
            self._try(candidate.included(), {**scope, **changes})
        elif hasattr(route, "endpoint"):
            self.endpoint = route.endpoint
        elif getattr(route, "app", None) is not None:
            scope = {**scope, **changes}
            base = getattr(route, "_base_app", None)  # of a Mount, inside of its middlewares
            if not self.enter_app(route.app, scope) and base is not None and base is not route.app:
                self.enter_app(base, scope)


def _with_other_slash(scope: Scope) -> Scope | None:
    """Return the scope of the target of `redirect_slashes`; None if the path has no other form."""
    route_path = get_route_path(dict(scope))
    if route_path == "/":
        return None
    path: str = scope["path"]
    return {**scope, "path": path.rstrip("/") if route_path.endswith("/") else path + "/"}
