"""`cors`, `route_cors` and the configuration, by the names of Quart-CORS. The innermost policy applies alone."""

import re
from datetime import timedelta

import pytest
from quart import Blueprint, Quart
from quart.views import MethodView

from asgi_cors import ConfigError
from asgi_cors_quart import cors, cors_exempt, route_cors, websocket_cors

APP, BLUEPRINT, INNER, ROUTE = (f"https://{name}.example.com" for name in ("app", "blueprint", "inner", "route"))
EVIL = "https://evil.example.net"
VARY = {"vary": "Origin"}


def only(origin):
    return {"access-control-allow-origin": origin, **VARY}


def hello():
    """Return a new view, because a decorator notes its wrapper on the view."""

    async def hello():
        return "hello"

    return hello


@pytest.fixture
def app():
    """An app with policies of the app, a blueprint, a nested blueprint, and routes of each."""
    app = cors(Quart(__name__), allow_origin=APP)
    blueprint = cors(Blueprint("blue", __name__, url_prefix="/blue"), allow_origin=[BLUEPRINT])
    inner = cors(Blueprint("inner", __name__, url_prefix="/inner"), allow_origin={INNER})
    plain = Blueprint("plain", __name__, url_prefix="/plain")
    for place in (app, blueprint, inner, plain):
        place.route("/", endpoint="index")(hello())
        place.route("/own", endpoint="own")(route_cors(allow_origin=ROUTE)(hello()))
        place.route("/exempt", endpoint="exempt")(cors_exempt(route_cors()(hello())))
    blueprint.register_blueprint(inner)
    blueprint.register_blueprint(plain)
    app.register_blueprint(blueprint)
    return app


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        pytest.param("/", APP, id="the app's, for a view without a policy"),
        pytest.param("/missing", APP, id="the app's, for a missing path"),
        pytest.param("/own", ROUTE, id="the route's before the app's"),
        pytest.param("/blue/", BLUEPRINT, id="the blueprint's before the app's"),
        pytest.param("/blue/own", ROUTE, id="the route's before the blueprint's"),
        pytest.param("/blue/inner/", INNER, id="the inner blueprint's before the outer's"),
        pytest.param("/blue/inner/own", ROUTE, id="the route's before both blueprints'"),
        pytest.param("/blue/plain/", BLUEPRINT, id="the outer blueprint's, if the inner has none"),
        pytest.param("/blue/inner/exempt", None, id="none of an exempt view"),
    ],
)
async def test_the_policy_of_the_view_then_blueprint_then_app_applies(app, cors_headers, path, origin):
    """Each policy allows one origin."""
    for other in (APP, BLUEPRINT, INNER, ROUTE, EVIL):
        expected = {} if origin is None else only(origin) if other == origin else VARY
        assert await cors_headers(app, path=path, origin=other) == expected
        preflight = await cors_headers(app, "OPTIONS", path, origin=other, access_control_request_method="PUT")
        assert ("access-control-allow-origin" in preflight) == (other == origin)


async def test_a_views_policy_is_not_merged_with_the_apps(cors_headers):
    """The configuration and the defaults set the options that a route leaves out."""
    app = cors(Quart(__name__), allow_origin=APP, expose_headers="x-app", allow_credentials=True)
    app.route("/own")(route_cors(allow_origin=ROUTE)(hello()))
    assert await cors_headers(app, path="/own", origin=ROUTE) == only(ROUTE)


@pytest.mark.parametrize("config", [True, False])
@pytest.mark.parametrize("given", [True, False, None])
async def test_an_explicit_false_overrides_the_configuration(cors_headers, given, config):
    """None means the configuration's value."""
    app = Quart(__name__)
    app.config["QUART_CORS_ALLOW_CREDENTIALS"] = config
    app.route("/")(route_cors(allow_origin=ROUTE, allow_credentials=given)(hello()))
    cors(app, allow_origin=APP)
    headers = await cors_headers(app, origin=ROUTE)
    assert ("access-control-allow-credentials" in headers) == (config if given is None else given)


async def test_views_outside_of_a_blueprint_with_a_policy_are_passed_through(cors_headers):
    """Their responses have no CORS header and no Vary, and their preflights reach the app."""
    app, blueprint = Quart(__name__), cors(Blueprint("blue", __name__, url_prefix="/blue"), allow_origin=BLUEPRINT)
    for place in (app, blueprint):
        place.route("/")(hello())
    app.register_blueprint(blueprint)
    assert await cors_headers(app, path="/blue/", origin=BLUEPRINT) == only(BLUEPRINT)
    assert await cors_headers(app, path="/", origin=BLUEPRINT) == {}
    assert await cors_headers(app, "OPTIONS", "/", origin=BLUEPRINT, access_control_request_method="GET") == {}


