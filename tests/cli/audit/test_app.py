"""`audit` of an app: its routes, policies and middlewares."""

import contextlib
import sys
from pathlib import Path

import pytest

from asgi_cors import ConfigWarning
from tests.cli.corpus.raw import PAGE
from tests.support.command_line import Ran, run

APPS = Path(__file__).parents[2] / "support"


def audit(app: str, *arguments: str) -> Ran:
    return run("audit", app, *arguments, "--app-dir", str(APPS), "--json")


def named(ran: Ran) -> dict[str, str]:
    """Return the sentences of the findings by name."""
    return {finding["name"]: finding["sentence"] for finding in ran.json["findings"]}


@pytest.fixture
def app_of(tmp_path, request):
    """Write a module with an app, and return the arguments that name it."""

    def write(source: str) -> list[str]:
        name = f"app_{abs(hash(request.node.name))}"
        (tmp_path / f"{name}.py").write_text(source)
        return [f"{name}:app", "--app-dir", str(tmp_path)]

    return write


def found_in(arguments: list[str], *more: str) -> Ran:
    return run("audit", *arguments, *more, "--json")


def test_an_app_without_known_routes_is_one_route():
    ran = audit("cli_apps:open_to_all")
    assert ran.code == 0
    (route,) = ran.json["routes"]
    assert route == {
        "path": "/*",
        "host": "",
        "listed": False,
        "websocket": False,
        "methods": [],
        "refused_methods": [],
        "served_by": "policy",
        "origins": "every origin",
        "credentials": False,
        "policy": None,
        "csrf_protection": False,
        "csrf_trusted_origins": "",
        "allowed_hosts": False,
        "forged_methods": [],
    }
    assert ran.json["attacks"] == [{"subject": "every origin", "credentials": False, "tried": 0, "got_in": []}]
    assert ran.json["findings"] == []


def test_a_careless_function_is_found_with_the_classes_of_its_mistakes():
    ran = audit("cli_apps:careless")
    (attacked,) = ran.json["attacks"]
    origins = {attack["origin"] for attack in attacked["got_in"]}
    assert {"https://app.example.com.evil.test", "https://evilapp.example.com", "http://app.example.com"} <= origins
    assert {attack["kind"] for attack in attacked["got_in"]} >= {"prefix-suffix-substring", "scheme-downgrade"}
    assert ran.code == 1
    assert "by a lambda" in named(ran)["attack-gets-in"]


def test_no_attack_passes_a_careful_regular_expression():
    ran = audit("cli_apps:by_regex")
    (attacked,) = ran.json["attacks"]
    assert (attacked["got_in"], ran.code) == ([], 0)
    assert attacked["tried"] > 80


def test_a_middleware_outside_and_another_cors_inside_are_found():
    found = named(audit("cli_apps:wrapped"))
    assert found["runs-before"].startswith("cli_apps.Auth runs before the policy")
    assert found["cors-inside"].startswith("cli_apps.OtherCORS sets CORS headers inside of the app: asgi_cors replaces")
    assert set(found) == {"runs-before", "cors-inside"}


def test_a_wsgi_app_is_audited_alike():
    assert audit("cli_apps:under_wsgi").json["routes"][0]["origins"] == PAGE


def test_an_app_without_a_policy_is_found():
    assert set(named(audit("cli_apps:raw"))) == {"no-policy"}


def test_a_wildcard_with_credentials_is_a_note_and_not_a_finding():
    ran = audit("cli_apps:plain")
    assert [note["name"] for note in ran.json["notes"]] == ["trusts-subdomains"]
    assert "policy-unused" not in named(ran)  # the app has no known routes


@pytest.mark.parametrize("app", ["by_tenant", "by_tenant_async", "by_tenant_later"])
def test_a_policy_that_a_function_finds_is_served_at_run_time(app):
    assert audit(f"cli_apps:{app}").json["routes"][0]["served_by"] == "at run time"


def test_an_app_that_wraps_itself_is_audited():
    assert audit("cli_apps:circle").json["kind"] == "ASGI or WSGI app"


