"""MIME Sniffing, parse a MIME type: the essence of a MIME type, which is all that CORS looks at."""

from __future__ import annotations

from .headers import is_token

_WHITESPACE = "\t\n\r "


def essence(value: str) -> str | None:
    """Return `type/subtype` in lower case, or None where the value is no MIME type."""
    kind, slash, rest = value.strip(_WHITESPACE).partition("/")
    subtype = rest.partition(";")[0].rstrip(_WHITESPACE)
    if slash and is_token(kind) and is_token(subtype):
        return f"{kind}/{subtype}".lower()
    return None
