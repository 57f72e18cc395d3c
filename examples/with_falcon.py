"""Falcon: the middleware stands around the app, in the place of `falcon.CORSMiddleware`.

Serve it by `uvicorn --app-dir examples with_falcon:app`.
"""

from falcon.asgi import App, Request, Response

from asgi_cors import CORSMiddleware, Policy


class Items:
    """What is there."""

    async def on_get(self, _: Request, response: Response) -> None:
        """Tell it."""
        response.media = ["tea", "cake"]

    async def on_put(self, _: Request, response: Response) -> None:
        """Tell what was done."""
        response.media = {"done": "PUT"}


class News:
    """What is open to all."""

    async def on_get(self, _: Request, response: Response) -> None:
        """Tell it."""
        response.media = ["open to all"]


class Crash:
    """What fails."""

    async def on_get(self, _request: Request, _response: Response) -> None:
        """Fail: the page can read the 500."""
        raise RuntimeError("asked for")


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
