"""`Policy`: what an API allows to pages of other origins. Validated as a whole, compiled once, immutable."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, Literal, Never, NoReturn, Self, TypedDict, Unpack, cast

from asgi_cors._errors import ConfigError, Issue, OptionIssues, PositionalOptionsError

from . import choices
from . import options as parsers
from .compiled import CompiledPolicy
from .diff import PolicyDiff, compare
from .mapping import policy_from_env, to_mapping
from .options import DEFAULT_MAX_AGE, Names, OriginEntries, OriginEntry, parse_origins, plain_string
from .presets import parse_presets, with_presets
from .risks import TRUSTED, add_policy_warnings, check_credentials, check_exposed, check_trusted

_MAX_SHOWN: Final = 20  # entries in a repr


class PolicyOptions(TypedDict, total=False):
    """The options of a `Policy`, as a type for `**options`; see `Policy` for their meaning."""

    allow_origins: OriginEntry | Iterable[OriginEntry]
    allow_origin_regex: str | re.Pattern[str] | None
    allow_methods: str | Iterable[str]
    allow_headers: str | Iterable[str]
    expose_headers: str | Iterable[str]
    allow_credentials: bool
    max_age: int | timedelta | None
    allow_private_network: bool
    csrf_protection: bool | Literal["report"]
    csrf_trusted_origins: OriginEntry | Iterable[OriginEntry]
    timing_allow_origin: bool
    resource_policy: Literal["same-origin", "same-site", "cross-origin"] | None
    presets: str | Iterable[str]
    name: str | None
    dangerously_allow: str | Iterable[str]


DEFAULTS: Final[Mapping[str, Any]] = {
    "allow_origins": (),
    "allow_origin_regex": None,
    "allow_methods": (),
    "allow_headers": (),
    "expose_headers": (),
    "allow_credentials": False,
    "max_age": DEFAULT_MAX_AGE,
    "allow_private_network": False,
    "csrf_protection": False,
    "csrf_trusted_origins": (),
    "timing_allow_origin": False,
    "resource_policy": None,
    "presets": (),
    "name": None,
    "dangerously_allow": (),
}
_PARSERS: Final[Mapping[str, Callable[[Any, OptionIssues], Any]]] = {
    "allow_methods": parsers.parse_methods,
    "allow_headers": parsers.parse_headers,
    "expose_headers": parsers.parse_exposed,
    "allow_credentials": parsers.parse_flag,
    "max_age": parsers.parse_max_age,
    "allow_private_network": parsers.parse_flag,
    "csrf_protection": choices.parse_protection,
    "timing_allow_origin": choices.parse_timing,
    "resource_policy": choices.parse_resource_policy,
    "presets": parse_presets,
    "name": choices.parse_name,
    "dangerously_allow": parsers.parse_dangerously_allow,
}


MIDDLEWARE_OPTIONS: Final = frozenset(
    {"allowed_hosts", "check_websockets", "enforce", "on_decision", "paths", "policy_for", "report_only", "vary"}
)


def _unknown(name: str) -> Issue:
    """Describe an option that no policy has."""
    if name not in MIDDLEWARE_OPTIONS:
        return Issue.unknown(name, DEFAULTS)
    message = "this option belongs to the middleware, not to a policy"
    return Issue("unknown-option", name, name, message, f"Write CORSMiddleware(app, {name}=…).")


class NoOrigins(tuple[str, ...]):
    """The `allow_origins` of a policy that is to refuse every origin, so that there is no warning of it."""

    __slots__ = ()


class Policy:
    """A CORS policy: the origins, methods, headers and credentials that an API allows.

    A policy is immutable and hashable. Two policies are equal if they allow the same: the order and the number of the
    entries, the letter case of header names, and names that are always allowed do not count. A
    single string is a list of one, and `["*"]` is `"*"`.

    Args:
        allow_origins: The origins whose pages may read responses: `"*"`, one entry, or an iterable of entries. An
            entry is an origin such as `"https://app.example.com"`, a pattern such as `"https://*.example.com"` or
            `"http://localhost:*"`, a `re.Pattern` that must match the whole origin, or a callable that takes the
            origin as a string and returns a bool or an awaitable bool. Default: none, which refuses every origin,
            with a warning.
        allow_origin_regex: One more entry: a regular expression, as a string or a `re.Pattern`, that must match the
            whole origin.
        allow_methods: The methods that pages may use besides GET, HEAD and POST, which are always allowed; or `"*"`.
            Names are case-sensitive, except for the six that browsers upper-case (Fetch, "normalize a method").
        allow_headers: The request headers that scripts may set besides Accept, Accept-Language, Content-Language and
            Content-Type, which are always allowed; or `"*"`. A name that ends in `*`, such as `"x-app-*"`, is a prefix.
        expose_headers: The response headers that scripts may read besides the CORS-safelisted ones, such as
            Content-Type (Fetch, "CORS-safelisted response-header name"); or `"*"`, but not with credentials.
        allow_credentials: Whether pages may read responses to requests with cookies, HTTP authentication or TLS client
            certificates.
        max_age: How long browsers may cache a preflight's response, in seconds or as a timedelta, which is rounded
            down. 0 disables caching. None sends no header, so that browsers cache for 5 seconds. Default: 600.
        allow_private_network: Whether to allow the preflights of Private Network Access, a discontinued draft.
        csrf_protection: Whether requests that another site forges get a 403 before the app runs, by Fetch Metadata and
            Origin. It applies to every method but GET, HEAD, OPTIONS and TRACE. `"report"` only logs them.
        csrf_trusted_origins: Origins that may send such requests, but not read responses. Entries as in
            `allow_origins`, under the rules that `allow_credentials` brings. A request from `null` is refused even if
            `null` is listed.
        timing_allow_origin: Whether pages that may read a response may also read its timing (Resource Timing,
            "Timing-Allow-Origin").
        resource_policy: The value of Cross-Origin-Resource-Policy: `"same-origin"`, `"same-site"` or `"cross-origin"`.
            None sends no header.
        presets: Names of protocols, such as `"mcp"`, whose methods, request headers and exposed headers are added to
            the lists. Presets add no origin and no credentials.
        name: The policy's name in the log, in metrics and in `repr`: one line of up to 100 characters. It does not
            count in comparisons.
        dangerously_allow: The risks to accept with `allow_credentials` and in `csrf_trusted_origins`:
            `"credentials-from-any-origin"`, `"credentials-from-null"`, `"credentials-from-shared-suffix"` or
            `"credentials-over-http"`. Without its name here, an entry with such a risk is an error.

    Raises:
        ConfigError: If an option is invalid or unsafe. Its `issues` are all mistakes, each with a hint.

    Warns:
        ConfigWarning: If an option is valid but probably not intended, once for each.
    """

    __slots__ = (*DEFAULTS, "compiled")

    allow_origins: tuple[OriginEntry, ...] | Literal["*"]
    allow_origin_regex: str | re.Pattern[str] | None
    allow_methods: Names
    allow_headers: Names
    expose_headers: Names
    allow_credentials: bool
    max_age: int | None
    allow_private_network: bool
    csrf_protection: bool | Literal["report"]
    csrf_trusted_origins: tuple[OriginEntry, ...]
    timing_allow_origin: bool
    resource_policy: Literal["same-origin", "same-site", "cross-origin"] | None
    presets: tuple[str, ...]
    name: str | None
    dangerously_allow: tuple[str, ...]
    compiled: CompiledPolicy

    def __init__(self, *arguments: Never, **options: Unpack[PolicyOptions]) -> None:
        """Validate and compile the options; see the class."""
        issues = OptionIssues("allow_origins")
        issues.errors.extend(_unknown(name) for name in options if name not in DEFAULTS)
        if arguments:
            issues.errors.append(Issue.positional("Policy", arguments))
        given = {**DEFAULTS, **options}
        regex = plain_string(given["allow_origin_regex"])
        origins = parse_origins(given["allow_origins"], regex, issues, _acceptance(given, "allow_origins"))
        trusted = parse_origins(given[TRUSTED], None, issues.of(TRUSTED), _acceptance(given, TRUSTED))
        values: dict[str, Any] = {name: parse(given[name], issues.of(name)) for name, parse in _PARSERS.items()}
        if values["allow_credentials"]:
            check_credentials(origins, values["dangerously_allow"], issues)
            check_exposed(values["expose_headers"], given["expose_headers"], issues)
        check_trusted(trusted, values["dangerously_allow"], issues.of(TRUSTED))
        if issues.errors:
            raise (PositionalOptionsError if arguments else ConfigError)(issues.errors)
        values |= {
            "allow_origins": "*" if origins.allows_any else origins.entries,
            "allow_origin_regex": regex,
            TRUSTED: trusted.entries,
        }
        add_policy_warnings(values, origins, issues, may_be_empty=isinstance(given["allow_origins"], NoOrigins))
        for warning in issues.warnings:
            warning.warn()
        self._set(values, CompiledPolicy(with_presets(values), origins, self._trusting(trusted, values)))

    @staticmethod
    def _trusting(trusted: OriginEntries, values: Mapping[str, Any]) -> Policy | None:
        """Return a policy that allows the origins of `csrf_trusted_origins`; None if there are none."""
        if trusted.is_empty:
            return None
        options: dict[str, Any] = {
            **DEFAULTS,
            "allow_origins": "*" if trusted.allows_any else trusted.entries,
            "allow_credentials": True,
            "dangerously_allow": values["dangerously_allow"],
            "name": values["name"],
        }
        policy = object.__new__(Policy)  # the entries are checked already
        policy._set(options, CompiledPolicy(options, trusted))
        return policy

    def _set(self, values: Mapping[str, Any], compiled: CompiledPolicy) -> None:
        """Set the attributes, once."""
        for name in DEFAULTS:
            object.__setattr__(self, name, values[name])
        object.__setattr__(self, "compiled", compiled)

    def replace(self, **options: Unpack[PolicyOptions]) -> Policy:
        """Return a policy with some options changed; this policy stays as it is.

        Args:
            options: The options to change. They are parsed as by the constructor.

        Raises:
            ConfigError: If the changed policy is invalid or unsafe, or an option is unknown.
        """
        origins = {} if self.allow_origins else {"allow_origins": NoOrigins()}  # this policy has warned of that
        return Policy(**cast("PolicyOptions", {**origins, **self._non_defaults(), **options}))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Build a policy from a mapping, such as a table of a TOML or JSON file.

        Args:
            mapping: The options by name. A missing option has its default.

        Raises:
            ConfigError: If an option is invalid, unsafe or unknown, or `mapping` is not a mapping from strings.
        """
        if not _has_string_keys(mapping):
            advice = f"Use a mapping with these keys: {', '.join(DEFAULTS)}."
            raise ConfigError([Issue.wrong_type("from_mapping", mapping, "a mapping from names of options", advice)])
        return cls(**mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, as `from_mapping` and JSON take them.

        Returns:
            The options by name: strings, numbers, booleans, None and lists of strings.

        Raises:
            ConfigError: If a value cannot be represented as text: a callable or a `re.Pattern` in `allow_origins` or
                `csrf_trusted_origins`, or an `allow_origin_regex` with flags.
        """
        return to_mapping(self._non_defaults())

    @classmethod
    def from_env(cls, prefix: str = "CORS_", environ: Mapping[str, str] | None = None) -> Self:
        """Build a policy from environment variables such as `CORS_ALLOW_ORIGINS`.

        Lists are separated by commas, or are JSON. Booleans are `true`, `false`, `1` or `0`, in any letter case.
        `CORS_CSRF_PROTECTION` may also be `report`. `CORS_MAX_AGE` is a number of seconds, or `none`, and
        `CORS_RESOURCE_POLICY` may be `none`. An empty variable is an empty list, False or None.

        Args:
            prefix: The beginning of the variables' names. The rest is an option's name in upper case.
            environ: The variables by name. Default: `os.environ`.

        Raises:
            ConfigError: If a variable cannot be parsed, or the policy is invalid or unsafe. An unknown variable with
                the prefix is an error if no variable sets the origins. Its `issues` name the variables.

        Warns:
            ConfigWarning: As the constructor does, and for each unknown variable with the prefix.
        """
        return policy_from_env(cls, prefix, environ, DEFAULTS)

    def diff(self, other: Policy) -> PolicyDiff:
        """Return the difference: everything that another policy allows or refuses, compared with this one.

        Entries, names and values count by their effect: an origin that a pattern of the other policy matches is not a
        difference. `name` does not count. `dangerously_allow` counts only if both policies have callables with
        credentials, because it allows nothing by itself.

        Args:
            other: The other policy, such as the one that is to replace this one.

        Raises:
            ConfigError: If `other` is not a policy.
        """
        if not isinstance(cast("object", other), Policy):
            advice = "Use a Policy, such as Policy.from_mapping(…)."
            raise ConfigError([Issue.wrong_type("diff", other, "a policy", advice)])
        return compare(self, other)

    def _non_defaults(self) -> dict[str, Any]:
        """Return the options that differ from their defaults."""
        options = {name: getattr(self, name) for name in DEFAULTS}
        return {name: value for name, value in options.items() if value != DEFAULTS[name]}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Raise an AttributeError, because requests share the policy."""
        message = f"a Policy is immutable; write policy.replace({name}=…)"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        """Raise an AttributeError, because requests share the policy."""
        self.__setattr__(name, None)

    def __eq__(self, other: object) -> bool:
        """Return whether both policies allow the same, in whatever order and option it is given."""
        return self.compiled.key == other.compiled.key if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        """Return the same hash for equal policies."""
        return hash(self.compiled.key)

    def __repr__(self) -> str:
        """Return the call with the options that differ from their defaults. Long lists are cut."""
        return f"Policy({', '.join(f'{name}={_repr(value)}' for name, value in self._non_defaults().items())})"

    def __reduce__(self) -> tuple[object, tuple[()]]:
        """Copy and pickle by the options."""
        return functools.partial(Policy, **self._non_defaults()), ()


def _repr(value: object) -> str:
    if not isinstance(value, tuple):
        return repr(value)
    entries = cast("tuple[object, ...]", value)
    more = f", … {len(entries)} in all" if len(entries) > _MAX_SHOWN else ""
    return f"[{', '.join(map(repr, entries[:_MAX_SHOWN]))}{more}]"


def _has_string_keys(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in cast("Mapping[object, object]", value))


def _acceptance(options: Mapping[str, Any], option: str) -> Callable[[list[Any]], bool]:
    """Return a function that returns whether a list of origins is accepted as the value of an option."""

    def accepts(entries: list[Any]) -> bool:
        issues = OptionIssues(option)
        origins = parse_origins(entries, None, issues)
        if not issues.errors and (option == TRUSTED or _is_true(options["allow_credentials"])):
            accepted = parsers.parse_dangerously_allow(options["dangerously_allow"], OptionIssues("dangerously_allow"))
            check_credentials(origins, accepted, issues)
        return not issues.errors

    return accepts


def _is_true(value: Any) -> bool:
    return parsers.parse_flag(value, OptionIssues("allow_credentials"))
