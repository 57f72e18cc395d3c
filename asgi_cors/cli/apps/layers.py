"""The middlewares around an app, as far as their attributes lead to the next one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from asgi_cors import CORSMiddleware, WSGIMiddleware

FRAMEWORKS: Final = {
    ("flask.app", "Flask"): "Flask",
    ("quart.app", "Quart"): "Quart",
    ("fastapi.applications", "FastAPI"): "FastAPI",
    ("fastapi.routing", "APIRouter"): "FastAPI",
    ("starlette.applications", "Starlette"): "Starlette",
    ("starlette.routing", "Router"): "Starlette",
    ("starlette.routing", "Mount"): "Starlette",
    ("starlette.routing", "Host"): "Starlette",
    ("django.core.handlers.asgi", "ASGIHandler"): "Django",
    ("django.core.handlers.wsgi", "WSGIHandler"): "Django",
}
# Frameworks whose routes are not listed, by their package.
_WITHOUT_ROUTE_TABLE: Final = {
    "aiohttp": "aiohttp",
    "blacksheep": "BlackSheep",
    "bottle": "Bottle",
    "cherrypy": "CherryPy",
    "connexion": "Connexion",
    "datasette": "Datasette",
    "django": "Django",
    "falcon": "Falcon",
    "litestar": "Litestar",
    "masonite": "Masonite",
    "muffin": "Muffin",
    "pyramid": "Pyramid",
    "responder": "Responder",
    "robyn": "Robyn",
    "sanic": "Sanic",
    "strawberry": "Strawberry",
    "tornado": "Tornado",
    "web2py": "web2py",
}
# The attributes in which middlewares store the app that they wrap.
_WRAPPED_APP: Final = (
    *("app", "wsgi_application", "wsgi_app", "application", "asgi_application", "asgi_app", "_app"),
    *("other_asgi_app", "asgi", "wrapped_app", "inner"),
)
_MAX_DEPTH: Final = 32


def layers(app: Any) -> Iterator[Any]:
    """Yield the app, the app that it wraps, and so on."""
    for _ in range(_MAX_DEPTH):
        yield app
        if framework_of(app) or framework_without_table(app):
            return
        inner = _wrapped_by_function(app) if inspect.isroutine(app) else _wrapped_by_object(app)
        if inner is None:
            return
        app = inner


def _wrapped_by_object(app: Any) -> Any:
    named = next((value for name in _WRAPPED_APP if callable(value := getattr(app, name, None))), None)
    if named is not None:
        return named
    values = list(getattr(app, "__dict__", {}).values())
    for is_app in (_is_known_app, _takes_connection, _is_connection_class):
        apps = [value for value in values if is_app(value)]
        if apps:
            return apps[0] if len(apps) == 1 else None
    return None


def _wrapped_by_function(app: Any) -> Any:
    """Return the app that a function of a closure wraps, as some middlewares do."""
    cells: tuple[Any, ...] = getattr(app, "__closure__", None) or ()
    names: tuple[str, ...] = app.__code__.co_freevars if cells else ()
    variables = {name: cell.cell_contents for name, cell in zip(names, cells, strict=True) if not _is_empty(cell)}
    apps = {name: value for name, value in variables.items() if callable(value) and not inspect.isclass(value)}
    named = next((apps[name] for name in _WRAPPED_APP if name in apps), None)
    if named is not None:
        return named
    likely = [value for value in apps.values() if _is_known_app(value) or _takes_connection(value)]
    return likely[0] if len(likely) == 1 else None


def _takes_connection(value: Any) -> bool:
    """Return whether a function may be an ASGI app: it takes a scope and two functions."""
    try:
        inspect.signature(value).bind(1, 2, 3)
    except (TypeError, ValueError):
        return False
    return inspect.iscoroutinefunction(value)


def _is_connection_class(value: Any) -> bool:
    """Return whether an object has the method of an ASGI app."""
    return not inspect.isclass(value) and _takes_connection(getattr(value, "__call__", None))  # noqa: B004 - its signature


def _is_empty(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def _is_known_app(value: Any) -> bool:
    return bool(framework_of(value)) or isinstance(value, CORSMiddleware | WSGIMiddleware)


def framework_of(app: object) -> str:
    """Return the name of an app's framework if its routes can be listed, or else ""."""
    for kind in type(app).__mro__:
        name = FRAMEWORKS.get((kind.__module__, kind.__name__))
        if name:
            return name
    return ""


def framework_without_table(app: object) -> str:
    """Return the name of an app's framework if its routes can't be listed, or else ""."""
    for kind in type(app).__mro__:
        name = _WITHOUT_ROUTE_TABLE.get(kind.__module__.partition(".")[0])
        if name:
            return name
    return ""


def is_kind(value: object, module: str, name: str) -> bool:
    """Return whether a value is an instance of a class with this module and name, or of a subclass."""
    return any((kind.__module__, kind.__name__) == (module, name) for kind in type(value).__mro__)


def is_other_cors(component: Any) -> bool:
    """Return whether a middleware or function has the name of another CORS library."""
    name = f"{getattr(component, '__module__', '')}.{getattr(component, '__qualname__', '')}".lower()
    return "cors" in name and not name.startswith("asgi_cors")


def qualified_name(component: Any) -> str:
    """Return the name of a middleware's class, or of a function, with its module."""
    name = getattr(component, "__qualname__", "") or type(component).__qualname__
    return f"{component.__module__}.{name}".replace(".<locals>", "")


def mounted_apps(layer: Any) -> Mapping[str, Any]:
    """Return the apps that a dispatcher serves below paths, as those of werkzeug and hypercorn do."""
    mounts = getattr(layer, "mounts", None)
    if type(layer).__name__ != "DispatcherMiddleware" or not isinstance(mounts, Mapping):
        return {}
    return cast("Mapping[str, Any]", mounts)
