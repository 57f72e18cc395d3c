"""Policies of FastAPI's routers, on releases that copy their routes and on those that do not."""

import gc
import weakref

import pytest

pytest.importorskip("fastapi")
import fastapi.routing
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.routing import APIRoute
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Mount, Route, Router

from asgi_cors_starlette import cors_exempt, cross_origin, install
from asgi_cors_starlette._copied_routes import decorated

from .copying import copy_routes
from .serving import handshakes_of, options, origin, served_by

HAS_TREE = hasattr(fastapi.routing, "_IncludedRouter")  # FastAPI 0.137 and later


@pytest.fixture(autouse=True, params=["its own", "copying"] if HAS_TREE else ["its own"])
def include_router(request, monkeypatch):
    """Return which `include_router` FastAPI has."""
    if request.param == "copying":
        copy_routes(monkeypatch)
    return request.param


def make_app(*routers):
    """Return an app with the base policy that includes routers below /api."""
    app = FastAPI()
    install(app, **options("base"))

    @app.get("/plain")
    def plain():
        return "plain"

    for router in routers:
        app.include_router(router, prefix="/api")
    return app


def make_router(prefix=""):
    """Return a router with an operation, a route of Starlette, and a WebSocket."""
    router = APIRouter(prefix=prefix)

    @router.get("/items/{number}")
    def read(number: int):
        return number

    @router.post("/items/{number}")
    def write(number: int):
        return number

    async def plain(request):
        return PlainTextResponse("plain")

    router.add_route(f"{prefix}/starlette", plain)

    @router.websocket("/ws")
    async def ws(websocket: WebSocket):
        await websocket.accept()

    async def starlette_ws(websocket):
        await websocket.accept()

    router.add_websocket_route(f"{prefix}/starlette-ws", starlette_ws)
    return router


def assert_all_served_by(name, app, prefix):
    """Check each kind of route below a prefix."""
    assert served_by(app, f"{prefix}/items/1") == name
    assert served_by(app, f"{prefix}/items/1", "POST") == name
    assert served_by(app, f"{prefix}/starlette") == name
    assert handshakes_of(app, f"{prefix}/ws") == [name]
    assert handshakes_of(app, f"{prefix}/starlette-ws") == [name]


def test_the_policy_of_a_router_serves_each_kind_of_its_routes():
    router = make_router()
    app = make_app(cross_origin(**options("inner"))(router))
    assert_all_served_by("inner", app, "/api")
    assert served_by(app, "/plain") == "base"


def test_a_router_gets_its_policy_after_it_was_included():
    router = make_router("/v1")
    app = make_app(router)
    assert served_by(app, "/api/v1/items/1") == "base"
    cross_origin(**options("inner"))(router)
    assert_all_served_by("inner", app, "/api/v1")
    assert served_by(app, "/plain") == "base"


def test_routes_that_a_router_gets_after_its_policy_have_it():
    router = cross_origin(**options("inner"))(APIRouter())

    @router.get("/late")
    def late():
        return "late"

    assert served_by(make_app(router), "/api/late") == "inner"


@pytest.mark.parametrize("add", ["insert", "extend", "+=", "item", "slice"])
def test_a_route_has_the_policy_of_its_router_however_it_is_added(add):
    async def late(request):
        return PlainTextResponse("late")

    router = cross_origin(**options("inner"))(make_router())
    route = Route("/late", late)
    if add == "insert":
        router.routes.insert(0, route)
    elif add == "extend":
        router.routes.extend([route])
    elif add == "+=":
        router.routes += [route]
    elif add == "item":
        router.routes[0] = route
    else:
        router.routes[:1] = [route]
    assert served_by(make_app(router), "/api/late") == "inner"


def test_the_innermost_router_decides():
    inner, outer = make_router("/inner"), make_router()
    cross_origin(**options("inner"))(inner)
    cross_origin(**options("outer"))(outer)
    outer.include_router(inner, prefix="/nested")
    app = make_app(outer)
    assert_all_served_by("inner", app, "/api/nested/inner")
    assert_all_served_by("outer", app, "/api")


def test_the_routes_of_an_undecorated_router_have_the_policy_of_the_router_around_it():
    inner, middle, outer = make_router("/inner"), APIRouter(), APIRouter()
    middle.include_router(inner)
    outer.include_router(middle, prefix="/middle")
    cross_origin(**options("outer"))(outer)
    assert_all_served_by("outer", make_app(outer), "/api/middle/inner")


def test_routers_that_are_decorated_after_all_are_included():
    inner, outer = make_router("/inner"), make_router()
    outer.include_router(inner)
    app = make_app(outer)
    cross_origin(**options("inner"))(inner)
    cross_origin(**options("outer"))(outer)
    assert_all_served_by("inner", app, "/api/inner")
    assert_all_served_by("outer", app, "/api")


