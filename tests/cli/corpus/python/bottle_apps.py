"""Bottle with hooks and decorators, because it has no package for CORS of its own."""

from typing import Any

from bottle import Bottle, abort, request, response

from tests.cli.corpus.raw import ACAC, ACAM, ACAO, PAGE


def api() -> Bottle:
    app = Bottle()
    app.route("/items", ["GET", "PUT"], lambda: {"name": "Ann"})
    app.get("/private", callback=lambda: abort(401, "sign in"))
    app.get("/crash", callback=lambda: {}["Ann"])
    return app


def hook() -> Any:
    """The usual hook, without a route for OPTIONS."""
    app = api()

    @app.hook("after_request")
    def enable_cors() -> None:
        response.headers[ACAO] = "*"
        response.headers[ACAM] = "PUT, GET, POST, DELETE, OPTIONS"

    return app


def options_route() -> Any:
    """The hook without a list of methods, and a route for OPTIONS."""
    app = api()

    @app.hook("after_request")
    def enable_cors() -> None:
        response.headers[ACAO] = PAGE

    app.route("/<path:path>", "OPTIONS", lambda path: {})
    return app


def decorator() -> Any:
    """A decorator that sets the headers for OPTIONS only."""
    app = Bottle()

    def enable_cors(view: Any) -> Any:
        def wrapped() -> Any:
            if request.method == "OPTIONS":
                response.headers[ACAO] = PAGE
                response.headers[ACAM] = "GET, PUT"
                return {}
            return view()

        return wrapped

    app.route("/items", ["OPTIONS", "GET", "PUT"], enable_cors(lambda: {"name": "Ann"}))
    return app


def in_view() -> Any:
    """Headers in the view. A response that is raised does not have them."""
    app = Bottle()

    @app.get("/items")
    def items() -> Any:
        response.headers[ACAO] = PAGE
        abort(404, "no such item")

    return app


def twice() -> Any:
    """A header in the hook and in the view, by add_header."""
    app = Bottle()

    @app.hook("after_request")
    def enable_cors() -> None:
        response.add_header(ACAO, "*")

    @app.get("/items")
    def items() -> Any:
        response.add_header(ACAO, PAGE)
        return {"name": "Ann"}

    return app


def echo() -> Any:
    """The hook sends every origin back."""
    app = api()

    @app.hook("after_request")
    def enable_cors() -> None:
        response.headers[ACAO] = request.headers.get("Origin", "*")
        response.headers[ACAC] = "true"

    return app


def well() -> Any:
    """One origin, with Vary, and OPTIONS before routing."""
    app = api()

    @app.hook("after_request")
    def enable_cors() -> None:
        response.headers[ACAO] = PAGE
        response.headers[ACAC] = "true"
        response.headers[ACAM] = "GET, PUT"

    app.route("/<path:path>", "OPTIONS", lambda path: {})
    return app


WAYS = (hook, options_route, decorator, in_view, twice, echo, well)
APPS = {way.__name__.replace("_", "-"): way() for way in WAYS}
APPS["none"] = api()
