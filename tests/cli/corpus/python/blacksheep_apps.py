"""BlackSheep with use_cors."""

from typing import Any

from blacksheep import Application, Request, Response, Router, json

from tests.cli.corpus.raw import PAGE


def api(**cors: Any) -> Application:
    app = Application(router=Router())  # the default one is shared by all apps
    if cors:
        app.use_cors(**cors)

    async def items(_request: Request) -> Response:
        return json({"name": "Ann"})

    async def crash(_request: Request) -> Response:
        return json({"name": {}["Ann"]})

    app.router.add_get("/items", items)
    app.router.add_put("/items", items)
    app.router.add_get("/crash", crash)
    return app


def token_first(app: Any) -> Any:
    """Check a token outside of the app."""

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and b"authorization" not in dict(scope["headers"]):
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body"})
        else:
            await app(scope, receive, send)

    return checked


APPS = {
    "elsewhere": api(allow_methods="*", allow_origins="http://localhost:3000", allow_headers="*"),
    "methods": api(allow_methods="GET POST", allow_origins=PAGE, allow_headers="*"),
    "headers": api(allow_methods="*", allow_origins=PAGE, allow_headers="authorization"),
    "star": api(allow_methods="*", allow_origins="*", allow_headers="*"),
    "guarded": token_first(api(allow_methods="*", allow_origins=PAGE, allow_headers="*")),
    "not-configured": api(),
    "well": api(allow_methods="GET PUT", allow_origins=PAGE, allow_headers="x-id", allow_credentials=True),
}
