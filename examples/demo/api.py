"""The API of the demo: a plain ASGI app, wrapped in the middleware with its policy."""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from asgi_cors import CORSMiddleware, Policy

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

ORDERS: deque[tuple[str, str]] = deque(maxlen=100)  # of all APIs: the id of each order, and the cookie it came with


def create(allowed: str, trusted: str) -> CORSMiddleware:
    """Wrap the app: pages of one origin may use it, every page may read the public path.

    A form of the trusted origin may order, too, but its scripts read nothing.
    """
    return CORSMiddleware(
        app,
        allow_origins=[allowed],
        allow_methods=["PUT"],
        allow_headers=["x-request-id"],
        expose_headers=["x-total-count"],
        allow_credentials=True,
        max_age=60,
        csrf_protection=True,
        csrf_trusted_origins=[trusted],
        allowed_hosts=["127.0.0.1"],
        paths={"/public/*": Policy(allow_origins="*")},
    )


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond. Nothing here is about CORS."""
    if scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["path"] == "/orders":
        await respond(send, json.dumps(order(scope, await read(receive))).encode())
    elif scope["path"] == "/crash":
        raise DeliberateError
    elif scope["path"] == "/events":
        await respond(send, b"data: an event\n\n", kind=b"text/event-stream")
    elif scope["path"] in VALUES:
        body = json.dumps(VALUES[scope["path"]](scope))
        await respond(send, body.encode(), (b"x-total-count", b"2"), (b"x-build", b"4711"))
    else:
        await respond(send, b'"not found"', status=404)


class DeliberateError(Exception):
    """The error of the route /crash."""


def cookie(scope: Scope) -> str:
    """Return the cookie of the request."""
    headers: Iterable[Header] = scope["headers"]
    return b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")


def order(scope: Scope, form: bytes) -> object:
    """Record an order in the name of the cookie."""
    ORDERS.append((parse_qs(form.decode())["id"][0], cookie(scope)))
    return {"ordered": cookie(scope)}


def items(scope: Scope) -> object:
    """Return the items, or confirm the change."""
    return ["tea", "cake"] if scope["method"] == "GET" else {"done": scope["method"]}


VALUES: dict[str, Callable[[Scope], object]] = {
    "/items": items,
    "/items/1": items,
    "/me": lambda scope: {"cookie": cookie(scope)},
    "/public/news": lambda _: ["open to all"],
}


async def respond(send: Send, body: bytes, *more: Header, status: int = 200, kind: bytes = b"application/json") -> None:
    """Send a response."""
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Receive) -> bytes:
    """Return the body of the request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def echo(receive: Receive, send: Send) -> None:
    """Accept a handshake, and send every message back."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
