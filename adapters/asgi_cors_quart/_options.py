"""Options by Quart-CORS's names or the policy's own, parsed as options of a policy.

If an option is left out, the app's `QUART_CORS_*` configuration or else the default applies. The configuration may
change while the app serves. The options are therefore stored, and the policy is built anew.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, cast

from asgi_cors import AttachedPolicy, ConfigError, ConfigWarning, Issue, MiddlewareOptions, Policy, PolicyOptions
from asgi_cors_werkzeug import list_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

Origin = str | re.Pattern[str] | Callable[[str], "bool | Awaitable[bool]"]
Config = Mapping[str, Any]


class WebsocketOptions(TypedDict, total=False):
    """The options of `websocket_cors`. None means the same as leaving an option out."""

    allow_origin: Origin | Iterable[Origin] | None
    allow_credentials: bool | None
    send_origin_wildcard: bool | None
    name: str | None
    dangerously_allow: str | Iterable[str] | None


class Options(WebsocketOptions, total=False):
    """The options of `cors` and `route_cors`. None means the same as leaving an option out."""

    allow_headers: str | Iterable[str] | None
    allow_methods: str | Iterable[str] | None
    expose_headers: str | Iterable[str] | None
    max_age: timedelta | float | str | None
    csrf_protection: bool | Literal["report"] | None
    csrf_trusted_origins: Origin | Iterable[Origin] | None
    timing_allow_origin: bool | None
    resource_policy: Literal["same-origin", "same-site", "cross-origin"] | None
    presets: str | Iterable[str] | None


class AppOptions(Options, total=False):
    """The options of `cors(app)`: those of `route_cors` and those of the whole app."""

    enforce: bool | Literal["report"] | None
    allowed_hosts: str | Iterable[str] | None
    report_only: Policy | Options | None


PREFIX: Final = "QUART_CORS_"
# Quart-CORS's names for the policy's options. `send_origin_wildcard` has no effect: every origin is always sent as `*`.
NAMES: Final = {
    "allow_origin": "allow_origins",
    "allow_credentials": "allow_credentials",
    "allow_headers": "allow_headers",
    "allow_methods": "allow_methods",
    "expose_headers": "expose_headers",
    "max_age": "max_age",
    "send_origin_wildcard": None,
    "csrf_protection": "csrf_protection",
    "csrf_trusted_origins": "csrf_trusted_origins",
    "timing_allow_origin": "timing_allow_origin",
    "resource_policy": "resource_policy",
    "presets": "presets",
    "name": "name",
    "dangerously_allow": "dangerously_allow",
}
QUART_NAMES: Final = {name: alias for alias, name in NAMES.items() if name}
REPORT_ONLY: Final = "report_only"
# The options of the whole app that the configuration may set, with their defaults.
APP_DEFAULTS: Final[MiddlewareOptions] = {"enforce": False, "allowed_hosts": None, "report_only": None}
APP_ONLY: Final = MiddlewareOptions.__annotations__.keys() - PolicyOptions.__annotations__.keys()
KEYS: Final = {PREFIX + name.upper(): name for name in NAMES}
APP_KEYS: Final = {PREFIX + name.upper(): name for name in APP_DEFAULTS}
DEFAULTS: Final[Mapping[str, Any]] = {
    "allow_origins": "*",
    "allow_methods": ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"),
    "allow_headers": "*",
    "max_age": None,
}
PLACEHOLDER_ORIGIN: Final = "https://placeholder.invalid"


class ParsedOptions(AttachedPolicy):
    """The options of one decorator or one call, and the key of the policy that they make.

    Args:
        place: The place of the options, such as `route_cors(index)`, for messages and logs.
        options: Options of a policy.
        names: The names that the user wrote, if they are not the policy's.
        defaults: Options for which neither `options` nor the configuration has a value.
    """

    def __init__(
        self, place: str, options: Mapping[str, Any], names: Mapping[str, str], defaults: Mapping[str, Any]
    ) -> None:
        """Store the options; see the class."""
        super().__init__(place)
        self.options = options
        self.names = names
        self._defaults = defaults

    def check(self) -> None:
        """Check the options as far as possible without the configuration. Warnings are left to `policy`.

        Raises:
            ConfigError: With every mistake found.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConfigWarning)
            self._build({"allow_origins": PLACEHOLDER_ORIGIN}, self.options, {})

    def policy(self, config: Config) -> Policy:
        """Build the policy, with the options that the app's configuration adds.

        Raises:
            ConfigError: With every mistake found. Each names the option or the configuration's key.
        """
        configured = _parse_config(config)
        options = {**configured, **self.options}
        unknown = unknown_keys(config)
        if unknown and "allow_origins" in self._defaults.keys() - options:
            raise ConfigError(unknown)  # it may be a misspelt QUART_CORS_ALLOW_ORIGIN, and the default is every origin
        keys = {name: PREFIX + QUART_NAMES[name].upper() for name in configured}
        return self._build(self._defaults, options, keys)

    def _build(self, defaults: Mapping[str, Any], options: Mapping[str, Any], keys: Mapping[str, str]) -> Policy:
        try:
            return Policy(**{**defaults, **options})
        except ConfigError as error:
            raise ConfigError(self._renamed(issue, keys) for issue in error.issues) from None

    def _renamed(self, issue: Issue, keys: Mapping[str, str]) -> Issue:
        """Return an issue with the option's place, by the name that the user wrote."""
        if issue.option not in self.options and issue.option in keys:
            return dataclasses.replace(issue, option=keys[issue.option])
        name = self.names.get(issue.option, issue.option)
        hint = issue.hint.replace(f"{issue.option}=", f"{name}=")
        return dataclasses.replace(issue, option=f"{self.place}.{name}", hint=hint)


