"""Which view serves a scope, and which policy is attached to it.

A view's policy is read from the view that is registered now, at each request, because views may be replaced, decorated
and exempted late. `Views.of` predicts the view with the app's own matcher. The adapter then compares the prediction
with the view that really runs, which a signal of the framework reports.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, MapAdapter, RequestRedirect

from asgi_cors import ConfigError, Configuration, ConfigWarning, Issue, PerMethodKey, Policy, Rules

from ._attached import EXEMPT, AttachedPolicy, mark_of, usage, wrapper_of

Scope = MutableMapping[str, Any]
Key = TypeVar("Key", bound=AttachedPolicy)
Predict = Callable[[], Hashable | None]
ViewPolicy = Policy | Mapping[str, Any] | Rules | None

_MAX_PATH: Final = 2048  # characters of a path whose route is matched: each of its segments costs a microsecond
TOO_LONG: Final = AttachedPolicy("a path that is too long")

PREDICTED: Final = "asgi_cors.view"  # the key of the predicted view, in the scope or environ
_UNKNOWN: Final = AttachedPolicy("an unknown view")


class App(Protocol):
    """The views and routes of a Flask or Quart app."""

    view_functions: dict[str, Any]
    url_map: Any


class Views:
    """The policies attached to an app's views and blueprints, and the routes that lead to them.

    Args:
        app: The app.
        bind: Returns the app's URL map bound for a scope; None if nothing can match.
        policy_of: Returns the policy for a key; it is not called for `EXEMPT`.
        in_request_context: Runs a function inside of a request context for a scope, for the app's own converters.
    """

    def __init__(
        self,
        app: App,
        bind: Callable[[Scope], MapAdapter | None],
        policy_of: Callable[[Any], ViewPolicy],
        in_request_context: Callable[[Scope, Predict], Hashable | None],
    ) -> None:
        """Begin without blueprints; see the class."""
        self._app = app
        self._bind = bind
        self._policy_of = policy_of
        self._in_request_context = in_request_context
        self._blueprints: dict[str, AttachedPolicy] = {}
        self._on_activation: Callable[[], None] = _do_nothing
        self._checked: set[str] = set()

    # -- when routes are matched

    def install(self, configuration: Configuration, connect: Callable[[], object]) -> None:
        """Match routes for `configuration` from the first attached policy on. Then call `connect` for the signals."""

        def activate() -> None:
            connect()
            configuration.set_views({EXEMPT: None})

        self._on_activation = activate
        usage.activate(self)

    def activate(self) -> None:
        """Match routes from now on."""
        self._on_activation()

    def attach_to_blueprint(self, name: str, policy: AttachedPolicy) -> None:
        """Attach a policy to all views of a blueprint, by its full name."""
        usage.note()
        self._blueprints[name] = policy

    # -- policies

    def policy_of(self, key: Any) -> ViewPolicy:
        """Return the policy for a key.

        Raises:
            ConfigError: With every mistake found.
        """
        if key is TOO_LONG:
            return DENY_ALL
        return None if key is EXEMPT else self._policy_of(key)

    def registered(self) -> set[AttachedPolicy]:
        """Return the policies of all views and blueprints that are registered now."""
        found = {policy for view in [*self._app.view_functions.values()] for policy in _attached(view)}
        return found | {*self._blueprints.values()}

    def refresh(self, configuration: Configuration) -> None:
        """Check and set the policies of all views that are registered now, as at start-up.

        Raises:
            ConfigError: With every mistake found; no policy is changed then.
        """
        configuration.set_views(self.policies())

    def policies(self) -> dict[Hashable, ViewPolicy]:
        """Return the policies of all views that are registered now, by key.

        Raises:
            ConfigError: With every mistake found in any of them.
        """
        issues: list[Issue] = []
        policies: dict[Hashable, ViewPolicy] = {}
        for key in self.registered():
            try:
                policies[key] = self.policy_of(key)
            except ConfigError as error:
                issues += (issue for issue in error.issues if issue not in issues)
        if issues:
            raise ConfigError(issues)
        for endpoint in [*self._app.view_functions]:
            self.warn_if_misplaced(endpoint)
        return policies

    # -- the view that is predicted, and the one that runs

    def of(self, scope: Scope) -> Hashable | None:
        """Return the key of the view that will serve a scope, or of its blueprint; None if neither has a policy.

        For a preflight, it is a `PerMethodKey` if other methods of the URL lead to other keys. A path that is too long
        is not matched, and nothing is allowed there: a preflight matches it once for each method.
        """
        if len(scope["path"]) > _MAX_PATH:
            predict: Callable[[Scope], Hashable | None] = _predict_nothing
        else:
            predict = self._predict if self._has_plain_routes() else self._predict_in_context
        if scope.get("asgi_cors.preflight"):
            return predict(scope)
        noted = scope.get("wsgi.environ", scope)
        noted[PREDICTED] = _UNKNOWN  # it stays if a converter raises, so that the view that runs is checked
        noted[PREDICTED] = key = predict(scope)
        return key

    def key_of(self, endpoint: str, method: str) -> AttachedPolicy | None:
        """Return the policy of an endpoint: that of its class's method, of its view, or of its blueprint."""
        view = self._app.view_functions.get(endpoint)
        found = next(_marks(view, method), None)
        while found is None and (endpoint := endpoint.rpartition(".")[0]):
            found = self._blueprints.get(endpoint)
        return found

    def warn_if_misplaced(self, endpoint: str) -> None:
        """Warn, once, if the decorator of a view is above `route`, which has registered the view without it."""
        views = self._app.view_functions
        view = views.get(endpoint)
        wrapper = wrapper_of(view)
        if wrapper is None or mark_of(view) or endpoint in self._checked:
            return
        self._checked.add(endpoint)
        if not any(registered is wrapper for registered in [*views.values()]):
            message = f"the decorator of view {endpoint!r} is above its route, and has no effect"
            hint = "Write it below: first @app.route(…), then the decorator."
            Issue("decorator-above-route", "cross_origin", endpoint, message, hint).warn()

    def _predict_in_context(self, scope: Scope) -> Hashable | None:
        """Match inside of the contexts of the app and of the request, as the framework does, for converters."""
        return self._in_request_context(scope, lambda: self._predict(scope))

    def _predict(self, scope: Scope) -> Hashable | None:
        try:
            adapter = self._bind(scope)
        except HTTPException:
            return None  # the app will raise it, too, for example for an untrusted host
        if adapter is None:
            return None
        method: str = scope.get("method", "GET")
        keys = (self.key_of(endpoint, served) for endpoint, served in _endpoints(adapter, method))
        found = next((key for key in keys if key is not None), None)
        if scope.get("asgi_cors.preflight") and any(key is not found for key in self._at_url(adapter)):
            return PerMethodKey(found)
        return found

    def _at_url(self, adapter: MapAdapter) -> Iterator[AttachedPolicy | None]:
        """Return the keys of all views of a URL."""
        for method in adapter.allowed_methods():
            for endpoint, served in _endpoints(adapter, method):
                yield self.key_of(endpoint, served)

    def _has_plain_routes(self) -> bool:
        """Return whether no code of the app runs when a route is matched."""
        return bool(self._app.url_map.converters == Map.default_converters)


