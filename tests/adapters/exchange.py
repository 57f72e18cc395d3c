"""One request to an app over WSGI or ASGI, without a server, and its whole response."""

import asyncio
from typing import NamedTuple
from urllib.parse import unquote

from werkzeug.test import EnvironBuilder, run_wsgi_app


class Response(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def cors(self) -> dict[str, str]:
        """The CORS headers and Vary. A header that is sent twice fails the test."""
        headers = [header for header in self.headers if header[0].startswith("access-control-") or header[0] == "vary"]
        assert len(headers) == len(dict(headers)), headers
        return dict(headers)

    @property
    def allowed_origin(self) -> str | None:
        return self.cors.get("access-control-allow-origin")

    def header(self, name):
        return dict(self.headers)[name]


def by_wsgi(app, method, path, headers, body=b""):
    """Send one request to a WSGI app, and return its response."""
    builder = EnvironBuilder(path=path, method=method, headers=headers, data=body)
    chunks, status, sent = run_wsgi_app(app, builder.get_environ())
    text = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return Response(int(status.split()[0]), [(name.lower(), value) for name, value in sent], text)


def by_asgi(app, method, path, headers, body=b""):
    """Send one request to an ASGI app in an event loop of its own, and return its response."""
    return asyncio.run(drive(app, scope_of(method, path, headers), body))


def scope_of(method, path, headers, **more):
    """Build the scope of a request. Its Host is localhost unless `headers` have another; None means no such header."""
    path, _, query = path.partition("?")
    named = {"host": "localhost", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items() if value],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "extensions": {},
        **more,
    }


async def drive(app, scope, body=b""):
    """Send one request to an ASGI app, and return its response."""
    messages, sent = [{"type": "http.request", "body": body, "more_body": False}], []
    complete = asyncio.Event()

    async def receive():
        if messages:
            return messages.pop()
        await complete.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            complete.set()

    await app(scope, receive, send)
    (start,) = (message for message in sent if message["type"] == "http.response.start")
    chunks = [message.get("body", b"") for message in sent if message["type"] == "http.response.body"]
    headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return Response(start["status"], headers, b"".join(chunks))
