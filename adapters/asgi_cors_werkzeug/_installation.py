"""The shared part of both installations and both classes `CORS`: the policies of one app and its views."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, Generic, TypeVar, Unpack

from werkzeug.routing import MapAdapter

from asgi_cors import (
    DENY_ALL,
    EXEMPT,
    AppContext,
    AttachedPolicy,
    ConfigError,
    Configuration,
    Explanation,
    FixedPolicy,
    Issue,
    MiddlewareOptions,
    Policy,
    activate_when_used,
)

from ._locks import HasLock
from ._resources import EVERY_PATH
from ._routes import Scope, UrlBinder, split_root_path
from ._views import PolicySpec, Predict, ViewPolicies

EXTENSION_KEY: Final = "asgi_cors"
PASS_THROUGH: Final[Mapping[Any, None]] = {EVERY_PATH: None}

Key = TypeVar("Key", bound=AttachedPolicy)


class BaseInstallation(HasLock, ABC):
    """The middleware of one app and the policies of its views: `app.extensions["asgi_cors"]`.

    Until the app itself gets a policy, all requests are passed through, except those of views with a policy of their
    own.

    Args:
        app: The app.
        options: Those of its `Configuration` that the framework adds.
    """

    def __init__(self, app: Any, **options: Any) -> None:
        """Begin with no policy but those of views; see the class."""
        super().__init__()
        self._app = app
        binder = UrlBinder(
            app, self._bind, self._uses_default_binding, self._through_proxies, split_root_path=self._split_root_path
        )
        self.views = ViewPolicies(app, binder, self._policy_of, self._in_request_context)
        self.configuration = Configuration(
            DENY_ALL,
            view_of=self.views.key_of,
            view_policy=self.views.policy_of,
            paths=PASS_THROUGH,
            is_placeholder=True,
            **options,
        )

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self.configuration.policy

    def explain(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
        host: str | None = None,
    ) -> Explanation:
        """Explain how a browser will handle a request; a view's own policy counts. See `asgi_cors.explain`."""
        name, _, port = (self._app.config["SERVER_NAME"] or "localhost").partition(":")
        scope = {"type": "http", "method": method, "path": path, "headers": (), "server": (name, int(port or 80))}
        configuration = self._configuration_of(self.views.key_of(scope))
        return configuration.explain(method, origin, path, headers, credentials=credentials, host=host)

    def sync_views(self) -> None:
        """Check the policies of all views that are registered now, as at start-up.

        Raises:
            ConfigError: With every mistake found. No policy is changed then.
        """
        with self._lock:
            self.configuration.set_views(self.views.policies())

    def activate(self) -> None:
        """Match routes from now on."""
        self._connect_signals()
        self.configuration.set_views({EXEMPT: None})

    def _install(self) -> None:
        """Match routes as soon as any view has a policy."""
        activate_when_used(self)

    def _configuration_of(self, key: Any) -> Configuration:
        """Return a configuration with the policy that serves a view, and the app's own checks."""
        if key is None:
            return self.configuration
        if isinstance(key, FixedPolicy):
            return self.configuration.with_policy(key.policy)
        in_force = self.configuration.evaluator.options
        return self._view_configuration(
            key, {"allowed_hosts": in_force["allowed_hosts"], "enforce": in_force["enforce"]}
        )

    # -- a framework's part

    @abstractmethod
    def _policy_of(self, key: Any) -> PolicySpec:
        """Return the policy for the key of a view.

        Raises:
            ConfigError: With every mistake found.
        """

    @abstractmethod
    def _view_configuration(self, key: Any, checks: MiddlewareOptions) -> Configuration:
        """Return a configuration with the policy for the key of a view, and the app's own checks."""

    @abstractmethod
    def _connect_signals(self) -> None:
        """Connect the check of the view that runs to the framework's signals."""

    @abstractmethod
    def _bind(self, scope: Scope) -> MapAdapter | None:
        """Have the app bind its routes for a scope."""

    @abstractmethod
    def _uses_default_binding(self) -> bool:
        """Return whether the app binds its routes as its framework does."""

    @abstractmethod
    def _through_proxies(self, scope: Scope) -> Scope:
        """Return a scope as the app's own proxy middlewares change it."""

    @abstractmethod
    def _in_request_context(self, scope: Scope, run: Predict) -> Hashable | None:
        """Run a function inside of the contexts of the app and of a request for a scope."""

    def _split_root_path(self, scope: Scope) -> tuple[str, str]:
        """Return the root path of a scope, and the path that the app routes."""
        return split_root_path(scope)


Installation = TypeVar("Installation", bound=BaseInstallation)


class BaseExtension(Generic[Installation]):
    """The shared part of both classes `CORS`, which pass calls on to the installation of their app."""

    def __init__(self) -> None:
        """Begin without an app."""
        self._installations: list[Installation] = []

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self._installation.policy

    def explain(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
        host: str | None = None,
    ) -> Explanation:
        """Explain how a browser will handle a request; a view's own policy counts. See `asgi_cors.explain`."""
        return self._installation.explain(method, origin, path, headers, credentials=credentials, host=host)

    @property
    def _installation(self) -> Installation:
        if len(self._installations) == 1:
            return self._installations[0]
        if not self._installations:
            raise RuntimeError("this CORS() is not bound to an app. Call init_app(app) first.")
        hint = f"Use app.extensions[{EXTENSION_KEY!r}] of one of them."
        raise RuntimeError(f"this CORS() is bound to {len(self._installations)} apps. {hint}")


def standalone_configuration(
    key: Key,
    policy_of: Callable[[Key], Policy],
    app_context: AppContext | None = None,
    **checks: Unpack[MiddlewareOptions],
) -> Configuration:
    """Return a configuration with the policy of one view. If that is invalid, it refuses every origin and logs it."""
    try:
        return Configuration(policy_of(key), app_context=app_context, **checks)
    except Exception:  # noqa: BLE001 - a value may raise anything, and warnings may be errors; it is raised again
        failing = Configuration(
            DENY_ALL, view_of=lambda _: key, view_policy=lambda _: policy_of(key), app_context=app_context, **checks
        )
        failing.set_views({EXEMPT: None})
        return failing


def check_app(app: Any, is_app: Callable[[Any], bool], expected: str, line: str) -> None:
    """Refuse anything but an app of the framework.

    Args:
        app: The object to check.
        is_app: Returns whether an object is such an app.
        expected: The kind of app, such as `"a Flask app"`.
        line: The code to write with one.

    Raises:
        ConfigError: If `app` is something else. The hint names the app that it belongs to, or the right adapter.
    """
    if is_app(app):
        return
    owner = next((each for each in (getattr(app, "__self__", None), getattr(app, "app", None)) if is_app(each)), None)
    if owner is None:
        raise ConfigError([Issue.wrong_app(app, expected, line)])
    message = f"{Issue.show(app)} is not {expected}, but belongs to {owner!r}"
    raise ConfigError([Issue("wrong-app", "app", app, message, f"Write {line} with that app.")])
