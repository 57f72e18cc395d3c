"""HTTP and the Fetch standard: header names, tokens and lists; ASGI and WSGI as types.

This module knows no policy and no request. Rules from https://fetch.spec.whatwg.org/, cited by the name of their
definition, and RFC 9110.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, Protocol

# RFC 9110, 5.6.2: token = 1*tchar
_TCHARS: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
TOKEN: Final = re.compile(_TCHARS)
TOKEN_BYTES: Final = re.compile(_TCHARS.encode())

ORIGIN: Final = b"origin"
REQUEST_METHOD: Final = b"access-control-request-method"
REQUEST_HEADERS: Final = b"access-control-request-headers"
REQUEST_PRIVATE_NETWORK: Final = b"access-control-request-private-network"
ALLOW_ORIGIN: Final = b"access-control-allow-origin"
ALLOW_CREDENTIALS: Final = b"access-control-allow-credentials"
ALLOW_METHODS: Final = b"access-control-allow-methods"
ALLOW_HEADERS: Final = b"access-control-allow-headers"
ALLOW_PRIVATE_NETWORK: Final = b"access-control-allow-private-network"
EXPOSE_HEADERS: Final = b"access-control-expose-headers"
MAX_AGE: Final = b"access-control-max-age"
VARY: Final = b"vary"
HOST: Final = b"host"
FETCH_SITE: Final = b"sec-fetch-site"
FETCH_MODE: Final = b"sec-fetch-mode"
REFERER: Final = b"referer"
RESOURCE_POLICY: Final = b"cross-origin-resource-policy"
TIMING_ALLOW_ORIGIN: Final = b"timing-allow-origin"
# The values of Cross-Origin-Resource-Policy, the narrowest first (Fetch, "cross-origin resource policy check")
RESOURCE_POLICIES: Final = (b"same-origin", b"same-site", b"cross-origin")

# All headers of the CORS protocol in responses. An app's own are replaced by those of the policy.
CORS_RESPONSE_HEADERS: Final = frozenset(
    {ALLOW_ORIGIN, ALLOW_CREDENTIALS, ALLOW_METHODS, ALLOW_HEADERS, ALLOW_PRIVATE_NETWORK, EXPOSE_HEADERS, MAX_AGE}
)

VARY_ORIGIN: Final = (b"Origin",)
VARY_PREFLIGHT: Final = (b"Origin", b"Access-Control-Request-Method", b"Access-Control-Request-Headers")

# "CORS-safelisted method": always allowed, so no response needs to list them.
SAFELISTED_METHODS: Final = ("GET", "HEAD", "POST")
# "normalize a method": browsers upper-case these names only.
NORMALIZED_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
# "forbidden method": no script can send them.
FORBIDDEN_METHODS: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
KNOWN_METHODS: Final = (*SAFELISTED_METHODS, "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")

# "CORS-safelisted request-header": allowed without a preflight if the value is safe, too.
SAFELISTED_HEADERS: Final = ("accept", "accept-language", "content-language", "content-type")
# "forbidden request-header": no script can set them, so no preflight requests them.
FORBIDDEN_HEADERS: Final = frozenset(
    {
        *("accept-charset", "accept-encoding", "connection", "content-length", "cookie", "cookie2", "date", "dnt"),
        *("expect", "host", "keep-alive", "origin", "referer", "set-cookie", "te", "trailer", "transfer-encoding"),
        *("upgrade", "via", REQUEST_METHOD.decode(), REQUEST_HEADERS.decode()),
    }
)
FORBIDDEN_HEADER_PREFIXES: Final = ("proxy-", "sec-")
# "forbidden response-header name": no script can read them.
UNEXPOSABLE_HEADERS: Final = frozenset({"set-cookie", "set-cookie2"})
# Request headers that are often listed in `expose_headers` by mistake.
CORS_REQUEST_HEADERS: Final = frozenset({ORIGIN.decode(), REQUEST_METHOD.decode(), REQUEST_HEADERS.decode()})

# Limits of a preflight. A larger one is refused before it is parsed.
MAX_REQUESTED_LINES: Final = 32  # of all Access-Control-Request-* headers
MAX_REQUESTED_BYTES: Final = 8192  # of the names
MAX_REQUESTED_NAMES: Final = 128
MAX_PREFLIGHT_BYTES: Final = MAX_REQUESTED_BYTES + 64  # of all values: the names, a method and the private-network flag

Headers = tuple[tuple[bytes, bytes], ...]

# ASGI and WSGI, without a dependency on a package of types
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[Any]]  # Any, since parameters are contravariant and packages differ

Environ = dict[str, Any]
WSGIHeaders = list[tuple[str, str]]


class StartResponse(Protocol):
    """WSGI's `start_response` (PEP 3333)."""

    def __call__(self, status: str, headers: WSGIHeaders, exc_info: Any = ..., /) -> Callable[[bytes], object]:
        """Begin the response."""
        ...


WSGIApp = Callable[[Environ, Any], Iterable[bytes]]


def normalize_method(method: str) -> str:
    """Return a method as browsers send it: six names are upper-cased (Fetch, "normalize a method")."""
    upper = method.upper()
    return upper if upper in NORMALIZED_METHODS else method


def is_forbidden_header(name: str) -> bool:
    """Return whether no script can set the request header `name`, which is in lower case."""
    return name in FORBIDDEN_HEADERS or name.startswith(FORBIDDEN_HEADER_PREFIXES)


def split_list(value: bytes) -> list[bytes]:
    """Split a list at its commas, without white space and empty elements (RFC 9110, 5.6.1)."""
    return [element for part in value.split(b",") if (element := part.strip(b" \t"))]


def requested_names(value: bytes | None) -> list[str] | None:
    """Parse Access-Control-Request-Headers.

    Returns:
        The names, in lower case and without repeats; None if the value is too long or an element is not a token.
    """
    if not value:
        return []
    if len(value) > MAX_REQUESTED_BYTES or value.count(b",") >= MAX_REQUESTED_NAMES:
        return None
    names = split_list(value)
    if not all(map(TOKEN_BYTES.fullmatch, names)):
        return None
    return list(dict.fromkeys(name.decode("ascii").lower() for name in names))
