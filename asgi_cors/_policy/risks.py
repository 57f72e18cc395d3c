"""The risks of allowing credentials, each with its code in `dangerously_allow`.

Imported only if a policy allows credentials.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from asgi_cors._errors import Issue
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .origin_entries import OriginEntries

_CONSEQUENCES: Final = {
    ANY_ORIGIN: "every site could read a logged-in user's data",
    FROM_NULL: "any sandboxed page could read a logged-in user's data",
    SHARED_SUFFIX: "anyone can register such an origin, and could read a logged-in user's data",
    OVER_HTTP: "an attacker on the network can send such an origin, and could read a logged-in user's data",
}
_NO_COOKIES: Final = (
    "If no cookies are needed, leave allow_credentials out: a token in the Authorization header works without it."
)


def check_credentials(origins: OriginEntries, words: tuple[str, ...], issues: list[Issue]) -> None:
    """Add an issue for each risk with credentials that `dangerously_allow` does not name."""
    for risk in _risks(origins):
        if risk.code not in words:
            message = f"{risk.entry!r} with allow_credentials{risk.evidence}: {risk.consequence}"
            hint = f"{_NO_COOKIES} {risk.hint} Or accept the risk: dangerously_allow=[{risk.code!r}]."
            issues.append(Issue(risk.code, risk.option, risk.entry, message, hint))


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
        if _is_shared(pattern):
            yield _risk(SHARED_SUFFIX, pattern.text, f"Name your own origin, such as {_named(pattern)!r}.")
    parsed = [parse_pattern(entry) for entry in origins.exact if entry.startswith("http://")]
    exact = [pattern for pattern in parsed if isinstance(pattern, Pattern)]
    for pattern in (*exact, *(pattern for pattern in origins.patterns if pattern.scheme == "http")):
        if not is_loopback(pattern.literal_suffix):
            yield _risk(OVER_HTTP, pattern.text, f"Write {_with_https(pattern)!r}.")
    for regex, option in origins.regexes.items():
        yield from _risks_of_regex(regex, option)


def _risk(code: str, entry: str, hint: str) -> _Risk:
    return _Risk(code, entry, hint, _CONSEQUENCES[code])


def _named(pattern: Pattern) -> str:
    """Return an origin that the pattern matches, with https if that is possible."""
    host = pattern.host.replace("*", "app")
    return (
        f"{_with_https(pattern).partition('://')[0]}://{host}{'' if pattern.port in {'', '*'} else ':' + pattern.port}"
    )


def _with_https(pattern: Pattern) -> str:
    text = pattern.text.removesuffix(":443") if pattern.scheme == "http" else pattern.text
    return re.sub("^http:", "https:", text)


def _risks_of_regex(regex: re.Pattern[str], option: str) -> Iterator[_Risk]:
    for code, origin in analyse(regex).witnesses.items():
        who = consequence(origin) if code == ANY_ORIGIN else _CONSEQUENCES[code]
        evidence = f" allows {origin!r}" + ("" if regex.fullmatch(origin) else ", if its look-arounds are ignored")
        yield _Risk(code, regex.pattern, risk_hint(regex, option), who, option, evidence)


def _is_shared(pattern: Pattern) -> bool:
    if pattern.scheme not in WEB_PORTS:
        return pattern.host == "*"
    return "*" in pattern.host and is_shared_suffix(pattern.literal_suffix)
