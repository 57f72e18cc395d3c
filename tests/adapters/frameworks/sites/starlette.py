"""The site as a Starlette app: policies by `paths`, by the decorators of functions and routes, and of classes."""

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_cors_starlette import cors_exempt, cross_origin, install

from . import BASE, ETAG, FOR_PARTNER, OPEN, PARTS, PATHS, DeliberateError


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


def another(view):
    """Return a copy of a view, because a decorator changes the function that it gets."""

    async def other(request):
        return await view(request)

    return other


def make_by_route():
    """Make the app with policies of endpoints and of routes. `/late` has a decorator above its registration."""
    late = another(done)
    routes = {route.path: route for route in ROUTES} | {
        "/open": Route("/open", cross_origin(**OPEN)(another(done))),
        "/partner": cross_origin(**FOR_PARTNER)(Route("/partner", done, methods=["GET", "DELETE"])),
        "/late": Route("/late", late, methods=["GET", "DELETE"]),
        "/exempt": Route("/exempt", cors_exempt(another(done))),
        "/exempt-echo": WebSocketRoute("/exempt-echo", cors_exempt(another(echo))),
    }
    app = Starlette(routes=list(routes.values()))
    install(app, **BASE)
    app.add_middleware(Authentication)
    cross_origin(**FOR_PARTNER)(late)
    return app


def make_by_class():
    """Make the app with policies of classes, and of their methods. The class of `/late` is decorated late."""

    class Done(HTTPEndpoint):
        async def get(self, request: Request):
            return await done(request)

        async def delete(self, request: Request):
            return await done(request)

    for_partner = cross_origin(**FOR_PARTNER)

    @cross_origin(**OPEN)
    class Open(Done):
        pass

    class Partner(Done):
        @for_partner
        async def get(self, request: Request):
            return await done(request)

        @for_partner
        async def delete(self, request: Request):
            return await done(request)

    class Late(Done):
        pass

    @cors_exempt
    class Exempt(Done):
        pass

    @cors_exempt
    class Echo(WebSocketEndpoint):
        pass

    routes = {route.path: route for route in ROUTES} | {
        "/open": Route("/open", Open),
        "/partner": Route("/partner", Partner),
        "/late": Route("/late", Late),
        "/exempt": Route("/exempt", Exempt),
        "/exempt-echo": WebSocketRoute("/exempt-echo", Echo),
    }
    app = Starlette(routes=list(routes.values()))
    install(app, **BASE)
    app.add_middleware(Authentication)
    cross_origin(**FOR_PARTNER)(Late)
    return app
