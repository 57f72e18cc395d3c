"""One app, and the policies of its views, kept in step with its configuration.

`app.asgi_app` is wrapped, so that Quart's test client sees it, too; what stands outside of it answers preflights before
any of the app's code runs.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from quart import Quart
from quart.routing import QuartMap
from quart.wrappers import BaseRequestWebsocket
from werkzeug.datastructures import Headers

from asgi_cors import ConfigError, Configuration, CORSMiddleware, Explanation, Issue, Policy, PolicyOptions
from asgi_cors_werkzeug import EXEMPT, Binder, Views, divided, first_lines, mark_of

from ._settings import KEYS, Setting, unknown_keys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping

    from werkzeug.routing import MapAdapter

    from asgi_cors import MiddlewareOptions

    ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

EXTENSION: Final = "asgi_cors"
# Of an app without a policy: only its views have theirs.
_NOBODY: Final = Policy(allow_origins=re.compile("(?!)"))
_UNTOUCHED: Final[Mapping[str | re.Pattern[str], None]] = {"/*": None}


class Installation:
    """What is around one app: it tells the `policy`, can `explain` it and `reconfigure` it.

    Args:
        app: The app; `app.extensions["asgi_cors"]` is its installation.
    """

    def __init__(self, app: Quart) -> None:
        """Begin with no policy but those of views."""
        self.views = Views(app, Binder(app, self._bind, self._binds_as_quart), self._policy_of)
        self.configuration = Configuration(_NOBODY, view_of=self.views.of, paths=_UNTOUCHED)
        self.is_around = False
        self._app = app
        self._base: Setting | Policy | None = None
        self._configured: dict[str, object] = {"": None}  # what the keys say; unlike anything, until they are read
        self._unset: Iterable[str] = ()  # the keys that say nothing
        self._alone: dict[Setting, Configuration] = {}

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
        self.refresh()
        host, _, port = cast("str", self._app.config["SERVER_NAME"] or "localhost").partition(":")
        scope = {"type": "http", "method": method, "path": path, "headers": (), "server": (host, int(port or 80))}
        mark = self.views.of(scope)
        configuration = self.configuration
        if mark == EXEMPT:
            configuration = Configuration(_NOBODY, paths=_UNTOUCHED)
        elif isinstance(mark, Setting):
            configuration = self.alone(mark)
        return configuration.explain(method, origin, path, headers, credentials=credentials)

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy, and the options that are named, at once; configuration no longer counts for the former.

        Raises:
            ConfigError: As the constructor of `CORS` does; what was in force stays so.
        """
        self.configuration.reconfigure(policy, **options)
        if policy is not None or not PolicyOptions.__annotations__.keys().isdisjoint(options):
            self._base = self.configuration.policy

    # -- how it is put there

    def set_base(self, base: Setting | Policy, options: MiddlewareOptions) -> None:
        """Give the app itself a policy, and the middleware its options.

        Raises:
            ConfigError: With every mistake found; where the app has a policy already.
        """
        if self._base is not None:
            message = "the app has a CORS policy already"
            hint = "Install one; to change it write app.extensions['asgi_cors'].reconfigure(…)."
            raise ConfigError([Issue("installed-twice", "app", self._app, message, hint)])
        policy = base if isinstance(base, Policy) else base.policy(self._app.config)
        own: MiddlewareOptions = {"paths": None, **options}
        self.configuration.reconfigure(policy, **own)
        self._base = base

    def wrap(self) -> None:
        """Stand around the app from now on."""
        if self.is_around:
            return

        async def start() -> None:
            self.refresh()

        self._app.before_serving(start)  # so that a mistake in the configuration keeps the app from starting
        around: Any = _Layer(self._app.asgi_app, self).__call__  # to call an instance takes 70 ns more
        self._app.asgi_app = around  # type: ignore[method-assign]  # as Quart's documentation has it
        self.is_around = True

    # -- which policy serves what

    def refresh(self) -> None:
        """Take in the views that are new, and the configuration where it has changed.

        Raises:
            ConfigError: With every mistake found; what was in force stays so.
        """
        config = self._app.config
        configured = self._configured
        # To see that the keys are still unset, as they mostly are all, takes 150 ns; to read each of them, 360.
        is_known = config.keys().isdisjoint(self._unset) and (not configured or configured == _read(config, configured))
        if not is_known:
            self._take_in(config)
        self.views.refresh(self.configuration)

    def _take_in(self, config: dict[str, Any]) -> None:
        """Make all policies of what the configuration says now."""
        configured = _read(config, KEYS)
        self._configure()
        for issue in unknown_keys(config):
            issue.warn()
        self._configured = {key: _copied(value) for key, value in configured.items()}
        self._unset = KEYS.keys() - configured.keys()

    def leaves_to_view(self, setting: Setting, endpoint: str | None) -> bool:
        """Tell whether a decorated view has to apply its setting by itself, since nothing further out does."""
        outermost = mark_of(self._app.view_functions.get(endpoint or ""))
        if outermost is not None and outermost is not setting:
            return False  # exempt, or another's business
        return not (self.is_around and setting in self.views.known)

    def alone(self, setting: Setting) -> Configuration:
        """Give what a view applies by itself."""
        self.refresh()
        if setting not in self._alone:
            self._alone[setting] = Configuration(self._policy_of(setting))
        return self._alone[setting]

    def _configure(self) -> None:
        """Make all policies anew."""
        issues: list[Issue] = []
        policies: dict[Hashable, Policy] = {}
        settings = [found for found in (self._base, *self.views.known) if isinstance(found, Setting)]
        for setting in settings:
            try:
                policies[setting] = self._policy_of(setting)
            except ConfigError as error:
                issues += (issue for issue in error.issues if issue not in issues)
        if issues:
            raise ConfigError(issues)
        self._alone.clear()
        if isinstance(self._base, Setting):
            self.configuration.reconfigure(policies.pop(self._base))
        self.configuration.set_views(policies)

    def _policy_of(self, setting: Setting) -> Policy:
        return setting.policy(self._app.config)

    def _bind(self, scope: Any) -> MapAdapter | None:
        """Have the app bind its routes, for a request that is made for it."""
        root, path = divided(scope)
        headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in first_lines(scope)])
        version, query = scope.get("http_version", "1.1"), scope.get("query_string", b"")
        method, scheme = scope.get("method", "GET"), scope.get("scheme", "http")
        request = BaseRequestWebsocket(method, scheme, path, query, headers, root, version, scope)
        return self._app.create_url_adapter(request)

    def _binds_as_quart(self) -> bool:
        app = self._app
        own = type(app).create_url_adapter is not Quart.create_url_adapter or "create_url_adapter" in vars(app)
        return not own and type(app.url_map) is QuartMap


class _Layer(CORSMiddleware):
    """What stands around an app: where it asks for its configuration, it gets what counts by then.

    It asks once for each request. A coroutine that looks first and then calls this one would cost a request 180 ns.
    """

    def __init__(self, app: ASGIApp, installation: Installation) -> None:
        self._installation = installation
        super().__init__(app, installation.configuration)

    @property
    def configuration(self) -> Configuration:
        self._installation.refresh()
        return self._installation.configuration

    @configuration.setter
    def configuration(self, configuration: Configuration) -> None:
        """Leave it to the installation, which has it."""


def installation_of(app: Quart) -> Installation:
    """Give an app's installation, made where there is none."""
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = Installation(app)
    found: Installation = app.extensions[EXTENSION]
    return found


def _read(config: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: config[key] for key in keys if key in config}


def _copied(value: Any) -> object:
    """Keep a list as it is now: people append to them."""
    return copy.copy(value) if type(value) in {list, set} else value
