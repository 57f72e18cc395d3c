"""The part of an ASGI scope that counts for CORS. A WSGI environ is read as a scope that is built from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from asgi_cors import _http
from asgi_cors._origins.origin import MAX_HOST, WEB_PORTS, is_loopback, parse_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asgi_cors._http import Scope
    from asgi_cors._origins.origin import Origin

_REQUESTED: Final = (_http.REQUEST_METHOD, _http.REQUEST_HEADERS, _http.REQUEST_PRIVATE_NETWORK)
PREFLIGHT_HEADERS: Final = (_http.ORIGIN, *_REQUESTED)

# How many lines of each header are read: one more than a request may have.
_LINES: Final = {
    _http.ORIGIN: 2,
    **dict.fromkeys(_REQUESTED, _http.MAX_REQUESTED_LINES + 1),
    _http.HOST: 2,
    _http.FETCH_SITE: 2,
    _http.FETCH_MODE: 2,
    _http.REFERER: 2,
    b"cookie": 1,
    b"authorization": 2,
}
SAME_ORIGIN_SITES: Final = (b"same-origin", b"none")  # the values of Sec-Fetch-Site without another site
_LENGTHS: Final = frozenset(map(len, _LINES))
_PRIVATE_ADDRESS: Final = re.compile(r"(127|10|192\.168|172\.(1[6-9]|2[0-9]|3[01]))\.[0-9.]+")
_BEARER: Final = re.compile(rb"(?i:bearer) +[^ ,]+")  # RFC 6750, 2.1; WSGI servers join several lines with a comma
_MAX_HOST_LENGTH: Final = MAX_HOST + len(":65535")


class Request(NamedTuple):
    """The part of a request that counts for CORS.

    Args:
        method: The method as sent.
        origin: The Origin value, or None. Of several lines, the first two are joined by `", "`, which no origin
            contains.
        requested_method: The Access-Control-Request-Method value, several lines joined.
        requested_headers: The Access-Control-Request-Headers value, several lines joined.
        private_network: Whether Access-Control-Request-Private-Network is `true`.
        oversized: Whether the Access-Control-Request-* headers exceed the limits. Oversized ones are not parsed.
        host: The Host value, or None. Of several lines, the first two are joined by `", "`.
        fetch_site: The Sec-Fetch-Site value, or None. Of several lines, the first two are joined by `", "`.
        has_credentials: Whether there is a Cookie or Authorization header.
        same_origin: Whether the request comes from a page of the server's own origin.
        has_ambient_credentials: Whether there is a Cookie header, or an Authorization header that a browser may have
            added by itself: any but Bearer.
        referer: The Referer value, or None. Of several lines, the first two are joined by `", "`.
        scheme: The scheme by which the server was reached.
        fetch_mode: The Sec-Fetch-Mode value, or None. Of several lines, the first two are joined by `", "`.
    """

    method: str
    origin: bytes | None = None
    requested_method: bytes | None = None
    requested_headers: bytes | None = None
    private_network: bool = False
    oversized: bool = False
    host: bytes | None = None
    fetch_site: bytes | None = None
    has_credentials: bool = False
    same_origin: bool = False
    has_ambient_credentials: bool = False
    referer: bytes | None = None
    scheme: str | None = None
    fetch_mode: bytes | None = None

    @property
    def origin_text(self) -> str:
        """The Origin value as text, as callables get it; empty if there is none."""
        return (self.origin or b"").strip(b" \t").decode("latin-1")

    @property
    def is_navigation(self) -> bool:
        """Whether a browser shows the response as a page, whatever its CORS headers."""
        return self.fetch_mode == b"navigate"

    @property
    def is_preflight(self) -> bool:
        """Whether this is a CORS-preflight request. Every other OPTIONS request goes to the app."""
        return self.method == "OPTIONS" and self.origin is not None and self.requested_method is not None


def read_request(scope: Scope) -> Request:
    """Read a scope of type http or websocket, in one scan of its headers; for adapters."""
    lines = _read_lines(scope["headers"])
    requested, oversized = _requested(lines)
    method, names, private = map(_joined, requested)
    names_of_one = (_http.ORIGIN, _http.HOST, _http.FETCH_SITE, _http.REFERER)
    origin, host, fetch_site, referer = (_joined(lines.get(name, ())) for name in names_of_one)
    authorization, scheme = lines.get(b"authorization", ()), scope.get("scheme")
    return Request(
        scope.get("method", "GET"),
        origin,
        method,
        names,
        private == b"true",
        oversized,
        host,
        fetch_site,
        b"cookie" in lines or bool(authorization),
        _is_same_origin(origin, host, fetch_site, scheme),
        b"cookie" in lines or not all(map(is_bearer, authorization)),
        referer,
        scheme,
        _joined(lines.get(_http.FETCH_MODE, ())),
    )


def read_requested_method(scope: Scope) -> bytes | None:
    """Return the method that a preflight announces; None if the scope is no preflight."""
    if scope.get("method") != "OPTIONS":
        return None
    lines = _read_lines(scope["headers"])
    return _joined(_requested(lines)[0][0]) if _http.ORIGIN in lines else None


def is_bearer(authorization: bytes) -> bool:
    """Return whether an Authorization value is a token, which no browser adds by itself."""
    return _BEARER.fullmatch(authorization) is not None


def _read_lines(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Collect the lines that count, by lower-case name. More lines than `_LINES` allows are not stored."""
    lines: dict[bytes, list[bytes]] = {}
    skipped = b""
    for raw, value in headers:
        if raw == skipped:  # bounds the work for a name that is repeated
            continue
        name = raw.lower() if len(raw) in _LENGTHS else b""  # some servers do not send names in lower case
        if name in _LINES and len(values := lines.setdefault(name, [])) < _LINES[name]:
            values.append(value)
        else:
            skipped = raw
    return lines


