"""The route of a scope, found as Starlette and FastAPI find it, before the app does.

The routes' own `matches` decides. The order is that of `Router.app`: the first full match, else the first partial one
(another method), else the target of a redirect that changes the final slash, else FastAPI's routes with low priority,
else the router's default app. Mounted apps are entered as far as the attributes `app` of their middlewares lead to a
router.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Router

from ._candidates import Candidate, Scope
from ._fastapi import candidates_of, match_low_priority

_MAX_LAYERS: Final = 64
_OWN_MATCHERS: Final = ("starlette.", "fastapi.")  # modules whose `matches` depends on path, method and headers only

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


def candidates_in(router: Router) -> Iterable[Candidate]:
    """Yield the routes of a router in the order in which it tries them. Only FastAPI's include other routers."""
    if hasattr(router, "include_router"):
        return candidates_of(router.routes)
    return (Candidate(route, route.matches, (route,)) for route in router.routes)


class RouteMatch:
    """The route that serves a scope.

    Args:
        owners: The apps, routers and routes that lead to it, the outermost first. Each may have a policy.
        on_router: Called with each router that is reached.
    """

    def __init__(self, owners: Iterable[object], on_router: Callable[[Router], object]) -> None:
        """Begin before any route is matched."""
        self.owners = [*owners]
        self.endpoint: object = None  # the function or class that runs; None if no route serves the scope
        self.methods: set[str] = set()  # those that routes name whose path matches
        self.reached: dict[int, tuple[int, Signature]] = {}  # by id of a router: the owners before it, and the scope
        self.is_certain = True  # whether the same scope always leads to this route
        self.error: Exception | None = None  # raised by a route's `matches`
        self.failed: Router | None = None  # the router of that route
        self.is_partial = False  # whether the route does not serve the method
        self._on_router = on_router
        self._router: Router | None = None  # the latest one

    def enter_app(self, app: Any, scope: Scope) -> bool:
        """Match a scope with the router of an app; return whether the app has one."""
        for layer in layers(app):
            self.owners.append(layer)
            if isinstance(layer, Starlette):
                root_path = getattr(layer, "root_path", "")  # FastAPI's own
                self.enter_router(layer.router, {**scope, "root_path": root_path} if root_path else scope)
                return True
            if isinstance(layer, Router):
                self.owners.pop()
                self.enter_router(layer, scope)
                return True
            if isinstance(layer, BaseRoute):
                self._try([Candidate(layer, layer.matches, (layer,))], scope)
                return True
        return False

    def enter_router(self, router: Router, scope: Scope) -> None:
        """Match a scope with the routes of a router."""
        self._on_router(router)
        self.reached[id(router)] = len(self.owners), signature_of(scope)
        self.owners.append(router)
        self._router = router
        if not self._try(candidates_in(router), scope) and self.error is None:
            self._enter_fallback(router, scope)

    def _enter_fallback(self, router: Router, scope: Scope) -> None:
        """Match a scope that no route of a router serves."""
        redirected = _with_other_slash(scope) if scope["type"] == "http" and router.redirect_slashes else None
        if redirected is not None and (self._try(candidates_in(router), redirected) or self.error):
            return
        try:
            found = match_low_priority(router, scope)
        except Exception as error:  # noqa: BLE001 - code of the app's own, which the app will run, too
            self.error, self.failed = error, router
            return
        if found is not None:
            candidate, match, child_scope = found
            self.is_partial = match is Match.PARTIAL
            self._enter_route(candidate, {**scope, **child_scope})
        elif not (inspect.ismethod(router.default) and router.default.__self__ is router):
            self.enter_app(router.default, scope)

    def _try(self, candidates: Iterable[Candidate], scope: Scope) -> bool:
        """Match a scope with some routes; return whether one serves it."""
        try:
            found = self._select(candidates, scope)
        except Exception as error:  # noqa: BLE001 - a converter of the app's own, which the app will call, too
            self.error, self.failed = error, self._router
            return False
        if found is not None:
            self._enter_route(*found)
        return found is not None

    def _select(self, candidates: Iterable[Candidate], scope: Scope) -> tuple[Candidate, Scope] | None:
        """Return the route that serves a scope, and the scope that it gets; None if none does."""
        partial: tuple[Candidate, Scope] | None = None
        for candidate in candidates:
            match, child_scope = candidate.matches(scope)
            self.is_certain = self.is_certain and _is_own_matcher(candidate.matches)
            if match is Match.NONE:
                continue
            self.methods.update(getattr(candidate.route, "methods", None) or ())
            if match is Match.FULL:
                return candidate, {**scope, **child_scope}
            partial = partial or (candidate, {**scope, **child_scope})
        self.is_partial = partial is not None
        return partial

    def _enter_route(self, candidate: Candidate, scope: Scope) -> None:
        """Add a route that serves a scope, and enter the routers below it."""
        self.owners += candidate.owners
        route = candidate.route
        if candidate.included is not None:
            self._try(candidate.included(), scope)
        elif hasattr(route, "endpoint"):
            self.endpoint = route.endpoint
        elif getattr(route, "app", None) is not None:
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


def _is_own_matcher(matches: Any) -> bool:
    """Return whether a matcher is Starlette's or FastAPI's, which look at path, method and headers only."""
    return f"{getattr(matches, '__module__', '')}.".startswith(_OWN_MATCHERS)
