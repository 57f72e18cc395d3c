"""How the response cache reads ASGI requests: keys, and the parts of a request that some responses depend on.

A request whose header names are not all in lower case, as ASGI requires, is never cached.
"""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import _http
from asgi_cors._configuration.cache import MAX_LINES, Part, Reader
from asgi_cors._decision.fetch_metadata import referer_origin
from asgi_cors._decision.request import read_request

if TYPE_CHECKING:
    from collections.abc import Hashable

    from asgi_cors._http import Scope

# By the length of a name, the only header of the sender that can have it: one comparison for each line, not four.
_SENDER_HEADERS: Final = {len(name): name for name in (_http.ORIGIN, _http.HOST, _http.FETCH_SITE, _http.REFERER)}
_SENDER_HEADER_BY_LENGTH: Final = tuple(_SENDER_HEADERS.get(length, b"") for length in range(256))


def has_plain_names(scope: Scope) -> bool:
    """Return whether all header names are in lower case, as ASGI requires. The cache finds no others."""
    if length_hint(scope["headers"]) > MAX_LINES:
        return False
    names = b"".join([name for name, _ in scope["headers"]])
    return names == names.lower()


def host_of(scope: Scope) -> bytes | None:
    """Return the value of Host; None unless there is one line of it."""
    host = None
    for name, value in scope["headers"]:
        if name == b"host":
            if host is not None:
                return None
            host = value
    return host


def write_key(scope: Scope) -> tuple[Any, ...] | None:
    """Return the values that tell the sender of a request; None if it must not be cached."""
    values: dict[bytes, bytes] = {}
    by_length = _SENDER_HEADER_BY_LENGTH
    try:
        for name, value in scope["headers"]:
            if name == by_length[len(name)]:
                if name in values:
                    return None
                values[name] = value
    except IndexError:  # a name is longer than any that counts
        return None
    get = values.get
    origin, referer = get(b"origin"), get(b"referer")
    # A Referer with the same origin as Origin adds nothing, and its path must not become a part of the key.
    is_own = origin is not None and referer is not None and referer.startswith(origin + b"/")
    if len(values) < len(_SENDER_HEADERS) and not has_plain_names(scope):  # the missing one may be in upper case
        return None
    return origin, get(b"host"), get(b"sec-fetch-site"), None if is_own else _page(referer), scope.get("scheme")


def _page(referer: bytes | None) -> bytes | None:
    return None if referer is None else referer_origin(referer)


def _actual_key(scope: Scope) -> bytes | None:
    return read_request(scope).origin


def _preflight_key(scope: Scope) -> tuple[bytes | None, ...]:
    request = read_request(scope)
    private = b"true" if request.private_network else None
    return request.origin, request.requested_method, request.requested_headers, private


def _part(scope: Scope, part: Part) -> Hashable | None:
    """Return the value of a part of a request; None if the request must not be cached."""
    if not has_plain_names(scope):
        return None
    if part is Part.NAMES:
        return ()
    request = read_request(scope)
    if part is Part.CREDENTIALS:
        return request.has_ambient_credentials
    return request.host, request.fetch_site, request.scheme


def _unchanged(scope: Scope) -> Scope:
    return scope


READER: Final = Reader(_actual_key, _preflight_key, write_key, _part, _unchanged, frozenset(Part))
