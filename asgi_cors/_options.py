"""The options of a policy other than its origins: each read, validated and normalised in one place.

Every reader takes what was written and gives what is meant; mistakes go to `issues`, doubts to `warnings`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from . import _http
from ._errors import issue, unknown
from ._option_origins import entries_of
from ._origins import WORDS

if TYPE_CHECKING:
    from ._issue import Issue

Names = tuple[str, ...] | Literal["*"]

LONGEST_MAX_AGE: Final = 86400  # seconds; Firefox keeps an answer that long, Chromium 7200, WebKit 600
DEFAULT_MAX_AGE: Final = 600


def read_methods(value: object, issues: list[Issue], warnings: list[Issue]) -> Names:
    """Read `allow_methods`: names, upper-cased where browsers do so."""
    names = _names("allow_methods", value, issues)
    if names == "*":
        return names
    for name in names:
        if name.upper() in _http.FORBIDDEN_METHODS:
            issues.append(
                issue("forbidden-method", "allow_methods", name, f"no script can send {name!r}", "Leave it out.")
            )
        elif not _http.TOKEN.fullmatch(name):
            issues.append(_no_token("allow_methods", name, "method"))
        elif name == "patch":
            message = "'patch' in lower case is another method than PATCH, and browsers don't upper-case it"
            warnings.append(issue("lower-case-patch", "allow_methods", name, message, "Write 'PATCH'."))
    return tuple(dict.fromkeys(map(_http.normalize_method, names)))


def read_headers(value: object, issues: list[Issue]) -> Names:
    """Read `allow_headers`: names or prefixes of request headers, in lower case."""
    names = _names("allow_headers", value, issues)
    if names == "*":
        return names
    issues += filter(None, map(_header_issue, names))
    return tuple(dict.fromkeys(name.lower() for name in names))


def _header_issue(name: str) -> Issue | None:
    option, lower = "allow_headers", name.lower()
    if not _http.TOKEN.fullmatch(name):
        return _no_token(option, name, "header name")
    if "*" in name[:-1]:
        return issue(
            "bad-wildcard", option, name, f"{name!r} has a '*' that is not its end", "Write '*', a name, or 'prefix-*'."
        )
    if _http.is_forbidden_header(lower):
        return issue(
            "forbidden-header",
            option,
            name,
            f"no script can set {name!r}, so no preflight asks for it",
            "Leave it out.",
        )
    if lower.encode() in _http.RESPONSE_FIELDS:
        return issue(
            "response-header", option, name, f"{name!r} is a field of responses", "Leave it out: it is ours to send."
        )
    return None


def read_exposed(value: object, issues: list[Issue]) -> Names:
    """Read `expose_headers`: names of response headers, spelled as written."""
    names = _names("expose_headers", value, issues)
    if names == "*":
        return names
    issues += filter(None, map(_exposed_issue, names))
    return tuple({name.lower(): name for name in reversed(names)}.values())[::-1]


def _exposed_issue(name: str) -> Issue | None:
    option = "expose_headers"
    if not _http.TOKEN.fullmatch(name) or "*" in name:
        return _no_token(option, name, "header name")
    if name.lower() in _http.UNEXPOSABLE_HEADERS:
        return issue("unexposable-header", option, name, f"no script can ever read {name!r}", "Leave it out.")
    if name.lower() in _http.REQUEST_FIELDS:
        return issue("request-header", option, name, f"{name!r} is a field of requests", "Leave it out.")
    return None


def read_flag(option: str, value: object, issues: list[Issue]) -> bool:
    """Read an option that is on or off."""
    if not isinstance(value, bool):
        issues.append(issue("wrong-type", option, value, f"{value!r} is not True or False", f"Write {option}=True."))
        return False
    return value


def read_max_age(value: object, issues: list[Issue], warnings: list[Issue]) -> int | None:
    """Read `max_age`: seconds, or None for no field."""
    if value is None:
        return None
    seconds = int(value.total_seconds()) if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        message = f"{value!r} is no number of whole seconds, timedelta or None"
        issues.append(issue("wrong-type", "max_age", value, message, f"Write max_age={DEFAULT_MAX_AGE}."))
        return None
    if seconds < 0:
        issues.append(
            issue("negative-max-age", "max_age", value, f"{value!r} is negative", "Write 0 to have nothing kept.")
        )
    if seconds > LONGEST_MAX_AGE:
        message = f"no browser keeps a preflight's answer for {seconds} seconds"
        warnings.append(issue("long-max-age", "max_age", value, message, f"Write {LONGEST_MAX_AGE}."))
    return seconds


def read_dangerously_allow(value: object, issues: list[Issue]) -> tuple[str, ...]:
    """Read `dangerously_allow`: the words that let an unsafe policy pass."""
    names = _names("dangerously_allow", value, issues)
    issues += (unknown_word(name) for name in names if name not in WORDS)
    return tuple(word for word in WORDS if word in names)


def unknown_word(name: str) -> Issue:
    """Describe a word of `dangerously_allow` that there is not."""
    known = unknown(name, WORDS, kind="word")
    return issue("unknown-word", "dangerously_allow", name, f"there is no word {name!r}", known.hint)


def _names(option: str, value: object, issues: list[Issue]) -> Names:
    """Read a list of names, where one name alone stands for a list of one."""
    if isinstance(value, str):
        value = (value,)
    found = entries_of(value)
    if found is None:
        issues.append(issue("wrong-type", option, value, f"{value!r} is not a name, or a list of names"))
        return ()
    entries = list(found)
    names = tuple(dict.fromkeys(name for name in entries if isinstance(name, str)))
    issues += (
        issue("wrong-type", option, name, f"{name!r} is no string") for name in entries if not isinstance(name, str)
    )
    if "*" in names and len(names) > 1:
        message = "'*' beside other entries makes them redundant"
        issues.append(issue("redundant-entry", option, "*", message, "Write '*' alone, or the entries without it."))
    return "*" if "*" in names and option != "dangerously_allow" else names


def _no_token(option: str, name: str, what: str) -> Issue:
    parts = name.replace(",", " ").strip("[]").replace('"', " ").replace("'", " ").split()
    split = len(parts) > 1 or parts != [name]
    hint = f"Write {parts!r}." if parts and split and all(map(_http.TOKEN.fullmatch, parts)) else ""
    return issue("no-token", option, name, f"{name!r} is no {what}", hint)
