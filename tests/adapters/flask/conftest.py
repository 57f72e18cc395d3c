"""Requests to a Flask app over WSGI and over ASGI."""

import asyncio
from importlib.util import find_spec
from typing import NamedTuple
from urllib.parse import unquote

import pytest

if find_spec("asgiref") and getattr(find_spec("flask"), "origin", None):
    from flask import Flask
    from werkzeug.test import EnvironBuilder, run_wsgi_app

    from asgi_cors_flask import asgi_app
else:
    collect_ignore_glob = ["test_*.py"]


class Response(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def cors(self) -> dict[str, str]:
        """The CORS headers and Vary. A header that is sent twice fails the test."""
        headers = [
            (name, value) for name, value in self.headers if name.startswith("access-control-") or name == "vary"
        ]
        assert len(headers) == len(dict(headers)), headers
        return dict(headers)

    def header(self, name):
        return dict(self.headers)[name]


def by_wsgi(app, method, path, headers, body):
    builder = EnvironBuilder(path=path, method=method, headers=headers, data=body)
    chunks, status, sent = run_wsgi_app(app, builder.get_environ())
    text = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return Response(int(status.split()[0]), [(name.lower(), value) for name, value in sent], text)


def by_asgi(app, method, path, headers, body):
    return asyncio.run(drive(asgi_app(app, threads=2), scope_of(method, path, headers), body))


def scope_of(method, path, headers, **more):
    path, _, query = path.partition("?")
    headers = {"host": "localhost", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        **more,
    }


async def drive(app, scope, body=b""):
    """Send one request to an ASGI app, and return its response."""
    messages, sent, answered = [{"type": "http.request", "body": body}], [], asyncio.Event()

    async def receive():
        if messages:
            return messages.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    await app(scope, receive, send)
    (start,) = (message for message in sent if message["type"] == "http.response.start")
    chunks = [message.get("body", b"") for message in sent if message["type"] == "http.response.body"]
    headers = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
    return Response(start["status"], headers, b"".join(chunks))


INTERFACES = {"WSGI": by_wsgi, "ASGI": by_asgi}


class Client:
    """Sends requests to a Flask app over one interface."""

    def __init__(self, app, interface):
        self.app, self.interface = app, interface

    def request(self, method, path, origin=None, *, body=b"", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.interface(self.app, method, path, {**({"origin": origin} if origin else {}), **named}, body)

    def get(self, path, origin=None, **headers):
        return self.request("GET", path, origin, **headers)

    def preflight(self, path, origin, method="PUT", headers=None):
        requested = {"access-control-request-headers": headers} if headers else {}
        return self.request("OPTIONS", path, origin, **{"access-control-request-method": method, **requested})


@pytest.fixture(params=INTERFACES)
def serve(request):
    """Serve an app over WSGI, and in a second run over ASGI."""
    return lambda app: Client(app, INTERFACES[request.param])


@pytest.fixture
def app():
    return Flask("app")


@pytest.fixture
def asgi():
    """The functions that build a scope and send it to an app."""

    class ASGI(NamedTuple):
        scope: object = staticmethod(scope_of)
        drive: object = staticmethod(drive)

    return ASGI()
