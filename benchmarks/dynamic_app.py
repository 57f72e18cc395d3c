"""The app of `dynamic_fleet`: a registry behind uvicorn. STORE in the environment is the registry's URL."""

from __future__ import annotations

import os

from traffic import Receive, Scope, Send

from asgi_cors import CORSMiddleware
from asgi_cors.registry import open_registry

BODY = str(os.getpid()).encode()  # identifies the worker


async def respond(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the id of the process, and to the messages of the lifespan."""
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
    headers = [(b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


app = CORSMiddleware(respond, allow_origins=[open_registry(os.environ["STORE"])])
