"""A policy: what the user writes, validated whole, compiled once, immutable.

Knows its options and what they come to; knows no request. How each option is read stands in `_option_origins` and
`_options`; what is ready to be sent, in `_compiled`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Never, NoReturn, Self, TypedDict, Unpack, cast

from asgi_cors._errors import ConfigError, Issue, PositionalOptionsError, show

from . import options as _options
from .compiled import CompiledPolicy
from .mapping import policy_from_env, to_mapping
from .origin_entries import OriginEntry, list_of, parse_origins, plain_string
from .risks import check_credentials

if TYPE_CHECKING:
    from .options import Names

_MANY: Final = 20  # entries that a repr shows


class PolicyOptions(TypedDict, total=False):
    """The options of a policy, as keywords."""

    allow_origins: OriginEntry | Iterable[OriginEntry]
    allow_origin_regex: str | re.Pattern[str] | None
    allow_methods: str | Iterable[str]
    allow_headers: str | Iterable[str]
    expose_headers: str | Iterable[str]
    allow_credentials: bool
    max_age: int | timedelta | None
    allow_private_network: bool
    dangerously_allow: str | Iterable[str]


DEFAULTS: Final[Mapping[str, Any]] = {
    "allow_origins": (),
    "allow_origin_regex": None,
    "allow_methods": (),
    "allow_headers": (),
    "expose_headers": (),
    "allow_credentials": False,
    "max_age": _options.DEFAULT_MAX_AGE,
    "allow_private_network": False,
    "dangerously_allow": (),
}


class Policy:
    """Who may read, with what, and for how long a browser may remember it.

    Args:
        allow_origins: `"*"`, one entry, or an iterable of entries: an origin, an origin pattern such as
            `"https://*.example.com"`, a compiled `re.Pattern` (full match), or a callable from origin to bool or
            awaitable bool. Default: none, which refuses all.
        allow_origin_regex: One more entry, a regular expression as str or `re.Pattern`.
        allow_methods: Methods beyond GET, HEAD and POST, which every page can send; or `"*"`.
        allow_headers: Request headers beyond Accept, Accept-Language, Content-Language and Content-Type; prefixes
            such as `"x-app-*"`; or `"*"`.
        expose_headers: Response headers that scripts may read; or `"*"`.
        allow_credentials: Whether cookies, TLS client certificates and HTTP authentication count.
        max_age: Seconds, or a timedelta, for which a browser may keep a preflight's answer; None leaves it to the
            browser (5 seconds), 0 has nothing kept. Default: 600.
        allow_private_network: Answer the discontinued Private Network Access preflights.
        dangerously_allow: Words that let unsafe combinations pass.

    Raises:
        ConfigError: With every mistake found in any option.
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
    dangerously_allow: tuple[str, ...]
    compiled: CompiledPolicy

    def __init__(self, *arguments: Never, **options: Unpack[PolicyOptions]) -> None:
        """Validate and compile; see the class."""
        issues = [Issue.unknown(name, DEFAULTS) for name in options if name not in DEFAULTS]
        if arguments:
            issues.append(Issue.positional("Policy", arguments))
        warnings: list[Issue] = []
        given = {**DEFAULTS, **options}
        regex = plain_string(given["allow_origin_regex"])
        origins = parse_origins(given["allow_origins"], regex, issues, warnings, _acceptance(given))
        values: dict[str, Any] = {
            "allow_origins": "*" if origins.any else origins.entries,
            "allow_origin_regex": regex,
            "allow_methods": _options.parse_methods(given["allow_methods"], issues, warnings),
            "allow_headers": _options.parse_headers(given["allow_headers"], issues, warnings),
            "expose_headers": _options.parse_exposed(given["expose_headers"], issues, warnings),
            "allow_credentials": _options.parse_flag("allow_credentials", given["allow_credentials"], issues),
            "max_age": _options.parse_max_age(given["max_age"], issues, warnings),
            "allow_private_network": _options.parse_flag(
                "allow_private_network", given["allow_private_network"], issues
            ),
            "dangerously_allow": _options.parse_dangerously_allow(given["dangerously_allow"], issues),
        }
        if values["allow_credentials"]:
            check_credentials(origins, values["dangerously_allow"], issues)
            issues += _exposed_with_credentials(values["expose_headers"], given["expose_headers"])
        if issues:
            raise (PositionalOptionsError if arguments else ConfigError)(issues)
        for doubt in (*warnings, *_doubts(values, nothing=origins.none)):
            doubt.warn()
        for name, value in values.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "compiled", CompiledPolicy(values, origins))

    # -- other ways in and out

    def replace(self, **options: Unpack[PolicyOptions]) -> Policy:
        """Build a policy with some options changed.

        Raises:
            ConfigError: As the constructor does.
        """
        return Policy(**cast("PolicyOptions", {**self._options(), **options}))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Build a policy from a mapping, as read from TOML or JSON.

        Raises:
            ConfigError: As the constructor does; an unknown key is one too.
        """
        if not _names_options(mapping):
            raise ConfigError([_not_a_mapping(mapping)])
        return cls(**mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Give the options that differ from their defaults, as `from_mapping` and JSON take them.

        Raises:
            ConfigError: Where an entry can't be written as text: a callable, or a regex with flags.
        """
        return to_mapping(self._options())

    @classmethod
    def from_env(cls, prefix: str = "CORS_", environ: Mapping[str, str] | None = None) -> Self:
        """Build a policy from environment variables such as `CORS_ALLOW_ORIGINS`.

        Args:
            prefix: The beginning of the variables' names.
            environ: The variables; `os.environ` if None. Lists are separated by commas or written as JSON, booleans
                are true, false, 1 or 0, and `none` is None. An empty variable is an empty list, false or None.

        Raises:
            ConfigError: With every mistake, in a variable's text and in its value. Each names the variable.
        """
        return policy_from_env(cls, prefix, environ, DEFAULTS)

    def _options(self) -> dict[str, Any]:
        """Give the options that differ from their defaults."""
        options = {name: getattr(self, name) for name in DEFAULTS}
        return {name: value for name, value in options.items() if value != DEFAULTS[name]}

    # -- a value: immutable, compared after normalisation

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a policy is shared by every request."""
        message = f"a Policy is immutable; write policy.replace({name}=…)"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: a policy is shared by every request."""
        self.__setattr__(name, None)

    def __eq__(self, other: object) -> bool:
        """Compare what the policies mean: order and repeats don't count, nor where a regex is written."""
        return self.compiled.key == other.compiled.key if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        """Hash what the policy means."""
        return hash(self.compiled.key)

    def __repr__(self) -> str:
        """Show what differs from the defaults; of many origins the first and their number."""
        return f"Policy({', '.join(f'{name}={_shown(value)}' for name, value in self._options().items())})"

    def __reduce__(self) -> tuple[object, tuple[()]]:
        """Be copied and pickled by the options."""
        return functools.partial(Policy, **self._options()), ()


