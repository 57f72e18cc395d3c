"""`audit`: routes against policies, what stands around the app, and the attacks that get in."""

import contextlib
import json
import re
import sys
from pathlib import Path

import pytest

from asgi_cors import ConfigWarning, CORSMiddleware, Policy
from asgi_cors.cli.apps import installed_in
from asgi_cors.cli.audit.app import _at, _covers, _written
from asgi_cors.cli.audit.attacks import attacks_on, is_sent_by_browsers, targets_of
from tests.cli.corpus.raw import PAGE, echoing, sends
from tests.cli.corpus.serving import serving
from tests.support.command_line import Ran, run

APPS = Path(__file__).parents[1] / "support"
MISCONFIGURATIONS = json.loads((APPS.parent / "data" / "misconfigurations.json").read_text("utf-8"))


def audit(app: str, *arguments: str) -> Ran:
    return run("audit", app, *arguments, "--app-dir", str(APPS), "--json")


def named(ran: Ran) -> dict[str, str]:
    """Give what was found by name, each with its sentence."""
    return {finding["name"]: finding["sentence"] for finding in ran.json["findings"]}


@pytest.fixture
def app_of(tmp_path, request):
    """Write a module with an app, and give its name for the command line."""

    def write(source: str) -> list[str]:
        name = f"app_{abs(hash(request.node.name))}"
        (tmp_path / f"{name}.py").write_text(source)
        return [f"{name}:app", "--app-dir", str(tmp_path)]

    return write


def found_in(arguments: list[str], *more: str) -> Ran:
    return run("audit", *arguments, *more, "--json")


def test_an_app_without_routes_that_it_tells():
    """An app of no framework is one route, and its policies are attacked."""
    ran = audit("cli_apps:open_to_all")
    assert ran.code == 0
    (route,) = ran.json["routes"]
    assert route == {
        "path": "/*",
        "websocket": False,
        "methods": [],
        "refused_methods": [],
        "served_by": "policy",
        "origins": "every origin",
        "credentials": False,
    }
    assert ran.json["attacks"] == [{"subject": "every origin", "credentials": False, "tried": 0, "got_in": []}]
    assert ran.json["findings"] == []


def test_a_careless_function_is_found_out():
    """Attacks that a function lets in are told, the classes of the mistakes named."""
    ran = audit("cli_apps:careless")
    (attacked,) = ran.json["attacks"]
    origins = {attack["origin"] for attack in attacked["got_in"]}
    assert {"https://app.example.com.evil.test", "https://evilapp.example.com", "http://app.example.com"} <= origins
    assert {attack["kind"] for attack in attacked["got_in"]} >= {"prefix-suffix-substring", "scheme-downgrade"}
    assert ran.code == 1
    assert "by a callable" in named(ran)["attack-gets-in"]


def test_a_careful_expression_withstands():
    """Nothing gets in where the expression is right."""
    ran = audit("cli_apps:by_regex")
    (attacked,) = ran.json["attacks"]
    assert (attacked["got_in"], ran.code) == ([], 0)
    assert attacked["tried"] > 80


def test_what_stands_around():
    """A middleware outside of ours and another library's CORS inside are found; the app itself is neither."""
    found = named(audit("cli_apps:wrapped"))
    assert found["runs-before"].startswith("cli_apps.Auth runs before the policy")
    assert found["cors-inside"].startswith("cli_apps.OtherCORS sets CORS inside of the app: asgi_cors replaces")
    assert set(found) == {"runs-before", "cors-inside"}


def test_under_wsgi():
    """A WSGI app is looked at alike."""
    assert audit("cli_apps:under_wsgi").json["routes"][0]["origins"] == PAGE


def test_no_policy():
    """An app without a policy of ours is told how to get one."""
    assert set(named(audit("cli_apps:raw"))) == {"no-policy"}


def test_subdomains_are_noted():
    """A wildcard with credentials is no mistake, but worth a note."""
    ran = audit("cli_apps:plain")
    assert [note["name"] for note in ran.json["notes"]] == ["trusts-subdomains"]
    assert "policy-unused" not in named(ran)  # without routes nobody can tell


@pytest.mark.parametrize("app", ["by_tenant", "by_tenant_async", "by_tenant_later"])
def test_at_run_time(app):
    """Where a function finds the policy, the table says so."""
    assert audit(f"cli_apps:{app}").json["routes"][0]["served_by"] == "at run time"


def test_an_app_that_wraps_itself():
    """A circle of wrappers is left."""
    assert audit("cli_apps:circle").json["kind"] == "ASGI or WSGI app"


def test_an_object_that_wraps_nothing():
    """An app that is an object is the app."""
    assert audit("cli_apps:around_an_object").json["findings"] == []


def test_paths_by_expression():
    """A path may be a regular expression."""
    pattern = re.compile("/a.*")
    assert _covers(pattern, "/ab")
    assert not _covers(pattern, "/b")
    assert _written(pattern) == "re.compile('/a.*')"
    assert _at(installed_in(CORSMiddleware(print, allow_origins="*")), pattern) is None


