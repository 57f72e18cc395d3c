"""`explain`: the decision of an app that is not started, and apps that can't be inspected."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import Ran, run

PAGE = "https://app.example.com"
APPS = str(Path(__file__).parents[1] / "support")
ALLOWED, BLOCKED, COULD_NOT_RUN = 0, 1, 2


def explain(app: str, *arguments: str) -> Ran:
    return run("explain", app, *arguments, "--app-dir", APPS)


@pytest.mark.parametrize(
    ("arguments", "allowed", "code"),
    [
        (["/items", "-o", PAGE], True, None),
        (["items", "-o", PAGE], True, None),
        (["/items", "-o", PAGE, "-X", "PUT", "-H", "x-id: 7", "-c"], True, None),
        (["/items", "-o", PAGE, "-X", "DELETE"], False, "MethodDisallowedByPreflightResponse"),
        (["/items", "-o", PAGE, "-H", "x-other"], False, "HeaderDisallowedByPreflightResponse"),
        (["/items", "-o", "https://evil.test"], False, "MissingAllowOriginHeader"),
        (["/public/x", "-o", "https://evil.test"], True, None),
        (["/public/x", "-o", PAGE, "-c"], False, "WildcardOriginNotAllowed"),
        (["/internal/x", "-o", PAGE], None, None),
    ],
)
def test_the_policy_of_the_path_decides_the_verdict_and_the_exit_code(arguments, allowed, code):
    ran = explain("cli_apps:plain", *arguments, "--json")
    assert (ran.json["allowed"], ran.json["code"]) == (allowed, code)
    assert ran.code == (BLOCKED if allowed is False else ALLOWED)


def test_the_verdict_holds_as_far_as_this_middleware_decides():
    ran = explain("cli_apps:wrapped", "/items", "-o", PAGE)
    assert ran.code == ALLOWED
    said = " ".join(ran.out.split())
    assert "as far as this middleware decides, the browser lets the page read the response" in said


def test_the_report_names_the_closest_origin_and_the_remedy_in_80_columns():
    ran = explain("cli_apps:open_to_one", "/items", "-o", "http://app.example.com")
    assert ran.code == BLOCKED
    said = " ".join(ran.out.split())
    assert "✗ the browser blocks the response, but the app runs the request MissingAllowOriginHeader" in said
    assert f"Did you mean '{PAGE}'? The origin differs: http, not https." in said
    assert "add 'http://app.example.com' to allow_origins" in said
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("cli_apps:dynamic", "asked at run time"),
        ("cli_apps:by_tenant", "policy_for needs the request itself to find the policy"),
        ("cli_apps:by_tenant_async", "policy_for needs the request itself to find the policy"),
    ],
)
def test_a_decision_at_run_time_is_undecided_and_exits_with_0(app, said):
    ran = explain(app, "/", "-o", PAGE)
    assert ran.code == ALLOWED
    assert "it depends" in ran.out
    assert said in " ".join(ran.out.split())


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        ("https://api.example.com/items?page=1#top", "/items"),
        ("/items?page=1", "/items"),
        ("items#top", "/items"),
        ("/caf%C3%A9", "/café"),
        ("https://user:pw@api.example.com", "/"),
    ],
)
def test_a_url_or_a_path_with_a_query_is_reduced_to_the_path(path, request_):
    assert explain("cli_apps:plain", path, "-o", PAGE, "--json").json["path"] == request_


@pytest.mark.parametrize("url", ["https://[::1/items", "https://api.example.com:port/x"])
def test_an_invalid_url_is_reported(url):
    ran = explain("cli_apps:plain", url, "-o", PAGE)
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "is not a valid path or URL" in ran.err


def test_a_url_that_no_script_requests_is_reported():
    ran = explain("cli_apps:plain", "ftp://api.example.com/items", "-o", PAGE)
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "is neither a path nor an http, https, ws or wss URL." in ran.err


def test_a_page_may_read_its_own_origin():
    ran = explain("cli_apps:plain", f"{PAGE}:443/items", "-o", PAGE, "-X", "DELETE", "--json")
    assert ran.json["allowed"] is True
    assert ran.json["steps"][0]["rule"] == "the page's own origin: browsers apply no CORS"


def test_a_path_with_two_readings_is_refused():
    ran = explain("cli_apps:plain", "/public/../items", "-o", PAGE, "--json")
    assert (ran.json["allowed"], ran.json["code"]) == (False, "AmbiguousPath")
    assert ran.json["remedy"] == "Request the path exactly as its rule spells it."


HANDSHAKES = """
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from asgi_cors import CORSMiddleware

async def view(request): ...

