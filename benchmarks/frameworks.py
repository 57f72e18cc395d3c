"""Flask and Quart: alone, with ours, and with the extension that most of their apps use; called without a server."""

from __future__ import annotations

import asyncio
import gc
import io
import sys
from collections.abc import Callable
from time import process_time_ns
from typing import Any, Final

from traffic import ALLOWED, STRANGER, Message, Receive, Send, scopes

REQUESTS: Final = 60  # in a turn

Spends = Callable[[dict[str, Any]], float]  # a kind of request, as the keywords of `scopes`, to nanoseconds

ROWS: Final[dict[str, dict[str, Any]]] = {
    "no Origin": {"origin": None},
    "actual, allowed": {},
    "actual, refused": {"origin": STRANGER},
    "preflight, allowed": {"preflight": True},
}


_OWN: Final[Any] = {"origins": [ALLOWED], "methods": ["PUT"], "allow_headers": ["x-request-id"]}


def _resources(count: int) -> Any:
    return dict.fromkeys((*(rf"/area{n}/.*" for n in range(count - 1)), "/items"), _OWN)


def flasks() -> dict[str, Spends]:
    """Give Flask apps by title."""
    import flask_cors
    from flask import Flask

    import asgi_cors_flask

    def made(install: Callable[[Flask], object], decorate: Callable[..., Any] = lambda view: view) -> Spends:
        app = Flask("bench")
        install(app)
        app.route("/items", methods=["GET", "PUT"])(decorate(lambda: "{}"))
        return lambda row: _spend_wsgi(app.wsgi_app, row)

    return {
        "Flask": made(lambda _: None),
        "asgi_cors_flask": made(lambda app: asgi_cors_flask.CORS(app, resources=_resources(1))),
        "asgi_cors_flask, 1,000 resources": made(lambda app: asgi_cors_flask.CORS(app, resources=_resources(1000))),
        "asgi_cors_flask, a view's own": made(lambda _: None, asgi_cors_flask.cross_origin(**_OWN)),
        "Flask-CORS": made(lambda app: flask_cors.CORS(app, resources=_resources(1))),
        "Flask-CORS, 1,000 resources": made(lambda app: flask_cors.CORS(app, resources=_resources(1000))),
        "Flask-CORS, a view's own": made(lambda _: None, flask_cors.cross_origin(**_OWN)),
    }


def quarts() -> dict[str, Spends]:
    """Give Quart apps by title."""
    import quart_cors
    from quart import Quart

    import asgi_cors_quart

    def made(install: Callable[[Quart], object]) -> Spends:
        app = Quart("bench")

        @app.get("/items")
        async def items() -> str:
            return "{}"

        install(app)
        return lambda row: _spend_asgi(app, row)

    options: dict[str, Any] = {"allow_origin": [ALLOWED], "allow_methods": ["PUT"], "allow_headers": ["x-request-id"]}
    return {
        "Quart": made(lambda _: None),
        "asgi_cors_quart": made(lambda app: asgi_cors_quart.cors(app, **options)),
        "Quart-CORS": made(lambda app: quart_cors.cors(app, **options)),
    }


def _spend_wsgi(app: Any, row: dict[str, Any]) -> float:
    environs = [_environ(scope) for scope in scopes(REQUESTS, **row)]
    gc.disable()
    began = process_time_ns()
    for environ in environs:
        body = app(environ, lambda *_: None)
        b"".join(body)
        if hasattr(body, "close"):
            body.close()
    spent = process_time_ns() - began
    gc.enable()
    return spent / REQUESTS


def _environ(scope: dict[str, Any]) -> dict[str, Any]:
    fields = {f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in scope["headers"]}
    return fields | {
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


def _spend_asgi(app: Any, row: dict[str, Any]) -> float:
    async def serve() -> float:
        requests = [(scope, *_connection()) for scope in scopes(REQUESTS, **row)]
        began = process_time_ns()
        for scope, receive, send in requests:
            await app(scope, receive, send)
        return (process_time_ns() - began) / REQUESTS

    gc.disable()
    spent = asyncio.run(serve())
    gc.enable()
    return spent


def _connection() -> tuple[Receive, Send]:
    """Receive a request without a body, and when it is answered a disconnect, for which Quart waits."""
    parts = [{"type": "http.request", "body": b"", "more_body": False}]
    answered = asyncio.Event()

    async def receive() -> Message:
        if parts:
            return parts.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    return receive, send
