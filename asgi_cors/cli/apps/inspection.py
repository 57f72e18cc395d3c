"""Find the framework's app, the policies of asgi_cors and the middlewares around both, and list the routes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from asgi_cors import ConfigError, Configuration, CORSMiddleware, WSGIMiddleware
from asgi_cors.cli.errors import CannotRunError
from asgi_cors.cli.guards import is_list

from . import django
from .layers import (
    framework_of,
    framework_without_table,
    is_kind,
    is_other_cors,
    layers,
    mounted_apps,
    qualified_name,
)
from .loading import format_issues
from .routes import Place, Route
from .starlette import Mounted, StarletteRoutes, find_router
from .templates import PathTemplate
from .werkzeug import werkzeug_routes

_MAX_MOUNTS: Final = 8  # one in another
_WERKZEUG: Final = {"Flask", "Quart"}


@dataclass
class InspectedApp:
    """An app and its middlewares.

    Args:
        app: The framework's app, or the innermost app found.
        framework: "Flask", "Quart", "Starlette", "FastAPI", "Django" or "".
        configuration: The configuration of the app's asgi_cors middleware, or None.
        outer: The names of the middlewares that run before it.
        inner: The names of other CORS middlewares, inside of it or in its place.
        others: The names of the other middlewares inside of it, which may serve paths of their own.
        routes: The routes, sorted by path.
        parts: The apps that are mounted in it.
        mount: The path below which it is mounted, or "".
        mounts: The paths and apps of dispatchers around it.
    """

    app: Any
    framework: str = ""
    configuration: Configuration | None = None
    outer: list[str] = field(default_factory=list[str])
    inner: list[str] = field(default_factory=list[str])
    others: list[str] = field(default_factory=list[str])
    routes: tuple[Route, ...] = ()
    parts: list[InspectedApp] = field(default_factory=list["InspectedApp"])
    mount: str = ""
    mounts: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    @property
    def kind(self) -> str:
        """The framework, or a description."""
        return self.framework or framework_without_table(self.app) or "ASGI or WSGI app"

    @property
    def has_policy(self) -> bool:
        """Whether the app or a part of it has a policy of asgi_cors."""
        return any(part.configuration for part in (self, *self.parts)) or any(route.installed for route in self.routes)


def inspect_app(app: Any) -> InspectedApp:
    """Find the framework's app, the asgi_cors middleware, the middlewares around both, and the routes."""
    found = _inspect_layers(app)
    found.routes = _merge(_Walk(found).routes_of(found, Place(), 0))
    return found


def _inspect_layers(app: Any) -> InspectedApp:
    found = InspectedApp(app)
    for layer in layers(app):
        found.app = layer
        found.framework = framework_of(layer)
        if found.framework:
            break
        _add_layer(found, layer)
    if found.framework in _WERKZEUG:
        _inspect_flask(found)
    elif found.framework == "Django":
        _inspect_django(found)
    elif found.framework:
        _inspect_starlette(found)
    else:
        _forget_app(found)
        _inspect_connexion(found)
    return found


def _inspect_connexion(found: InspectedApp) -> None:
    """Find the policy that `add_middleware` of a Connexion app will install when the app starts."""
    stack: Any = getattr(getattr(found.app, "middleware", found.app), "middlewares", None)
    for middleware in stack if is_list(stack) else ():
        kind: Any = getattr(middleware, "func", None)  # of a partial
        if inspect.isclass(kind) and issubclass(kind, CORSMiddleware):
            _add_policy(found, _configuration_of(middleware.args, middleware.keywords))


def _forget_app(found: InspectedApp) -> None:
    """Remove the app itself, which is not a middleware, from the names."""
    name = qualified_name(found.app)
    for names in (found.outer, found.others):
        if names and names[-1] == name:
            names.pop()


def _add_layer(found: InspectedApp, layer: Any) -> None:
    """Add one middleware, the next one inside."""
    found.mounts += mounted_apps(layer).items()
    if isinstance(path := getattr(layer, "engineio_path", None), str):
        found.mounts.append((f"/{path.strip('/')}", getattr(layer, "engineio_server", layer)))
    if isinstance(layer, CORSMiddleware | WSGIMiddleware):
        _add_policy(found, layer.configuration)
    elif is_other_cors(layer if inspect.isroutine(layer) else type(layer)):
        found.inner.append(qualified_name(layer))
    elif found.configuration is None:
        found.outer.append(qualified_name(layer))
    else:
        found.others.append(qualified_name(layer))


def _add_policy(found: InspectedApp, configuration: Configuration) -> None:
    if found.configuration is None:
        found.configuration = configuration
    elif found.configuration is not configuration:
        found.inner.append("asgi_cors.CORSMiddleware")


