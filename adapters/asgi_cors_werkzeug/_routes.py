"""The routes of a scope, bound as the app binds them: for views with a policy of their own, before the app does it.

Flask and Quart go by Host, scheme and path, of a request that they are given. To make that, and to have it looked at,
takes 5 to 10 µs. What they make of a Host, a server's name and a subdomain, is kept, and routes are bound with that in
2 µs; which of them matches, is asked each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, MutableMapping
from itertools import islice
from operator import length_hint
from typing import Any, Final, Protocol

from werkzeug.routing import MapAdapter

Scope = MutableMapping[str, Any]
Line = tuple[bytes, bytes]

_HOST: Final = len(b"host")
_MOST: Final = 256  # hosts that are kept, since strangers may name any
_LONGEST: Final = 256  # characters of one
_MAX_LINES: Final = 1000  # headers of a request that are used to match its route
_MAX_VALUE: Final = 8192  # bytes of each


class App(Protocol):
    """Of a Flask or Quart app, its routes, and what counts for them."""

    url_map: Any
    config: Any
    subdomain_matching: Any


def divided(scope: Scope) -> tuple[str, str]:
    """Return the root path of a scope, and the path within it."""
    root: str = scope.get("root_path", "").rstrip("/")
    path: str = scope["path"]
    if root and (path == root or path.startswith(root + "/")):
        return root, path[len(root) :]
    return root, path


def _unchanged(scope: Scope) -> Scope:
    return scope


class Binder:
    """Binds the routes of one app.

    Args:
        app: The app.
        ask: Has the app bind them for a scope; gives None where there is nothing to match.
        is_usual: Tells whether the app does that as its framework does, by no class or method of its own.
        divide: Returns the root path of a scope, and the path that the app routes.
        through_proxies: Applies the app's own proxy middlewares to a scope.
    """

    def __init__(
        self,
        app: App,
        ask: Callable[[Scope], MapAdapter | None],
        is_usual: Callable[[], bool],
        *,
        divide: Callable[[Scope], tuple[str, str]] = divided,
        through_proxies: Callable[[Scope], Scope] = _unchanged,
    ) -> None:
        """Begin with no host known."""
        self.known: dict[tuple[Hashable, ...], tuple[str, str | None]] = {}
        self._app = app
        self._ask = ask
        self._is_usual = is_usual
        self._divide = divide
        self._through_proxies = through_proxies

    def __call__(self, scope: Scope) -> MapAdapter | None:
        """Bind the routes for a scope; None where there is nothing to match."""
        scope = self._through_proxies(_with_few_lines(scope))
        config, host, scheme = self._app.config, _host(scope), scheme_of(scope)
        if host is None or len(host) > _LONGEST or config.get("TRUSTED_HOSTS") is not None or not self._is_usual():
            return self._ask(scope)
        routes, by_subdomain = self._app.url_map, self._app.subdomain_matching
        key = host, scheme, config["SERVER_NAME"], routes, routes.host_matching, routes.default_subdomain, by_subdomain
        known = self.known.get(key)
        if known is not None:
            root, path = self._divide(scope)
            adapter: MapAdapter = routes.bind(known[0], root, known[1], scheme, path_info=path)
            return adapter
        asked = self._ask(scope)
        if asked is not None:
            if len(self.known) >= _MOST:
                self.known.clear()
            self.known[key] = asked.server_name, asked.subdomain
        return asked


def scheme_of(scope: Scope) -> str:
    """Return the scheme of a scope; ASGI's default without one."""
    found: str | None = scope.get("scheme")
    return found or ("ws" if scope.get("type") == "websocket" else "http")


def encoded(text: str) -> str:
    """Write a path as PEP 3333 has it: bytes of UTF-8, one to a character."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def decoded(text: str) -> str:
    """Read a path as PEP 3333 has it, as werkzeug does."""
    return text.encode("latin-1").decode(errors="replace")


def _host(scope: Scope) -> str | None:
    """Return the Host of a scope; None without one, with several, or for an upgrade, which changes the scheme."""
    if "wsgi.environ" in scope:
        environ = scope["wsgi.environ"]
        found: str | None = None if "HTTP_UPGRADE" in environ else environ.get("HTTP_HOST")
        return found
    hosts = _hosts(scope["headers"])
    return hosts[0][1].decode("latin-1") if len(hosts) == 1 else None


def _hosts(headers: Iterable[Line]) -> list[Line]:
    """Return the first two lines of Host, or fewer. Two are enough to see that there are several."""
    found: list[Line] = []
    skipped = b""
    for name, value in headers:
        if name == skipped:  # one comparison for each line of a repeated name
            continue
        if len(name) == _HOST and name.lower() == b"host":  # the length first, which is faster
            found.append((name, value))
            if len(found) > 1:
                break
        else:
            skipped = name
    return found


def first_lines(scope: Scope) -> list[Line]:
    """Return the header lines that count for a route: the first thousand, and two later lines of Host, each cut.

    No browser sends more, and each line takes time to convert.
    """
    headers = scope["headers"]
    lines = [*islice(headers, _MAX_LINES), *_hosts(islice(headers, _MAX_LINES, None))]
    return [(name, value[:_MAX_VALUE]) for name, value in lines]


def _with_few_lines(scope: Scope) -> Scope:
    """Return the scope with the lines of `first_lines` if it has more; else the scope itself."""
    return {**scope, "headers": first_lines(scope)} if length_hint(scope["headers"]) > _MAX_LINES else scope


def environ_of(scope: Scope) -> dict[str, Any]:
    """Return the environ of a scope, as far as a route is matched by it. Repeated headers are joined by commas."""
    if "wsgi.environ" in scope:
        return scope["wsgi.environ"]  # type: ignore[no-any-return]
    root, path = divided(scope)
    host, port = scope.get("server") or ("localhost", 80)
    environ = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "SCRIPT_NAME": encoded(root),
        "PATH_INFO": encoded(path),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
    }
    lines: dict[bytes, list[bytes]] = {}
    for name, value in first_lines(scope):
        if b"_" not in name:  # in an environ, an underscore is a hyphen
            lines.setdefault(name.lower(), []).append(value)
    for name, values in lines.items():
        key = name.decode("latin-1").upper().replace("-", "_")
        environ[f"HTTP_{key}"] = b",".join(values).decode("latin-1")
    return environ
