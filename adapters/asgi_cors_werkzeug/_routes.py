"""The routes of a scope, bound as the app binds them, before the app routes the request.

Flask and Quart bind routes for a request object. `UrlBinder` caches the server name and subdomain that they find for
each Host, and then binds without a request. Which route matches is not cached.

Middlewares inside of ours may change Host, scheme or prefix before the app routes a request. `through_proxy_fixes`
runs werkzeug's with a copy of the environ. The changes of other middlewares are not predicted. The adapter notices
them when another view runs.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator, MutableMapping
from itertools import islice
from operator import length_hint
from typing import Any, Final, Protocol, cast

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

Scope = MutableMapping[str, Any]
Header = tuple[bytes, bytes]

_MAX_HOSTS: Final = 256  # cached, since clients may name any
_MAX_HOST_LENGTH: Final = 256  # characters
_MAX_HEADERS: Final = 1000  # headers of a request that are used to match its route
_MAX_VALUE: Final = 8192  # bytes of each
_INNER: Final = ("app", "wsgi_app", "asgi_app", "application")  # usual names of the app that a middleware wraps
_MAX_LAYERS: Final = 64


class App(Protocol):
    """The routes of a Flask or Quart app, and the settings that count for them."""

    url_map: Any
    config: Any
    subdomain_matching: Any


def split_root_path(scope: Scope) -> tuple[str, str]:
    """Return the root path of a scope, and the path within it."""
    root: str = scope.get("root_path", "").rstrip("/")
    path: str = scope["path"]
    if root and (path == root or path.startswith(root + "/")):
        return root, path[len(root) :]
    return root, path


class UrlBinder:
    """Binds the routes of one app.

    Args:
        app: The app.
        bind: Has the app bind its routes for a scope; returns None if nothing can match.
        uses_default_binding: Returns whether the app binds them as its framework does, with no code of its own.
        through_proxies: Applies the app's own proxy middlewares to a scope.
        split_root_path: Returns the root path of a scope, and the path that the app routes.
    """

    def __init__(
        self,
        app: App,
        bind: Callable[[Scope], MapAdapter | None],
        uses_default_binding: Callable[[], bool],
        through_proxies: Callable[[Scope], Scope],
        split_root_path: Callable[[Scope], tuple[str, str]] = split_root_path,
    ) -> None:
        """Begin with an empty cache."""
        self.hosts: dict[tuple[Hashable, ...], tuple[str, str | None]] = {}
        self._app = app
        self._bind = bind
        self._uses_default_binding = uses_default_binding
        self._through_proxies = through_proxies
        self._split_root_path = split_root_path

    def __call__(self, scope: Scope) -> MapAdapter | None:
        """Bind the routes for a scope; return None if nothing can match."""
        scope = self._through_proxies(_with_few_headers(scope))
        config, host, scheme = self._app.config, _host(scope), scheme_of(scope)
        is_cacheable = host is not None and len(host) <= _MAX_HOST_LENGTH and config.get("TRUSTED_HOSTS") is None
        if not is_cacheable or not self._uses_default_binding():
            return self._bind(scope)
        routes, by_subdomain = self._app.url_map, self._app.subdomain_matching
        key = host, scheme, config["SERVER_NAME"], routes, routes.host_matching, routes.default_subdomain, by_subdomain
        cached = self.hosts.get(key)
        if cached is not None:
            server_name, subdomain = cached
            root, path = self._split_root_path(scope)
            return cast("MapAdapter", routes.bind(server_name, root, subdomain, scheme, path_info=path))
        adapter = self._bind(scope)
        if adapter is not None:
            if len(self.hosts) >= _MAX_HOSTS:
                self.hosts.clear()
            self.hosts[key] = adapter.server_name, adapter.subdomain
        return adapter


def scheme_of(scope: Scope) -> str:
    """Return the scheme of a scope, or ASGI's default."""
    found: str | None = scope.get("scheme")
    return found or ("ws" if scope.get("type") == "websocket" else "http")


