"""Options by Flask-CORS's names or the policy's own, parsed as options of a policy.

Each level (the app's config, keywords, a resource) is parsed by itself, then merged over the one before. The defaults
are those of Flask-CORS, whichever names are used: every origin, its seven methods, all request headers, no max-age.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple, TypedDict, cast

from asgi_cors import ConfigError, Decision, Issue, Policy, PolicyOptions
from asgi_cors_werkzeug import Resources, is_regex, list_of, parse_regex, parse_resources

Origin = str | re.Pattern[str] | Callable[[str], bool | Awaitable[bool]]
Origins = Origin | Iterable[Origin]
Names = str | Iterable[str]
Headers = str | re.Pattern[str] | Iterable[str | re.Pattern[str]]
Path = str | re.Pattern[str]
Scope = MutableMapping[str, Any]


class ViewOptions(TypedDict, total=False):
    """The options of `cross_origin`: those of Flask-CORS and the policy's own."""

    origins: Origins
    methods: Names
    allow_headers: Headers
    expose_headers: Names | None
    supports_credentials: bool
    max_age: int | str | timedelta | None
    send_wildcard: bool
    vary_header: bool
    automatic_options: bool
    always_send: bool
    allow_private_network: bool
    allow_origins: Origins
    allow_origin_regex: str | re.Pattern[str] | None
    allow_methods: Names
    allow_credentials: bool
    csrf_protection: bool | Literal["report"]
    csrf_trusted_origins: Origins
    timing_allow_origin: bool
    resource_policy: Literal["same-origin", "same-site", "cross-origin"] | None
    presets: Names
    name: str | None
    dangerously_allow: Names


class AppOptions(ViewOptions, total=False):
    """The options of `CORS`: those of `cross_origin` and those of the whole app."""

    resources: Path | Iterable[Path] | Mapping[Path, Mapping[str, Any] | Policy | None]
    intercept_exceptions: bool
    policy_for: Callable[[Scope], Any] | None
    enforce: bool | Literal["report"]
    allowed_hosts: Names | None
    report_only: Policy | Mapping[str, Any] | None
    on_decision: Callable[[Decision, Scope], object] | None


POLICY_NAMES: Final = {
    "origins": "allow_origins",
    "methods": "allow_methods",
    "supports_credentials": "allow_credentials",
}
FLASK_NAMES: Final = {name: alias for alias, name in POLICY_NAMES.items()}
WITHOUT_EFFECT: Final[Mapping[str, tuple[bool, str]]] = {
    "send_wildcard": (False, "a policy for every origin without credentials always sends a wildcard"),
    "vary_header": (True, "a cache would send the response for one site to another"),
    "always_send": (True, "a response that any site may read has the same headers for every request"),
    "intercept_exceptions": (True, "pages that may read the response may read a crash, too"),
}
AUTOMATIC_OPTIONS: Final = "automatic_options"
RESOURCES: Final = "resources"
REPORT_ONLY: Final = "report_only"
POLICY_OPTIONS: Final = tuple(PolicyOptions.__annotations__)
MIDDLEWARE_OPTIONS: Final = ("policy_for", "enforce", "allowed_hosts", REPORT_ONLY, "on_decision")
VIEW_OPTIONS: Final = frozenset(ViewOptions.__annotations__)
RESOURCE_OPTIONS: Final = VIEW_OPTIONS | {"intercept_exceptions"}
REPORT_OPTIONS: Final = frozenset((*POLICY_OPTIONS, *POLICY_NAMES))
APP_OPTIONS: Final = frozenset(AppOptions.__annotations__)
DEFAULTS: Final[Mapping[str, Any]] = {
    "allow_origins": "*",
    "allow_methods": ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"),
    "allow_headers": "*",
    "max_age": None,
}

