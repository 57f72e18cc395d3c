"""Import an app from MODULE:APP, and report every failure in one line."""

from __future__ import annotations

import importlib
import inspect
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from asgi_cors import ConfigError, CORSMiddleware, WSGIMiddleware
from asgi_cors.cli.errors import CannotRunError

from .layers import framework_of

_MAX_MESSAGE: Final = 500  # characters of another program's message


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
        raise CannotRunError(f"{name!r} has a CORS policy that is not valid: {format_issues(error)}") from None
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


def format_issues(error: ConfigError) -> str:
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
    if module_name.endswith(".py") or "/" in module_name:
        dotted = module_name.removesuffix(".py").strip("./").replace("/", ".")
        raise CannotRunError(f"{module_name!r} is a file, not a module. Write {dotted}:{attributes}.")
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
        raise CannotRunError(f"{name!r} is of type {type(found).__name__}, not an app.{_wrong_type_hint(found, name)}")
    return found


def _wrong_type_hint(found: Any, name: str) -> str:
    """Return the line to write if an object is not an app, but has one."""
    package = type(found).__module__.partition(".")[0]
    if package == "aiohttp":
        return " An aiohttp app is neither ASGI nor WSGI, so asgi_cors can't be installed in it."
    if callable(getattr(found, "app", None)):
        is_method = inspect.ismethod(found.app)
        return f" Write {name}.app{'()' if is_method else ''}."
    return ""


def _import_module(name: str) -> Any:
    try:
        with _reported_exits():
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


@contextmanager
def _reported_exits() -> Generator[None]:
    """Raise SystemExit for `os._exit`, which would end the command without a word. A child process really ends."""
    real, own = os._exit, os.getpid()

    def stop(status: int) -> NoReturn:
        raise SystemExit(status)

    def leave(status: int) -> NoReturn:
        (stop if os.getpid() == own else real)(status)

    os._exit = leave
    try:
        yield
    finally:
        os._exit = real


def _call_factory(name: str, factory: Callable[[], Any]) -> Any:
    if missing := _missing_arguments(factory):
        raise CannotRunError(
            f"{name!r} needs arguments: {missing}. Write a function that takes none and returns the app."
        )
    try:
        with _reported_exits():
            found = factory()
    except (ConfigError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - a factory may do anything, sys.exit() included
        raise CannotRunError(f"{name!r} fails to create an app: {_format_exception(error)}") from None
    if inspect.iscoroutine(found):
        found.close()
        raise CannotRunError(f"{name!r} is an async function. Write a function that is not async and returns the app.")
    return found


def _missing_arguments(factory: Callable[..., Any]) -> str:
    """Return the names of the arguments without which a function can't be called."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # a built-in function, or an object that can't be called
        return ""
    variadic = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return ", ".join(
        parameter.name
        for parameter in parameters
        if parameter.default is inspect.Parameter.empty and parameter.kind not in variadic
    )


def _format_exception(error: BaseException) -> str:
    """Return an exception and its place as one line of limited length."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    if isinstance(error, SyntaxError):
        place = ""  # the text has it
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - a user's exception may fail in any way
        text = ""
    text = f"{text[:_MAX_MESSAGE]}…" if len(text) > _MAX_MESSAGE else text
    return f"{type(error).__name__}{text and f': {text}'}{place}."


def _apps_hint(module: Any) -> str:
    values: dict[str, object] = getattr(module, "__dict__", {})
    apps = [
        name
        for name, value in values.items()
        if framework_of(value) or isinstance(value, CORSMiddleware | WSGIMiddleware)
    ]
    return f" It has {', '.join(apps)}." if apps else ""
