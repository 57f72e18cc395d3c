"""The same API as a Quart app, under the names of Quart-CORS; served beside the first."""

import json

from api import AskedForError
from quart import Quart, Response, request, websocket

from asgi_cors_quart import cors, route_cors


def create(allowed: str) -> Quart:
    """Make the app: pages of one origin may use it, every page may read what is public."""
    app = Quart("quart_api")
    cors(
        app,
        allow_origin=allowed,
        allow_methods=["PUT"],
        allow_headers=["x-request-id"],
        expose_headers=["x-total-count"],
        allow_credentials=True,
        max_age=60,
    )

    @app.get("/public/news")
    @route_cors(allow_origin="*")
    async def news() -> Response:
        return answer(["open to all"])

    add_routes(app)
    return app


def add_routes(app: Quart) -> None:
    """Add the routes that don't give a thought to CORS."""

    @app.get("/items")
    async def items() -> Response:
        return answer(["tea", "cake"])

    @app.post("/items")
    @app.put("/items/1")
    async def change() -> Response:
        return answer({"done": request.method})

    @app.get("/me")
    async def me() -> Response:
        return answer({"cookie": request.headers.get("Cookie", "")})

    @app.get("/events")
    async def events() -> Response:
        return Response("data: an event\n\n", mimetype="text/event-stream")

    @app.get("/crash")
    async def crash() -> Response:
        raise AskedForError

    @app.errorhandler(500)
    async def crashed(_error: Exception) -> tuple[str, int]:
        return "Internal Server Error", 500

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())


def answer(value: object) -> Response:
    """Make a response with two headers, of which pages may read one."""
    headers = {"Cache-Control": "no-store", "X-Total-Count": "2", "X-Build": "4711"}
    return Response(json.dumps(value), mimetype="application/json", headers=headers)
