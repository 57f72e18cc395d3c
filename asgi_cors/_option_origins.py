"""The options `allow_origins`, `allow_origin_regex` and `dangerously_allow`: read, validated, compiled.

Knows what people write and which of it is unsafe with credentials. A policy that would let strangers read what
a logged-in user may is refused here, with the word that lets it pass.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

from ._errors import Issue
from ._origin_hints import hint
from ._origins import WEB_PORTS, Pattern, Problem, is_plain, parse_pattern
from ._regexes import ANY_ORIGIN, OVER_HTTP, SHARED_SUFFIX, backtracks, dangers, has_bare_dot
from ._suffixes import is_local, is_shared

AsksOrigin = Callable[[str], bool | Awaitable[bool]]
OriginEntry = str | re.Pattern[str] | AsksOrigin

FROM_NULL: Final = "credentials-from-null"
WORDS: Final = (ANY_ORIGIN, FROM_NULL, SHARED_SUFFIX, OVER_HTTP)

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


class Origins(NamedTuple):
    """What `allow_origins` and `allow_origin_regex` come to."""

    entries: tuple[OriginEntry, ...]
    exact: list[str]
    patterns: list[Pattern]
    regexes: list[re.Pattern[str]]
    callables: tuple[AsksOrigin, ...]

    @property
    def any(self) -> bool:
        """Whether `*` is allowed."""
        return self.entries == ("*",)

    @property
    def none(self) -> bool:
        """Whether no origin can ever be allowed."""
        return not (self.entries or self.regexes)


def read_origins(value: object, regex: object, issues: list[Issue], warnings: list[Issue]) -> Origins:
    """Read both options; mistakes go to `issues`, doubts to `warnings`."""
    entries = _entries(value, issues)
    if "*" in entries and (len(entries) > 1 or regex is not None):
        message = "'*' beside other entries makes them redundant"
        issues.append(
            Issue("redundant-entry", "allow_origins", "*", message, "Write '*' alone, or the entries without it.")
        )
    origins = Origins(entries, *_sorted(entries, issues))
    if "null" in entries:
        message = "'null' stands for every sandboxed page, wherever it comes from"
        warnings.append(
            Issue("null-allowed", "allow_origins", "null", message, "Leave it out unless you know the page.")
        )
    if regex is not None:
        origins.regexes.extend(_compiled(regex, "allow_origin_regex", issues))
    for compiled in origins.regexes:
        _check_regex(compiled, issues, warnings)
    return origins


def check_credentials(origins: Origins, words: tuple[str, ...], issues: list[Issue]) -> None:
    """Refuse what is unsafe with credentials and not let pass by its word of `dangerously_allow`."""
    for word, entry in _dangers(origins):
        if word not in words:
            shown = entry.pattern if isinstance(entry, re.Pattern) else entry
            message = f"{shown!r} with allow_credentials: {_WHO[word]}"
            line = f"{_INSTEAD[word]}; or, knowing that, dangerously_allow=[{word!r}]."
            issues.append(Issue(word, "allow_origins", shown, message, line))


def entries_of(value: object) -> Iterable[Any] | None:
    """Give the entries of a list as people write one: any iterable but text and mappings; None of anything else."""
    is_list = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    return cast("Iterable[Any]", value) if is_list else None


def _entries(value: Any, issues: list[Issue]) -> tuple[Any, ...]:
    if isinstance(value, str | re.Pattern) or callable(value):
        return (cast("object", value),)
    entries = entries_of(value)
    if entries is None:
        wanted = "a string, a compiled regex, a callable, or a list of these"
        issues.append(Issue("wrong-type", "allow_origins", value, f"{value!r} is not {wanted}"))
        return ()
    try:
        return tuple(dict.fromkeys(entries))
    except TypeError as error:  # an entry that can't be compared, such as a list in the list
        message = f"an entry is no string, compiled regex or callable: {error}"
        issues.append(Issue("wrong-type", "allow_origins", value, message))
        return ()


def _sorted(
    entries: tuple[Any, ...], issues: list[Issue]
) -> tuple[list[str], list[Pattern], list[re.Pattern[str]], tuple[AsksOrigin, ...]]:
    """Tell the entries apart by kind."""
    exact: list[str] = []
    patterns: list[Pattern] = []
    regexes: list[re.Pattern[str]] = []
    callables: list[AsksOrigin] = []
    for entry in entries:
        if isinstance(entry, str):
            if is_plain(entry) or entry == "null":
                exact.append(entry)
            elif entry != "*":
                _add(entry, exact, patterns, issues)
        elif isinstance(entry, re.Pattern):
            regexes += _compiled(cast("object", entry), "allow_origins", issues)
        elif callable(entry):
            callables.append(cast("AsksOrigin", entry))
        else:
            issues.append(_entry_issue(entry))
    return exact, patterns, regexes, tuple(callables)


def _add(entry: str, exact: list[str], patterns: list[Pattern], issues: list[Issue]) -> None:
    parsed = parse_pattern(entry)
    if isinstance(parsed, Problem):
        issues.append(Issue(parsed.code, "allow_origins", entry, f"{entry!r} {parsed.message}", hint(entry, parsed)))
    elif parsed.exact:
        exact.append(entry)
    else:
        patterns.append(parsed)


def _entry_issue(entry: object) -> Issue:
    written = str(entry)
    parsed = parse_pattern(written)
    line = hint(written, parsed) if isinstance(parsed, Problem) else f"Write {written!r}."
    return Issue("wrong-type", "allow_origins", entry, f"{entry!r} is no string, compiled regex or callable", line)


def _compiled(regex: Any, option: str, issues: list[Issue]) -> list[re.Pattern[str]]:
    try:
        compiled: Any = re.compile(regex) if isinstance(regex, str) else regex
    except re.error as error:
        issues.append(Issue("regex-syntax", option, regex, f"{regex!r} is no regular expression: {error}"))
        return []
    if isinstance(compiled, re.Pattern) and isinstance(cast("Any", compiled).pattern, str):
        return [cast("re.Pattern[str]", compiled)]
    issues.append(Issue("wrong-type", option, regex, f"{regex!r} is no regular expression of str"))
    return []


def _check_regex(regex: re.Pattern[str], issues: list[Issue], warnings: list[Issue]) -> None:
    source = regex.pattern
    if backtracks(source):
        message = f"{source!r} takes exponential time on what nearly matches"
        issues.append(
            Issue(
                "regex-backtracking",
                "allow_origin_regex",
                source,
                message,
                "Write the repeated atom once: 'a+', not '(a+)+'.",
            )
        )
    if has_bare_dot(source):
        message = f"{source!r} has a dot that stands for any character"
        warnings.append(Issue("regex-dot", "allow_origin_regex", source, message, r"Write '\.' for a dot."))


def _dangers(origins: Origins) -> Iterator[tuple[str, OriginEntry]]:
    """Find what is unsafe with credentials: the word that lets it pass, and the entry that brings it."""
    yield from ((word, entry) for word, entry in ((ANY_ORIGIN, "*"), (FROM_NULL, "null")) if entry in origins.entries)
    yield from ((SHARED_SUFFIX, pattern.text) for pattern in origins.patterns if _is_shared(pattern))
    http = (entry for entry in origins.exact if entry.startswith("http://"))
    yield from ((OVER_HTTP, entry) for entry in http if not _is_local(parse_pattern(entry)))
    http_patterns = (pattern for pattern in origins.patterns if pattern.scheme == "http")
    yield from ((OVER_HTTP, pattern.text) for pattern in http_patterns if not _is_local(pattern))
    regexes = (regex for regex in origins.regexes if not backtracks(regex.pattern))
    yield from ((word, regex) for regex in regexes for word in dangers(regex))


def _is_shared(pattern: Pattern) -> bool:
    if pattern.scheme not in WEB_PORTS:
        return pattern.host == "*"
    return "*" in pattern.host and is_shared(pattern.base)


def _is_local(pattern: Pattern | Problem) -> bool:
    return isinstance(pattern, Pattern) and is_local(pattern.base)
