"""`CORS` and `cors`: a policy for an app, or for a blueprint."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Never, TypeVar, Unpack, cast

from quart import Blueprint, Quart

from asgi_cors import ConfigError, Configuration, ConfigWarning, Issue, Policy, PolicyOptions

from ._installation import EXTENSION, Installation, installation_of
from ._settings import DEFAULTS, NAMES, SOMEBODY, Options, Setting, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asgi_cors import Explanation, MiddlewareOptions

AppOrBlueprint = TypeVar("AppOrBlueprint", Quart, Blueprint)


class CORS:
    """A policy for an app: all that it answers, but views and blueprints with a policy of their own.

    Without any option of a policy, and with no `QUART_CORS_*` configuration, every origin may read, anonymously.

    Args:
        app: The app; else `init_app` is called with it later.
        policy: The base policy; else its options are given as keywords, and what they leave out is read from the
            app's `QUART_CORS_*` configuration.
        options: Those of `CORSMiddleware`.

    Raises:
        ConfigError: With every mistake found, before any request is served.
    """

    def __init__(
        self,
        app: Quart | None = None,
        policy: Policy | None = None,
        *arguments: Never,
        **options: Unpack[MiddlewareOptions],
    ) -> None:
        """Validate; see the class."""
        _check_arguments("CORS", policy, arguments)
        _check(policy, options)
        given = {name: value for name, value in options.items() if name in PolicyOptions.__annotations__}
        own = {name: value for name, value in options.items() if name not in given}
        self._options = cast("MiddlewareOptions", own)
        self._base = policy or Setting("CORS", given, {}, {} if given else DEFAULTS)
        self._apps: list[Quart] = []
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Quart) -> None:
        """Install into an app.

        Raises:
            ConfigError: Where the app's configuration makes no policy, or the app has one already.
        """
        _check_app(app, "CORS(app, …)")
        installation = installation_of(app)
        installation.wrap()
        installation.set_base(self._base, self._options)
        self._apps.append(app)

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self._installation().policy

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
        return self._installation().explain(method, origin, path, headers, credentials=credentials)

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy, and the options that are named, at once; see `CORSMiddleware.reconfigure`."""
        self._installation().reconfigure(policy, **options)

    def _installation(self) -> Installation:
        if len(self._apps) == 1:
            return installation_of(self._apps[0])
        count = len(self._apps)
        raise RuntimeError(f"this CORS() is bound to {count} apps; ask app.extensions[{EXTENSION!r}] of the one meant")


def _check(policy: Policy | None, options: Any) -> None:
    """Refuse what is wrong whatever the configuration of the app says."""
    somebody: Any = {} if policy else {"allow_origins": SOMEBODY}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        Configuration(policy, **{**somebody, **options})


def _check_app(app: Any, line: str) -> None:
    """Refuse what is not a Quart app; `line` is what to write with one."""
    if isinstance(app, Quart) or (hasattr(app, "asgi_app") and hasattr(app, "before_serving")):
        return
    inner = getattr(app, "__self__", None)
    if isinstance(inner, Quart):
        message = f"{Issue.show(app)} is not a Quart app, but belongs to {inner!r}"
        raise ConfigError([Issue("wrong-app", "app", app, message, f"Write {line} with that app.")])
    raise ConfigError([Issue.wrong_app(app, "a Quart app", line)])


def _check_arguments(place: str, policy: object, arguments: Sequence[object]) -> None:
    """Refuse options that are given as positional arguments."""
    is_policy = policy is None or isinstance(policy, Policy)
    if arguments or not is_policy:
        raise ConfigError([Issue.positional(place, arguments if is_policy else (policy, *arguments))])


def cors(app_or_blueprint: AppOrBlueprint, *arguments: Never, **options: Unpack[Options]) -> AppOrBlueprint:
    """Give an app, or all views of a blueprint, a policy, in the names of Quart-CORS.

    Args:
        app_or_blueprint: The app; or the blueprint, before it is registered.
        arguments: None: options are keywords.
        options: `allow_origin`, `allow_credentials`, `allow_headers`, `allow_methods`, `expose_headers`, `max_age`,
            `send_origin_wildcard`; what is left out is read from the app's `QUART_CORS_*` configuration.

    Returns:
        The app or blueprint itself.

    Raises:
        ConfigError: With every mistake found; what depends on the configuration, when the app starts.
    """
    if arguments:
        names = {policys: name for name, policys in NAMES.items() if policys}
        raise ConfigError([Issue.positional("cors", arguments, names)])
    if not isinstance(app_or_blueprint, Blueprint):
        _check_app(app_or_blueprint, "cors(app, …)")
    if isinstance(app_or_blueprint, Quart):
        setting = read("cors", options)
        installation = installation_of(app_or_blueprint)
        installation.wrap()
        installation.set_base(setting, {})
    else:
        _install_in_blueprint(app_or_blueprint, read(f"cors({app_or_blueprint.name})", options))
    return app_or_blueprint


def _install_in_blueprint(blueprint: Blueprint, setting: Setting) -> None:
    def register(state: Any) -> None:
        installation = installation_of(state.app)
        installation.views.attach_to_blueprint(f"{state.name_prefix}.{state.name}".lstrip("."), setting)
        installation.wrap()

    blueprint.record(register)
