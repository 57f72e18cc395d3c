"""The same API as a Flask app, with the names of Flask-CORS. It is served over ASGI, next to the first API."""

import json

from api import ORDERS, DeliberateError
from flask import Flask, Response, request

from asgi_cors_flask import CORS, cross_origin


def create(allowed: str, trusted: str) -> tuple[Flask, CORS]:
    """Build the app: pages of one origin may use it, every page may read the public path."""
    app = Flask("flask_api")
    cors = CORS(
        app,
        origins=[allowed],
        methods=["PUT"],
        allow_headers=["x-request-id"],
        expose_headers=["x-total-count"],
        supports_credentials=True,
        max_age=60,
        csrf_protection=True,
        csrf_trusted_origins=[trusted],
        allowed_hosts=["127.0.0.1"],
    )

    @app.get("/public/news")
    @cross_origin(methods=["PUT"], allow_headers=["x-request-id"])
    def news() -> Response:
        return respond(["open to all"])

    add_routes(app)
    return app, cors


def add_routes(app: Flask) -> None:
    """Add the routes. Nothing here is about CORS."""

    @app.get("/items")
    def items() -> Response:
        return respond(["tea", "cake"])

    @app.post("/items")
    @app.put("/items/1")
    def change() -> Response:
        return respond({"done": request.method})

    @app.get("/me")
    def me() -> Response:
        return respond({"cookie": request.headers.get("Cookie", "")})

    @app.post("/orders")
    def order() -> Response:
        visitor = request.headers.get("Cookie", "")
        ORDERS.append((request.form["id"], visitor))
        return respond({"ordered": visitor})

    @app.get("/events")
    def events() -> Response:
        return Response("data: an event\n\n", mimetype="text/event-stream")

    @app.get("/crash")
    def crash() -> Response:
        raise DeliberateError

    @app.errorhandler(500)
    def crashed(_error: Exception) -> tuple[str, int]:
        return "Internal Server Error", 500


def respond(value: object) -> Response:
    """Build a response with two headers. Pages may read one of them."""
    headers = {"Cache-Control": "no-store", "X-Total-Count": "2", "X-Build": "4711"}
    return Response(json.dumps(value), mimetype="application/json", headers=headers)
