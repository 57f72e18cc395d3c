"""The installation of one Quart app: the policies of the app and its views, which follow the app's configuration.

`app.asgi_app` is wrapped, so that Quart's test client uses the middleware, too. Preflights are answered before any of
the app's code runs. The view of a request is predicted. Quart's signals `request_started` and `websocket_started` then
report the view that really runs. If it is another one, both policies must allow.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import threading
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from quart import Quart, Response, request, request_started, websocket, websocket_started
from quart.routing import QuartMap
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from asgi_cors import (
    ConfigError,
    Configuration,
    ConfigWarning,
    CORSMiddleware,
    Explanation,
    Issue,
    Policy,
    PolicyOptions,
)
from asgi_cors_werkzeug import (
    DENY_ALL,
    EXEMPT,
    PREDICTED,
    TOO_LONG,
    Binder,
    Path,
    Views,
    mark_of,
    standalone_configuration,
)

from ._routing import bind, divide, proxy_fixes, run_in_request_context, through_proxy_fixes
from ._settings import KEYS, PREFIX, Setting, unknown_keys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from quart.wrappers import BaseRequestWebsocket

    from asgi_cors import MiddlewareOptions

    ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

EXTENSION: Final = "asgi_cors"
logger: Final = logging.getLogger("asgi_cors")
_HELD: Final = "asgi_cors.held"
_UNTOUCHED: Final[Mapping[Path, None]] = {"/*": None}


class Installation:
    """What is around one app: it tells the `policy`, can `explain` it and `reconfigure` it.

    Args:
        app: The app; `app.extensions["asgi_cors"]` is its installation.
    """

    def __init__(self, app: Quart) -> None:
        """Begin with no policy but those of views."""
        self._app = app
        self._base: Setting | Policy | None = None
        self._configured: dict[str, object] = {"": None}  # what the keys say; unlike anything, until they are read
        self._unset: Iterable[str] = ()  # the keys that say nothing
        self._good: dict[str, Any] = {}  # the values of the keys that last made a valid policy
        self._alone: dict[Setting, Configuration] = {}
        self._lock = threading.RLock()
        self.middleware: CORSMiddleware | None = None
        self._inner: Any = app.asgi_app
        binder = Binder(
            app,
            lambda scope: bind(app, scope),
            self._binds_as_quart,
            divide=divide,
            through_proxies=lambda scope: through_proxy_fixes(self._inner, scope),
        )
        self.views = Views(
            app,
            binder,
            self._policy_of,
            in_request_context=lambda scope, run: run_in_request_context(app, scope, run),
        )
        self.configuration = Configuration(
            DENY_ALL, view_of=self.views.of, view_policy=self.views.policy_of, paths=_UNTOUCHED
        )

    # -- what people ask of it

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self.configuration.policy

    def explain(
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
    ) -> Explanation:
        """Tell what a browser will do with a request, and why; a view's own policy counts. See `asgi_cors.explain`."""
        self.follow_config()
        host, _, port = cast("str", self._app.config["SERVER_NAME"] or "localhost").partition(":")
        scope = {"type": "http", "method": method, "path": path, "headers": (), "server": (host, int(port or 80))}
        key = self.views.of(scope)
        configuration = self.configuration
        if key is EXEMPT:
            configuration = Configuration(DENY_ALL, paths=_UNTOUCHED)
        elif key is TOO_LONG:
            configuration = Configuration(DENY_ALL)
        elif isinstance(key, Setting):
            configuration = self.alone(key)
        return configuration.explain(method, origin, path, headers, credentials=credentials)

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy, and the options that are named, at once; configuration no longer counts for the former.

        Raises:
            ConfigError: As the constructor of `CORS` does; what was in force stays so.
        """
        with self._lock:
            self.configuration.reconfigure(policy, **options)
            if policy is not None or not PolicyOptions.__annotations__.keys().isdisjoint(options):
                self._base = self.configuration.policy

    # -- how it is put there

    def set_base(self, base: Setting | Policy, options: MiddlewareOptions) -> None:
        """Give the app itself a policy, and the middleware its options.

        Raises:
            ConfigError: With every mistake found; where the app has a policy already.
        """
        with self._lock:
            if self._base is not None:
                message = "the app has a CORS policy already"
                hint = "Install one; to change it write app.extensions['asgi_cors'].reconfigure(…)."
                raise ConfigError([Issue("installed-twice", "app", self._app, message, hint)])
            policy = base if isinstance(base, Policy) else base.policy(self._app.config)
            own: MiddlewareOptions = {"paths": None, **options}
            self.configuration.reconfigure(policy, **own)
            self._base = base
            self._good = _read(self._app.config, KEYS)

    def wrap(self) -> None:
        """Stand around the app from now on."""
        if self.is_around:
            return

        async def start() -> None:
            self.refresh()

        self._app.before_serving(start)  # so that a mistake in the configuration keeps the app from starting
        self._inner = self._app.asgi_app
        inner = _hold_states(self._inner) if any(proxy_fixes(self._inner)) else self._inner
        self.middleware = _Layer(inner, self)
        around: Any = self.middleware.__call__  # a bound method, because a call of an instance is slower
        self._app.asgi_app = around  # type: ignore[method-assign]  # as Quart's documentation has it
        self.views.install(self.configuration, self._connect)

    @property
    def is_around(self) -> bool:
        """Whether the middleware is around the app."""
        return self.middleware is not None

    def _connect(self) -> None:
        request_started.connect(self._verify_request, self._app)
        websocket_started.connect(self._verify_websocket, self._app)

    # -- which policy serves what

    def refresh(self) -> None:
        """Check the configuration, and the policies of all views that are registered by now, as at start-up.

        Raises:
            ConfigError: With every mistake found; what was in force stays so.
        """
        with self._lock:
            issues: list[Issue] = []
            for check in (self._read_config, self.views.policies):
                try:
                    check()
                except ConfigError as error:
                    issues += (issue for issue in error.issues if issue not in issues)
            if issues:
                self._configured = {"": None}  # still to be reported by the first request, if there is one
                raise ConfigError(issues)

    def follow_config(self) -> None:
        """Apply the app's current configuration. If it is not valid, the last good policy stays in force."""
        if self._is_followed():
            return
        with self._lock:
            if self._is_followed():
                return
            try:
                self._read_config()
            except Exception as error:  # noqa: BLE001 - a request must not fail; and warnings may be errors
                logger.error("the app's configuration is not valid, so the last good policy stays in force: %s", error)  # noqa: TRY400 - the traceback says nothing

    def _is_followed(self) -> bool:
        config, configured = self._app.config, self._configured
        try:
            # To see that the keys are still unset, as they mostly are all, takes 150 ns; to read each of them, 360.
            return config.keys().isdisjoint(self._unset) and (not configured or configured == _read(config, configured))
        except Exception:  # noqa: BLE001 - a value that can't be compared, such as an array of numpy
            return False

    def _read_config(self) -> None:
        """Build the app's policy from its current configuration. Views' policies are built when they are needed."""
        config = self._app.config
        configured = _read(config, KEYS)
        self._configured = configured  # first, so that a mistake is not reported again at each request
        self._unset = KEYS.keys() - configured.keys()
        if isinstance(self._base, Setting):
            self.configuration.reconfigure(self._base.policy(config))
        self._good = configured
        self._alone.clear()
        self.configuration.set_views({})
        for issue in unknown_keys(config):
            issue.warn()

    def leaves_to_view(self, setting: Setting, endpoint: str | None) -> bool:
        """Tell whether a decorated view has to apply its setting by itself, since nothing further out does."""
        outermost = mark_of(self._app.view_functions.get(endpoint or ""))
        if outermost is not None and outermost is not setting:
            return False  # exempt, or another's business
        return not (self.is_around and (outermost is setting or setting in self.views.registered()))

    def alone(self, setting: Setting) -> Configuration:
        """Return a configuration with a view's policy. If that is invalid, it refuses every origin and logs it."""
        self.follow_config()
        if setting not in self._alone:
            self._alone[setting] = standalone_configuration(setting, self._policy_of)
        return self._alone[setting]

    def _policy_of(self, setting: Setting) -> Policy:
        config = dict(cast("Mapping[str, Any]", self._app.config))  # a copy, because threads may change it
        unknown = {key: value for key, value in config.items() if key.startswith(PREFIX) and key not in KEYS}
        return setting.policy({**unknown, **self._good})

    def _binds_as_quart(self) -> bool:
        app = self._app
        own = type(app).create_url_adapter is not Quart.create_url_adapter or "create_url_adapter" in vars(app)
        return not own and type(app.url_map) is QuartMap

    # -- the view that runs

    async def _verify_request(self, _app: object, **_: object) -> None:
        await self._verify(cast("Any", request)._get_current_object())  # noqa: SLF001 - the documented way

    async def _verify_websocket(self, _app: object, **_: object) -> None:
        await self._verify(cast("Any", websocket)._get_current_object())  # noqa: SLF001 - the documented way

    async def _verify(self, current: BaseRequestWebsocket) -> None:
        """Compare the view that is about to run with the predicted one.

        Raises:
            HTTPException: The refusal, if the policy of the view that runs requires one. It has no code, so the app's
                error handlers ignore it.
        """
        rule, scope = current.url_rule, cast("dict[str, Any]", current.scope)
        if rule is None or self.middleware is None:
            return  # no view runs: a 404, a 405 or a redirect
        key = self.views.key_of(rule.endpoint, current.method)
        if key is None:
            with contextlib.suppress(ConfigWarning):  # warnings may be errors
                self.views.warn_if_misplaced(rule.endpoint)
        if _HELD in scope:
            scope = {**scope, **scope[_HELD].states}
        predicted = scope.get(PREDICTED, key)
        if predicted is key:
            return
        refusal = await self.middleware.verify_view(scope, predicted, key)
        if refusal is not None:
            status, headers, body = refusal
            decoded = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])
            raise HTTPException(response=cast("Any", Response(body, status, decoded)))


