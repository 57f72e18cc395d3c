"""Sanic with sanic-ext, and with a middleware by hand."""

from typing import Any

from sanic import Request, Sanic, json
from sanic.exceptions import Unauthorized
from sanic_ext import Extend

from tests.cli.corpus.raw import PAGE


def api(name: str, *, has_extension: bool = True, **config: Any) -> Sanic[Any, Any]:
    app: Sanic[Any, Any] = Sanic(name.replace("-", "_"), configure_logging=False)
    app.config.AUTO_EXTEND = False
    app.config.TOUCHUP = False  # it works for one app of a process only
    app.config.update(config)
    if has_extension:
        Extend(app)

    @app.route("/items", methods=["GET", "PUT"])
    async def items(_request: Request) -> Any:
        return json({"name": "Ann"}, headers={"X-Total": "1"})

    @app.get("/crash")
    async def crash(_request: Request) -> Any:
        return json({"name": {}["Ann"]})

    return app


def guarded() -> Any:
    """A check of tokens before each request, also of OPTIONS."""
    app = api("guarded", CORS_ORIGINS=PAGE)

    @app.on_request
    async def check_token(request: Request) -> None:
        if not request.token:
            raise Unauthorized("Missing token")

    return app


def by_hand() -> Any:
    """The origin on every response, and no route for OPTIONS."""
    app = api("by-hand", has_extension=False)

    @app.on_response
    async def add_headers(_request: Request, response: Any) -> None:
        response.headers["Access-Control-Allow-Origin"] = PAGE

    return app


def twice() -> Any:
    """sanic-ext, and a middleware from before it, which adds the header again."""
    app = api("twice", has_extension=False, CORS_ORIGINS=PAGE)

    @app.on_response
    async def add_headers(_request: Request, response: Any) -> None:
        response.headers.add("Access-Control-Allow-Origin", "*")

    Extend(app)
    return app


APPS = {
    "elsewhere": api("elsewhere", CORS_ORIGINS="http://localhost:3000"),
    "methods": api("methods", CORS_ORIGINS=PAGE, CORS_METHODS="GET,POST"),
    "headers": api("headers", CORS_ORIGINS=PAGE, CORS_ALLOW_HEADERS="authorization"),
    "no-credentials": api("no-credentials", CORS_ORIGINS=PAGE),
    "not-configured": api("not-configured", has_extension=False),
    "guarded": guarded(),
    "by-hand": by_hand(),
    "twice": twice(),
    "well": api("well", CORS_ORIGINS=PAGE, CORS_SUPPORTS_CREDENTIALS=True, CORS_METHODS="GET,PUT"),
}
