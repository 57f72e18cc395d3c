"""The ASGI interfaces of asgi_cors, in front of routes that respond with 200, 401, 404 and 500."""

from typing import Any

from quart import Quart
from quart import abort as quart_abort
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from asgi_cors import CORSMiddleware
from asgi_cors_flask import CORS, asgi_app
from asgi_cors_quart import cors
from asgi_cors_starlette import install
from tests.cli.corpus.python.our_wsgi_apps import HERE, HOSTS, OTHERS, PROTECTED, flask_app


async def asgi(scope: Any, _receive: Any, send: Any) -> None:
    """Respond with the status that the path names."""
    status = 200 if scope["path"] == "/items" else int(scope["path"][1:])
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"tea"})


def quart_app() -> Quart:
    app = Quart("ours")

    @app.route("/items", methods=["GET", "PUT"])
    async def items() -> Any:
        return "tea"

    @app.route("/<int:status>")
    async def status(status: int) -> Any:
        return {}["Ann"] if status == 500 else quart_abort(status)

    return app


def starlette_app() -> Starlette:
    async def items(_request: Any) -> Any:
        return JSONResponse(["tea"])

    async def status(request: Any) -> Any:
        if request.path_params["status"] == 500:
            raise RuntimeError("as requested")
        raise HTTPException(request.path_params["status"])

    return Starlette(routes=[Route("/items", items, methods=["GET", "PUT"]), Route("/{status:int}", status)])


def interfaces(**policy: Any) -> dict[str, Any]:
    """Return the interfaces with a policy."""
    flask, quart, starlette = flask_app(), quart_app(), starlette_app()
    CORS(flask, **policy)
    cors(quart, **{name.replace("origins", "origin"): value for name, value in policy.items()})
    install(starlette, **policy)
    return {
        "asgi": CORSMiddleware(asgi, **policy),
        "flask-over-asgi": asgi_app(flask),
        "quart": quart,
        "starlette": starlette,
    }


APPS = interfaces(**OTHERS) | {f"{name}-well": app for name, app in interfaces(**HERE).items()}
APPS |= {"protected": CORSMiddleware(asgi, **PROTECTED), "hosts": CORSMiddleware(asgi, **HOSTS)}
