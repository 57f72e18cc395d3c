"""`CORS` and `cors`: the policy of a Quart app or blueprint."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Never, TypeVar, Unpack

from quart import Blueprint, Quart

from asgi_cors import ConfigError, Configuration, ConfigWarning, Issue, Policy, PolicyOptions
from asgi_cors_werkzeug import BaseExtension, check_app

from ._installation import Installation, app_only, installation_of
from ._options import (
    APP_DEFAULTS,
    DEFAULTS,
    PLACEHOLDER_ORIGIN,
    QUART_NAMES,
    AppOptions,
    ParsedOptions,
    parse_app_options,
    parse_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgi_cors import MiddlewareOptions

AppOrBlueprint = TypeVar("AppOrBlueprint", Quart, Blueprint)


class CORS(BaseExtension[Installation]):
    """Apply a policy to a Quart app, except to views and blueprints with a policy of their own.

    Without any option of a policy, and with no `QUART_CORS_*` configuration, every origin may read, without
    credentials.

    Args:
        app: The app; without it, call `init_app` later.
        policy: The base policy; else its options are given as keywords. The app's `QUART_CORS_*` configuration sets
            the options that are left out.
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
        """Check the options; see the class."""
        super().__init__()
        _check_arguments("CORS", policy, arguments)
        _check_options(policy, options)
        given = {name: value for name, value in options.items() if name in PolicyOptions.__annotations__}
        self._options = app_only(options)
        self._base = policy or ParsedOptions("CORS", given, {}, {} if given else DEFAULTS)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Quart) -> None:
        """Apply the policy to an app.

        Raises:
            ConfigError: If the app's configuration is not valid, or the app has a policy already.
        """
        check_app(app, _is_quart, "a Quart app", "CORS(app, …)")
        installation = _wrapped(app)
        installation.set_base(self._base, self._options)
        self._installations.append(installation)

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy, and the named options, at once; see `CORSMiddleware.reconfigure`."""
        self._installation.reconfigure(policy, **options)


def cors(app_or_blueprint: AppOrBlueprint, *arguments: Never, **options: Unpack[AppOptions]) -> AppOrBlueprint:
    """Apply a policy to an app, or to all views of a blueprint, with the option names of Quart-CORS.

    Args:
        app_or_blueprint: The app; or the blueprint, before it is registered.
        arguments: None: options are keywords.
        options: `allow_origin`, `allow_credentials`, `allow_headers`, `allow_methods`, `expose_headers`, `max_age`,
            `send_origin_wildcard`; `csrf_protection`, `csrf_trusted_origins`, `timing_allow_origin`, `resource_policy`,
            `presets`, `name` and `dangerously_allow` of the policy; for an app, also `enforce`, `allowed_hosts` and
            `report_only` of the middleware. The app's `QUART_CORS_*` configuration sets the options that are left out.

    Returns:
        The app or blueprint itself.

    Raises:
        ConfigError: With every mistake found. Those that depend on the configuration are raised when the app starts.
    """
    if arguments:
        raise ConfigError([Issue.positional("cors", arguments, QUART_NAMES)])
    if isinstance(app_or_blueprint, Blueprint):
        _install_in_blueprint(app_or_blueprint, parse_options(f"cors({app_or_blueprint.name})", options))
    else:
        check_app(app_or_blueprint, _is_quart, "a Quart app", "cors(app, …)")
        parsed = parse_options("cors", {name: value for name, value in options.items() if name not in APP_DEFAULTS})
        own = parse_app_options(options)
        _check_options(None, own)
        _wrapped(app_or_blueprint).set_base(parsed, own)
    return app_or_blueprint


def _wrapped(app: Quart) -> Installation:
    installation = installation_of(app)
    installation.wrap()
    return installation


def _install_in_blueprint(blueprint: Blueprint, policy: ParsedOptions) -> None:
    def register(state: Any) -> None:
        _wrapped(state.app).views.attach_to_blueprint(state, policy)

    blueprint.record(register)


def _check_options(policy: Policy | None, options: Any) -> None:
    """Check the options as far as possible without the app's configuration."""
    placeholder: Any = {} if policy else {"allow_origins": PLACEHOLDER_ORIGIN}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        Configuration(policy, **{**placeholder, **options})


def _check_arguments(place: str, policy: object, arguments: Sequence[object]) -> None:
    """Refuse options that are given as positional arguments."""
    is_policy = policy is None or isinstance(policy, Policy)
    if arguments or not is_policy:
        raise ConfigError([Issue.positional(place, arguments if is_policy else (policy, *arguments))])


def _is_quart(app: Any) -> bool:
    """Return whether `app` is a Quart app, or has the attributes of one."""
    return isinstance(app, Quart) or (hasattr(app, "asgi_app") and hasattr(app, "before_serving"))