def test_an_app_that_is_an_object_is_audited():
    assert audit("cli_apps:around_an_object").json["findings"] == []


def test_a_regular_expression_without_a_route_is_unused(app_of):
    pytest.importorskip("starlette")
    arguments = app_of("""
import re
from starlette.applications import Starlette
from starlette.routing import Route
from asgi_cors import CORSMiddleware
app = Starlette(routes=[Route("/ab", print)])
paths = {re.compile("/a.*"): {"allow_methods": ["PUT"]}, re.compile("/b.*"): {"allow_methods": ["PUT"]}}
app.add_middleware(CORSMiddleware, allow_origins="https://a.test", paths=paths)
""")
    found = named(found_in(arguments))
    assert set(found) == {"policy-unused"}
    assert found["policy-unused"].startswith("paths[re.compile('/b.*')] matches no route")


def test_an_allowed_origin_is_not_a_finding():
    assert run("audit", "cli_apps:open_to_all", "-o", PAGE, "--app-dir", str(APPS)).code == 0


@pytest.mark.parametrize("framework", ["starlette", "fastapi"])
def test_every_route_of_starlette_and_fastapi_is_audited(app_of, framework):
    """Mounts and WebSockets included."""
    pytest.importorskip(framework)
    kind, module = {"starlette": ("Starlette", "applications"), "fastapi": ("FastAPI", "applications")}[framework]
    arguments = app_of(f"""
from {framework}.{module} import {kind}
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, Router, WebSocketRoute
from asgi_cors import CORSMiddleware, Policy
from tests.support.cli_apps import Auth, GZipMiddleware, OPTIONS, OtherCORS

async def view(request): ...

async def mounted(scope, receive, send): ...

routes = [
    Route("/items", view, methods=["GET", "POST"]), Route("/items", view, methods=["PUT"]),
    Route("/items/{{id:int}}", view, methods=["DELETE"]), WebSocketRoute("/ws", view),
    WebSocketRoute("/internal/ws", view), Mount("/public", routes=[Route("/{{name}}", view)]), Mount("/files", mounted),
]
middleware = [Middleware(GZipMiddleware), Middleware(Auth), Middleware(CORSMiddleware, **OPTIONS)]
middleware += [Middleware(OtherCORS), Middleware(GZipMiddleware)]
app = {kind}(routes=routes, middleware=middleware)
""")
    ran = found_in(arguments, "-o", "https://other.example")
    routes = {route["path"]: route for route in ran.json["routes"]}
    assert routes["/items"]["methods"] == ["GET", "POST", "PUT"]
    assert routes["/items"]["refused_methods"] == []
    assert routes["/items/{id:int}"]["refused_methods"] == ["DELETE"]
    assert routes["/public/{name}"]["origins"] == "every origin"
    assert routes["/internal/ws"]["served_by"] == "nothing"
    assert routes["/files/*"]["served_by"] == "policy"
    assert ran.json["kind"] == kind
    found = named(ran)
    assert found["method-refused"].startswith("/items/{id:int}: the routes serve DELETE")
    assert found["websocket-unguarded"].startswith("/internal/ws: any site can open")
    assert found["policy-unused"].startswith("paths['/interal/*'] matches no route")
    assert found["runs-before"].startswith("tests.support.cli_apps.Auth runs before")
    assert found["cors-inside"].startswith("tests.support.cli_apps.OtherCORS sets CORS")
    assert found["origin-refused"].startswith("https://other.example may not read /")
    assert set(found) == {
        "method-refused", "websocket-unguarded", "policy-unused", "runs-before", "cors-inside", "origin-refused",
        "forged-requests-accepted",
    } | ({"attack-gets-in"} & set(found))  # fmt: skip


