"""The routes of Flask and Quart: blueprints, views, converters, hosts, and the apps of a dispatcher."""

import pytest

pytest.importorskip("flask")

IMPORTS = """
from flask import Blueprint, Flask
from flask.views import MethodView
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import BaseConverter, Rule
from asgi_cors import WSGIMiddleware
app = Flask("example", static_folder=None)
"""
INSTALL = "app.wsgi_app = WSGIMiddleware(app.wsgi_app, allow_origins=['https://app.example.com']"


def test_nested_blueprints_and_method_views_are_listed(written):
    app = written(f"""{IMPORTS}
class Items(MethodView):
    def get(self): ...
    def delete(self): ...

inner = Blueprint("inner", __name__, url_prefix="/inner")
inner.add_url_rule("/items", view_func=Items.as_view("items"))
outer = Blueprint("outer", __name__, url_prefix="/outer")
outer.register_blueprint(inner)
app.register_blueprint(outer)
{INSTALL})
""")
    assert app.routes() == {"/outer/inner/items": ["DELETE", "GET"]}
    assert set(app.findings()) == {"method-refused"}


@pytest.mark.parametrize(
    ("rule", "key", "is_used"),
    [
        ("/a/<int:number>", "/a/5", True),
        ("/a/<int:number>", "/a/five", False),
        ("/a/<float:number>", "/a/5.5", True),
        ("/a/<any(one, 'two'):word>", "/a/two", True),
        ("/a/<any(one, two):word>", "/a/six", False),
        ("/a/<string(length=2):word>/b", "/a/xy/*", True),
        ("/a/<path:rest>", "/a/b/c/*", True),
        ("/a/<short:word>", "/a/xy", True),
        ("/a/<short:word>", "/a/xyz", False),
        ("/a/<unset:word>", "/a/xyz", True),
        ("/a/<uuid:word>", "/a/x", False),
    ],
)
def test_a_path_of_the_policy_is_compared_with_the_converters(written, rule, key, is_used):
    app = written(f"""{IMPORTS}
class Short(BaseConverter):
    regex = "[a-z]{{2}}"

class Unset(BaseConverter):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.regex = "[a-z]+"

Unset.regex = None
app.url_map.converters |= {{"short": Short}}
app.url_map.converters |= {{"unset": Unset}}
app.add_url_rule({rule!r}, "view", lambda **_: "")
{INSTALL}, paths={{{key!r}: {{"max_age": 5}}}})
""")
    assert ("policy-unused" in app.findings()) is not is_used


def test_rules_of_a_subdomain_or_host_are_listed_with_it(written):
    app = written(f"""{IMPORTS}
app = Flask("example", static_folder=None, subdomain_matching=True)
app.config["SERVER_NAME"] = "example.com:8080"
app.add_url_rule("/x", "x", lambda: "", subdomain="api")
app.add_url_rule("/y", "y", lambda: "")
app.url_map.add(Rule("/z", endpoint="z", build_only=True))
""")
    assert app.routes() == {"/y": ["GET"], "api.example.com:8080/x": ["GET"]}
    app.write(f"""{IMPORTS}
app = Flask("example", static_folder=None, host_matching=True)
app.add_url_rule("/x", "x", lambda: "", host="api.example.com")
""")
    assert app.routes() == {"api.example.com/x": ["GET"]}


def test_a_rule_without_methods_serves_every_method(written):
    app = written(f"""{IMPORTS}
app.url_map.add(Rule("/x", endpoint="x"))
app.add_url_rule("/o", "o", lambda: "", methods=["OPTIONS"])
""")
    assert app.routes() == {"/x": [], "/o": ["OPTIONS"]}


def test_the_apps_of_a_dispatcher_are_listed_below_their_paths(written):
    app = written(f"""{IMPORTS}
def metrics(environ, start_response): ...

other = Flask("other", static_folder=None)
other.add_url_rule("/y", "y", lambda: "", methods=["PUT"])
app.add_url_rule("/x", "x", lambda: "")
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {{"/metrics": metrics, "/other": other}})
{INSTALL}, paths={{"/metrics/*": {{"max_age": 5}}, "/other/y": {{"allow_methods": ["PUT"]}}}})
""")
    assert app.routes() == {"/metrics/*": [], "/other/y": ["PUT"], "/x": ["GET"]}
    assert app.findings() == {}


def test_websockets_of_quart_are_explained_as_handshakes(written):
    pytest.importorskip("quart")
    app = written("""
from quart import Quart
from asgi_cors import CORSMiddleware
app = Quart("example", static_folder=None)

@app.websocket("/ws/<room>")
async def ws(room): ...

@app.get("/both")
@app.websocket("/both")
async def both(): ...

app.asgi_app = CORSMiddleware(app.asgi_app, allow_origins=["https://app.example.com"])
""")
    assert app.routes()["/ws/<room>"] == ["WebSocket"]
    found = app.explain("/ws/1", origin="https://evil.example")
    assert (found["request"], found["allowed"], found["code"]) == (
        "WebSocket '/ws/1' from 'https://evil.example'",
        False,
        "HandshakeRefused",
    )
    assert app.explain("/both")["request"].startswith("GET ")
    assert app.explain("wss://api.example.com/both")["request"].startswith("WebSocket ")
