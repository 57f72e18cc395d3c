"""The options `allow_origins` and `allow_origin_regex`: read, validated, compiled.

Knows what people write; which of it is unsafe with credentials is for `_credentials` to say.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from asgi_cors._errors import NAME_ORIGINS, UNSET, Issue, show
from asgi_cors._origins.corrections import hint, hint_for_object
from asgi_cors._origins.origin import is_simple_origin
from asgi_cors._origins.pattern import Problem, parse_pattern
from asgi_cors._origins.regex.hints import cost_issue, regex_warnings

if TYPE_CHECKING:
    from asgi_cors._origins.pattern import Pattern

OriginCallable = Callable[[str], bool | Awaitable[bool]]
OriginEntry = str | re.Pattern[str] | OriginCallable
Accepts = Callable[[list[Any]], bool]


class OriginEntries:
    """What `allow_origins` and `allow_origin_regex` come to: the entries, told apart by kind."""

    def __init__(self, entries: tuple[OriginEntry, ...]) -> None:
        """Begin with what is written."""
        self.entries = entries
        self.has_star = False
        self.exact: list[str] = []
        self.patterns: list[Pattern] = []
        self.regexes: dict[re.Pattern[str], str] = {}  # with the option that each is written in
        self.callables: list[OriginCallable] = []
        self.ports: dict[str, str] = {}  # by scheme and host: one port, for "Did you mean …?"

    @property
    def any(self) -> bool:
        """Whether `*` is allowed."""
        return self.has_star and len(self.entries) == 1

    @property
    def none(self) -> bool:
        """Whether no origin can ever be allowed."""
        return not (self.entries or self.regexes)

    def sort(self, issues: list[Issue], accepts: Accepts) -> None:
        """Sort the entries by kind. Mistakes go to `issues`, with the hint."""
        others: list[Any] = []
        for entry in cast("tuple[Any, ...]", self.entries):
            if not isinstance(entry, str):
                others.append(entry)
            elif is_simple_origin(entry) or entry == "null":
                self.exact.append(entry)
            elif entry == "*":
                self.has_star = True
            else:
                others.append(entry)
        if others:
            self._sort(others, issues, accepts)

    def _sort(self, entries: list[Any], issues: list[Issue], accepts: Accepts) -> None:
        for entry in entries:
            if isinstance(entry, str):
                parsed = parse_pattern(entry)
                if isinstance(parsed, Problem):
                    message, line = f"{show(entry)} {parsed.message}", _hint(entry, parsed, accepts)
                    issues.append(Issue(parsed.code, "allow_origins", entry, message, line))
                elif parsed.is_exact:
                    self.exact.append(entry)
                    if parsed.port:
                        self.ports.setdefault(f"{parsed.scheme}://{parsed.host}", parsed.port)
                else:
                    self.patterns.append(parsed)
            elif isinstance(entry, re.Pattern):
                self.regexes |= _compiled(cast("object", entry), "allow_origins", issues)
            elif callable(entry):
                self.callables.append(cast("OriginCallable", entry))
            else:
                issues.append(_entry_issue(entry, accepts))
                self.entries = tuple(each for each in self.entries if each is not entry)


def refuse_all(_entries: list[Any]) -> bool:
    """Accept no correction: a correction that is checked needs no hint of its own."""
    return False


def parse_origins(
    value: object, regex: object, issues: list[Issue], warnings: list[Issue], accepts: Accepts = refuse_all
) -> OriginEntries:
    """Parse both options. Mistakes go to `issues`, probable mistakes to `warnings`.

    Args:
        value: The value of `allow_origins`.
        regex: The value of `allow_origin_regex`.
        issues: The list of mistakes.
        warnings: The list of probable mistakes.
        accepts: Returns whether the policy would accept a list of entries instead.
    """
    entries = _entries(value, issues, accepts)
    origins = OriginEntries(entries)
    origins.sort(issues, accepts)
    if origins.has_star and (len(entries) > 1 or regex is not None):
        message = "'*' allows every origin, so the other entries are redundant: one of the two is not intended"
        hint = "Leave '*' out." if len(entries) > 1 else "Leave allow_origins out."
        issues.append(Issue("redundant-entry", "allow_origins", "*", message, hint))
    if "null" in origins.exact:
        message = "'null' is the origin of every sandboxed page, whichever site it comes from"
        warnings.append(
            Issue("null-allowed", "allow_origins", "null", message, "Leave it out unless you know the page.")
        )
    if regex is not None:
        origins.regexes.update(_compiled(regex, "allow_origin_regex", issues))
    for compiled, option in origins.regexes.items():
        _check_regex(compiled, option, issues, warnings)
    return origins


def list_of(value: object) -> list[Any] | None:
    """Return the entries of an iterable that is not text or a mapping; None for anything else."""
    is_list = isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | Mapping)
    try:
        return [plain_string(entry) for entry in cast("Iterable[Any]", value)] if is_list else None
    except TypeError:  # an array of no dimension is iterable by its type only
        return None


def plain_string(value: Any) -> Any:
    """Return a member of an enum, or a proxy, that stands for a string as that string; anything else as it is."""
    if not isinstance(value, str):
        return value
    return str.__str__(value) if str in type(value).__mro__ else str(value)


def _entries(value: Any, issues: list[Issue], accepts: Accepts) -> tuple[Any, ...]:
    if isinstance(value, str | re.Pattern) or callable(value):
        return (plain_string(value),)
    entries = list_of(value)
    if entries is None:
        issues.append(_entry_issue(value, accepts, "a string, compiled regex, callable, or list of these"))
        return ()
    return tuple({equality_key(entry): entry for entry in entries}.values())


def equality_key(entry: Any) -> object:
    """Give what an entry is compared by: itself, or its identity where it has no hash (a callable dataclass)."""
    try:
        hash(entry)
    except Exception:  # noqa: BLE001 - it has no hash, or is nested too deeply
        return id(entry)
    return entry


def _entry_issue(entry: object, accepts: Accepts, wanted: str = "a string, compiled regex or callable") -> Issue:
    """Describe an entry of another type. The hint corrects it as text."""
    message = f"{show(entry)} is not {wanted}" + (f" ({UNSET})" if entry is None else "")
    return Issue("wrong-type", "allow_origins", entry, message, hint_for_object(entry, accepts))


def _hint(entry: str, problem: Problem, accepts: Accepts) -> str:
    return hint(entry, problem, accepts)


def _compiled(regex: Any, option: str, issues: list[Issue]) -> dict[re.Pattern[str], str]:
    try:
        compiled: Any = re.compile(regex) if isinstance(regex, str) else regex
    except re.error as error:
        message = f"{show(regex)} is not a valid regular expression: {error}"
        issues.append(Issue("regex-syntax", option, regex, message, "Correct its syntax."))
        return {}
    except (OverflowError, RecursionError):
        message = f"{show(regex)} is too large for a regular expression"
        issues.append(Issue("regex-unsupported", option, regex, message, NAME_ORIGINS))
        return {}
    if isinstance(compiled, re.Pattern) and isinstance(cast("Any", compiled).pattern, str):
        return {cast("re.Pattern[str]", compiled): option}
    message = f"{show(regex)} is not a regular expression of str"
    issues.append(Issue("wrong-type", option, regex, message, "Use a string, or re.compile(…) of a string."))
    return {}


def _check_regex(regex: re.Pattern[str], option: str, issues: list[Issue], warnings: list[Issue]) -> None:
    found = cost_issue(regex, option)
    if found:
        issues.append(found)
    warnings += regex_warnings(regex, option)
