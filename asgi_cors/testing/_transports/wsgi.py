"""A WSGI application in place of a server (PEP 3333).

- The body follows in parts, as the application's iterable yields it. The iterable is closed when the page reads no
  further.
- An exception before the first byte becomes a 500, as under a server. A later one cuts the response short.
- HEAD, 204 and 304 have no body. `write()` works.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

from asgi_cors.testing._exchange import Exchange

from .head import BODILESS, SERVER_ERROR, check_head

Environ = dict[str, Any]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def environ(request: httpx.Request) -> Environ:
    """Return the CGI variables of the request (PEP 3333, environ variables)."""
    url = request.url
    path, _, query = url.raw_path.partition(b"?")
    variables: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": url.raw_path.decode("ascii"),
        "QUERY_STRING": query.decode("ascii"),
        "SERVER_NAME": url.host,
        "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(request.read()),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.raw:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        text = value.decode("latin-1")
        separator = "; " if key == "HTTP_COOKIE" else ","
        variables[key] = f"{variables[key]}{separator}{text}" if key in variables else text
    return variables


class WSGITransport(httpx.BaseTransport):
    """Sends requests to an application in this process."""

    def __init__(self, app: WSGIApp) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application and return with the response's first part."""
        cycle = _Cycle(self._app, request)
        cycle.begin()
        return httpx.Response(cycle.status, headers=cycle.headers, stream=cycle, request=request)


class _Cycle(httpx.SyncByteStream):
    """One request and its response."""

    def __init__(self, app: WSGIApp, request: httpx.Request) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._app = app
        self._request = request
        self._exchange: Exchange = request.extensions["exchange"]
        self._buffered: list[bytes] = []
        self._iterable: Iterable[bytes] = ()
        self._rest: Iterator[bytes] = iter(())
        self._is_committed = False

    def begin(self) -> None:
        """Run the application until its head is final. Raises httpx.RemoteProtocolError for a malformed head."""
        variables = environ(self._request)  # not in `try`: the test's own iterator may raise
        try:
            self._iterable = self._app(variables, self._start_response)
            self._rest = iter(self._iterable)
            self._commit()
        except _MalformedHeadError as error:
            self._exchange.exception = error.__cause__
            raise httpx.RemoteProtocolError(str(error)) from error
        except Exception as error:  # noqa: BLE001 - a server survives its application
            self._exchange.exception = error
            self.status, self.headers, body = SERVER_ERROR
            self._buffered, self._rest = [body], iter(())
        self._is_committed = True

    def __iter__(self) -> Iterator[bytes]:
        has_body = self._request.method != "HEAD" and self.status not in BODILESS
        for chunk in self._buffered:
            if has_body:
                yield chunk
        try:
            for chunk in self._rest:
                if has_body:
                    yield chunk
        except Exception as error:
            self._exchange.exception = error
            raise httpx.RemoteProtocolError("the application ended before its response was complete") from error

    def close(self) -> None:
        """Close the application's iterable, as a server must."""
        close = getattr(self._iterable, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception as error:  # noqa: BLE001 - a server survives its application
            self._exchange.exception = error

    def _commit(self) -> None:
        """Read the first part that is not empty. Before it, the head is not final (PEP 3333)."""
        while not any(self._buffered):
            chunk = next(self._rest, None)
            if chunk is None:
                break
            self._buffered.append(chunk)
        if not self.status:
            raise RuntimeError("the application returned without calling start_response")

    def _start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
    ) -> Callable[[bytes], None]:
        if exc_info and self._is_committed:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.status and not exc_info:
            raise RuntimeError("start_response was called twice without exc_info")
        try:
            self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            code = status.partition(" ")[0]
            check_head(int(code) if code.isdecimal() else status, self.headers)
        except (ValueError, AttributeError, TypeError) as error:
            raise _MalformedHeadError(str(error)) from error
        self.status = int(code)
        return self._buffered.append


class _MalformedHeadError(Exception):
    """The application called start_response with a malformed head. The cause is chained."""
