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
from ._regexes import ANY_ORIGIN, OVER_HTTP, SHARED_SUFFIX, dangers, has_bare_dot, slow_length
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
    regexes: dict[re.Pattern[str], str]
    """With the option that each is written in."""
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
        origins.regexes.update(_compiled(regex, "allow_origin_regex", issues))
    for compiled, option in origins.regexes.items():
        _check_regex(compiled, option, issues, warnings)
    return origins


def check_credentials(origins: Origins, words: tuple[str, ...], issues: list[Issue]) -> None:
    """Refuse what is unsafe with credentials and not let pass by its word of `dangerously_allow`."""
    for danger in _dangers(origins):
        if danger.word not in words:
            message = f"{danger.entry!r} {danger.does}with allow_credentials: {_WHO[danger.word]}"
            line = f"{_INSTEAD[danger.word]}; or, knowing that, dangerously_allow=[{danger.word!r}]."
            issues.append(Issue(danger.word, danger.option, danger.entry, message, line))


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
    return tuple({comparable(entry): entry for entry in entries}.values())


def comparable(entry: Any) -> object:
    """Give what an entry is compared by: itself, or its identity where it has no hash (a callable dataclass)."""
    try:
        hash(entry)
    except TypeError:
        return id(entry)
    return entry


def _sorted(
    entries: tuple[Any, ...], issues: list[Issue]
) -> tuple[list[str], list[Pattern], dict[re.Pattern[str], str], tuple[AsksOrigin, ...]]:
    """Tell the entries apart by kind."""
    exact: list[str] = []
    patterns: list[Pattern] = []
    regexes: dict[re.Pattern[str], str] = {}
    callables: list[AsksOrigin] = []
    for entry in entries:
        if isinstance(entry, str):
            if is_plain(entry) or entry == "null":
                exact.append(entry)
            elif entry != "*":
                _add(entry, exact, patterns, issues)
        elif isinstance(entry, re.Pattern):
            regexes |= _compiled(cast("object", entry), "allow_origins", issues)
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
    """Describe an entry of another type; what it is as text is probably meant."""
    written = entry.decode("latin-1") if isinstance(entry, bytes) else str(entry)
    parsed = parse_pattern(written)
    line = f"Write {written!r}."
    if isinstance(parsed, Problem):
        line = hint(written, parsed) if "://" in written else ""
    return Issue("wrong-type", "allow_origins", entry, f"{entry!r} is no string, compiled regex or callable", line)


def _compiled(regex: Any, option: str, issues: list[Issue]) -> dict[re.Pattern[str], str]:
    try:
        compiled: Any = re.compile(regex) if isinstance(regex, str) else regex
    except re.error as error:
        issues.append(Issue("regex-syntax", option, regex, f"{regex!r} is no regular expression: {error}"))
        return {}
    if isinstance(compiled, re.Pattern) and isinstance(cast("Any", compiled).pattern, str):
        return {cast("re.Pattern[str]", compiled): option}
    issues.append(Issue("wrong-type", option, regex, f"{regex!r} is no regular expression of str"))
    return {}


def _check_regex(regex: re.Pattern[str], option: str, issues: list[Issue], warnings: list[Issue]) -> None:
    source, length = regex.pattern, slow_length(regex)
    if length is not None:
        message = (
            f"{source!r} takes over a millisecond for an origin of {length} bytes that it nearly matches, and many"
            " times as long for a longer one: no other request is served meanwhile"
        )
        line = (
            r"Leave one way to match a text: '([a-z0-9-]+\.)*' for sub-domains, not '([a-z0-9-]+\.?)*';"
            " 'a+', not '(a+)+'; one '.*', not several."
        )
        issues.append(Issue("regex-backtracking", option, source, message, line))
    if has_bare_dot(source):
        message = f"{source!r} has a dot that stands for any character"
        warnings.append(Issue("regex-dot", option, source, message, r"Write '\.' for a dot."))


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
