"""Quart: a policy for the app, and another for a view.

Serve it: `uvicorn --app-dir examples with_quart:app`.
"""

from quart import Quart, request

from asgi_cors_quart import CORS, route_cors

app = Quart(__name__)
CORS(
    app,
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
)


@app.route("/items", methods=["GET", "PUT"])
async def items() -> list[str] | dict[str, str]:
    """Return the items, or confirm the change."""
    return ["tea", "cake"] if request.method == "GET" else {"done": request.method}


@app.route("/public/news")
@route_cors(allow_origin="*")
async def news() -> list[str]:
    """Respond to every page."""
    return ["open to all"]


@app.route("/crash")
async def crash() -> str:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")
