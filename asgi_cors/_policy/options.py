"""The options of a policy other than its origins: each read, validated and normalised in one place.

Every reader takes what was written and gives what is meant; mistakes go to `issues`, doubts to `warnings`.
"""

from __future__ import annotations

import math
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from asgi_cors import _http
from asgi_cors._errors import UNSET, Issue, show
from asgi_cors._origins.origin import RISKS

from .name_hints import name_hint
from .origin_entries import list_of, plain_string

if TYPE_CHECKING:
    from collections.abc import Callable


Names = tuple[str, ...] | Literal["*"]

MAX_AGE_LIMIT: Final = 86400  # seconds; Firefox keeps an answer that long, Chromium 7200, WebKit 600
DEFAULT_MAX_AGE: Final = 600
_TRUE: Final = frozenset({"true", "1", "yes", "on"})


def parse_methods(value: object, issues: list[Issue], warnings: list[Issue]) -> Names:
    """Read `allow_methods`: names, upper-cased where browsers do so."""
    names = _names("allow_methods", value, issues, _is_useful_method)
    if "*" in names:
        return _any("allow_methods", names, warnings)
    for name in names:
        if name.upper() in _http.FORBIDDEN_METHODS:
            issues.append(
                Issue("forbidden-method", "allow_methods", name, f"no script can send {name!r}", f"Leave {name!r} out.")
            )
        elif not _http.TOKEN.fullmatch(name):
            issues.append(_invalid_name("allow_methods", name, "method", _is_useful_method))
        elif name == "patch":
            message = "'patch' in lower case is another method than PATCH, and browsers don't upper-case it"
            warnings.append(Issue("lower-case-patch", "allow_methods", name, message, "Write 'PATCH'."))
    return tuple(dict.fromkeys(map(_http.normalize_method, names)))


def _is_useful_method(name: str) -> bool:
    return bool(_http.TOKEN.fullmatch(name)) and name.upper() not in _http.FORBIDDEN_METHODS and name != "patch"


def parse_headers(value: object, issues: list[Issue], warnings: list[Issue]) -> Names:
    """Read `allow_headers`: names or prefixes of request headers, in lower case; useless names are dropped."""
    names = _names("allow_headers", value, issues, _is_useful_header)
    if "*" in names:
        return _any("allow_headers", names, warnings)
    issues += filter(None, map(_header_issue, names))
    useless = {name: reason for name in names if (reason := _useless_header(name))}
    warnings += useless.values()
    return tuple(dict.fromkeys(name.lower() for name in names if name not in useless))


def _header_issue(name: str) -> Issue | None:
    option = "allow_headers"
    if not _http.TOKEN.fullmatch(name):
        return _invalid_name(option, name, "header name", _is_useful_header)
    if "*" in name[:-1]:
        message = f"{name!r} has a '*' that is not its last character"
        hint = name_hint(name, _is_useful_header, "Name the headers, or end the name in the '*', as in 'x-app-*'.")
        return Issue("bad-wildcard", option, name, message, hint)
    return None


def _useless_header(name: str) -> Issue | None:
    """Return the warning for a name that has no effect in `allow_headers`; None for any other name."""
    option, lower = "allow_headers", name.lower()
    if lower.encode("utf-8", "replace") in _http.CORS_RESPONSE_HEADERS:
        message = f"{name!r} is ignored: it is a header of responses"
        return Issue("response-header", option, name, message, "Leave it out.")
    if _http.is_forbidden_header(lower):
        message = f"{name!r} is ignored: no script can set it"
        return Issue("forbidden-header", option, name, message, "Leave it out.")
    return None


def _is_useful_header(name: str) -> bool:
    is_valid = bool(_http.TOKEN.fullmatch(name)) and (name == "*" or "*" not in name[:-1])
    return is_valid and _useless_header(name) is None


def parse_exposed(value: object, issues: list[Issue], warnings: list[Issue]) -> Names:
    """Read `expose_headers`: names of response headers, spelled as given."""
    names = _names("expose_headers", value, issues, _is_exposable)
    if "*" in names:
        return _any("expose_headers", names, warnings)
    issues += filter(None, map(_exposed_issue, names))
    return tuple({name.lower(): name for name in reversed(names)}.values())[::-1]


def _exposed_issue(name: str) -> Issue | None:
    option = "expose_headers"
    if not _http.TOKEN.fullmatch(name):
        return _invalid_name(option, name, "header name", _is_exposable)
    if "*" in name:
        message = f"{name!r} has a '*': browsers do not support prefixes of response headers"
        return Issue("invalid-name", option, name, message, "Name each header.")
    if name.lower() in _http.UNEXPOSABLE_HEADERS:
        return Issue("unexposable-header", option, name, f"no script can ever read {name!r}", "Leave it out.")
    if name.lower() in _http.CORS_REQUEST_HEADERS:
        return Issue("request-header", option, name, f"{name!r} is a header of requests", "Leave it out.")
    return None