def _deny_all() -> Policy:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)  # it allows nothing on purpose
        return Policy()


DENY_ALL: Final = _deny_all()


def standalone_configuration(key: Key, policy_of: Callable[[Key], Policy]) -> Configuration:
    """Return a configuration with the policy of one view. If that is invalid, it refuses every origin and logs it."""
    try:
        return Configuration(policy_of(key))
    except Exception:  # noqa: BLE001 - a value may raise anything, and warnings may be errors; it is raised again
        failing = Configuration(DENY_ALL, view_of=lambda _: key, view_policy=lambda _: policy_of(key))
        failing.set_views({EXEMPT: None})
        return failing


def _do_nothing() -> None: ...


def _predict_nothing(_scope: Scope) -> Hashable | None:
    return TOO_LONG


def _handler(view: object, method: str) -> object:
    """Return the method of a class-based view that serves an HTTP method; without a `head`, `get` serves HEAD."""
    view_class = getattr(view, "view_class", None)
    handler: object = getattr(view_class, method.lower(), None)
    return getattr(view_class, "get", None) if handler is None and method == "HEAD" else handler


def _marks(view: object, method: str) -> Iterator[AttachedPolicy]:
    """Return the policies attached to a view for an HTTP method, from the innermost on."""
    dispatch = getattr(getattr(view, "view_class", None), "dispatch_request", None)
    return filter(None, map(mark_of, (_handler(view, method), dispatch, view)))


def _attached(view: object) -> Iterator[AttachedPolicy]:
    """Return the policies attached to a view and to the methods of its class."""
    for method in getattr(view, "methods", None) or ("GET",):
        yield from _marks(view, method)


def _endpoints(adapter: MapAdapter, method: str) -> Iterator[tuple[str, str]]:
    """Find the endpoint and method that serve a request, or those at its URL if none serves its method."""
    method = method.upper()  # as werkzeug does
    try:
        yield _matched(adapter, method), method
    except MethodNotAllowed as error:
        for other in sorted(error.valid_methods or ()):
            with contextlib.suppress(HTTPException):
                yield _matched(adapter, other), other
    except HTTPException:
        return


def _matched(adapter: MapAdapter, method: str) -> str:
    """Return the endpoint of a route. For a redirect, such as one that adds a slash, return that of its target."""
    try:
        endpoint: str = adapter.match(method=method)[0]
    except RequestRedirect as redirect:
        path = unquote(urlsplit(redirect.new_url).path).removeprefix(adapter.script_name.rstrip("/"))
        endpoint = adapter.match(path, method=method)[0]
    return endpoint
