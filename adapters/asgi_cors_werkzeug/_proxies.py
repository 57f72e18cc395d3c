"""The middlewares inside of ours that change Host, scheme or prefix before the app routes a request.

They are run with a copy of the environ, around an app that returns it. The changes of other middlewares are not
predicted. The adapter notices them when another view runs.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, MutableMapping
from typing import Any, Final, cast

from werkzeug.middleware.proxy_fix import ProxyFix

from ._binding import decoded, environ_of

Scope = MutableMapping[str, Any]

_INNER: Final = ("app", "wsgi_app", "asgi_app", "application")  # usual names of the app that a middleware wraps
_MOST_LAYERS: Final = 64


def layers(outermost: Any) -> Iterator[Any]:
    """Yield the middlewares around an app, the outermost first, as far as their attributes lead to the next one."""
    layer = outermost
    for _ in range(_MOST_LAYERS):
        if inspect.ismethod(layer) and layer.__name__ == "__call__":
            layer = layer.__self__
        if layer is None or inspect.isroutine(layer):
            return  # the method of the app itself, or a closure
        yield layer
        attributes: dict[str, Any] = getattr(layer, "__dict__", {})
        layer = next((attributes[name] for name in _INNER if name in attributes), None)


def through_proxy_fixes(outermost: Any, scope: Scope) -> Scope:
    """Return a scope as the `ProxyFix` middlewares around a WSGI app change it."""
    if inspect.ismethod(outermost):  # the app's own method, as in most apps
        return scope
    fixes = [layer for layer in layers(outermost) if isinstance(layer, ProxyFix)]
    if not fixes:
        return scope
    environ = dict(environ_of(scope))
    for fix in fixes:
        alone = copy.copy(fix)
        alone.app = cast("Any", _return_environ)
        environ = cast("dict[str, Any]", alone(environ, cast("Any", _ignore_start)))
    root = decoded(environ.get("SCRIPT_NAME", "")).rstrip("/")
    return {
        "type": scope["type"],
        "method": scope.get("method", "GET"),
        "scheme": environ["wsgi.url_scheme"],
        "root_path": root,
        "path": root + decoded(environ.get("PATH_INFO", "")),
        "headers": (),
        "wsgi.environ": environ,
    }


def _return_environ(environ: dict[str, Any], _start_response: object) -> dict[str, Any]:
    return environ


def _ignore_start(*_: object) -> None: ...
