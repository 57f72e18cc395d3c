"""Which view serves a scope, and what a decorator said of it.

Views are registered at any time before they are first asked for, so their marks are gathered whenever there are more
of them than before. A route is looked up only where some view or blueprint has a mark.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, MutableMapping
from itertools import chain
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import MapAdapter, RequestRedirect

from asgi_cors import ConfigError, Configuration, Issue, OneOfSeveral, Policy, Rules

from ._binding import divided, encoded, first_lines

Scope = MutableMapping[str, Any]
View = Callable[..., Any]
F = TypeVar("F", bound=View)

EXEMPT: Final = "exempt"

_MARK: Final = "_asgi_cors_mark"
_WRAPPED_BY: Final = "_asgi_cors_wrapped_by"


class App(Protocol):
    """Of a Flask or Quart app, its views by endpoint."""

    view_functions: dict[str, Any]


def mark(view: View, value: Hashable) -> None:
    """Leave a mark on a view; decorators above it keep it where they use `functools.wraps`."""
    setattr(view, _MARK, value)


def mark_of(view: View | None) -> Hashable | None:
    """Give the mark of a view, or None."""
    return getattr(view, _MARK, None)


def wraps_view(wrapper: View, view: View) -> None:
    """Note that `wrapper` is to serve in the place of `view`, so that `Views` can tell where it doesn't."""
    vars(wrapper).pop(_WRAPPED_BY, None)
    with contextlib.suppress(AttributeError, TypeError):  # a view may be any callable
        setattr(view, _WRAPPED_BY, wrapper)


def cors_exempt(view: F) -> F:
    """Pass a view's requests through untouched, preflights included: what the view itself sends decides."""
    mark(view, EXEMPT)
    return view


class Views:
    """The marks of an app's views and blueprints, and the routes that lead to them.

    Args:
        app: The app.
        bind: Gives what matches the path of a scope; None where there is nothing to match.
        policy_of: Gives the policy that a mark stands for; of `EXEMPT`, it isn't asked.
    """

    def __init__(
        self,
        app: App,
        bind: Callable[[Scope], MapAdapter | None],
        policy_of: Callable[[Any], Policy | Mapping[str, Any] | Rules | None],
    ) -> None:
        """Begin with none; see the class."""
        self.blueprints: dict[str, Hashable] = {}
        self.known: set[Hashable] = set()
        self._app = app
        self._bind = bind
        self._policy_of = policy_of
        self._seen = 0
        self._lock = threading.Lock()

    def refresh(self, configuration: Configuration) -> None:
        """Set the policies of all marks that aren't known yet.

        Raises:
            ConfigError: With every mistake found in any of them; asked again, they are read again.
        """
        if self._seen == len(self._app.view_functions) + len(self.blueprints):
            return
        with self._lock:
            views = dict(self._app.view_functions)
            seen = len(views) + len(self.blueprints)
            marks = {*chain.from_iterable(map(_marks, views.values())), *self.blueprints.values()}
            new = marks - self.known - {None}
            configuration.set_views(self._policies(new))
            self.known |= new
            _warn_of_misplaced(views)
            self._seen = seen

    def of(self, scope: Scope) -> Hashable | None:
        """Give the mark of the view that serves a scope, or of its blueprint; None where neither has one.

        Of a preflight, `OneOfSeveral` tells that other methods of the URL lead to other marks.
        """
        adapter = self._adapter(scope)
        if adapter is None:
            return None
        marks = (self._mark(endpoint, method) for endpoint, method in _endpoints(adapter, scope))
        found = next((mark for mark in marks if mark is not None), None)
        if scope.get("asgi_cors.preflight") and any(mark != found for mark in self._at_url(adapter, scope)):
            return OneOfSeveral(found)
        return found

    def _at_url(self, adapter: MapAdapter, scope: Scope) -> Iterator[Hashable | None]:
        """Give the marks of all views of a URL."""
        for method in adapter.allowed_methods():
            for endpoint, served in _endpoints(adapter, {**scope, "method": method}):
                yield self._mark(endpoint, served)

    def _adapter(self, scope: Scope) -> MapAdapter | None:
        try:
            return self._bind(scope)
        except HTTPException:
            return None  # the app will say so itself: a host that it doesn't trust, say

    def _policies(self, marks: Iterable[Hashable]) -> dict[Hashable, Any]:
        issues: list[Issue] = []
        policies: dict[Hashable, Any] = {}
        for found in marks:
            try:
                policies[found] = None if found == EXEMPT else self._policy_of(found)
            except ConfigError as error:
                issues += error.issues
        if issues:
            raise ConfigError(issues)
        return policies

    def _mark(self, endpoint: str, method: str) -> Hashable | None:
        view = self._app.view_functions.get(endpoint)
        handler = getattr(getattr(view, "view_class", None), method.lower(), None)
        found = mark_of(handler)
        if found is None:
            found = mark_of(view)
        while found is None and (endpoint := endpoint.rpartition(".")[0]):
            found = self.blueprints.get(endpoint)
        return found


def _marks(view: View) -> Iterator[Hashable | None]:
    """Give the mark of a view, and those of the methods of its class."""
    yield mark_of(view)
    for method in getattr(view, "methods", None) or ():
        yield mark_of(getattr(getattr(view, "view_class", None), method.lower(), None))


def environ_of(scope: Scope) -> dict[str, Any]:
    """Return the environ of a scope, as far as matching a route needs one; repeated headers are joined by commas."""
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
        if b"_" not in name:  # which an environ can't tell from a hyphen
            lines.setdefault(name.lower(), []).append(value)
    for name, values in lines.items():
        key = name.decode("latin-1").upper().replace("-", "_")
        environ[f"HTTP_{key}"] = b",".join(values).decode("latin-1")
    return environ


def _endpoints(adapter: MapAdapter, scope: Scope) -> Iterator[tuple[str, str]]:
    """Find the endpoint and method that serve a scope, or those at its URL where none serves its method."""
    websocket: bool = scope.get("type") == "websocket"
    method: str = scope.get("method", "GET")
    try:
        yield _matched(adapter, method, websocket=websocket), method
    except MethodNotAllowed as error:
        for other in sorted(error.valid_methods or ()):
            with contextlib.suppress(HTTPException):
                yield _matched(adapter, other, websocket=websocket), other
    except HTTPException:
        return


def _matched(adapter: MapAdapter, method: str, *, websocket: bool) -> str:
    """Match a route; of a redirect, to add a slash, say, the one that it leads to."""
    try:
        endpoint: str = adapter.match(method=method, websocket=websocket)[0]
    except RequestRedirect as redirect:
        path = unquote(urlsplit(redirect.new_url).path).removeprefix(adapter.script_name.rstrip("/"))
        endpoint = adapter.match(path, method=method, websocket=websocket)[0]
    return endpoint


def _warn_of_misplaced(views: Mapping[str, View]) -> None:
    """Warn of a decorator that stands above `route`, which has registered the view before it came to wrap it."""
    serving = {id(view) for view in views.values()}
    for endpoint, view in views.items():
        wrapper = getattr(view, _WRAPPED_BY, None)
        if wrapper is not None and mark_of(view) is None and id(wrapper) not in serving:
            message = f"the decorator of view {endpoint!r} stands above its route, and has no effect"
            hint = "Write it below: first @app.route(…), then the decorator."
            Issue("decorator-above-route", "cross_origin", endpoint, message, hint).warn()
