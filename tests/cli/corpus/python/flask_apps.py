"""Flask, with Flask-CORS and with headers by hand."""

from typing import Any

from flask import Flask, Response, abort, jsonify, redirect, request
from flask_cors import CORS, cross_origin
from werkzeug.debug import DebuggedApplication

from tests.cli.corpus.raw import PAGE

ADMIN = "https://admin.example.com"
PROFILE = {"name": "Ann"}


def debug() -> Any:
    """The development server in debug mode. A view fails, and Flask-CORS is in the traceback."""
    app = Flask("debug")
    app.debug = True
    CORS(app, origins=[PAGE, ADMIN])

    @app.get("/items")
    def items() -> Any:
        return jsonify(PROFILE["colour"])

    return DebuggedApplication(app, evalex=True)


def twice() -> Any:
    """Flask-CORS, and a hook from before it was installed."""
    app = Flask("twice")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.add("Access-Control-Allow-Origin", "*")
        return response

    CORS(app, origins=[PAGE, ADMIN])
    app.add_url_rule("/items", "items", lambda: jsonify(PROFILE))
    return app


def resources() -> Any:
    """A pattern of paths that does not match the path of the view."""
    app = Flask("resources")
    CORS(app, resources={r"/api/*": {"origins": PAGE}})
    app.add_url_rule("/v1/items", "items", lambda: jsonify(PROFILE))
    return app


def development() -> Any:
    """The origin of the development server only, in production."""
    app = Flask("development")
    CORS(app, origins="http://localhost:3000")
    app.add_url_rule("/items", "items", lambda: jsonify(PROFILE), methods=["GET", "PUT"])
    return app


def by_hand() -> Any:
    """The origin on every response, and nothing else."""
    app = Flask("by_hand")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = PAGE
        return response

    app.add_url_rule("/items", "items", lambda: jsonify(PROFILE), methods=["GET", "PUT"])
    return app


def login() -> Any:
    """A check of the session that also runs for OPTIONS."""
    app = Flask("login")

    @app.before_request
    def require_login() -> Any:
        return None if request.cookies.get("session") else redirect(f"/login?next={request.path}")

    CORS(app, origins=[PAGE, ADMIN], supports_credentials=True)
    app.add_url_rule("/items", "items", lambda: jsonify(PROFILE), methods=["GET", "PUT"])
    return app


def echo() -> Any:
    """A hook that sends every origin back."""
    app = Flask("echo")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
        response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    app.add_url_rule("/items", "items", lambda: jsonify(PROFILE))
    return app


def view_only() -> Any:
    """The decorator on the view for GET, and another view for PUT without it."""
    app = Flask("view_only")

    @app.get("/items")
    @cross_origin(origins=[PAGE, ADMIN])
    def read() -> Any:
        return jsonify(PROFILE)

    @app.put("/items")
    def write() -> Any:
        return jsonify(PROFILE)

    return app


def decorated_error() -> Any:
    """The decorator on a view that aborts."""
    app = Flask("decorated_error")

    @app.get("/items")
    @cross_origin(origins=[PAGE, ADMIN])
    def items() -> Any:
        abort(404)

    return app


def printed() -> Any:
    """A list of origins, printed into the header."""
    app = Flask("printed")
    origins = [PAGE, ADMIN]

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = str(origins)
        return response

    app.add_url_rule("/items", "items", lambda: jsonify(PROFILE))
    return app


def well() -> Any:
    """Two origins below /api, with credentials."""
    app = Flask("well")
    CORS(app, resources={r"/api/*": {"origins": [PAGE, ADMIN]}}, supports_credentials=True, expose_headers=["X-Total"])

    @app.route("/api/items", methods=["GET", "PUT"])
    def items() -> Any:
        return jsonify(PROFILE), {"X-Total": "1"}

    @app.route("/api/private")
    def private() -> Any:
        abort(401)

    return app


WAYS = (debug, twice, resources, development, by_hand, login, echo, view_only, decorated_error, printed, well)
APPS = {way.__name__.replace("_", "-"): way() for way in WAYS}
