"""The site as a FastAPI app, with the views of the Starlette app: policies by `paths`, by view, and by router."""

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, WebSocket

from asgi_cors_starlette import cors_exempt, cross_origin, install

from . import BASE, FOR_PARTNER, OPEN, PATHS
from .starlette import cached, crash, done, echo, stream

DELETE = ["GET", "DELETE"]


def authenticate(request: Request) -> None:
    if "authorization" not in request.headers:
        raise HTTPException(401)


def another(view):
    """Return a copy of a view, because a decorator changes the function that it gets."""

    async def other(request: Request):
        return await view(request)

    return other


def another_handler(handler):
    """Return a copy of a handler of WebSockets."""

    async def other(websocket: WebSocket):
        await handler(websocket)

    return other


def make_common():
    """Make the app with the routes that have no policy of their own."""
    app = FastAPI()
    app.api_route("/items", methods=["GET", "HEAD", "PUT"])(done)
    app.get("/slash/")(done)
    app.get("/private", dependencies=[Depends(authenticate)])(done)
    app.get("/crash")(crash)
    app.get("/stream")(stream)
    app.get("/cached")(cached)
    app.websocket("/echo")(echo)
    return app


def make():
    """Make the app with policies by path."""
    app = make_common()
    for path in ("/open", "/exempt"):
        app.get(path)(done)
    for path in ("/partner", "/late"):
        app.api_route(path, methods=DELETE)(done)
    app.websocket("/exempt-echo")(echo)
    install(app, paths=PATHS, **BASE)
    return app


def make_by_view():
    """Make the app with policies of views. `/late` has a decorator above its registration."""
    app = make_common()
    app.get("/open")(cross_origin(**OPEN)(another(done)))
    app.api_route("/partner", methods=DELETE)(cross_origin(**FOR_PARTNER)(another(done)))
    late = app.api_route("/late", methods=DELETE)(another(done))
    app.get("/exempt")(cors_exempt(another(done)))
    app.websocket("/exempt-echo")(cors_exempt(another_handler(echo)))
    install(app, **BASE)
    cross_origin(**FOR_PARTNER)(late)
    return app


def make_by_router():
    """Make the app with policies of included routers. That of `/late` is decorated after it was included."""
    app = make_common()
    install(app, **BASE)
    free, partner, late, exempt = APIRouter(), APIRouter(prefix="/partner"), APIRouter(), APIRouter()
    cross_origin(**OPEN)(free).get("/open")(done)
    partner.api_route("", methods=DELETE)(done)
    outer = cross_origin(**OPEN)(APIRouter())  # the inner router's policy replaces this one
    outer.include_router(cross_origin(**FOR_PARTNER)(partner))
    late.api_route("/late", methods=DELETE)(another(done))
    exempt.get("/exempt")(done)
    exempt.websocket("/exempt-echo")(echo)
    for router in (free, outer, late, cors_exempt(exempt)):
        app.include_router(router)
    cross_origin(**FOR_PARTNER)(late)
    return app