routes = [WebSocketRoute("/ws", view), WebSocketRoute("/free", view), Route("/items", view), Route("/slash/", view)]
app = Starlette(routes=routes)
app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], paths={"/free": None})
"""


@pytest.fixture
def explained(tmp_path):
    """Explain a request to the app with WebSockets."""
    pytest.importorskip("starlette")
    (tmp_path / "handshakes.py").write_text(HANDSHAKES)
    sys.modules.pop("handshakes", None)

    def run_explain(path, *arguments, origin=PAGE):
        return run("explain", "handshakes:app", path, "-o", origin, *arguments, "--app-dir", str(tmp_path))

    yield run_explain
    sys.modules.pop("handshakes", None)


@pytest.mark.parametrize("path", ["/ws", "wss://api.example.com/ws", "/ws?room=1"])
def test_the_path_of_a_websocket_is_explained_as_a_handshake(explained, path):
    allowed, refused = explained(path), explained(path, origin="https://evil.example")
    assert "the page can open the WebSocket" in " ".join(allowed.out.split())
    assert "handshake is refused if the browser has a cookie" in " ".join(allowed.out.split())
    assert (refused.code, "refuses the WebSocket with status 403 HandshakeRefused" in refused.out) == (BLOCKED, True)
    assert [step["check"] for step in explained(path, "-c", "--json").json["steps"]][-1] == "credentials"
    assert explained(path, "-c").code == BLOCKED


def test_a_handshake_without_a_policy_is_not_checked(explained):
    ran = explained("/free", "--json", origin="https://evil.example")
    assert (ran.code, ran.json["allowed"]) == (ALLOWED, True)
    assert ran.json["steps"][-1]["rule"].startswith("no policy checks the handshake: any page can open the WebSocket")


@pytest.mark.parametrize(
    ("path", "arguments", "rule"),
    [
        ("/nowhere", [], "no route of the app serves it, so the response is a 404"),
        ("wss://api.example.com/items", [], "no WebSocket of the app has this path"),
        ("/items/", [], "no route serves it, but one serves '/items': the app redirects there, or responds with 404"),
        ("/slash", [], "no route serves it, but one serves '/slash/': the app redirects there, or responds with 404"),
        ("/items", ["-X", "POST"], "the route serves GET, so the response is an error such as 405"),
    ],
)
def test_a_path_or_method_that_no_route_serves_is_reported(explained, path, arguments, rule):
    assert explained(path, *arguments, "--json").json["steps"][0]["rule"] == rule


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_method_that_the_route_serves_is_not_reported(explained, method):
    assert {step["check"] for step in explained("/items", "-X", method, "--json").json["steps"]} == {
        "origin",
        "method",
        "expose",
    } - ({"expose"} if method == "OPTIONS" else set())


@pytest.mark.parametrize("app", ["cli_apps:make", "cli_apps:make()"])
def test_a_factory_is_called(app):
    arguments = ["--factory"] if app == "cli_apps:make" else []
    assert explain(app, "/items", "-o", PAGE, *arguments).code == ALLOWED


@pytest.mark.parametrize(
    ("app", "line"),
    [
        ("cli_apps", "'cli_apps' does not name an app. Write MODULE:APP, such as main:app."),
        (":app", "does not name an app"),
        ("no_such_module:app", "there is no module 'no_such_module'. Run the command in the folder that holds it"),
        ("cli_apps:nothing", "'cli_apps' has no 'nothing'. It has "),
        ("command_line:nothing", "'command_line' has no 'nothing'."),
        ("cli_apps:number", "'cli_apps:number' is of type int, not an app."),
        ("cli_apps:raw", "the ASGI or WSGI app has no CORS policy of asgi_cors. Write raw = CORSMiddleware(raw, "),
        ("cli_apps.py:raw", "'cli_apps.py' is a file, not a module. Write cli_apps:raw."),
        ("./cli_apps:raw", "'./cli_apps' is a file, not a module. Write cli_apps:raw."),
        ("cli_apps:make_with()", "'cli_apps:make_with()' needs arguments: settings, debug. Write a function that"),
        ("cli_apps:make_async()", "'cli_apps:make_async()' is an async function. Write a function that is not async"),
        ("cli_apps:of_aiohttp", "An aiohttp app is neither ASGI nor WSGI, so asgi_cors can't be installed in it."),
        ("cli_apps:without_signature()", "'cli_apps:without_signature()' fails to create an app: TypeError: "),
        ("cli_apps:has_app", "is of type HasApp, not an app. Write cli_apps:has_app.app()."),
        ("cli_apps:fail()", "'cli_apps:fail()' fails to create an app: RuntimeError: no database ("),
        ("cli_apps:refuse()", "'cli_apps:refuse()' has a CORS policy that is not valid: allow_origins:"),
    ],
)
def test_an_app_that_cannot_be_explained_exits_with_2_and_a_hint(app, line):
    ran = explain(app, "/", "-o", PAGE)
    assert (ran.code, ran.out, ran.err.count("\n")) == (COULD_NOT_RUN, "", 1)
    assert line in ran.err


PROTECTED = """
from asgi_cors import CORSMiddleware
from tests.support.cli_apps import raw