def _is_exposable(name: str) -> bool:
    return name == "*" or (bool(_http.TOKEN.fullmatch(name)) and _exposed_issue(name) is None)


def parse_flag(option: str, value: object, issues: list[Issue]) -> bool:
    """Parse a boolean. If the type is wrong, return the value that is probably meant."""
    if isinstance(value, bool):
        return value
    value = plain_string(value)
    meant = value.strip().lower() in _TRUE if isinstance(value, str) else isinstance(value, int) and value == 1
    message = f"{show(value)} is not True or False" + (
        f" ({UNSET})" if isinstance(value, str | None) and not value else ""
    )
    issues.append(Issue("wrong-type", option, value, message, f"Write {option}={meant}."))
    return meant


def parse_max_age(value: object, issues: list[Issue], warnings: list[Issue]) -> int | None:
    """Read `max_age`: seconds, or None for no header."""
    if value is None:
        return None
    seconds = math.floor(value.total_seconds()) if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int) or abs(seconds) > sys.maxsize:
        message = f"{show(value)} is not a whole number of seconds, a timedelta or None"
        issues.append(Issue("wrong-type", "max_age", value, message, f"Write max_age={_meant_seconds(value)}."))
        return None
    if seconds < 0:
        message, hint = f"{show(value)} is negative", "Write max_age=0 to disable caching."
        issues.append(Issue("negative-max-age", "max_age", value, message, hint))
    if seconds > MAX_AGE_LIMIT:
        message = f"no browser caches a preflight's response for {show(seconds)} seconds"
        warnings.append(Issue("long-max-age", "max_age", value, message, f"Write max_age={MAX_AGE_LIMIT}."))
    return seconds


def _meant_seconds(value: object) -> int:
    """Return the seconds that a value of the wrong type probably means; if unclear, the default."""
    try:
        seconds = int(float(plain_string(value))) if isinstance(value, str | float) else -1
    except (ValueError, OverflowError):  # a text that is not a number, nan, infinity
        seconds = -1
    return seconds if 0 <= seconds <= MAX_AGE_LIMIT else DEFAULT_MAX_AGE


def parse_dangerously_allow(value: object, issues: list[Issue]) -> tuple[str, ...]:
    """Read `dangerously_allow`: the risks to accept."""
    names = _names("dangerously_allow", value, issues, RISKS.__contains__)
    issues += (unknown_risk(name) for name in names if name not in RISKS)
    return tuple(word for word in RISKS if word in names)


def unknown_risk(name: str) -> Issue:
    """Describe an unknown risk of `dangerously_allow`."""
    option, message = "dangerously_allow", f"unknown risk {show(name)}"
    close = Issue.unknown(name, RISKS).hint
    advice = close if close.startswith("Did") else f"Use one of: {', '.join(map(repr, RISKS))}."
    return Issue("unknown-risk", option, name, message, name_hint(name, RISKS.__contains__, advice))


def _names(option: str, value: object, issues: list[Issue], accepts: Callable[[str], bool]) -> tuple[str, ...]:
    """Read a list of names; a lone name is a list of one."""
    entries = list_of((value,) if isinstance(value, str) else value)
    if entries is None:
        issues.append(_wrong_type(option, value, "a name, or a list of names", accepts))
        return ()
    issues += (_wrong_type(option, name, "a string", accepts) for name in entries if not isinstance(name, str))
    return tuple(dict.fromkeys(name for name in entries if isinstance(name, str)))


def _any(option: str, names: tuple[str, ...], warnings: list[Issue]) -> Literal["*"]:
    """Return `*` for a list with `*`, and warn of other names in it."""
    # `*` never covers Authorization, so the standard's own form is ["*", "Authorization"].
    is_authorization = [option == "allow_headers" and name.lower() == "authorization" for name in names]
    others = [name for name, is_known in zip(names, is_authorization, strict=True) if name != "*" and not is_known]
    if others:
        message = f"'*' allows every name, so these are redundant: {', '.join(map(repr, others))}"
        hint = "Write ['*', 'Authorization']." if any(is_authorization) else "Write '*'."
        warnings.append(Issue("redundant-entry", option, "*", message, hint))
    return "*"


def _wrong_type(option: str, value: object, wanted: str, accepts: Callable[[str], bool]) -> Issue:
    message = f"{show(value)} is not {wanted}" + (f" ({UNSET})" if value is None else "")
    return Issue("wrong-type", option, value, message, name_hint(value, accepts, "Use a name, or a list of names."))


def _invalid_name(option: str, name: str, what: str, accepts: Callable[[str], bool]) -> Issue:
    message = f"{show(name)} is not a {what}" if name.strip() else f"{show(name)} is empty ({UNSET})"
    advice = f"Correct it: a {what} has only letters, digits and -_.!#$%&'*+^`|~."
    return Issue("invalid-name", option, name, message, name_hint(name, accepts, advice))
