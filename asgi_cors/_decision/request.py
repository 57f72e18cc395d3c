"""What of an ASGI scope counts for CORS: the request, the path that the app routes, whether it is same-origin.

Knows no policy. WSGI's environ is read by way of a scope built from it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from asgi_cors import _http
from asgi_cors._origins.origin import MAX_HOST, WEB_PORTS, is_loopback, parse_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asgi_cors._http import Scope
    from asgi_cors._origins.origin import Origin


# The headers that count, and how many lines of each: one more than a request may have.
_PREFLIGHT: Final = (_http.REQUEST_METHOD, _http.REQUEST_HEADERS, _http.REQUEST_PRIVATE_NETWORK)
_LINES: Final = {
    _http.ORIGIN: 2,
    **dict.fromkeys(_PREFLIGHT, _http.MAX_REQUESTED_LINES + 1),
    b"host": 2,
    b"sec-fetch-site": 2,
    b"cookie": 1,
    b"authorization": 1,
}
_LENGTHS: Final = frozenset(map(len, _LINES))
READ: Final = (_http.ORIGIN, *_PREFLIGHT)
_LONGEST_HOST: Final = MAX_HOST + len(":65535")


class Request(NamedTuple):
    """The part of a request that counts for CORS.

    Args:
        method: The method as sent.
        origin: The Origin value, or None. Of several lines, the first two are joined by `", "`, which no origin
            contains.
        requested_method: The Access-Control-Request-Method value, several lines joined.
        requested_headers: The Access-Control-Request-Headers value, several lines joined.
        private_network: Whether Access-Control-Request-Private-Network is `true`.
        oversized: Whether the Access-Control-Request-* headers exceed the limits, so that they are not parsed.
        host: The Host value, or None. Of several lines, the first two are joined by `", "`.
        fetch_site: The Sec-Fetch-Site value, or None. Of several lines, the first two are joined by `", "`.
        has_credentials: Whether there is a Cookie or Authorization header.
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

    @property
    def is_preflight(self) -> bool:
        """Whether it is a CORS-preflight request; every other OPTIONS is the app's."""
        return self.method == "OPTIONS" and self.origin is not None and self.requested_method is not None


def read_request(scope: Scope) -> Request:
    """Read what `decide` needs of a scope of type http or websocket, in one scan of its headers.

    Lines of a header beyond the number that counts are neither stored nor joined.
    """
    lines = _read_lines(scope["headers"])
    requested = [lines.get(name, ()) for name in _PREFLIGHT]
    oversized = _is_oversized(requested)
    if oversized:
        requested = [values[:1] for values in requested]
    method, names, private = map(_joined, requested)
    return Request(
        scope.get("method", "GET"),
        _joined(lines.get(_http.ORIGIN, ())),
        method,
        names,
        private == b"true",
        oversized,
        _joined(lines.get(b"host", ())),
        _joined(lines.get(b"sec-fetch-site", ())),
        b"cookie" in lines or b"authorization" in lines,
    )


def _read_lines(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Collect the lines that count, by lower-case name."""
    lines: dict[bytes, list[bytes]] = {}
    skipped = b""
    for raw, value in headers:
        if raw == skipped:  # one comparison for each line of a repeated name
            continue
        # ASGI requires names in lower case, but some servers can be configured otherwise.
        if len(raw) in _LENGTHS and (name := raw.lower()) in _LINES:
            values = lines.get(name)
            if values is None:
                lines[name] = [value]
                continue
            if len(values) < _LINES[name]:
                values.append(value)
                continue
        skipped = raw
    return lines


def _is_oversized(requested: Sequence[Sequence[bytes]]) -> bool:
    """Return True if the Access-Control-Request-* lines exceed the limits."""
    if sum(map(len, requested)) > _http.MAX_REQUESTED_LINES:
        return True
    return sum(len(value) for values in requested for value in values) > _http.MAX_PREFLIGHT_BYTES


def _joined(values: Sequence[bytes]) -> bytes | None:
    return b", ".join(values) if values else None


def is_internal_host(request: Request) -> bool:
    """Return True if Host looks like a proxy's upstream: a name or address that no page of the origin would use."""
    page, host = _page(request), request.host or b""
    if page is None or len(host) > _LONGEST_HOST:
        return False
    name = re.sub(r":[0-9]*$", "", host.decode("latin-1"))
    inner = "." not in name or re.fullmatch(r"(127|10|192\.168|172\.(1[6-9]|2[0-9]|3[01]))\.[0-9.]+", name)
    return bool(inner) and not is_loopback(page.host)


def is_same_origin(scope: Scope, request: Request) -> bool:
    """Return True if a request comes from a page of the same origin.

    No script can set `Sec-Fetch-Site` (Fetch Metadata, 2.4). Without it, Host is compared. A Host without a port has
    the default port of Origin's scheme, because proxies end TLS. A page of `http://` is another origin than a server
    reached by https or wss. Several lines of one of these headers never match.
    """
    if b"," in (request.origin or b""):  # several lines, or no origin at all
        return False
    if request.fetch_site is not None:
        return request.fetch_site in {b"same-origin", b"none"}
    page, host = _page(request), request.host or b""
    if page is None or page.scheme not in WEB_PORTS or len(host) > _LONGEST_HOST:
        return False
    if page.scheme == "http" and scope.get("scheme") in {"https", "wss"}:
        return False
    text = host.decode("latin-1").lower()
    name, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = text, ""
    default = str(WEB_PORTS[page.scheme])
    return (page.host, page.port or default) == (name, port or default)


def _page(request: Request) -> Origin | None:
    """Parse the Origin received; None without a valid one."""
    return parse_origin((request.origin or b"").strip(b" \t").decode("latin-1"))