# In place of a value that has an issue already, so that the policy reports no second one.
_PLACEHOLDER_ORIGIN, _PLACEHOLDER_HEADER = "https://example.com", "x-example"
# Keys of earlier versions of Flask-CORS that tutorials still have.
_DEAD_KEYS: Final = {"CORS_HEADERS": "Flask-CORS has not read this key since version 2; the key is CORS_ALLOW_HEADERS"}
_ORIGINS: Final = frozenset(("allow_origins", "allow_origin_regex"))
_PREFIX: Final = "CORS_"
_OPTION_IN_TEXT: Final = re.compile(rf"\ballow_\w+|\b(?:{'|'.join(POLICY_OPTIONS)})(?==)")
_HEADER_PREFIX: Final = re.compile(r"\^?([\w-]*)\.[*+]\$?", re.ASCII)


class ParsedOptions(NamedTuple):
    """One level of options.

    Attributes:
        policy: The options of a policy, by the policy's names.
        others: The other options.
        names: The name that the user wrote for each option: a keyword or a key of the config.
    """

    policy: Mapping[str, Any]
    others: Mapping[str, Any]
    names: Mapping[str, str]

    @classmethod
    def of_policy(cls, policy: Policy) -> ParsedOptions:
        """Return the options of a policy."""
        return cls({name: getattr(policy, name) for name in POLICY_OPTIONS}, {}, {})

    def merged_over(self, below: ParsedOptions) -> ParsedOptions:
        """Merge this level over another one. Its option for origins replaces all options for origins below."""
        policy = below.policy
        if self.sets_origins:
            policy = {name: value for name, value in policy.items() if name not in _ORIGINS}
        return ParsedOptions({**policy, **self.policy}, {**below.others, **self.others}, {**below.names, **self.names})

    def merged_over_config(self, config: Mapping[str, Any], *, warns: bool = False) -> ParsedOptions:
        """Merge this level over the `CORS_*` keys of an app's config.

        Args:
            config: The config.
            warns: Whether to warn of unknown and dead keys.

        Raises:
            ConfigError: As `parse_options` does. Also with the unknown keys if no option sets the origins: one may be
                misspelt, and the default is every origin.
        """
        below, unknown = _parse_config(config, warns=warns)
        options = self.merged_over(below)
        if unknown and not options.sets_origins:
            raise ConfigError(unknown)
        return options

    @property
    def sets_origins(self) -> bool:
        """Whether it sets the origins, so that the default, which is every origin, does not apply."""
        return not _ORIGINS.isdisjoint(self.policy)

    def check(self, place: str = "") -> Policy:
        """Build the policy of this level alone. If another level sets the origins, use a placeholder for them.

        Raises:
            ConfigError: As `build` does.
        """
        return self.merged_over(EMPTY if self.sets_origins else _PLACEHOLDER).build(place)

    def build(self, place: str = "") -> Policy:
        """Build the policy, with Flask-CORS's defaults.

        Args:
            place: The place of the options, for messages.

        Raises:
            ConfigError: With every mistake found, by the names that the user wrote, or else Flask-CORS's.
        """
        defaults = {name: value for name, value in DEFAULTS.items() if not (name in _ORIGINS and self.sets_origins)}
        try:
            return Policy(**{**defaults, **self.policy})
        except ConfigError as error:
            raise ConfigError([self._renamed(issue, place) for issue in error.issues]) from None

    def _renamed(self, issue: Issue, place: str) -> Issue:
        def rename(text: str) -> str:
            return _OPTION_IN_TEXT.sub(lambda found: names.get(found[0], found[0]), text)

        names = {**FLASK_NAMES, **self.names}
        option = f"{place}{names.get(issue.option, issue.option)}"
        return Issue(issue.code, option, issue.value, rename(issue.message), rename(issue.hint))


EMPTY: Final = ParsedOptions({}, {}, {})
_PLACEHOLDER: Final = ParsedOptions({"allow_origins": _PLACEHOLDER_ORIGIN}, {}, {})


