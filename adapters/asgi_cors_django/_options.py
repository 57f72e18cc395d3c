"""The settings `CORS_*`: those of django-cors-headers, and one for each option of the core's middleware.

`CORS_MAX_AGE` is the option `max_age`, and so on. Methods, headers and the max-age have the defaults of
django-cors-headers.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

from django.conf import settings

from asgi_cors import (
    DENY_ALL,
    ConfigError,
    Configuration,
    ConfigWarning,
    Issue,
    MiddlewareOptions,
    Policy,
)

from ._database import with_database
from ._regexes import parse_regex, parse_urls_regex
from .defaults import default_headers, default_methods

PREFIX: Final = "CORS_"
TRUSTED_SETTING: Final = "CSRF_TRUSTED_ORIGINS"
PASS_THROUGH: Final[Mapping[Any, None]] = {"/*": None}

_PROTECTION, _TRUSTED = "csrf_protection", "csrf_trusted_origins"
_REGEXES, _ALLOW_ALL, _URLS = "regexes", "allow_all", "urls"
_OWN: Final = {PREFIX + name.upper(): name for name in MiddlewareOptions.__annotations__}
_OTHERS: Final = {  # the names of django-cors-headers, the old ones included
    "CORS_ALLOWED_ORIGINS": "allow_origins",
    "CORS_ORIGIN_WHITELIST": "allow_origins",
    "CORS_ALLOWED_ORIGIN_REGEXES": _REGEXES,
    "CORS_ORIGIN_REGEX_WHITELIST": _REGEXES,
    "CORS_ALLOW_ALL_ORIGINS": _ALLOW_ALL,
    "CORS_ORIGIN_ALLOW_ALL": _ALLOW_ALL,
    "CORS_PREFLIGHT_MAX_AGE": "max_age",
    "CORS_URLS_REGEX": _URLS,
}
KNOWN: Final = {**_OWN, **_OTHERS}
_REMOVED: Final = {  # and the version of django-cors-headers that has removed it
    "CORS_MODEL": "3.0",
    "CORS_REPLACE_HTTPS_REFERER": "4.0",
}
DEFAULTS: Final[Mapping[str, Any]] = {
    "allow_methods": default_methods,
    "allow_headers": default_headers,
    "max_age": 86400,
}
# An option in a sentence. If its name is also an English word, it is an option only before a value.
_OPTION: Final = re.compile(
    "|".join(
        rf"(?<!['\w]){name}(?:=|\b)" if "_" in name else rf"\b{name}=" for name in MiddlewareOptions.__annotations__
    )
)
_MIDDLEWARE_DEFAULTS: Final = MiddlewareOptions(
    paths=None,
    policy_for=None,
    vary=(),
    enforce=False,
    check_websockets=True,
    allowed_hosts=None,
    report_only=None,
    on_decision=None,
)


class Parsed(NamedTuple):
    """The settings, as options of the core.

    Args:
        options: The options.
        names: The setting of each option that is set.
        regexes: The regular expressions that become entries of other options.
        errors: The mistakes that the core does not find.
        warnings: The probable mistakes.
    """

    options: dict[str, Any]
    names: dict[str, str]
    regexes: dict[str, list[re.Pattern[str]]]
    errors: list[Issue]
    warnings: list[Issue]

    def apply(self, configuration: Configuration) -> None:
        """Replace the options of a configuration, and collect the warnings.

        Raises:
            ConfigError: With every mistake found. Nothing is replaced then.
        """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                if self.errors:
                    Configuration(describe_path=describe_path, **cast("Any", self.options))
                else:
                    configuration.reconfigure(None if self.names else DENY_ALL, **cast("Any", self.options))
            except ConfigError as error:
                raise ConfigError([*self.errors, *map(self.rename, error.issues)]) from None
        if self.errors:
            raise ConfigError(self.errors)
        found = (each.message for each in caught)
        self.warnings.extend(self.rename(each.issue) for each in found if isinstance(each, ConfigWarning))

    def rename(self, issue: Issue) -> Issue:
        """Return an issue of an option as one of the setting."""
        option, dot, rest = issue.option.partition(".")
        renamed = dataclasses.replace(issue, option=f"{self._setting_of(issue, option)}{dot}{rest}")
        if dot:
            return renamed  # of an option in a dict, which has our names
        message, hint = (_OPTION.sub(self._replace_option, text) for text in (issue.message, issue.hint))
        return dataclasses.replace(renamed, message=message, hint=hint)

    def _replace_option(self, match: re.Match[str]) -> str:
        option, equals = match[0].removesuffix("="), match[0].endswith("=")
        return f"{self._setting_in_hint(option)}{' = ' if equals else ''}"

    def _setting_of(self, issue: Issue, option: str) -> str:
        """Return the setting of an issue. Some settings are entries of one option."""
        text = getattr(issue.value, "pattern", issue.value)
        place = {"allow_origins": _REGEXES, "paths": _URLS}.get(option)
        if place is not None and any(regex.pattern == text for regex in self.regexes.get(place, ())):
            return self.names[place]
        return self._setting(option)

    def _setting_in_hint(self, option: str) -> str:
        """Return the setting to write."""
        return (
            "CORS_ALLOWED_ORIGINS" if option == "allow_origins" and _ALLOW_ALL in self.names else self._setting(option)
        )

    def _setting(self, option: str) -> str:
        """Return the setting of an option; other text unchanged."""
        if option == "allow_origins":
            return self.names.get(option, "CORS_ALLOWED_ORIGINS")
        is_option = option in MiddlewareOptions.__annotations__
        return self.names.get(option, PREFIX + option.upper()) if is_option else option


def describe_path(path: object) -> str:
    """Return a path pattern as the setting has it, for messages."""
    return f"CORS_PATHS[{path!r}]"


def with_trusted_origins(policy: Policy) -> Policy:
    """Return a policy with `CSRF_TRUSTED_ORIGINS`, if it has `csrf_protection` and no `csrf_trusted_origins`."""
    trusted = _trusted_origins()
    if not policy.csrf_protection or policy.csrf_trusted_origins or not trusted:
        return policy
    return policy.replace(csrf_trusted_origins=trusted)


def _trusted_origins() -> list[Any]:
    """Return the entries of `CSRF_TRUSTED_ORIGINS` for the core. There, `*.` does not match the domain itself."""
    value: object = settings.CSRF_TRUSTED_ORIGINS
    entries: list[Any] = []
    if isinstance(value, Iterable) and not isinstance(value, str):
        for entry in cast("Iterable[object]", value):
            entries.append(entry)
            if isinstance(entry, str) and "://*." in entry:
                entries.append(entry.replace("://*.", "://", 1))
    return entries


def parse_settings() -> Parsed:
    """Parse the settings. The core refuses invalid values. Only settings without an option are checked here."""
    parsed = Parsed({**_MIDDLEWARE_DEFAULTS}, {}, {}, [], [])
    values: dict[str, Any] = {}
    for setting in sorted({name for name in dir(settings) if name.startswith(PREFIX)}):
        if setting in KNOWN:
            _add(parsed, values, setting)
        else:
            parsed.warnings.append(_unknown(setting))
    if not values:
        parsed.options["paths"] = PASS_THROUGH
        return parsed
    parsed.options.update(DEFAULTS)
    parsed.options.update({name: value for name, value in values.items() if name in _OWN.values()})
    _parse_max_age(parsed)
    _parse_origins(parsed, values)
    _parse_urls(parsed, values)
    _complete(parsed)
    parsed.options.update(with_database(parsed.options))
    return parsed


def _unknown(setting: str) -> Issue:
    """Describe a setting that does not exist, or no longer."""
    issue = Issue.unknown(setting, KNOWN, kind="setting")
    if setting not in _REMOVED:
        return issue
    message = f"django-cors-headers has not read this setting since version {_REMOVED[setting]}"
    return dataclasses.replace(issue, message=message, hint="Delete it.")


def _add(parsed: Parsed, values: dict[str, Any], setting: str) -> None:
    """Add the value of a setting. Two names of one option are a mistake."""
    option = KNOWN[setting]
    if option in parsed.names:
        first = parsed.names[option]
        message = f"{first} and {setting} are set, which are two names of one option"
        hint = f"Remove {setting if setting in _OTHERS else first}."
        parsed.errors.append(Issue("two-names", setting, getattr(settings, setting), message, hint))
        return
    parsed.names[option] = setting
    values[option] = getattr(settings, setting)


def _parse_max_age(parsed: Parsed) -> None:
    """Send no header for a `CORS_PREFLIGHT_MAX_AGE` of 0, as django-cors-headers does."""
    if parsed.names.get("max_age") == "CORS_PREFLIGHT_MAX_AGE" and parsed.options["max_age"] in (0, None):
        parsed.options["max_age"] = None


def _parse_origins(parsed: Parsed, values: Mapping[str, Any]) -> None:
    """Merge the settings of origins into `allow_origins`."""
    allow_all = values.get(_ALLOW_ALL, False)
    if not isinstance(allow_all, bool):
        setting = parsed.names[_ALLOW_ALL]
        parsed.errors.append(Issue.wrong_type(setting, allow_all, "True or False", f"Write {setting} = False."))
    elif allow_all:
        parsed.options["allow_origins"] = "*"
        parsed.options["allow_origin_regex"] = None
        for option in ("allow_origins", "allow_origin_regex", _REGEXES):
            if values.get(option):
                _warn_redundant(parsed, option)
        parsed.names["allow_origins"] = parsed.names[_ALLOW_ALL]
        return
    regexes = _parse_regexes(parsed, values)
    if regexes:
        origins = values.get("allow_origins", ())
        is_list = isinstance(origins, Iterable) and not isinstance(origins, str)
        parsed.options["allow_origins"] = [*(cast("Iterable[Any]", origins) if is_list else (origins,)), *regexes]


def _warn_redundant(parsed: Parsed, option: str) -> None:
    setting, all_setting = parsed.names[option], parsed.names[_ALLOW_ALL]
    message = f"{all_setting} allows every origin, so {setting} has no effect"
    parsed.warnings.append(Issue("redundant-entry", setting, None, message, f"Remove {setting} or {all_setting}."))


def _parse_regexes(parsed: Parsed, values: Mapping[str, Any]) -> list[re.Pattern[str]]:
    """Return the compiled regular expressions of origins."""
    value, setting = values.get(_REGEXES, ()), parsed.names.get(_REGEXES, "")
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        hint = f"Write {setting} = [r'https://\\w+\\.example\\.com']."
        parsed.errors.append(Issue.wrong_type(setting, cast("object", value), "a list of regular expressions", hint))
        return []
    found = [parse_regex(entry, parsed.errors, setting) for entry in cast("Iterable[object]", value)]
    parsed.regexes[_REGEXES] = [*filter(None, found)]
    return parsed.regexes[_REGEXES]


def _parse_urls(parsed: Parsed, values: Mapping[str, Any]) -> None:
    """Limit the policy to the paths of `CORS_URLS_REGEX`. Those of `CORS_PATHS` have policies of their own."""
    if _URLS not in values:
        return
    regexes = parse_urls_regex(values[_URLS], parsed.errors, "CORS_URLS_REGEX")
    paths = parsed.options["paths"]
    parsed.regexes[_URLS] = regexes or []
    if regexes and (paths is None or isinstance(paths, Mapping)):
        parsed.options["paths"] = {**PASS_THROUGH, **{regex: {} for regex in regexes}, **(paths or {})}


def _complete(parsed: Parsed) -> None:
    """Use `CSRF_TRUSTED_ORIGINS` if `csrf_protection` is on and `csrf_trusted_origins` is not given.

    Functions may use the database.
    """
    trusted = _trusted_origins()
    if trusted and parsed.options.get(_PROTECTION) and _TRUSTED not in parsed.options:
        parsed.options[_TRUSTED] = trusted
        parsed.names[_TRUSTED] = TRUSTED_SETTING
    paths, report_only = parsed.options["paths"], parsed.options["report_only"]
    if isinstance(paths, Mapping):
        own = cast("Mapping[object, object]", paths).items()
        parsed.options["paths"] = {path: _completed(parsed, describe_path(path), value) for path, value in own}
    parsed.options["report_only"] = _completed(parsed, "CORS_REPORT_ONLY", report_only)


def _completed(parsed: Parsed, place: str, value: Any) -> Any:
    """Return the policy or the options of a path, or of `CORS_REPORT_ONLY`, as `_complete` does."""
    if isinstance(value, Policy):
        try:
            return with_trusted_origins(with_database(value))
        except ConfigError as error:
            parsed.errors.extend(dataclasses.replace(issue, option=f"{place}.{issue.option}") for issue in error.issues)
            return value
    options = cast("Mapping[str, Any]", value)
    if isinstance(value, Mapping) and options.get(_PROTECTION) and _TRUSTED not in value:
        trusted = _trusted_origins()
        return with_database({**options, _TRUSTED: trusted} if trusted else options)
    return with_database(value)
