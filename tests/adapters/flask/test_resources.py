"""resources and blueprints: which rule serves a path."""

import re

import pytest
from flask import Blueprint, Flask

from asgi_cors import ConfigError, ConfigWarning, Policy
from asgi_cors_flask import CORS, cors_exempt, cross_origin

A, B, C = "https://a.example", "https://b.example", "https://c.example"
OPEN = {"origins": "*"}


def granted(client, path):
    """Return the pages, of three, that may read a path. A preflight must have the same result as the request itself."""
    pages = ""
    for page in (A, B, C):
        responses = [client.get(path, page), client.preflight(path, page)]
        verdicts = {"access-control-allow-origin" in response.cors for response in responses}
        assert len(verdicts) == 1
        pages += page[8] if verdicts == {True} else ""
    return pages


@pytest.mark.parametrize(
    ("resources", "paths"),
    [
        pytest.param("/api/*", {"/api": "a", "/api/": "a", "/api/x/y": "a", "/apixyz": "", "/": ""}, id="a prefix"),
        pytest.param("/it.m*", {"/it.m": "a", "/it.ms/x": "a", "/it": "", "/item": ""}, id="a prefix within a segment"),
        pytest.param(["/x", "/y"], {"/x": "a", "/y": "a", "/x/": "a", "/xy": ""}, id="a list of paths"),
        pytest.param("/x.y", {"/x.y": "a", "/xzy": ""}, id="a path with a dot is not a regex"),
        pytest.param("*", {"/": "a", "/x": "a"}, id="every path"),
        pytest.param("/*", {"/": "a", "/x": "a"}, id="every path, as in Flask-CORS's default"),
        pytest.param(r"/v[12]/.*", {"/v1/x": "a", "/v3/x": "", "/x/v1/x": ""}, id="a regex matches from the first"),
        pytest.param(r"/v\d", {"/v1": "a", "/v1/x": "", "/v12": ""}, id="a regex matches to the last"),
        pytest.param(r"/v[12]/*", {"/v1": "a", "/v2/x": "a", "/v1x": ""}, id="a regex, and all below"),
        pytest.param(r"/v(1|2)|/w/*", {"/v1/x": "a", "/w": "a", "/v1x": ""}, id="alternatives, and all below"),
        pytest.param(re.compile("/v[12]"), {"/v1": "a", "/v1x": ""}, id="a compiled regex"),
        pytest.param(r"/a/.*", {"/a/%0Ab": "a"}, id="the dot of a regex is a newline, too"),
        pytest.param("/café", {"/caf%C3%A9": "a"}, id="as the router sees them"),
        pytest.param({"/b": {"origins": B}, "/a": {}}, {"/a": "a", "/b": "b", "/c": ""}, id="a table"),
        pytest.param(
            {"/*": {}, "/none": None, "/own": Policy(allow_origins=C)},
            {"/x": "a", "/none": "", "/own": "c"},
            id="None passes through, a Policy is itself",
        ),
        pytest.param(
            {"/[a-z0-9-]+/.*": OPEN, "/admin/.*": {"origins": A}},
            {"/public/x": "abc", "/admin/x": "a"},
            id="the longest literal prefix, not the longest text",
        ),
        pytest.param(
            {r"/admin/[a-z]+/[a-z]+/[a-z]+": OPEN, "/admin/users/*": {"origins": A}},
            {"/admin/x/y/z": "abc", "/admin/users/y/z": "a"},
            id="a prefix that spells out more than a regex",
        ),
        pytest.param(
            {"/api(/.*)?": OPEN, "/api": {"origins": A}},
            {"/api": "a", "/api/x": "abc"},
            id="of two that spell out the same, the exact one",
        ),
        pytest.param(
            {"/public/*": OPEN, "/admin/*": {"origins": A}},
            {"/public/../admin/x": "", "/public//x": "abc", "/x/../public/y": ""},
            id="dot segments that would lead to another rule",
        ),
    ],
)
def test_the_most_specific_resource_applies(app, serve, resources, paths):
    """`paths` lists the pages that may read each path. The keywords allow `a`."""
    CORS(app, origins=A, resources=resources)
    client = serve(app)
    assert {path: granted(client, path) for path in paths} == paths


