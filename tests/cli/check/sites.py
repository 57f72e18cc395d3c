"""One API behind our library on each interface: `/items` (GET, PUT, PATCH), `/crash` (500), a WebSocket at `/feed`."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from asgi_cors import CORSMiddleware, WSGIMiddleware
from tests.cli.corpus.stacks.case import asgi_server

OPTIONS: dict[str, Any] = {
    "allow_origins": ["https://app.example.com", "https://admin.example.com:8443"],
    "allow_methods": ["PUT", "PATCH"],
    "allow_headers": ["x-id", "authorization", "accept"],
    "expose_headers": ["x-total"],
    "allow_credentials": True,
    "max_age": 600,
}
METHODS = ["GET", "PUT", "PATCH"]


class DeliberateError(Exception):
    """The exception of `/crash`."""


async def plain_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Respond without a framework."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    path, method = scope["path"], scope["method"]
    if path == "/crash":
        raise DeliberateError
    status = 404 if path != "/items" else 405 if method not in {"HEAD", "OPTIONS", *METHODS} else 200
    headers = [(b"x-total", b"2"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body"})


def plain_wsgi(environ: Any, start_response: Any) -> Any:
    """Respond without a framework."""
    if environ["PATH_INFO"] == "/crash":
        raise DeliberateError
    allowed = {"HEAD", "OPTIONS", *METHODS}
    status = "404 Not Found" if environ["PATH_INFO"] != "/items" else "200 OK"
    status = "405 Method Not Allowed" if environ["REQUEST_METHOD"] not in allowed else status
    start_response(status, [("x-total", "2"), ("content-length", "0")])
    return []


def flask_app() -> Any:
    from flask import Flask, Response  # noqa: PLC0415 - only if it is installed

    from asgi_cors_flask import CORS  # noqa: PLC0415 - the same

    app = Flask("site")
    CORS(app, **OPTIONS)

    @app.route("/items", methods=METHODS)
    def items() -> Any:
        return Response("items", headers={"x-total": "2"})

    @app.route("/crash")
    def crash() -> Any:
        raise DeliberateError

    return app


def flask_asgi_app() -> Any:
    from asgi_cors_flask import asgi_app  # noqa: PLC0415 - only if it is installed

    return asgi_app(flask_app())


def quart_app() -> Any:
    from quart import Quart, Response, websocket  # noqa: PLC0415 - only if it is installed

    from asgi_cors_quart import CORS  # noqa: PLC0415 - the same

    app = Quart("site")
    CORS(app, check_websockets=True, **OPTIONS)

    @app.route("/items", methods=METHODS)
    async def items() -> Any:
        return Response("items", headers={"x-total": "2"})

    @app.route("/crash")
    async def crash() -> Any:
        raise DeliberateError

    @app.websocket("/feed")
    async def feed() -> None:
        await websocket.accept()

    return app


def starlette_app() -> Any:
    from starlette.applications import Starlette  # noqa: PLC0415 - only if it is installed
    from starlette.responses import Response  # noqa: PLC0415 - the same
    from starlette.routing import Route, WebSocketRoute  # noqa: PLC0415 - the same

    from asgi_cors_starlette import install  # noqa: PLC0415 - the same

    async def items(_: Any) -> Any:
        return Response("items", headers={"x-total": "2"})

    async def crash(_: Any) -> Any:
        raise DeliberateError

    async def feed(websocket: Any) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(
        routes=[Route("/items", items, methods=METHODS), Route("/crash", crash), WebSocketRoute("/feed", feed)]
    )
    install(app, check_websockets=True, **OPTIONS)
    return app


class Server(ThreadingMixIn, WSGIServer):
    """A WSGI server with a thread for each request."""

    daemon_threads = True


class SilentHandler(WSGIRequestHandler):
    """Log nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def get_stderr(self) -> Any:
        return contextlib.nullcontext()


@contextlib.contextmanager
def wsgi_server(app: Any) -> Iterator[str]:
    """Serve a WSGI app."""
    server = make_server("127.0.0.1", 0, app, Server, SilentHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Serve = Callable[[Any], contextlib.AbstractContextManager[str]]
INTERFACES: dict[str, tuple[Serve, Callable[[], Any], str]] = {
    "ASGI": (asgi_server, lambda: CORSMiddleware(plain_asgi, check_websockets=True, **OPTIONS), ""),
    "WSGI": (wsgi_server, lambda: WSGIMiddleware(plain_wsgi, **OPTIONS), ""),
    "Flask": (wsgi_server, flask_app, "flask"),
    "Flask by asgi_app": (asgi_server, flask_asgi_app, "flask"),
    "Quart": (asgi_server, quart_app, "quart"),
    "Starlette": (asgi_server, starlette_app, "starlette"),
}
