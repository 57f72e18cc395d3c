"""One site for the options of requests and of responses, on every interface: `make(interface, **options)`.

Every path answers every method with "done". `/own-headers` sets the resource headers itself, `/crash` raises,
`/stream` sends three parts, and `/echo` is a WebSocket. `Site.ran` lists each request that reaches the app.
"""

import asyncio
import contextlib
import functools
import importlib
import io
import sys
from typing import Any, NamedTuple

import pytest

from asgi_cors import CORSMiddleware, WSGIMiddleware

from . import PARTS, DeliberateError

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
OWN_HEADERS = {"cross-origin-resource-policy": "same-site", "timing-allow-origin": "https://own.example"}
INTERFACES = [
    *("ASGI", "WSGI", "Flask over WSGI", "Flask over ASGI", "Flask by WsgiToAsgi", "Quart", "Quart by cors"),
    *("Starlette", "Starlette by add_middleware", "FastAPI", "FastAPI by add_middleware"),
    *("Django over WSGI", "Django over ASGI", "Django over ASGI, not async", "Django over WSGI, async"),
]
WITH_WEBSOCKETS = [name for name in INTERFACES if "WSGI" not in name and not name.startswith(("Flask", "Django"))]
WITH_VIEWS = [name for name in INTERFACES if name not in {"ASGI", "WSGI"} and "add_middleware" not in name]


class Response(NamedTuple):
    """A response, with the headers that the options set."""

    status: int
    headers: dict[str, str]
    body: bytes


class Site:
    """A site on one interface.

    Args:
        app: The app, for ASGI or WSGI.
        ran: The method and path of each request that reached the app.
    """

    def __init__(self, app: Any, ran: list[tuple[str, str]], *, asgi: bool) -> None:
        self.app, self.ran, self.asgi = app, ran, asgi

    def send(self, method: str, path: str = "/", **headers: str) -> Response:
        """Send one request. Its Host is `api.test` unless `host` is another; an empty one is left out."""
        named = [(name.replace("_", "-"), value) for name, value in {"host": "api.test", **headers}.items() if value]
        status, sent, body = (by_asgi if self.asgi else by_wsgi)(self.app, method, path, named)
        ours = [header for header in sent if is_ours(header[0])]
        assert len(ours) == len(dict(ours)), ours
        return Response(status, dict(ours), body)

    def shake(self, path: str = "/echo", *, extension: bool = True, **headers: str) -> int | str:
        """Send a handshake. Return "accepted", "closed", or the status of the refusal."""
        named = [(name.replace("_", "-"), value) for name, value in {"host": "api.test", **headers}.items() if value]
        scope = scope_of("GET", path, named) | {"type": "websocket", "scheme": "ws", "subprotocols": []}
        if extension:
            scope["extensions"] = {"websocket.http.response": {}}
        sent = asyncio.run(drive(self.app, scope, [{"type": "websocket.connect"}], "websocket.disconnect"))
        kind = sent[0]["type"]
        names = {"websocket.accept": "accepted", "websocket.close": "closed"}
        return sent[0]["status"] if kind == "websocket.http.response.start" else names[kind]


def is_ours(name: str) -> bool:
    return name.startswith("access-control-") or name in {"vary", "cache-control", *OWN_HEADERS}


# -- requests


def scope_of(method: str, path: str, headers: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


async def drive(app: Any, scope: dict[str, Any], messages: list[Any], last: str) -> list[Any]:
    sent: list[Any] = []
    ended = asyncio.Event()

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await ended.wait()
        return {"type": last}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"].endswith((".body", ".accept", ".close")) and not message.get("more_body"):
            ended.set()

    with contextlib.suppress(DeliberateError):
        await app(scope, receive, send)
    return sent


def by_asgi(app: Any, method: str, path: str, headers: list[tuple[str, str]]) -> Any:
    request = {"type": "http.request", "body": b"", "more_body": False}
    start, *bodies = asyncio.run(drive(app, scope_of(method, path, headers), [request], "http.disconnect"))
    sent = [(name.decode().lower(), value.decode()) for name, value in start["headers"]]
    return start["status"], sent, b"".join(message.get("body", b"") for message in bodies)


def by_wsgi(app: Any, method: str, path: str, headers: list[tuple[str, str]]) -> Any:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers},
    }
    started: list[Any] = []

    def start_response(status: str, sent: Any, exc_info: Any = None) -> Any:
        started[:] = [int(status[:3]), [(name.lower(), value) for name, value in sent]]
        return chunks.append

    chunks: list[bytes] = []
    with contextlib.suppress(DeliberateError):
        body = app(environ, start_response)
        chunks.extend(body)
        getattr(body, "close", int)()
    return *started, b"".join(chunks)


