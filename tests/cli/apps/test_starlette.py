"""The routes of Starlette: mounts, hosts, endpoints, files and middlewares of single routes."""

import pytest

pytest.importorskip("starlette")

IMPORTS = """
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from asgi_cors import CORSMiddleware, Policy

async def view(request): ...

async def raw(scope, receive, send): ...

class Items(HTTPEndpoint):
    async def get(self, request): ...
    async def delete(self, request): ...

class Socket(WebSocketEndpoint): ...
"""
INSTALL = "app.add_middleware(CORSMiddleware, allow_origins='https://app.example.com'"


def test_the_methods_of_an_endpoint_class_are_its_functions(written):
    app = written(f"""{IMPORTS}
app = Starlette(routes=[Route("/items", Items), WebSocketRoute("/ws", Socket), Route("/raw", type("Raw", (), {{}}))])
{INSTALL})
""")
    assert app.routes() == {"/items": ["DELETE", "GET"], "/raw": [], "/ws": ["WebSocket"]}
    assert set(app.findings()) == {"method-refused"}


def test_nested_routers_and_mounts_are_listed(written):
    app = written(f"""{IMPORTS}
deepest = Router([Route("/", view, methods=["POST"]), WebSocketRoute("/ws", view)])
inner = Starlette(routes=[Mount("/{{tenant}}", deepest), Route("/items/{{number:int}}", view)])
app = Starlette(routes=[Mount("/api", inner), Mount("/other", routes=[Route("/x", Items)])])
""")
    assert app.routes() == {
        "/api/items/{number:int}": ["GET"],
        "/api/{tenant}/": ["POST"],
        "/api/{tenant}/ws": ["WebSocket"],
        "/other/x": ["DELETE", "GET"],
    }


def test_the_routes_of_a_host_are_listed_with_the_host(written):
    app = written(f"""{IMPORTS}
app = Starlette(routes=[Host("{{tenant}}.example.com", Router([Route("/x", view)])), Route("/x", Items)])
{INSTALL}, policy_for=lambda scope: (
    Policy(allow_origins="*") if dict(scope["headers"])[b"host"] == b"x.example.com" else NotImplemented))
""")
    routes = {route["host"]: (route["path"], route["origins"]) for route in app.audit()["routes"]}
    assert routes == {"{tenant}.example.com": ("/x", "every origin"), "": ("/x", "https://app.example.com")}
    assert app.explain("https://x.example.com/x", origin="https://any.example")["allowed"] is True
    assert app.explain("https://api.example.com/x", origin="https://any.example")["allowed"] is False


def test_a_folder_of_files_is_one_row_that_only_serves_get(written, tmp_path):
    app = written(f"""{IMPORTS}
app = Starlette(routes=[Mount("/static", StaticFiles(directory={str(tmp_path)!r}))])
{INSTALL}, paths={{"/static/fonts/*": {{"allow_origins": "*"}}, "/static/a.css": {{"allow_origins": "*"}}}})
""")
    assert app.routes() == {"/static/*": ["GET"]}
    assert app.findings() == {}


def test_an_app_that_cannot_be_listed_is_named_and_never_unused_nor_in_order(written):
    app = written(f"""{IMPORTS}
app = Starlette(routes=[Mount("/legacy", raw), Route("/x", view)])
{INSTALL}, paths={{"/legacy/a/*": {{"allow_origins": "*"}}, "/legacy": {{"max_age": 6}}}})
""")
    ran = app.run("audit")
    assert ran.code == 0
    assert "nothing to change" not in ran.out
    assert "✓ no mistake found in the other parts" in ran.out
    assert "no list of the routes: written_app.raw at /legacy/*" in " ".join(ran.out.split())
    audit = app.audit()
    assert [(route["path"], route["listed"], route["origins"]) for route in audit["routes"]] == [
        ("/legacy/*", False, "https://app.example.com"),
        ("/legacy/a/*", False, "every origin"),
        ("/x", True, "https://app.example.com"),
    ]


def test_a_route_of_an_unknown_class_cannot_be_listed(written):
    app = written(f"""{IMPORTS}
class Own(BaseRoute):
    path = "/own"
    def matches(self, scope): return Match.FULL, {{}}

app = Starlette(routes=[Own()])
{INSTALL}, paths={{"/own/x": {{"max_age": 5}}, "/x": {{"max_age": 6}}}})
""")
    assert app.findings() == {
        "policy-unused": "paths['/x'] matches no route. If the path is mistyped, the base policy serves its routes."
    }


