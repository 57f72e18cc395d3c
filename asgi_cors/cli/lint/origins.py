"""Check the origins of a setup: each entry as its library compares it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeGuard
from urllib.parse import urlsplit

from asgi_cors import ConfigError, ConfigWarning, Issue, Policy, check_origin

from .libraries import DJANGO, EXACT_OR_REGEX, QUART_CORS, STARLETTE
from .values import UNKNOWN, Default, Unknown, as_list

if TYPE_CHECKING:
    from .setups import Setup

_REGEX_CHARACTERS: Final = frozenset("*\\]?$^[()")
_ANY_REGEX: Final = frozenset({".*", "^.*$", "^.*", ".*$", "(.*)", ".+", "^.+$"})
_SUGGESTION: Final = re.compile(r"Write '([^']+)'")
_REGEX_SUGGESTION: Final = re.compile(r"Write re\.compile\(('[^']+')\)")
_HOSTILE: Final = re.compile(r"allows '([^']+)'")
UNSAFE: Final = "unsafe"
NEVER_MATCHES: Final = "never-matches"
MISTAKE: Final = "mistake"


@dataclass(frozen=True)
class Problem:
    """A mistake in a setup.

    Args:
        rule: The stable name of the rule, in kebab case.
        kind: UNSAFE, NEVER_MATCHES or MISTAKE.
        message: The problem.
        remedy: The change.
        line: The line.
    """

    rule: str
    kind: str
    message: str
    remedy: str
    line: int


@dataclass(frozen=True)
class CheckedEntry:
    """An entry of a list of origins.

    Args:
        problem: Its mistake, or None.
        correct: The entry to write with asgi_cors: a text, a regular expression, or None to leave it out.
    """

    problem: Problem | None
    correct: str | re.Pattern[str] | None


def has_credentials(setup: Setup) -> bool:
    """Return whether a setup allows credentials."""
    option = setup.options.get("allow_credentials")
    return option is not None and option.value is not UNKNOWN and bool(option.value)


def origins_of(setup: Setup) -> tuple[list[Any], int]:
    """Return the entries for origins, with `UNKNOWN` for those that only the program knows, and their line."""
    allow_all = setup.options.get("allow_all")
    if allow_all is not None and True in as_list(allow_all.value):
        return [re.compile(".*")], allow_all.line
    entries: list[Any] = []
    line = setup.line
    for name in ("allow_origins", "allow_origin_regex"):
        option = setup.options.get(name)
        if option is None or option.value is None:
            continue
        line = option.line
        entries += [_as_regex(value) if name == "allow_origin_regex" else value for value in as_list(option.value)]
    if not entries and "allow_origins" not in setup.options and setup.is_complete:
        entries = [value for value in [setup.library.defaults.get("allow_origins")] if value]
    return entries, line


def _as_regex(value: Any) -> re.Pattern[str] | Unknown:
    """Return a text as a regular expression, or `UNKNOWN` if it is none."""
    text: Any = getattr(value, "pattern", value)
    try:
        return re.compile(text) if isinstance(text, str) else UNKNOWN
    except re.error:
        return UNKNOWN


def is_any(setup: Setup, entry: Any) -> bool:
    """Return whether a library allows every origin because of an entry."""
    pattern: Any = getattr(entry, "pattern", None)
    if pattern is not None:
        return pattern in _ANY_REGEX
    is_regex = setup.library.entries == EXACT_OR_REGEX and entry in _ANY_REGEX
    return isinstance(entry, str) and (is_regex or (entry == "*" and setup.library is not DJANGO))


def check_entry(setup: Setup, entry: str | re.Pattern[str], line: int) -> CheckedEntry:
    """Check one entry as its library compares it."""
    if isinstance(entry, re.Pattern):
        return _check_regex(setup, entry, line)
    if setup.library.entries == EXACT_OR_REGEX and not _REGEX_CHARACTERS.isdisjoint(entry):
        return _check_text_as_regex(setup, entry, line)
    if setup.library is DJANGO:
        return _check_django(setup, entry, line)
    if "*" in entry:
        return _check_pattern(setup, entry, line)
    if entry == "null":
        return CheckedEntry(_null(setup, line), None)
    return _check_exact(
        setup, entry.lower() if setup.library.entries == EXACT_OR_REGEX else entry, line
    )  # ignores case


def _check_exact(setup: Setup, text: str, line: int) -> CheckedEntry:
    issue = check_origin(text, credentials=has_credentials(setup))
    if issue is None:
        return CheckedEntry(None, text)
    return CheckedEntry(_problem(setup, issue, line), _suggested(issue))


def _check_django(setup: Setup, entry: str, line: int) -> CheckedEntry:
    """Check an entry of django-cors-headers, which compares only the scheme and the host."""
    try:
        parts = urlsplit(entry)
    except ValueError:
        parts = urlsplit("invalid:")
    issue = check_origin(entry, credentials=has_credentials(setup))
    correct = entry if issue is None else _suggested(issue)
    if entry == "null":
        return CheckedEntry(_null(setup, line), None)
    if not parts.scheme and not parts.netloc:
        kind = UNSAFE if has_credentials(setup) else MISTAKE
        message = f"django-cors-headers finds no host in {entry!r}, so the entry allows 'null' and nothing else."
        return CheckedEntry(Problem("allows-null", kind, message, issue.hint if issue else "", line), correct)
    compared = f"{parts.scheme}://{parts.netloc}"
    is_matching = "*" not in compared and check_origin(compared) is None
    if is_matching and compared != entry and (parts.path or parts.query or parts.fragment) and issue is not None:
        message = f"{issue.message}. Django's check corsheaders.E014 refuses it, so manage.py does not run."
        return CheckedEntry(Problem(issue.code, MISTAKE, message, issue.hint, line), correct)
    if is_matching:
        issue = check_origin(compared, credentials=has_credentials(setup))
        return CheckedEntry(_problem(setup, issue, line) if issue else None, compared if issue is None else correct)
    return _check_pattern(setup, entry, line) if "*" in entry else _check_exact(setup, entry, line)


def _null(setup: Setup, line: int) -> Problem:
    kind = UNSAFE if has_credentials(setup) else MISTAKE
    message = "'null' is allowed: any page can have this origin in a sandboxed frame."
    return Problem("allows-null", kind, message, "Leave it out, and serve the page over http or https.", line)


def _problem(setup: Setup, issue: Issue, line: int) -> Problem:
    if issue.code.startswith("credentials-"):
        return Problem(issue.code, UNSAFE, f"{issue.message}.", _safe_remedy(issue), line)
    message = f"{issue.message}. {setup.library.name} compares the whole text, so this entry never matches."
    return Problem(issue.code, NEVER_MATCHES, message, issue.hint, line)


def _suggested(issue: Issue) -> str | None:
    found = _SUGGESTION.search(issue.hint)
    return found[1] if found else None


def _check_pattern(setup: Setup, entry: str, line: int) -> CheckedEntry:
    """Check a text with `*` in a library that compares whole texts."""
    issue = check_origin(entry, credentials=has_credentials(setup))
    correct = entry if issue is None else _suggested(issue)
    message = f"{setup.library.name} has no patterns: it compares {entry!r} with the whole origin, so it never matches."
    remedy = f"asgi_cors accepts the pattern {correct!r}." if correct else issue.hint if issue else ""
    return CheckedEntry(Problem("pattern-never-matches", NEVER_MATCHES, message, remedy, line), correct)


def _check_text_as_regex(setup: Setup, entry: str, line: int) -> CheckedEntry:
    """Check a text that Flask-CORS reads as a regular expression."""
    pattern = _as_regex(entry)
    is_pattern_of_ours = check_origin(entry, credentials=has_credentials(setup)) is None
    sample = entry.replace(":*", ":3000").replace("*", "app")
    if is_pattern_of_ours and (isinstance(pattern, Unknown) or not pattern.match(sample)):
        message = f"{setup.library.name} reads {entry!r} as a regular expression, which does not match {sample!r}."
        remedy = f"asgi_cors reads it as a pattern, as intended: {entry!r}."
        return CheckedEntry(Problem("pattern-never-matches", NEVER_MATCHES, message, remedy, line), entry)
    if isinstance(pattern, Unknown):
        message = f"{entry!r} is not a valid regular expression."
        return CheckedEntry(Problem("invalid-regex", MISTAKE, message, "Name the origins.", line), None)
    checked = _check_regex(setup, pattern, line)
    return replace(checked, correct=entry) if is_pattern_of_ours else checked


def _check_regex(setup: Setup, pattern: re.Pattern[str], line: int) -> CheckedEntry:
    """Check a regular expression, also as a library does that compares only the beginning of an origin."""
    issue = _regex_issue(pattern)
    if issue is not None:
        if not has_credentials(setup):
            return CheckedEntry(None, pattern)
        problem = Problem(_regex_rule(issue), UNSAFE, f"{issue.message}.", _safe_remedy(issue), line)
        return CheckedEntry(problem, _suggested_regex(issue))
    if not setup.library.regexes_match_beginning or pattern.pattern.endswith(("$", r"\Z")):
        return CheckedEntry(None, pattern)
    issue = _regex_issue(re.compile(f"(?:{pattern.pattern}).*", pattern.flags))
    hostile = _HOSTILE.search(issue.message) if issue else None
    if hostile is None:
        return CheckedEntry(None, pattern)
    message = (
        f"{setup.library.name} compares only the beginning of an origin, so the regular expression"
        f" '{pattern.pattern}' allows {hostile[1]!r}."
    )
    remedy = f"End it with a dollar sign: {pattern.pattern}$. asgi_cors compares the whole origin."
    return CheckedEntry(Problem("regex-allows-others", UNSAFE, message, remedy, line), pattern)


def _regex_rule(issue: Issue) -> str:
    return "regex-allows-others" if issue.code == "credentials-from-any-origin" else issue.code


def _safe_remedy(issue: Issue) -> str:
    """Return the sentence of a hint that names the correction, without the options of asgi_cors."""
    sentences = [
        part for part in re.split(r"(?<=\.) (?=[A-Z])", issue.hint) if part.startswith(("Write", "Name", "Leave"))
    ]
    return sentences[0] if sentences else "Name the origins that you trust."


def _suggested_regex(issue: Issue) -> re.Pattern[str] | None:
    found = _REGEX_SUGGESTION.search(issue.hint)
    return re.compile(str(ast.literal_eval(found[1]))) if found else None


def _regex_issue(pattern: re.Pattern[str]) -> Issue | None:
    """Return the issue of a policy that allows a regular expression with credentials, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        try:
            Policy(allow_origins=[pattern], allow_credentials=True)
        except ConfigError as error:
            return error.issues[0]
    return None


