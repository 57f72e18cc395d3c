"""Apps that the servers serve. They respond with the id of their process.

STORE in the environment is the URL of a registry. With USE_BEFORE_FORK, each app serves a request while this module is
imported, so that a server that forks later forks a process whose registry is in use.
"""

import asyncio
import os
import threading
import time
from typing import Any

from asgi_cors import Cached, CORSMiddleware, WSGIMiddleware
from asgi_cors.registry import open_registry

STATIC = "https://static.example.com"


async def respond(scope: Any, receive: Any, send: Any) -> None:
    """Respond to a request with the process id, and to the lifespan messages."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = str(os.getpid()).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def wsgi_respond(_environ: Any, start_response: Any) -> list[bytes]:
    """Respond to a request with the process id."""
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def look_up(origin: str) -> bool:
    """Answer, or fail in the way that the origin names."""
    name = origin.removeprefix("https://").partition(".")[0]
    if name.startswith("hangs"):
        await asyncio.sleep(3600)
    if name.startswith("raises"):
        raise OSError("the database is away")
    if name.startswith("late"):
        await asyncio.sleep(0.7)  # later than the timeout
        return True
    return name.startswith("customer")


def blocking_look_up(origin: str) -> bool:
    """Answer, or block the thread for longer than any test runs."""
    if origin.startswith("https://blocks"):
        time.sleep(3600)
    return False


def _serve_once() -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"origin", b"https://first.example.com")]}
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": "https://first.example.com"}

    async def exchange() -> None:
        async def receive() -> Any:
            raise NotImplementedError

        async def send(_message: Any) -> None:
            pass

        await app(scope, receive, send)

    thread = threading.Thread(target=asyncio.run, args=(exchange(),))  # uvicorn imports inside of its own event loop
    thread.start()
    thread.join()
    list(wsgi_app(environ, lambda *_: None))  # type: ignore[arg-type, return-value]


if store := os.environ.get("STORE"):
    app = CORSMiddleware(respond, allow_origins=[STATIC, open_registry(store)], allow_methods=["PUT"])
    wsgi_app = WSGIMiddleware(wsgi_respond, allow_origins=[STATIC, open_registry(store)], allow_methods=["PUT"])
    if os.environ.get("USE_BEFORE_FORK"):
        _serve_once()
else:
    cached = Cached(look_up, timeout=0.5, error_ttl=0.1)
    blocking = Cached(blocking_look_up, timeout=0.5, error_ttl=0.1, thread=True)
    app = CORSMiddleware(respond, allow_origins=[STATIC, cached, blocking], allow_methods=["PUT"])
