"""The regular expressions in Django's settings, as the core has them: `CORS_URLS_REGEX`, and those of origins."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from asgi_cors import Issue

_EVERY_PATH: Final = re.compile(r"\^?/?(?:\.\*\$?)?")
_FLAGS: Final = re.compile(r"\(\?[aiLmsux]+\)")
_PART: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
# A reference to a group, which may be in another alternative; or an escaped backslash, before one of the ends.
_UNSPLITTABLE: Final = re.compile(r"\\[1-9]|\(\?P=|\(\?\(|\\\\")
# The end of a regular expression, and the end with which it matches a path without its final slash, too.
_ENDS: Final = (
    (re.compile(r"\\?/(?:\.\*\$?)?\Z"), "(?:/.*)?"),  # `/`, `/.*` and `/.*$`
    (re.compile(r"\\?/(?:\$|\\Z)\Z"), "/?"),  # `/$`
    (re.compile(r"(?<!\\)(?:\$|\\Z|\.\*)\Z"), None),
)


def parse_urls_regex(value: object, issues: list[Issue], option: str) -> list[re.Pattern[str]] | None:
    """Parse a regular expression that must match the beginning of a path.

    Args:
        value: The value of the setting: a string, or a compiled regular expression.
        issues: The issues.
        option: The name of the setting.

    Returns:
        Regular expressions: one of them must match the whole path. A final slash does not count, because Django adds
        one by a redirect. None if every path matches, or the value is not valid.
    """
    regex = parse_regex(value, issues, option)
    if regex is None or _EVERY_PATH.fullmatch(regex.pattern):
        return None
    text = regex.pattern
    flags = _FLAGS.match(text)
    leading = flags[0] if flags else ""
    text = text.removeprefix(leading)
    if regex.flags & re.VERBOSE:
        return [re.compile(f"{leading}(?:{text}\n).*", regex.flags)]  # a comment ends with its line
    if _UNSPLITTABLE.search(text):
        return [re.compile(f"{leading}(?:{text}).*", regex.flags)]
    return [re.compile(leading + _whole(each), regex.flags) for each in _alternatives(text)]


def _whole(text: str) -> str:
    """Return a regular expression that matches a whole path, if `text` matches its beginning."""
    for end, replacement in _ENDS:
        if found := end.search(text):
            return text if replacement is None else text[: found.start()] + replacement
    return f"{text}.*"


def _alternatives(text: str) -> list[str]:
    """Split a regular expression at each `|` outside of all groups."""
    found, depth = [""], 0
    for part in _PART.findall(text):
        depth += (part == "(") - (part == ")")
        if part == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += part
    return found


def parse_regex(value: object, issues: list[Issue], option: str) -> re.Pattern[str] | None:
    """Compile a regular expression of str. If it is not valid, add an issue and return None."""
    given = value
    if isinstance(value, re.Pattern) and isinstance(cast("Any", value).pattern, str):
        return cast("re.Pattern[str]", value)
    if not isinstance(value, str):
        issues.append(Issue.wrong_type(option, given, "a regular expression of str", f"Write {option} = r'^/api/'."))
        return None
    try:
        return re.compile(str(value))  # a lazy object is no str for `re`
    except (re.error, RecursionError, OverflowError) as error:
        message = f"{Issue.show(value)} is not a valid regular expression: {error}"
        issues.append(Issue("regex-syntax", option, value, message, "Correct its syntax."))
        return None
