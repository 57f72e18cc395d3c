"""Options by Flask-CORS's names or the policy's own, made options of a policy.

Each level, the app's config, keywords, a resource, is read by itself, then laid over the one before. Defaults are those
of Flask-CORS, whichever names are used: every origin, its seven methods, all request headers, no max-age.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast

from asgi_cors import ConfigError, Issue, Policy
from asgi_cors_werkzeug import Resources, is_regex, list_of, read_regex, read_resources

POLICY_NAMES: Final = {
    "origins": "allow_origins",
    "methods": "allow_methods",
    "supports_credentials": "allow_credentials",
}
FLASK_NAMES: Final = {name: alias for alias, name in POLICY_NAMES.items()}
WITHOUT_EFFECT: Final[Mapping[str, tuple[bool, str]]] = {
    "send_wildcard": (False, "every origin without credentials is answered by a wildcard anyway"),
    "vary_header": (True, "caches would give one site what another one was sent"),
    "always_send": (True, "whether a request names its origin makes no difference to an answer that any may read"),
    "intercept_exceptions": (True, "a crash is readable for the pages that may read the answer"),
}
AUTOMATIC_OPTIONS: Final = "automatic_options"
RESOURCES: Final = "resources"
OF_POLICY: Final = (
    *("allow_origins", "allow_origin_regex", "allow_methods", "allow_headers", "expose_headers"),
    *("allow_credentials", "max_age", "allow_private_network", "dangerously_allow"),
)
OF_MIDDLEWARE: Final = ("policy_for", "enforce", "on_decision")
OF_VIEWS: Final = frozenset((*OF_POLICY, *POLICY_NAMES, *WITHOUT_EFFECT, AUTOMATIC_OPTIONS)) - {"intercept_exceptions"}
OF_RESOURCES: Final = OF_VIEWS | {"intercept_exceptions"}
OF_APPS: Final = OF_RESOURCES | {RESOURCES, *OF_MIDDLEWARE}
DEFAULTS: Final[Mapping[str, Any]] = {
    "allow_origins": "*",
    "allow_methods": ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"),
    "allow_headers": "*",
    "max_age": None,
}

_REFUSED_ORIGIN, _REFUSED_HEADER = "https://example.com", "x-example"  # instead of what an issue tells of already
# Keys that Flask-CORS read once, and that tutorials still have.
_DEAD_KEYS: Final = {"CORS_HEADERS": "Flask-CORS has not read this key since version 2; the key is CORS_ALLOW_HEADERS"}
_ORIGINS: Final = frozenset(("allow_origins", "allow_origin_regex"))
_PREFIX: Final = "CORS_"
_HEADER_PREFIX: Final = re.compile(r"\^?([\w-]*)\.[*+]\$?", re.ASCII)


class Options(NamedTuple):
    """One level of options, read: those of a policy by its own names, the others; and how the former were written."""

    policy: Mapping[str, Any]
    others: Mapping[str, Any]
    names: Mapping[str, str]

    def over(self, below: Options) -> Options:
        """Lay this level over the one below; whatever it says of origins replaces all that was said of them."""
        kept = below.policy
        if not _ORIGINS.isdisjoint(self.policy):
            kept = {name: value for name, value in kept.items() if name not in _ORIGINS}
        return Options({**kept, **self.policy}, {**below.others, **self.others}, {**below.names, **self.names})

    @property
    def names_origins(self) -> bool:
        """Whether it says which origins are meant, so that the default, which is all of them, doesn't count."""
        return not _ORIGINS.isdisjoint(self.policy)

    def check(self, place: str = "") -> Policy:
        """Build the policy as far as this level tells of it: where it leaves the origins to another, for some site.

        Raises:
            ConfigError: As `build` does.
        """
        return self.over(NOTHING if self.names_origins else _SOMEONE).build(place)

    def build(self, place: str = "") -> Policy:
        """Build the policy, on Flask-CORS's defaults.

        Raises:
            ConfigError: In the names of Flask-CORS; `place` says where the options are written.
        """
        defaults = {name: value for name, value in DEFAULTS.items() if not (name in _ORIGINS and self.names_origins)}
        try:
            return Policy(**{**defaults, **self.policy})
        except ConfigError as error:
            raise ConfigError([self._renamed(issue, place) for issue in error.issues]) from None

    def _renamed(self, issue: Issue, place: str) -> Issue:
        def rename(text: str) -> str:
            names = {**FLASK_NAMES, **self.names}
            return re.sub(r"\ballow_\w+", lambda found: names.get(found[0], found[0]), text)

        option = f"{place}{rename(issue.option)}"
        return Issue(issue.code, option, issue.value, rename(issue.message), rename(issue.hint))


