"""Load an app and inspect it without starting it: its middlewares, its routes, and the policy of each route.

Frameworks are recognised by the name of the app's class, so that none is imported. Limits: a middleware that hides its
app under an unusual attribute ends the inspection, and an app without a known framework has no routes.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import re
import sys
import traceback
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asgi_cors import ConfigError, Configuration, CORSMiddleware, Policy, WSGIMiddleware

from .errors import CannotRunError

FRAMEWORKS: Final = {
    ("flask.app", "Flask"): "Flask",
    ("quart.app", "Quart"): "Quart",
    ("fastapi.applications", "FastAPI"): "FastAPI",
    ("starlette.applications", "Starlette"): "Starlette",
}
# The attributes in which middlewares store the app that they wrap.
_WRAPPED_APP: Final = ("app", "wsgi_application", "wsgi_app", "application", "_app")
_MAX_DEPTH: Final = 32
AT_RUN_TIME: Final = "at run time"
ServedBy = Policy | str | None
_WERKZEUG_VARIABLE: Final = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
_STARLETTE_VARIABLE: Final = re.compile(r"{(\w+)(?::(\w+))?}")
_SAMPLES: Final = {"int": "1", "float": "1.5", "uuid": str(uuid.UUID(int=1)), "path": "x/y"}


@dataclass
class InspectedApp:
    """An app and its middlewares.

    Args:
        app: The framework's app, or the innermost app found.
        framework: "Flask", "Quart", "Starlette", "FastAPI" or "".
        configuration: The configuration of the app's asgi_cors middleware, or None.
        outer: The names of the middlewares that run before it.
        inner: The names of other CORS middlewares, inside of it or in its place.
    """

    app: Any
    framework: str = ""
    configuration: Configuration | None = None
    outer: list[str] = field(default_factory=list[str])
    inner: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Route:
    """A path that the app serves.

    Args:
        path: The path as the app spells it, variables included.
        sample: A path that it matches.
        methods: The methods that it serves, without HEAD and OPTIONS, which frameworks add.
        is_websocket: Whether the route is a WebSocket.
    """

    path: str
    sample: str
    methods: tuple[str, ...]
    is_websocket: bool = False


class _ErrorCollector(logging.Handler):
    """Collect the errors that the asgi_cors logger would print on standard error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def one_line_errors(name: str) -> Generator[None]:
    """Report any failure to import or inspect the app `name` in one line.

    Warnings are shown only if nothing fails.

    Raises:
        CannotRunError: The app, or a policy in it, is not valid.
    """
    errors = _ErrorCollector()
    logger = logging.getLogger("asgi_cors")
    logger.addHandler(errors)
    try:
        with warnings.catch_warnings(record=True) as caught:
            yield
    except ConfigError as error:
        raise CannotRunError(f"{name!r} has a CORS policy that is not valid: {_format_issues(error)}") from None
    except (Exception, SystemExit) as error:
        if isinstance(error, CannotRunError):
            raise
        raise CannotRunError(f"{name!r} can't be inspected: {_format_exception(error)}") from None
    finally:
        logger.removeHandler(errors)
    if errors.messages:
        raise CannotRunError(f"{name!r} has a mistake in its CORS policies: {' '.join(errors.messages)}")
    for warning in caught:
        warnings.showwarning(warning.message, warning.category, warning.filename, warning.lineno)


def _format_issues(error: ConfigError) -> str:
    """Return all issues as one line, numbered if there are several."""
    issues = [str(issue) for issue in error.issues]
    if len(issues) > 1:
        issues = [f"({number}) {issue}" for number, issue in enumerate(issues, 1)]
    return " ".join(issues)


