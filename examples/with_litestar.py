"""Litestar: the middleware stands around the app, so that Litestar's own error pages carry the fields, too.

Serve it by `uvicorn --app-dir examples with_litestar:app`.
"""

from litestar import Litestar, get, put

from asgi_cors import CORSMiddleware, Policy


@get("/items")
async def items() -> list[str]:
    """Tell what is there."""
    return ["tea", "cake"]


@put("/items")
async def replace() -> dict[str, str]:
    """Tell what was done."""
    return {"done": "PUT"}


@get("/public/news")
async def news() -> list[str]:
    """Tell everybody."""
    return ["open to all"]


@get("/crash")
async def crash() -> None:
    """Fail: the page can read the 500."""
    raise RuntimeError("asked for")


app = CORSMiddleware(
    Litestar([items, replace, news, crash], openapi_config=None),
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
    paths={"/public/*": Policy(allow_origins="*")},
)
