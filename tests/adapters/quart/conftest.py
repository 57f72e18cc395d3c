"""Requests to a Quart app with its own test client."""

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

collect_ignore_glob = [] if getattr(importlib.util.find_spec("quart"), "origin", None) else ["test_*.py"]


@pytest.fixture
def send_request() -> Callable[..., Any]:
    """Send one request to an app; `origin` None sends no Origin."""

    async def send(app: Any, method: str = "GET", path: str = "/", *, origin: str | None = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await app.test_client().open(path, method=method, headers=named | ({"origin": origin} if origin else {}))

    return send


@pytest.fixture
def cors_headers(send_request) -> Callable[..., Any]:
    """Send one request, and return the CORS headers of its response, and Vary."""

    async def send(*args: Any, **kwargs: Any) -> dict[str, str]:
        response = await send_request(*args, **kwargs)
        headers = [(name.lower(), value) for name, value in response.headers.items()]
        ours = [header for header in headers if header[0].startswith("access-control-") or header[0] == "vary"]
        assert len(dict(ours)) == len(ours)
        return dict(ours)

    return send


@pytest.fixture
def open_websocket() -> Callable[..., Any]:
    """Open a WebSocket. Return None if it is accepted, otherwise the status of the refusal."""
    from quart.testing import WebsocketResponseError  # noqa: PLC0415 - only where Quart is installed

    async def connect(app: Any, path: str = "/ws", *, origin: str | None = None, **headers: str) -> int | None:
        named = {"host": "api.test", **headers} | ({"origin": origin} if origin else {})
        try:
            async with app.test_client().websocket(path, headers=named) as socket:
                assert await socket.receive() == "hello"
        except WebsocketResponseError as error:
            return error.response.status_code
        return None

    return connect
