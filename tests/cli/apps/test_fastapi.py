"""The routes of FastAPI, in the oldest supported release and in the newest."""

import pytest

pytest.importorskip("fastapi")

DOCS = {"/docs", "/docs/oauth2-redirect", "/openapi.json", "/redoc"}
API = """
from fastapi import APIRouter, FastAPI, WebSocket
from asgi_cors import CORSMiddleware, Policy

inner = APIRouter(prefix="/items")

@inner.get("/{number:int}")
def read(number: int): ...

@inner.delete("/{number:int}")
def delete(number: int): ...

@inner.websocket("/ws")
async def ws(websocket: WebSocket): ...

outer = APIRouter(prefix="/v1")
outer.include_router(inner)
app = FastAPI()
"""


def own_routes(written_app):
    return {path: methods for path, methods in written_app.routes().items() if path not in DOCS}


def test_routes_of_included_routers_are_listed_with_their_prefixes(written):
    app = written(f"{API}app.include_router(outer, prefix='/api')")
    assert own_routes(app) == {"/api/v1/items/{number:int}": ["DELETE", "GET"], "/api/v1/items/ws": ["WebSocket"]}


def test_a_served_method_that_the_policy_refuses_is_found_in_an_included_router(written):
    app = written(f"""{API}
app.include_router(outer)
app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_methods=["PUT"])
""")
    (finding,) = app.audit()["findings"]
    assert finding["name"] == "method-refused"
    assert finding["sentence"].startswith("/v1/items/{number:int}: the routes serve DELETE")
    assert finding["policy"] == "allow_methods=['PUT', 'DELETE']"


def test_a_path_that_serves_an_included_router_is_used(written):
    app = written(f"""{API}
app.include_router(outer, prefix="/api")
paths = {{"/api/*": {{"allow_methods": ["DELETE"]}}, "/apis/*": {{"max_age": 5}}, "/api/v1/items/7": {{"max_age": 6}}}}
paths["/api/v1/items/7"]["allow_methods"] = ["DELETE"]
app.add_middleware(CORSMiddleware, allow_origins="https://app.example.com", paths=paths)
""")
    assert app.findings() == {
        "policy-unused": (
            "paths['/apis/*'] matches no route. If the path is mistyped, the base policy serves its routes."
        )
    }


def test_included_routers_of_a_mounted_app_are_listed_below_its_path(written):
    app = written(f"""{API}
sub = FastAPI(openapi_url=None)
sub.include_router(outer)
app.mount("/sub", sub)
""")
    assert own_routes(app) == {"/sub/v1/items/{number:int}": ["DELETE", "GET"], "/sub/v1/items/ws": ["WebSocket"]}


def test_the_policy_of_a_mounted_app_serves_its_routes(written):
    app = written(f"""{API}
sub = FastAPI(openapi_url=None)
sub.include_router(outer)
paths = {{"/v1/items/*": {{"allow_origins": "https://paths.example"}}, "/sub/*": {{"max_age": 5}}}}
sub.add_middleware(CORSMiddleware, allow_origins="https://app.example.com", allow_methods=["DELETE"], paths=paths)
app.mount("/sub", sub)
""")
    audit = app.audit()
    origins = {route["path"]: route["origins"] for route in audit["routes"]}
    assert origins["/sub/v1/items/{number:int}"] == "https://paths.example"
    assert origins["/docs"] is None
    assert [finding["name"] for finding in audit["findings"]] == ["policy-unused"]
    assert "paths['/sub/*']" in audit["findings"][0]["sentence"]


def test_two_policies_around_one_route_must_both_allow(written):
    app = written(f"""{API}
sub = FastAPI(openapi_url=None)
sub.include_router(outer)
sub.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_methods=["DELETE"])
app.mount("/sub", sub)
app.add_middleware(CORSMiddleware, allow_origins=["https://other.example"], allow_methods=["DELETE"])
""")
    assert app.findings() == {
        "cors-inside": (
            "/sub/v1/items/ws, /sub/v1/items/{number:int}: two middlewares of asgi_cors decide, so a page needs the"
            " permission of both."
        )
    }
    assert app.explain("/sub/v1/items/7")["allowed"] is False
    assert app.explain("/sub/v1/items/7", origin="https://other.example")["allowed"] is False


def test_an_outer_policy_that_passes_a_mount_through_leaves_it_to_the_inner_one(written):
    app = written(f"""{API}
sub = FastAPI(openapi_url=None)
sub.include_router(outer)
sub.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_methods=["DELETE"])
app.mount("/sub", sub)
app.add_middleware(CORSMiddleware, allow_origins=["https://other.example"], paths={{"/sub/*": None}})
""")
    assert app.findings() == {}
    assert app.explain("/sub/v1/items/7")["allowed"] is True
    assert app.explain("/docs")["allowed"] is False


def test_a_frontend_is_a_folder_of_files(written, tmp_path):
    fastapi = pytest.importorskip("fastapi")
    if not hasattr(fastapi.FastAPI, "frontend"):
        pytest.skip("this FastAPI has no frontend()")
    app = written(f"""{API}
outer.frontend("/inner", directory={str(tmp_path)!r})
app.include_router(outer)
app.frontend("/", directory={str(tmp_path)!r})
app.add_middleware(
    CORSMiddleware, allow_origins="*", allow_methods="*", paths={{"/assets/*": {{"max_age": 5}}}}
)
""")
    routes = app.routes()
    assert routes["/*"] == ["GET"]
    assert routes["/v1/inner/*"] == ["GET"]
    assert app.findings() == {}


def test_routers_that_this_fastapi_cannot_list_are_never_called_unused(written, monkeypatch):
    """FastAPI 0.137.0 has a tree of routers, and no public function that lists it."""
    routing = pytest.importorskip("fastapi.routing")
    if not hasattr(routing, "iter_route_contexts"):
        pytest.skip("this FastAPI lists the routes of included routers itself")
    monkeypatch.delattr(routing, "iter_route_contexts")
    app = written(f"""{API}
app.include_router(outer)
app.add_middleware(CORSMiddleware, allow_origins="https://app.example.com", paths={{"/v1/*": {{"max_age": 5}}}})
""")
    ran = app.run("audit")
    assert "policy-unused" not in ran.out
    assert "nothing to change" not in ran.out
    assert "? not checked, because this command has no list of the routes: _IncludedRouter" in ran.out


@pytest.mark.parametrize(
    ("module", "attribute"),
    [("asgiref.wsgi", "WsgiToAsgi"), ("a2wsgi", "WSGIMiddleware"), ("starlette.middleware.wsgi", "WSGIMiddleware")],
)
@pytest.mark.filterwarnings("ignore:.*starlette.middleware.wsgi")
def test_a_flask_app_that_is_mounted_by_an_adapter_is_listed(written, module, attribute):
    pytest.importorskip(module.partition(".")[0])
    pytest.importorskip("flask")
    app = written(f"""
import warnings
from fastapi import FastAPI
from flask import Flask
warnings.simplefilter("ignore")
from {module} import {attribute} as Adapter
from asgi_cors import CORSMiddleware
flask = Flask("mounted", static_folder=None)
flask.add_url_rule("/pages/<int:number>", "page", lambda number: "", methods=["GET", "PATCH"])
app = FastAPI(openapi_url=None)
app.mount("/flask", Adapter(flask))
paths = {{"/flask/pages/*": {{"allow_methods": ["PATCH"]}}}}
app.add_middleware(CORSMiddleware, allow_origins="https://app.example.com", paths=paths)
""")
    assert app.routes() == {"/flask/pages/<int:number>": ["GET", "PATCH"]}
    assert app.findings() == {}