def to_wsgi_path(text: str) -> str:
    """Encode a path as an environ has it: bytes of UTF-8, one per character (PEP 3333)."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _from_wsgi_path(text: str) -> str:
    """Decode a path of an environ as werkzeug does."""
    return text.encode("latin-1").decode(errors="replace")


def _host(scope: Scope) -> str | None:
    """Return the Host of a scope; None without one, with several, or for an upgrade, which changes the scheme."""
    if "wsgi.environ" in scope:
        environ = scope["wsgi.environ"]
        found: str | None = None if "HTTP_UPGRADE" in environ else environ.get("HTTP_HOST")
        return found
    hosts = _hosts(scope["headers"])
    return hosts[0][1].decode("latin-1") if len(hosts) == 1 else None


def _hosts(headers: Iterable[Header]) -> list[Header]:
    """Return the first two Host headers, or fewer. Two are enough to see that there are several."""
    found: list[Header] = []
    skipped = b""
    for name, value in headers:
        if name == skipped:  # one comparison for each repetition of a name
            continue
        if len(name) == 4 and name.lower() == b"host":  # noqa: PLR2004 - the length of "host", which is faster
            found.append((name, value))
            if len(found) > 1:
                break
        else:
            skipped = name
    return found


def first_headers(scope: Scope) -> list[Header]:
    """Return the headers that count for a route: the first thousand, and two later Host headers, each value cut.

    No browser sends more, and each header takes time to convert.
    """
    headers = scope["headers"]
    first = [*islice(headers, _MAX_HEADERS), *_hosts(islice(headers, _MAX_HEADERS, None))]
    return [(name, value[:_MAX_VALUE]) for name, value in first]


def _with_few_headers(scope: Scope) -> Scope:
    """Return a scope with `first_headers` if it has too many. Otherwise return the scope itself."""
    return {**scope, "headers": first_headers(scope)} if length_hint(scope["headers"]) > _MAX_HEADERS else scope


def build_environ(scope: Scope) -> dict[str, Any]:
    """Return the part of a scope's environ that counts for a route. Repeated headers are joined by commas."""
    if "wsgi.environ" in scope:
        return cast("dict[str, Any]", scope["wsgi.environ"])
    root, path = split_root_path(scope)
    host, port = scope.get("server") or ("localhost", 80)
    environ = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "SCRIPT_NAME": to_wsgi_path(root),
        "PATH_INFO": to_wsgi_path(path),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
    }
    values: dict[bytes, list[bytes]] = {}
    for name, value in first_headers(scope):
        if b"_" not in name:  # in an environ, an underscore is a hyphen
            values.setdefault(name.lower(), []).append(value)
    for name, several in values.items():
        key = name.decode("latin-1").upper().replace("-", "_")
        environ[f"HTTP_{key}"] = b",".join(several).decode("latin-1")
    return environ


# -- middlewares inside of ours


def layers(outermost: Any) -> Iterator[Any]:
    """Yield the middlewares around an app, the outermost first, as far as their attributes lead to the next one."""
    layer = outermost
    for _ in range(_MAX_LAYERS):
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
    environ = dict(build_environ(scope))
    for fix in fixes:
        alone = copy.copy(fix)
        alone.app = cast("Any", _return_environ)
        environ = cast("dict[str, Any]", alone(environ, cast("Any", _ignore_start)))
    root = _from_wsgi_path(environ.get("SCRIPT_NAME", "")).rstrip("/")
    return {
        "type": scope["type"],
        "method": scope.get("method", "GET"),
        "scheme": environ["wsgi.url_scheme"],
        "root_path": root,
        "path": root + _from_wsgi_path(environ.get("PATH_INFO", "")),
        "headers": (),
        "wsgi.environ": environ,
    }


def _return_environ(environ: dict[str, Any], _start_response: object) -> dict[str, Any]:
    return environ


def _ignore_start(*_: object) -> None: ...
