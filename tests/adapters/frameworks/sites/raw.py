"""The site as a plain ASGI app."""

from asgi_cors import CORSMiddleware

from . import BASE, ETAG, PARTS, PATHS, DeliberateError

METHODS = {"/items": {"GET", "HEAD", "PUT"}, "/partner": {"GET", "HEAD", "DELETE"}, "/late": {"GET", "HEAD", "DELETE"}}
GET = {"GET", "HEAD"}


async def site(scope, receive, send):
    path, headers = scope["path"], dict(scope["headers"])
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
    elif scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif path == "/private" and b"authorization" not in headers:
        await respond(send, 401, b"who are you?")
    elif path == "/slash":
        await respond(send, 308, b"", (b"location", b"/slash/"))
    elif path not in {
        "/items",
        "/open",
        "/partner",
        "/late",
        "/exempt",
        "/private",
        "/slash/",
        "/crash",
        "/stream",
        "/cached",
    }:
        await respond(send, 404, b"nothing here")
    elif scope["method"] not in METHODS.get(path, GET):
        await respond(send, 405, b"not so")
    elif path == "/crash":
        raise DeliberateError
    elif path == "/cached" and headers.get(b"if-none-match") == ETAG.encode():
        await respond(send, 304, b"", (b"etag", ETAG.encode()))
    elif path == "/stream":
        await respond(send, 200, *PARTS)
    else:
        await respond(send, 200, b"" if scope["method"] == "HEAD" else b"done", (b"x-total", b"2"))


async def respond(send, status, *parts):
    """Send a response. A tuple is a header, and bytes are a chunk of the body."""
    headers = [part for part in parts if isinstance(part, tuple)]
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain"), *headers]}
    )
    for part in parts:
        if isinstance(part, bytes):
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def lifespan(receive, send):
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def make():
    return CORSMiddleware(site, paths=PATHS, **BASE)
