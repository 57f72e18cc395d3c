"""An httpx transport that sends each distinct request once, and replays its response or error.

Three engines send the same request, but a DELETE must reach the server once. Of a body, only the beginning of an error
page is read, because a response may be huge or endless.
"""

from __future__ import annotations

import contextlib
import time
from typing import Final

import httpx

MAX_BODY: Final = 16_384  # bytes; enough to recognise the software that sent an error page
MAX_BODY_TIME: Final = 1.0  # seconds
NETWORK_ERRORS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
_KEY_HEADERS: Final = ("origin", "access-control-request-method", "access-control-request-headers", "cookie")
_OK_FROM, _OK_TO = 200, 300


class Recorder(httpx.BaseTransport):
    """Send each distinct request once, and replay the response.

    Args:
        inner: The transport that sends the requests.
        preflight_only: Whether to simulate the response to the request itself, instead of sending it.
    """

    def __init__(self, inner: httpx.BaseTransport, *, preflight_only: bool = False) -> None:
        """Create an empty recorder."""
        self._inner = inner
        self._preflight_only = preflight_only
        self._recorded: dict[tuple[str, ...], httpx.Response | Exception] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, or replay the response to an identical one.

        Raises:
            httpx.HTTPError: The server did not respond.
        """
        key = (request.method, str(request.url), *(request.headers.get(name, "\0") for name in _KEY_HEADERS))
        if key not in self._recorded:
            self._recorded[key] = self._send(request)
        recorded = self._recorded[key]
        if isinstance(recorded, Exception):
            raise recorded
        return httpx.Response(recorded.status_code, headers=recorded.headers.raw, stream=recorded.stream)

    def _send(self, request: httpx.Request) -> httpx.Response | Exception:
        exchange = request.extensions.get("exchange")
        if self._preflight_only and exchange is not None and exchange.kind == "main":
            return _allowing_response(request)
        try:
            response = self._inner.handle_request(request)
        except NETWORK_ERRORS as error:
            return error
        needs_body = request.method == "OPTIONS" or not _OK_FROM <= response.status_code < _OK_TO
        body = _read_beginning(request, response) if needs_body else b""
        response.close()
        return httpx.Response(response.status_code, headers=response.headers.raw, stream=httpx.ByteStream(body))


def _read_beginning(request: httpx.Request, response: httpx.Response) -> bytes:
    """Read at most `MAX_BODY` bytes, for at most about `MAX_BODY_TIME`."""
    content, deadline = b"", time.monotonic() + MAX_BODY_TIME
    request.extensions.setdefault("timeout", {})["read"] = MAX_BODY_TIME
    with contextlib.suppress(*NETWORK_ERRORS):  # status and headers suffice
        for part in response.iter_raw():
            content += part
            if len(content) >= MAX_BODY or time.monotonic() > deadline:
                break
    return content[:MAX_BODY]


def _allowing_response(request: httpx.Request) -> httpx.Response:
    """Return a response that allows everything, in place of the response to a request that is not sent."""
    headers = {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "*",
    }
    return httpx.Response(204, headers=headers)
