"""The installation of one Quart app: the policies of the app and its views, and the middleware.

`app.asgi_app` is wrapped, so that Quart's test client uses the middleware, too. Preflights are answered before any of
the app's code runs. The view of a request is predicted. Quart's signals `request_started` and `websocket_started` then
report the view that really runs. If it is another one, both policies must allow.
"""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from quart import Quart, Response, request, request_started, websocket, websocket_started
from quart.routing import QuartMap
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from asgi_cors import ConfigError, Configuration, CORSMiddleware, Issue, Policy, PolicyOptions, attached_policy
from asgi_cors_werkzeug import (
    EXTENSION_KEY,
    BaseInstallation,
    Predict,
    standalone_configuration,
)

from ._options import (
    APP_DEFAULTS,
    APP_KEYS,
    KEYS,
    PREFIX,
    ParsedOptions,
    by_user_names,
    parse_app_config,
    unknown_keys,
)
from ._routing import (
    HIDDEN_STATE,
    bind,
    hide_state,
    in_app_context,
    proxy_fixes,
    run_in_request_context,
    split_root_path,
    through_proxy_fixes,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from quart.wrappers import BaseRequestWebsocket
    from werkzeug.routing import MapAdapter

    from asgi_cors import MiddlewareOptions

logger: Final = logging.getLogger("asgi_cors")


class Installation(BaseInstallation):
    """The policy of one Quart app, with `policy`, `explain` and `reconfigure`: `app.extensions["asgi_cors"]`.

    Args:
        app: The app.
    """

    def __init__(self, app: Quart) -> None:
        """Begin with no policy but those of views, and without the middleware; see `wrap`."""
        self._app: Quart
        self._base: ParsedOptions | Policy | None = None
        self._keywords: MiddlewareOptions = {}  # the options of the middleware that are not from the configuration
        self._configured: dict[str, object] = {"": None}  # the keys that were last parsed; at first unlike any
        self._unset: Iterable[str] = ()  # the keys without a value
        self._valid: dict[str, Any] = {}  # the keys that last made a valid policy
        self._standalone: dict[ParsedOptions, Configuration] = {}
        self._inner: Any = app.asgi_app
        self.middleware: CORSMiddleware | None = None
        super().__init__(app, before_request=self.sync_config, app_context=self._app_context)

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy, and the named options, at once. A new policy no longer follows the app's configuration.

        Raises:
            ConfigError: As the constructor of `CORS` does. The previous policy stays in force.
        """
        with self._lock:
            self.configuration.reconfigure(policy, **options)
            self._keywords = {**self._keywords, **app_only(options)}
            if policy is not None or not PolicyOptions.__annotations__.keys().isdisjoint(options):
                self._base = self.configuration.policy

    def set_base(self, base: ParsedOptions | Policy, options: MiddlewareOptions) -> None:
        """Set the app's own policy and the middleware's options.

        Raises:
            ConfigError: With every mistake found, or if the app has a policy already.
        """
        with self._lock:
            if self._base is not None:
                message = "the app has a CORS policy already"
                hint = f"Install one policy only. To change it, write app.extensions[{EXTENSION_KEY!r}].reconfigure(…)."
                raise ConfigError([Issue("installed-twice", "app", self._app, message, hint)])
            self._reconfigure(base, {"paths": None, **options})
            self._base, self._keywords = base, options
            self._valid = _values(self._app.config, KEYS)

    def wrap(self) -> None:
        """Wrap the app in the middleware, once."""
        if self.is_wrapped:
            return

        async def start() -> None:
            self.sync_views()

        self._app.before_serving(start)  # so that the app does not start with a mistake in the configuration
        self._inner = self._app.asgi_app
        inner = hide_state(self._inner) if any(proxy_fixes(self._inner)) else self._inner
        self.middleware = CORSMiddleware(inner, self.configuration)
        bound: Any = self.middleware.__call__  # a bound method, because a call of an instance is slower
        self._app.asgi_app = bound  # type: ignore[method-assign]  # as Quart's documentation has it
        self._install()

    @property
    def is_wrapped(self) -> bool:
        """Whether the middleware is around the app."""
        return self.middleware is not None

    # -- the app's configuration

    def sync_views(self) -> None:
        """Check the configuration, and the policies of all views that are registered now, as at start-up.

        Raises:
            ConfigError: With every mistake found. The previous policies stay in force.
        """
        with self._lock:
            issues: list[Issue] = []
            for check in (self._apply_config, self.views.policies):
                try:
                    check()
                except ConfigError as error:
                    issues += (issue for issue in error.issues if issue not in issues)
            if issues:
                self._configured = {"": None}  # so that the first request, if there is one, reports it again
                raise ConfigError(issues)

    def sync_config(self) -> None:
        """Apply the app's current configuration. If it is not valid, the last valid policy stays in force."""
        if self._is_synced():
            return
        with self._lock:
            if self._is_synced():
                return
            try:
                self._apply_config()
            except Exception as error:  # noqa: BLE001 - a request must not fail; and warnings may be errors
                logger.error("the app's configuration is not valid, so the last valid policy stays in force: %s", error)  # noqa: TRY400 - the traceback says nothing

    def _is_synced(self) -> bool:
        config, configured = self._app.config, self._configured
        try:
            # Mostly no key has a value, which is faster to check than the value of each key.
            if not config.keys().isdisjoint(self._unset):
                return False
            return not configured or configured == _values(config, configured)
        except Exception:  # noqa: BLE001 - a value that can't be compared, such as a NumPy array
            return False

    def _apply_config(self) -> None:
        """Build the app's policy from its current configuration. Views' policies are built when they are needed."""
        config = self._app.config
        configured = _values(config, (*KEYS, *APP_KEYS))
        self._configured = configured  # first, so that a mistake is not reported again at each request
        self._unset = (KEYS.keys() | APP_KEYS.keys()) - configured.keys()
        if self._base is not None:
            self._reconfigure(self._base, self._keywords)
        self._valid = configured
        self._standalone.clear()
        self.configuration.set_views({})
        for issue in unknown_keys(config):
            issue.warn()

    def _reconfigure(self, base: ParsedOptions | Policy, keywords: MiddlewareOptions) -> None:
        """Apply a policy, and the options of the middleware: keywords override the configuration."""
        config = self._app.config
        policy = base if isinstance(base, Policy) else base.policy(config)
        options: MiddlewareOptions = {**APP_DEFAULTS, **parse_app_config(config), **keywords}
        try:
            self.configuration.reconfigure(policy, **options)
        except ConfigError as error:
            names: Mapping[str, str] = {} if isinstance(base, Policy) else base.names
            raise by_user_names(error, keywords, names) from None

    # -- views

    def must_apply_itself(self, policy: ParsedOptions, endpoint: str | None) -> bool:
        """Return whether a decorated view must apply its policy, because the middleware does not."""
        outermost = attached_policy(self._app.view_functions.get(endpoint or ""))
        if outermost is not None and outermost is not policy:
            return False  # the view is exempt, or another decorator applies its policy
        return not (self.is_wrapped and (outermost is policy or policy in self.views.registered()))

    def standalone_configuration(self, policy: ParsedOptions) -> Configuration:
        """Return a configuration with a view's policy. If that is invalid, it refuses every origin and logs it."""
        self.sync_config()
        if policy not in self._standalone:
            self._standalone[policy] = standalone_configuration(policy, self._policy_of, self._app_context)
        return self._standalone[policy]

    def _configuration_of(self, key: Any) -> Configuration:
        self.sync_config()
        return super()._configuration_of(key)

    def _view_configuration(self, key: Any, checks: MiddlewareOptions) -> Configuration:
        return standalone_configuration(key, self._policy_of, self._app_context, **checks)

    def _policy_of(self, key: Any) -> Policy:
        config = dict(cast("Mapping[str, Any]", self._app.config))  # a copy, because threads may change it
        others = {name: value for name, value in config.items() if name.startswith(PREFIX) and name not in KEYS}
        return cast("ParsedOptions", key).policy({**others, **self._valid})

    def _app_context(self) -> AbstractContextManager[None]:
        return in_app_context(self._app)

    def _bind(self, scope: Any) -> MapAdapter | None:
        return bind(self._app, scope)

    def _uses_default_binding(self) -> bool:
        app = self._app
        binds_as_quart = type(app).create_url_adapter is Quart.create_url_adapter and type(app.url_map) is QuartMap
        return binds_as_quart and "create_url_adapter" not in vars(app)

    def _through_proxies(self, scope: Any) -> Any:
        return through_proxy_fixes(self._inner, scope)

    def _in_request_context(self, scope: Any, run: Predict) -> Hashable | None:
        return run_in_request_context(self._app, scope, run)

    def _split_root_path(self, scope: Any) -> tuple[str, str]:
        return split_root_path(scope)

    # -- the view that runs

    def _connect_signals(self) -> None:
        request_started.connect(self._verify_request, self._app)
        websocket_started.connect(self._verify_websocket, self._app)

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
        if HIDDEN_STATE in scope:
            scope = {**scope, **scope[HIDDEN_STATE].entries}
        keys = self.views.misprediction(rule.endpoint, current.method, scope)
        refusal = await self.middleware.verify_view(scope, *keys) if keys else None
        if refusal is not None:
            status, headers, body = refusal
            if current.method == "HEAD":
                body = b""  # Quart sends it otherwise (RFC 9110, 9.3.2)
            response = Response(body, status)
            response.headers = decode_headers(headers)
            raise HTTPException(response=cast("Any", response))


def installation_of(app: Quart) -> Installation:
    """Return an app's installation. If it has none, create it without the middleware."""
    if EXTENSION_KEY not in app.extensions:
        app.extensions[EXTENSION_KEY] = Installation(app)
    found: Installation = app.extensions[EXTENSION_KEY]
    return found


def decode_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers of an ASGI message as werkzeug's."""
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])


def app_only(options: MiddlewareOptions) -> MiddlewareOptions:
    """Return the options without those of the policy."""
    own = {name: value for name, value in options.items() if name not in PolicyOptions.__annotations__}
    return cast("MiddlewareOptions", own)


def _values(config: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the values of the keys. Lists, sets and dicts are copied, since users change them."""
    return {key: _copied(config[key]) for key in keys if key in config}


def _copied(value: Any) -> object:
    return copy.copy(value) if type(value) in {list, set, dict} else value