app = CORSMiddleware(
    raw, allow_origins="https://app.example.com", csrf_protection=True, allowed_hosts=["api.example.com"],
    report_only={"allow_origins": "https://new.example.com"}, name="public", paths={"/raw": None},
)
"""


@pytest.fixture
def protected(tmp_path):
    """Explain a request to an app with the options besides CORS."""
    (tmp_path / "protected_app.py").write_text(PROTECTED)

    def run_explain(path, *arguments, origin=PAGE):
        return run("explain", "protected_app:app", path, "-o", origin, *arguments, "--app-dir", str(tmp_path))

    yield run_explain
    sys.modules.pop("protected_app", None)


HOST = ["--host", "api.example.com"]


@pytest.mark.parametrize(
    ("path", "arguments", "origin", "allowed", "code", "reaches_app"),
    [
        ("/x", [*HOST, "-X", "POST"], PAGE, True, None, True),
        ("/x", [*HOST, "-X", "POST"], "https://evil.test", False, "CrossSiteRequest", False),
        ("/x", HOST, "https://evil.test", False, "MissingAllowOriginHeader", True),
        ("/x", [*HOST, "-X", "POST"], "https://api.example.com", True, None, True),
        ("/raw", HOST, "https://api.example.com", True, None, True),
        ("https://api.example.com/x", [], PAGE, True, None, True),
        ("https://evil.test/x", [], PAGE, False, "HostNotAllowed", False),
        ("wss://evil.test/x", [], PAGE, False, "HostNotAllowed", False),
        ("/raw", ["--host", "evil.test"], PAGE, False, "HostNotAllowed", False),
        ("/x", [], PAGE, None, None, None),
    ],
)
def test_the_sender_and_the_host_are_explained(protected, path, arguments, origin, allowed, code, reaches_app):
    ran = protected(path, *arguments, "--json", origin=origin)
    assert (ran.json["allowed"], ran.json["code"], ran.json["reaches_app"]) == (allowed, code, reaches_app)
    assert ran.code == (BLOCKED if allowed is False else ALLOWED)


def test_the_report_has_the_name_and_the_notes(protected):
    said = " ".join(protected("/x", *HOST).out.split())
    assert "✓ policy 'public': it serves the request" in said
    assert "✓ host 'api.example.com': allowed_hosts has it" in said
    assert (
        "· report_only the other policy: would refuse it (MissingAllowOriginHeader), and only the log says so" in said
    )
    notes = [step["check"] for step in protected("/x", *HOST, "--json").json["steps"] if step["note"]]
    assert notes == ["report_only"]


def test_the_report_of_a_handshake_with_another_host_does_not_say_403(protected):
    said = " ".join(protected("wss://evil.test/x").out.split())
    assert "✗ the middleware refuses it, and the app never runs it HostNotAllowed" in said


BROKEN = [
    pytest.param("import no_such_thing", "can't be imported: there is no module 'no_such_thing'.", id="missing import"),
    pytest.param("1 / 0", "can't be imported: ZeroDivisionError: division by zero (", id="an exception"),
    pytest.param("raise SystemExit(3)", "can't be imported: SystemExit: 3 (", id="an exit"),
    pytest.param("import os\nos._exit(0)", "can't be imported: SystemExit: 0 (", id="a silent exit"),
    pytest.param("def (:", "can't be imported: SyntaxError: ", id="a syntax error"),
    pytest.param("def (:", "(failing.py, line 1).", id="the place of a syntax error, once"),
    pytest.param("raise ValueError('x' * 9999)", f"ValueError: {'x' * 500}… (", id="a huge message"),
    pytest.param("from asgi_cors import NoSuchName", "can't be imported: ImportError: cannot import", id="a name"),
    pytest.param("raise BaseException('a\\nb')", "can't be imported: BaseException: a b (", id="a base exception"),
    pytest.param(
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError\nraise Odd",
        "can't be imported: Odd (",
        id="an exception without a text",
    ),
    pytest.param(
        "def __getattr__(name): raise RuntimeError('no database')",
        "can't be inspected: RuntimeError: no database (",
        id="a module that fails later",
    ),
    pytest.param(
        "from asgi_cors import Policy; Policy(allow_origins='https://a.com/')",
        "has a CORS policy that is not valid: allow_origins: 'https://a.com/' ends in a slash",
        id="a policy",
    ),
    pytest.param(
        "from asgi_cors import CORSMiddleware\napp = CORSMiddleware(print, allow_origins='https://a.com/', max_age=-1)",
        "has a CORS policy that is not valid: (1) allow_origins: 'https://a.com/' ends in a slash",
        id="a policy with two mistakes",
    ),
    pytest.param(
        "import logging\nfrom tests.support.cli_apps import plain as app\n"
        "logging.getLogger('asgi_cors').error('the view %r is closed', 'x')",
        "has a mistake in its CORS policies: the view 'x' is closed",
        id="a mistake that is logged",
    ),
    pytest.param("class app: ...", "is a class, not an app. Write failing:app() to call it.", id="a class"),
]
FLASK = "from flask import Flask\nfrom asgi_cors_flask import CORS, cross_origin\napp = Flask('failing')\n"
QUART = "from quart import Quart\nfrom asgi_cors_quart import cors, route_cors\napp = Quart('failing')\n"
FRAMEWORKS = [
    pytest.param("flask", f"{FLASK}CORS(app, origins=['https://a.com/'])", "ends in a slash", id="Flask, an app"),
    pytest.param(
        "flask",
        f"{FLASK}CORS(app, origins=['https://a.com'])\napp.config['CORS_SUPPORTS_CREDENTIALS'] = True\n"
        "@app.get('/')\n@cross_origin(origins='*')\ndef index(): ...",
        "'*'",
        id="Flask, a view",
    ),
    pytest.param(
        "quart",
        f"{QUART}app = cors(app, allow_origin='https://a.com/')",
        "ends in a slash",
        id="Quart, an app",
    ),
    pytest.param(
        "quart",
        f"{QUART}app = cors(app, allow_origin='https://a.com')\n"
        "@app.get('/')\n@route_cors(allow_credentials=None)\nasync def index(): ...\n"
        "app.config['QUART_CORS_ALLOW_CREDENTIALS'] = True",
        "'*'",
        id="Quart, a view",
    ),
    pytest.param(
        "starlette",
        "from starlette.applications import Starlette\nfrom asgi_cors import CORSMiddleware\napp = Starlette()\n"
        "app.add_middleware(CORSMiddleware, allow_origins='https://a.com/')",
        "ends in a slash",
        id="Starlette",
    ),
]


def fail(tmp_path, command, source):
    """Run a command on a module that fails; return its one line."""
    (tmp_path / "failing.py").write_text(source)
    sys.modules.pop("failing", None)
    origin = ["-o", PAGE]
    ran = run(command, "failing:app", *origin, "--app-dir", str(tmp_path))
    sys.modules.pop("failing", None)
    assert (ran.code, ran.out, ran.err.count("\n")) == (COULD_NOT_RUN, "", 1), ran.err
    return ran.err


@pytest.mark.parametrize("command", ["explain", "audit"])
@pytest.mark.parametrize(("source", "line"), BROKEN)
def test_a_module_that_fails_is_reported_in_one_line(tmp_path, command, source, line):
    assert line in fail(tmp_path, command, source)


@pytest.mark.parametrize("command", ["explain", "audit"])
@pytest.mark.parametrize(("framework", "source", "line"), FRAMEWORKS)
def test_an_invalid_policy_of_an_app_or_view_is_reported_in_one_line(tmp_path, command, framework, source, line):
    pytest.importorskip(framework)
    assert line in fail(tmp_path, command, source)


@pytest.mark.parametrize("command", ["explain", "audit"])
def test_ctrl_c_during_the_import_ends_the_command(tmp_path, command):
    (tmp_path / "failing.py").write_text("raise KeyboardInterrupt")
    sys.modules.pop("failing", None)
    assert run(command, "failing:app", "-o", PAGE, "--app-dir", str(tmp_path)).code == 130


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("CORSMiddleware(print, allow_origins=['https://a.com'], max_age=90000)", ["ConfigWarning", "max_age"]),
        ("CORSMiddleware(print, max_age=90000); 1 / 0", []),
    ],
    ids=["an app that is right", "an app that is wrong"],
)
def test_warnings_of_an_app_are_shown_but_not_next_to_an_error(tmp_path, source, words):
    (tmp_path / "warning.py").write_text(f"from asgi_cors import CORSMiddleware\napp = {source}")
    command = [sys.executable, "-m", "asgi_cors", "explain", "warning:app", "-o", PAGE, "--app-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [word for word in words if word not in done.stderr] == []
    assert words or (done.returncode, done.stderr.count("\n")) == (COULD_NOT_RUN, 1)
