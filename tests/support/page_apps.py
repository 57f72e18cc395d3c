"""Applications of a few lines, and pages with one interface, for the tests of `asgi_cors.testing`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Self

from asgi_cors.testing import Page

ORIGIN = "https://app.example.com"
API = "https://api.test"


def raw(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return the headers in the form of ASGI."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def allowed(*more: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the headers with which `ORIGIN` may read a response."""
    return [("access-control-allow-origin", ORIGIN), *more]


def http_only(app: Any) -> Any:
    """Return the application without a lifespan."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await app(scope, receive, send)

    return wrapped


class ASGIEcho:
    """Sends one response to every request, and records scopes and bodies."""

    def __init__(self, headers: Iterable[tuple[str, str]] = (), *, status: int = 200, body: bytes = b"ok") -> None:
        self.headers = raw(headers)
        self.status = status
        self.body = body
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


class WSGIEcho:
    """The same as ASGIEcho, for WSGI."""

    def __init__(self, headers: Iterable[tuple[str, str]] = (), *, status: str = "200 OK", body: bytes = b"ok") -> None:
        self.headers = list(headers)
        self.status = status
        self.body = body
        self.environs: list[Any] = []

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.environs.append({**environ, "body": environ["wsgi.input"].read()})
        start_response(self.status, self.headers)
        return [self.body]


class SyncPage:
    """A Page with the methods of an AsyncPage, so that one test can use both. It blocks the test's event loop."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.page = Page(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    async def __aenter__(self) -> Self:
        self.page.__enter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self.page.__exit__(*error)

    async def fetch(self, url: Any, **init: Any) -> Any:
        response = self.page.fetch(url, **init)
        return SyncResponse(response) if init.get("stream") else response

    async def submit(self, url: Any, **form: Any) -> Any:
        return self.page.submit(url, **form)

    async def websocket(self, url: Any) -> Any:
        return self.page.websocket(url)


class SyncResponse:
    """A streamed response of a Page, with the methods of an AsyncPage's response."""

    def __init__(self, response: Any) -> None:
        self.response = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self.response, name)

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for part in self.response.iter_bytes():
            yield part

    async def aread(self) -> bytes:
        return self.response.read()

    async def aclose(self) -> None:
        self.response.close()
