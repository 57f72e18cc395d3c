"""What is unsafe with credentials, and the word of `dangerously_allow` that lets it pass.

Imported only where a policy allows credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ._errors import issue
from ._origin_patterns import Pattern, Problem, parse_pattern
from ._origins import ANY_ORIGIN, FROM_NULL, OVER_HTTP, SHARED_SUFFIX, WEB_PORTS
from ._suffixes import is_local, is_shared

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from ._issue import Issue
    from ._option_origins import Origins

_WHO: Final = {
    ANY_ORIGIN: "every site could read what a logged-in user may",
    FROM_NULL: "any sandboxed page could read what a logged-in user may",
    SHARED_SUFFIX: "anyone can get such an origin, and could read what a logged-in user may",
    OVER_HTTP: "whoever sits on the network can speak for such an origin",
}
_INSTEAD: Final = {
    ANY_ORIGIN: "Name the origins: allow_origins=['https://app.example.com']",
    FROM_NULL: "Leave 'null' out",
    SHARED_SUFFIX: "Name the origins that are yours",
    OVER_HTTP: "Write it with https",
}


def check_credentials(origins: Origins, words: tuple[str, ...], issues: list[Issue]) -> None:
    """Refuse what is unsafe with credentials and not let pass by its word of `dangerously_allow`."""
    for danger in _dangers(origins):
        if danger.word not in words:
            message = f"{danger.entry!r} {danger.does}with allow_credentials: {_WHO[danger.word]}"
            line = f"{_INSTEAD[danger.word]}; or, knowing that, dangerously_allow=[{danger.word!r}]."
            issues.append(issue(danger.word, danger.option, danger.entry, message, line))


class _Danger(NamedTuple):
    """What is unsafe with credentials: the word that lets it pass, and the entry that brings it."""

    word: str
    entry: str
    option: str = "allow_origins"
    does: str = ""


def _dangers(origins: Origins) -> Iterator[_Danger]:
    yield from (
        _Danger(word, name) for word, name in ((ANY_ORIGIN, "*"), (FROM_NULL, "null")) if name in origins.entries
    )
    yield from (_Danger(SHARED_SUFFIX, pattern.text) for pattern in origins.patterns if _is_shared(pattern))
    http = (entry for entry in origins.exact if entry.startswith("http://"))
    yield from (_Danger(OVER_HTTP, entry) for entry in http if not _is_local(parse_pattern(entry)))
    http_patterns = (pattern for pattern in origins.patterns if pattern.scheme == "http")
    yield from (_Danger(OVER_HTTP, pattern.text) for pattern in http_patterns if not _is_local(pattern))
    for regex, option in origins.regexes.items():
        yield from _dangers_of_regex(regex, option)


def _dangers_of_regex(regex: re.Pattern[str], option: str) -> Iterator[_Danger]:
    from ._regexes import dangers, slow_length  # noqa: PLC0415 - most policies have no regex

    found = {} if slow_length(regex) else dangers(regex)
    for word, probe in found.items():
        does = f"lets in {probe!r}, " if probe else "lets in what no probe could find out, "
        yield _Danger(word, regex.pattern, option, does)


def _is_shared(pattern: Pattern) -> bool:
    if pattern.scheme not in WEB_PORTS:
        return pattern.host == "*"
    return "*" in pattern.host and is_shared(pattern.base)


def _is_local(pattern: Pattern | Problem) -> bool:
    return isinstance(pattern, Pattern) and is_local(pattern.base)
