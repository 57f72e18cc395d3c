"""An httpx transport that sends each distinct request once, and replays its response or error.

Three engines send the same request, but a DELETE must reach the server once: for an unsafe method, requests that differ
only in their headers are the same. Of a body, only the beginning of an error page is read, because a response may be
huge or endless, and a short body of a known length, because it may be cut off.
"""

from __future__ import annotations

import time
from typing import Final

import httpx

from .bodies import MAX_BODY, bound_body
from .connections import CONNECT

MAX_BODY_TIME: Final = 1.0  # seconds
NETWORK_ERRORS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
_KEY_HEADERS: Final = (
    *("origin", "access-control-request-method", "access-control-request-headers", "cookie", "upgrade", "host"),
)
SAFE_METHODS: Final = {"GET", "HEAD", "OPTIONS"}
_OK_FROM, _OK_TO = 200, 300
CUT_OFF: Final = "asgi_cors.cut_off"  # the key of a response's extensions: the error that ended its body


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
        key = _key(request)
        if key not in self._recorded:
            # Another engine may send it while this one still waits in its thread, after its time is over.
            self._recorded[key] = httpx.ReadTimeout("no response in time")
            self._recorded[key] = self._send(request)
        recorded = self._recorded[key]
        if isinstance(recorded, Exception):
            raise recorded
        return httpx.Response(
            recorded.status_code, headers=recorded.headers.raw, stream=recorded.stream, extensions=recorded.extensions
        )

    def has_sent(self, request: httpx.Request) -> bool:
        """Return whether an identical request was sent."""
        return _key(request) in self._recorded

    def _send(self, request: httpx.Request) -> httpx.Response | Exception:
        exchange = request.extensions.get("exchange")
        if self._preflight_only and exchange is not None and exchange.kind == "main":
            return _allowing_response(request)
        try:
            response = self._inner.handle_request(request)
        except NETWORK_ERRORS as error:
            return error
        needs_body = request.method == "OPTIONS" or not _OK_FROM <= response.status_code < _OK_TO
        length = response.headers.get("content-length", "")
        is_short = length.isascii() and length.isdigit() and float(length) <= MAX_BODY
        body, cut_off = _read_beginning(request, response) if needs_body or is_short else (b"", "")
        response.close()
        body = bound_body(body, response.headers.get("content-encoding", ""))
        extensions = {CUT_OFF: cut_off} if cut_off else {}
        return httpx.Response(
            response.status_code, headers=response.headers.raw, stream=httpx.ByteStream(body), extensions=extensions
        )


def _key(request: httpx.Request) -> tuple[str, ...]:
    """Return the values that make two requests the same."""
    headers = _KEY_HEADERS if request.method in SAFE_METHODS else ()
    connect = request.extensions.get(CONNECT, "")
    return (request.method, str(request.url), connect, *(request.headers.get(name, "\0") for name in headers))


def _read_beginning(request: httpx.Request, response: httpx.Response) -> tuple[bytes, str]:
    """Read at most `MAX_BODY` bytes, for at most about `MAX_BODY_TIME`.

    Returns:
        The bytes, and the error if the connection ended before the body did.
    """
    content, deadline = b"", time.monotonic() + MAX_BODY_TIME
    request.extensions.setdefault("timeout", {})["read"] = MAX_BODY_TIME
    try:
        for part in response.iter_raw():
            content += part
            if len(content) >= MAX_BODY or time.monotonic() > deadline:
                break
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        return content[:MAX_BODY], " ".join(str(error).split()) or type(error).__name__
    except NETWORK_ERRORS:
        pass  # too slow; status and headers suffice
    return content[:MAX_BODY], ""


def _allowing_response(request: httpx.Request) -> httpx.Response:
    """Return a response that allows everything, in place of the response to a request that is not sent."""
    headers = {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "*",
    }
    return httpx.Response(204, headers=headers)
