"""How Quart routes a scope: the path below its root path, after hypercorn's proxy middleware."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlparse

from quart.wrappers import BaseRequestWebsocket
from werkzeug.datastructures import Headers

from asgi_cors_werkzeug import first_lines, layers, scheme_of

if TYPE_CHECKING:
    from quart import Quart, Request
    from werkzeug.routing import MapAdapter

_NOT_FOUND: Final = " "  # as Quart writes a path that is not below the root path


def divide(scope: Any) -> tuple[str, str]:
    """Divide the root path from the path that Quart routes (`quart.asgi._normalise_path`).

    Quart removes the root path without looking for a slash behind it: below `/api`, `/apiv2/x` is `v2/x`, which
    werkzeug matches as `/v2/x`.
    """
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    if path[:1] != "/":
        path = urlparse(path).path
    if root:
        path = _NOT_FOUND if path == root or not path.startswith(root) else path.removeprefix(root)
    return root, path


def bind(app: Quart, scope: Any) -> MapAdapter | None:
    """Return the URL adapter that the app makes for a request with this scope."""
    root, path = divide(scope)
    version, method = scope.get("http_version", "1.1"), scope.get("method", "GET")
    headers = _headers(app, scope)
    request = BaseRequestWebsocket(method, scheme_of(scope), path, b"", headers, root, version, scope)
    return app.create_url_adapter(request)


def request_for(app: Quart, scope: Any) -> Request:
    """Return a request without a body for a scope."""
    root, path = divide(scope)
    version, method, query = (
        scope.get("http_version", "1.1"),
        scope.get("method", "GET"),
        scope.get("query_string", b""),
    )
    headers, promise = _headers(app, scope), _promise_nothing
    made = app.request_class
    return made(method, scheme_of(scope), path, query, headers, root, version, scope=scope, send_push_promise=promise)


def _headers(app: Quart, scope: Any) -> Headers:
    headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in first_lines(scope)])
    if scope["type"] == "http" and scope.get("http_version", "1.1") < "1.1":
        headers.setdefault("Host", app.config["SERVER_NAME"] or "")
    return headers


async def _promise_nothing(_path: str, _headers: Headers) -> None: ...


def proxy_fixes(outermost: Any) -> Iterator[Any]:
    """Yield each `ProxyFixMiddleware` of hypercorn around an app. If hypercorn is not loaded, there is none."""
    if inspect.ismethod(outermost) and outermost.__name__ != "__call__":  # Quart's own method, as in most apps
        return
    known: Any = getattr(sys.modules.get("hypercorn.middleware.proxy_fix"), "ProxyFixMiddleware", None)
    if known is not None:
        yield from (layer for layer in layers(outermost) if isinstance(layer, known))


def through_proxy_fixes(outermost: Any, scope: Any) -> Any:
    """Return a scope as the `ProxyFixMiddleware` of hypercorn around an app change it."""
    for fix in proxy_fixes(outermost):
        scope = {**scope, **_fixed(fix, scope)}
    return scope


def _fixed(fix: Any, scope: Any) -> Any:
    """Run the middleware with the part of a scope that it changes, and return the changed part."""
    changed: list[Any] = []

    async def note(scope: Any, _receive: Any, _send: Any) -> None:
        changed.append(scope)

    alone = copy.copy(fix)
    alone.app = note
    part = {name: scope[name] for name in ("type", "scheme", "client") if name in scope}
    part["headers"] = first_lines(scope)
    running = alone(part, None, None)
    try:
        running.send(None)  # it awaits nothing but the app
    except StopIteration:
        pass
    finally:
        running.close()
    return changed[0]
