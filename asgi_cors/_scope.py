"""What of an ASGI scope counts for CORS: the request, the path that the app routes, whether it is same-origin.

Knows no policy. WSGI's environ is read by way of a scope built from it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import _http
from ._decision import Request
from ._origins import WEB_PORTS, parse_origin

if TYPE_CHECKING:
    from ._types import Scope


READ: Final = (_http.ORIGIN, _http.REQUEST_METHOD, _http.REQUEST_HEADERS, _http.REQUEST_PRIVATE_NETWORK)


def field(scope: Scope, name: bytes) -> bytes | None:
    """Read a header field, several lines joined (Fetch, "get" a header list)."""
    values = [value for key, value in scope["headers"] if key.lower() == name]
    return b", ".join(values) if values else None


def read_request(scope: Scope) -> Request:
    """Read what `decide` needs of a scope of type http or websocket, in one scan of its headers."""
    found: dict[bytes, bytes] = {}
    for raw, value in scope["headers"]:
        name = raw.lower()  # which ASGI asks of servers, but some can be told otherwise
        if name in READ:
            found[name] = b"%b, %b" % (found[name], value) if name in found else value
    origin, method, names, private = map(found.get, READ)
    return Request(scope.get("method", "GET"), origin, method, names, private == b"true")


def route_path(scope: Scope) -> str:
    """Return the path that the app's router sees."""
    return remove_root(scope["path"], scope.get("root_path", ""))


def remove_root(path: str, root: str) -> str:
    """Remove the root path, if that is a prefix of `path` on a slash boundary; one leading slash stays.

    A final slash of the root path is ignored: `/api/x` and `/api//x` are both `/x` under `/api/`.
    """
    bare = root.rstrip("/")
    if bare and (path == bare or path.startswith(f"{bare}/")):
        path = path.removeprefix(root) if path.startswith(root) else path[len(bare) :]
    return path if path[:1] == "/" else f"/{path}"


def has_credentials(scope: Scope) -> bool:
    """Tell whether a request carries cookies or HTTP authentication."""
    return field(scope, b"cookie") is not None or field(scope, b"authorization") is not None


def received_origin(scope: Scope) -> bytes:
    """Give the Origin received; empty without one."""
    return field(scope, _http.ORIGIN) or b""


def received_host(scope: Scope) -> str:
    """Give the Host received; empty without one."""
    return (field(scope, b"host") or b"").decode("latin-1")


def looks_upstream(host: str, origin: bytes) -> bool:
    """Tell whether `host` looks like a proxy's upstream: a name or address that no page of `origin` would use."""
    from ._suffixes import is_local  # noqa: PLC0415 - rarely asked

    page = parse_origin(origin.strip(b" \t").decode("latin-1"))
    name = re.sub(r":[0-9]*$", "", host)
    inner = "." not in name or re.fullmatch(r"(127|10|192\.168|172\.(1[6-9]|2[0-9]|3[01]))\.[0-9.]+", name)
    return bool(inner) and page is not None and not is_local(page.host)


def is_same_origin(scope: Scope, origin: bytes) -> bool:
    """Tell whether a request comes from a page of this very origin.

    `Sec-Fetch-Site` tells, which no script can set (Fetch Metadata, 2.4); where a browser sends none, Host does, a
    port left out being that of Origin's scheme, since proxies end TLS.
    """
    fetch_site = field(scope, b"sec-fetch-site")
    if fetch_site is not None:
        return fetch_site in {b"same-origin", b"none"}
    page = parse_origin(origin.strip(b" \t").decode("latin-1"))
    host = field(scope, b"host")
    if page is None or host is None:
        return False
    name, colon, port = host.decode("latin-1").lower().rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host.decode("latin-1").lower(), ""
    default = str(WEB_PORTS.get(page.scheme, ""))
    return (page.host, page.port or default) == (name, port or default)
