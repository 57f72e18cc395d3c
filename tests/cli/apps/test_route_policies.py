"""`audit` and `explain` know the policies of routes that `cross_origin` and `cors_exempt` attach."""

import pytest

pytest.importorskip("starlette")

ROUTE, ROUTER, MOUNTED = "https://route.example.com", "https://router.example.com", "https://mounted.example.com"
STARLETTE = """
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from asgi_cors_starlette import cors_exempt, cross_origin, install

async def view(request): ...

class Items(HTTPEndpoint):
    @cross_origin(allow_origins="https://route.example.com")
    async def get(self, request): ...
    async def delete(self, request): ...

mounted = cross_origin(allow_origins="https://mounted.example.com")
"""
FASTAPI = """
from fastapi import APIRouter, FastAPI, WebSocket
from asgi_cors_starlette import cors_exempt, cross_origin, install

router = APIRouter(prefix="/items")

@router.get("/{number:int}")
def read(number: int): ...

@router.delete("/{number:int}")
@cross_origin(allow_origins="https://route.example.com", allow_methods=["DELETE"])
def remove(number: int): ...

@router.websocket("/ws")
async def ws(websocket: WebSocket): ...

cross_origin(allow_origins="https://router.example.com")(router)
app = FastAPI(openapi_url=None)
install(app, allow_origins="https://app.example.com")

@app.get("/exempt")
@cors_exempt
def exempt(): ...

@app.get("/plain")
def plain(): ...

"""


def origins_of(app):
    """Return the origins that the audit lists, by the methods and path of a route."""
    return {f"{'/'.join(row['methods'])} {row['host']}{row['path']}": row["origins"] for row in app.audit()["routes"]}


def test_the_audit_lists_the_policies_of_starlettes_routes(written):
    app = written(f"""{STARLETTE}
app = Starlette(routes=[
    Route("/items", Items), Route("/exempt", cors_exempt(view)), Route("/plain", view),
    Mount("/mounted", mounted(Router([Route("/{{id}}", view), Route("/own", cross_origin(allow_origins="*")(view))]))),
    Host("api.example.com", mounted(Starlette(routes=[WebSocketRoute("/ws", view)]))),
])
install(app, allow_origins="https://app.example.com", allow_methods=["DELETE"])
""")
    assert origins_of(app) == {
        "GET /items": ROUTE,
        "DELETE /items": "https://app.example.com",
        "GET /exempt": None,
        "GET /plain": "https://app.example.com",
        "GET /mounted/{id}": MOUNTED,
        "GET /mounted/own": MOUNTED,  # the route before it serves the path
        " api.example.com/ws": MOUNTED,
    }


def test_the_audit_lists_the_policies_of_fastapis_routers(written):
    pytest.importorskip("fastapi")
    app = written(f"{FASTAPI}app.include_router(router, prefix='/v1')")
    assert origins_of(app) == {
        "DELETE /v1/items/{number:int}": ROUTE,
        "GET /v1/items/{number:int}": ROUTER,
        " /v1/items/ws": ROUTER,
        "GET /exempt": None,
        "GET /plain": "https://app.example.com",
    }
    assert app.findings() == {}


@pytest.mark.parametrize(
    ("path", "method", "origin", "allowed"),
    [
        ("/v1/items/7", "GET", ROUTER, True),
        ("/v1/items/7", "GET", "https://app.example.com", False),
        ("/v1/items/7", "DELETE", ROUTE, True),
        ("/v1/items/7", "DELETE", ROUTER, False),
        ("/plain", "GET", "https://app.example.com", True),
        ("/plain", "GET", ROUTER, False),
        ("/exempt", "GET", ROUTER, None),
    ],
)
def test_explain_uses_the_policy_of_the_route_that_serves_the_method(written, path, method, origin, allowed):
    pytest.importorskip("fastapi")
    app = written(f"{FASTAPI}app.include_router(router, prefix='/v1')")
    assert app.explain(path, "-X", method, origin=origin)["allowed"] is allowed


def test_the_policy_of_a_router_that_is_decorated_after_it_was_included(written):
    pytest.importorskip("fastapi")
    included = "app.include_router(router, prefix='/v1')"
    app = written(f"{FASTAPI}{included}\ncross_origin(allow_origins='https://mounted.example.com')(router)")
    assert origins_of(app)["GET /v1/items/{number:int}"] == MOUNTED


def test_a_method_that_the_policy_of_a_route_refuses_is_found(written):
    app = written(f"""{STARLETTE}
deleting = Route("/deleting", cross_origin(allow_origins="https://route.example.com")(view), methods=["DELETE"])
app = Starlette(routes=[deleting, Route("/plain", view)])
install(app, allow_origins="https://app.example.com")
""")
    (finding,) = app.audit()["findings"]
    assert (finding["name"], finding["policy"]) == ("method-refused", "allow_methods=['DELETE']")
    assert finding["sentence"].startswith("/deleting: ")


def test_the_origins_of_every_route_policy_are_attacked(written):
    app = written(f"""{STARLETTE}
app = Starlette(routes=[Route("/own", cross_origin(allow_origins="https://route.example.com")(view)), Mount("/all",
    mounted(Router([Route("/x", view)]))), Route("/exempt", cors_exempt(view))])
install(app, allow_origins="https://app.example.com")
""")
    assert {attacked["subject"] for attacked in app.audit()["attacks"]} == {ROUTE, MOUNTED}


def test_a_path_that_only_routes_with_their_own_policy_match_is_not_called_mistyped(written):
    app = written(f"""{STARLETTE}
app = Starlette(routes=[Mount("/mounted", mounted(Router([Route("/x", view)]))), Route("/plain", view)])
install(app, allow_origins="https://app.example.com", paths={{"/mounted/*": {{"max_age": 5}}}})
""")
    assert app.findings() == {}


def test_a_sub_app_with_its_own_installation_and_route_policies(written):
    app = written(f"""{STARLETTE}
sub = Starlette(routes=[Route("/own", cross_origin(allow_origins="https://route.example.com")(view))])
install(sub, allow_origins="https://mounted.example.com")
app = Starlette(routes=[Mount("/sub", sub), Route("/plain", view)])
""")
    assert origins_of(app) == {"GET /sub/own": ROUTE, "GET /plain": None}
    assert app.explain("/sub/own", origin=ROUTE)["allowed"] is True


def test_a_convertor_that_raises_leaves_the_policy_to_run_time(written):
    app = written(f"""{STARLETTE}
from starlette.convertors import Convertor, register_url_convertor

class Strict(Convertor):
    regex = "[a-z]+"

    def convert(self, value):
        raise RuntimeError("not for samples")

    def to_string(self, value): ...

register_url_convertor("strict_of_a_test", Strict())
app = Starlette(routes=[Route("/{{name:strict_of_a_test}}", cross_origin(allow_origins="*")(view))])
install(app, allow_origins="https://app.example.com")
""")
    ran = app.run("audit")
    assert "/{name:strict_of_a_test}  GET      decided at run time" in ran.out
