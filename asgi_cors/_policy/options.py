"""The options of a policy: one parser for each.

A parser returns the validated and normalised value. It adds mistakes, each with a correction, to its `OptionIssues`.
`risks` checks combinations of options.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, cast

from asgi_cors import _http
from asgi_cors._errors import UNSET, UNSET_HINT, Issue, OptionIssues, name_origins, show, text_of
from asgi_cors._origins.corrections import Accepts, hint, hint_for_object
from asgi_cors._origins.origin import RISKS, is_simple_origin
from asgi_cors._origins.pattern import Pattern, Problem, parse_pattern
from asgi_cors._origins.regex.hints import check_regex

from .functions import entry_problem, hint_for_result

OriginCallable = Callable[[str], bool | Awaitable[bool]]
OriginEntry = str | re.Pattern[str] | OriginCallable
Names = tuple[str, ...] | Literal["*"]

MAX_AGE_LIMIT: Final = 86400  # seconds: Firefox caches a preflight's response this long, Chromium 7200, WebKit 600
DEFAULT_MAX_AGE: Final = 600
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_SEPARATORS: Final = re.compile(r"[\s,;\"'\[\]]+")
_LISTED: Final = re.compile(r"[\s,;\[]")
_HEADER_LINE: Final = re.compile(r"\s*([^\s:,]+)\s*:[^,]*")  # "X-Id: 1"

# -- allow_origins and allow_origin_regex


@dataclass(slots=True)
class OriginEntries:
    """The entries of `allow_origins` and `allow_origin_regex`, by kind.

    Args:
        entries: The entries of `allow_origins`, in their order and without duplicates.
        has_star: Whether `*` is one of them.
        exact: The origins.
        patterns: The entries with a wildcard.
        regexes: The regular expressions, each with its option.
        callables: The callables.
        ports: One port for each scheme and host that has one, to find the closest origin.
    """

    entries: tuple[OriginEntry, ...] = ()
    has_star: bool = False
    exact: list[str] = field(default_factory=list[str])
    patterns: list[Pattern] = field(default_factory=list[Pattern])
    regexes: dict[re.Pattern[str], str] = field(default_factory=dict[re.Pattern[str], str])
    callables: list[OriginCallable] = field(default_factory=list[OriginCallable])
    ports: dict[str, str] = field(default_factory=dict[str, str])

    def discard_null(self) -> None:
        """Remove `null`."""
        self.exact.remove("null")
        self.entries = tuple(entry for entry in self.entries if not isinstance(entry, str) or entry != "null")

    @property
    def allows_any(self) -> bool:
        """Whether every origin is allowed."""
        return self.has_star and len(self.entries) == 1

    @property
    def is_empty(self) -> bool:
        """Whether no origin is allowed."""
        return not (self.entries or self.regexes)

    def classify(self, issues: OptionIssues, accepts: Accepts) -> None:
        """Add each of `entries` to the list of its kind."""
        for entry in cast("tuple[Any, ...]", self.entries):
            if not isinstance(entry, str):
                self._classify_object(entry, issues, accepts)
            elif is_simple_origin(entry) or entry == "null":
                self.exact.append(entry)
            elif entry == "*":
                self.has_star = True
            else:
                self._classify_pattern(entry, issues, accepts)

    def _classify_pattern(self, entry: str, issues: OptionIssues, accepts: Accepts) -> None:
        parsed = parse_pattern(entry)
        if isinstance(parsed, Problem):
            better = hint(entry, parsed, accepts, issues.option)
            issues.add(parsed.code, entry, f"{show(entry)} {parsed.message}", better)
        elif not parsed.is_exact:
            self.patterns.append(parsed)
        else:
            self.exact.append(entry)
            if parsed.port:
                self.ports.setdefault(f"{parsed.scheme}://{parsed.host}", parsed.port)

    def _classify_object(self, entry: Any, issues: OptionIssues, accepts: Accepts) -> None:
        if isinstance(entry, re.Pattern):
            self.add_regex(cast("Any", entry), issues)
        elif not callable(entry):
            expected = "a string, compiled regex or callable" + _unset(entry)
            issues.add_wrong_type(entry, expected, hint_for_result(entry) or hint_for_object(entry, accepts))
        elif problem := entry_problem(entry, issues.option):
            issues.add(problem.code, entry, problem.message, problem.hint)
        else:
            self.callables.append(cast("OriginCallable", entry))

    def add_regex(self, regex: Any, issues: OptionIssues) -> None:
        """Compile a regular expression and add it."""
        try:
            compiled: Any = re.compile(regex) if isinstance(regex, str) else regex
        except re.error as error:
            message = f"{show(regex)} is not a valid regular expression: {error}"
            issues.add("regex-syntax", regex, message, "Correct its syntax.")
        except (OverflowError, RecursionError):
            message = f"{show(regex)} is too large for a regular expression"
            issues.add("regex-unsupported", regex, message, name_origins(issues.option))
        else:
            if isinstance(compiled, re.Pattern) and isinstance(cast("Any", compiled).pattern, str):
                self.regexes[cast("re.Pattern[str]", compiled)] = issues.option
            else:
                advice = "Use a string, or re.compile(…) of a string."
                issues.add_wrong_type(regex, "a regular expression of str", advice)


def refuse_all(_entries: list[Any]) -> bool:
    """Accept no correction: a correction that is checked needs no hint of its own."""
    return False


def parse_origins(value: Any, regex: Any, issues: OptionIssues, accepts: Accepts = refuse_all) -> OriginEntries:
    """Parse `allow_origins` and `allow_origin_regex`, or `csrf_trusted_origins`.

    Args:
        value: The value of the option.
        regex: The value of `allow_origin_regex`; None for another option.
        issues: The collector of the option.
        accepts: Returns whether a list of entries, proposed as a correction, would be accepted.
    """
    origins = OriginEntries(_parse_entries(value, issues, accepts))
    origins.classify(issues, accepts)
    if origins.has_star and (len(origins.entries) > 1 or regex is not None):
        message = "'*' allows every origin, so the other entries are redundant: '*' or the others are not intended"
        advice = "Leave '*' out." if len(origins.entries) > 1 else f"Leave {issues.option} out."
        issues.add("redundant-entry", "*", message, advice)
    if regex is not None:
        origins.add_regex(regex, issues.of("allow_origin_regex"))
    for compiled, option in origins.regexes.items():
        check_regex(compiled, issues.of(option))
    return origins


def _parse_entries(value: Any, issues: OptionIssues, accepts: Accepts) -> tuple[Any, ...]:
    if isinstance(value, str | re.Pattern) or callable(value):
        return (plain_string(value),)
    entries = list_of(value)
    if entries is None:
        expected = "a string, compiled regex, callable, or list of these" + _unset(value)
        issues.add_wrong_type(value, expected, hint_for_result(value) or hint_for_object(value, accepts))
        return ()
    return tuple({equality_key(entry): entry for entry in entries}.values())


def equality_key(entry: Any) -> object:
    """Return the value that an entry is compared by: the entry, or its identity if it cannot be hashed."""
    try:
        hash(entry)
    except Exception:  # noqa: BLE001 - it has no hash, such as a callable dataclass, or is nested too deeply
        return id(entry)
    return entry


# -- the other options


def parse_methods(value: object, issues: OptionIssues) -> Names:
    """Parse `allow_methods`. The names that browsers upper-case are upper-cased."""
    names = _parse_names(value, issues, _is_useful_method)
    if "*" in names:
        return _any_name(names, issues)
    for name in names:
        if name.upper() in _http.FORBIDDEN_METHODS:
            issues.add("forbidden-method", name, f"no script can send {name!r}", f"Leave {name!r} out.")
        elif not _http.TOKEN.fullmatch(name):
            _add_invalid_name(name, "method", issues, _is_useful_method)
        elif name == "patch":
            message = "'patch' is another method than 'PATCH', and browsers do not upper-case it"
            issues.warn("lower-case-patch", name, message, "Write 'PATCH'.")
    return tuple(dict.fromkeys(map(_http.normalize_method, names)))


def _is_useful_method(name: str) -> bool:
    return bool(_http.TOKEN.fullmatch(name)) and name.upper() not in _http.FORBIDDEN_METHODS and name != "patch"


def parse_headers(value: object, issues: OptionIssues) -> Names:
    """Parse `allow_headers`: names and prefixes, in lower case. Names that have no effect are dropped."""
    names = _parse_names(value, issues, _is_useful_header)
    if "*" in names:
        return _any_name(names, issues)
    useful: list[str] = []
    for name in names:
        if not _http.TOKEN.fullmatch(name):
            _add_invalid_name(name, "header name", issues, _is_useful_header)
        elif "*" in name[:-1]:
            advice = "Name the headers, or put the '*' at the end of the name, as in 'x-app-*'."
            message = f"{name!r} has a '*' that is not its last character"
            issues.add("bad-wildcard", name, message, name_hint(name, _is_useful_header, advice))
        elif name.lower().encode() in _http.CORS_RESPONSE_HEADERS:
            issues.warn("response-header", name, f"{name!r} is ignored: it is a header of responses", "Leave it out.")
        elif _http.is_forbidden_header(name.lower()):
            issues.warn("forbidden-header", name, f"{name!r} is ignored: no script can set it", "Leave it out.")
        else:
            useful.append(name.lower())
    return tuple(dict.fromkeys(useful))


def _is_useful_header(name: str) -> bool:
    is_valid = bool(_http.TOKEN.fullmatch(name)) and (name == "*" or "*" not in name[:-1])
    lower = name.lower()
    return is_valid and lower.encode() not in _http.CORS_RESPONSE_HEADERS and not _http.is_forbidden_header(lower)


def parse_exposed(value: object, issues: OptionIssues) -> Names:
    """Parse `expose_headers`: names of response headers, in the given letter case."""
    names = _parse_names(value, issues, _is_exposable)
    if "*" in names:
        return _any_name(names, issues)
    for name in names:
        if not _http.TOKEN.fullmatch(name):
            _add_invalid_name(name, "header name", issues, _is_exposable)
        elif "*" in name:
            message = f"{name!r} has a '*': browsers do not support prefixes of response headers"
            issues.add("invalid-name", name, message, "Name each header.")
        elif name.lower() in _http.UNEXPOSABLE_HEADERS:
            issues.add("unexposable-header", name, f"no script can ever read {name!r}", "Leave it out.")
        elif name.lower() in _http.CORS_REQUEST_HEADERS:
            issues.add("request-header", name, f"{name!r} is a header of requests", "Leave it out.")
    return tuple({name.lower(): name for name in reversed(names)}.values())[::-1]


def _is_exposable(name: str) -> bool:
    is_valid = bool(_http.TOKEN.fullmatch(name)) and "*" not in name
    return name == "*" or (is_valid and name.lower() not in _http.UNEXPOSABLE_HEADERS | _http.CORS_REQUEST_HEADERS)


def parse_flag(value: Any, issues: OptionIssues) -> bool:
    """Parse a boolean. If the type is wrong, return the value that is probably meant."""
    if isinstance(value, bool):
        return value
    value = plain_string(value)
    meant = value.strip().lower() in _TRUE if isinstance(value, str) else isinstance(value, int) and value == 1
    issues.add_wrong_type(value, "True or False" + _unset(value), f"Write {issues.option}={meant}.")
    return meant


def parse_max_age(value: object, issues: OptionIssues) -> int | None:
    """Parse `max_age`: seconds, or None to send no header."""
    if value is None:
        return None
    seconds = math.floor(value.total_seconds()) if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int) or abs(seconds) > sys.maxsize:
        expected = "a whole number of seconds, a timedelta or None"
        issues.add_wrong_type(value, expected, f"Write max_age={_meant_seconds(value)}.")
        return None
    if seconds < 0:
        issues.add("negative-max-age", value, f"{show(value)} is negative", "Write max_age=0 to disable caching.")
    if seconds > MAX_AGE_LIMIT:
        message = f"no browser caches a preflight's response for {show(seconds)} seconds"
        issues.warn("long-max-age", value, message, f"Write max_age={MAX_AGE_LIMIT}.")
    return seconds


def _meant_seconds(value: object) -> int:
    """Return the seconds that a value of the wrong type probably means; if unclear, the default."""
    try:
        seconds = int(float(plain_string(value))) if isinstance(value, str | float) else -1
    except (ValueError, OverflowError):  # a text that is not a number, nan, infinity
        seconds = -1
    return seconds if 0 <= seconds <= MAX_AGE_LIMIT else DEFAULT_MAX_AGE


def parse_dangerously_allow(value: object, issues: OptionIssues) -> tuple[str, ...]:
    """Parse `dangerously_allow`: the risks to accept."""
    names = parse_known_names(value, RISKS, issues, "risk")
    return tuple(risk for risk in RISKS if risk in names)


def parse_known_names(value: object, known: Collection[str], issues: OptionIssues, kind: str) -> tuple[str, ...]:
    """Parse a list of known names. Letter case, and `_` for `-`, are corrected in the hint.

    Args:
        value: The value given.
        known: The names.
        issues: The collector of the option.
        kind: A name's kind, such as `"risk"`: for the message, and for the code `unknown-risk`.
    """

    def spelled(name: str) -> str:
        return re.sub("[ _]", "-", name.strip().lower())

    names = _parse_names(value, issues, lambda name: name in known)
    for name in names:
        if name not in known:
            close = Issue.unknown(name, known).hint
            listed = f"Use one of: {', '.join(map(repr, known))}."
            advice = f"Write {spelled(name)!r}." if spelled(name) in known else close if close[:3] == "Did" else listed
            corrected = name_hint(name.lower(), lambda name: name in known, advice)
            issues.add(f"unknown-{kind}", name, f"{show(name)} is not a known {kind}{_unset(name)}", corrected)
    return tuple(name for name in names if name in known)


def _unset(value: object) -> str:
    """Return a question for a value that is None or empty."""
    return f" ({UNSET})" if isinstance(value, str | None) and not value else ""


# -- lists of names


def list_of(value: object) -> list[Any] | None:
    """Return the entries of an iterable that is not text or a mapping; None for anything else."""
    is_list = isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | Mapping)
    try:
        return [plain_string(entry) for entry in cast("Iterable[Any]", value)] if is_list else None
    except TypeError:  # an array without dimensions has __iter__, but cannot be iterated
        return None


def plain_string(value: Any) -> Any:
    """Return the text of a string, a member of a string enum or a proxy of a string; other values unchanged."""
    if not isinstance(value, str):
        return value
    return str.__str__(value) if str in type(value).__mro__ else str(value)


def _parse_names(value: object, issues: OptionIssues, accepts: Callable[[str], bool]) -> tuple[str, ...]:
    """Parse a list of names. A single name is a list of one."""
    entries = list_of((value,) if isinstance(value, str) else value)
    wrong = [(value, "a name, or a list of names")] if entries is None else []
    wrong += [(name, "a string") for name in entries or () if not isinstance(name, str)]
    for entry, expected in wrong:
        advice = name_hint(entry, accepts, "Use a name, or a list of names.")
        issues.add_wrong_type(entry, expected + _unset(entry), advice)
    return tuple(dict.fromkeys(name for name in entries or () if isinstance(name, str)))


def _any_name(names: tuple[str, ...], issues: OptionIssues) -> Literal["*"]:
    """Return `*` for a list with `*`, and warn of other names in it."""
    # `*` never covers Authorization, so the standard's own form is ["*", "Authorization"].
    named = [name for name in names if issues.option == "allow_headers" and name.lower() == "authorization"]
    others = [name for name in names if name not in {"*", *named}]
    if others:
        message = f"'*' allows every name, so these are redundant: {', '.join(map(repr, others))}"
        issues.warn("redundant-entry", "*", message, "Write ['*', 'Authorization']." if named else "Write '*'.")
    return "*"


def _add_invalid_name(name: str, kind: str, issues: OptionIssues, accepts: Callable[[str], bool]) -> None:
    message = f"{show(name)} is not a {kind}" if name.strip() else f"{show(name)} is empty ({UNSET})"
    advice = f"Correct it: a {kind} has only letters, digits and -_.!#$%&'*+^`|~."
    issues.add("invalid-name", name, message, name_hint(name, accepts, advice))


def name_hint(entry: object, accepts: Callable[[str], bool], advice: str) -> str:
    """Return the hint for an entry of a list of names: the accepted names in its text, or else `advice`."""
    text = text_of(entry)
    if text is None:
        entries = cast("Iterable[object]", entry) if isinstance(entry, list | tuple | set | Mapping) else ()
        texts, is_list = [text for text in map(text_of, entries) if text], True
    else:
        texts, is_list = [text], bool(_LISTED.search(text.strip()))
    names = list(dict.fromkeys(name for text in texts for name in _split_names(text, accepts)))
    if not names:
        return UNSET_HINT if isinstance(entry, str | None) and not entry else advice
    is_header_line = len(texts) == 1 and bool(_HEADER_LINE.fullmatch(texts[0]))
    return f"Write {names if (is_list and not is_header_line) or len(names) > 1 else repr(names[0])}."


def _split_names(text: str, accepts: Callable[[str], bool]) -> list[str]:
    """Split a list in one string. For a header line, return its name."""
    line = _HEADER_LINE.fullmatch(text)
    names = [line[1]] if line else [name for name in _SEPARATORS.split(text) if name]
    names = ["*" if set(name) == {"*"} else re.sub(r"\*{2,}$", "*", name).rstrip(":") for name in names]
    names = [part for name in names for part in ([name] if accepts(name) else name.split("/")) if accepts(part)]
    return ["*"] if "*" in names else names
