"""The site as a Quart app."""

from quart import Quart, Response, abort, request, websocket

from asgi_cors_quart import CORS, cors_exempt, route_cors

from . import BASE, ETAG, FOR_PARTNER, OPEN, PARTS, DeliberateError


def in_quart_cors_names(options):
    """Return a policy's options by the names of Quart-CORS."""
    return {{"allow_origins": "allow_origin"}.get(name, name): value for name, value in options.items()}


async def done():
    return Response("done", content_type="text/plain", headers={"x-total": "2"})


async def crash():
    raise DeliberateError


async def stream():
    async def parts():
        for part in PARTS:
            yield part

    return parts()


async def cached():
    if request.headers.get("if-none-match") == ETAG:
        return Response("", 304, headers={"etag": ETAG})
    return "done"


async def echo():
    await websocket.accept()


async def authenticate():
    if request.path == "/private" and "authorization" not in request.headers:
        abort(401)


def make():
    app = Quart(__name__)
    CORS(app, **BASE)
    app.before_request(authenticate)
    app.route("/items", endpoint="items", methods=["GET", "PUT"])(done)
    app.route("/open", endpoint="open")(route_cors(**in_quart_cors_names(OPEN))(another(done)))
    partner = route_cors(**in_quart_cors_names(FOR_PARTNER))(another(done))
    app.route("/partner", endpoint="partner", methods=["GET", "DELETE"])(partner)
    app.route("/late", endpoint="late", methods=["GET", "DELETE"])(another(done))
    app.view_functions["late"] = route_cors(**in_quart_cors_names(FOR_PARTNER))(app.view_functions["late"])
    app.route("/exempt", endpoint="exempt")(cors_exempt(another(done)))
    for path in ("/private", "/slash/"):
        app.route(path, endpoint=path)(done)
    app.route("/crash")(crash)
    app.route("/stream")(stream)
    app.route("/cached")(cached)
    app.websocket("/echo", endpoint="echo")(echo)
    app.websocket("/exempt-echo", endpoint="exempt-echo")(cors_exempt(another(echo)))
    return app


def another(view):
    """Return a copy of a view, because a decorator changes the function that it gets."""

    async def other():
        return await view()

    return other
