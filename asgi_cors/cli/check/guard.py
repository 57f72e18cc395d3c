"""The transports of the check: none sends an unsafe method, or puts a secret into a preflight."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.doctor.connections import AGAIN, CONNECT

if TYPE_CHECKING:
    from .expectation import Expectation

# Safe by RFC 9110, 9.2.1, and PROPFIND by RFC 4918, 9.1.
SAFE_METHODS: Final = {"GET", "HEAD", "OPTIONS", "PROPFIND"}
REQUEST_METHOD: Final = "access-control-request-method"
REQUEST_HEADERS: Final = "access-control-request-headers"
# A pooled connection that the server has closed meanwhile. Browsers send a safe request again, too.
_CLOSED: Final = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class OutOfTimeError(Exception):
    """The check took longer than its time limit."""


class UnsafeMethodError(Exception):
    """A case would send an unsafe method, which the user has not allowed."""


def is_preflight(request: httpx.Request) -> bool:
    """Return whether a request has the form of a preflight, with or without Origin."""
    return request.method == "OPTIONS" and REQUEST_METHOD in request.headers


class Guard(httpx.BaseTransport):
    """Send requests until the deadline.

    Args:
        inner: The transport that sends the requests. The caller closes it.
        expectation: The declared expectation, with the headers to add to every request but preflights. They may be
            secrets, so a redirect to another origin does not get them.
        seconds: The time limit of all requests.
    """

    def __init__(self, inner: httpx.BaseTransport, expectation: Expectation, seconds: float) -> None:
        """Start the clock."""
        self._inner = inner
        self._expectation = expectation
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        urls = (expectation.http_url, expectation.error_url or expectation.http_url)
        self._own_origins = {_origin_of(httpx.URL(url)) for url in urls}
        self.sent = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            OutOfTimeError: The time limit is reached.
            UnsafeMethodError: The method is unsafe, and the user has not allowed it.
        """
        if request.method not in SAFE_METHODS and not self._expectation.send_unsafe:
            raise UnsafeMethodError(request.method)
        if time.monotonic() > self._deadline:
            raise OutOfTimeError
        if not is_preflight(request) and _origin_of(request.url) in self._own_origins:
            for name, value in self._expectation.main_headers:
                request.headers[name] = value
        try:
            return self._send(request)
        except _CLOSED:
            if request.method not in SAFE_METHODS:
                raise
            request.extensions[CONNECT] = AGAIN
            return self._send(request)

    def _send(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return self._inner.handle_request(request)


def _origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class PreflightEditor(httpx.BaseTransport):
    """Replace the lines of Access-Control-Request-Headers in preflights."""

    def __init__(self, inner: httpx.BaseTransport, lines: Sequence[bytes]) -> None:
        """Store the lines."""
        self._inner = inner
        self._lines = lines

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, edited if it is a preflight."""
        if is_preflight(request):
            name = REQUEST_HEADERS.encode()
            others = [(key, value) for key, value in request.headers.raw if key.lower() != name]
            request.headers = httpx.Headers([*others, *((name, line) for line in self._lines)])
        return self._inner.handle_request(request)


class DryRun(httpx.BaseTransport):
    """Record requests and send nothing. The responses are those of a server that decides as declared."""

    def __init__(self, expectation: Expectation) -> None:
        """Create an empty record."""
        self._expectation = expectation
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Record a request."""
        self.requests.append(request)
        origin = request.headers.get("origin", "")
        expectation = self._expectation
        if not origin or not expectation.allows(origin):
            return httpx.Response(403, headers={"vary": "Origin"})
        headers = {
            "access-control-allow-origin": "*" if expectation.allows_every_origin else origin,
            "access-control-allow-methods": ", ".join(expectation.methods),
            "access-control-allow-headers": ", ".join(expectation.headers),
            "access-control-expose-headers": ", ".join(expectation.expose),
            "vary": "Origin",
        }
        if expectation.credentials:
            headers["access-control-allow-credentials"] = "true"
        status = 101 if "upgrade" in request.headers else 200
        return httpx.Response(status, headers=headers)