# -- apps

Ran = list[tuple[str, str]]


def make_asgi(ran: Ran, options: dict[str, Any], _own: dict[str, Any]) -> Any:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        method, path = scope.get("method", "GET"), scope["path"]
        ran.append((method, path))
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        if path == "/crash":
            raise DeliberateError
        own = OWN_HEADERS if path == "/own-headers" else {}
        headers = [(name.encode(), value.encode()) for name, value in own.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in PARTS if path == "/stream" else [b"" if method == "HEAD" else b"done"]:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    return CORSMiddleware(app, **options)


def make_wsgi(ran: Ran, options: dict[str, Any], _own: dict[str, Any]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        ran.append((method, path))
        if path == "/crash":
            raise DeliberateError
        start_response("200 OK", [*(OWN_HEADERS if path == "/own-headers" else {}).items()])
        return iter(PARTS) if path == "/stream" else [b"" if method == "HEAD" else b"done"]

    return WSGIMiddleware(app, **options)


def make_flask(ran: Ran, options: dict[str, Any], own: dict[str, Any], serve: str = "") -> Any:
    flask, ours = importlib.import_module("flask"), importlib.import_module("asgi_cors_flask")
    app = flask.Flask("site", static_folder=None)
    paths = options.pop("paths", None)
    ours.CORS(app, **options, **({"resources": {"/*": {}, **paths}} if paths else {}))
    app.before_request(lambda: ran.append((flask.request.method, flask.request.path)))

    def view(**_: str) -> Any:
        path = flask.request.path
        if path == "/crash":
            raise DeliberateError
        return flask.Response(
            iter(PARTS) if path == "/stream" else "done", headers=OWN_HEADERS if path == "/own-headers" else {}
        )

    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, rule, view, methods=METHODS, provide_automatic_options=False)
    for path, of_view in own.items():
        decorate = ours.cors_exempt if of_view is None else ours.cross_origin(**of_view)
        app.add_url_rule(path, path, decorate(lambda: "done"), methods=METHODS)
    if serve == "WsgiToAsgi":
        return importlib.import_module("asgiref.wsgi").WsgiToAsgi(app)
    return ours.asgi_app(app, threads=1) if serve == "ASGI" else app


def make_quart(ran: Ran, options: dict[str, Any], own: dict[str, Any], install: str = "CORS") -> Any:
    quart, ours = importlib.import_module("quart"), importlib.import_module("asgi_cors_quart")
    app = quart.Quart("site", static_folder=None)
    if install == "cors" and not options.keys() & {"paths", "policy_for", "on_decision", "check_websockets"}:
        ours.cors(app, **in_quart_cors_names(options))
    else:
        ours.CORS(app, **options)

    @app.before_request
    async def note() -> None:
        ran.append((quart.request.method, quart.request.path))

    async def view(**_: str) -> Any:
        path = quart.request.path
        if path == "/crash":
            raise DeliberateError
        body = b"".join(PARTS) if path == "/stream" else b"" if quart.request.method == "HEAD" else b"done"
        return quart.Response(body, headers=OWN_HEADERS if path == "/own-headers" else {})

    async def echo() -> None:
        ran.append(("GET", quart.websocket.path))
        await quart.websocket.accept()

    async def own_view() -> str:
        return "done"

    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, rule, view, methods=METHODS, provide_automatic_options=False)
    for path, of_view in own.items():
        decorate = ours.cors_exempt if of_view is None else ours.route_cors(**in_quart_cors_names(of_view))
        app.add_url_rule(path, path, decorate(functools.partial(own_view)), methods=METHODS)
    app.websocket("/echo")(echo)
    return app


def in_quart_cors_names(options: dict[str, Any]) -> dict[str, Any]:
    """Return options by the names of Quart-CORS, those of `report_only` included."""
    named = {{"allow_origins": "allow_origin"}.get(name, name): value for name, value in options.items()}
    if isinstance(named.get("report_only"), dict):
        named["report_only"] = in_quart_cors_names(named["report_only"])
    return named