def _is_literal(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and not isinstance(value, Default)


def check_all_origins(setup: Setup, entries: list[Any], line: int) -> Iterator[Problem]:
    """Yield the mistakes in the list as a whole."""
    option = setup.options.get("allow_origins")
    if setup.library is DJANGO and option is not None and _is_literal(option.value):
        message = f"{option.name} is a text. Django's check corsheaders.E006 refuses it, so manage.py does not run."
        yield Problem("text-not-list", MISTAKE, message, f"Write a list: [{option.value!r}].", line)
    if setup.library is STARLETTE and option is not None and isinstance(option.value, str) and option.value != "*":
        message = (
            f"allow_origins is a text, so Starlette looks for the origin in it: a part of {option.value!r} is enough."
        )
        yield Problem("substring-test", UNSAFE, message, f"Write a list: [{option.value!r}].", line)
    everyone = next((entry for entry in entries if is_any(setup, entry)), None)
    if everyone is None:
        return
    if len(entries) > 1 and UNKNOWN not in entries:
        text = getattr(everyone, "pattern", everyone)
        message = f"{text!r} allows every origin, so the other entries have no effect."
        yield Problem("redundant-entry", MISTAKE, message, f"Leave {text!r} out, or the others.", line)
    if not has_credentials(setup):
        return
    named = "allow_origins" in setup.options or "allow_all" in setup.options or "allow_origin_regex" in setup.options
    cause = "every origin is allowed" if named else f"no origins are named, so {setup.library.name} allows every origin"
    is_refused = setup.library is QUART_CORS and everyone == "*"
    effect = "every request fails with 500" if is_refused else "every site can read a logged-in user's data"
    message = f"Credentials are allowed, and {cause}: {effect}."
    kind = MISTAKE if is_refused else UNSAFE
    yield Problem("credentials-from-any-origin", kind, message, "Name the origins that you trust.", line)
