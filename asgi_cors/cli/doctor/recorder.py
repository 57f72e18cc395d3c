"""The way to the server: each distinct request is sent once, and no body is read beyond its beginning.

Three engines ask the same; a DELETE must not reach the server three times, and an answer of 2 GB, or one without end,
must not be read. What came the first time is played back, a failure too.
"""

from __future__ import annotations

import contextlib
import time
from typing import Final

import httpx

MAX_BODY: Final = 16_384  # bytes; what is read serves only to tell who wrote an error page
MAX_BODY_TIME: Final = 1.0  # seconds
_KEYS: Final = ("origin", "access-control-request-method", "access-control-request-headers", "cookie")
_OK_FROM, _OK_TO = 200, 300

Key = tuple[str, ...]


class Recorder(httpx.BaseTransport):
    """Sends each distinct request once, and plays back what came.

    Args:
        inner: What carries the requests.
        preflight_only: Whether the request itself is answered here, as the server would have to.
    """

    def __init__(self, inner: httpx.BaseTransport, *, preflight_only: bool = False) -> None:
        """Begin with nothing recorded."""
        self._inner = inner
        self._preflight_only = preflight_only
        self._kept: dict[Key, httpx.Response | Exception] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, or play back what came of one like it.

        Raises:
            httpx.HTTPError: The server gave no answer.
        """
        key = (request.method, str(request.url), *(request.headers.get(name, "\0") for name in _KEYS))
        if key not in self._kept:
            self._kept[key] = self._send(request)
        kept = self._kept[key]
        if isinstance(kept, Exception):
            raise kept
        return _copied(kept)

    def _send(self, request: httpx.Request) -> httpx.Response | Exception:
        exchange = request.extensions.get("exchange")
        if self._preflight_only and exchange is not None and exchange.kind == "main":
            return _granting(request)
        try:
            response = self._inner.handle_request(request)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            return error
        is_wanted = request.method == "OPTIONS" or not _OK_FROM <= response.status_code < _OK_TO
        body = _beginning(request, response) if is_wanted else b""
        response.close()
        return httpx.Response(response.status_code, headers=response.headers.raw, stream=httpx.ByteStream(body))


def _copied(response: httpx.Response) -> httpx.Response:
    return httpx.Response(response.status_code, headers=response.headers.raw, stream=response.stream)


def _beginning(request: httpx.Request, response: httpx.Response) -> bytes:
    """Read what comes at once, and not much of it."""
    content, deadline = b"", time.monotonic() + MAX_BODY_TIME
    request.extensions.setdefault("timeout", {})["read"] = MAX_BODY_TIME
    with contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError):  # the head has said what counts
        for part in response.iter_raw():
            content += part
            if len(content) >= MAX_BODY or time.monotonic() > deadline:
                break
    return content[:MAX_BODY]


def _granting(request: httpx.Request) -> httpx.Response:
    """Stand in for the server where the request itself must not be sent."""
    headers = {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "*",
    }
    return httpx.Response(204, headers=headers)
