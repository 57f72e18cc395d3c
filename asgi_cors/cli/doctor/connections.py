"""Connections as browsers make them: HTTP/2 if the server offers it over TLS, HTTP/1.1 for a WebSocket's handshake.

The system's certificate authorities are trusted, and those of certifi. Each unsafe request has a connection of its own:
if a pooled one has ended meanwhile, it is unknown whether the server has received the request.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Final, cast

import h2  # noqa: F401  # pyright: ignore[reportUnusedImport] - httpx needs it for HTTP/2, and imports it late
import httpx

# The key of a request's extensions for another connection than a browser's, and its values.
CONNECT: Final = "asgi_cors.connect"
UNVERIFIED: Final = "with any certificate"
HTTP2: Final = "HTTP/2 without TLS"
AGAIN: Final = "a new connection"
_SAFE: Final = {"GET", "HEAD", "OPTIONS"}


class Connections(httpx.BaseTransport):
    """Send requests over connections as browsers make them.

    Args:
        verify: Whether to check certificates, as browsers do.
    """

    def __init__(self, *, verify: bool = True) -> None:
        """Create no connection yet."""
        self._verify = verify
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._pools: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.HTTPError: The server did not respond.
        """
        connect = request.extensions.get(CONNECT)
        is_handshake = "upgrade" in request.headers
        if connect is None and not is_handshake and request.method in _SAFE:
            return self._pool(request.url.scheme).handle_request(request)
        context = self._context(verify=self._verify and connect != UNVERIFIED and request.url.scheme == "https")
        uses_http2 = not is_handshake and (connect == HTTP2 or request.url.scheme == "https")
        transport = httpx.HTTPTransport(verify=context, http1=connect != HTTP2, http2=uses_http2)
        try:
            response = transport.handle_request(request)
        except BaseException:
            transport.close()
            raise
        response.stream = _OwnedBody(cast("httpx.SyncByteStream", response.stream), transport)
        return response

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, scheme: str) -> httpx.HTTPTransport:
        if scheme not in self._pools:
            context = self._context(verify=self._verify and scheme == "https")
            self._pools[scheme] = httpx.HTTPTransport(verify=context, http2=True)
        return self._pools[scheme]

    def _context(self, *, verify: bool) -> ssl.SSLContext:
        if verify not in self._contexts:
            self._contexts[verify] = tls_context(verify=verify)
        return self._contexts[verify]


class _OwnedBody(httpx.SyncByteStream):
    """A body that closes its transport together with itself."""

    def __init__(self, body: httpx.SyncByteStream, transport: httpx.HTTPTransport) -> None:
        self._body = body
        self._transport = transport

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body

    def close(self) -> None:
        self._body.close()
        self._transport.close()


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return a TLS context that trusts the authorities of certifi and of the system, or any certificate."""
    context = httpx.create_ssl_context(verify=verify)
    if verify:
        context.load_default_certs()
    return context
