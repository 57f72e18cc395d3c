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


def handshakes_of(app: Any, path: str) -> list[str]:
    """Return the names of the policies whose page may open a WebSocket."""
    return [name for name in NAMES if "websocket.accept" in asyncio.run(_handshake(app, path, origin(name)))]


async def _handshake(app: Any, path: str, page: str) -> list[str]:
    sent: list[str] = []
    received = iter(("websocket.connect", "websocket.disconnect"))

    async def receive() -> dict[str, Any]:
        return {"type": next(received), "code": 1000}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    await app(
        {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "wss",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"api.test"), (b"origin", page.encode())],
            "subprotocols": [],
            "client": None,
            "server": None,
        },
        receive,
        send,
    )
    return sent
