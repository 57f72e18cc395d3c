"""The routes of Starlette and FastAPI.

FastAPI before 0.137 copies the routes of an included router. Later releases build a tree, which
`fastapi.routing.iter_route_contexts` walks (https://fastapi.tiangolo.com/release-notes/#01372).
"""

from __future__ import annotations

import inspect
import re
import sys
import uuid
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from asgi_cors import CORSMiddleware

from .layers import layers
from .routes import Place, Route, listed_methods
from .templates import PathTemplate, Variable

_VARIABLE: Final = re.compile(r"{(\w+)(?::\w+)?}")
_SAMPLES: Final = {"int": "1", "float": "1.5", "uuid": str(uuid.UUID(int=1)), "path": "x/y"}
_ROUTING: Final = "starlette.routing"
_HTTP_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Mounted(NamedTuple):
    """An app that is mounted in another one."""

    app: Any
    place: Place


def find_router(app: Any) -> tuple[list[Any], Any]:
    """Return the middlewares around the router of an app, and the router; None if it can't be found.

    A `Mount` or `Host` may also be an app itself.
    """
    if _kind(app):
        return [], SimpleNamespace(routes=[app])
    router = getattr(app, "router", app)
    around: list[Any] = []
    for layer in layers(router):
        if isinstance(getattr(layer, "routes", None), list):
            return around, layer
        around.append(layer)
    return [], None


class StarletteRoutes:
    """The routes of one router.

    Args:
        router: The router of an app, or a router that is mounted.
        place: The place of the router's app.
    """

    def __init__(self, router: Any, place: Place) -> None:
        """Start without listing a route."""
        self._router = router
        self._place = place

    def __iter__(self) -> Iterator[Route | Mounted]:
        """Yield the routes, and the apps that are mounted."""
        for route in _included(self._router.routes):
            yield self._read(route)
        for path in _frontends(self._router):
            yield self._place.below(parse_path(path.rstrip("/"), {})).everything_below(methods=("GET",))

    def _read(self, route: Any) -> Route | Mounted:
        kind = _kind(route)
        template = parse_path(getattr(route, "path", None) or "", getattr(route, "param_convertors", None) or {})
        if kind == "Mount":
            return Mounted(route.app, self._place.below(template))
        if kind == "Host":
            return Mounted(route.app, Place(self._place.prefix, route.host, self._place.installed))
        if not kind:
            original = getattr(route, "original_route", route)
            return self._place.below(template).everything_below(unlisted=type(original).__name__)
        place = self._place
        for layer in layers(getattr(route, "app", None)):  # Route(middleware=…)
            if isinstance(layer, CORSMiddleware):
                place = place.inside(layer.configuration, is_inside_route=True)
        if kind == "WebSocketRoute":
            return place.route(template, is_websocket=True)
        return place.route(template, methods=_methods(route))


def _included(routes: list[Any]) -> Iterable[Any]:
    """Return routes, with those of included routers in their place."""
    iterate = getattr(sys.modules.get("fastapi.routing"), "iter_route_contexts", None)
    found: Iterable[Any] = iterate(routes) if iterate else routes
    return found


def _kind(route: Any) -> str:
    """Return the class of Starlette that a route belongs to, or ""."""
    for kind in type(getattr(route, "original_route", route)).__mro__:
        if kind.__module__ == _ROUTING and kind.__name__ in {"Route", "WebSocketRoute", "Mount", "Host"}:
            return kind.__name__
    return ""


def _methods(route: Any) -> tuple[str, ...]:
    """Return the methods of a route. A class of type `HTTPEndpoint` has a function for each."""
    if route.methods:
        return listed_methods(route.methods)
    endpoint = route.endpoint
    bases = endpoint.__mro__ if inspect.isclass(endpoint) else ()
    if any((base.__module__, base.__name__) == ("starlette.endpoints", "HTTPEndpoint") for base in bases):
        return listed_methods(name for name in _HTTP_METHODS if hasattr(endpoint, name.lower()))
    return ()


def _frontends(router: Any) -> Iterator[str]:
    """Yield the paths of `app.frontend(…)`. FastAPI has no public list of them."""
    for group in getattr(router, "_low_priority_routes", ()):
        yield from (route.path for route in getattr(group, "routes", ()))
    for included in router.routes:
        for context in getattr(included, "effective_low_priority_routes", tuple)():
            group = context.original_route
            yield from (f"{context.frontend_prefix}{route.path}" for route in getattr(group, "routes", ()))


def parse_path(path: str, convertors: Any) -> PathTemplate:
    """Parse a path such as `/items/{id:int}`.

    Args:
        path: The path.
        convertors: The convertor of each variable, by name.
    """
    parts: list[str | Variable] = []
    position = 0
    for match in _VARIABLE.finditer(path):
        parts += [path[position : match.start()]] if match.start() > position else []
        parts.append(_variable(convertors.get(match[1])))
        position = match.end()
    parts += [path[position:]] if position < len(path) else []
    return PathTemplate(path, tuple(parts))


def _variable(convertor: Any) -> Variable:
    name = type(convertor).__name__.removesuffix("Convertor").removesuffix("Converter").lower()
    name = {"integer": "int", "string": "str"}.get(name, name)
    expression = getattr(convertor, "regex", "[^/]+")
    sample = _sample(expression, _SAMPLES.get(name, "x"))
    return Variable(expression, sample, re.fullmatch(expression, "x/y") is not None)


def _sample(expression: str, preferred: str) -> str:
    """Return a value that an expression matches, if a usual one does."""
    values = (preferred, "x", "1", "1.5", _SAMPLES["uuid"], "2000-01-01", "en", "abc")
    return next((value for value in values if re.fullmatch(expression, value)), preferred)