def _requested(lines: Mapping[bytes, Sequence[bytes]]) -> tuple[list[Sequence[bytes]], bool]:
    """Return the values of the Access-Control-Request-* headers, and whether they exceed the limits."""
    requested = [lines.get(name, ()) for name in _REQUESTED]
    oversized = _is_oversized(requested)
    return [values[:1] for values in requested] if oversized else requested, oversized


def _is_oversized(requested: Sequence[Sequence[bytes]]) -> bool:
    """Return whether the Access-Control-Request-* lines exceed the limits."""
    if sum(map(len, requested)) > _http.MAX_REQUESTED_LINES:
        return True
    return sum(len(value) for values in requested for value in values) > _http.MAX_PREFLIGHT_BYTES


def _joined(values: Sequence[bytes]) -> bytes | None:
    return b", ".join(values) if values else None


def is_internal_host(request: Request, origin: bytes | None = None) -> bool:
    """Return whether Host looks like a proxy's upstream: a name or address that no page of the origin would use.

    Args:
        request: The request.
        origin: The origin of the page. Default: that of the request.
    """
    page = _parse(origin or request.origin)
    return page is not None and not is_loopback(page.host) and is_internal_name(request.host)


def is_internal_name(host: bytes | None) -> bool:
    """Return whether a Host value is a name without a dot, or an address of a private network."""
    if not host or b"," in host or len(host) > _MAX_HOST_LENGTH:  # a comma: several lines
        return False
    name = re.sub(r":[0-9]*$", "", host.decode("latin-1"))
    return "." not in name or bool(_PRIVATE_ADDRESS.fullmatch(name))


def _is_same_origin(origin: bytes | None, host: bytes | None, fetch_site: bytes | None, scheme: str | None) -> bool:
    """Return whether a request comes from a page of the same origin.

    No script can set `Sec-Fetch-Site` (Fetch Metadata, 2.4). Without it, Host is compared. A Host without a port has
    the default port of Origin's scheme, because proxies end TLS. A page of `http://` has another origin than a server
    reached by https or wss. Several lines of one of these headers never match.
    """
    if b"," in (origin or b""):  # several lines
        return False
    if fetch_site is not None:
        return fetch_site in SAME_ORIGIN_SITES
    return origin is not None and _has_host(origin, host, scheme)


def is_server_origin(request: Request, origin: bytes) -> bool:
    """Return whether an origin is the server's own, by Host."""
    return _has_host(origin, request.host, request.scheme)


def _has_host(origin: bytes, host: bytes | None, scheme: str | None) -> bool:
    """Return whether an origin has the host and port of Host, and a scheme that is not less secure."""
    page = _parse(origin)
    if page is None or host is None or len(host) > _MAX_HOST_LENGTH:
        return False
    if page.scheme not in WEB_PORTS or (page.scheme == "http" and scheme in {"https", "wss"}):
        return False
    text = host.decode("latin-1").lower()
    name, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = text, ""
    default = str(WEB_PORTS[page.scheme])
    return (page.host, page.port or default) == (name, port or default)


def _parse(origin: bytes | None) -> Origin | None:
    return parse_origin((origin or b"").strip(b" \t").decode("latin-1"))
