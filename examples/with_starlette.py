"""Starlette: one policy around everything, errors included, and another for a route.

Serve it: `uvicorn --app-dir examples with_starlette:app`.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from asgi_cors_starlette import cross_origin, install


async def items(request: Request) -> Response:
    """Return the items, or confirm the change."""
    return JSONResponse(["tea", "cake"] if request.method == "GET" else {"done": request.method})


async def news(_: Request) -> Response:
    """Respond to every page."""
    return JSONResponse(["open to all"])


async def crash(_: Request) -> Response:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")


app = Starlette(
    routes=[
        Route("/items", items, methods=["GET", "PUT"]),
        Route("/public/news", cross_origin(allow_origins="*")(news)),
        Route("/crash", crash),
    ]
)
install(
    app,
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
)