async def test_a_blueprint_of_two_apps_uses_the_configuration_of_each(cors_headers):
    """No option of one app applies to the other."""
    blueprint = cors(Blueprint("blue", __name__))
    blueprint.route("/")(hello())
    apps = [Quart(__name__), Quart(__name__)]
    for app, origin in zip(apps, (APP, ROUTE), strict=True):
        app.config["QUART_CORS_ALLOW_ORIGIN"] = origin
        app.register_blueprint(blueprint)
    assert await cors_headers(apps[0], origin=APP) == only(APP)
    assert await cors_headers(apps[1], origin=APP) == VARY


async def test_a_blueprint_registered_twice_has_its_policy_under_both_names(cors_headers):
    """Each registration has its own name."""
    app, blueprint = Quart(__name__), cors(Blueprint("blue", __name__), allow_origin=BLUEPRINT)
    blueprint.route("/")(hello())
    app.register_blueprint(blueprint, url_prefix="/one")
    app.register_blueprint(blueprint, url_prefix="/two", name="other")
    for path in ("/one/", "/two/"):
        assert await cors_headers(app, path=path, origin=BLUEPRINT) == only(BLUEPRINT)


async def test_views_of_a_subdomain_have_their_policies(send_request):
    """Routes are matched as the app matches them."""
    app = cors(Quart(__name__, subdomain_matching=True), allow_origin=APP)
    app.config["SERVER_NAME"] = "api.test"
    app.route("/", subdomain="admin")(route_cors(allow_origin=ROUTE)(hello()))
    app.route("/", endpoint="index")(hello())
    for host, origin in (("admin.api.test", ROUTE), ("api.test", APP)):
        response = await send_request(app, origin=origin, host=host)
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, origin)


async def test_a_class_based_view_has_the_policy_of_its_decorators(cors_headers):
    """As in Quart, a class has `decorators = [route_cors(…)]`."""

    class Items(MethodView):
        decorators = [route_cors(allow_origin=ROUTE, allow_methods=["DELETE"])]  # noqa: RUF012

        async def get(self):
            return "hello"

    app = cors(Quart(__name__), allow_origin=APP)
    app.add_url_rule("/", view_func=Items.as_view("items"))
    assert await cors_headers(app, origin=ROUTE) == only(ROUTE)


async def test_each_view_of_a_url_has_its_own_policy(cors_headers):
    """A preflight is answered by the view that its request will reach."""
    app = cors(Quart(__name__), allow_origin=APP)
    app.route("/", endpoint="read")(hello())
    app.route("/", endpoint="write", methods=["PUT"])(route_cors(allow_origin=ROUTE)(hello()))
    for method, origin in (("PUT", ROUTE), ("GET", APP)):
        headers = await cors_headers(app, "OPTIONS", origin=origin, access_control_request_method=method)
        assert headers["access-control-allow-origin"] == origin


# -- options


@pytest.mark.parametrize(
    ("option", "value", "header", "sent"),
    [
        ("allow_origin", re.compile(r"https://.*\.example\.com"), "origin", ROUTE),
        ("allow_origin", [APP, ROUTE], "origin", ROUTE),
        ("allow_origin", "*", "origin", "*"),
        ("allow_origin", ["*"], "origin", "*"),
        ("send_origin_wildcard", False, "origin", "*"),
        ("send_origin_wildcard", True, "origin", "*"),
        ("expose_headers", "X-One", "expose-headers", "X-One"),
        ("expose_headers", {"X-One"}, "expose-headers", "X-One"),
        ("expose_headers", [""], "expose-headers", None),
        ("expose_headers", "", "expose-headers", None),
        ("allow_methods", "DELETE", "methods", "GET, HEAD, POST, DELETE"),
        ("allow_methods", ["PUT", "DELETE"], "methods", "GET, HEAD, POST, PUT, DELETE"),
        ("allow_headers", "X-Id", "headers", "accept, accept-language, content-language, content-type, x-id"),
        ("max_age", 5, "max-age", "5"),
        ("max_age", 5.5, "max-age", "5"),
        ("max_age", "5", "max-age", "5"),
        ("max_age", timedelta(minutes=1), "max-age", "60"),
    ],
)
@pytest.mark.parametrize("place", ["option", "configuration"])
async def test_an_option_of_quart_cors_is_sent(cors_headers, place, option, value, header, sent):
    """Each has the types that Quart-CORS accepts, as an option and as a key."""
    app = Quart(__name__)
    app.route("/")(hello())
    app.config.update({f"QUART_CORS_{option.upper()}": value} if place == "configuration" else {})
    cors(app, **({option: value} if place == "option" else {}))
    preflight = await cors_headers(app, "OPTIONS", origin=ROUTE, access_control_request_method="GET")
    headers = {**preflight, **await cors_headers(app, origin=ROUTE)}
    full_names = {"expose-headers": "access-control-expose-headers", "max-age": "access-control-max-age"}
    assert headers.get(full_names.get(header, f"access-control-allow-{header}")) == sent


