"""The same API as a FastAPI app, with policies of a router, of routes and of a WebSocket."""

import json
from urllib.parse import parse_qs

from api import ORDERS, DeliberateError
from cases import Explains
from fastapi import APIRouter, FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from asgi_cors_starlette import cors_exempt, cross_origin, install


def create(allowed: str, partner: str, trusted: str) -> tuple[FastAPI, Explains]:
    """Build the app: pages of one origin may use it. Some routes have a policy of their own."""
    app = FastAPI(openapi_url=None)
    cors = install(
        app,
        allow_origins=[allowed],
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
    @cross_origin(allow_origins="*")
    async def news() -> Response:
        return respond(["open to all"])

    @app.patch("/stock")  # DELETE of the same path has the policy of the app
    @cross_origin(allow_origins=[allowed], allow_methods=["PATCH"])
    async def change_stock() -> Response:
        return respond({"done": "PATCH"})

    @app.get("/legacy")
    @cors_exempt
    async def legacy() -> Response:
        return Response('"its own headers"', headers={"Access-Control-Allow-Origin": "*"})

    @app.post("/newsletter")
    @cross_origin(allow_origins=[allowed], allow_credentials=True, csrf_protection=False)
    async def subscribe(request: Request) -> Response:
        return await order(request)

    @app.post("/transfer")
    @cross_origin(allow_origins=[allowed], allow_credentials=True, csrf_protection=True, csrf_trusted_origins=[partner])
    async def transfer(request: Request) -> Response:
        return await order(request)

    partners = cross_origin(allow_origins=[partner], allow_methods=["PUT"], allow_credentials=True)(partner_routes())

    @partners.get("/status")
    @cross_origin(allow_origins="*")  # the innermost policy decides
    async def status() -> Response:
        return respond({"up": True})

    app.include_router(partners, prefix="/partner")
    add_routes(app)
    return app, cors


def partner_routes() -> APIRouter:
    """Return the routes for partners. Nothing here is about CORS."""
    router = APIRouter()

    @router.get("/items")
    async def items() -> Response:
        return respond(["tea", "cake"])

    @router.put("/items")
    async def change() -> Response:
        return respond({"done": "PUT"})

    router.add_api_websocket_route("/echo", echo)
    return router


def add_routes(app: FastAPI) -> None:
    """Add the routes. Nothing here is about CORS."""

    @app.get("/items")
    async def items() -> Response:
        return respond(["tea", "cake"])

    @app.post("/items")
    @app.put("/items/1")
    async def change(request: Request) -> Response:
        return respond({"done": request.method})

    @app.delete("/stock")
    async def remove_stock() -> Response:
        return respond({"done": "DELETE"})

    @app.get("/me")
    async def me(request: Request) -> Response:
        return respond({"cookie": request.headers.get("cookie", "")})

    @app.get("/events")
    async def events() -> Response:
        return Response("data: an event\n\n", media_type="text/event-stream")

    @app.get("/crash")
    async def crash() -> Response:
        raise DeliberateError

    app.add_api_route("/orders", order, methods=["POST"])
    app.add_api_websocket_route("/echo", echo)


async def order(request: Request) -> Response:
    """Record an order in the name of the cookie."""
    visitor = request.headers.get("cookie", "")
    form = parse_qs((await request.body()).decode())
    ORDERS.append((form["id"][0], visitor))
    return respond({"ordered": visitor})


async def echo(websocket: WebSocket) -> None:
    """Accept a handshake, and send every message back."""
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        return


def respond(value: object) -> Response:
    """Build a response with two headers. Pages may read one of them."""
    headers = {"Cache-Control": "no-store", "X-Total-Count": "2", "X-Build": "4711"}
    return Response(json.dumps(value), media_type="application/json", headers=headers)
