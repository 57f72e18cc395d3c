"""Lines that real projects have for Flask-CORS, apps of the wrong kind, and keys that Flask-CORS no longer reads."""

import re
import warnings

import pytest
from flask import Blueprint, Flask, current_app

from asgi_cors import ConfigError, ConfigWarning
from asgi_cors_flask import CORS, asgi_app, cross_origin
from tests.support.hints import follow, found_in

LOCAL = ["http://localhost:3000", "http://127.0.0.1:5173"]
SITE = "https://app.example.com"
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
HEADERS = ["Content-Type", "Authorization", "X-Requested-With"]

# The subject of the line, its keywords, and the app's config.
ACCEPTED = [
    ("nothing", {}, {}),
    ("any origin below a path", {"resources": {r"/api/*": {"origins": "*"}}}, {}),
    ("any origin everywhere", {"resources": {r"/*": {"origins": "*"}}}, {}),
    ("one star for all paths", {"resources": {r"*": {"origins": SITE, "supports_credentials": True}}}, {}),
    ("local servers below a path", {"resources": {r"/api/*": {"origins": LOCAL}}, "supports_credentials": True}, {}),
    ("origins with credentials", {"origins": LOCAL, "supports_credentials": True}, {}),
    (
        "everything named",
        {"origins": LOCAL, "methods": METHODS, "allow_headers": HEADERS, "supports_credentials": True},
        {},
    ),
    (
        "credentials off",
        {"origins": ["*"], "supports_credentials": False, "methods": METHODS, "allow_headers": HEADERS},
        {},
    ),
    ("exposed headers", {"origins": LOCAL, "expose_headers": ["Content-Type", "Authorization"]}, {}),
    (
        "all in one resource",
        {
            "resources": {
                r"/*": {"origins": LOCAL, "methods": METHODS, "allow_headers": HEADERS, "supports_credentials": True}
            }
        },
        {},
    ),
    ("an age", {"resources": {r"/api/*": {"origins": ["*"], "methods": METHODS, "max_age": 3600}}}, {}),
    ("a regex of origins", {"origins": [r"https://.*\.example\.com", SITE]}, {}),
    ("a compiled regex", {"origins": re.compile(r"https://[a-z]+\.example\.com")}, {}),
    ("any header", {"allow_headers": "*"}, {}),
    ("the standard's any header", {"allow_headers": ["*", "Authorization"]}, {}),
    ("the config", {}, {"CORS_ORIGINS": SITE, "CORS_SUPPORTS_CREDENTIALS": True}),
    ("headers as one string of one", {"allow_headers": "Content-Type"}, {}),
    ("exposed headers as one string", {"expose_headers": "X-A, X-B"}, {}),
    ("methods as one string", {"methods": "GET, POST"}, {}),
]
WARNED = [
    (
        "any header and others",
        {"resources": {r"/api/*": {"origins": "*"}}, "allow_headers": ["*", "Authorization", "X-A"]},
    ),
    (
        "Origin and Access-Control-Allow-Origin",
        {"allow_headers": ["Origin", "Content-Type", "Access-Control-Allow-Origin"]},
    ),
    ("Set-Cookie", {"origins": LOCAL, "supports_credentials": True, "allow_headers": ["Set-Cookie", "Content-Type"]}),
    ("send_wildcard", {"send_wildcard": True}),
]
REFUSED = [
    ("credentials without origins", {"supports_credentials": True}),
    ("any origin with credentials", {"origins": "*", "supports_credentials": True}),
    ("any path and origin with credentials", {"resources": {r"/*": {"origins": "*"}}, "supports_credentials": True}),
    ("a slash at the end", {"origins": f"{SITE}/"}),
    ("a list in one string", {"origins": f"{SITE}, https://b.example.com"}),
    ("a variable that is not set", {"origins": None}),
    ("a variable that is empty", {"origins": ""}),
    ("headers as one string", {"allow_headers": "Content-Type, Authorization"}),
    ("headers as one string, with Origin", {"allow_headers": "Origin, Content-Type"}),
    ("origin", {"origin": SITE}),
    ("allow_origin", {"allow_origin": SITE}),
    ("credentials as a text", {"origins": SITE, "supports_credentials": "true"}),
    ("a scheme that is missing", {"origins": ["localhost:3000"]}),
    ("any origin and another", {"origins": [SITE, "*"]}),
    ("TRACE", {"methods": [*METHODS, "TRACE"]}),
    ("any exposed header with credentials", {"origins": SITE, "expose_headers": "*", "supports_credentials": True}),
    ("http with credentials", {"origins": "http://front.example.com", "supports_credentials": True}),
    ("automatic_options as a text", {"automatic_options": "yes"}),
]


def policy_of(config=None, **options):
    app = Flask("app")
    app.config.update(config or {})
    return CORS(app, **options).policy


