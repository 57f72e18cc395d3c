"""What is written, in the names of Quart-CORS or in the policy's own, and the policy that it comes to.

What a setting leaves out, the app's `QUART_CORS_*` configuration says; what that leaves out, the defaults. The
configuration may change while the app serves, so a setting keeps no policy: it makes one.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from asgi_cors import ConfigError, ConfigWarning, Issue, Policy
from asgi_cors_werkzeug import AttachedPolicy, list_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

Origin = str | re.Pattern[str] | Callable[[str], "bool | Awaitable[bool]"]
Config = Mapping[str, Any]


class WebsocketOptions(TypedDict, total=False):
    """The options of `websocket_cors`; None is as good as left out."""

    allow_origin: Origin | Iterable[Origin] | None
    allow_credentials: bool | None
    send_origin_wildcard: bool | None


class Options(WebsocketOptions, total=False):
    """The options of `cors` and `route_cors`; None is as good as left out."""

    allow_headers: str | Iterable[str] | None
    allow_methods: str | Iterable[str] | None
    expose_headers: str | Iterable[str] | None
    max_age: timedelta | float | str | None


PREFIX: Final = "QUART_CORS_"
# Quart-CORS's names, and the policy's; the answer to any origin is always `*`, so `send_origin_wildcard` says nothing.
NAMES: Final = {
    "allow_origin": "allow_origins",
    "allow_credentials": "allow_credentials",
    "allow_headers": "allow_headers",
    "allow_methods": "allow_methods",
    "expose_headers": "expose_headers",
    "max_age": "max_age",
    "send_origin_wildcard": None,
}
KEYS: Final = {PREFIX + name.upper(): name for name in NAMES}
DEFAULTS: Final[Mapping[str, Any]] = {
    "allow_origins": "*",
    "allow_methods": ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"),
    "allow_headers": "*",
    "max_age": None,
}
SOMEBODY: Final = "https://somebody.invalid"


class Setting(AttachedPolicy):
    """The options of one decorator or one call.

    Args:
        place: What people call it, as `route_cors(index)`.
        given: Options of a policy.
        names: The names that people wrote for them, where these are others.
        defaults: What holds where neither `given` nor the configuration says anything.
    """

    def __init__(
        self, place: str, given: Mapping[str, Any], names: Mapping[str, str], defaults: Mapping[str, Any]
    ) -> None:
        """Keep what was written; see the class."""
        super().__init__(place)
        self.place = place
        self._given = given
        self._names = names
        self._defaults = defaults

    def check(self) -> None:
        """Refuse what is wrong whatever the configuration says; what is doubtful, `policy` warns of.

        Raises:
            ConfigError: With every mistake found.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConfigWarning)
            self._policy({"allow_origins": SOMEBODY}, self._given, {})

    def policy(self, config: Config) -> Policy:
        """Make the policy, with what the app's configuration adds.

        Raises:
            ConfigError: With every mistake found; each names the option or the configuration's key.
        """
        configured, keys = _read_config(config)
        options = {**configured, **self._given}
        unknown = unknown_keys(config)
        if unknown and "allow_origins" in self._defaults.keys() - options:
            raise ConfigError(unknown)  # one of them may be meant to keep from everybody what the default opens
        return self._policy(self._defaults, options, keys)

    def _policy(self, defaults: Mapping[str, Any], options: Mapping[str, Any], keys: Mapping[str, str]) -> Policy:
        try:
            return Policy(**{**defaults, **options})
        except ConfigError as error:
            raise ConfigError(self._named(issue, keys) for issue in error.issues) from None

    def _named(self, issue: Issue, keys: Mapping[str, str]) -> Issue:
        """Name the option as people wrote it, and where."""
        if issue.option not in self._given and issue.option in keys:
            return dataclasses.replace(issue, option=keys[issue.option])
        name = self._names.get(issue.option, issue.option)
        hint = issue.hint.replace(f"{issue.option}=", f"{name}=")
        return dataclasses.replace(issue, option=f"{self.place}.{name}", hint=hint)


class WebsocketSetting(Setting):
    """The options of `websocket_cors`, whose named origins are let in with cookies: browsers send them unasked."""

    def _policy(self, defaults: Mapping[str, Any], options: Mapping[str, Any], keys: Mapping[str, str]) -> Policy:
        origins = {**defaults, **options}["allow_origins"]
        entries = [*cast("Iterable[object]", origins)] if isinstance(origins, Iterable) else ()
        is_any = bool(entries) and all(isinstance(entry, str) and entry == "*" for entry in entries)
        return super()._policy({**defaults, "allow_credentials": not is_any}, options, keys)


def read(place: str, options: Mapping[str, object], *, websocket: bool = False) -> Setting:
    """Read options in Quart-CORS's names.

    Raises:
        ConfigError: Of an unknown option, and of every value that is wrong whatever the configuration says.
    """
    known = (WebsocketOptions if websocket else Options).__annotations__
    unknown = [Issue.unknown(name, known) for name in options if name not in known]
    if unknown:
        raise ConfigError(dataclasses.replace(issue, option=f"{place}.{issue.option}") for issue in unknown)
    given = {name: _repeatable(value) for name, value in options.items() if value is not None}
    names = {policys: name for name, policys in NAMES.items() if policys}
    kind = WebsocketSetting if websocket else Setting
    setting = kind(place, _translated(given), names, DEFAULTS)
    setting.check()
    return setting


def _repeatable(value: object) -> object:
    """Return an iterator as a list: options are read once for themselves, and once with each configuration."""
    return [*cast("Iterator[object]", value)] if isinstance(value, Iterator) else value


def _read_config(config: Config) -> tuple[dict[str, Any], dict[str, str]]:
    """Give what the configuration says, as options of a policy, and the keys that said it."""
    found = {name: config[key] for key, name in KEYS.items() if key in config}
    keys = {policys: key for key, name in KEYS.items() if (policys := NAMES[name]) and key in config}
    return _translated(found), keys


def _translated(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the policy's options for those of Quart-CORS; a value of a wrong type is for the policy to refuse."""
    policys = {policys: options[name] for name, policys in NAMES.items() if policys and name in options}
    exposed = policys.get("expose_headers")
    if (names := list_of(exposed)) is not None and not (exposed and isinstance(exposed, str)):
        policys["expose_headers"] = [name for name in names if not (isinstance(name, str) and not name)]
    if isinstance(age := policys.get("max_age"), (float, str)):
        policys["max_age"] = _seconds(age)
    return policys


def _seconds(age: float | str) -> Any:
    """Read a number of seconds; whatever is none is for the policy to refuse."""
    try:
        return int(float(age))
    except (ValueError, OverflowError):
        return age


def unknown_keys(config: Config) -> list[Issue]:
    """Find the keys that look like ours, but that nothing reads."""
    return [Issue.unknown(key, KEYS) for key in [*config] if key.startswith(PREFIX) and key not in KEYS]