class ParsedWebsocketOptions(ParsedOptions):
    """The options of `websocket_cors`. Named origins are allowed with cookies, since handshakes always send them."""

    def _build(self, defaults: Mapping[str, Any], options: Mapping[str, Any], keys: Mapping[str, str]) -> Policy:
        origins = {**defaults, **options}["allow_origins"]
        entries = [*cast("Iterable[object]", origins)] if isinstance(origins, Iterable) else ()
        is_any = bool(entries) and all(isinstance(entry, str) and entry == "*" for entry in entries)
        return super()._build({**defaults, "allow_credentials": not is_any}, options, keys)


def parse_options(place: str, given: Mapping[str, object], *, websocket: bool = False) -> ParsedOptions:
    """Parse options by Quart-CORS's names.

    Raises:
        ConfigError: With every unknown option, or every value that is invalid in any configuration.
    """
    known = (WebsocketOptions if websocket else Options).__annotations__
    unknown = [_unknown_or_misplaced(name, known) for name in given if name not in known]
    if unknown:
        raise ConfigError(dataclasses.replace(issue, option=f"{place}.{issue.option}") for issue in unknown)
    options = {name: _repeatable(value) for name, value in given.items() if value is not None}
    parsed = ParsedWebsocketOptions if websocket else ParsedOptions
    found = parsed(place, _parse(options), QUART_NAMES, DEFAULTS)
    found.check()
    return found


def _unknown_or_misplaced(name: object, known: Iterable[str]) -> Issue:
    if name not in APP_ONLY:
        return Issue.unknown(name, known)
    message = "this option applies to the whole app, not to a view or blueprint"
    return Issue("option-of-app", f"{name}", name, message, "Write it in CORS(app, …).")


def parse_app_options(given: Mapping[str, Any]) -> MiddlewareOptions:
    """Parse the options of `cors(app)` that apply to the whole app.

    Raises:
        ConfigError: With every mistake in the options of `report_only`.
    """
    options = {name: _repeatable(given[name]) for name in APP_DEFAULTS if given.get(name) is not None}
    return _with_report_only(options, REPORT_ONLY)


def parse_app_config(config: Config) -> MiddlewareOptions:
    """Parse the keys of the configuration that apply to the whole app.

    Raises:
        ConfigError: With every mistake in the options of `report_only`.
    """
    options = {name: config[key] for key, name in APP_KEYS.items() if config.get(key) is not None}
    return _with_report_only(options, PREFIX + REPORT_ONLY.upper())


def _with_report_only(options: dict[str, Any], place: str) -> MiddlewareOptions:
    """Return the options, with those of `report_only` by the policy's names."""
    value = options.get(REPORT_ONLY)
    if isinstance(value, Mapping):
        options[REPORT_ONLY] = parse_options(place, cast("Mapping[str, object]", value)).options
    return cast("MiddlewareOptions", options)


def by_user_names(error: ConfigError, keywords: Iterable[str], names: Mapping[str, str]) -> ConfigError:
    """Return an error of options of the whole app, by the names that the user wrote.

    Args:
        error: The error.
        keywords: The options that are keywords. The others are keys of the configuration.
        names: The names of keywords, if they are not the policy's.
    """

    def rename(issue: Issue) -> Issue:
        name, dot, rest = issue.option.partition(".")
        if name not in APP_DEFAULTS:
            return issue
        if name in keywords:
            return dataclasses.replace(issue, option=f"{name}{dot}{names.get(rest, rest)}")
        return dataclasses.replace(issue, option=f"{PREFIX}{name.upper()}{dot}{QUART_NAMES.get(rest, rest)}")

    return ConfigError(map(rename, error.issues))


def _repeatable(value: object) -> object:
    """Return an iterator as a list, since the policy is built anew with each configuration."""
    return [*cast("Iterator[object]", value)] if isinstance(value, Iterator) else value


def _parse_config(config: Config) -> dict[str, Any]:
    """Return the configuration as options of a policy."""
    return _parse({name: config[key] for key, name in KEYS.items() if key in config})


def _parse(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy's options for those of Quart-CORS. A value of a wrong type is left for the policy to refuse."""
    found = {name: options[alias] for name, alias in QUART_NAMES.items() if alias in options}
    exposed = found.get("expose_headers")
    if (names := list_of(exposed)) is not None and not (exposed and isinstance(exposed, str)):
        found["expose_headers"] = [name for name in names if not (isinstance(name, str) and not name)]
    if isinstance(age := found.get("max_age"), (float, str)):
        found["max_age"] = _parse_seconds(age)
    return found


def _parse_seconds(age: float | str) -> Any:
    """Return a number of seconds, or the value itself for the policy to refuse."""
    try:
        return int(float(age))
    except (ValueError, OverflowError):
        return age


def unknown_keys(config: Config) -> list[Issue]:
    """Return an issue for each unknown `QUART_CORS_*` key."""
    known = {**KEYS, **APP_KEYS}
    return [Issue.unknown(key, known) for key in [*config] if key.startswith(PREFIX) and key not in known]