def parse_options(given: Mapping[str, Any], known: frozenset[str], place: str = "") -> ParsedOptions:
    """Parse one level of options.

    Raises:
        ConfigError: With every unknown name, option that is given by both its names, and value of a wrong type.
    """
    issues = [_unknown_or_misplaced(name, known, place) for name in given if name not in known]
    policy: dict[str, Any] = {}
    others: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in given.items():
        target = POLICY_NAMES.get(name, name)
        if target in policy:
            issues.append(_twice(target, place))
        elif target in POLICY_OPTIONS:
            policy[target] = _PARSERS.get(name, _unchanged)(value, f"{place}{name}", issues)
            names[target] = name
        elif name in WITHOUT_EFFECT or name == AUTOMATIC_OPTIONS:
            others[name] = _parse_flag(name, value, place, issues)
        elif name in known:
            others[name] = _parse_nested(name, value, issues)
            names[name] = name
    options = ParsedOptions(policy, others, names)
    if issues:
        try:
            options.check(place)
        except ConfigError as error:
            issues += error.issues
        raise ConfigError(issues)
    return options


def _parse_config(config: Mapping[str, Any], *, warns: bool) -> tuple[ParsedOptions, tuple[Issue, ...]]:
    """Parse the app's `CORS_*` keys. Return also an issue for each unknown key.

    Raises:
        ConfigError: As `parse_options` does.
    """
    names = {f"{_PREFIX}{name.upper()}": name for name in APP_OPTIONS}
    others = [key for key in [*config] if key.startswith(_PREFIX) and key not in names]
    unknown = tuple(_unknown(key, names, "") for key in others if key not in _DEAD_KEYS)
    dead = [Issue("dead-key", key, config[key], _DEAD_KEYS[key], "Delete it.") for key in others if key in _DEAD_KEYS]
    for issue in (*unknown, *dead) if warns else ():
        issue.warn()
    given = {name: config[key] for key, name in names.items() if config.get(key) is not None}
    try:
        options = parse_options(given, APP_OPTIONS)
    except ConfigError as error:
        raise ConfigError(map(_by_key, error.issues)) from None
    keys = {name: f"{_PREFIX}{alias.upper()}" for name, alias in options.names.items()}
    return options._replace(names=keys), unknown


def _by_key(issue: Issue) -> Issue:
    """Return a mistake in the app's config, with the config's key in place of the option's name."""
    name, rest = re.findall(r"(\w*)(.*)", issue.option, re.DOTALL)[0]
    return replace(issue, option=f"{_PREFIX}{name.upper()}{rest}")


def _parse_nested(name: str, value: Any, issues: list[Issue]) -> Any:
    """Parse `resources` and `report_only`, which contain options."""
    if name == RESOURCES:
        return _parse_table(value, issues)
    return _parse_report_only(value, issues) if name == REPORT_ONLY else value


def _parse_report_only(value: Any, issues: list[Issue]) -> Any:
    """Parse a mapping of options. Other values are left for the middleware to check."""
    if not isinstance(value, Mapping):
        return value
    try:
        options = parse_options(cast("Mapping[str, Any]", value), REPORT_OPTIONS, f"{REPORT_ONLY}.")
        options.check(f"{REPORT_ONLY}.")
    except ConfigError as error:
        issues += error.issues
        return None
    return options


def _parse_table(value: Any, issues: list[Issue]) -> Resources:
    """Parse the resources: `ParsedOptions`, a Policy or None for each path."""
    try:
        table = parse_resources(value)
    except ConfigError as error:
        issues += error.issues
        return Resources()
    for path, options in table.items():
        place = f"{table.describe(path)}."
        if isinstance(options, Mapping):
            try:
                table[path] = parse_options(cast("Mapping[str, Any]", options), RESOURCE_OPTIONS, place)
            except ConfigError as error:
                issues += error.issues
        elif options is not None and not isinstance(options, Policy):
            hint = "Use a dict of options, such as {'max_age': 60}, a Policy, or None."
            issues.append(Issue.wrong_type(place.rstrip("."), options, "a mapping of options, a Policy or None", hint))
    return table


# -- values


def _parse_each(value: Any, option: str, issues: list[Issue], parse: Callable[[Any, str, list[Issue]], object]) -> Any:
    """Parse a value, or each entry of a collection."""
    entries = None if isinstance(value, (str, re.Pattern)) else list_of(value)
    return parse(value, option, issues) if entries is None else [parse(entry, option, issues) for entry in entries]


