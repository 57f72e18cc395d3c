"""FastAPI's own features, which the decorators leave as they are."""

import inspect
import json
from typing import Annotated

import pytest

pytest.importorskip("fastapi")
import fastapi.routing
from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, WebSocket
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from asgi_cors_starlette import cors_exempt, cross_origin, install

from .copying import copy_routes
from .serving import connect, options, origin, send

HAS_TREE = hasattr(fastapi.routing, "_IncludedRouter")


class Item(BaseModel):
    """A body, which annotations name as text."""

    name: str
    size: int = 1


def user(x_user: Annotated[str, Header()] = "nobody") -> str:
    return x_user


def as_they_are(_name):
    return lambda endpoint: endpoint


def decorated(name):
    return cross_origin(**options(name))


def make_app(decorate, **keywords):
    """Return an app with each kind of operation, each of them decorated."""
    app = FastAPI(**keywords)
    router = APIRouter(prefix="/v1", tags=["items"], dependencies=[Depends(user)])

    @router.get("/items/{number}", response_model=Item, openapi_extra={"x-own": 1})
    @decorate("endpoint")
    async def read(number: "int", q: "Annotated[str | None, Query(max_length=3)]" = None) -> "Item":
        """Read one item."""
        return Item(name=q or "item", size=number)

    @decorate("route")
    @router.post("/items")
    def write(item: "Item", by: "Annotated[str, Depends(user)]", *, note: "Annotated[str, Body()]" = "") -> "Item":
        return item.model_copy(update={"name": by})

    @router.get("/stream")
    @decorate("endpoint")
    def read_text():
        return PlainTextResponse("text")

    @router.delete("/items/{number}", status_code=204)
    @(cors_exempt if decorate is decorated else as_they_are(""))
    def remove(number: int) -> None: ...

    outer = APIRouter()
    outer.include_router(decorate("inner")(router), prefix="/inner")
    app.include_router(decorate("outer")(outer), prefix="/outer")
    app.include_router(router)
    return app


def document_of(app):
    return json.dumps(app.openapi(), indent=1)


def types_in(value):
    """Return the types of all values and names in a document."""
    if isinstance(value, dict):
        return {dict, *(kind for pair in value.items() for part in pair for kind in types_in(part))}
    if isinstance(value, list):
        return {list, *(kind for item in value for kind in types_in(item))}
    return {type(value)}


def operation_ids(app):
    return [item["operationId"] for path in app.openapi()["paths"].values() for item in path.values()]


UNIQUE_IDS = {
    "FastAPI's own": {},
    "names": {"generate_unique_id_function": lambda route: route.name},
    "tags": {"generate_unique_id_function": lambda route: f"{route.tags[0]}-{route.name}-{route.endpoint.__name__}"},
}


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
@pytest.mark.parametrize("keywords", UNIQUE_IDS.values(), ids=UNIQUE_IDS)
@pytest.mark.parametrize("include_router", ["its own", "copying"] if HAS_TREE else ["its own"])
def test_decorators_and_install_do_not_change_the_openapi_document(keywords, include_router, monkeypatch):
    if include_router == "copying":
        copy_routes(monkeypatch)
    plain, app = make_app(as_they_are, **keywords), make_app(decorated, **keywords)
    install(app, **options("base"))
    assert document_of(app) == document_of(plain)
    assert operation_ids(app) == operation_ids(plain)
    assert types_in(app.openapi()) == types_in(plain.openapi())  # a subclass of str can't be written as YAML


def test_decorators_do_not_change_the_responses():
    plain, app = make_app(as_they_are), make_app(decorated)
    requests = [
        ("GET", "/v1/items/7?q=abc", None),
        ("GET", "/v1/items/7?q=abcd", None),
        ("GET", "/outer/inner/v1/items/seven", None),
        ("POST", "/outer/inner/v1/items", {"item": {"name": "a"}, "note": "b"}),
        ("POST", "/v1/items", {"item": {"size": "x"}}),
        ("GET", "/v1/stream", None),
        ("DELETE", "/v1/items/3", None),
    ]
    for method, path, body in requests:
        expected, response = (send(each, method, path, body, x_user="ann") for each in (plain, app))
        assert (response.status_code, response.text) == (expected.status_code, expected.text), path


def test_dependency_overrides_apply_to_decorated_endpoints():
    app = make_app(decorated)
    install(app, **options("base"))
    app.dependency_overrides[user] = lambda: "overridden"
    response = send(app, "POST", "/v1/items", {"item": {"name": "a"}, "note": ""})
    assert response.json()["name"] == "overridden"


@pytest.mark.parametrize("decorate", [decorated("endpoint"), cors_exempt])
def test_a_decorated_function_looks_like_the_function(decorate):
    async def endpoint(item: "Item", *, size: int = 3) -> "Item":
        """Return the item."""
        return item

    copied = decorate(endpoint)
    assert inspect.iscoroutinefunction(copied)
    assert inspect.signature(copied, eval_str=True) == inspect.signature(endpoint, eval_str=True)
    assert not hasattr(copied, "__wrapped__")
    same = ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__", "__kwdefaults__")
    assert [getattr(copied, name) for name in same] == [getattr(endpoint, name) for name in same]


def test_one_dependency_is_solved_once_for_a_decorated_endpoint():
    calls = []

    def count():
        calls.append(1)

    app = FastAPI()

    @app.get("/", dependencies=[Depends(count)])
    @cross_origin(**options("endpoint"))
    def read(_: Annotated[None, Depends(count)]):
        return "read"

    install(app, **options("base"))
    assert send(app, "GET", "/", origin=origin("endpoint")).status_code == 200
    assert calls == [1]


def test_a_custom_route_class_gets_the_decorated_endpoint():
    class Timed(APIRoute):
        def get_route_handler(self):
            handler = super().get_route_handler()

            async def timed(request):
                response = await handler(request)
                response.headers["x-timed"] = self.endpoint.__name__
                return response

            return timed

    router = APIRouter(route_class=Timed)

    @router.get("/")
    @cross_origin(**options("endpoint"))
    def read():
        return "read"

    app = FastAPI()
    install(app, **options("base"))
    app.include_router(cross_origin(**options("inner"))(router), prefix="/v1")
    response = send(app, "GET", "/v1/", origin=origin("endpoint"))
    assert response.headers["x-timed"] == "read"
    assert response.headers["access-control-allow-origin"] == origin("endpoint")


def test_a_websocket_of_a_router_solves_its_dependencies():
    router = APIRouter()

    @router.websocket("/ws")
    @cross_origin(**options("endpoint"), allow_credentials=True)
    async def ws(websocket: WebSocket, name: Annotated[str, Depends(user)]):
        await websocket.accept()
        await websocket.send_text(name)

    app = FastAPI()
    install(app, **options("base"))
    app.include_router(router, prefix="/v1")
    _, message = connect(app, "/v1/ws", origin=origin("endpoint"), x_user="ann", cookie="session=1")
    assert message["text"] == "ann"


def test_the_urls_of_routes_in_decorated_routers():
    assert str(make_app(decorated).url_path_for("read", number=3)) == "/outer/inner/v1/items/3"
