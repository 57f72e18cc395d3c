"""The site as a Starlette app."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_cors_starlette import install

from . import BASE, ETAG, PARTS, PATHS, DeliberateError


class Authentication:
    """Refuses requests without Authorization."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/private" and b"authorization" not in dict(scope["headers"]):
            await PlainTextResponse("who are you?", 401)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def done(request: Request):
    return PlainTextResponse("done", headers={"x-total": "2"})


async def crash(request: Request):
    raise DeliberateError


async def stream(request: Request):
    return StreamingResponse(iter(PARTS))


async def cached(request: Request):
    if request.headers.get("if-none-match") == ETAG:
        return Response(status_code=304, headers={"etag": ETAG})
    return PlainTextResponse("done")


async def echo(websocket: WebSocket):
    await websocket.accept()
    await websocket.close()


ROUTES = [
    Route("/items", done, methods=["GET", "PUT"]),
    *(Route(path, done) for path in ("/open", "/exempt", "/private", "/slash/")),
    Route("/partner", done, methods=["GET", "DELETE"]),
    Route("/late", done, methods=["GET", "DELETE"]),
    Route("/crash", crash),
    Route("/stream", stream),
    Route("/cached", cached),
    WebSocketRoute("/echo", echo),
    WebSocketRoute("/exempt-echo", echo),
]


def make():
    app = Starlette(routes=ROUTES)
    install(app, paths=PATHS, **BASE)
    app.add_middleware(Authentication)
    return app
