"""Requests as a server hands them over, the app that answers them, and what drives both without a server or a loop.

Every request is made of fresh bytes objects, as a server's parser makes them: reused ones would have their hashes
cached, which flatters whoever builds a dict of the headers.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from time import process_time_ns
from typing import Any, Final

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]

ALLOWED: Final = "https://app.example.com"
STRANGER: Final = "https://app.example.net"
CHUNKS: Final = 50

# Where two classes that a request needs meet in one place of CPython's cache of their attributes, it takes 600
# instructions or 100 ns more: an accident of a process, which says nothing about a middleware. A class that is looked
# at takes the next number, and with it a place: so many are made here that all others have places of their own.
LAYOUT: Final = "LAYOUT"
for _ in range(int(os.environ.get(LAYOUT, "0"))):
    type("Filler", (), {"value": None}).value  # type: ignore[attr-defined]  # noqa: B018 - to look is what counts

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


def scopes(count: int, *, origin: str | None = ALLOWED, preflight: bool = False, path: str = "/items") -> list[Scope]:
    """Make requests, each of bytes of its own."""
    fields = [
        (name.encode(), value.replace("{origin}", origin or "").encode())
        for name, value in (_PREFLIGHT if preflight else _FETCH)
        if origin or name not in {"origin", "referer"}
    ]
    return [_scope(fields, "OPTIONS" if preflight else "GET", path) for _ in range(count)]


def _scope(fields: Iterable[tuple[bytes, bytes]], method: str, path: str) -> Scope:
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
        "headers": [(_fresh(name), _fresh(value)) for name, value in fields],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "state": {},
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


async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the form of an ASGI app
    """Answer with three fields and a short body."""
    await send(_start())
    await send({"type": "http.response.body", "body": b"{}"})


async def with_fields(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the same
    """Answer as `app` does under a policy, by itself."""
    start = _start()
    start["headers"] += [(b"access-control-allow-origin", ALLOWED.encode()), (b"vary", b"Origin")]
    await send(start)
    await send({"type": "http.response.body", "body": b"{}"})


async def streaming(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the same
    """Answer as `app` does, with more chunks."""
    await send(_start())
    for _ in range(CHUNKS):
        await send({"type": "http.response.body", "body": b"{}", "more_body": True})
    await send({"type": "http.response.body", "body": b"{}"})


async def receive() -> Message:
    """Have nothing to receive."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Message) -> None:
    """Take a message as a server does, which writes to a buffer and does not wait."""


def spend(asgi: App, requests: list[Scope]) -> float:
    """Serve requests one after the other; give nanoseconds of the CPU per request.

    Raises:
        RuntimeError: Where an app waits for something, which nothing here would ever bring.
    """
    began = process_time_ns()
    for scope in requests:
        try:
            asgi(scope, receive, send).send(None)
        except StopIteration:
            continue
        raise RuntimeError(asgi)
    return (process_time_ns() - began) / len(requests)