def test_an_origin_that_gets_through():
    """--origin finds nothing where the origin is allowed."""
    assert run("audit", "cli_apps:open_to_all", "-o", PAGE, "--app-dir", str(APPS)).code == 0


@pytest.mark.parametrize("framework", ["starlette", "fastapi"])
def test_starlette(app_of, framework):
    """Each route of Starlette and FastAPI: its methods, its policy, mounts and WebSockets included."""
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
    assert found["method-refused"].startswith("/items/{id:int}: DELETE is served")
    assert found["websocket-unguarded"].startswith("/internal/ws: any site may open")
    assert found["policy-unused"].startswith("paths['/interal/*'] serves no route")
    assert found["runs-before"].startswith("tests.support.cli_apps.Auth runs before")
    assert found["cors-inside"].startswith("tests.support.cli_apps.OtherCORS sets CORS")
    assert found["origin-refused"].startswith("https://other.example may not read /")
    assert set(found) == {
        "method-refused", "websocket-unguarded", "policy-unused", "runs-before", "cors-inside", "origin-refused",
    } | ({"attack-gets-in"} & set(found))  # fmt: skip


@pytest.mark.parametrize(
    ("written", "origins"),
    [
        ("app.add_middleware(CORSMiddleware, policy=Policy(allow_origins='https://a.test'))", "https://a.test"),
        ("app.add_middleware(CORSMiddleware, Policy(allow_origins='https://a.test'))", "https://a.test"),
        ("app.add_middleware(CORSMiddleware, Configuration(allow_origins='https://a.test'))", "https://a.test"),
        ("app.state.asgi_cors = Configuration(allow_origins='https://a.test')", "https://a.test"),
        ("app = CORSMiddleware(app, allow_origins='https://a.test')", "https://a.test"),
        ("app.add_middleware(CORSMiddleware, allow_origins=())", "nobody"),
        ("pass", None),
    ],
)
def test_how_starlette_was_given_a_policy(app_of, written, origins):
    """However the policy came around the app, it is found."""
    pytest.importorskip("starlette")
    arguments = app_of(f"""
from starlette.applications import Starlette
from starlette.routing import Route
from asgi_cors import Configuration, CORSMiddleware, Policy
app = Starlette(routes=[Route("/items", print)])
{written}
""")
    with pytest.warns(ConfigWarning) if "()" in written else contextlib.nullcontext():
        ran = found_in(arguments)
    assert ran.json["routes"][0]["origins"] == origins
    assert ("nothing-allowed" in named(ran)) == (origins == "nobody")


def test_ours_twice_in_starlette(app_of):
    """A second policy inside of the first is named."""
    pytest.importorskip("starlette")
    arguments = app_of("""
from starlette.applications import Starlette
from asgi_cors import CORSMiddleware
app = Starlette()
app.add_middleware(CORSMiddleware, allow_origins='*')
app.add_middleware(CORSMiddleware, allow_origins='*')
""")
    assert "asgi_cors.CORSMiddleware sets CORS" in named(found_in(arguments))["cors-inside"]


def test_a_policy_that_starlette_would_refuse_later(app_of):
    """add_middleware keeps a wrong policy until the app serves; the audit tells now."""
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


def test_flask(app_of):
    """Each rule of Flask's map, with a path that it matches, under a WSGIMiddleware."""
    pytest.importorskip("flask")
    ran = found_in(app_of(FLASK))
    assert {route["path"]: (route["methods"], route["origins"]) for route in ran.json["routes"]} == {
        "/items/<int:id>": (["GET", "PATCH"], "https://a.test"),
        "/public/<path:rest>": (["GET"], "every origin"),
        "/sizes/<any(small, large):size>": (["GET"], "https://b.test"),
    }
    assert set(named(ran)) == {"method-refused"}


def test_flask_behind_another_wsgi_layer(app_of):
    """A WSGI layer outside of the policy is found, one that answers nothing by itself isn't told."""
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


def test_flask_cors_instead_of_ours(app_of):
    """Flask-CORS in an app without ours is named, and no middleware is called early."""
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
    assert "it decides by rules of its own" in found["cors-inside"]
    assert set(found) == {"cors-inside", "no-policy"}


@pytest.mark.parametrize(
    "refresh",
    ["def sync_views(self): self.synced = True", "views = type('Views', (), {'sync': lambda self, _: None})()", ""],
)
def test_an_extension(app_of, refresh):
    """Whatever stands as app.extensions["asgi_cors"] is asked for its configuration, its views taken in first."""
    pytest.importorskip("flask")
    arguments = app_of(f"""
from flask import Flask
from asgi_cors import Configuration
class Extension:
    configuration = Configuration(allow_origins="https://a.test")
    {refresh or "pass"}
app = Flask("audited", static_folder=None)
app.add_url_rule("/items", "items", lambda: "")
app.extensions["asgi_cors"] = Extension()
""")
    assert found_in(arguments).json["routes"][0]["origins"] == "https://a.test"