def _shown(value: object) -> str:
    if not isinstance(value, tuple):
        return repr(value)
    entries = cast("tuple[object, ...]", value)
    more = f", … {len(entries)} in all" if len(entries) > _MANY else ""
    return f"[{', '.join(map(repr, entries[:_MANY]))}{more}]"


def _not_a_mapping(value: object) -> Issue:
    message = f"{show(value)} is not a mapping from names of options"
    return Issue("wrong-type", "from_mapping", value, message, f"Use a mapping with these keys: {', '.join(DEFAULTS)}.")


def _names_options(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in cast("Mapping[object, object]", value))


def _acceptance(options: Mapping[str, Any]) -> Callable[[list[Any]], bool]:
    """Return a function that returns whether a list of origins is accepted with these options."""

    def accepts(entries: list[Any]) -> bool:
        issues: list[Issue] = []
        origins = parse_origins(entries, None, issues, [])
        if not issues and _options.parse_flag("allow_credentials", options["allow_credentials"], []):
            check_credentials(origins, _options.parse_dangerously_allow(options["dangerously_allow"], []), issues)
        return not issues

    return accepts


def _exposed_with_credentials(exposed: Names, given: object) -> list[Issue]:
    if exposed != "*":
        return []
    message = "'*' with allow_credentials: browsers take it for the name of a header"
    names = [name for name in (list_of(given) or ()) if isinstance(name, str) and name != "*"]
    hint = "Leave '*' out." if names else "Name the headers, as in expose_headers=['x-request-id']."
    return [Issue("expose-any-with-credentials", "expose_headers", "*", message, hint)]


def _doubts(values: Mapping[str, Any], *, nothing: bool) -> list[Issue]:
    """Find what works, but hardly as meant."""
    doubts: list[Issue] = []
    if nothing:
        message = "nothing is allowed, so every cross-origin page is refused"
        doubts.append(
            Issue("nothing-allowed", "allow_origins", (), message, "Write allow_origins=['https://app.example.com'].")
        )
    if values["allow_private_network"]:
        message = "browsers no longer request it (Local Network Access asks the user instead)"
        doubts.append(Issue("private-network", "allow_private_network", True, message, "Leave it out."))
    return doubts