def test_a_router_included_in_two_routers_has_the_policy_of_each():
    inner = make_router("/inner")
    first = cross_origin(**options("outer"))(APIRouter())
    second = cross_origin(**options("other"))(APIRouter())
    first.include_router(inner, prefix="/first")
    second.include_router(inner, prefix="/second")
    app = make_app(first, second)
    assert_all_served_by("outer", app, "/api/first/inner")
    assert_all_served_by("other", app, "/api/second/inner")


def test_a_router_included_twice_in_one_app_has_its_policy_below_both_prefixes():
    router = cross_origin(**options("inner"))(make_router())
    app = make_app(router)
    app.include_router(router, prefix="/again")
    assert_all_served_by("inner", app, "/api")
    assert_all_served_by("inner", app, "/again")


def test_two_routers_with_the_same_endpoint_have_their_own_policies():
    def shared():
        return "shared"

    first, second, third = APIRouter(), APIRouter(), APIRouter()
    for router in (first, second, third):
        router.add_api_route("/shared", shared)
    cross_origin(**options("inner"))(first)
    cross_origin(**options("other"))(second)
    app = FastAPI()
    install(app, **options("base"))
    for number, router in enumerate((first, second, third)):
        app.include_router(router, prefix=f"/{number}")
    app.get("/shared")(shared)
    found = [served_by(app, path) for path in ("/0/shared", "/1/shared", "/2/shared", "/shared")]
    assert found == ["inner", "other", "base", "base"]


def test_a_route_that_shares_the_endpoint_of_a_router_is_not_one_of_its_routes():
    router = make_router()
    shared = router.routes[1].endpoint
    app = make_app()
    app.post("/items/{number}")(shared)
    cross_origin(**options("inner"))(router)
    assert served_by(app, "/items/1", "POST") == "base"


def test_a_method_that_only_the_app_serves_is_not_one_of_the_router():
    def shared():
        return "shared"

    router = APIRouter()
    router.get("/shared")(shared)
    app = make_app(router)
    app.post("/api/shared")(shared)
    cross_origin(**options("inner"))(router)
    assert served_by(app, "/api/shared") == "inner"
    assert served_by(app, "/api/shared", "POST") == "base"