def test_the_flask_adapter(app_of):
    """What `CORS(app)` installs is found, views' own policies included."""
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


def test_the_quart_adapter(app_of):
    """The same of Quart, WebSockets included."""
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


def test_the_starlette_adapter(app_of):
    """`install` stands outside of all middleware: nothing runs before it."""
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
def test_for_people(app):
    """The table, the attacks and the findings fit into 80 columns."""
    out = run("audit", f"cli_apps:{app}", "--app-dir", str(APPS)).out
    assert max(map(len, out.splitlines())) <= 80
    assert "Routes, and what pages of other origins may do there" in out
    assert ("✗" in out) == (app == "careless")
    assert ("nothing to change" in out) == (app in {"plain", "open_to_all", "by_tenant", "by_regex"})


def test_a_table_for_people(app_of):
    """Refused methods are marked, WebSockets and what is passed through are told apart."""
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
    assert "untouched" in out
    assert "and 2 more: DELETE is" in " ".join(out.split())


# -- a live URL


def test_a_live_url_that_withstands():
    """No attack gets in where origins are compared whole."""
    with serving(echoing(lambda origin: origin == PAGE)) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    (attacked,) = ran.json["attacks"]
    assert (ran.code, ran.json["findings"], attacked["got_in"]) == (0, [], [])
    assert attacked["tried"] > 15


def test_a_live_url_that_lets_attackers_in():
    """Every origin that gets in is named, with what it gets."""
    with serving(echoing(lambda origin: origin.startswith(PAGE))) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    (attacked,) = ran.json["attacks"]
    assert f"{PAGE}.evil.test" in {attack["origin"] for attack in attacked["got_in"]}
    assert (ran.code, list(named(ran))) == (1, ["compares-by-prefix"])
    with serving(echoing(lambda _: True, credentials=False)) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    assert {attack["rule"] for attack in ran.json["attacks"][0]["got_in"]} == {"without credentials"}


def test_a_live_url_that_breaks_off():
    """An attack without an answer gets nobody in."""

    def answer(asked):
        if "evil" in asked.origin:
            raise ConnectionResetError
        return sends(200, ("Access-Control-Allow-Origin", PAGE))(asked)

    with serving(answer) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    assert ran.code == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "audit takes MODULE:APP or --url URL"),
        (["cli_apps:plain", "--url", "https://a.test"], "audit takes MODULE:APP or --url URL"),
        (["--url", "https://a.test"], "audit --url takes --origin"),
    ],
)
def test_what_cannot_be_audited(arguments, line):
    """One line that says what to write."""
    ran = run("audit", *arguments)
    assert ran.code == 2
    assert line in ran.err


# -- the attacks

POLICIES = ('origins=["https://example.com"]', "probe against exact", 'origins=["https://*.ex', "exact custom")
ON_EXAMPLE = [
    case
    for case in MISCONFIGURATIONS
    if case["kind"] == "request"
    and case["secure_answer"].startswith("no Access-Control-Allow-Origin")
    and case["config_idea"].startswith(POLICIES)
    and case["origin_probe"].isascii()
    and len(case["origin_probe"]) < 200
]  # fmt: skip


@pytest.mark.parametrize("case", ON_EXAMPLE, ids=lambda case: case["id"])
def test_every_known_attack_is_made(case):
    """The attacks on https://example.com and below are those of the list of misconfigurations."""
    made = {origin for _, origin in attacks_on("https://example.com")} | {"https://example.com"}
    assert case["origin_probe"] in made


def test_attacks_on_other_forms():
    """An origin with a port, or an IPv6 address, is taken apart rightly."""
    assert ("scheme-downgrade", "ws://localhost:3000") in attacks_on("http://localhost:3000")
    assert ("trailing-dot", "http://[::1].") in attacks_on("http://[::1]:3000")


def test_what_is_attacked():
    """Each entry that is a text gives a target, its wildcards filled in."""
    policy = Policy(allow_origins=["https://*.a.test", "http://localhost:*", lambda _: False])
    assert list(targets_of(policy)) == ["https://a.a.test", "http://localhost:3000"]
    assert list(targets_of(Policy(allow_origins="*"))) == []


@pytest.mark.parametrize(
    ("origin", "sent"),
    [("null", True), ("https://a.test", True), ("https://a.test/", False), ("tauri://a", False), ("Null", False)],
)
def test_what_browsers_send(origin, sent):
    """Only what a page can have as its origin counts as dangerous."""
    assert is_sent_by_browsers(origin) == sent


def teardown_module():
    """Forget the modules that were imported for the tests."""
    for name in [name for name in sys.modules if name.startswith("app_") or name == "cli_apps"]:
        del sys.modules[name]