def _parse_origins(value: Any, option: str, issues: list[Issue]) -> object:
    return _parse_each(value, option, issues, _parse_origin)


def _parse_origin(entry: Any, option: str, issues: list[Issue]) -> object:
    """Compile a string that can only be a regular expression. Ignore its case, since browsers send lower case."""
    if not isinstance(entry, str) or entry == "*" or not is_regex(entry) or _is_pattern(entry):
        return entry
    if entry == ".*":
        return "*"
    return parse_regex(entry, option, issues, re.IGNORECASE) or _PLACEHOLDER_ORIGIN


def _is_pattern(text: str) -> bool:
    try:
        Policy(allow_origins=text)
    except ConfigError:
        return False
    return True


def _parse_methods(value: Any, _option: str, _issues: list[Issue]) -> object:
    names = _split(value)
    if not isinstance(names, list):
        return names
    return [name.upper() if isinstance(name, str) else name for name in cast("list[object]", names)]


def _parse_headers(value: Any, option: str, issues: list[Issue]) -> object:
    return _parse_each(value, option, issues, _parse_header)


def _parse_header(entry: Any, option: str, issues: list[Issue]) -> object:
    """Parse a regular expression for a common prefix as that prefix. No other kind is supported."""
    text: object = getattr(entry, "pattern", entry)
    if not isinstance(text, str) or (text is entry and not is_regex(text)):
        return entry
    if text is entry and re.fullmatch(r"[\w-]*\*", text, re.ASCII):
        return text
    if prefix := _HEADER_PREFIX.fullmatch(text):
        return f"{prefix[1]}*"
    message = f"{text!r} is a regular expression, not a name or a prefix"
    issues.append(Issue("header-regex", option, entry, message, "Write the names, or a prefix such as 'x-company-*'."))
    return _PLACEHOLDER_HEADER


def _parse_exposed(value: Any, _option: str, _issues: list[Issue]) -> object:
    return () if value is None else _split(value)


def _parse_max_age(value: Any, _option: str, _issues: list[Issue]) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _split(value: Any) -> Any:
    """Split a string at its commas, as Flask-CORS does. Sort other collections of names."""
    if isinstance(value, str):
        return value if value == "*" else [name.strip() for name in value.split(",")]
    names = list_of(value)
    if names is None:
        return value
    return sorted(names) if all(isinstance(name, str) for name in names) else names


def _unchanged(value: Any, _option: str, _issues: list[Issue]) -> object:
    return value


_PARSERS: Final = {
    "origins": _parse_origins,
    "methods": _parse_methods,
    "allow_headers": _parse_headers,
    "expose_headers": _parse_exposed,
    "max_age": _parse_max_age,
}


def _parse_flag(name: str, value: Any, place: str, issues: list[Issue]) -> object:
    if not isinstance(value, bool):
        hint = "Leave it out." if name in WITHOUT_EFFECT else f"Write {name}=True."
        issues.append(Issue.wrong_type(f"{place}{name}", value, "True or False", hint))
    elif name in WITHOUT_EFFECT and value is not WITHOUT_EFFECT[name][0]:
        message = f"{value} has no effect: {WITHOUT_EFFECT[name][1]}"
        Issue("without-effect", f"{place}{name}", value, message, "Leave it out.").warn()
    return value


# -- issues


def _unknown_or_misplaced(name: object, known: Iterable[str], place: str) -> Issue:
    if name not in MIDDLEWARE_OPTIONS:
        return _unknown(name, known, place)
    message = "this option applies to the whole app, not to a view or path"
    return Issue("option-of-app", f"{place}{name}", name, message, "Write it in CORS(app, …).")


def _unknown(name: object, known: Iterable[str], place: str) -> Issue:
    issue = Issue.unknown(name, known)
    return replace(issue, option=f"{place}{name}")


def _twice(name: str, place: str) -> Issue:
    alias = FLASK_NAMES[name]
    message = f"{alias} and {name} are the same option"
    return Issue("option-twice", f"{place}{alias}", name, message, "Write one of them.")
