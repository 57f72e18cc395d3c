"""Starlette and FastAPI apps: bare, with policies by path or route, and with Starlette's middleware. No server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI
from frameworks import Spends, spend_asgi
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route
from traffic import ALLOWED

import asgi_cors_starlette

_OPTIONS: Final[Any] = {"allow_origins": [ALLOWED], "allow_methods": ["PUT"], "allow_headers": ["x-request-id"]}

Install = Callable[[Any], object]
Decorate = Callable[..., Any]
Build = Callable[[int, Install, Decorate], Spends]


def starlette_app(count: int, install: Install, decorate: Decorate) -> Spends:
    """Build a Starlette app. The last of its routes serves the requests."""

    def endpoint() -> Any:
        async def items(_request: object) -> Response:
            return Response("{}", media_type="application/json")

        return decorate(items)

    routes = [Route(f"/area{n}", endpoint()) for n in range(count - 1)]
    app = Starlette(routes=[*routes, Route("/items", endpoint())])
    install(app)
    return lambda row: spend_asgi(app, row)


def fastapi_app(count: int, install: Install, decorate: Decorate) -> Spends:
    """Build a FastAPI app. The last of its routes serves the requests."""
    app = FastAPI(openapi_url=None)  # without the routes of the documentation

    for path in (*(f"/area{n}" for n in range(count - 1)), "/items"):

        @app.get(path)
        @decorate
        async def items() -> Response:
            return Response("{}", media_type="application/json")

    install(app)
    return lambda row: spend_asgi(app, row)


def by_path(build: Build, title: str, count: int) -> dict[str, Spends]:
    """Build apps without policies of routes, by title."""
    base = {**_OPTIONS, "allow_origins": ["https://base.example.org"]}
    paths = {**{f"/area{n}": _OPTIONS for n in range(count - 1)}, "/items": _OPTIONS}
    return {
        title: build(count, lambda _: None, _as_it_is),
        "asgi_cors, one policy": build(count, lambda app: asgi_cors_starlette.install(app, **_OPTIONS), _as_it_is),
        "asgi_cors, `paths`": build(
            count, lambda app: asgi_cors_starlette.install(app, **base, paths=paths), _as_it_is
        ),
        "Starlette's": build(count, lambda app: app.add_middleware(CORSMiddleware, **_OPTIONS), _as_it_is),
    }


def by_route(build: Build, title: str, count: int) -> dict[str, Spends]:
    """Build apps with policies of routes, by title."""
    base = {**_OPTIONS, "allow_origins": ["https://base.example.org"]}
    decorate = asgi_cors_starlette.cross_origin(**_OPTIONS)
    return {
        title: build(count, lambda _: None, _as_it_is),
        "asgi_cors, a route's own": build(count, lambda app: asgi_cors_starlette.install(app, **base), decorate),
    }


def _as_it_is(endpoint: Any) -> Any:
    return endpoint
