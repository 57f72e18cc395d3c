"""The request headers that a script may set without a preflight.

Source: Fetch, "CORS-safelisted request-header" and "CORS-unsafe request-header names"
(https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from asgi_cors._http import FORBIDDEN_METHODS, is_forbidden_header

_MAX_VALUE: Final = 128  # bytes
_MAX_SUM: Final = 1024  # bytes of all safelisted values

_UNSAFE: Final = re.compile(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
_LANGUAGE: Final = re.compile(r"[0-9A-Za-z *,\-.;=]*")
_RANGE: Final = re.compile(r"bytes=([0-9]+)-([0-9]*)")
_FORM_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_OVERRIDES: Final = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
_HTTP_SPACE: Final = "\t\n\r "


def unsafe_names(headers: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names that a preflight requests: in lower case, sorted, without duplicates.

    Args:
        headers: The names and values that a script sets. Browsers ignore forbidden names.
    """
    unsafe: set[str] = set()
    safelisted: set[str] = set()
    total = 0
    for raw_name, raw_value in headers:
        name, value = raw_name.lower(), raw_value.strip(_HTTP_SPACE)
        if _is_forbidden(name, value):
            continue
        if _is_safelisted(name, value):
            safelisted.add(name)
            total += len(_bytes(value))
        else:
            unsafe.add(name)
    return sorted(unsafe | safelisted if total > _MAX_SUM else unsafe)


def _is_forbidden(name: str, value: str) -> bool:
    """Return whether a script cannot set this header (Fetch, "forbidden request-header")."""
    if name in _OVERRIDES:
        return any(method.strip("\t ").upper() in FORBIDDEN_METHODS for method in value.split(","))
    return is_forbidden_header(name)


def _is_safelisted(name: str, value: str) -> bool:
    rule = _RULES.get(name)
    return rule is not None and len(_bytes(value)) <= _MAX_VALUE and rule(value)


def _bytes(value: str) -> bytes:
    return value.encode("latin-1", "replace")  # a ByteString (Web IDL)


def _is_accept(value: str) -> bool:
    return not _UNSAFE.search(value)


def _is_language(value: str) -> bool:
    return _LANGUAGE.fullmatch(value) is not None


def _is_form_type(value: str) -> bool:
    essence = value.partition(";")[0].strip(_HTTP_SPACE).lower()
    return essence in _FORM_TYPES and not _UNSAFE.search(value)


def _is_range(value: str) -> bool:
    match = _RANGE.fullmatch(value)
    return match is not None and (not match[2] or int(match[1]) <= int(match[2]))


_RULES: Final[Mapping[str, Callable[[str], bool]]] = {
    "accept": _is_accept,
    "accept-language": _is_language,
    "content-language": _is_language,
    "content-type": _is_form_type,
    "range": _is_range,
}