def make_starlette(
    ran: Ran, options: dict[str, Any], own: dict[str, Any], framework: str, *, added: bool = False
) -> Any:
    applications = importlib.import_module("starlette.applications" if framework == "Starlette" else "fastapi")
    requests, responses, routing, websockets = (
        importlib.import_module(f"starlette.{name}") for name in ("requests", "responses", "routing", "websockets")
    )

    async def view(request: requests.Request) -> Any:  # type: ignore[name-defined]
        path = request.url.path
        ran.append((request.method, path))
        if path == "/crash":
            raise DeliberateError
        if path == "/stream":
            return responses.StreamingResponse(iter(PARTS))
        return responses.PlainTextResponse("done", headers=OWN_HEADERS if path == "/own-headers" else {})

    async def echo(websocket: websockets.WebSocket) -> None:  # type: ignore[name-defined]
        ran.append(("GET", websocket.url.path))
        await websocket.accept()

    app = getattr(applications, framework)()
    adapter = importlib.import_module("asgi_cors_starlette")
    for path, of_view in own.items():
        decorate = adapter.cors_exempt if of_view is None else adapter.cross_origin(**of_view)
        app.router.routes.append(routing.Route(path, decorate(view), methods=METHODS))
    app.router.routes.append(routing.WebSocketRoute("/echo", echo))
    app.router.routes.append(routing.Route("/{path:path}", view, methods=[*METHODS, "get"]))
    if added:
        app.add_middleware(CORSMiddleware, **options)
    else:
        adapter.install(app, **options)
    return app


def make_django(ran: Ran, options: dict[str, Any], own: dict[str, Any], serve: str, *, is_async: bool) -> Any:
    http, urls = importlib.import_module("django.http"), importlib.import_module("django.urls")
    adapter = importlib.import_module("asgi_cors_django")
    projects = importlib.import_module("tests.adapters.frameworks.sites.django_project")

    async def chunks() -> Any:
        for part in PARTS:
            yield part

    def view(request: Any) -> Any:
        ran.append((request.method, request.path))
        if request.path == "/crash":
            raise DeliberateError
        headers = OWN_HEADERS if request.path == "/own-headers" else {}
        if request.path == "/stream":
            return http.StreamingHttpResponse(chunks() if serve == "ASGI" else iter(PARTS), headers=headers)
        return http.HttpResponse("" if request.method == "HEAD" else "done", headers=headers)

    async def async_view(request: Any) -> Any:
        return view(request)

    def route(pattern: str, decorate: Any = lambda each: each) -> Any:
        return urls.re_path(pattern, decorate(async_view if is_async else view))

    decorators = {
        path: adapter.cors_exempt if of_view is None else adapter.cross_origin(**of_view)
        for path, of_view in own.items()
    }
    routes = [route(f"^{path[1:]}$", decorate) for path, decorate in decorators.items()]
    return projects.Project([*routes, route("")], asgi=serve == "ASGI", **projects.settings_of(options))


_MAKE: dict[str, Any] = {
    "ASGI": make_asgi,
    "WSGI": make_wsgi,
    "Flask over WSGI": make_flask,
    "Flask over ASGI": functools.partial(make_flask, serve="ASGI"),
    "Flask by WsgiToAsgi": functools.partial(make_flask, serve="WsgiToAsgi"),
    "Quart": make_quart,
    "Quart by cors": functools.partial(make_quart, install="cors"),
    "Starlette": functools.partial(make_starlette, framework="Starlette"),
    "Starlette by add_middleware": functools.partial(make_starlette, framework="Starlette", added=True),
    "FastAPI": functools.partial(make_starlette, framework="FastAPI"),
    "FastAPI by add_middleware": functools.partial(make_starlette, framework="FastAPI", added=True),
    "Django over WSGI": functools.partial(make_django, serve="WSGI", is_async=False),
    "Django over ASGI": functools.partial(make_django, serve="ASGI", is_async=True),
    "Django over ASGI, not async": functools.partial(make_django, serve="ASGI", is_async=False),
    "Django over WSGI, async": functools.partial(make_django, serve="WSGI", is_async=True),
}


def make(interface: str, *, own: dict[str, Any] | None = None, **options: Any) -> Site:
    """Make the site, with options of the middleware and its policy.

    Args:
        interface: One of `INTERFACES`.
        own: The options of views with a policy of their own, by path; None for an exempt view.
        options: The options. Flask gets `paths` as `resources`.
    """
    ran: Ran = []
    try:
        app = _MAKE[interface](ran, dict(options), own or {})
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    return Site(app, ran, asgi="WSGI" not in interface)
