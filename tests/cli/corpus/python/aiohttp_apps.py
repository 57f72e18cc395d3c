"""aiohttp with aiohttp-cors, and with a middleware by hand."""

from typing import Any

import aiohttp_cors
from aiohttp import web

from tests.cli.corpus.raw import PAGE

EVERYTHING = {"expose_headers": "*", "allow_headers": "*", "allow_methods": "*"}


async def items(_request: web.Request) -> web.Response:
    return web.json_response({"name": "Ann"}, headers={"X-Total": "1"})


async def crash(_request: web.Request) -> web.Response:
    return web.json_response({"name": {}["Ann"]})


def api(*middlewares: Any, methods: tuple[str, ...] = ("GET", "PUT"), **origins: Any) -> web.Application:
    """Return an app with a resource for which aiohttp-cors allows these methods."""
    app = web.Application(middlewares=middlewares)
    cors = aiohttp_cors.setup(app, defaults={key.replace("_", "*"): value for key, value in origins.items()})
    resource = cors.add(app.router.add_resource("/items"))
    for method in ("GET", "PUT"):
        route = resource.add_route(method, items)
        if method in methods:
            cors.add(route)
    cors.add(cors.add(app.router.add_resource("/crash")).add_route("GET", crash))
    return app


def allowing(origin: str, **options: Any) -> dict[str, Any]:
    return {origin: aiohttp_cors.ResourceOptions(**options)}


@web.middleware
async def check_token(request: web.Request, handler: Any) -> Any:
    if "Authorization" not in request.headers:
        raise web.HTTPUnauthorized
    return await handler(request)


@web.middleware
async def add_headers(request: web.Request, handler: Any) -> Any:
    """Add the headers, as many answers advise."""
    response = await handler(request)
    response.headers["Access-Control-Allow-Origin"] = PAGE
    return response


def by_hand() -> web.Application:
    """The origin on the responses of handlers. aiohttp raises its 405."""
    app = web.Application(middlewares=[add_headers])
    app.router.add_get("/items", items)
    app.router.add_put("/items", items)
    return app


WAYS = {
    "elsewhere": api(**allowing("http://localhost:3000", **EVERYTHING)),
    "get-only": api(methods=("GET",), **allowing(PAGE, allow_headers="*")),
    "headers": api(**allowing(PAGE, allow_methods="*")),
    "not-exposed": api(**allowing(PAGE, allow_headers="*")),
    "guarded": api(check_token, **allowing(PAGE, **EVERYTHING)),
    "all": api(**allowing("*", allow_credentials=True, **EVERYTHING)),
    "no-credentials": api(**allowing(PAGE, **EVERYTHING)),
    "by-hand": by_hand(),
    "well": api(**allowing(PAGE, allow_credentials=True, **EVERYTHING)),
}
app = web.Application()
for name, way in WAYS.items():
    app.add_subapp(f"/{name}", way)
