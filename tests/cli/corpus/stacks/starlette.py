"""Starlette, with its own middleware and with asgi_cors."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.corpus.raw import PAGE

from .case import COOKIES, PUT, Case, asgi_server, installed, require


def starlette_app() -> Any:
    """Return an app that mounts one app for each configuration of Starlette's middleware, and one with asgi_cors."""
    from starlette.applications import Starlette  # noqa: PLC0415 - only if Starlette is installed
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415
    from starlette.responses import JSONResponse  # noqa: PLC0415
    from starlette.routing import Mount, Route  # noqa: PLC0415

    from asgi_cors import CORSMiddleware as Ours  # noqa: PLC0415

    async def items(_request: Any) -> Any:
        return JSONResponse(["tea"])

    async def crash(_request: Any) -> Any:
        raise RuntimeError("as requested")

    def one(*middleware: Any, **options: Any) -> Any:
        routes = [Route("/items", items, methods=["GET", "PUT"]), Route("/crash", crash)]
        inner = [Middleware(CORSMiddleware, **options)] if options else []
        return Starlette(routes=routes, middleware=[*middleware, *inner])

    listed: dict[str, Any] = {"allow_origins": [PAGE], "allow_methods": ["PUT"]}
    ways: dict[str, Any] = {
        "well": one(allow_credentials=True, **listed),
        "ours": Ours(one(), **listed, allow_credentials=True),
        "elsewhere": one(allow_origins=["https://shop.example.net"], allow_methods=["PUT"]),
        "methods": one(allow_origins=[PAGE]),
        "star": one(allow_origins=["*"]),
        "suffix": one(allow_origin_regex=r"https://.*example\.com", allow_credentials=True),
        "guarded": one(Middleware(Guard), **listed),
        "none": one(),
    }
    return Starlette(routes=[Mount(f"/{name}", app) for name, app in ways.items()])


class Guard:
    """Respond with 401 to every request."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body"})


@contextlib.contextmanager
def start(_folder: Path) -> Iterator[str]:
    """Serve the Starlette app with uvicorn."""
    require(is_installed=installed("starlette") and installed("uvicorn"), name="Starlette with uvicorn")
    with asgi_server(starlette_app()) as url:
        yield url


# fmt: off
BROKEN = (
    Case("/elsewhere/items", PUT, "refused-by-status"),
    Case("/methods/items", PUT, "refused-by-status"),
    Case("/star/items", COOKIES, "wildcard-with-credentials"),
    Case("/suffix/items", COOKIES, None, risks=("compares-by-suffix",)),
    Case("/guarded/items", PUT, "preflight-needs-login"),
    Case("/none/items", PUT, "preflight-not-routed"),
    Case("/well/crash", COOKIES, "response-crashed"),
)
HEALTHY = (
    Case("/well/items", COOKIES | PUT),
    Case("/star/items", {}),
    Case("/ours/items", COOKIES | PUT),
    Case("/ours/items", {}),
    Case("/ours/crash", COOKIES),
)
# fmt: on
