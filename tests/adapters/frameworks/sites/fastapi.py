"""The site as a FastAPI app."""

from fastapi import Depends, FastAPI, HTTPException, Request, Response, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse

from asgi_cors import Policy
from asgi_cors_starlette import install

from . import BASE, ETAG, FOR_PARTNER, OPEN, PARTS, AskedForError

PATHS = {
    "/open": Policy(**OPEN),
    "/partner": Policy(**FOR_PARTNER),
    "/late": Policy(**FOR_PARTNER),
    "/exempt": None,
    "/exempt-echo": None,
}


def known(request: Request) -> None:
    if "authorization" not in request.headers:
        raise HTTPException(401)


async def done():
    return PlainTextResponse("done", headers={"x-total": "2"})


async def crash():
    raise AskedForError


async def stream():
    return StreamingResponse(iter(PARTS))


async def cached(request: Request):
    if request.headers.get("if-none-match") == ETAG:
        return Response(status_code=304, headers={"etag": ETAG})
    return PlainTextResponse("done")


async def echo(websocket: WebSocket):
    await websocket.accept()
    await websocket.close()


def make():
    app = FastAPI()
    app.api_route("/items", methods=["GET", "HEAD", "PUT"])(done)
    for path in ("/open", "/exempt", "/slash/"):
        app.get(path)(done)
    app.get("/private", dependencies=[Depends(known)])(done)
    for path in ("/partner", "/late"):
        app.api_route(path, methods=["GET", "DELETE"])(done)
    app.get("/crash")(crash)
    app.get("/stream")(stream)
    app.get("/cached")(cached)
    app.websocket("/echo")(echo)
    app.websocket("/exempt-echo")(echo)
    install(app, paths=PATHS, **BASE)
    return app