def test_the_endpoint_decides_before_its_router():
    router = APIRouter()

    @router.get("/own")
    @cross_origin(**options("endpoint"))
    def own():
        return "own"

    @router.websocket("/ws")
    @cross_origin(**options("endpoint"))
    async def ws(websocket: WebSocket):
        await websocket.accept()

    @cross_origin(**options("endpoint"))
    @router.get("/above")
    def above():
        return "above"

    app = make_app(cross_origin(**options("inner"))(router))
    assert served_by(app, "/api/own") == "endpoint"
    assert served_by(app, "/api/above") == "endpoint"
    assert handshakes_of(app, "/api/ws") == ["endpoint"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_route_of_a_router_has_a_policy_of_its_own(when, include_router):
    if when == "after" and (not HAS_TREE or include_router == "copying"):
        pytest.skip("this FastAPI has copied the route")
    router = make_router()
    app = make_app() if when == "before" else make_app(router)
    for route in router.routes:
        if route.path in {"/starlette", "/ws"} or (route.path == "/items/{number}" and "GET" in route.methods):
            cross_origin(**options("route"))(route)
    if when == "before":
        cross_origin(**options("inner"))(router)
        app.include_router(router, prefix="/api")
    assert served_by(app, "/api/items/1") == "route"
    assert served_by(app, "/api/starlette") == "route"
    assert handshakes_of(app, "/api/ws") == ["route"]
    other = "inner" if when == "before" else "base"
    assert served_by(app, "/api/items/1", "POST") == other
    assert handshakes_of(app, "/api/starlette-ws") == [other]


def test_an_exempt_router_is_passed_through():
    router = APIRouter()

    @router.get("/own", response_class=PlainTextResponse)
    def own():
        return PlainTextResponse("own", headers={"access-control-allow-origin": "https://other.example.com"})

    @router.options("/own")
    def own_preflight():
        return PlainTextResponse("", headers={"access-control-allow-origin": "https://other.example.com"})

    cross_origin(**options("inner"))(router)
    app = make_app(cors_exempt(router))
    assert served_by(app, "/api/own") == "other"


def test_the_last_policy_of_a_router_counts_also_for_routes_that_are_included():
    router = cross_origin(**options("inner"))(make_router())
    app = make_app(router)
    assert served_by(app, "/api/items/1") == "inner"
    cross_origin(**options("other"))(router)
    assert_all_served_by("other", app, "/api")


def test_a_router_serves_its_routes_after_every_other_reference_to_it_is_gone():
    router = cross_origin(**options("inner"))(make_router())
    app = make_app(router)
    del router
    gc.collect()
    assert_all_served_by("inner", app, "/api")


def test_an_app_and_its_routers_are_collected():
    router = cross_origin(**options("inner"))(make_router())
    app = make_app(router)
    assert served_by(app, "/api/items/1") == "inner"
    references = weakref.ref(app), weakref.ref(router)
    del app, router
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_the_router_of_an_app_has_a_policy():
    app = make_app(make_router())
    cross_origin(**options("outer"))(app.router)
    assert_all_served_by("outer", app, "/api")
    assert served_by(app, "/plain") == "outer"


def test_a_sub_app_has_a_policy_and_its_routers_have_others():
    sub = FastAPI()
    sub.include_router(cross_origin(**options("inner"))(make_router("/inner")))
    sub.include_router(make_router("/other"))
    app = make_app()
    app.mount("/sub", cross_origin(**options("outer"))(sub))
    assert_all_served_by("inner", app, "/sub/inner")
    assert_all_served_by("outer", app, "/sub/other")


@pytest.mark.parametrize(("root_path", "prefix"), [("/sub", "/inner"), ("/proxied", "/sub/inner")])
def test_a_sub_app_routes_by_its_own_root_path(root_path, prefix):
    """FastAPI replaces the root path of the mount by that of the sub-app."""
    sub = FastAPI()
    sub.root_path = root_path
    sub.include_router(cross_origin(**options("inner"))(make_router(prefix)))
    app = make_app()
    app.mount("/sub", sub)
    assert_all_served_by("inner", app, "/sub/inner")


def test_a_mount_in_a_router_has_the_policy_of_the_router(include_router):
    if not HAS_TREE or include_router == "copying":
        pytest.skip("this FastAPI ignores the mounts of an included router")

    async def mounted(request):
        return PlainTextResponse("mounted")

    router = make_router("/v1")
    router.routes.append(Mount("/mounted", Router([Route("/page", mounted)])))
    own = Mount("/own", Router([Route("/page", mounted)]))
    router.routes.append(own)
    app = make_app(router)
    assert served_by(app, "/api/mounted/page") == "base"
    cross_origin(**options("inner"))(router)
    cross_origin(**options("route"))(own)
    assert served_by(app, "/api/mounted/page") == "inner"
    assert served_by(app, "/api/own/page") == "route"


def test_methods_of_one_path_in_two_routers_have_the_policies_of_each():
    reading, writing = APIRouter(), APIRouter()
    reading.get("/items")(lambda: "read")
    writing.post("/items")(lambda: "write")
    app = make_app(cross_origin(**options("inner"))(reading), cross_origin(**options("other"))(writing))
    assert served_by(app, "/api/items") == "inner"
    assert served_by(app, "/api/items", "POST") == "other"


def test_the_target_of_a_redirect_has_the_policy_of_its_router():
    app = make_app(cross_origin(**options("inner"))(make_router("/v1")))
    assert served_by(app, "/api/v1/starlette/") == "inner"


class VersionRoute(APIRoute):
    """A route that matches one version only, as apps do that have the version in a header."""

    version = b"1"

    def matches(self, scope):
        match, child_scope = super().matches(scope)
        wanted = dict(scope["headers"]).get(b"x-version", b"1")
        return (match, child_scope) if wanted == self.version else (Match.NONE, {})


class OtherVersionRoute(VersionRoute):
    version = b"2"


def test_a_route_class_with_its_own_matches_is_called():
    first, second = APIRouter(route_class=OtherVersionRoute), APIRouter(route_class=VersionRoute)
    for router in (first, second):
        router.get("/items")(lambda: "items")
        router.add_route("/plain", lambda request: PlainTextResponse("plain"))
    app = make_app(cross_origin(**options("other"))(first), cross_origin(**options("inner"))(second))
    assert served_by(app, "/api/items") == "inner"
    assert served_by(app, "/api/plain") == "other"


def test_a_frontend_has_the_policy_of_its_router(tmp_path, include_router):
    if not hasattr(APIRouter, "frontend") or include_router == "copying":
        pytest.skip("this FastAPI has no frontend() of an included router")
    for name in ("app", "inner", "nested"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    inner, outer = APIRouter(prefix="/inner"), APIRouter(prefix="/outer")
    inner.frontend("/", directory=str(tmp_path / "inner"))
    outer.frontend("/", directory=str(tmp_path / "nested"))
    outer.include_router(inner)
    app = make_app(cross_origin(**options("outer"))(outer))
    app.frontend("/", directory=str(tmp_path / "app"))
    assert served_by(app, "/api/outer/index.html") == "outer"
    assert served_by(app, "/api/outer/inner/index.html") == "outer"
    cross_origin(**options("inner"))(inner)
    assert served_by(app, "/api/outer/inner/index.html") == "inner"
    assert served_by(app, "/index.html") == "base"


def test_a_path_without_a_route_has_the_policy_of_the_app():
    app = make_app(cross_origin(**options("inner"))(make_router()))
    assert served_by(app, "/api/nothing") == "base"


def test_a_mount_of_a_router_with_a_policy_stays_as_it_is():
    router = APIRouter(routes=[Mount("/unnamed", Router()), Mount("/named", Router(), name="named")])
    cross_origin(**options("inner"))(router)
    assert [route.name for route in router.routes] == [None, "named"]


class RenamedIncludedRouter(BaseRoute):
    """An included router of a release whose private names have changed."""

    def __init__(self, included):
        self.included = included
        self.original_router = included.original_router

    def matches(self, scope):
        return self.included.matches(scope)

    async def handle(self, scope, receive, send):
        await self.included.handle(scope, receive, send)


def test_the_public_function_lists_the_routes_of_a_release_that_is_not_known(monkeypatch, include_router):
    list_contexts = getattr(fastapi.routing, "iter_route_contexts", None)
    if list_contexts is None or include_router == "copying":
        pytest.skip("this FastAPI has no public function that lists the routes")
    router = make_router()
    app = make_app(router)
    app.router.routes[-1] = RenamedIncludedRouter(app.router.routes[-1])

    def list_renamed(routes):
        return list_contexts([getattr(route, "included", route) for route in routes])

    monkeypatch.setattr(fastapi.routing, "iter_route_contexts", list_renamed)
    assert_all_served_by("base", app, "/api")
    cross_origin(**options("inner"))(router)
    assert_all_served_by("inner", app, "/api")


# -- one endpoint in several apps


def shared_endpoint():
    """An endpoint of a module, which every app below serves."""
    return "shared"


def make_shared_app(name="", when="before"):
    """Return an app that includes a router with the endpoint, and the router, which has a policy if there is a name."""
    app = make_app()
    router = APIRouter()
    router.add_api_route("/shared", shared_endpoint)
    if name and when == "before":
        cross_origin(**options(name))(router)
    app.include_router(router)
    if name and when == "after":
        cross_origin(**options(name))(router)
    return app, router


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_policy_of_a_router_is_not_that_of_another_app(when):
    """Neither of an app without policies for its routers, nor of one with others."""
    gc.collect()  # the routers of earlier tests
    first, second, third = make_shared_app("inner", when), make_shared_app("other", when), make_shared_app()
    found = [served_by(app, "/shared") for app, _ in (first, second, third)]
    assert found == ["inner", "other", "base"]


def test_a_router_that_is_decorated_last_may_be_referred_to_by_no_other_object():
    app, router = make_shared_app("inner", "after")
    reference = weakref.ref(router)
    del router
    gc.collect()
    assert served_by(app, "/shared") == "inner"
    del app
    gc.collect()
    assert reference() is None


def test_an_app_may_be_installed_after_its_routers_are_decorated():
    app = FastAPI()
    router = make_router("/v1")
    app.include_router(router)
    sub = FastAPI()
    sub.include_router(router)
    app.mount("/sub", sub)
    cross_origin(**options("inner"))(router)
    install(app, **options("base"))
    del router
    gc.collect()
    assert_all_served_by("inner", app, "/v1")
    assert_all_served_by("inner", app, "/sub/v1")


def test_a_router_is_forgotten_when_it_is_gone(include_router):
    known = len([*decorated])
    for _ in range(3):
        make_shared_app("inner")
    gc.collect()
    assert len([*decorated]) <= known


def test_a_router_is_decorated_between_two_includes():
    router, outer = make_router("/v1"), make_router()
    outer.include_router(router)
    cross_origin(**options("inner"))(router)
    app = make_app(outer)
    assert_all_served_by("inner", app, "/api/v1")
    assert_all_served_by("base", app, "/api")


@pytest.mark.parametrize("path", ["/items", "/root/items"])
def test_explain_routes_by_the_root_path_of_the_app(path):
    """A proxy may remove it or not."""
    app = FastAPI()
    app.root_path = "/root"
    installation = install(app, **options("base"))
    app.get("/items")(cross_origin(**options("inner"))(shared_endpoint))
    assert served_by(app, path) == "inner"
    assert installation.explain("GET", origin("inner"), path).allowed
