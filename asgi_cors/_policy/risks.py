"""Options that are unsafe or doubtful together: the four risks with credentials, and warnings about a whole policy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from asgi_cors._errors import OptionIssues
from asgi_cors._origins.origin import (
    ANY_ORIGIN,
    FROM_NULL,
    OVER_HTTP,
    SHARED_SUFFIX,
    WEB_PORTS,
    is_loopback,
    is_shared_suffix,
)
from asgi_cors._origins.pattern import Pattern, parse_pattern
from asgi_cors._origins.regex.analysis import analyse
from asgi_cors._origins.regex.hints import consequence, risk_hint

from .options import Names, OriginEntries, list_of

_CONSEQUENCES: Final = {
    ANY_ORIGIN: "every site could read a logged-in user's data",
    FROM_NULL: "any sandboxed page could read a logged-in user's data",
    SHARED_SUFFIX: "anyone can register such an origin, and could read a logged-in user's data",
    OVER_HTTP: "an attacker on the network can send such an origin, and could read a logged-in user's data",
}
_NO_COOKIES: Final = (
    "If no cookies are needed, leave allow_credentials out: a token in the Authorization header works without it."
)


def check_credentials(origins: OriginEntries, accepted: tuple[str, ...], issues: OptionIssues) -> None:
    """Add an issue for each risk with credentials that `dangerously_allow` does not name.

    Args:
        origins: The origins that are allowed with credentials.
        accepted: The value of `dangerously_allow`.
        issues: The collector of any option.
    """
    for risk in _risks(origins):
        if risk.code not in accepted:
            message = f"{risk.entry!r} with allow_credentials{risk.evidence}: {risk.consequence}"
            hint = f"{_NO_COOKIES} {risk.hint} Or accept the risk: dangerously_allow=[{risk.code!r}]."
            issues.of(risk.option).add(risk.code, risk.entry, message, hint)


class _Risk(NamedTuple):
    """An entry that is unsafe with credentials."""

    code: str
    entry: str
    hint: str
    consequence: str
    option: str = "allow_origins"
    evidence: str = ""


def _risks(origins: OriginEntries) -> Iterator[_Risk]:
    if origins.has_star:
        yield _risk(ANY_ORIGIN, "*", "Name the origins: allow_origins=['https://app.example.com'].")
    if "null" in origins.exact:
        yield _risk(FROM_NULL, "null", "Leave 'null' out.")
    for pattern in origins.patterns:
        if is_shared(pattern):
            yield _risk(SHARED_SUFFIX, pattern.text, f"Name your own origin, such as {_own_origin(pattern)!r}.")
    exact = [parse_pattern(entry) for entry in origins.exact if entry.startswith("http://")]
    for parsed in (*exact, *origins.patterns):
        if isinstance(parsed, Pattern) and is_over_http(parsed):
            yield _risk(OVER_HTTP, parsed.text, f"Write {_with_https(parsed)!r}.")
    for regex, option in origins.regexes.items():
        yield from _risks_of_regex(regex, option)


def _risk(code: str, entry: str, hint: str) -> _Risk:
    return _Risk(code, entry, hint, _CONSEQUENCES[code])


def _risks_of_regex(regex: re.Pattern[str], option: str) -> Iterator[_Risk]:
    for code, origin in analyse(regex).witnesses.items():
        result = consequence(origin) if code == ANY_ORIGIN else _CONSEQUENCES[code]
        evidence = f" allows {origin!r}" + ("" if regex.fullmatch(origin) else ", if its look-arounds are ignored")
        yield _Risk(code, regex.pattern, risk_hint(regex, option), result, option, evidence)


def is_over_http(pattern: Pattern) -> bool:
    """Return whether an attacker on the network can send an origin that a pattern matches."""
    return pattern.scheme == "http" and not is_loopback(pattern.literal_suffix)


def is_shared(pattern: Pattern) -> bool:
    """Return whether other parties can have an origin that a pattern matches."""
    if pattern.scheme not in WEB_PORTS:
        return pattern.host == "*"
    return "*" in pattern.host and is_shared_suffix(pattern.literal_suffix)


def _own_origin(pattern: Pattern) -> str:
    """Return an origin that a pattern matches, but with https."""
    return _with_https(pattern).removesuffix(":*").replace("*", "app")


def _with_https(pattern: Pattern) -> str:
    return re.sub("^http:(.*?)(?::443)?$", r"https:\1", pattern.text)


# -- the policy as a whole


def check_exposed(exposed: Names, value: object, issues: OptionIssues) -> None:
    """Add an issue if `expose_headers` is `*`, which is not a wildcard with credentials.

    Args:
        exposed: The parsed value.
        value: The value given.
        issues: The collector of any option.

    Source: Fetch, "CORS protocol and credentials".
    """
    if exposed == "*":
        has_names = any(isinstance(name, str) and name != "*" for name in list_of(value) or ())
        hint = "Leave '*' out." if has_names else "Name the headers, as in expose_headers=['x-request-id']."
        message = "'*' has no effect with allow_credentials, because browsers treat it as the name of a header"
        issues.of("expose_headers").add("expose-any-with-credentials", "*", message, hint)


def add_policy_warnings(
    values: Mapping[str, Any], origins: OriginEntries, issues: OptionIssues, *, may_be_empty: bool = False
) -> None:
    """Add a warning for each option that is valid but probably not intended.

    Args:
        values: The parsed options.
        origins: The parsed origins.
        issues: The collector of any option.
        may_be_empty: Whether it is intended that no origin is allowed.
    """
    if origins.is_empty and not may_be_empty:
        message = "nothing is allowed, so every cross-origin page is refused"
        hint = "Write allow_origins=['https://app.example.com']."
        issues.of("allow_origins").warn("nothing-allowed", (), message, hint)
    if values["allow_private_network"]:
        message = "browsers no longer request it (Local Network Access prompts the user instead)"
        issues.of("allow_private_network").warn("private-network", True, message, "Leave it out.")
