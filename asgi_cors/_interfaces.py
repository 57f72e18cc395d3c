"""The interface of an app, ASGI or WSGI, by its signature or class name; no framework is imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any, Final

# By package and class of an app: a description, and how to add a policy to it.
_STARLETTE: Final = "asgi_cors_starlette.install(app, …), or CORSMiddleware(app, …)"
_FRAMEWORKS: Final = {
    ("flask", "Flask"): (
        "a Flask app, which is WSGI",
        "asgi_cors_flask.CORS(app, …), or app.wsgi_app = WSGIMiddleware(app.wsgi_app, …)",
    ),
    ("quart", "Quart"): (
        "a Quart app, which is ASGI",
        "asgi_cors_quart.CORS(app, …), or app.asgi_app = CORSMiddleware(app.asgi_app, …)",
    ),
    ("fastapi", "FastAPI"): ("a FastAPI app, which is ASGI", _STARLETTE),
    ("starlette", "Starlette"): ("a Starlette app, which is ASGI", _STARLETTE),
}
NOT_AN_APP: Final = "not an app"
_MIDDLEWARES: Final = {
    "ASGI": ("an ASGI app", "CORSMiddleware(app, …)"),
    "WSGI": ("a WSGI app", "WSGIMiddleware(app, …)"),
}


def interface_of(app: Callable[..., Any]) -> str | None:
    """Return `"ASGI"` or `"WSGI"` for a callable; None if it can be both, such as a callable of `*args`."""
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
        return "ASGI"
    takes_two, takes_three = _takes(app, 2), _takes(app, 3)
    if isinstance(app, BuiltinFunctionType) or takes_two == takes_three:
        return None
    return "WSGI" if takes_two else "ASGI"


def is_factory(app: Callable[..., Any]) -> bool:
    """Return whether a callable is a factory of an app, or a class of apps: it can be called without arguments only."""
    return _takes(app, 0) and not any(_takes(app, arguments) for arguments in (1, 2, 3))


def describe(app: Any) -> tuple[str, str]:
    """Return a description of an app, such as "an ASGI app", and the code to write for it."""
    for base in type(app).__mro__:
        if (known := _FRAMEWORKS.get((base.__module__.partition(".")[0], base.__name__))) is not None:
            return known
    interface = interface_of(app) if callable(app) else None
    return _MIDDLEWARES[interface] if interface else (NOT_AN_APP, "")


def _takes(app: Callable[..., Any], arguments: int) -> bool:
    """Return whether a callable can be called with a number of positional arguments."""
    try:
        # A decorator may adapt one interface to the other, so its own signature counts, not that of `__wrapped__`.
        inspect.signature(app, follow_wrapped=False).bind(*range(arguments))
    except Exception:  # noqa: BLE001 - a built-in, or an object with an invalid signature
        return False
    return True