NOTHING: Final = Options({}, {}, {})
_SOMEONE: Final = Options({"allow_origins": _REFUSED_ORIGIN}, {}, {})


def read_options(written: Mapping[str, Any], known: frozenset[str], place: str = "") -> Options:
    """Read one level of options.

    Raises:
        ConfigError: Of unknown names, of an option by both its names, of a value of a wrong type.
    """
    issues = [_unknown(name, known, place) for name in written if name not in known]
    policy: dict[str, Any] = {}
    others: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in written.items():
        target = POLICY_NAMES.get(name, name)
        if target in policy:
            issues.append(_twice(target, place))
        elif target in OF_POLICY:
            policy[target] = _READ.get(name, _as_it_is)(value, f"{place}{name}", issues)
            names[target] = name
        elif name in WITHOUT_EFFECT or name == AUTOMATIC_OPTIONS:
            others[name] = _read_flag(name, value, place, issues)
        elif name in known:
            others[name] = _read_table(value, issues) if name == RESOURCES else value
    options = Options(policy, others, names)
    if issues:
        try:
            options.check(place)
        except ConfigError as error:
            issues += error.issues
        raise ConfigError(issues)
    return options


def read_config(config: Mapping[str, Any], *, warns: bool = True) -> tuple[Options, tuple[Issue, ...]]:
    """Read the app's `CORS_*` keys. Return also an issue for each unknown key. Warn of unknown and dead keys.

    Raises:
        ConfigError: As `read_options` does.
    """
    names = {f"{_PREFIX}{name.upper()}": name for name in OF_APPS}
    others = [key for key in [*config] if key.startswith(_PREFIX) and key not in names]
    unknown = tuple(_unknown(key, names, "") for key in others if key not in _DEAD_KEYS)
    dead = [Issue("dead-key", key, config[key], _DEAD_KEYS[key], "Delete it.") for key in others if key in _DEAD_KEYS]
    for issue in (*unknown, *dead) if warns else ():
        issue.warn()
    written = {name: config[key] for key, name in names.items() if config.get(key) is not None}
    return read_options(written, OF_APPS), unknown


def refuse_unknown(unknown: tuple[Issue, ...], options: Options) -> None:
    """Refuse an unknown config key where no origins are named: it may be them, and the default is all of them.

    Raises:
        ConfigError: Of these keys.
    """
    if unknown and not options.names_origins:
        raise ConfigError(unknown)


# -- resources


def _read_table(written: Any, issues: list[Issue]) -> Resources:
    """Read a table of paths: `Options`, a Policy or None for each."""
    try:
        table = read_resources(written)
    except ConfigError as error:
        issues += error.issues
        return Resources()
    for path, value in table.items():
        place = f"{table.describe(path)}."
        if isinstance(value, Mapping):
            try:
                table[path] = read_options(cast("Mapping[str, Any]", value), OF_RESOURCES, place)
            except ConfigError as error:
                issues += error.issues
        elif value is not None and not isinstance(value, Policy):
            hint = "Use a dict of options, such as {'max_age': 60}, a Policy, or None."
            issues.append(Issue.wrong_type(place.rstrip("."), value, "a mapping of options, a Policy or None", hint))
    return table


# -- values