@pytest.mark.parametrize(
    ("key", "is_used"),
    [
        ("'/items/1'", True),
        ("'/items/1/'", True),
        ("'/items/x'", False),
        ("'/items/*'", True),
        ("'/items/1/*'", True),
        ("'/missing/*'", False),
        ("'/t/acme/reports/*'", True),
        ("'/t/acme/report/*'", False),
        ("'/t/*'", True),
        ("'/files/a/b/c/*'", True),
        ("'/file/*'", False),
        ("re.compile(r'/items/[0-9]+')", True),
        ("re.compile(r'/missing/[0-9]+')", False),
        ("re.compile(r'/plain')", True),
        ("re.compile(r'/plai')", False),
        ("re.compile(r'/t/(a|b)cme/reports')", True),
        ("'/v-7/x'", True),
        ("'/v-7/*'", True),
        ("'/w-7/*'", False),
        ("'/weeks/2024-W01'", True),
        ("'/weeks/2024'", False),
    ],
)
def test_a_path_of_the_policy_is_compared_with_the_variables_of_routes(written, key, is_used):
    app = written(f"""{IMPORTS}
import re
class Week(Convertor):
    regex = r"[0-9]{{4}}-W[0-9]{{2}}"
    def convert(self, value): return value
    def to_string(self, value): return value

register_url_convertor("week", Week())
app = Starlette(routes=[
    Route("/items/{{number:int}}", view), Route("/t/{{tenant}}/reports", view), Route("/files/{{rest:path}}", view),
    Route("/plain", view), Route("/v-{{version}}/x", view), Route("/weeks/{{week:week}}", view),
])
{INSTALL}, paths={{{key}: {{"allow_methods": "*"}}}})
""")
    assert ("policy-unused" in app.findings()) is not is_used


def test_a_middleware_that_may_serve_a_path_makes_an_unused_path_a_note(written):
    app = written(f"""{IMPORTS}
class Metrics(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next): ...

app = Starlette(middleware=[Middleware(CORSMiddleware, allow_origins="https://a.test", paths={{"/metrics": None}}),
                            Middleware(TrustedHostMiddleware), Middleware(Metrics)])
""")
    audit = app.audit()
    assert audit["findings"] == []
    assert [(note["name"], note["remedy"]) for note in audit["notes"]] == [
        ("policy-unused", "If written_app.Metrics does not serve the path, correct its spelling.")
    ]


def test_the_policy_of_a_mount_serves_its_routes(written):
    app = written(f"""{IMPORTS}
mine = [Middleware(CORSMiddleware, allow_origins="https://mount.example")]
app = Starlette(routes=[Mount("/a", routes=[Route("/x", view)], middleware=mine), Route("/y", view)])
""")
    assert {route["path"]: (route["served_by"], route["origins"]) for route in app.audit()["routes"]} == {
        "/a/x": ("policy", "https://mount.example"),
        "/y": ("nothing", None),
    }
    assert app.findings() == {}
    assert app.explain("/a/x")["allowed"] is False
    assert app.explain("/y")["allowed"] is None


def test_the_policy_of_one_route_never_gets_its_preflights(written):
    app = written(f"""{IMPORTS}
mine = [Middleware(CORSMiddleware, allow_origins="https://app.example.com", allow_methods=["PUT"])]
app = Starlette(routes=[Route("/x", view, methods=["PUT"], middleware=mine)])
""")
    assert app.findings() == {
        "preflight-not-routed": (
            "/x: the middleware belongs to the route, and the router responds to a preflight with 405 before it runs."
        )
    }


@pytest.mark.parametrize(
    "wrap",
    [
        "app.router = Wrapper(app.router)",
        "app.router.middleware_stack = Wrapper(app.router.middleware_stack)",
        "app = Starlette(); app.mount('', Router([Route('/x', Items)], middleware=[Middleware(Wrapper)]))",
    ],
)
def test_an_app_whose_router_is_wrapped_is_listed(written, wrap):
    app = written(f"""{IMPORTS}
class Wrapper:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send): await self.app(scope, receive, send)

app = Starlette(routes=[Route("/x", Items)])
{wrap}
{INSTALL}, allow_methods=["DELETE"])
""")
    assert app.routes() == {"/x": ["DELETE", "GET"]}
    assert app.findings() == {}


