"""The options `allow_origins` and `allow_origin_regex`: read, validated, compiled.

Knows what people write; which of it is unsafe with credentials is for `_credentials` to say.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from ._errors import issue
from ._origins import is_plain

if TYPE_CHECKING:
    from ._issue import Issue
    from ._origin_patterns import Pattern, Problem

AsksOrigin = Callable[[str], bool | Awaitable[bool]]
OriginEntry = str | re.Pattern[str] | AsksOrigin


_INSTEAD: Final = (
    "Write the origins that you trust: allow_origins=['https://app.example.com', 'https://*.example.com']."
)


class Origins:
    """What `allow_origins` and `allow_origin_regex` come to: the entries, told apart by kind."""

    def __init__(self, entries: tuple[OriginEntry, ...]) -> None:
        """Begin with what is written."""
        self.entries = entries
        self.exact: list[str] = []
        self.patterns: list[Pattern] = []
        self.regexes: dict[re.Pattern[str], str] = {}  # with the option that each is written in
        self.callables: list[AsksOrigin] = []

    @property
    def any(self) -> bool:
        """Whether `*` is allowed."""
        return self.entries == ("*",)

    @property
    def none(self) -> bool:
        """Whether no origin can ever be allowed."""
        return not (self.entries or self.regexes)

    def sort(self, issues: list[Issue]) -> None:
        """Tell the entries apart; mistakes go to `issues`."""
        others: list[Any] = []
        for entry in cast("tuple[Any, ...]", self.entries):
            if not isinstance(entry, str):
                others.append(entry)
            elif is_plain(entry) or entry == "null":
                self.exact.append(entry)
            elif entry != "*":
                others.append(entry)
        if others:
            self._sort(others, issues)

    def _sort(self, entries: list[Any], issues: list[Issue]) -> None:
        from ._origin_patterns import Problem, parse_pattern  # noqa: PLC0415 - many policies have plain origins alone

        for entry in entries:
            if isinstance(entry, str):
                parsed = parse_pattern(entry)
                if isinstance(parsed, Problem):
                    message, line = f"{entry!r} {parsed.message}", _hint(entry, parsed)
                    issues.append(issue(parsed.code, "allow_origins", entry, message, line))
                elif parsed.exact:
                    self.exact.append(entry)
                else:
                    self.patterns.append(parsed)
            elif isinstance(entry, re.Pattern):
                self.regexes |= _compiled(cast("object", entry), "allow_origins", issues)
            elif callable(entry):
                self.callables.append(cast("AsksOrigin", entry))
            else:
                issues.append(_entry_issue(entry))


def read_origins(value: object, regex: object, issues: list[Issue], warnings: list[Issue]) -> Origins:
    """Read both options; mistakes go to `issues`, doubts to `warnings`."""
    entries = _entries(value, issues)
    if "*" in entries and (len(entries) > 1 or regex is not None):
        message = "'*' beside other entries makes them redundant"
        issues.append(
            issue("redundant-entry", "allow_origins", "*", message, "Write '*' alone, or the entries without it.")
        )
    origins = Origins(entries)
    origins.sort(issues)
    if "null" in entries:
        message = "'null' stands for every sandboxed page, wherever it comes from"
        warnings.append(
            issue("null-allowed", "allow_origins", "null", message, "Leave it out unless you know the page.")
        )
    if regex is not None:
        origins.regexes.update(_compiled(regex, "allow_origin_regex", issues))
    for compiled, option in origins.regexes.items():
        _check_regex(compiled, option, issues, warnings)
    return origins


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
        issues.append(issue("wrong-type", "allow_origins", value, f"{value!r} is not {wanted}"))
        return ()
    return tuple({comparable(entry): entry for entry in entries}.values())


def comparable(entry: Any) -> object:
    """Give what an entry is compared by: itself, or its identity where it has no hash (a callable dataclass)."""
    try:
        hash(entry)
    except TypeError:
        return id(entry)
    return entry


def _entry_issue(entry: object) -> Issue:
    """Describe an entry of another type; what it is as text is probably meant."""
    from ._origin_patterns import Problem, parse_pattern  # noqa: PLC0415 - only of a mistake

    written = entry.decode("latin-1") if isinstance(entry, bytes) else str(entry)
    parsed = parse_pattern(written)
    line = f"Write {written!r}."
    if isinstance(parsed, Problem):
        line = _hint(written, parsed) if "://" in written else ""
    return issue("wrong-type", "allow_origins", entry, f"{entry!r} is no string, compiled regex or callable", line)


def _hint(entry: str, problem: Problem) -> str:
    from ._origin_hints import hint  # noqa: PLC0415 - only of a mistake

    return hint(entry, problem)


def _compiled(regex: Any, option: str, issues: list[Issue]) -> dict[re.Pattern[str], str]:
    try:
        compiled: Any = re.compile(regex) if isinstance(regex, str) else regex
    except re.error as error:
        message = f"{regex!r} is not a regular expression: {error}"
        issues.append(issue("regex-syntax", option, regex, message, _INSTEAD))
        return {}
    except (OverflowError, RecursionError):
        message = f"{regex[:80]!r}… is too large for a regular expression"
        issues.append(issue("regex-unsupported", option, regex, message, _INSTEAD))
        return {}
    if isinstance(compiled, re.Pattern) and isinstance(cast("Any", compiled).pattern, str):
        return {cast("re.Pattern[str]", compiled): option}
    issues.append(issue("wrong-type", option, regex, f"{regex!r} is not a regular expression of str", _INSTEAD))
    return {}


def _check_regex(regex: re.Pattern[str], option: str, issues: list[Issue], warnings: list[Issue]) -> None:
    from ._regex_hints import cost_issue, regex_warnings  # noqa: PLC0415 - most policies have no regex

    found = cost_issue(regex, option)
    if found:
        issues.append(found)
    warnings += regex_warnings(regex, option)
