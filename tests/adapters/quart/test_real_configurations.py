"""Lines that real projects have for Quart-CORS, and apps of the wrong kind."""

import dataclasses

import flask
import pytest
from quart import Blueprint, Quart

from asgi_cors import ConfigError, ConfigWarning, Policy
from asgi_cors_quart import CORS, cors
from tests.support.hints import follow, found_in

LOCAL = "http://localhost:3000"
SITE = "https://app.example.com"

ACCEPTED = [
    ("nothing", {}),
    ("any origin", {"allow_origin": "*"}),
    ("one origin with credentials", {"allow_origin": LOCAL, "allow_credentials": True}),
    ("a list", {"allow_origin": [LOCAL, SITE], "allow_methods": ["GET", "POST"], "allow_headers": ["Content-Type"]}),
    ("all names", {"allow_origin": "*", "allow_headers": "*", "allow_methods": "*", "expose_headers": "*"}),
    ("the standard's any header", {"allow_origin": "*", "allow_headers": ["*", "Authorization"]}),
]
WARNED = [
    ("useless headers", {"allow_origin": SITE, "allow_headers": ["Origin", "Access-Control-Allow-Origin", "X-A"]}),
    ("any header and others", {"allow_origin": SITE, "allow_headers": ["*", "X-A"]}),
]
REFUSED = [
    ("any origin with credentials", {"allow_origin": "*", "allow_credentials": True}),
    ("Flask-CORS's name", {"origins": SITE}),
    ("the policy's name", {"allow_origins": SITE}),
    ("a slash at the end", {"allow_origin": f"{SITE}/"}),
    ("a list in one string", {"allow_origin": f"{SITE}, {LOCAL}"}),
    ("headers in one string", {"allow_origin": SITE, "allow_headers": "Origin, Content-Type"}),
]


@pytest.mark.parametrize("options", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_line_of_a_real_project_is_accepted(options):
    assert cors(Quart("app"), **options)


@pytest.mark.parametrize("options", [row[1] for row in WARNED], ids=[row[0] for row in WARNED])
def test_a_line_of_a_real_project_is_accepted_with_warnings(options):
    with pytest.warns(ConfigWarning):
        assert cors(Quart("app"), **options)


@pytest.mark.parametrize("options", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_unsafe_line_is_refused_with_a_hint_that_is_accepted(options):
    """The line is accepted if the user follows each hint, or leaves credentials out."""
    while found := found_in(lambda **given: cors(Quart("app"), **given), **options):
        place, _, option = found[0].option.rpartition(".")
        assert (place, bool(found[0].hint)) == ("cors", True)
        if found[0].code.startswith("credentials-"):
            options = {name: value for name, value in options.items() if name != "allow_credentials"}
        else:
            options = follow(options, dataclasses.replace(found[0], option=option))


@pytest.mark.parametrize(
    ("app", "mistake"),
    [
        (Quart("a").asgi_app, "is not a Quart app, but belongs to <Quart 'a'>. Write {}(app, …) with that app."),
        (flask.Flask("f"), "is a Flask app, which is WSGI, not a Quart app. Write asgi_cors_flask.CORS(app, …), or "),
        (flask.Blueprint("b", "b"), "is not an app. Write {}(app, …)."),
        (
            lambda scope, receive, send: (scope, receive, send),
            "is an ASGI app, not a Quart app. Write CORSMiddleware(app, …).",
        ),
    ],
    ids=["asgi_app", "Flask", "Flask's blueprint", "ASGI"],
)
def test_an_app_of_another_kind_is_refused(app, mistake):
    """The message has the line to write."""
    for name, call in {"CORS": CORS, "cors": cors}.items():
        with pytest.raises(ConfigError) as raised:
            call(app)
        assert mistake.format(name) in str(raised.value)


def test_an_object_with_the_attributes_of_a_quart_app_is_accepted():
    class Duck:
        def __init__(self, app):
            vars(self)["_app"] = app

        def __getattr__(self, name):
            return getattr(self._app, name)

        def __setattr__(self, name, value):
            setattr(self._app, name, value)

    app = Quart("app")
    CORS(Duck(app), allow_origins=SITE)
    assert app.extensions["asgi_cors"].policy.allow_origins == (SITE,)


def test_positional_options_are_refused():
    """The message uses the names of the function. A policy may be the second argument of CORS."""
    with pytest.raises(ConfigError) as raised:
        cors(Blueprint("b", "b"), SITE, ["PUT"])
    assert raised.value.issues[0].hint == f"Write allow_origin='{SITE}', allow_methods=['PUT']."
    for arguments in ([SITE], [Policy(allow_origins=SITE), SITE]):
        with pytest.raises(ConfigError) as raised:
            CORS(Quart("app"), *arguments)
        assert raised.value.issues[0].hint == f"Write allow_origins='{SITE}'."