def test_a_router_that_cannot_be_found_is_not_listed(written):
    app = written(f"""{IMPORTS}
app = Starlette(routes=[Route("/x", Items)])
app.router = raw
{INSTALL}, paths={{"/x": {{"max_age": 5}}}})
""")
    assert [(route["path"], route["listed"]) for route in app.audit()["routes"]] == [("/*", False), ("/x", False)]
    assert app.findings() == {}


def test_an_app_that_is_mounted_in_itself_ends(written):
    app = written(f"""{IMPORTS}
app = Starlette(routes=[Route("/x", view)])
app.mount("/again", app)
""")
    assert len(app.routes()) < 20


def test_a_middleware_that_is_a_function_is_followed(written):
    """As asgi-csrf and others do it."""
    app = written(f"""{IMPORTS}
def csrf(app):
    async def checked(scope, receive, send): await app(scope, receive, send)
    return checked

def counted(next_one, count=[0], unset=None):
    async def run(scope, receive, send):
        count[0] += 1
        await next_one(scope, receive, send)
    return run

inner = Starlette(routes=[Route("/x", Items)])
app = CORSMiddleware(counted(csrf(inner)), allow_origins="https://app.example.com", allow_methods=["DELETE"])
""")
    assert app.routes() == {"/x": ["DELETE", "GET"]}


def test_a_middleware_that_stores_its_app_under_an_unusual_name_is_followed(written):
    app = written(f"""{IMPORTS}
class Odd:
    def __init__(self, target): self.the_target = target
    async def __call__(self, scope, receive, send): ...

app = Odd(Starlette(routes=[Route("/x", view)]))
""")
    assert app.routes() == {"/x": ["GET"]}


def test_an_app_without_routes_is_audited(written):
    app = written(f"""{IMPORTS}
app = Starlette()
{INSTALL})
""")
    audit = app.audit()
    assert (audit["routes"], audit["findings"]) == ([], [])
    assert [attacks["subject"] for attacks in audit["attacks"]] == ["https://app.example.com"]


def test_a_websocket_without_a_policy_shows_the_line_to_write(written):
    app = written(f"""{IMPORTS}
app = Starlette(routes=[WebSocketRoute("/ws", view)])
""")
    code = {finding["name"]: finding["code"] for finding in app.audit()["findings"]}
    assert code["websocket-unguarded"].startswith("from asgi_cors_starlette import install\ninstall(app, ")


def test_a_function_whose_variable_is_never_set_ends_the_inspection(written):
    app = written("""
def make():
    async def app(scope, receive, send): await later(scope, receive, send)
    return app
    later = None

app = make()
""")
    assert app.routes() == {"/*": []}


def test_the_policy_of_a_connexion_app_is_found(written):
    """As Connexion 3 stores the middlewares that it will create when it starts."""
    app = written(f"""{IMPORTS}
from functools import partial

class Stack:
    middlewares = [TrustedHostMiddleware, partial(TrustedHostMiddleware), partial(CORSMiddleware, allow_origins="*")]

class App:
    middleware = Stack()
    async def __call__(self, scope, receive, send): ...

app = App()
""")
    assert [route["origins"] for route in app.audit()["routes"]] == ["every origin"]
    assert app.findings() == {}


def test_a_remedy_repeats_the_whole_list_and_never_one_that_is_refused(written):
    app = written(f"""{IMPORTS}
many = [f"https://a{{n}}.example" for n in range(30)]
app = Starlette(routes=[Route("/x", view), Route("/many", view), Route("/by", view)])
{INSTALL}, allow_credentials=True, paths={{
    "/many": {{"allow_origins": many}}, "/by": {{"allow_origins": [lambda origin: False]}}}})
""")
    remedies = {f["sentence"].split()[4]: f for f in app.audit("-o", "https://other.example")["findings"]}
    assert remedies["/x:"]["policy"] == "allow_origins=['https://app.example.com', 'https://other.example']"
    assert remedies["/many:"]["advice"] == remedies["/by:"]["advice"] == "Add 'https://other.example' to allow_origins."
    remedies = {f["sentence"].split()[4]: f for f in app.audit("-o", "http://other.example")["findings"]}
    assert remedies["/x:"]["policy"] == ""
    assert "Serve the page over https" in remedies["/x:"]["advice"]