def load_app(name: str, *, app_dir: str = ".", factory: bool = False) -> Any:
    """Import MODULE:APP. The import runs the module, and starts nothing.

    Raises:
        CannotRunError: The module or the app does not exist, or the import fails.
        ConfigError: The module has an invalid policy; see `one_line_errors`.
    """
    module_name, _, attributes = name.partition(":")
    if not module_name or not attributes:
        raise CannotRunError(f"{name!r} does not name an app. Write MODULE:APP, such as main:app.")
    folder = str(Path(app_dir).resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    found = _import_module(module_name)
    for attribute in attributes.removesuffix("()").split("."):
        if not hasattr(found, attribute):
            raise CannotRunError(f"{module_name!r} has no {attributes!r}.{_apps_hint(found)}")
        found = getattr(found, attribute)
    if factory or attributes.endswith("()"):
        found = _call_factory(name, found)
    elif inspect.isclass(found):
        raise CannotRunError(f"{name!r} is a class, not an app. Write {name}() to call it.")
    if not callable(found):
        raise CannotRunError(f"{name!r} is of type {type(found).__name__}, not an app.")
    return found


def _import_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ConfigError, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            hint = "Run the command in the folder that holds it, or name that folder with --app-dir."
            raise CannotRunError(f"there is no module {error.name!r}. {hint}") from None
        raise CannotRunError(f"{name!r} can't be imported: there is no module {error.name!r}.") from None
    except BaseException as error:  # noqa: BLE001 - a module may do anything, sys.exit() included
        raise CannotRunError(f"{name!r} can't be imported: {_format_exception(error)}") from None


def _call_factory(name: str, factory: Callable[[], Any]) -> Any:
    try:
        return factory()
    except (ConfigError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - a factory may do anything, sys.exit() included
        raise CannotRunError(f"{name!r} fails to create an app: {_format_exception(error)}") from None


def _format_exception(error: BaseException) -> str:
    """Return an exception and its place as one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    try:
        text = f": {' '.join(str(error).split())}"
    except Exception:  # noqa: BLE001 - a user's exception may fail in any way
        text = ""
    return f"{type(error).__name__}{text}{place}."


def _apps_hint(module: Any) -> str:
    values: dict[str, object] = getattr(module, "__dict__", {})
    apps = [name for name, value in values.items() if framework_of(value) or isinstance(value, CORSMiddleware)]
    return f" It has {', '.join(apps)}." if apps else ""


def framework_of(app: object) -> str:
    """Return the name of an app's framework, or "" if it is not known."""
    for kind in type(app).__mro__:
        name = FRAMEWORKS.get((kind.__module__, kind.__name__))
        if name:
            return name
    return ""


def inspect_app(app: Any) -> InspectedApp:
    """Find the framework's app, the asgi_cors middleware and the middlewares around both."""
    found = InspectedApp(app)
    for layer in _layers(app):
        found.app = layer
        found.framework = framework_of(layer)
        if found.framework:
            break
        if isinstance(layer, CORSMiddleware | WSGIMiddleware) and found.configuration is None:
            found.configuration = layer.configuration
        elif found.configuration is None:
            found.outer.append(_qualified_name(layer))
        elif is_other_cors(type(layer)):
            found.inner.append(_qualified_name(layer))
    if found.framework in {"Starlette", "FastAPI"}:
        _inspect_starlette(found)
    elif found.framework:
        _inspect_flask(found)
    if found.configuration is None:
        found.outer.clear()  # there is no policy that they could run before
    return found


def _layers(app: Any) -> Iterator[Any]:
    """Yield the app, the app that it wraps, and so on."""
    for _ in range(_MAX_DEPTH):
        yield app
        if framework_of(app) or inspect.isroutine(app):
            return
        inner = next((value for name in _WRAPPED_APP if callable(value := getattr(app, name, None))), None)
        if inner is None:
            return
        app = inner


def _inspect_starlette(found: InspectedApp) -> None:
    configuration = getattr(found.app.state, "asgi_cors", None)
    if isinstance(configuration, Configuration) and found.configuration is None:
        found.configuration = configuration
    for middleware in found.app.user_middleware:
        kind: Any = middleware.cls
        if inspect.isclass(kind) and issubclass(kind, CORSMiddleware):
            configured = _build_configuration(middleware)
            if found.configuration is None:
                found.configuration = configured
            else:
                found.inner.append("asgi_cors.CORSMiddleware")
        elif is_other_cors(kind):
            found.inner.append(_qualified_name(kind))
        elif found.configuration is None:
            found.outer.append(_qualified_name(kind))


def _build_configuration(middleware: Any) -> Configuration:
    """Build the configuration that `add_middleware` will build when the app starts."""
    policy = middleware.args[0] if middleware.args else middleware.kwargs.get("policy")
    options = {name: value for name, value in middleware.kwargs.items() if name != "policy"}
    if isinstance(policy, Configuration):
        return policy
    try:
        return Configuration(policy, **options)
    except ConfigError as error:
        issues = _format_issues(error)
        raise CannotRunError(f"the app will not start, because its CORS policy is not valid: {issues}") from None


def _inspect_flask(found: InspectedApp) -> None:
    """Inspect a Flask or Quart app: its extension, its middlewares and its after_request functions."""
    extension = found.app.extensions.get("asgi_cors")
    if extension is not None and found.configuration is None:
        extension.sync_views()  # the views that exist by now
        found.configuration = extension.configuration
    for layer in _layers(found.app.wsgi_app if found.framework == "Flask" else found.app.asgi_app):
        if isinstance(layer, CORSMiddleware | WSGIMiddleware):
            found.configuration = found.configuration or layer.configuration
            break
        if not inspect.isroutine(layer) and found.framework == "Flask":
            found.outer.append(_qualified_name(layer))
    for functions in found.app.after_request_funcs.values():
        found.inner += [_qualified_name(function) for function in functions if is_other_cors(function)]


def is_other_cors(component: Any) -> bool:
    """Return whether a middleware or function has the name of another CORS library."""
    name = f"{getattr(component, '__module__', '')}.{getattr(component, '__qualname__', '')}".lower()
    return "cors" in name and not name.startswith("asgi_cors")


def _qualified_name(component: Any) -> str:
    name = getattr(component, "__qualname__", "") or type(component).__qualname__
    return f"{component.__module__}.{name}".replace(".<locals>", "")


def list_routes(app: InspectedApp) -> list[Route]:
    """Return the routes of an app, sorted by path. The list is empty if the framework is not known."""
    if app.framework in {"Flask", "Quart"}:
        found = _werkzeug_routes(app.app)
    elif app.framework:
        found = _starlette_routes(app.app.routes, "")
    else:
        found = iter(())
    # Frameworks list a path once for each of its methods.
    by_path: dict[tuple[str, bool], Route] = {}
    for route in found:
        key = route.path, route.is_websocket
        methods = {*route.methods, *(by_path[key].methods if key in by_path else ())}
        by_path[key] = Route(route.path, route.sample, tuple(sorted(methods)), route.is_websocket)
    return [by_path[key] for key in sorted(by_path)]


def _served_methods(methods: Any) -> tuple[str, ...]:
    return tuple(set(methods or ()) - {"HEAD", "OPTIONS"})


def _werkzeug_routes(app: Any) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        sample = _WERKZEUG_VARIABLE.sub(_werkzeug_sample, rule.rule)
        yield Route(rule.rule, sample, _served_methods(rule.methods), bool(getattr(rule, "websocket", False)))


def _werkzeug_sample(match: re.Match[str]) -> str:
    if match[1] == "any" and match[2]:
        return match[2].split(",")[0].strip("\"' ")
    return _SAMPLES.get(match[1] or "", "x")


def _starlette_routes(routes: Any, prefix: str) -> Iterator[Route]:
    for route in routes:
        inner = getattr(route, "routes", None)
        path = prefix + getattr(route, "path", "")
        if inner:
            yield from _starlette_routes(inner, path)
            continue
        is_websocket = "WebSocket" in type(route).__name__
        is_mount = not is_websocket and not hasattr(route, "methods")
        sample = _STARLETTE_VARIABLE.sub(lambda match: _SAMPLES.get(match[2] or "", "x"), path)
        methods = _served_methods(getattr(route, "methods", ()))
        yield Route(f"{path}/*" if is_mount else path, f"{sample}/x" if is_mount else sample, methods, is_websocket)


def find_policy(app: InspectedApp, path: str, method: str, *, is_websocket: bool = False) -> ServedBy:
    """Return the policy that the middleware finds for a request, or None if it has none.

    If `policy_for` must be awaited, or needs more of the request, return "at run time".
    """
    if app.configuration is None:
        return None
    config: Mapping[str, Any] = app.app.config if app.framework in {"Flask", "Quart"} else {}
    host: str = config.get("SERVER_NAME") or "localhost"
    scope: dict[str, Any] = {
        "type": "websocket" if is_websocket else "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"host", host.encode())],
        "server": (host.partition(":")[0], 80),
        "client": None,
    }
    finding = app.configuration.evaluator.rules.find(scope)
    try:
        awaitable = next(finding)
    except StopIteration as stop:
        policy: Policy | None = stop.value.policy
        return policy
    except Exception:  # noqa: BLE001 - policy_for may need a header that this scope lacks, and raise anything
        return AT_RUN_TIME
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    finding.close()
    return AT_RUN_TIME
