"""Routers read paths in different ways. A view gets what the rule of its path grants, or nothing."""

import asyncio
import contextlib
import functools
import itertools
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, WSGIMiddleware
from tests.support.clients import Response, call_wsgi, collect, http_scope, wsgi_environ
from tests.support.expected import APP, EVIL

pytestmark = pytest.mark.slow

SECRET = b"the secret"


def litestar() -> Any:
    module = pytest.importorskip("litestar")

    @module.get("/admin", sync_to_thread=False)
    def admin() -> str:
        return SECRET.decode()

    return module.Litestar([admin], openapi_config=None)


def blacksheep() -> Any:
    module = pytest.importorskip("blacksheep")
    app = module.Application(router=module.Router())

    async def admin() -> str:
        return SECRET.decode()

    app.router.add_get("/admin", admin)
    return app


def falcon() -> Any:
    module = pytest.importorskip("falcon.asgi")

    class Admin:
        async def on_get(self, _request: Any, response: Any) -> None:
            response.text = SECRET.decode()

    app = module.App()
    app.req_options.strip_url_path_trailing_slash = True
    app.add_route("/admin", Admin())
    return app


def starlette() -> Any:
    pytest.importorskip("starlette")
    from starlette.applications import Starlette  # noqa: PLC0415 - an extra
    from starlette.responses import PlainTextResponse  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def admin(_request: Any) -> Any:
        return PlainTextResponse(SECRET)

    return Starlette(routes=[Route("/admin", admin)])


def quart() -> Any:
    module = pytest.importorskip("quart")
    app = module.Quart(__name__)

    @app.get("/admin", strict_slashes=False)
    async def admin() -> str:
        return SECRET.decode()

    return app


def flask(_: pytest.FixtureRequest) -> Any:
    module = pytest.importorskip("flask")
    app = module.Flask(__name__)

    @app.get("/admin", strict_slashes=False)
    def admin() -> str:
        return SECRET.decode()

    return app.wsgi_app


def django(request: pytest.FixtureRequest) -> Any:
    """Serve a route whose regex ignores letter case and a final slash."""
    pytest.importorskip("django")
    from django.conf import empty, settings  # noqa: PLC0415 - an extra
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415
    from django.http import HttpResponse  # noqa: PLC0415
    from django.urls import re_path  # noqa: PLC0415

    routes = (re_path("(?i)^admin/?$", lambda _: HttpResponse(SECRET)),)
    request.addfinalizer(functools.partial(setattr, settings, "_wrapped", vars(settings)["_wrapped"]))
    settings._wrapped = empty  # the example has settings of its own
    settings.configure(
        ROOT_URLCONF=type("Urls", (), {"urlpatterns": routes}),
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="x",  # noqa: S106 - of a test
    )
    application = WSGIHandler()
    application.load_middleware()
    return application


async def exchange(app: Any, scope: dict[str, Any]) -> Response:
    """Send one request, as a server does; a router may raise for a path that it cannot read."""
    messages: list[dict[str, Any]] = []
    inbox = [{"type": "http.request", "body": b"", "more_body": False}]
    is_complete = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if inbox:
            return inbox.pop()
        await is_complete.wait()  # until then the client stays connected
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_complete.set()

    with contextlib.suppress(Exception):
        await app(scope, receive, send)
    return collect(messages)


PATHS = sorted(
    {
        "".join(parts)
        for parts in itertools.product(
            ["", "/.", "/x/..", "/"],
            ["/admin", "/ADMIN", "/Admin", "/adm\u0131n", "/ADM\u0130N", "/adm\x00in"],
            ["", "/", "//", "/.", "\n", "\x1f"],
        )
    }
)


@pytest.mark.parametrize("framework", [litestar, blacksheep, falcon, starlette, quart], ids=lambda each: each.__name__)
@pytest.mark.parametrize("root", ["", "/api", "/api/"], ids=["no root path", "a root path", "one with a slash"])
async def test_an_asgi_router_serves_no_view_under_another_policy(framework: Any, root: str) -> None:
    inner = framework()
    if framework is blacksheep:
        await inner.start()
    app = CORSMiddleware(inner, allow_origins=APP, paths={"/admin": {"allow_origins": EVIL}})
    reached = 0
    for path, before in itertools.product(PATHS, {root, root.rstrip("/"), ""}):
        scope = http_scope("GET", before + path, [("origin", APP), ("host", "a.test")], root_path=root)
        answer = await exchange(app, {**scope, "state": {}})
        if SECRET in answer.body:
            reached += 1
            assert answer.cors == [], (before + path, root)
    assert reached or root.endswith("/")  # some routers serve nothing below such a root path


@pytest.mark.parametrize("framework", [flask, django], ids=lambda each: each.__name__)
def test_a_wsgi_router_serves_no_view_under_another_policy(framework: Any, request: pytest.FixtureRequest) -> None:
    app = WSGIMiddleware(framework(request), allow_origins=APP, paths={"/admin": {"allow_origins": EVIL}})
    reached = 0
    for path in PATHS:
        answer = call_wsgi(app, wsgi_environ("GET", path, [("origin", APP), ("host", "a.test")]))
        if answer.body == SECRET:
            reached += 1
            assert answer.cors == [], path
    assert reached > 1
