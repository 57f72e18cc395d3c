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
from asgi_cors._origins.regex.hints import owner, risk_hint

from .options import Names, OriginEntries, list_of

TRUSTED: Final = "csrf_trusted_origins"


class _Use(NamedTuple):
    """The use of an option's origins.

    Args:
        text: The use, for messages.
        harm: The harm that a hostile origin could do.
        hint: The first sentence of each hint, followed by a space.
    """

    text: str
    harm: str
    hint: str = ""


_READ: Final = _Use(
    "with allow_credentials",
    "could read a logged-in user's data",
    "If no cookies are needed, leave allow_credentials out: a token in the Authorization header works without it. ",
)
_SEND: Final = _Use("as a trusted origin", "could send requests in a logged-in user's name")
_HARMED_BY: Final = {
    ANY_ORIGIN: "every site",
    FROM_NULL: "any sandboxed page",
    SHARED_SUFFIX: "anyone can register such an origin, and",
    OVER_HTTP: "an attacker on the network can send such an origin, and",
}


class _Risk(NamedTuple):
    """An entry that is unsafe with credentials.

    Args:
        code: The code of the risk.
        entry: The entry.
        hint: What to write instead.
        option: The option that has the entry.
        evidence: An origin that a regular expression allows, as text.
        who: Who could do harm; empty for the text of the risk.
    """

    code: str
    entry: str
    hint: str
    option: str
    evidence: str = ""
    who: str = ""


def check_credentials(origins: OriginEntries, accepted: tuple[str, ...], issues: OptionIssues) -> None:
    """Add an issue for each risk with credentials that `dangerously_allow` does not name.

    Args:
        origins: The origins that are allowed with credentials, or trusted to send requests with credentials.
        accepted: The value of `dangerously_allow`.
        issues: The collector of `allow_origins` or `csrf_trusted_origins`.
    """
    use = _SEND if issues.option == TRUSTED else _READ
    for risk in _risks(origins, issues.option):
        if risk.code not in accepted:
            who = risk.who or _HARMED_BY[risk.code]
            message = f"{risk.entry!r} {use.text}{risk.evidence}: {who} {use.harm}"
            issues.of(risk.option).add(risk.code, risk.entry, message, f"{use.hint}{_hint(risk)}")


def _hint(risk: _Risk) -> str:
    if risk.option == TRUSTED and risk.code == FROM_NULL:
        return risk.hint  # to accept the risk would have no effect
    return f"{risk.hint} Or accept the risk: dangerously_allow=[{risk.code!r}]."


def check_trusted(trusted: OriginEntries, accepted: tuple[str, ...], issues: OptionIssues) -> None:
    """Check the entries of `csrf_trusted_origins`, which have the risks of `allow_credentials`.

    `null` is removed with a warning if its risk is accepted: a request from `null` is refused, listed or not, because a
    sandboxed page of any site sends it.
    """
    check_credentials(trusted, accepted, issues)
    if "null" in trusted.exact and FROM_NULL in accepted:
        trusted.discard_null()
        message = "'null' is ignored: a request from a sandboxed page is refused, even if 'null' is listed"
        issues.warn("null-not-trusted", "null", message, "Leave it out.")


def _risks(origins: OriginEntries, option: str) -> Iterator[_Risk]:
    if origins.has_star:
        yield _Risk(ANY_ORIGIN, "*", f"Name the origins: {option}=['https://app.example.com'].", option)
    if "null" in origins.exact:
        yield _Risk(FROM_NULL, "null", "Leave 'null' out.", option)
    for pattern in origins.patterns:
        if is_shared(pattern):
            hint = f"Name your own origin, such as {_own_origin(pattern)!r}."
            yield _Risk(SHARED_SUFFIX, pattern.text, hint, option)
    exact = [parse_pattern(entry) for entry in origins.exact if entry.startswith("http://")]
    for parsed in (*exact, *origins.patterns):
        if isinstance(parsed, Pattern) and is_over_http(parsed):
            yield _Risk(OVER_HTTP, parsed.text, f"Write {_with_https(parsed)!r}.", option)
    for regex, option_of_regex in origins.regexes.items():
        yield from _risks_of_regex(regex, option_of_regex)


def _risks_of_regex(regex: re.Pattern[str], option: str) -> Iterator[_Risk]:
    for code, origin in analyse(regex).witnesses.items():
        who = owner(origin) if code == ANY_ORIGIN else ""
        evidence = f" allows {origin!r}" + ("" if regex.fullmatch(origin) else ", if its look-arounds are ignored")
        yield _Risk(code, regex.pattern, risk_hint(regex, option), option, evidence, who)


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
    if "null" in origins.exact:
        message = "'null' is the origin of every sandboxed page, whichever site it comes from"
        issues.of("allow_origins").warn("null-allowed", "null", message, "Leave it out unless you know the page.")
    if origins.is_empty and not may_be_empty:
        _warn_of_no_origins(values, issues)
    if values["allow_private_network"]:
        message = "browsers no longer request it (Local Network Access prompts the user instead)"
        issues.of("allow_private_network").warn("private-network", True, message, "Leave it out.")


def _warn_of_no_origins(values: Mapping[str, Any], issues: OptionIssues) -> None:
    """Add a warning if no origin is allowed, and no other option of the policy is useful without one."""
    if not any(values[option] for option in ("csrf_protection", TRUSTED, "resource_policy")):
        message = "nothing is allowed, so every cross-origin page is refused"
        hint = "Write allow_origins=['https://app.example.com']."
        issues.of("allow_origins").warn("nothing-allowed", (), message, hint)
    elif values["timing_allow_origin"]:
        message = "it has no effect, because allow_origins is empty"
        issues.of("timing_allow_origin").warn("timing-without-origins", True, message, "Leave it out.")
