"""Policies that differ in their origin, and requests that find the policy which serves a route."""

import asyncio
from typing import Any

import httpx

NAMES = ("base", "outer", "inner", "route", "endpoint", "other")


def origin(name: str) -> str:
    return f"https://{name}.example.com"


def options(name: str) -> dict[str, Any]:
    """Return the options of the policy with this name."""
    return {"allow_origins": origin(name), "allow_methods": ["GET", "POST", "DELETE"]}


def served_by(app: Any, path: str, method: str = "GET", *, host: str = "api.test") -> str:
    """Return the name of the policy that serves a route. The preflight and the request must agree."""
    granted = asyncio.run(_granted_names(app, path, method, host))
    assert granted["OPTIONS"] == granted[method], granted
    return "+".join(granted[method])


async def _granted_names(app: Any, path: str, method: str, host: str) -> dict[str, list[str]]:
    granted: dict[str, list[str]] = {"OPTIONS": [], method: []}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}") as client:
        for name in NAMES:
            page = {"origin": origin(name)}
            preflight = await client.options(path, headers=page | {"access-control-request-method": method})
            response = await client.request(method, path, headers=page)
            for sent, kind in ((preflight, "OPTIONS"), (response, method)):
                if sent.headers.get("access-control-allow-origin") == origin(name):
                    granted[kind].append(name)
    return granted


def send(app: Any, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    """Send one request, with a body of JSON if there is one, and return the response."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, json=body, headers=named)

    return asyncio.run(request())


def handshakes_of(app: Any, path: str) -> list[str]:
    """Return the names of the policies whose page may open a WebSocket."""
    opened = {name: connect(app, path, origin=origin(name)) for name in NAMES}
    return [name for name, messages in opened.items() if messages[0]["type"] == "websocket.accept"]


def connect(app: Any, path: str, **headers: str) -> list[dict[str, Any]]:
    """Open a WebSocket, and return the messages of the app."""
    sent: list[dict[str, Any]] = []
    received = iter(("websocket.connect", "websocket.disconnect"))

    async def receive() -> dict[str, Any]:
        return {"type": next(received), "code": 1000}

    async def collect(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "wss",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": [],
        "client": None,
        "server": None,
    }
    scope["headers"].append((b"host", b"api.test"))
    asyncio.run(app(scope, receive, collect))
    return sent
