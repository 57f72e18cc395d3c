"""Causes in the name of a header: Access-Control-Allow-Origins, Access-Control-Allow-Method and others."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
    HEADER_NOT_EXPOSED,
    MAX_AGE,
)
from asgi_cors.cli.findings import Finding

from .rule import ORIGIN_CODES

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

# The code of the browser -> the header that it needs.
_NEEDED: Final = {
    "MissingAllowOriginHeader": ALLOW_ORIGIN,
    "InvalidAllowCredentials": ALLOW_CREDENTIALS,
    "MethodDisallowedByPreflightResponse": ALLOW_METHODS,
    "HeaderDisallowedByPreflightResponse": ALLOW_HEADERS,
}
_KNOWN: Final = {
    *(ALLOW_ORIGIN, ALLOW_CREDENTIALS, ALLOW_METHODS, ALLOW_HEADERS, EXPOSE_HEADERS, MAX_AGE),
    *("access-control-allow-private-network", "access-control-allow-local-network", "timing-allow-origin"),
}
# Headers of a request that servers send by mistake.
_OF_REQUESTS: Final = {
    "access-control-request-headers": ALLOW_HEADERS,
    "access-control-request-method": ALLOW_METHODS,
}
_MIN_SIMILARITY: Final = 0.8


def misspelled(response: ServerResponse, needed: str) -> str:
    """Return the name in a response that resembles a missing header, or ""."""
    if response.get(needed) is not None:
        return ""
    names = [name.decode("latin-1") for name, _ in response.raw.headers.raw]
    return next((name for name in names if _resembles(name.lower(), needed)), "")


def _resembles(name: str, needed: str) -> bool:
    if name in _KNOWN:
        return False
    if name in _OF_REQUESTS:
        return _OF_REQUESTS[name] == needed
    similarity = difflib.SequenceMatcher(None, _letters(name), _letters(needed)).ratio()
    return similarity >= _MIN_SIMILARITY and similarity == max(
        difflib.SequenceMatcher(None, _letters(name), _letters(known)).ratio() for known in _KNOWN
    )


def _letters(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())


def misspelled_header(evidence: Evidence) -> Iterator[Finding]:
    """The response has the header that the browser needs, under a name that no browser knows."""
    response, needed = evidence.blocked, _NEEDED.get(evidence.code, "")
    if any(result.problem == HEADER_NOT_EXPOSED for result in evidence.results):
        response, needed = evidence.main_responses[-1], EXPOSE_HEADERS
    name = misspelled(response, needed) if response and needed else ""
    if name:
        right = "-".join(part.capitalize() for part in needed.split("-"))
        yield Finding(
            "misspelled-header",
            f"The response has {name!r}, a header that browsers do not know. The name is {right!r}.",
            f"Write {right}.",
        )


def name_in_the_value(evidence: Evidence) -> Iterator[Finding]:
    """The configuration has the header's name with a colon, and the server adds a second colon."""
    response = evidence.blocked if evidence.code in ORIGIN_CODES else None
    value = (response.get(ALLOW_ORIGIN) or "") if response else ""
    rest = value.lower().removeprefix(ALLOW_ORIGIN)
    if rest.startswith(":"):
        yield Finding(
            "misspelled-header",
            f"The response has the line 'Access-Control-Allow-Origin: {value}'. A part of the header's name, its colon"
            " at least, is in the value as well.",
            "In the configuration, write the name without a colon, and only the origin as its value.",
        )


RULES: Final = (misspelled_header, name_in_the_value)
