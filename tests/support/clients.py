"""Clients of the middlewares, over raw ASGI and raw WSGI, without a server."""

import io
import wsgiref.util
import wsgiref.validate
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from asgi_cors import CORSMiddleware, WSGIMiddleware
from tests.support.apps import App
from tests.support.event_loops import run_bare

Headers = Iterable[tuple[str | bytes, str | bytes]]


@dataclass
class Response:
    """The response as the client gets it, the messages sent, and the exception raised."""

    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    messages: list[dict[str, Any]] = field(default_factory=list)
    raised: BaseException | None = None

    @property
    def lines(self) -> list[str]:
        """All headers as ``name: value``, sorted, names in lower case. Tests compare the whole list."""
        return sorted(f"{name.lower()}: {value}" for name, value in self.headers)

    @property
    def cors(self) -> list[str]:
        """The lines of the Access-Control headers."""
        return [line for line in self.lines if line.startswith("access-control-")]

    def values(self, name: str) -> list[str]:
        """Return the values of one header, one for each line."""
        return [value for key, value in self.headers if key.lower() == name]

    def elements(self, name: str) -> list[str]:
        """Return the items of a list header, over all its lines."""
        return [part.strip() for value in self.values(name) for part in value.split(",") if part.strip()]


def as_bytes(value: str | bytes) -> bytes:
    """Return the name or value of a header as sent."""
    return value if isinstance(value, bytes) else value.encode("latin-1")


def http_scope(method: str, path: str, headers: Headers, **more: Any) -> dict[str, Any]:
    """Build an ASGI scope of the type http."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogateescape"),
        "query_string": b"",
        "root_path": "",
        "headers": [(as_bytes(name).lower(), as_bytes(value)) for name, value in headers],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
        **more,
    }


def websocket_scope(path: str, headers: Headers, **more: Any) -> dict[str, Any]:
    """Build an ASGI scope of the type websocket."""
    scope = http_scope("GET", path, headers, **{"type": "websocket", "scheme": "ws", "subprotocols": [], **more})
    del scope["method"]
    return scope


def collect(messages: list[dict[str, Any]], raised: BaseException | None = None) -> Response:
    """Build the response from the messages sent."""
    response = Response(messages=messages, raised=raised)
    for message in messages:
        if message["type"].endswith("response.start"):
            response.status = message["status"]
            response.headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", ())]
        elif message["type"].endswith("response.body"):
            response.body += message.get("body", b"")
    return response


def call_asgi(app: Any, scope: dict[str, Any], run: Any = run_bare) -> Response:
    """Call an ASGI app with one scope, and return its response."""
    messages: list[dict[str, Any]] = []
    inbox = [{"type": "websocket.connect"}] if scope["type"] == "websocket" else [{"type": "http.request"}]

    async def receive() -> dict[str, Any]:
        return inbox.pop(0) if inbox else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def exchange() -> BaseException | None:
        try:
            await app(scope, receive, send)
        except BaseException as error:  # noqa: BLE001 - tests check what was raised
            return error
        return None

    return collect(messages, run(exchange))


def wsgi_environ(method: str, path: str, headers: Headers) -> dict[str, Any]:
    """Build a WSGI environ as a server does: lines of one name are joined, bytes decoded as latin-1."""
    environ: dict[str, Any] = {}
    wsgiref.util.setup_testing_defaults(environ)
    environ |= {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": "",
        "wsgi.input": io.BytesIO(),
    }
    del environ["HTTP_HOST"]
    for name, value in headers:
        key = "HTTP_" + as_bytes(name).decode("latin-1").upper().replace("-", "_")
        key = key.removeprefix("HTTP_") if key in {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} else key
        text = as_bytes(value).decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def call_wsgi(app: Any, environ: dict[str, Any]) -> Response:
    """Call a WSGI app with one environ, and return its response. The iterable is closed."""
    response = Response()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        del exc_info
        response.status, response.headers = int(status.split(" ", 1)[0]), list(headers)
        return chunks.append

    chunks: list[bytes] = []
    try:
        body = app(environ, start_response)
        try:
            chunks.extend(body)
        finally:
            if hasattr(body, "close"):
                body.close()
    except BaseException as error:  # noqa: BLE001 - tests check what was raised
        response.raised = error
    response.body = b"".join(chunks)
    return response


class Client:
    """A client of an app behind the middleware, over one interface."""

    def __init__(self, interface: str, app: App, policy: Any = None, *, run: Any = run_bare, **options: Any) -> None:
        """Wrap the app in the middleware of an interface, "asgi" or "wsgi". `run` runs coroutines."""
        self.interface, self.app, self.run = interface, app, run
        wrap, inner = (CORSMiddleware, app.asgi) if interface == "asgi" else (WSGIMiddleware, app.wsgi)
        self.middleware: Any = wrap(inner, policy, **options)

    def request(self, method: str = "GET", path: str = "/", *, origin: Any = None, headers: Headers = ()) -> Response:
        """Send one request, without Origin if `origin` is None."""
        given = list(headers) if origin is None else [("origin", origin), *headers]
        if self.interface == "asgi":
            return call_asgi(self.middleware, http_scope(method, path, given), self.run)
        return call_wsgi(wsgiref.validate.validator(self.middleware), wsgi_environ(method, path, given))

    def preflight(
        self, method: Any = "GET", names: Any = None, *, origin: Any, path: str = "/", headers: Headers = ()
    ) -> Response:
        """Send one preflight, without Access-Control-Request-Headers if `names` is None."""
        requested: list[tuple[str | bytes, str | bytes]] = [("access-control-request-method", method)]
        if names is not None:
            requested.append(("access-control-request-headers", names))
        return self.request("OPTIONS", path, origin=origin, headers=[*requested, *headers])

    @property
    def reached(self) -> int:
        """The number of requests that reached the app."""
        return len(self.app.seen)
