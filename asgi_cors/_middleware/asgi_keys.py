"""The keys of ASGI requests in the response cache, and the parts of a request that some responses depend on.

A request whose header names are not all in lower case, as ASGI requires, is never cached.
"""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import _http
from asgi_cors._configuration.cache import MAX_LINES, Part, Reader
from asgi_cors._decision.fetch_metadata import referer_origin
from asgi_cors._decision.request import is_bearer, read_request

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from asgi_cors._configuration.bounded_cache import BoundedCache, CachedResponse
    from asgi_cors._http import Scope

    Headers = Iterable[tuple[bytes, bytes]]

# Replaces the value of a repeated header. No header has this value, so such a request is never cached.
REPEATED: Final = b"\n"
_ORIGIN_LENGTH: Final = len(_http.ORIGIN)
_HOST_LENGTH: Final = len(_http.HOST)
_SENDER: Final = (_http.ORIGIN, _http.HOST, _http.FETCH_SITE, _http.REFERER, b"cookie", b"authorization")
# Whether a name of each length can be one of these. An index costs less than six comparisons.
_SENDER_LENGTHS: Final = tuple(map({*map(len, _SENDER)}.__contains__, range(256)))


def has_plain_names(scope: Scope) -> bool:
    """Return whether all header names are in lower case, as ASGI requires. The cache finds no others."""
    if length_hint(scope["headers"]) > MAX_LINES:
        return False
    names = b"".join([name for name, _ in scope["headers"]])
    return names == names.lower()


def origin_and_host_of(scope: Scope) -> tuple[bytes | None, bytes | None]:
    """Return the values of Origin and Host: None if there is none, `REPEATED` if there may be more than one line."""
    origin = host = None
    for name, value in scope["headers"]:
        length = len(name)
        if length == _ORIGIN_LENGTH:
            if name == b"origin":
                origin = value if origin is None else REPEATED
            elif not name.islower():  # some servers send Origin in upper case
                return REPEATED, REPEATED
        elif length == _HOST_LENGTH:
            if name == b"host":
                host = value if host is None else REPEATED
            elif not name.islower():
                return REPEATED, REPEATED
    return origin, host


def origin_of(scope: Scope) -> bytes | None:
    """Return the value of Origin; None if there is none, and `REPEATED` if there may be more than one line of it."""
    origin = None
    for name, value in scope["headers"]:
        if len(name) == _ORIGIN_LENGTH:
            if name == b"origin":
                origin = value if origin is None else REPEATED
            elif not name.islower():  # some servers send Origin in upper case
                return REPEATED
    return origin


def find_write(responses: BoundedCache, scope: Scope) -> CachedResponse | None:
    """Return the item of a request whose sender is checked; None if there is none."""
    origin = host = fetch_site = referer = None
    has_credentials, lengths = False, _SENDER_LENGTHS
    try:
        for name, value in scope["headers"]:
            if lengths[len(name)]:
                if name == b"origin":
                    origin = value if origin is None else REPEATED
                elif name == b"sec-fetch-site":
                    fetch_site = value if fetch_site is None else REPEATED
                elif name == b"host":
                    host = value if host is None else REPEATED
                elif name == b"referer":
                    referer = value if referer is None else REPEATED
                elif name == b"cookie" or (name == b"authorization" and not is_bearer(value)):
                    has_credentials = True
                elif not name.islower():  # it may be one of these: some servers send names in upper case
                    return None
        page = _other_page(origin, referer, fetch_site)
        return responses[origin, host, fetch_site, page, has_credentials, scope["scheme"]]
    except LookupError:  # not cached, or a name is longer than any that counts, or there is no scheme
        return None


def _other_page(origin: bytes | None, referer: bytes | None, fetch_site: bytes | None) -> bytes | None:
    """Return the origin of Referer; None if it does not count, or tells no more than Origin.

    Its path must not become a part of a key.
    """
    if referer is None or fetch_site == b"cross-site":
        return None
    is_same = origin is not None and referer.startswith(origin + b"/") and not origin.endswith(b"null")
    return None if is_same else referer_origin(referer)


def _stored_write_key(scope: Scope) -> tuple[Any, ...]:
    """Return the same values as `write_key`, with the lines of a repeated header joined."""
    request = read_request(scope)
    page = _other_page(request.origin, request.referer, request.fetch_site)
    credentials = request.has_ambient_credentials
    return request.origin, request.host, request.fetch_site, page, credentials, request.scheme


def _actual_key(scope: Scope) -> bytes | None:
    return read_request(scope).origin


def _preflight_key(scope: Scope) -> tuple[bytes | None, ...]:
    request = read_request(scope)
    private = b"true" if request.private_network else None
    return request.origin, request.requested_method, request.requested_headers, private


# -- parts


def _part(scope: Scope, part: Part) -> Hashable | None:
    """Return the value of a part of a request; None if its response is not cached."""
    return _PARTS[part](scope["headers"], scope.get("scheme"))


def _page(headers: Headers, scheme: str | None) -> tuple[Any, ...] | None:
    """Return the values on which `Request.same_origin` depends, besides Origin."""
    host = fetch_site = None
    for name, value in headers:
        match len(name):
            case 14 if name == b"sec-fetch-site":
                fetch_site = value if fetch_site is None else REPEATED
            case 4 if name == b"host":
                host = value if host is None else REPEATED
            case 4 | 6 | 14 if not name.islower():  # it may be one of these, or Origin
                return None
            case _:
                pass
    return None if REPEATED in {host, fetch_site} else (host, fetch_site, scheme)


def _credentials(headers: Headers, _scheme: str | None) -> bool | None:
    """Return whether there are credentials that a browser may have added by itself."""
    found = False
    for name, value in headers:
        match len(name):
            case 6 if name == b"cookie":
                found = True
            case 13 if name == b"authorization":
                found |= not is_bearer(value)
            case 6 | 13 if not name.islower():
                return None
            case _:
                pass
    return found


def _unchanged(scope: Scope) -> Scope:
    return scope


_PARTS: Final = {Part.PAGE: _page, Part.CREDENTIALS: _credentials}
READER: Final = Reader(_actual_key, _preflight_key, _stored_write_key, _part, _unchanged)