def _read_origins(value: Any, option: str, issues: list[Issue]) -> object:
    entries = None if isinstance(value, (str, re.Pattern)) else list_of(value)
    if entries is None:
        return _read_origin(cast("object", value), option, issues)
    return [_read_origin(entry, option, issues) for entry in entries]


def _read_origin(entry: object, option: str, issues: list[Issue]) -> object:
    """Read a text that only a regular expression can be as one; upper case in it stands for what browsers send."""
    if not isinstance(entry, str) or entry in {"*", ".*"} or not is_regex(entry) or _is_pattern(entry):
        return "*" if isinstance(entry, str) and entry == ".*" else entry
    return read_regex(entry, option, issues, re.IGNORECASE) or _REFUSED_ORIGIN


def _is_pattern(text: str) -> bool:
    try:
        Policy(allow_origins=text)
    except ConfigError:
        return False
    return True


def _read_methods(value: Any, _option: str, _issues: list[Issue]) -> object:
    names = _split(value)
    if not isinstance(names, list):
        return names
    return [name.upper() if isinstance(name, str) else name for name in cast("list[object]", names)]


def _read_headers(value: Any, option: str, issues: list[Issue]) -> object:
    entries = None if isinstance(value, (str, re.Pattern)) else list_of(value)
    if entries is None:
        return _read_header(cast("object", value), option, issues)
    return [_read_header(entry, option, issues) for entry in entries]


def _read_header(entry: Any, option: str, issues: list[Issue]) -> object:
    """Read a regular expression for names that begin alike as a prefix; there is no other kind."""
    text: object = getattr(entry, "pattern", entry)
    if not isinstance(text, str) or (text is entry and not is_regex(text)):
        return entry
    if text is entry and re.fullmatch(r"[\w-]*\*", text, re.ASCII):
        return text
    if prefix := _HEADER_PREFIX.fullmatch(text):
        return f"{prefix[1]}*"
    message = f"{text!r} is a regular expression, and these are names and prefixes"
    issues.append(Issue("header-regex", option, entry, message, "Write the names, or a prefix such as 'x-company-*'."))
    return _REFUSED_HEADER


def _read_exposed(value: Any, _option: str, _issues: list[Issue]) -> object:
    return () if value is None else _split(value)


def _read_max_age(value: Any, _option: str, _issues: list[Issue]) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _split(value: Any) -> Any:
    """Read a text as the list that Flask-CORS sends it as; other lists are sent in order."""
    if isinstance(value, str):
        return value if value == "*" else [name.strip() for name in value.split(",")]
    names = list_of(value)
    if names is None:
        return value
    return sorted(names) if all(isinstance(name, str) for name in names) else names


def _as_it_is(value: Any, _option: str, _issues: list[Issue]) -> object:
    return value


_READ: Final = {
    "origins": _read_origins,
    "methods": _read_methods,
    "allow_headers": _read_headers,
    "expose_headers": _read_exposed,
    "max_age": _read_max_age,
}


def _read_flag(name: str, value: Any, place: str, issues: list[Issue]) -> object:
    if not isinstance(value, bool):
        hint = "Leave it out." if name in WITHOUT_EFFECT else f"Write {name}=True."
        issues.append(Issue.wrong_type(f"{place}{name}", value, "True or False", hint))
    elif name in WITHOUT_EFFECT and value is not WITHOUT_EFFECT[name][0]:
        message = f"{value} has no effect: {WITHOUT_EFFECT[name][1]}"
        Issue("without-effect", f"{place}{name}", value, message, "Leave it out.").warn()
    return value


# -- mistakes


def _unknown(name: object, known: Iterable[str], place: str) -> Issue:
    issue = Issue.unknown(name, known)
    return replace(issue, option=f"{place}{name}")


def _twice(name: str, place: str) -> Issue:
    alias = FLASK_NAMES[name]
    message = f"{alias} and {name} are one option"
    return Issue("option-twice", f"{place}{alias}", name, message, "Write one of them.")