@pytest.mark.parametrize(
    ("line", "origins"),
    [
        ("app.add_middleware(CORSMiddleware, policy=Policy(allow_origins='https://a.test'))", "https://a.test"),
        ("app.add_middleware(CORSMiddleware, Policy(allow_origins='https://a.test'))", "https://a.test"),
        ("app.add_middleware(CORSMiddleware, Configuration(allow_origins='https://a.test'))", "https://a.test"),
        ("app.state.asgi_cors = Configuration(allow_origins='https://a.test')", "https://a.test"),
        ("app = CORSMiddleware(app, allow_origins='https://a.test')", "https://a.test"),
        ("app.add_middleware(CORSMiddleware, allow_origins=())", "no origin"),
        ("pass", None),
    ],
)
def test_the_policy_of_starlette_is_found_however_it_was_installed(app_of, line, origins):
    pytest.importorskip("starlette")
    arguments = app_of(f"""
from starlette.applications import Starlette
from starlette.routing import Route
from asgi_cors import Configuration, CORSMiddleware, Policy
app = Starlette(routes=[Route("/items", print)])
{line}
""")
    with pytest.warns(ConfigWarning) if "()" in line else contextlib.nullcontext():
        ran = found_in(arguments)
    assert ran.json["routes"][0]["origins"] == origins
    assert ("nothing-allowed" in named(ran)) == (origins == "no origin")


def test_a_second_policy_inside_of_the_first_is_found(app_of):
    pytest.importorskip("starlette")
    arguments = app_of("""
from starlette.applications import Starlette
from asgi_cors import CORSMiddleware
app = Starlette()
app.add_middleware(CORSMiddleware, allow_origins='*')
app.add_middleware(CORSMiddleware, allow_origins='*')
""")
    assert "asgi_cors.CORSMiddleware sets CORS" in named(found_in(arguments))["cors-inside"]


def test_an_invalid_policy_of_add_middleware_is_reported_before_the_app_starts(app_of):
    pytest.importorskip("starlette")
    arguments = app_of("""
from starlette.applications import Starlette
from asgi_cors import CORSMiddleware
app = Starlette()
app.add_middleware(CORSMiddleware, allow_origins='https://a.test/')
""")
    ran = run("audit", *arguments)
    assert ran.code == 2
    assert "will not start, because its CORS policy is not valid: allow_origins: 'https://a.test/' ends" in ran.err


FLASK = """
from flask import Flask
from asgi_cors import Policy, WSGIMiddleware
app = Flask("audited", static_folder=None)
app.add_url_rule("/items/<int:id>", "item", lambda id: "", methods=["GET", "PATCH"])
app.add_url_rule("/sizes/<any(small, large):size>", "size", lambda size: "")
app.add_url_rule("/public/<path:rest>", "public", lambda rest: "")
app.wsgi_app = WSGIMiddleware(
    app.wsgi_app, allow_origins=["https://a.test"],
    paths={"/public/*": Policy(allow_origins="*"), "/sizes/small": {"allow_origins": "https://b.test"}},
)
"""


def test_every_rule_of_flask_is_audited(app_of):
    pytest.importorskip("flask")
    ran = found_in(app_of(FLASK))
    assert {route["path"]: (route["methods"], route["origins"]) for route in ran.json["routes"]} == {
        "/items/<int:id>": (["GET", "PATCH"], "https://a.test"),
        "/public/<path:rest>": (["GET"], "every origin"),
        "/sizes/<any(small, large):size>": (["GET"], "https://b.test"),
    }
    assert set(named(ran)) == {"method-refused"}


def test_a_wsgi_layer_outside_of_the_policy_is_found_if_it_may_respond(app_of):
    pytest.importorskip("flask")
    arguments = app_of(
        FLASK
        + """
class Limiter:
    def __init__(self, wsgi_app):
        self.wsgi_app = wsgi_app
    def __call__(self, environ, start_response):
        return self.wsgi_app(environ, start_response)

from werkzeug.middleware.proxy_fix import ProxyFix
app.wsgi_app = ProxyFix(Limiter(app.wsgi_app))
"""
    )
    assert "Limiter runs before the policy" in named(found_in(arguments))["runs-before"]


def test_flask_cors_is_found_in_an_app_without_a_policy(app_of):
    pytest.importorskip("flask_cors")
    arguments = app_of("""
from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix
app = Flask("audited")
CORS(app)
app.wsgi_app = ProxyFix(app.wsgi_app)
""")
    found = named(found_in(arguments))
    assert "it decides by its own rules" in found["cors-inside"]
    assert set(found) == {"cors-inside", "no-policy"}


