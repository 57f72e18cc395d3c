"""Falcon: the middleware wraps the app, instead of `falcon.CORSMiddleware`.

Serve it: `uvicorn --app-dir examples with_falcon:app`.
"""

from falcon.asgi import App, Request, Response

from asgi_cors import CORSMiddleware, Policy


class Items:
    """The items."""

    async def on_get(self, _: Request, response: Response) -> None:
        """Return the items."""
        response.media = ["tea", "cake"]

    async def on_put(self, _: Request, response: Response) -> None:
        """Confirm the change."""
        response.media = {"done": "PUT"}


class News:
    """The public part."""

    async def on_get(self, _: Request, response: Response) -> None:
        """Respond to every page."""
        response.media = ["open to all"]


class Crash:
    """A view that fails."""

    async def on_get(self, _request: Request, _response: Response) -> None:
        """Fail: the page can read the 500."""
        raise RuntimeError("on purpose")


falcon_app = App()
falcon_app.add_route("/items", Items())
falcon_app.add_route("/public/news", News())
falcon_app.add_route("/crash", Crash())

app = CORSMiddleware(
    falcon_app,
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
    paths={"/public/*": Policy(allow_origins="*")},
)