async def test_a_regular_expression_must_match_the_whole_origin(cors_headers):
    """In Quart-CORS, it must match only the beginning."""
    app = cors(Quart(__name__), allow_origin=re.compile(r"https://app\.example\.com"))
    assert await cors_headers(app, origin=APP) == only(APP)
    assert await cors_headers(app, origin=f"{APP}.evil.example") == VARY


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"allow_origin": "https://example.com/"},
            "route_cors(hello).allow_origin: 'https://example.com/' ends in a slash; an origin has no path. "
            "Write 'https://example.com'.",
            id="a mistake names the decorator, the view and the option by its own name",
        ),
        pytest.param(
            {"allow_origins": APP},
            "route_cors(hello).allow_origins: there is no option of this name. Did you mean 'allow_origin'?",
            id="an unknown option names the closest",
        ),
        pytest.param(
            {"x": APP},
            "route_cors(hello).x: there is no option of this name. Known: allow_credentials, allow_headers, "
            "allow_methods, allow_origin, csrf_protection, csrf_trusted_origins, dangerously_allow, expose_headers, "
            "max_age, name, presets, resource_policy, send_origin_wildcard, timing_allow_origin.",
            id="an option like none names them all",
        ),
        pytest.param(
            {"max_age": "soon"},
            "route_cors(hello).max_age: 'soon' is not a whole number of seconds, a timedelta or None."
            " Write max_age=600.",
            id="a value of a wrong type is refused by the policy",
        ),
    ],
)
def test_a_mistake_is_raised_at_decoration(options, message):
    with pytest.raises(ConfigError) as caught:
        route_cors(**options)(hello())
    assert str(caught.value) == message


@pytest.mark.parametrize("place", [Quart(__name__), Blueprint("blue", __name__)], ids=["app", "blueprint"])
def test_every_origin_with_credentials_is_refused_at_set_up(place):
    """Quart-CORS answers every request with 500 then."""
    with pytest.raises(ConfigError) as caught:
        cors(place, allow_origin="*", allow_credentials=True)
    assert [issue.code for issue in caught.value.issues] == ["credentials-from-any-origin"]


async def test_mistakes_that_depend_on_the_configuration_are_raised_when_the_app_starts():
    """The error names the place of the view's options."""
    app = cors(Quart(__name__), allow_origin=APP)
    app.route("/")(route_cors(allow_credentials=True)(hello()))
    with pytest.raises(ConfigError, match=r"^route_cors\(hello\)\.allow_origin: '\*' with allow_credentials"):
        await app.startup()


async def test_an_options_request_that_is_not_a_preflight_lists_the_methods(send_request):
    """The response has the CORS headers of an actual response."""
    app = cors(Quart(__name__), allow_origin=APP)
    app.route("/", methods=["GET", "PUT"])(route_cors(allow_origin=ROUTE)(hello()))
    response = await send_request(app, "OPTIONS", origin=ROUTE)
    assert (response.status_code, response.allow.as_set()) == (200, {"get", "head", "options", "put"})
    assert response.headers["access-control-allow-origin"] == ROUTE


async def test_a_view_may_answer_options_requests_itself(send_request):
    """`provide_automatic_options=False` passes them to the view."""
    app = cors(Quart(__name__), allow_origin=APP)
    app.route("/", methods=["OPTIONS"])(route_cors(provide_automatic_options=False)(hello()))
    assert await (await send_request(app, "OPTIONS", origin=APP)).get_data() == b"hello"


async def test_an_iterator_of_origins_is_stored_as_a_list():
    """It is used at decoration, and again with the app's configuration."""
    app = cors(Quart(__name__), allow_origin=(origin for origin in [APP]))
    app.route("/view")(route_cors(allow_origin=(origin for origin in [ROUTE]))(hello()))
    app.route("/", endpoint="plain")(hello())
    client = app.test_client()
    for path, origin in (("/view", ROUTE), ("/", APP)):
        response = await client.get(path, headers={"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origins", [[["https://a.example.com"]], [{}]], ids=["a list", "a dict"])
def test_invalid_origins_for_a_handshake_are_refused(origins):
    """Entries that are not hashable are reported like other mistakes."""
    with pytest.raises(ConfigError, match="allow_origin"):
        websocket_cors(allow_origin=origins)(hello())
