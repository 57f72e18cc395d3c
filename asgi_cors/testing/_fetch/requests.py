"""Requests as browsers send them, with the headers that the browser adds.

- Fetch, `Origin` header: on every CORS request, and on all others whose method is not GET or HEAD.
- Fetch, CORS-preflight fetch: OPTIONS with `Accept: */*`, the method, and the unsafe names, sorted and joined by
  commas. It has no cookies, no Authorization and no body.
- Referer and `Sec-Fetch-*`: see `referrer` and `metadata`.
- RFC 6455, 4.1: a WebSocket's handshake always has an Origin.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence

import httpx

from .safelist import Header
from .script import Stream

USER_AGENT = "Mozilla/5.0 (compatible; asgi_cors.testing)"

_RawHeader = tuple[bytes, bytes]


def build_request(
    method: str,
    url: httpx.URL,
    headers: Sequence[Header],
    *,
    body: bytes | None = None,
    stream: Stream | None = None,
) -> httpx.Request:
    """Return the request, with Host first and the framing of its body. The method's letter case is not changed."""
    raw: list[_RawHeader] = [(b"host", url.netloc)]
    if stream is not None:
        raw.append((b"transfer-encoding", b"chunked"))
    elif body is not None or method in {"POST", "PUT"}:
        raw.append((b"content-length", str(len(body or b"")).encode()))
    raw += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    content = body if stream is None else stream
    request = httpx.Request(method, url, headers=raw, content=content)
    request.method = method  # httpx upper-cases it
    return request


def main_headers(
    headers: Sequence[Header], *, origin: str, cookie: str, metadata: Sequence[Header], referer: str = ""
) -> list[Header]:
    """Return the script's headers and those that the browser adds. Empty ones are left out."""
    present = {name for name, _ in headers}
    defaults = [("accept", "*/*"), ("accept-language", "en-US,en;q=0.5"), ("user-agent", USER_AGENT)]
    added = [(name, value) for name, value in defaults if name not in present]
    own = [
        ("origin", origin),
        *metadata,
        ("referer", referer),
        ("accept-encoding", "gzip, deflate"),
        ("cookie", cookie),
    ]
    return [*headers, *added, *((name, value) for name, value in own if value)]


def preflight_headers(
    method: str, names: Sequence[str], *, origin: str, referer: str, metadata: Sequence[Header]
) -> list[Header]:
    """Return the header list of a preflight (Fetch, CORS-preflight fetch)."""
    listed = [("access-control-request-headers", ",".join(sorted(names)))] if names else []
    headers = [("accept", "*/*"), ("access-control-request-method", method), *listed]
    return main_headers(headers, origin=origin, cookie="", referer=referer, metadata=metadata)


def handshake_headers(*, origin: str, cookie: str, metadata: Sequence[Header]) -> list[Header]:
    """Return the header list of a WebSocket's opening handshake (RFC 6455, 4.1)."""
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    headers = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", key),
    ]
    return main_headers(headers, origin=origin, cookie=cookie, metadata=metadata)