def test_an_extension_registers_its_views_before_it_is_inspected(app_of):
    pytest.importorskip("flask")
    arguments = app_of("""
from flask import Flask
from asgi_cors import Configuration
class Extension:
    configuration = Configuration(allow_origins="https://a.test")
    def sync_views(self):
        self.configuration = Configuration(allow_origins="https://b.test")
app = Flask("audited", static_folder=None)
app.add_url_rule("/items", "items", lambda: "")
app.extensions["asgi_cors"] = Extension()
""")
    assert found_in(arguments).json["routes"][0]["origins"] == "https://b.test"


def test_the_flask_adapter_is_found_with_the_policies_of_views(app_of):
    pytest.importorskip("asgi_cors_flask")
    arguments = app_of("""
from flask import Flask
from asgi_cors_flask import CORS, cross_origin
app = Flask("audited", static_folder=None)
CORS(app, origins=["https://a.test"])
@app.get("/own")
@cross_origin(origins=["https://b.test"])
def own(): return ""
@app.get("/base")
def base(): return ""
""")
    origins = {route["path"]: route["origins"] for route in found_in(arguments).json["routes"]}
    assert origins == {"/own": "https://b.test", "/base": "https://a.test"}


def test_the_quart_adapter_is_found_with_the_policies_of_views(app_of):
    pytest.importorskip("asgi_cors_quart")
    arguments = app_of("""
from quart import Quart
from asgi_cors_quart import CORS, route_cors
app = Quart("audited", static_folder=None)
CORS(app, allow_origins=["https://a.test"])
@app.get("/own")
@route_cors(allow_origin=["https://b.test"])
async def own(): return ""
@app.get("/base")
async def base(): return ""
@app.websocket("/ws")
async def ws(): ...
""")
    ran = found_in(arguments)
    origins = {route["path"]: (route["origins"], route["websocket"]) for route in ran.json["routes"]}
    assert origins == {
        "/own": ("https://b.test", False),
        "/base": ("https://a.test", False),
        "/ws": ("https://a.test", True),
    }


def test_nothing_runs_before_the_starlette_adapter(app_of):
    pytest.importorskip("asgi_cors_starlette")
    arguments = app_of("""
from starlette.applications import Starlette
from starlette.middleware import Middleware
from asgi_cors_starlette import install
from tests.support.cli_apps import Auth
app = Starlette(middleware=[Middleware(Auth)])
install(app, allow_origins="https://a.test")
""")
    assert named(found_in(arguments)) == {}


@pytest.mark.parametrize("app", ["careless", "plain", "open_to_all", "by_tenant", "raw", "by_regex"])
def test_the_report_fits_into_80_columns(app):
    out = run("audit", f"cli_apps:{app}", "--app-dir", str(APPS)).out
    assert max(map(len, out.splitlines())) <= 80
    assert "Routes, and the origins that may read them" in out
    assert ("✗" in out) == (app == "careless")
    assert ("no mistake found in the policies" in out) == (app in {"plain", "open_to_all", "by_tenant", "by_regex"})
    assert "nothing to change" not in out  # the routes are not known


def test_the_table_marks_refused_methods_and_names_other_routes(app_of):
    pytest.importorskip("starlette")
    arguments = app_of("""
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from asgi_cors import CORSMiddleware
routes = [Route(f"/r{n}", print, methods=["DELETE"]) for n in range(8)]
app = Starlette(routes=[*routes, WebSocketRoute("/ws", print), Route("/raw", print)])
app.add_middleware(CORSMiddleware, allow_origins="https://a.test", paths={"/raw": None}, check_websockets=False)
""")
    out = run("audit", *arguments).out
    assert "DELETE ✗" in out
    assert "WebSocket" in out
    assert "passed through" in out
    assert "and 2 more: the routes serve DELETE" in " ".join(out.split())


def teardown_module():
    """Forget the modules that the tests imported."""
    for name in [name for name in sys.modules if name.startswith("app_") or name == "cli_apps"]:
        del sys.modules[name]
