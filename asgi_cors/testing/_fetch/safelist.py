"""The request headers that a script cannot set, and those that need no preflight (Fetch, Headers).

- A forbidden request-header is dropped silently.
- A CORS-safelisted request-header needs no preflight: `accept`, `accept-language`, `content-language`, `content-type`
  and `range`, with values of at most 128 bytes that a form could have sent.
- CORS-unsafe request-header names are all others. The safelisted ones join them if their values exceed 1024 bytes in
  total.
Names are lower case, values are normalized.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .engines import Engine
from .headers import is_token

Header = tuple[str, str]

FORBIDDEN = frozenset(
    {
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)
FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
METHOD_OVERRIDES = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
VALUE_LIMIT = 128

_UNSAFE_BYTE = re.compile(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
_LANGUAGE = re.compile(r"[0-9A-Za-z *,\-.;=]*")
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_DIGITS = re.compile("[0-9]+")
_WHITESPACE = "\t\n\r "
# The first client hints, and the values with which Chromium safelists them.
CLIENT_HINTS = {
    "device-memory": _DECIMAL,
    "downlink": _DECIMAL,
    "dpr": _DECIMAL,
    "ect": re.compile("slow-2g|2g|3g|4g"),
    "intervention": re.compile(".*"),
    "rtt": _DIGITS,
    "save-data": re.compile("on", re.IGNORECASE),
    "viewport-width": _DIGITS,
    "width": _DIGITS,
}
_LENIENT_RANGE = re.compile(r"bytes=\+?([0-9]+)-(?:\+?([0-9]+))?", re.IGNORECASE)


def is_forbidden(name: str, value: str, engine: Engine) -> bool:
    """Return whether scripts cannot set this header (Fetch, forbidden request-header)."""
    if name in FORBIDDEN or name.startswith(("proxy-", "sec-")):
        return True
    if name in METHOD_OVERRIDES:
        return any(method.strip(" \t").upper() in FORBIDDEN_METHODS for method in value.split(","))
    return name == "user-agent" and engine.forbids_user_agent


def combine(headers: Sequence[Header]) -> list[Header]:
    """Join the lines of each name with a comma and a space, at the position of the first line."""
    combined: dict[str, str] = {}
    for name, value in headers:
        combined[name] = f"{combined[name]}, {value}" if name in combined else value
    return list(combined.items())


def is_safelisted(name: str, value: str, engine: Engine) -> bool:
    """Return whether this header needs no preflight (Fetch, CORS-safelisted request-header)."""
    if len(value) > VALUE_LIMIT:
        return False
    if engine.safelists_client_hints and name in CLIENT_HINTS:
        return CLIENT_HINTS[name].fullmatch(value) is not None
    rule = _RULES.get(name)
    return rule is not None and rule(value, engine)


def unsafe_names(headers: Sequence[Header], engine: Engine) -> list[str]:
    """Return the names that need a preflight, in the script's order (Fetch, CORS-unsafe request-header names)."""
    if engine.combines_lines:
        headers = combine(headers)
    unsafe: list[str] = []
    safe: list[str] = []
    total = 0
    for name, value in headers:
        if is_safelisted(name, value, engine):
            safe.append(name)
            total += len(value)
        else:
            unsafe.append(name)
    if engine.safelist_sum_limit is not None and total > engine.safelist_sum_limit:
        unsafe += safe
    return unsafe if engine.repeats_names else list(dict.fromkeys(unsafe))


def filter_no_cors(headers: Sequence[Header], engine: Engine) -> list[Header]:
    """Return the headers that a `no-cors` request may have (Fetch, Headers class, guard "request-no-cors")."""
    allowed: list[Header] = []
    for name, value in headers:
        if name not in _NO_CORS:
            continue
        joined = ", ".join([*(other for key, other in allowed if key == name), value])
        if is_safelisted(name, joined, engine):
            allowed.append((name, value))
    return allowed


def _has_unsafe_byte(value: str, engine: Engine) -> bool:
    return _UNSAFE_BYTE.search(value) is not None or (engine.non_ascii_is_unsafe and not value.isascii())


def _accept(value: str, engine: Engine) -> bool:
    return not _has_unsafe_byte(value, engine)


def _language(value: str, _engine: Engine) -> bool:
    return _LANGUAGE.fullmatch(value) is not None


def _content_type(value: str, engine: Engine) -> bool:
    if engine.strict_content_type and ("," in value or (value.endswith(";") and value.count(";") > 1)):
        return False
    return not _has_unsafe_byte(value, engine) and _mime_essence(value) in _FORM_TYPES


def _mime_essence(value: str) -> str | None:
    """Return `type/subtype` in lower case, or None if the value is not a MIME type (MIME Sniffing, parse)."""
    kind, slash, rest = value.strip(_WHITESPACE).partition("/")
    subtype = rest.partition(";")[0].rstrip(_WHITESPACE)
    return f"{kind}/{subtype}".lower() if slash and is_token(kind) and is_token(subtype) else None


def _range(value: str, engine: Engine) -> bool:
    match = (_LENIENT_RANGE if engine.lenient_range else _RANGE).fullmatch(value)
    if match is None:
        return False
    start, end = int(match[1]), int(match[2]) if match[2] else None
    if engine.range_limit is not None and max(start, end or 0) > engine.range_limit:
        return False
    return end is None or start <= end


_RULES: dict[str, Callable[[str, Engine], bool]] = {
    "accept": _accept,
    "accept-language": _language,
    "content-language": _language,
    "content-type": _content_type,
    "range": _range,
}
_NO_CORS = _RULES.keys() - {"range"}
