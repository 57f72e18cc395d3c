"""`include_router` of FastAPI before 0.137, which copies the routes of a router.

The tests of routers also run with it on later releases. Session `fastapi` runs them on the earlier ones themselves.
"""

import sys
import types
import weakref
from typing import Any

import pytest
from fastapi.routing import APIRoute, APIRouter, APIWebSocketRoute
from starlette.routing import Route, WebSocketRoute

from asgi_cors_starlette._routes import RoutePolicies

_VALUES = ("name", "openapi_extra", "methods", "tags", "dependencies", "response_model", "status_code")


def include_copies(self: APIRouter, router: APIRouter, *, prefix: str = "", **_: Any) -> None:
    """Copy the routes of a router. The names and `openapi_extra` are the objects of the originals."""
    for route in router.routes:
        path: str = prefix + getattr(route, "path", "")
        if isinstance(route, APIRoute):
            values = {name: getattr(route, name) for name in _VALUES}
            self.add_api_route(path, route.endpoint, route_class_override=type(route), **values)
        elif isinstance(route, Route):
            self.add_route(path, route.endpoint, methods=[*(route.methods or ())], name=route.name)
        elif isinstance(route, APIWebSocketRoute):
            self.add_api_websocket_route(path, route.endpoint, name=route.name)
        elif isinstance(route, WebSocketRoute):
            self.add_websocket_route(path, route.endpoint, name=route.name)


def copy_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have FastAPI copy the routes of included routers. Its module then lacks the names of the tree.

    Apps of other tests that are not yet freed have trees, so they are left out.
    """
    monkeypatch.setattr(RoutePolicies, "_all", weakref.WeakSet())
    monkeypatch.setattr(APIRouter, "include_router", include_copies)
    monkeypatch.setitem(sys.modules, "fastapi.routing", types.ModuleType("fastapi.routing"))
