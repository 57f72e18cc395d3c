"""The WSGI interfaces of asgi_cors, in front of routes that respond with 200, 401, 404 and 500."""

from typing import Any

from flask import Flask, abort

from asgi_cors import WSGIMiddleware
from asgi_cors_flask import CORS
from tests.cli.corpus.raw import PAGE

OTHERS: dict[str, Any] = {
    "allow_origins": ["https://admin.example.com", "https://shop.example.net"],
    "allow_methods": ["PUT"],
}
PROTECTED: dict[str, Any] = OTHERS | {"csrf_protection": True}
HOSTS: dict[str, Any] = OTHERS | {"allowed_hosts": ["api.example.com"]}
HERE: dict[str, Any] = {
    "allow_origins": [PAGE, "https://admin.example.com"],
    "allow_methods": ["PUT"],
    "allow_credentials": True,
}


def wsgi(environ: Any, start_response: Any) -> Any:
    """Respond with the status that the path names."""
    status = "200" if environ["PATH_INFO"] == "/items" else environ["PATH_INFO"][1:]
    start_response(f"{status} Status", [("Content-Length", "3")])
    return [b"tea"]


def flask_app() -> Flask:
    app = Flask("ours")
    app.add_url_rule("/items", "items", lambda: "tea", methods=["GET", "PUT"])
    app.add_url_rule("/<int:status>", "status", lambda status: {}["Ann"] if status == 500 else abort(status))
    return app


def interfaces(**policy: Any) -> dict[str, Any]:
    """Return the interfaces with a policy."""
    flask = flask_app()
    CORS(flask, **policy)
    return {"wsgi": WSGIMiddleware(wsgi, **policy), "flask": flask}


APPS = interfaces(**OTHERS) | {f"{name}-well": app for name, app in interfaces(**HERE).items()}
APPS |= {"protected": WSGIMiddleware(wsgi, **PROTECTED), "hosts": WSGIMiddleware(wsgi, **HOSTS)}
