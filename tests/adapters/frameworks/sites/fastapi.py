"""The site as a FastAPI app, with the views of the Starlette app."""

from fastapi import Depends, FastAPI, HTTPException, Request

from asgi_cors_starlette import install

from . import BASE, PATHS
from .starlette import cached, crash, done, echo, stream


def authenticate(request: Request) -> None:
    if "authorization" not in request.headers:
        raise HTTPException(401)


def make():
    app = FastAPI()
    app.api_route("/items", methods=["GET", "HEAD", "PUT"])(done)
    for path in ("/open", "/exempt", "/slash/"):
        app.get(path)(done)
    app.get("/private", dependencies=[Depends(authenticate)])(done)
    for path in ("/partner", "/late"):
        app.api_route(path, methods=["GET", "DELETE"])(done)
    app.get("/crash")(crash)
    app.get("/stream")(stream)
    app.get("/cached")(cached)
    app.websocket("/echo")(echo)
    app.websocket("/exempt-echo")(echo)
    install(app, paths=PATHS, **BASE)
    return app
