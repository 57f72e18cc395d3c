"""The same API as a Quart app, with the names of Quart-CORS. It is served next to the first API."""

import json
from urllib.parse import parse_qs

from api import ORDERS, DeliberateError
from quart import Quart, Response, request, websocket

from asgi_cors_quart import cors, route_cors


def create(allowed: str, trusted: str) -> Quart:
    """Build the app: pages of one origin may use it, every page may read the public path."""
    app = Quart("quart_api")
    cors(
        app,
        allow_origin=allowed,
        allow_methods=["PUT"],
        allow_headers=["x-request-id"],
        expose_headers=["x-total-count"],
        allow_credentials=True,
        max_age=60,
        csrf_protection=True,
        csrf_trusted_origins=[trusted],
        allowed_hosts=["127.0.0.1"],
    )

    @app.get("/public/news")
    @route_cors(allow_origin="*")
    async def news() -> Response:
        return respond(["open to all"])

    add_routes(app)
    return app


def add_routes(app: Quart) -> None:
    """Add the routes. Nothing here is about CORS."""

    @app.get("/items")
    async def items() -> Response:
        return respond(["tea", "cake"])

    @app.post("/items")
    @app.put("/items/1")
    async def change() -> Response:
        return respond({"done": request.method})

    @app.get("/me")
    async def me() -> Response:
        return respond({"cookie": request.headers.get("Cookie", "")})

    @app.post("/orders")
    async def order() -> Response:
        visitor = request.headers.get("Cookie", "")
        form = parse_qs((await request.body).decode())
        ORDERS.append((form["id"][0], visitor))
        return respond({"ordered": visitor})

    @app.get("/events")
    async def events() -> Response:
        return Response("data: an event\n\n", mimetype="text/event-stream")

    @app.get("/crash")
    async def crash() -> Response:
        raise DeliberateError

    @app.errorhandler(500)
    async def crashed(_error: Exception) -> tuple[str, int]:
        return "Internal Server Error", 500

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())


def respond(value: object) -> Response:
    """Build a response with two headers. Pages may read one of them."""
    headers = {"Cache-Control": "no-store", "X-Total-Count": "2", "X-Build": "4711"}
    return Response(json.dumps(value), mimetype="application/json", headers=headers)