@pytest.mark.parametrize(("options", "config"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_line_of_a_real_project_is_accepted(options, config):
    """The line works as it is. Only a regex may raise a warning."""
    assert policy_of(config, **options)


@pytest.mark.parametrize("options", [row[1] for row in WARNED], ids=[row[0] for row in WARNED])
def test_a_line_of_a_real_project_is_accepted_with_warnings(options):
    with pytest.warns(ConfigWarning):
        assert policy_of(**options)


@pytest.mark.parametrize("options", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_unsafe_line_is_refused_with_a_hint_that_is_accepted(options):
    """The line is accepted if the user follows each hint, or leaves credentials out. No hint allows every origin."""
    names_origins = "*" not in str(options) and "origin" in str(options)
    while found := found_in(policy_of, **options):
        assert all(issue.hint for issue in found)
        if found[0].code.startswith("credentials-"):
            options = {name: value for name, value in options.items() if name != "supports_credentials"}
        else:
            options = follow(options, found[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        assert policy_of(**options).allow_origins != "*" or not names_origins


# -- dead keys of the config

DEAD = {"CORS_HEADERS": "Content-Type"}


def test_a_dead_key_raises_a_warning():
    """The best-known snippet has it. It has no effect, and is not a misspelt list of origins."""
    with pytest.warns(ConfigWarning, match=r"^CORS_HEADERS: Flask-CORS has not read this key .* Delete it\.$"):
        assert policy_of(DEAD) == policy_of()


def test_a_dead_key_does_not_hide_an_unknown_one():
    found = found_in(policy_of, config={**DEAD, "CORS_ORIGIN": SITE})
    assert [issue.option for issue in found] == ["CORS_ORIGIN"]


def test_a_dead_key_does_not_break_a_view():
    """It may be set after `CORS(app)`. Decorated views still work."""
    app = Flask("app")
    CORS(app)
    app.config.update(DEAD)

    @app.get("/")
    @cross_origin()
    def view():
        return "hello"

    response = app.test_client().get("/", headers={"origin": SITE})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "*")


# -- apps of the wrong kind


class Quart:
    __module__ = "quart.app"

    async def __call__(self, scope, receive, send): ...


class Wrapper:
    """An app such as connexion's, with the Flask app as an attribute."""

    def __init__(self):
        self.app = Flask("inner")


@pytest.mark.parametrize(
    ("app", "mistake"),
    [
        (Flask("a").wsgi_app, "is not a Flask app, but belongs to <Flask 'a'>. Write CORS(app, …) with that app."),
        (Wrapper(), "is not a Flask app, but belongs to <Flask 'inner'>. Write CORS(app, …) with that app."),
        (Quart(), "is a Quart app, which is ASGI, not a Flask app. Write asgi_cors_quart.CORS(app, …), or "),
        (
            lambda environ, start_response: (environ, start_response),
            "is a WSGI app, not a Flask app. Write WSGIMiddleware(app, …).",
        ),
        ("main", "app: 'main' is not an app. Write CORS(app, …)."),
    ],
    ids=["wsgi_app", "a wrapper", "Quart", "WSGI", "a name"],
)
def test_an_app_of_another_kind_is_refused(app, mistake):
    """The message has the line to write. `init_app` and `asgi_app` check the app, too."""
    for call in (CORS, CORS().init_app):
        with pytest.raises(ConfigError) as raised:
            call(app)
        assert mistake in str(raised.value)
    with pytest.raises(ConfigError, match="app"):
        asgi_app(app)


def test_a_proxy_and_a_blueprint_are_apps():
    """A proxy of an app is accepted, and so is any object with the attributes of an app."""
    app = Flask("app")
    with app.app_context():
        CORS(current_app, origins=SITE)
    assert app.extensions["asgi_cors"].policy.allow_origins == (SITE,)
    assert CORS(Blueprint("blue", __name__), origins=SITE)


def test_an_object_with_the_attributes_of_a_flask_app_is_accepted():
    class Duck:
        def __init__(self, app):
            self._app = app

        def __getattr__(self, name):
            return getattr(self._app, name)

    app = Flask("app")
    CORS(Duck(app), origins=SITE)
    assert app.extensions["asgi_cors"].policy.allow_origins == (SITE,)


def test_positional_options_are_refused():
    """The message uses the names of Flask-CORS."""
    with pytest.raises(ConfigError) as raised:
        CORS(Flask("app"), [SITE], ["PUT"])
    assert raised.value.issues[0].hint == f"Write origins=['{SITE}'], methods=['PUT']."


def test_an_option_name_that_is_not_a_string_is_unknown():
    with pytest.raises(ConfigError, match="there is no option of this name"):
        policy_of(resources={"/a": {5: 1}})


def test_a_regex_that_is_nested_too_deep_is_refused():
    """Without a RecursionError."""
    with pytest.raises(ConfigError):
        policy_of(resources={"/(" + "(" * 5000: {}})
