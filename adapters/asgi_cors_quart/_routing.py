"""The routing of Quart: the path below its root path, after hypercorn's proxy middleware."""

from __future__ import annotations

import contextlib
import contextvars
import copy
import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlparse

from quart.wrappers import BaseRequestWebsocket
from werkzeug.datastructures import Headers

from asgi_cors_werkzeug import first_headers, layers, scheme_of

if TYPE_CHECKING:
    from quart import Quart
    from quart.ctx import RequestContext, WebsocketContext
    from werkzeug.routing import MapAdapter

T = TypeVar("T")

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

HIDDEN_STATE: Final = "asgi_cors.hidden"
_NOT_FOUND: Final = " "  # as Quart writes a path that is not below the root path


def split_root_path(scope: Any) -> tuple[str, str]:
    """Return the root path, and the path that Quart routes (`quart.asgi._normalise_path`).

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
    root, path = split_root_path(scope)
    version, method = scope.get("http_version", "1.1"), scope.get("method", "GET")
    headers = _headers(app, scope)
    request = BaseRequestWebsocket(method, scheme_of(scope), path, b"", headers, root, version, scope)
    return app.create_url_adapter(request)


def run_in_request_context(app: Quart, scope: Any, run: Callable[[], T]) -> T:
    """Run a function inside of the contexts of the app and of a request or handshake for a scope.

    They are not popped, since teardown functions are async. They are pushed in a copy of the current context, which
    is dropped.
    """

    def run_inside() -> T:
        _start(_context_for(app, scope).push())
        return run()

    return contextvars.copy_context().run(run_inside)


@contextlib.contextmanager
def in_app_context(app: Quart) -> Generator[None]:
    """Run a look-up in the context of the app.

    It is not popped, since teardown functions are async. A look-up runs in a context of its own, which is dropped.
    """
    _start(app.app_context().push())
    yield


def _start(pushing: Coroutine[Any, Any, object]) -> None:
    """Push a context without waiting: it is active before any async function of the app runs."""
    try:
        pushing.send(None)
    except StopIteration:
        pass
    finally:
        pushing.close()


def _context_for(app: Quart, scope: Any) -> RequestContext | WebsocketContext:
    """Return the context of a request without a body, or of a handshake, for a scope."""
    root, path = split_root_path(scope)
    version, query = scope.get("http_version", "1.1"), scope.get("query_string", b"")
    scheme, headers, unused = scheme_of(scope), _headers(app, scope), _do_nothing
    if scope["type"] == "websocket":
        handshake, subprotocols = app.websocket_class, list(scope.get("subprotocols", ()))
        taken = inspect.signature(handshake).parameters  # Quart 0.23 takes no `receive`
        connection: Any = {name: unused for name in ("receive", "send", "accept", "close") if name in taken}
        websocket = handshake(path, query, scheme, headers, root, version, subprotocols, scope=scope, **connection)
        return app.websocket_context(websocket)
    method, made = scope.get("method", "GET"), app.request_class
    request = made(method, scheme, path, query, headers, root, version, scope=scope, send_push_promise=unused)
    return app.request_context(request)


def _headers(app: Quart, scope: Any) -> Headers:
    headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in first_headers(scope)])
    if scope["type"] == "http" and scope.get("http_version", "1.1") < "1.1":
        headers.setdefault("Host", app.config["SERVER_NAME"] or "")
    return headers


async def _do_nothing(*_: object) -> None: ...


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
    part["headers"] = first_headers(scope)
    running = alone(part, None, None)
    try:
        running.send(None)  # it awaits nothing but the app
    except StopIteration:
        pass
    finally:
        running.close()
    return changed[0]


class _HiddenState:
    """The entries of a scope that must not be copied, because they lead to the server's objects."""

    def __init__(self, entries: dict[str, Any]) -> None:
        self.entries = entries

    def __deepcopy__(self, _memo: object) -> _HiddenState:
        return self


def hide_state(app: ASGIApp) -> ASGIApp:
    """Protect the response state from hypercorn's ProxyFixMiddleware, which makes a deep copy of the scope."""

    async def hide(scope: Any, receive: Any, send: Any) -> None:
        entries = {key: value for key, value in scope.items() if key.startswith("asgi_cors")}
        rest = {key: value for key, value in scope.items() if key not in entries}
        await app({**rest, HIDDEN_STATE: _HiddenState(entries)}, receive, send)

    return hide
