"""Flask-CORS."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.corpus.raw import PAGE

from .case import COOKIES, ID, PUT, Case, installed, require


def flask_app() -> Any:
    """Return an app with a blueprint for each configuration of Flask-CORS."""
    flask, flask_cors = pytest.importorskip("flask"), pytest.importorskip("flask_cors")
    app = flask.Flask("corpus")
    ways: dict[str, dict[str, Any]] = {
        "well": {"origins": [PAGE], "supports_credentials": True, "methods": ["PUT"]},
        "star": {},
        "wildcard": {"send_wildcard": True},
        "reflecting": {"supports_credentials": True},
        "suffix": {"origins": [r"https://.*example\.com"], "supports_credentials": True},
        "slash": {"origins": [f"{PAGE}/"]},
        "methods": {"origins": [PAGE], "methods": ["GET"]},
        "headers": {"origins": [PAGE], "allow_headers": ["x-other"]},
        "guarded": {"origins": [PAGE]},
        "crashing": {},
    }
    for name, options in ways.items():
        app.register_blueprint(blueprint(flask, flask_cors, name, options), url_prefix=f"/{name}")
    app.add_url_rule("/none/items", "none", lambda: ["tea"], methods=["GET", "PUT"])
    app.add_url_rule("/slashed/items/", "slashed", lambda: ["tea"], methods=["GET", "PUT"])
    return app


def blueprint(flask: Any, flask_cors: Any, name: str, options: dict[str, Any]) -> Any:
    """Return a blueprint with one view and Flask-CORS."""
    made = flask.Blueprint(name, name)

    def view() -> Any:
        return ["tea"] if name != "crashing" else flask.abort(500)

    made.add_url_rule("/items", "items", view, methods=["GET", "PUT"])
    if name == "guarded":
        made.before_request(lambda: flask.abort(401))
    if name != "crashing":
        flask_cors.CORS(made, **options)
    return made


@contextlib.contextmanager
def start(_folder: Path) -> Iterator[str]:
    """Serve the Flask app with Werkzeug."""
    require(is_installed=installed("flask_cors"), name="Flask-CORS")
    from werkzeug.serving import make_server  # noqa: PLC0415 - only if Flask is installed

    server = make_server("127.0.0.1", 0, flask_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# fmt: off
BROKEN = (
    Case("/star/items", COOKIES, "credentials-not-allowed", risks=("vary-missing",)),
    Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
    Case("/suffix/items", COOKIES, None, risks=("compares-by-prefix", "compares-by-suffix", "vary-missing")),
    Case("/well/items", COOKIES, None, risks=("vary-missing",)),
    Case("/slash/items", {}, "origin-with-slash"),
    Case("/methods/items", PUT, "method-not-allowed"),
    Case("/headers/items", ID, "header-not-allowed"),
    Case("/guarded/items", PUT, "preflight-needs-login"),
    Case("/crashing/items", {}, "response-crashed"),
    Case("/none/items", PUT, "no-cors"),
    Case("/slashed/items", PUT, "preflight-redirected-for-slash"),
)
HEALTHY = (
    Case("/wildcard/items", {}),
    Case("/star/items", {}),
)
# fmt: on