class _Layer(CORSMiddleware):
    """What stands around an app: where it asks for its configuration, it gets what counts by then.

    It asks once for each request. A coroutine that looks first and then calls this one would cost a request 180 ns.
    """

    def __init__(self, app: ASGIApp, installation: Installation) -> None:
        self._installation = installation
        super().__init__(app, installation.configuration)

    @property
    def configuration(self) -> Configuration:
        self._installation.follow_config()
        return self._installation.configuration

    @configuration.setter
    def configuration(self, configuration: Configuration) -> None:
        """Leave it to the installation, which has it."""


class _Held:
    """The entries of a scope that must not be copied: they lead to the server's objects."""

    def __init__(self, states: dict[str, Any]) -> None:
        self.states = states

    def __deepcopy__(self, _memo: object) -> _Held:
        return self


def _hold_states(app: ASGIApp) -> ASGIApp:
    """Protect the response state from hypercorn's ProxyFixMiddleware, which makes a deep copy of the scope."""

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        states = {key: value for key, value in scope.items() if key.startswith("asgi_cors")}
        rest = {key: value for key, value in scope.items() if key not in states}
        await app({**rest, _HELD: _Held(states)}, receive, send)

    return hold


def installation_of(app: Quart) -> Installation:
    """Give an app's installation, made where there is none."""
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = Installation(app)
    found: Installation = app.extensions[EXTENSION]
    return found


def _read(config: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the values of the keys. Lists and sets are copied, since users append to them."""
    return {key: _copied(config[key]) for key in keys if key in config}


def _copied(value: Any) -> object:
    return copy.copy(value) if type(value) in {list, set} else value
