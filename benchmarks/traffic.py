"""Requests as a server passes them on, the app that responds, and a driver without a server or an event loop.

Every request has bytes objects of its own, as a server's parser makes them. Reused objects have cached hashes, which
would favour a middleware that builds a dict of the headers.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from time import process_time_ns
from typing import Any, Final

Scope = dict[str, Any]
Message = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]

ALLOWED: Final = "https://app.example.com"
OWN: Final = "https://api.example.com"  # the origin of the server itself
STRANGER: Final = "https://app.example.net"
CHUNKS: Final = 50

# If two classes share a slot in CPython's cache of class attributes, a request takes 600 instructions or 100 ns more.
# That is an accident of one process and says nothing about a middleware. A class gets the next number when an attribute
# is first read, and the number determines its slot. The fillers therefore move all other classes to other slots.
LAYOUT: Final = "LAYOUT"
for _ in range(int(os.environ.get(LAYOUT, "0"))):
    type("Filler", (), {"value": None}).value  # type: ignore[attr-defined]  # noqa: B018 - reading it is the purpose

_FETCH: Final = (  # in Chromium's order; Origin is the 8th of 12
    ("host", "api.example.com"),
    ("connection", "keep-alive"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"),
    ("sec-ch-ua", '"Chromium";v="140", "Not=A?Brand";v="24"'),
    ("sec-ch-ua-mobile", "?0"),
    ("accept", "*/*"),
    ("origin", "{origin}"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "cors"),
    ("referer", "{origin}/"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
)
_PREFLIGHT: Final = (
    ("host", "api.example.com"),
    ("connection", "keep-alive"),
    ("accept", "*/*"),
    ("access-control-request-method", "PUT"),
    ("access-control-request-headers", "content-type,x-request-id"),
    ("origin", "{origin}"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "cross-site"),
    ("referer", "{origin}/"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
)


def scopes(  # noqa: PLR0913 - a keyword for each part of a request
    count: int,
    *,
    origin: str | None = ALLOWED,
    preflight: bool = False,
    path: str = "/items",
    method: str = "GET",
    site: str = "cross-site",
) -> list[Scope]:
    """Build requests. Each has bytes objects of its own."""
    headers = [
        (name.encode(), (site if name == "sec-fetch-site" else value.replace("{origin}", origin or "")).encode())
        for name, value in (_PREFLIGHT if preflight else _FETCH)
        if origin or name not in {"origin", "referer"}
    ]
    method = "OPTIONS" if preflight else method
    return [build_scope(method, path, [(_fresh(name), _fresh(value)) for name, value in headers]) for _ in range(count)]


def build_scope(method: str, path: str, headers: Headers) -> Scope:
    """Build a request of the type http."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "state": {},
    }


def build_environ(scope: Scope) -> dict[str, Any]:
    """Build the same request for WSGI. Lines of one name are joined, as servers do."""
    values: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        values.setdefault(f"HTTP_{name.decode().upper().replace('-', '_')}", []).append(value.decode())
    return {name: ",".join(lines) for name, lines in values.items()} | {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"],
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }


def _fresh(value: bytes) -> bytes:
    return bytes(bytearray(value))


def _start() -> Message:
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", b"2"),
            (b"x-request-id", b"f3c1b7"),
        ],
    }


async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the signature of an ASGI app
    """Respond with three headers and a short body."""
    await send(_start())
    await send({"type": "http.response.body", "body": b"{}"})


async def with_headers(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the same
    """Respond as `app` does behind a middleware, but without one."""
    start = _start()
    start["headers"] += [(b"access-control-allow-origin", ALLOWED.encode()), (b"vary", b"Origin")]
    await send(start)
    await send({"type": "http.response.body", "body": b"{}"})


async def streaming(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the same
    """Respond as `app` does, in more chunks."""
    await send(_start())
    for _ in range(CHUNKS):
        await send({"type": "http.response.body", "body": b"{}", "more_body": True})
    await send({"type": "http.response.body", "body": b"{}"})


async def receive() -> Message:
    """Return an empty request body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Message) -> None:
    """Accept a message without waiting, like a server that writes to a buffer."""


def spend(asgi: App, requests: list[Scope]) -> float:
    """Serve requests one after the other, and return nanoseconds of CPU time per request.

    Raises:
        RuntimeError: The app awaits something. There is no event loop to wake it.
    """
    began = process_time_ns()
    for scope in requests:
        try:
            asgi(scope, receive, send).send(None)
        except StopIteration:
            continue
        raise RuntimeError(asgi)
    return (process_time_ns() - began) / len(requests)