def _inspect_starlette(found: InspectedApp) -> None:
    """Inspect a Starlette or FastAPI app, or a router: its state, its middlewares, and those of its router."""
    configuration = getattr(getattr(found.app, "state", None), "asgi_cors", None)
    if isinstance(configuration, Configuration):
        _add_policy(found, configuration)
    for middleware in getattr(found.app, "user_middleware", ()):
        kind: Any = middleware.cls
        if inspect.isclass(kind) and issubclass(kind, CORSMiddleware):
            _add_policy(found, _configuration_of(middleware.args, middleware.kwargs))
        elif is_other_cors(kind):
            found.inner.append(qualified_name(kind))
        elif found.configuration is None:
            found.outer.append(qualified_name(kind))
        else:
            found.others.append(qualified_name(kind))
    around, router = find_router(found.app)
    for layer in around:
        _add_layer(found, layer)
    if router is not None:
        for layer in layers(getattr(router, "middleware_stack", None)):
            if layer is not None and not inspect.isroutine(layer):
                _add_layer(found, layer)


def _configuration_of(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Configuration:
    """Build the configuration that `add_middleware` will build when the app starts."""
    policy = arguments[0] if arguments else keywords.get("policy")
    options = {name: value for name, value in keywords.items() if name != "policy"}
    if isinstance(policy, Configuration):
        return policy
    try:
        return Configuration(policy, **options)
    except ConfigError as error:
        issues = format_issues(error)
        raise CannotRunError(f"the app will not start, because its CORS policy is not valid: {issues}") from None


def _inspect_flask(found: InspectedApp) -> None:
    """Inspect a Flask or Quart app: its extension, its middlewares and its after_request functions."""
    extension = found.app.extensions.get("asgi_cors")
    if extension is not None and found.configuration is None:
        extension.sync_views()  # the views that exist by now
        found.configuration = extension.configuration
    own = found.configuration
    found.configuration = None
    for layer in layers(found.app.wsgi_app if found.framework == "Flask" else found.app.asgi_app):
        if not inspect.isroutine(layer):
            _add_layer(found, layer)
    if found.configuration is None:
        found.configuration = own
        found.others += found.outer
        found.outer.clear()
    for functions in found.app.after_request_funcs.values():
        found.inner += [qualified_name(function) for function in functions if is_other_cors(function)]


def _inspect_django(found: InspectedApp) -> None:
    """Inspect a Django project: the middlewares of its settings, in their order."""
    names = django.list_middlewares()
    for name in names.outer:
        _add_name(found, name)
    if names.own:
        _add_policy(found, django.installation().configuration)
    for name in names.inner:
        _add_name(found, name)


def _add_name(found: InspectedApp, name: str) -> None:
    """Add one middleware of Django's settings, the next one inside."""
    if django.is_cors(name):
        found.inner.append(name)
    elif name != django.SECURITY or django.redirects_to_https():
        (found.outer if found.configuration is None else found.others).append(name)


class _Walk:
    """Lists the routes of an app and of the apps that are mounted in it.

    Args:
        top: The app, which gets the parts.
    """

    def __init__(self, top: InspectedApp) -> None:
        self._top = top

    def routes_of(self, part: InspectedApp, place: Place, depth: int) -> Iterator[Route]:
        """Yield the routes of one part."""
        place = place.inside(part.configuration)
        for prefix, app in part.mounts:
            yield from self._mounted(app, place.below(PathTemplate(prefix, (prefix,))), depth)
        if part.framework in _WERKZEUG:
            yield from werkzeug_routes(part.app, place)
        elif part.framework == "Django":
            yield from django.django_routes(place)
        elif part.framework:
            yield from self._starlette_routes(part.app, place, depth)
        elif is_kind(part.app, "starlette.staticfiles", "StaticFiles"):
            yield place.everything_below(methods=("GET",))
        else:
            yield place.everything_below(unlisted=_describe(part.app))

    def _starlette_routes(self, app: Any, place: Place, depth: int) -> Iterator[Route]:
        _, router = find_router(app)
        if router is None:
            yield place.everything_below(unlisted=qualified_name(app))
            return
        for found in StarletteRoutes(router, place):
            if isinstance(found, Mounted):
                yield from self._mounted(found.app, found.place, depth)
            else:
                yield found

    def _mounted(self, app: Any, place: Place, depth: int) -> Iterator[Route]:
        """Yield the routes of an app that is mounted in another one."""
        if depth >= _MAX_MOUNTS:  # it may be mounted in itself
            yield place.everything_below(unlisted=_describe(app))
            return
        part = _inspect_layers(app)
        part.mount = place.host + place.prefix.text
        self._top.parts.append(part)
        yield from self.routes_of(part, place, depth + 1)


def _describe(app: Any) -> str:
    return framework_without_table(app) or qualified_name(app)


def _merge(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Sort routes by path, and merge those that a framework lists once for each method."""
    merged: dict[tuple[object, ...], Route] = {}
    for route in routes:
        key = route.path, route.is_websocket, route.installed
        other = merged.get(key)
        if other is None:
            merged[key] = route
        elif not (route.unlisted or other.unlisted):
            is_any = not (route.methods and other.methods)
            methods = () if is_any else tuple(sorted({*route.methods, *other.methods}))
            merged[key] = Route(route.template, methods, route.is_websocket, host=route.host, installed=route.installed)
    return tuple(sorted(merged.values(), key=lambda route: (route.path, route.is_websocket)))
