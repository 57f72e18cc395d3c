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
_QUART_OPTIONS: Final[Any] = {
    "allow_origin": [ALLOWED],
    "allow_methods": ["PUT"],
    "allow_headers": ["x-request-id"],
}


def _resources(count: int) -> Any:
    return dict.fromkeys((*(rf"/area{n}/.*" for n in range(count - 1)), "/items"), _OPTIONS)


Apps = dict[str, Spends]  # by title; the first one is bare


def flask_apps() -> Apps:
    """Build Flask apps without policies of views, by title."""
    import flask_cors

    import asgi_cors_flask

    return {
        "Flask": _flask(lambda _: None),
        "asgi_cors_flask": _flask(lambda app: asgi_cors_flask.CORS(app, resources=_resources(1))),
        "asgi_cors_flask, 1,000 resources": _flask(lambda app: asgi_cors_flask.CORS(app, resources=_resources(1000))),
        "Flask-CORS": _flask(lambda app: flask_cors.CORS(app, resources=_resources(1))),
        "Flask-CORS, 1,000 resources": _flask(lambda app: flask_cors.CORS(app, resources=_resources(1000))),
    }


def flask_apps_by_view() -> Apps:
    """Build Flask apps with policies of views, by title."""
    import flask_cors

    import asgi_cors_flask

    own = asgi_cors_flask.cross_origin(**_OPTIONS)
    return {
        "Flask": _flask(lambda _: None),
        "asgi_cors_flask, a view's own": _flask(lambda _: None, own),
        "asgi_cors_flask, `CORS` and a view's own": _flask(
            lambda app: asgi_cors_flask.CORS(app, origins="https://base.example.org"), own
        ),
        "Flask-CORS, a view's own": _flask(lambda _: None, flask_cors.cross_origin(**_OPTIONS)),
    }


def _flask(install: Callable[[Any], object], decorate: Callable[..., Any] = lambda view: view) -> Spends:
    from flask import Flask

    app = Flask("bench")
    install(app)
    app.route("/items", methods=["GET", "PUT"])(decorate(lambda: "{}"))
    return lambda row: spend_wsgi(app.wsgi_app, row)


def quart_apps() -> Apps:
    """Build Quart apps without policies of views, by title."""
    import quart_cors

    import asgi_cors_quart

    return {
        "Quart": _quart(lambda _: None),
        "asgi_cors_quart": _quart(lambda app: asgi_cors_quart.cors(app, **_QUART_OPTIONS)),
        "Quart-CORS": _quart(lambda app: quart_cors.cors(app, **_QUART_OPTIONS)),
    }


def quart_apps_by_view() -> Apps:
    """Build Quart apps with policies of views, by title."""
    import quart_cors

    import asgi_cors_quart

    return {
        "Quart": _quart(lambda _: None),
        "asgi_cors_quart, `cors` and a view's own": _quart(
            lambda app: asgi_cors_quart.cors(app, allow_origin=["https://base.example.org"]),
            asgi_cors_quart.route_cors(**_QUART_OPTIONS),
        ),
        "Quart-CORS, a view's own": _quart(lambda _: None, quart_cors.route_cors(**_QUART_OPTIONS)),
    }


def _quart(install: Callable[[Any], object], decorate: Callable[..., Any] = lambda view: view) -> Spends:
    from quart import Quart

    app = Quart("bench")

    @app.get("/items")
    @decorate
    async def items() -> str:
        return "{}"

    install(app)
    return lambda row: spend_asgi(app, row)


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
