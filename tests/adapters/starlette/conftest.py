"""Apps of Starlette and FastAPI, and requests to them."""

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

INSTALLED = [getattr(importlib.util.find_spec(name), "origin", None) for name in ("starlette", "httpx")]
collect_ignore_glob = [] if all(INSTALLED) else ["test_*.py"]


@pytest.fixture(params=["Starlette", "FastAPI"])
def make(request) -> Callable[..., Any]:
    """Return the app class of each framework."""
    if request.param == "Starlette":
        return importlib.import_module("starlette.applications").Starlette
    return pytest.importorskip("fastapi").FastAPI


@pytest.fixture
async def send_request() -> Callable[..., Any]:
    """Send one request to an app. An exception of the app is not raised here."""
    httpx = importlib.import_module("httpx")

    async def send(app: Any, method: str = "GET", path: str = "/", *, origin: str | None = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as client:
            return await client.request(method, path, headers=named | ({"origin": origin} if origin else {}))

    return send
