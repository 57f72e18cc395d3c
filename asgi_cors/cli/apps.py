"""Finding an app, what it is, and what of ours stands around it, without starting it."""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asgi_cors import ConfigError, Configuration, CORSMiddleware, WSGIMiddleware

from .doctor.question import CannotAskError

FRAMEWORKS: Final = {
    ("flask.app", "Flask"): "Flask",
    ("quart.app", "Quart"): "Quart",
    ("fastapi.applications", "FastAPI"): "FastAPI",
    ("starlette.applications", "Starlette"): "Starlette",
}
_INNER: Final = ("app", "wsgi_application", "wsgi_app", "application", "_app")
_DEEPEST: Final = 32


@dataclass
class Installed:
    """An app, and what stands around it.

    Args:
        app: The framework's app, or the innermost one found.
        framework: "Flask", "Quart", "Starlette", "FastAPI", or empty.
        configuration: Ours; None where there is none.
        outer: The names of the middlewares that run before ours.
        inner: The names of others that set CORS inside of ours, or in its place.
    """

    app: Any
    framework: str = ""
    configuration: Configuration | None = None
    outer: list[str] = field(default_factory=list[str])
    inner: list[str] = field(default_factory=list[str])


class _Errors(logging.Handler):
    """Collects the errors of the logger asgi_cors, which would otherwise be printed on standard error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def inspecting(name: str) -> Generator[None]:
    """Report any failure of importing and inspecting an app in one line.

    Warnings are shown only if nothing fails.

    Raises:
        CannotAskError: If the app, or a policy in it, is not valid.
    """
    errors = _Errors()
    logger = logging.getLogger("asgi_cors")
    logger.addHandler(errors)
    try:
        with warnings.catch_warnings(record=True) as caught:
            yield
    except ConfigError as error:
        raise CannotAskError(f"{name!r} has a CORS policy that is not valid: {_told(error)}") from None
    except (Exception, SystemExit) as error:
        if isinstance(error, CannotAskError):
            raise
        raise CannotAskError(f"{name!r} can't be inspected: {_line(error)}") from None
    finally:
        logger.removeHandler(errors)
    if errors.messages:
        raise CannotAskError(f"{name!r} has a mistake in its CORS policies: {' '.join(errors.messages)}")
    for warning in caught:
        warnings.showwarning(warning.message, warning.category, warning.filename, warning.lineno)


def _told(error: ConfigError) -> str:
    """Return all mistakes as one line, numbered if there are several."""
    mistakes = [str(issue) for issue in error.issues]
    if len(mistakes) > 1:
        mistakes = [f"({number}) {mistake}" for number, mistake in enumerate(mistakes, 1)]
    return " ".join(mistakes)


def load(name: str, *, app_dir: str = ".", factory: bool = False) -> Any:
    """Import MODULE:APP; importing runs the module, nothing is started.

    Raises:
        CannotAskError: There is no such thing, or importing it fails.
        ConfigError: The module has a policy that is refused; see `inspecting`.
    """
    module_name, _, attributes = name.partition(":")
    if not module_name or not attributes:
        raise CannotAskError(f"{name!r} names no app. Write MODULE:APP, such as main:app.")
    folder = str(Path(app_dir).resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    found = _imported(module_name)
    for attribute in attributes.removesuffix("()").split("."):
        if not hasattr(found, attribute):
            raise CannotAskError(f"{module_name!r} has no {attributes!r}.{_hint(found)}")
        found = getattr(found, attribute)
    if inspect.isclass(found) and not factory and not attributes.endswith("()"):
        raise CannotAskError(f"{name!r} is a class, not an app. Write {name}() to call it.")
    if factory or attributes.endswith("()"):
        found = _made(name, found)
    if not callable(found):
        raise CannotAskError(f"{name!r} is {type(found).__name__}, not an app.")
    return found


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ConfigError, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            hint = "Start in the folder that holds it, or name that by --app-dir."
            raise CannotAskError(f"there is no module {error.name!r}. {hint}") from None
        raise CannotAskError(f"{name!r} can't be imported: there is no module {error.name!r}.") from None
    except BaseException as error:  # noqa: BLE001 - a module may do anything, sys.exit() included
        raise CannotAskError(f"{name!r} can't be imported: {_line(error)}") from None


def _made(name: str, factory: Callable[[], Any]) -> Any:
    try:
        return factory()
    except (ConfigError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - the same
        raise CannotAskError(f"{name!r} makes no app: {_line(error)}") from None


def _line(error: BaseException) -> str:
    """Tell an error and its place in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    try:
        text = f": {' '.join(str(error).split())}"
    except Exception:  # noqa: BLE001 - a user's exception may fail in any way
        text = ""
    return f"{type(error).__name__}{text}{place}."


