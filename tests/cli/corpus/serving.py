"""A server on loopback that sends exactly what a row says, field by field."""

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; field names are lower case."""

    method: str
    target: str
    fields: dict[str, str]
    port: int

    @property
    def origin(self) -> str:
        return self.fields.get("origin", "")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.fields


@dataclass(frozen=True)
class Told:
    """A response as it is sent."""

    status: int = 200
    fields: Fields = ()
    body: bytes = b"tea"


Behaviour = Callable[[Asked], Told]


@dataclass
class Server:
    """A server that runs, and what it was asked."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            fields = {name.lower(): value for name, value in self.headers.items()}
            self.rfile.read(int(fields.get("content-length", 0)))
            asked = Asked(self.command, self.path, fields, self.server.server_address[1])
            running.asked.append(asked)
            told = behaviour(asked)
            head = [f"HTTP/1.1 {told.status} Told", *(f"{name}: {value}" for name, value in told.fields)]
            body = b"" if told.status in {101, 204, 304} or asked.method == "HEAD" else told.body
            if told.status not in {101, 204, 304}:
                head.append(f"Content-Length: {len(body)}")
            head.append("Connection: close")
            self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
            self.close_connection = True

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

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
