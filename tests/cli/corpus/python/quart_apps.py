"""Quart with quart-cors."""

import re
from typing import Any

from quart import Quart, jsonify, request
from quart_cors import cors, route_cors

from tests.cli.corpus.raw import PAGE


def api(name: str) -> Quart:
    app = Quart(name)

    @app.route("/items", methods=["GET", "PUT"])
    async def items() -> Any:
        return jsonify(name="Ann")

    return app


def development() -> Any:
    """The origin of the development server only."""
    return cors(api("development"), allow_origin=["http://localhost:3000"])


def pattern() -> Any:
    """A pattern without an end, with credentials."""
    return cors(api("pattern"), allow_origin=re.compile(r"https://.*example\.com"), allow_credentials=True)


def methods() -> Any:
    """A list of methods without PUT."""
    return cors(api("methods"), allow_origin=[PAGE], allow_methods=["GET", "POST"])


def headers() -> Any:
    """A list of headers without x-id."""
    return cors(api("headers"), allow_origin=[PAGE], allow_headers=["authorization"])


def guarded() -> Any:
    """A check of tokens before each request, also of OPTIONS."""
    app = api("guarded")

    @app.before_request
    async def check_token() -> Any:
        return None if "authorization" in request.headers else ({"error": "unauthorized"}, 401)

    return cors(app, allow_origin=[PAGE])


def star() -> Any:
    """`*`, and the page sends cookies."""
    return cors(api("star"), allow_origin="*")


def one_view() -> Any:
    """The decorator on one view only."""
    app = api("one_view")

    @app.get("/other")
    @route_cors(allow_origin=[PAGE])
    async def other() -> Any:
        return jsonify(name="Ann")

    return app


def well() -> Any:
    """One origin with credentials."""
    return cors(api("well"), allow_origin=[PAGE], allow_credentials=True, allow_methods=["GET", "PUT"])


WAYS = (development, pattern, methods, headers, guarded, star, one_view, well)
APPS = {way.__name__.replace("_", "-"): way() for way in WAYS}
