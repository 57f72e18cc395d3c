"""BlackSheep: the middleware wraps the app, instead of `app.use_cors`.

Serve it: `uvicorn --app-dir examples with_blacksheep:app`.
"""

from blacksheep import Application, Router

from asgi_cors import CORSMiddleware, Policy

router = Router()


@router.get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]


@router.put("/items")
async def replace() -> dict[str, str]:
    """Confirm the change."""
    return {"done": "PUT"}


@router.get("/public/news")
async def news() -> list[str]:
    """Respond to every page."""
    return ["open to all"]


@router.get("/crash")
async def crash() -> None:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")


app = CORSMiddleware(
    Application(router=router),
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
    paths={"/public/*": Policy(allow_origins="*")},
)