def test_a_path_that_no_resource_matches_is_passed_through(app, serve):
    """The response has no CORS header and no Vary, and a preflight reaches the app."""
    CORS(app, resources={"/api/*": {"origins": A}})
    client = serve(app)
    response = client.preflight("/other", A)
    assert (response.status, response.cors) == (404, {})
    assert client.get("/other", A).cors == {}


@pytest.mark.parametrize("turn", [list, reversed], ids=["as given", "the other way round"])
def test_two_resources_of_equal_rank_must_both_allow(app, serve, turn):
    resources = dict(turn([("/[a-z]+", {"origins": A}), ("/[b-z]+", OPEN)]))
    with pytest.warns(ConfigWarning, match="has the same rank as"):
        CORS(app, resources=resources)
    assert granted(serve(app), "/x") == "a"


@pytest.mark.parametrize("turn", [list, lambda pairs: pairs[::-1]], ids=["one order", "the other"])
@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        pytest.param(r"/\w+/v1/.*", r"/\w+/v1/admin/.*", "/x/v1/admin/x", id="two regexes"),
        pytest.param("/.*", "/.*/private/.*", "/x/private/x", id="a regex of every path"),
        pytest.param("/api*", "/api/*", "/api/x", id="all that begins so, and a prefix"),
        pytest.param("/api(/[a-z]+)?", "/api/*", "/api/x", id="a regex and a prefix"),
        pytest.param("*", "/*", "/x", id="two spellings of every path"),
        pytest.param("/x*", re.compile("/x.*"), "/xy", id="a spelling that comes to a given regex"),
        pytest.param(re.compile(".*"), ".*(?:)", "/x", id="two regexes of every path"),
    ],
)
def test_two_paths_of_equal_rank_must_both_allow(app, serve, turn, first, second, path):
    """Their order does not matter, and the warning names both in the user's own text."""
    resources = dict(turn([(first, {"origins": [A, C]}), (second, {"origins": [A, B]})]))
    with pytest.warns(ConfigWarning) as warned:
        CORS(app, resources=resources)
    assert granted(serve(app), path) == "a"
    (message,) = {str(warning.message) for warning in warned if "rank" in str(warning.message)}
    for path_given in (first, second):
        assert f"resources[{getattr(path_given, 'pattern', path_given)!r}]" in message


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("resources", [["*", "/*"], {"*": {"origins": A}, "/*": {"origins": A}}], ids=["list", "table"])
def test_two_spellings_of_a_path_with_the_same_policy_apply_as_one(app, serve, resources):
    CORS(app, origins=A, resources=resources)
    assert granted(serve(app), "/x") == "a"


def test_paths_of_equal_rank_on_a_blueprint_raise_a_warning(app, serve):
    bp = blueprint("bp", resources={"/bp*": {"origins": [A, B]}, "/bp/*": {"origins": [A, C]}})
    with pytest.warns(ConfigWarning, match=r"resources\['/bp/\*'\]: .*resources\['/bp\*'\]"):
        app.register_blueprint(bp)
    assert granted(serve(app), "/bp/x") == "a"


def test_invalid_resources_leave_the_previous_spellings_in_force(app):
    cors = CORS(app, resources={"/a*": {"origins": A}})
    with pytest.raises(ConfigError):
        cors.reconfigure(resources={"/b*": {"origins": A}, "api/*": {}})
    with pytest.warns(ConfigWarning, match=r"resources\['/b\*'\]"):
        cors.reconfigure(resources={"/b*": {"origins": A}, "/b/*": {"origins": B}})


@pytest.mark.parametrize(
    ("path", "mistake"),
    [
        ("api/*", "resources: 'api/*' is not a valid path: it must begin with a slash, and '*' must be its last"),
        ("}", "resources: '}' is not a valid path: it must begin with a slash"),
        ("a/v[12]", "resources: 'a/v[12]' matches no path: a path begins with a slash. Write re.compile('/a/v[12]')."),
        ("/v[12", "resources: '/v[12' is not a path pattern or a valid regular expression"),
        (7, "resources: 7 is not a string or a regular expression of str."),
        (["/x"], "resources: ['/x'] is not a string or a regular expression of str. Use a string such as"),
        (re.compile(b"/x"), "resources: re.compile(b'/x') is not a string or a regular expression of str."),
    ],
)
def test_an_invalid_path_is_refused(app, path, mistake):
    with pytest.raises(ConfigError) as raised:
        CORS(app, resources=[path])
    assert str(raised.value).startswith(mistake)


