"""The site as a Flask app, by WSGI and by ASGI."""

from flask import Flask, Response, abort, request

from asgi_cors_flask import CORS, asgi_app, cors_exempt, cross_origin

from . import BASE, ETAG, FOR_PARTNER, OPEN, PARTS, DeliberateError


def done():
    return Response("done", content_type="text/plain", headers={"x-total": "2"})


def crash():
    raise DeliberateError


def stream():
    return Response(iter(PARTS))


def cached():
    if request.headers.get("if-none-match") == ETAG:
        return Response("", 304, headers={"etag": ETAG})
    return "done"


def authenticate():
    if request.path == "/private" and "authorization" not in request.headers:
        abort(401)


def make():
    app = Flask(__name__)
    CORS(app, **BASE)
    app.before_request(authenticate)
    app.route("/items", endpoint="items", methods=["GET", "PUT"])(done)
    app.route("/open", endpoint="open")(cross_origin(**OPEN)(another(done)))
    app.route("/partner", endpoint="partner", methods=["GET", "DELETE"])(cross_origin(**FOR_PARTNER)(another(done)))
    app.route("/late", endpoint="late", methods=["GET", "DELETE"])(another(done))
    app.view_functions["late"] = cross_origin(**FOR_PARTNER)(app.view_functions["late"])
    app.route("/exempt", endpoint="exempt")(cors_exempt(another(done)))
    for path in ("/private", "/slash/"):
        app.route(path, endpoint=path)(done)
    app.route("/crash")(crash)
    app.route("/stream")(stream)
    app.route("/cached")(cached)
    return app


def make_asgi():
    return asgi_app(make())


def another(view):
    """Return a copy of a view, because a decorator changes the function that it gets."""

    def other():
        return view()

    return other