@pytest.mark.parametrize("package", ["django", "litestar", "falcon", "connexion", "datasette"])
def test_a_framework_without_a_list_of_routes_is_named(written, package):
    name = {"django": "Django", "litestar": "Litestar", "falcon": "Falcon"}.get(package, package.title())
    app = written(f"""
class App:
    app = print  # not followed
    async def __call__(self, scope, receive, send): ...

App.__module__ = "{package}.applications"
app = App()
""")
    ran = app.run("audit")
    assert ran.out.startswith(f"written_app:app ({name})\n")
    assert f"no list of the routes: {name} at /*" in " ".join(ran.out.split())


def test_one_configuration_around_and_in_an_app_is_one_policy(written):
    app = written(f"""{IMPORTS}
from asgi_cors import Configuration
one = Configuration(allow_origins="https://app.example.com")
app = Starlette(routes=[Route("/x", view), Mount("/r", raw), Mount("/r", raw)])
app.add_middleware(CORSMiddleware, one)
app = CORSMiddleware(app, one)
""")
    assert app.findings() == {}


def test_socket_io_is_listed_next_to_the_app_inside(written):
    app = written(f"""{IMPORTS}
class ASGIApp:  # as python-socketio's
    def __init__(self, server, other):
        self.engineio_server, self.other_asgi_app, self.engineio_path = server, other, "/socket.io/"
    async def __call__(self, scope, receive, send): ...

app = CORSMiddleware(ASGIApp(raw, Starlette(routes=[Route("/x", view)])), allow_origins="https://a.test",
                     paths={{"/socket.io/*": {{"max_age": 5}}}})
""")
    assert [(route["path"], route["listed"]) for route in app.audit()["routes"]] == [
        ("/socket.io/*", False),
        ("/x", True),
    ]
    assert app.findings() == {}


def test_a_mount_that_is_an_app_itself_has_its_path(written):
    app = written(f"""{IMPORTS}
api = Router([Route("/x", view)])
app = CORSMiddleware(Starlette(routes=[
    Host("www.example.com", app=Mount("/h", api)), Mount("/m", app=Host("api.example.com", api))
]), allow_origins="https://app.example.com")
bare = CORSMiddleware(Mount("/b", api), allow_origins="https://app.example.com")
""")
    routes = [(route["host"], route["path"]) for route in app.audit()["routes"]]
    assert routes == [("api.example.com", "/m/x"), ("www.example.com", "/h/x")]
    assert [route["path"] for route in app.run("audit", "--json", name="bare").json["routes"]] == ["/b/x"]


WRAPPERS = """
class Timing:
    def __init__(self, downstream):
        self.downstream = downstream
    async def __call__(self, scope, receive, send): ...

class Log:
    def __init__(self, downstream, encode, kind=dict):
        self.downstream, self.encode, self.kind = downstream, encode, kind
    async def __call__(self, scope, receive, send): ...

class Balancer:
    def __init__(self, first, second):
        self.first, self.second = first, second
    async def __call__(self, scope, receive, send): ...

def traced(wrapped):
    async def middleware(scope, receive, send): await wrapped(scope, receive, send)
    return middleware
"""


def test_a_middleware_is_followed_whatever_its_attribute_is_called(written):
    app = written(f"""{IMPORTS}{WRAPPERS}
inside = Starlette(routes=[Route("/x", view)])
app = Log(Timing(traced(CORSMiddleware(inside, allow_origins="https://app.example.com"))), str)
""")
    assert app.routes() == {"/x": ["GET"]}
    assert set(app.findings()) == {"runs-before"}


def test_a_middleware_with_two_apps_is_not_followed_and_no_policy_is_denied(written):
    app = written(f"""{IMPORTS}{WRAPPERS}
inside = CORSMiddleware(Starlette(), allow_origins="https://app.example.com")
app = Balancer(Timing(inside), Timing(inside))
""")
    assert app.routes() == {"/*": []}
    assert app.findings()["no-policy"].startswith("No CORS policy of asgi_cors is found. One that is added when")
