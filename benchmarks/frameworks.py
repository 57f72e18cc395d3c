"""Flask and Quart apps: bare, with our extension, and with Flask-CORS or Quart-CORS. No server runs."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from time import process_time_ns
from typing import Any, Final

from traffic import ALLOWED, STRANGER, Message, Receive, Send, build_environ, scopes

REQUESTS: Final = 60  # in a turn

Spends = Callable[[dict[str, Any]], float]  # from the keywords of `scopes` to nanoseconds per request

ROWS: Final[dict[str, dict[str, Any]]] = {
    "no Origin": {"origin": None},
    "actual, allowed": {},
    "actual, refused": {"origin": STRANGER},
    "preflight, allowed": {"preflight": True},
}
_OPTIONS: Final[Any] = {"origins": [ALLOWED], "methods": ["PUT"], "allow_headers": ["x-request-id"]}


def _resources(count: int) -> Any:
    return dict.fromkeys((*(rf"/area{n}/.*" for n in range(count - 1)), "/items"), _OPTIONS)


def flask_apps() -> dict[str, Spends]:
    """Build Flask apps, by title."""
    import flask_cors
    from flask import Flask

    import asgi_cors_flask

    def build(install: Callable[[Flask], object], decorate: Callable[..., Any] = lambda view: view) -> Spends:
        app = Flask("bench")
        install(app)
        app.route("/items", methods=["GET", "PUT"])(decorate(lambda: "{}"))
        return lambda row: spend_wsgi(app.wsgi_app, row)

    return {
        "Flask": build(lambda _: None),
        "asgi_cors_flask": build(lambda app: asgi_cors_flask.CORS(app, resources=_resources(1))),
        "asgi_cors_flask, 1,000 resources": build(lambda app: asgi_cors_flask.CORS(app, resources=_resources(1000))),
        "asgi_cors_flask, a view's own": build(lambda _: None, asgi_cors_flask.cross_origin(**_OPTIONS)),
        "Flask-CORS": build(lambda app: flask_cors.CORS(app, resources=_resources(1))),
        "Flask-CORS, 1,000 resources": build(lambda app: flask_cors.CORS(app, resources=_resources(1000))),
        "Flask-CORS, a view's own": build(lambda _: None, flask_cors.cross_origin(**_OPTIONS)),
    }


def quart_apps() -> dict[str, Spends]:
    """Build Quart apps, by title."""
    import quart_cors
    from quart import Quart

    import asgi_cors_quart

    def build(install: Callable[[Quart], object]) -> Spends:
        app = Quart("bench")

        @app.get("/items")
        async def items() -> str:
            return "{}"

        install(app)
        return lambda row: spend_asgi(app, row)

    options: dict[str, Any] = {"allow_origin": [ALLOWED], "allow_methods": ["PUT"], "allow_headers": ["x-request-id"]}
    return {
        "Quart": build(lambda _: None),
        "asgi_cors_quart": build(lambda app: asgi_cors_quart.cors(app, **options)),
        "Quart-CORS": build(lambda app: quart_cors.cors(app, **options)),
    }


def spend_wsgi(app: Any, row: dict[str, Any]) -> float:
    """Serve requests of a row by WSGI, and return nanoseconds of CPU time per request."""
    environs = [build_environ(scope) for scope in scopes(REQUESTS, **row)]
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


def spend_asgi(app: Any, row: dict[str, Any]) -> float:
    """Serve requests of a row by ASGI, and return nanoseconds of CPU time per request."""

    async def serve() -> float:
        requests = [(scope, *connect()) for scope in scopes(REQUESTS, **row)]
        began = process_time_ns()
        for scope, receive, send in requests:
            await app(scope, receive, send)
        return (process_time_ns() - began) / REQUESTS

    gc.disable()
    spent = asyncio.run(serve())
    gc.enable()
    return spent


def connect() -> tuple[Receive, Send]:
    """Return `receive` and `send` of one request. The client disconnects after the response: Quart waits for that."""
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    is_complete = asyncio.Event()

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await is_complete.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_complete.set()

    return receive, send
