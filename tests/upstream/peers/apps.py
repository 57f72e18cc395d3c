"""One API behind each peer, with the options of its documentation. `uvicorn apps:starlette --factory`."""

from typing import Any

ORIGINS = ["https://app.example.com", "https://admin.example.com:8443"]
METHODS = ["GET", "PUT", "PATCH"]
HEADERS = ["x-id", "authorization"]


class DeliberateError(Exception):
    """The exception of `/crash`."""


def starlette() -> Any:
    """Return an app with Starlette's own middleware."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def items(_: Any) -> Any:
        return PlainTextResponse("items", headers={"x-total": "2"})

    async def crash(_: Any) -> Any:
        raise DeliberateError

    options: dict[str, Any] = {"allow_origins": ORIGINS, "allow_methods": METHODS, "allow_headers": HEADERS}
    options |= {"allow_credentials": True, "expose_headers": ["x-total"], "max_age": 600}
    routes = [Route("/items", items, methods=METHODS), Route("/crash", crash)]
    return Starlette(routes=routes, middleware=[Middleware(CORSMiddleware, **options)])


def flask_cors() -> Any:
    """Return an app with Flask-CORS."""
    from flask import Flask, Response
    from flask_cors import CORS

    app = Flask("api")
    CORS(
        app,
        origins=ORIGINS,
        methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=["x-total"],
        supports_credentials=True,
        max_age=600,
    )

    @app.route("/items", methods=METHODS)
    def items() -> Any:
        return Response("items", headers={"x-total": "2"})

    @app.route("/crash")
    def crash() -> Any:
        raise DeliberateError

    return app


def quart_cors() -> Any:
    """Return an app with Quart-CORS."""
    from quart import Quart, Response
    from quart_cors import cors

    app = Quart("api")

    @app.route("/items", methods=METHODS)
    async def items() -> Any:
        return Response("items", headers={"x-total": "2"})

    @app.route("/crash")
    async def crash() -> Any:
        raise DeliberateError

    return cors(
        app,
        allow_origin=ORIGINS,
        allow_methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=["x-total"],
        allow_credentials=True,
        max_age=600,
    )


def asgi_cors() -> Any:
    """Return an app with the package asgi-cors. It cannot allow credentials, and its `max_age` fails under uvicorn."""
    import asgi_cors as peer

    async def app(scope: Any, _: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path == "/crash":
            raise DeliberateError
        status = 404 if path != "/items" else 405 if method not in {"HEAD", "OPTIONS", *METHODS} else 200
        headers = [(b"x-total", b"2"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    return peer.asgi_cors(app, hosts=ORIGINS, headers=HEADERS, methods=METHODS)
