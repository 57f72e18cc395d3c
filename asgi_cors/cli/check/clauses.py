"""The clauses of the standards on which the cases are based."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Clause:
    """A section of a standard.

    Args:
        name: The standard and the section.
        url: The link.
    """

    name: str
    url: str


def _fetch(section: str, anchor: str) -> Clause:
    return Clause(f"Fetch, {section}", f"https://fetch.spec.whatwg.org/#{anchor}")


def _rfc(number: int, section: str, title: str) -> Clause:
    return Clause(f"RFC {number}, {section}, {title}", f"https://www.rfc-editor.org/rfc/rfc{number}#section-{section}")


CORS_CHECK: Final = _fetch("CORS check", "concept-cors-check")
PREFLIGHT: Final = _fetch("CORS-preflight fetch", "cors-preflight-fetch")
PREFLIGHT_REQUEST: Final = _fetch("CORS-preflight request", "cors-preflight-request")
REQUESTS: Final = _fetch("HTTP requests of the CORS protocol", "http-requests")
SYNTAX: Final = _fetch("HTTP new-header syntax", "http-new-header-syntax")
CREDENTIALS: Final = _fetch("CORS protocol and credentials", "cors-protocol-and-credentials")
CACHES: Final = _fetch("CORS protocol and HTTP caches", "cors-protocol-and-http-caches")
METHODS: Final = _fetch("methods", "methods")
EXPOSED: Final = _fetch("CORS filtered response", "concept-filtered-response-cors")
REDIRECT: Final = _fetch("HTTP-redirect fetch", "http-redirect-fetch")
HTTP_FETCH: Final = _fetch("HTTP fetch", "http-fetch")
SECURITY: Final = _fetch("Origin header", "origin-header")
NON_WILDCARD: Final = _fetch("CORS non-wildcard request-header name", "cors-non-wildcard-request-header-name")
HEADER_LISTS: Final = _fetch("extract header list values", "extract-header-list-values")
ORIGIN: Final = _rfc(6454, "7.2", "The Origin header")
ORIGIN_COMPARISON: Final = _rfc(6454, "5", "Comparing origins")
VARY: Final = _rfc(9110, "12.5.5", "Vary")
OPTIONS: Final = _rfc(9110, "9.3.7", "OPTIONS")
SERVER_ERROR: Final = _rfc(9110, "15.6", "Server Error 5xx")
DISCLOSURE: Final = _rfc(9110, "17.12", "Disclosure of product information")
STORED: Final = _rfc(9111, "4.1", "Cache keys with Vary")
HANDSHAKE: Final = _rfc(6455, "4.2.2", "Sending the server's opening handshake")
HANDSHAKE_ORIGIN: Final = _rfc(6455, "10.2", "Origin considerations")
TIMING: Final = Clause(
    "Resource Timing, Timing-Allow-Origin",
    "https://www.w3.org/TR/resource-timing/#sec-timing-allow-origin",
)
LOCAL_NETWORK: Final = Clause("Local Network Access", "https://wicg.github.io/local-network-access/")
MIXED_CONTENT: Final = Clause(
    "Mixed Content, should fetching be blocked",
    "https://www.w3.org/TR/mixed-content/#should-block-fetch",
)
