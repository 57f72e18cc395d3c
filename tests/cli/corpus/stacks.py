"""Real stacks as users configure them: nginx before an app, Flask-CORS, Starlette, Express with cors.

A stack that is not installed is skipped, unless CORPUS=whole requires it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .raw import ACAH, ACAM, ACAO, PAGE
from .serving import Request, Response, serving

PATIENCE = 20.0  # seconds, for a program to start
EXPRESS = Path(os.environ.get("CORPUS_EXPRESS", Path(__file__).parent / "express"))


def require(*, is_installed: bool, name: str) -> None:
    """Skip the test, or fail if CORPUS=whole, because a program is missing."""
    if not is_installed:
        assert os.environ.get("CORPUS") != "whole", f"{name} is missing"
        pytest.skip(f"{name} is not installed; `nox -s doctor` installs it")


# -- nginx


def app_behind(request: Request) -> Response:
    """Respond as the app behind nginx, which sends CORS headers only below /own."""
    own = ((ACAO, PAGE), ("Vary", "Origin")) if request.path.startswith("/own") else ()
    if request.path.endswith("/missing"):
        return Response(404, own)
    if request.path.endswith("/crash"):
        return Response(500, own)
    return Response(200, own)


PREFLIGHT = f"if ($request_method = OPTIONS) {{ add_header {ACAO} {PAGE}; add_header {ACAM} PUT; return 204; }}"
LOCATIONS = f"""
location /well/ {{
  add_header {ACAO} {PAGE} always; add_header {ACAM} PUT always; add_header {ACAH} x-id always;
  if ($request_method = OPTIONS) {{
    add_header {ACAO} {PAGE}; add_header {ACAM} PUT; add_header {ACAH} x-id; return 204;
  }}
  proxy_pass http://app/;
}}
location /own/ {{ add_header {ACAO} * always; proxy_pass http://app; }}
location /not-always/ {{ add_header {ACAO} {PAGE}; proxy_pass http://app/; }}
location /small/ {{ {PREFLIGHT} client_max_body_size 1; proxy_pass http://app/; }}
location /down/ {{ add_header {ACAO} {PAGE}; proxy_pass http://127.0.0.1:1/; }}
location /empty-204/ {{
  add_header {ACAO} {PAGE} always;
  if ($request_method = OPTIONS) {{ add_header X-From nginx; return 204; }}
  proxy_pass http://app/;
}}
location /guarded/ {{
  satisfy all; deny all;
  add_header {ACAO} {PAGE}; proxy_pass http://app/;
}}
location /prefix/ {{
  set $allowed ""; if ($http_origin ~ ^https://app.example.com) {{ set $allowed $http_origin; }}
  add_header {ACAO} $allowed always; add_header Access-Control-Allow-Credentials true always;
  add_header Vary Origin always; proxy_pass http://app/;
}}
location /reflecting/ {{
  add_header {ACAO} $http_origin always; add_header Access-Control-Allow-Credentials true always;
  add_header Vary Origin always; proxy_pass http://app/;
}}
location /https/ {{ return 301 https://$host$request_uri; }}
"""
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream app {{ server 127.0.0.1:{app}; }}
  server {{ listen 127.0.0.1:{port}; {locations} }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Serve the locations with nginx, before an app."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    require(is_installed=program is not None, name="nginx")
    with serving(app_behind) as behind:
        port = free_port()
        config = CONFIG.format(folder=folder, app=behind.port, port=port, locations=LOCATIONS)
        (folder / "nginx.conf").write_text(config)
        command = [str(program), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        with subprocess.Popen(command) as process:
            try:
                wait_for(port, process)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int, process: "subprocess.Popen[Any]") -> None:
    """Wait until a program listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        threading.Event().wait(0.02)
    pytest.fail("the program did not start")


# -- Express


@contextlib.contextmanager
def express(_folder: Path) -> Iterator[str]:
    """Serve every configuration of `cors` with Node."""
    require(is_installed=bool(shutil.which("node")) and (EXPRESS / "node_modules").is_dir(), name="Express")
    here = Path(__file__).parent / "express" / "server.js"
    env = os.environ | {"NODE_PATH": str(EXPRESS / "node_modules")}
    with subprocess.Popen(["node", str(here)], stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


# -- Flask-CORS


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
def flask_cors(_folder: Path) -> Iterator[str]:
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


def installed(name: str) -> bool:
    import importlib.util  # noqa: PLC0415 - used here alone

    return importlib.util.find_spec(name) is not None


# -- Starlette, with its own middleware and with asgi_cors


def starlette_app() -> Any:
    """Return an app that mounts one app for each configuration of Starlette's middleware, and one with asgi_cors."""
    from starlette.applications import Starlette  # noqa: PLC0415 - only if Starlette is installed
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415
    from starlette.responses import JSONResponse  # noqa: PLC0415
    from starlette.routing import Mount, Route  # noqa: PLC0415

    from asgi_cors import CORSMiddleware as Ours  # noqa: PLC0415

    async def items(_request: Any) -> Any:
        return JSONResponse(["tea"])

    async def crash(_request: Any) -> Any:
        raise RuntimeError("as asked")

    def one(*middleware: Any, **options: Any) -> Any:
        routes = [Route("/items", items, methods=["GET", "PUT"]), Route("/crash", crash)]
        inner = [Middleware(CORSMiddleware, **options)] if options else []
        return Starlette(routes=routes, middleware=[*middleware, *inner])

    listed: dict[str, Any] = {"allow_origins": [PAGE], "allow_methods": ["PUT"]}
    ways: dict[str, Any] = {
        "well": one(allow_credentials=True, **listed),
        "ours": Ours(one(), **listed, allow_credentials=True),
        "elsewhere": one(allow_origins=["https://shop.example.net"], allow_methods=["PUT"]),
        "methods": one(allow_origins=[PAGE]),
        "star": one(allow_origins=["*"]),
        "suffix": one(allow_origin_regex=r"https://.*example\.com", allow_credentials=True),
        "guarded": one(Middleware(Guard), **listed),
        "none": one(),
    }
    return Starlette(routes=[Mount(f"/{name}", app) for name, app in ways.items()])


class Guard:
    """Respond with 401 to every request."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body"})


@contextlib.contextmanager
def starlette(_folder: Path) -> Iterator[str]:
    """Serve the Starlette app with uvicorn."""
    require(is_installed=installed("starlette") and installed("uvicorn"), name="Starlette with uvicorn")
    with asgi_server(starlette_app()) as url:
        yield url


@contextlib.contextmanager
def asgi_server(app: Any) -> Iterator[str]:
    """Serve an ASGI app with uvicorn."""
    import uvicorn  # noqa: PLC0415 - only if it is installed

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    started = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


STACKS: dict[str, Callable[[Path], "contextlib.AbstractContextManager[str]"]] = {
    "nginx": nginx,
    "express": express,
    "flask-cors": flask_cors,
    "starlette": starlette,
}