def test_credentials_of_a_resource_need_only_its_own_origins(app):
    """The keywords are not a policy by themselves if `resources` are given."""
    cors = CORS(app, supports_credentials=True, resources={"/api/*": {"origins": A}})
    assert cors.explain("GET", A, "/api/x", credentials=True).allowed
    assert cors.explain("GET", A, "/other").allowed is None


# -- blueprints


def blueprint(name, **options):
    found = Blueprint(name, name, url_prefix=f"/{name}")
    CORS(found, **options)
    for path in ("x", "y", "z"):
        found.add_url_rule(f"/{path}", path, lambda: "blueprint", methods=["GET", "PUT"])
    return found


def test_a_blueprint_has_a_policy_if_the_app_has_none(app, serve):
    app.register_blueprint(blueprint("bp", origins=A))
    app.add_url_rule("/x", "x", lambda: "app")
    client = serve(app)
    assert {path: granted(client, path) for path in ("/bp/x", "/x", "/bp/missing")} == {
        "/bp/x": "a",
        "/x": "",
        "/bp/missing": "",
    }


@pytest.mark.parametrize("first", ["app", "blueprint"])
def test_the_policy_of_the_view_then_blueprint_then_app_applies(app, serve, first):
    """The order in which they are bound does not matter. The innermost blueprint counts."""
    outer = blueprint("outer", origins=B)
    inner = Blueprint("inner", "inner", url_prefix="/inner")
    inner.add_url_rule("/x", "x", lambda: "inner", methods=["GET", "PUT"])
    outer.register_blueprint(inner)
    outer.register_blueprint(blueprint("closer", origins=C))
    outer.add_url_rule("/own", "own", cross_origin(origins=A)(lambda: "own"), methods=["GET", "PUT"])
    outer.add_url_rule("/exempt", "exempt", cors_exempt(lambda: "exempt"), methods=["GET", "PUT"])
    steps = {"app": lambda: CORS(app, origins=A), "blueprint": lambda: app.register_blueprint(outer)}
    for step in [first, *(set(steps) - {first})]:
        steps[step]()
    table = {
        "/outer/x": "b",
        "/outer/inner/x": "b",
        "/outer/closer/x": "c",
        "/outer/own": "a",
        "/outer/exempt": "",
        "/missing": "a",
    }
    client = serve(app)
    assert {path: granted(client, path) for path in table} == table


def test_a_blueprint_has_resources_of_its_own(app, serve):
    """They match whole paths, as the app sees them. Other paths are passed through."""
    CORS(app, origins=C)
    app.register_blueprint(blueprint("bp", origins=B, resources={"/bp/x": {}, "/bp/y": {"origins": A}}))
    client = serve(app)
    assert [granted(client, f"/bp/{path}") for path in "xyz"] == ["b", "a", ""]


def test_a_blueprint_registered_twice_has_its_policy_under_both_names(app, serve):
    bp = blueprint("bp", origins=A)
    app.register_blueprint(bp)
    app.register_blueprint(bp, url_prefix="/again", name="again")
    client = serve(app)
    assert (granted(client, "/bp/x"), granted(client, "/again/x")) == ("a", "a")


def test_explain_uses_the_policy_of_a_blueprint(app):
    """At other paths, it uses the app's."""
    cors = CORS(app, origins=A)
    app.register_blueprint(blueprint("bp", origins=B, resources="/bp/x"))
    verdicts = [cors.explain("GET", B, path).allowed for path in ("/bp/x", "/bp/y", "/other")]
    assert verdicts == [True, None, False]


def test_a_blueprint_uses_the_config_of_its_app(app, serve):
    app.config["CORS_ORIGINS"] = [A]
    app.register_blueprint(blueprint("bp"))
    assert granted(serve(app), "/bp/x") == "a"


def test_options_of_the_middleware_are_refused_on_a_blueprint():
    with pytest.raises(ConfigError, match=r"enforce: a blueprint does not have this option. Write it in CORS\(app\)."):
        CORS(Blueprint("bp", "bp"), enforce=True)


def test_a_blueprint_of_two_apps_uses_the_config_of_each(serve):
    """No option of one app applies to the other."""
    bp, first, second = blueprint("bp"), Flask("first"), Flask("second")
    first.config["CORS_ORIGINS"] = A
    for app in (first, second):
        app.register_blueprint(bp)
    assert (granted(serve(first), "/bp/x"), granted(serve(second), "/bp/x")) == ("a", "abc")
