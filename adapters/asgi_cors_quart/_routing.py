"""A scope's routes, bound as Quart binds them: for views with a policy of their own, before Quart does it itself.

Quart goes by Host, scheme and path. What it makes of a Host, a server's name and a subdomain, is kept, and routes are
bound with that at 2 µs; with a request made for it, they take 10. Which route matches, is asked each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from quart import Quart
from quart.wrappers import BaseRequestWebsocket
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from werkzeug.routing import MapAdapter

_HOST: Final = len(b"host")
_MOST: Final = 256  # hosts that are kept, since strangers may name any
_LONGEST: Final = 256  # bytes of one


class Binder:
    """Binds the routes of one app.

    Args:
        app: The app.
    """

    def __init__(self, app: Quart) -> None:
        """Begin with no host known."""
        self.known: dict[tuple[bytes, str, str | None], tuple[str, str | None]] = {}
        self._app = app

    def __call__(self, scope: Any) -> MapAdapter | None:
        """Bind the routes for a scope; None where there is nothing to match."""
        path, root = scope["path"], scope.get("root_path", "").rstrip("/")
        if root and (path == root or path.startswith(root + "/")):
            path = path[len(root) :]
        # By the length first, which saves 400 ns.
        hosts: list[bytes] = [
            value for name, value in scope["headers"] if len(name) == _HOST and name.lower() == b"host"
        ]
        if len(hosts) != 1 or len(hosts[0]) > _LONGEST or self._has_ways_of_its_own():
            return self._asked(scope, path, root)
        scheme: str = scope.get("scheme", "http")
        key: tuple[bytes, str, str | None] = (hosts[0], scheme, self._app.config["SERVER_NAME"])
        if key in self.known:
            host, subdomain = self.known[key]
            return self._app.url_map.bind(host, root, subdomain, scheme, path_info="/" + path.lstrip("/"))
        adapter = self._asked(scope, path, root)
        if adapter is not None:
            if len(self.known) >= _MOST:
                self.known.clear()
            self.known[key] = adapter.server_name, adapter.subdomain
        return adapter

    def _has_ways_of_its_own(self) -> bool:
        """Tell whether an app binds its routes in another way than Quart."""
        app = self._app
        return type(app).create_url_adapter is not Quart.create_url_adapter or "create_url_adapter" in vars(app)

    def _asked(self, scope: Any, path: str, root: str) -> MapAdapter | None:
        """Have the app bind them, for a request made for it."""
        headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        version, query = scope.get("http_version", "1.1"), scope.get("query_string", b"")
        method, scheme = scope.get("method", "GET"), scope.get("scheme", "http")
        return self._app.create_url_adapter(
            BaseRequestWebsocket(method, scheme, path, query, headers, root, version, scope)
        )
