"""Litestar: the middleware wraps the app, so Litestar's own error pages have CORS headers, too.

Serve it: `uvicorn --app-dir examples with_litestar:app`.
"""

from litestar import Litestar, get, put

from asgi_cors import CORSMiddleware, Policy


@get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]


@put("/items")
async def replace() -> dict[str, str]:
    """Confirm the change."""
    return {"done": "PUT"}


@get("/public/news")
async def news() -> list[str]:
    """Respond to every page."""
    return ["open to all"]


@get("/crash")
async def crash() -> None:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")


app = CORSMiddleware(
    Litestar([items, replace, news, crash], openapi_config=None),
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
    paths={"/public/*": Policy(allow_origins="*")},
)
