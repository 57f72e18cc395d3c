"""Serve the apps of a file on loopback: `python serve.py SERVER FILE PORT`.

The file has APPS, a dictionary of apps by the first segment of their path, or `app`, if its server is aiohttp or
Tornado. This is a program of its own, because some frameworks have settings for the whole process.
"""
# ruff: noqa: PLC0415 - each server is installed with its framework

import asyncio
import contextlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]
HOST = "127.0.0.1"


class MountedWSGI:
    """WSGI apps by the first segment of their path. It moves to SCRIPT_NAME."""

    def __init__(self, apps: dict[str, Any]) -> None:
        self.apps = apps

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        name, _, rest = environ["PATH_INFO"][1:].partition("/")
        if name not in self.apps:
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        return self.apps[name](environ | {"SCRIPT_NAME": f"/{name}", "PATH_INFO": f"/{rest}"}, start_response)


class MountedASGI:
    """ASGI apps by the first segment of their path. It is removed, as some proxies do."""

    def __init__(self, apps: dict[str, Any]) -> None:
        self.apps = apps
        self.lifespans: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for app in self.apps.values():
                await self.start(app)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            return
        name, _, rest = scope["path"][1:].partition("/")
        if name not in self.apps:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body"})
            return
        await self.apps[name](scope | {"path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)

    async def start(self, app: Any) -> None:
        """Run the start-up of an app."""
        messages: asyncio.Queue[Any] = asyncio.Queue()
        messages.put_nowait({"type": "lifespan.startup"})
        started = asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                sys.exit(message.get("message", "the app did not start"))
            started.set()

        async def live() -> None:
            with contextlib.suppress(Exception):  # an app may not support lifespans
                await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, messages.get, send)
            started.set()

        self.lifespans.append(asyncio.create_task(live()))
        await started.wait()


def werkzeug(names: Any, port: int) -> None:
    """Serve as `flask run`."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    WSGIRequestHandler.log = lambda *_: None  # type: ignore[method-assign]
    make_server(HOST, port, MountedWSGI(names["APPS"]), threaded=True).serve_forever()


def wsgiref(names: Any, port: int) -> None:
    """Serve as Bottle's run() and Django's runserver, one request at a time."""
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    WSGIRequestHandler.log_message = lambda *_: None  # type: ignore[assignment,method-assign]
    make_server(HOST, port, MountedWSGI(names["APPS"])).serve_forever()


def waitress(names: Any, port: int) -> None:
    """Serve as `waitress-serve`, the server of Pyramid's templates."""
    from waitress import serve

    serve(MountedWSGI(names["APPS"]), host=HOST, port=port)


def uvicorn(names: Any, port: int, *, names_itself: bool = True) -> None:
    """Serve with uvicorn."""
    from uvicorn import run

    app = MountedASGI(names["APPS"])
    run(app, host=HOST, port=port, log_level="critical", lifespan="on", server_header=names_itself)


def sanic(names: Any, port: int) -> None:
    """Serve several Sanic apps. Their own server serves one only, and sends no Server header either."""
    uvicorn(names, port, names_itself=False)


def hypercorn(names: Any, port: int) -> None:
    """Serve with Hypercorn, as Quart's run() does."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind, config.errorlog = [f"{HOST}:{port}"], None
    asyncio.run(serve(MountedASGI(names["APPS"]), config))  # type: ignore[arg-type]


def aiohttp(names: Any, port: int) -> None:
    """Serve with aiohttp's own server."""
    from aiohttp import web

    web.run_app(names["app"], host=HOST, port=port, print=None, access_log=None)


def tornado(names: Any, port: int) -> None:
    """Serve with Tornado's own server."""
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop

    HTTPServer(names["app"]).listen(port, HOST)
    IOLoop.current().start()


def load(file: str) -> dict[str, Any]:
    """Run a file as a module, and return its names."""
    spec = importlib.util.spec_from_file_location("served", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["served"] = module
    spec.loader.exec_module(module)
    return vars(module)


SERVERS = {
    server.__name__: server for server in (werkzeug, wsgiref, waitress, uvicorn, sanic, hypercorn, aiohttp, tornado)
}

if __name__ == "__main__":
    # This folder has a module for each framework, so it must not come first. The installed package comes before ROOT.
    sys.path[:] = [
        *(path for path in sys.path if path != str(Path(__file__).parent)),
        str(ROOT),
        str(ROOT / "adapters"),
    ]
    SERVERS[sys.argv[1]](load(sys.argv[2]), int(sys.argv[3]))
