"""Litestar with CORSConfig."""

from typing import Any

from litestar import Litestar, get, route
from litestar.config.cors import CORSConfig
from litestar.exceptions import NotAuthorizedException

from tests.cli.corpus.raw import PAGE


@route("/items", http_method=["GET", "PUT"], status_code=200)
async def items() -> Any:
    return {"name": "Ann"}


@get("/crash")
async def crash() -> Any:
    return {"name": {}["Ann"]}


@get("/private")
async def private() -> Any:
    raise NotAuthorizedException


def token_first(app: Any) -> Any:
    """Check a token outside of the app, as an ASGI middleware around it."""

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and b"authorization" not in dict(scope["headers"]):
            await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Bearer")]})
            await send({"type": "http.response.body", "body": b"missing token"})
        else:
            await app(scope, receive, send)

    return checked


def api(cors: CORSConfig | None = None, **options: Any) -> Any:
    return Litestar([items, crash, private], cors_config=cors, openapi_config=None, **options)


APPS = {
    "elsewhere": api(CORSConfig(allow_origins=["http://localhost:3000"])),
    "methods": api(CORSConfig(allow_origins=[PAGE], allow_methods=["GET"])),
    "headers": api(CORSConfig(allow_origins=[PAGE], allow_headers=["authorization"])),
    "pattern": api(
        CORSConfig(allow_origins=[], allow_origin_regex=r"https://.*\.?example\.com", allow_credentials=True)
    ),
    "star": api(CORSConfig(allow_origins=["*"], allow_credentials=True)),
    "guarded": token_first(api(CORSConfig(allow_origins=[PAGE]))),
    "not-configured": api(),
    "debug": api(debug=True),
    "well": api(CORSConfig(allow_origins=[PAGE], allow_credentials=True)),
}
