"""`Loaded` behind the middlewares and the frameworks' extensions."""

import asyncio
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Loaded
from tests.support.clients import call_asgi, http_scope, websocket_scope
from tests.support.event_loops import run_asyncio, run_trio
from tests.support.expected import APP, EVIL
from tests.support.lists import Rows, build

OTHER = "https://other.example"


def allowed(response: Any) -> list[str]:
    return [value for name, value in response.headers if name.lower() == "access-control-allow-origin"]


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
def test_requests_and_preflights_are_served_by_the_list(serve: Any, load: str) -> None:
    rows = Rows(APP)
    client = serve(allow_origins=build(getattr(rows, load))[0], run=run_asyncio)
    for _ in range(3):
        assert allowed(client.request(origin=APP)) == [APP]
        assert allowed(client.preflight(origin=APP)) == [APP]
        assert allowed(client.request(origin=EVIL)) == []
        assert client.preflight(origin=EVIL).status == 200
    assert rows.calls == 1


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
def test_a_changed_list_ends_the_cached_responses_of_every_middleware(serve: Any, load: str) -> None:
    rows = Rows(APP)
    loaded, _ = build(getattr(rows, load))
    clients = [serve(allow_origins=loaded, run=run_asyncio), serve(allow_origins=[loaded, OTHER], run=run_asyncio)]
    assert [allowed(client.request(origin=APP)) for client in clients * 2] == [[APP]] * 4
    rows.entries = [EVIL]
    asyncio.run(loaded.refresh())
    assert [allowed(client.request(origin=APP)) for client in clients] == [[], []]
    assert [allowed(client.request(origin=EVIL)) for client in clients] == [[EVIL], [EVIL]]


def test_a_failed_first_load_refuses_without_an_error_and_is_not_cached(serve: Any) -> None:
    rows = Rows(APP)
    rows.error = OSError("no database")
    loaded, clock = build(rows)
    client = serve(allow_origins=loaded, run=run_asyncio)
    refused = client.request(origin=APP)
    assert (refused.status, allowed(refused)) == (200, [])
    assert ("cache-control", "no-store") in [(name.lower(), value) for name, value in refused.headers]
    rows.error = None
    clock.now += 1
    assert allowed(client.request(origin=APP)) == [APP]


def test_a_handshake_is_served_by_the_list() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    middleware = CORSMiddleware(app, allow_origins=Loaded(Rows(APP)))
    found = [
        call_asgi(middleware, websocket_scope("/", [("origin", origin)]), run_asyncio).messages[0]["type"]
        for origin in (APP, EVIL)
    ]
    assert found[0] == "websocket.accept"
    assert found[1] != "websocket.accept"


def test_a_sync_list_is_served_under_trio() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    middleware = CORSMiddleware(app, allow_origins=Loaded(Rows(APP)))
    assert allowed(call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run_trio)) == [APP]


@pytest.mark.parametrize("load", ["__call__", "asynchronous"])
def test_flask_serves_the_list_in_its_app_context(load: str) -> None:
    flask = pytest.importorskip("flask")
    from asgi_cors_flask import CORS  # noqa: PLC0415 - needs Flask

    rows, names = Rows(APP), list[str]()

    def customers() -> Any:
        names.append(flask.current_app.name)
        return rows()

    async def customers_async() -> Any:
        names.append(flask.current_app.name)
        return await rows.asynchronous()

    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: "")
    CORS(app, allow_origins=Loaded(customers if load == "__call__" else customers_async))
    client = app.test_client()
    found = [
        client.get("/", headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin") for origin in (APP, EVIL)
    ]
    assert (found, names) == ([APP, None], ["shop"])


async def test_quart_serves_the_list_in_its_app_context() -> None:
    quart = pytest.importorskip("quart")
    from asgi_cors_quart import CORS  # noqa: PLC0415 - needs Quart

    rows, names = Rows(APP), list[str]()

    async def customers() -> Any:
        names.append(quart.current_app.name)
        return await rows.asynchronous()

    app = quart.Quart("shop")
    app.add_url_rule("/", view_func=lambda: "", endpoint="index")
    CORS(app, allow_origins=Loaded(customers))
    client = app.test_client()
    found = [
        (await client.get("/", headers={"Origin": origin})).headers.get("Access-Control-Allow-Origin")
        for origin in (APP, EVIL)
    ]
    assert (found, names) == ([APP, None], ["shop"])


async def test_starlette_serves_the_list() -> None:
    pytest.importorskip("starlette")
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.responses import PlainTextResponse  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def index(request: Any) -> Any:
        return PlainTextResponse("")

    app = Starlette(
        routes=[Route("/", index)], middleware=[Middleware(CORSMiddleware, allow_origins=Loaded(Rows(APP)))]
    )
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    for origin in (APP, EVIL):
        await app(http_scope("GET", "/", [("origin", origin)]), receive, send)
    starts = [dict(message["headers"]) for message in messages if message["type"] == "http.response.start"]
    assert [headers.get(b"access-control-allow-origin") for headers in starts] == [APP.encode(), None]
