"""The patterns in Django's settings, as the core has them: `CORS_URLS_REGEX`, regexes of origins, trusted origins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, cast

from asgi_cors import Issue

# A regular expression whose match always ends where the path does, and those that match every path.
_ENDS: Final = re.compile(r"(?:^|[^\\])(?:\\\\)*(?:\$|\\Z|\.\*)\Z", re.DOTALL)
_EVERY_PATH: Final = re.compile(r"\^?/?(?:\.\*)?\$?")
_FLAGS: Final = re.compile(r"\(\?[aiLmsux]+\)")


def parse_urls_regex(value: object, issues: list[Issue], option: str) -> re.Pattern[str] | None:
    """Parse a regular expression that must match the beginning of a path.

    Args:
        value: The value of the setting: a string, or a compiled regular expression.
        issues: The issues.
        option: The name of the setting.

    Returns:
        A regular expression that must match the whole path; None if every path matches, or the value is not valid.
    """
    regex = parse_regex(value, issues, option)
    if regex is None or (_EVERY_PATH.fullmatch(regex.pattern) and regex.pattern not in {"$", "^$", "/$", "^/$"}):
        return None
    text = regex.pattern
    flags = _FLAGS.match(text)
    leading = flags[0] if flags else ""
    text = text.removeprefix(leading)
    if "|" in text or regex.flags & re.VERBOSE:
        end = "\n)" if regex.flags & re.VERBOSE else ")"  # a comment ends with its line
        text = f"(?:{text}{end}.*"
    elif not _ENDS.search(text):
        text = f"{text}.*"
    return re.compile(leading + text, regex.flags)


def parse_regex(value: object, issues: list[Issue], option: str) -> re.Pattern[str] | None:
    """Compile a regular expression of str. If it is not valid, add an issue and return None."""
    if isinstance(value, re.Pattern) and isinstance(cast("Any", value).pattern, str):
        return cast("re.Pattern[str]", value)
    if not isinstance(value, str):
        issues.append(Issue.wrong_type(option, value, "a regular expression of str", f"Write {option} = r'^/api/'."))
        return None
    try:
        return re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        message = f"{Issue.show(value)} is not a valid regular expression: {error}"
        issues.append(Issue("regex-syntax", option, value, message, "Correct its syntax."))
        return None


def parse_trusted_origins(value: object) -> list[Any]:
    """Return the entries of `CSRF_TRUSTED_ORIGINS` for the core. There, `*.` does not match the domain itself."""
    entries: list[Any] = []
    if isinstance(value, Iterable) and not isinstance(value, str):
        for entry in cast("Iterable[Any]", value):
            entries.append(entry)
            if isinstance(entry, str) and "://*." in entry:
                entries.append(entry.replace("://*.", "://", 1))
    return entries
