"""Distinguishes ASGI applications, WSGI applications and other objects."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Literal

Interface = Literal["asgi", "wsgi", "unknown"]


def interface_of(app: Callable[..., Any]) -> Interface:
    """Return the interface of an application, or "unknown" if its signature fits both or cannot be inspected."""
    if _is_async(app):
        return "asgi"
    takes_asgi, takes_wsgi = _takes(app, 3), _takes(app, 2)
    if takes_asgi == takes_wsgi:
        return "unknown"
    return "asgi" if takes_asgi else "wsgi"


def check_app(app: Any) -> None:
    """Raise ValueError for an object that is not an application. The message has the correction."""
    if not callable(app):
        raise ValueError(  # noqa: TRY004 - as for other values
            f"app={app!r:.200} is not an application. Import the application itself, and write app=app."
        )
    name = getattr(app, "__name__", "")
    name = name if name.isidentifier() else "create_app"
    if inspect.isclass(app):
        # If a class is an application, its instances are responses: PEP 3333 iterates over them, ASGI awaits them.
        if not hasattr(app, "__iter__") and not hasattr(app, "__await__"):
            raise ValueError(f"app={app!r} is a class, not an application. Write app={name}(...).")
    elif _requires_no_argument(app):
        call = f"await {name}()" if _is_async(app) else f"{name}()"
        raise ValueError(f"app={app!r:.200} takes no request. If it makes an application, call it: write app={call}.")
    elif not _takes(app, 2) and not _takes(app, 3):
        raise ValueError(
            f"app={app!r:.200} takes neither (scope, receive, send) nor (environ, start_response)."
            f" If it makes an application, call it: write app={name}(...)."
        )


def _is_async(app: Callable[..., Any]) -> bool:
    function: Any = app
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _requires_no_argument(app: Callable[..., Any]) -> bool:
    """Return whether the callable requires no argument, as a factory. `*args` may be an application's arguments."""
    signature = _signature(app)
    if signature is None:
        return False
    parameters = signature.parameters.values()
    return not any(
        parameter.kind is parameter.VAR_POSITIONAL or parameter.default is parameter.empty
        for parameter in parameters
        if parameter.kind is not parameter.VAR_KEYWORD
    )


def _takes(app: Callable[..., Any], arguments: int) -> bool:
    signature = _signature(app)
    if signature is None:
        return True
    try:
        signature.bind(*range(arguments))
    except TypeError:
        return False
    return True


def _signature(app: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(app)
    except (TypeError, ValueError):  # a built-in, or from an extension module
        return None
