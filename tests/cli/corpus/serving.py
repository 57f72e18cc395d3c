"""A server on loopback that sends exactly the headers of a row."""

import base64
import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """A received request. Header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    port: int

    @property
    def origin(self) -> str:
        return self.headers.get("origin", "")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers


@dataclass(frozen=True)
class Response:
    """A response to send."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b"tea"


Behaviour = Callable[[Request], Response]


@dataclass
class Server:
    """A running server, and the requests that it received."""

    port: int
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def handshake_headers(request: Request) -> list[str]:
    """Return the headers that complete a WebSocket's handshake (RFC 6455, 4.2.2)."""
    key = request.headers.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
    return ["Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]


@contextmanager
def serving(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.rfile.read(int(headers.get("content-length", 0)))
            request = Request(self.command, self.path, headers, self.server.server_address[1])
            running.requests.append(request)
            response = behaviour(request)
            head = [f"HTTP/1.1 {response.status} Status", *(f"{name}: {value}" for name, value in response.headers)]
            body = b"" if response.status in {101, 204, 304} or request.method == "HEAD" else response.body
            if response.status not in {101, 204, 304}:
                head.append(f"Content-Length: {len(body)}")
            head += handshake_headers(request) if response.status == 101 else ["Connection: close"]
            self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
            self.close_connection = True

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.respond
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        httpd.socket = tls.wrap_socket(httpd.socket, server_side=True)
    running = Server(httpd.server_address[1])
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