def _hint(module: Any) -> str:
    values: dict[str, object] = getattr(module, "__dict__", {})
    apps = [name for name, value in values.items() if framework_of(value) or isinstance(value, CORSMiddleware)]
    return f" It has {', '.join(apps)}." if apps else ""


def framework_of(app: object) -> str:
    """Name the framework of an app, without importing any; empty where it is none that is known."""
    for kind in type(app).__mro__:
        name = FRAMEWORKS.get((kind.__module__, kind.__name__))
        if name:
            return name
    return ""


def installed_in(app: Any) -> Installed:
    """Find what stands around an app, from the outside in."""
    found = Installed(app)
    for layer in _layers(app):
        found.app = layer
        found.framework = framework_of(layer)
        if found.framework:
            break
        if isinstance(layer, CORSMiddleware | WSGIMiddleware) and found.configuration is None:
            found.configuration = layer.configuration
        elif found.configuration is None:
            found.outer.append(_name(layer))
        elif is_cors(type(layer)):
            found.inner.append(_name(layer))
    if found.configuration is None and not found.framework:
        found.outer.clear()  # there is nothing that they run before
    _look_inside(found)
    return found


def _layers(app: Any) -> Iterator[Any]:
    """Walk from a wrapper to what it wraps."""
    for _ in range(_DEEPEST):
        yield app
        if framework_of(app) or inspect.isroutine(app):
            return
        inner = next((value for name in _INNER if callable(value := getattr(app, name, None))), None)
        if inner is None:
            return
        app = inner


def _look_inside(found: Installed) -> None:
    """Ask the framework what it knows: its extension, its list of middleware."""
    if found.framework in {"Starlette", "FastAPI"}:
        _look_inside_starlette(found)
    elif found.framework:
        _look_inside_flask(found)


def _look_inside_starlette(found: Installed) -> None:
    configuration = getattr(found.app.state, "asgi_cors", None)
    if isinstance(configuration, Configuration) and found.configuration is None:
        found.configuration = configuration
    for middleware in found.app.user_middleware:
        kind: Any = middleware.cls
        if inspect.isclass(kind) and issubclass(kind, CORSMiddleware):
            configured = _configured(middleware)
            if found.configuration is None:
                found.configuration = configured
            else:
                found.inner.append("asgi_cors.CORSMiddleware")
        elif is_cors(kind):
            found.inner.append(_name(kind))
        elif found.configuration is None:
            found.outer.append(_name(kind))
    if found.configuration is None:
        found.outer.clear()


def _configured(middleware: Any) -> Configuration:
    """Build what add_middleware will build."""
    policy = middleware.args[0] if middleware.args else middleware.kwargs.get("policy")
    options = {name: value for name, value in middleware.kwargs.items() if name != "policy"}
    if isinstance(policy, Configuration):
        return policy
    try:
        return Configuration(policy, **options)
    except ConfigError as error:
        raise CannotAskError(f"the app will not start, because its CORS policy is not valid: {_told(error)}") from None


def _look_inside_flask(found: Installed) -> None:
    extension = found.app.extensions.get("asgi_cors")
    if extension is not None and found.configuration is None:
        _refresh(extension)
        found.configuration = extension.configuration
    shell = found.app.wsgi_app if found.framework == "Flask" else found.app.asgi_app
    for layer in _layers(shell):
        if isinstance(layer, CORSMiddleware | WSGIMiddleware):
            found.configuration = found.configuration or layer.configuration
            break
        if not inspect.isroutine(layer) and found.framework == "Flask":
            found.outer.append(_name(layer))
    if found.configuration is None:
        found.outer.clear()
    for functions in found.app.after_request_funcs.values():
        found.inner += [_name(function) for function in functions if is_cors(function)]


def _refresh(extension: Any) -> None:
    """Let an adapter take in the views that are registered by now."""
    if hasattr(extension, "sync_views"):
        extension.sync_views()
    elif hasattr(extension, "views"):
        extension.views.sync(extension.configuration)


def is_cors(made: Any) -> bool:
    """Tell whether a middleware or function of another library sets CORS."""
    name = f"{getattr(made, '__module__', '')}.{getattr(made, '__qualname__', '')}".lower()
    return "cors" in name and not name.startswith("asgi_cors")


def _name(made: Any) -> str:
    name = getattr(made, "__qualname__", "") or type(made).__qualname__
    return f"{made.__module__}.{name}".replace(".<locals>", "")
