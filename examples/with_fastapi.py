"""FastAPI: one policy around everything, errors and validation included, and another one for a router.

Serve it: `uvicorn --app-dir examples with_fastapi:app`.
"""

from fastapi import APIRouter, FastAPI

from asgi_cors_starlette import cross_origin, install

app = FastAPI()
install(
    app,
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
)
public = cross_origin(allow_origins="*")(APIRouter(prefix="/public"))


@app.get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]


@app.put("/items")
async def replace() -> dict[str, str]:
    """Confirm the change."""
    return {"done": "PUT"}


@public.get("/news")
async def news() -> list[str]:
    """Respond to every page."""
    return ["open to all"]


@app.get("/crash")
async def crash() -> None:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")


app.include_router(public)
