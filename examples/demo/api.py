"""The API of the demo: a plain ASGI app, and around it the one place that says who may call it."""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from asgi_cors import CORSMiddleware, Policy

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Field = tuple[bytes, bytes]


def create(allowed: str) -> CORSMiddleware:
    """Wrap the app: pages of one origin may use it, every page may read what is public."""
    return CORSMiddleware(
        app,
        allow_origins=[allowed],
        allow_methods=["PUT"],
        allow_headers=["x-request-id"],
        expose_headers=["x-total-count"],
        allow_credentials=True,
        max_age=60,
        paths={"/public/*": Policy(allow_origins="*")},
    )


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a thought about CORS."""
    if scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["path"] == "/crash":
        raise AskedForError
    elif scope["path"] == "/events":
        await respond(send, b"data: an event\n\n", kind=b"text/event-stream")
    elif scope["path"] in ANSWERS:
        answer = json.dumps(ANSWERS[scope["path"]](scope))
        await respond(send, answer.encode(), (b"x-total-count", b"2"), (b"x-build", b"4711"))
    else:
        await respond(send, b'"not found"', status=404)


class AskedForError(Exception):
    """What the route /crash raises."""


def me(scope: Scope) -> object:
    """Tell who asks, by the cookie."""
    fields: Iterable[Field] = scope["headers"]
    return {"cookie": b"; ".join(value for name, value in fields if name == b"cookie").decode("latin-1")}


def items(scope: Scope) -> object:
    """Tell what is there, or what was done."""
    return ["tea", "cake"] if scope["method"] == "GET" else {"done": scope["method"]}


ANSWERS: dict[str, Callable[[Scope], object]] = {
    "/items": items,
    "/items/1": items,
    "/me": me,
    "/public/news": lambda _: ["open to all"],
}


async def respond(
    send: Send, body: bytes, *fields: Field, status: int = 200, kind: bytes = b"application/json"
) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), *fields]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(receive: Receive, send: Send) -> None:
    """Accept a handshake and send back what comes."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
