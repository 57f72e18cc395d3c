"""A mounted app with a policy of its own. The WARNING has a line that makes the inner policy the only one."""

import ast
import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware as StarlettesOwn
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from asgi_cors import CORSMiddleware
from tests.support import logs
from tests.support.clients import call_asgi, http_scope
from tests.support.event_loops import run_asyncio

OUTER, INNER = "https://outer.example.com", "https://inner.example.com"


class Copies(BaseHTTPMiddleware):
    """A middleware between the two."""

    async def dispatch(self, request, call_next):
        return await call_next(request)


async def hello(request):
    return PlainTextResponse("hello")


def build(mount, **outer):
    """Mount an app with a policy of its own, between siblings."""
    inner = Starlette(
        routes=[Route("/", hello), Route("/items", hello)], middleware=[Middleware(CORSMiddleware, allow_origins=INNER)]
    )
    routes = [Route("/api/v2", hello), Route("/api/v1x", hello), Route("/apis", hello), Mount(mount, inner)]
    return Starlette(routes=routes, middleware=[Middleware(CORSMiddleware, allow_origins=OUTER, **outer)])


def allows(app, path, origin, root_path):
    scope = http_scope("GET", f"{root_path}{path}", [("origin", origin), ("host", "api.test")], root_path=root_path)
    response = call_asgi(app, scope, run_asyncio)
    assert response.status == 200
    return response.values("access-control-allow-origin") == [origin]


def lines_of(caplog):
    lines = [line for line in logs.lines(caplog) if "two CORS" in line]
    return [re.search(r"paths=(\{.*\})", line)[1] for line in lines]


def line_of(caplog):
    (line,) = lines_of(caplog)
    caplog.clear()
    return ast.literal_eval(line)


def wrapped(**outer):
    """Mount it below two mounts and another middleware, which copies the scope."""
    middle = Starlette(routes=[Mount("/v1", build("/deep"))], middleware=[Middleware(Copies)])
    routes = [Route("/api/v2", hello), Mount("/api", middle)]
    return Starlette(routes=routes, middleware=[Middleware(CORSMiddleware, allow_origins=OUTER, **outer)])


@pytest.mark.parametrize("root_path", ["", "/srv", "/api"])
@pytest.mark.parametrize("mount", ["/api/v1", "/api/v1/", "/deep/est"])
def test_the_line_for_a_mounted_app_applies_its_policy_alone(caplog, mount, root_path):
    """The line names the mount. Siblings have the outer policy."""
    app = build(mount)
    path = f"{mount.rstrip('/')}/items"
    assert [allows(app, path, origin, root_path) for origin in (OUTER, INNER)] == [False, False]
    paths = line_of(caplog)
    assert paths == {f"{mount.rstrip('/')}/*": None}
    app = build(mount, paths=paths)
    assert [allows(app, path, origin, root_path) for origin in (OUTER, INNER)] == [False, True]
    assert [allows(app, path, OUTER, root_path) for path in ("/api/v2", "/api/v1x", "/apis")] == [True] * 3
    assert lines_of(caplog) == []


def test_an_app_mounted_at_the_root_is_passed_through_whole(caplog):
    """The app has no path of its own, so the line is `/*`."""
    app = build("/")
    assert [allows(app, "/items", origin, "") for origin in (OUTER, INNER)] == [False, False]
    paths = line_of(caplog)
    assert paths == {"/*": None}
    assert allows(build("/", paths=paths), "/items", INNER, "")


@pytest.mark.parametrize("root_path", ["", "/srv"])
def test_the_lines_for_nested_mounts_apply_the_innermost_policy_alone(caplog, root_path):
    """Each line is relative to the next outer middleware. Following all leaves only the innermost policy."""
    app = wrapped()
    allows(app, "/api/v1/deep/items", OUTER, root_path)
    first, second = lines_of(caplog)
    assert (first, second) == ("{'/api/v1/*': None}", "{'/api/v1/deep/*': None}")
    caplog.clear()
    app = wrapped(paths=ast.literal_eval(first))
    allows(app, "/api/v1/deep/items", OUTER, root_path)
    assert line_of(caplog) == {"/deep/*": None}
    assert allows(app, "/api/v2", OUTER, root_path)


def test_the_line_for_two_middlewares_around_one_app_applies_the_inner_policy(caplog):
    """Two middlewares around one app are usually a mistake."""
    app = Starlette(routes=[Route("/items", hello)])
    app.add_middleware(CORSMiddleware, allow_origins=INNER)
    app.add_middleware(CORSMiddleware, allow_origins=OUTER)
    assert not allows(app, "/items", INNER, "")
    assert line_of(caplog) == {"/*": None}


def test_the_line_is_correct_if_the_root_path_is_set_between_two_middlewares(caplog):
    """FastAPI(root_path=…) sets it behind a proxy that removes the root path. The outer middleware does not know it."""

    def serve(**outer):
        app = build("/api/v1")
        app.user_middleware.clear()

        async def behind_a_proxy(scope, receive, send):
            scope["root_path"] = "/srv"
            await app(scope, receive, send)

        return CORSMiddleware(behind_a_proxy, allow_origins=OUTER, **outer)

    def send_request(app):
        scope = http_scope("GET", "/api/v1/items", [("origin", INNER), ("host", "api.test")])
        return call_asgi(app, scope, run_asyncio).values("access-control-allow-origin")

    assert send_request(serve()) == []
    paths = line_of(caplog)
    assert paths == {"/api/v1/*": None}
    assert send_request(serve(paths=paths)) == [INNER]


@pytest.mark.parametrize(("kind", "readable"), [(StarlettesOwn, True), (CORSMiddleware, False)], ids=["theirs", "ours"])
def test_nested_policies_must_both_allow_unlike_starlettes(kind, readable):
    """With Starlette's, a page may read a response that either policy allows. See docs/migrating.md."""
    inner = Starlette(routes=[Route("/items", hello)], middleware=[Middleware(kind, allow_origins=[INNER])])
    app = Starlette(routes=[Mount("/api", inner)], middleware=[Middleware(kind, allow_origins=[OUTER])])
    assert [allows(app, "/api/items", origin, "") for origin in (OUTER, INNER)] == [readable, readable]
