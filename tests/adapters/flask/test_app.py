"""CORS(app): preflights are answered before the app runs, and every response has CORS headers, over WSGI and ASGI."""

import pytest
from flask import Blueprint, Flask, Response, abort, redirect, request, send_file, stream_with_context
from flask.views import MethodView

from asgi_cors_flask import CORS

PAGE = "https://app.example.com"
OTHER = "https://other.example"
METHODS = "GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE"
VARY = {"vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
GRANTED = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true", "vary": "Origin"}
REFUSED = {"vary": "Origin"}
OPEN_PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "*, authorization",
    **VARY,
}


@pytest.fixture
def app() -> Flask:
    """An app with a login before every request, error handlers, streams, classes and crashes."""
    app = Flask("app")

    @app.before_request
    def login():
        if request.path == "/private":
            abort(401)

    @app.get("/private")
    def private():
        return "never"

    @app.get("/plain")
    def plain():
        return "plain"

    @app.post("/slash/")
    def slash():
        return "slash"

    @app.get("/away")
    def away():
        return redirect("/plain")

    @app.get("/abort")
    def aborts():
        abort(418)

    @app.get("/crash")
    def crash():
        raise LookupError

    @app.get("/handled")
    def handled():
        raise ZeroDivisionError

    @app.errorhandler(ZeroDivisionError)
    def handler(_error):
        return "handled", 503

    @app.get("/stream")
    def stream():
        return Response(stream_with_context(c for c in (request.path, "!")), mimetype="text/plain")

    @app.get("/file")
    def file():
        return send_file(__file__, conditional=True, etag="tag")

    @app.get("/async")
    async def asynchronous():
        return "async"

    @app.get("/vary")
    def vary():
        return Response("v", headers={"Vary": "Accept, origin"})

    class Item(MethodView):
        def get(self):
            return "got"

        def put(self):
            return "put"

    app.add_url_rule("/item", view_func=Item.as_view("item"))
    blueprint = Blueprint("bp", "bp", url_prefix="/bp")
    blueprint.add_url_rule("/in", view_func=lambda: "in", endpoint="in")
    app.register_blueprint(blueprint)
    return app


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        pytest.param("/plain", "GET", 200, id="a view"),
        pytest.param("/plain", "HEAD", 200, id="HEAD"),
        pytest.param("/plain", "DELETE", 405, id="a method that the view does not have"),
        pytest.param("/plain", "OPTIONS", 200, id="an OPTIONS request that is not a preflight"),
        pytest.param("/missing", "GET", 404, id="no view"),
        pytest.param("/slash", "POST", 308, id="a redirect to add a slash"),
        pytest.param("/away", "GET", 302, id="a redirect by a view"),
        pytest.param("/private", "GET", 401, id="a login that is missing"),
        pytest.param("/abort", "GET", 418, id="abort()"),
        pytest.param("/crash", "GET", 500, id="a crash"),
        pytest.param("/handled", "GET", 503, id="a crash with a handler"),
        pytest.param("/stream", "GET", 200, id="a stream"),
        pytest.param("/file", "GET", 200, id="send_file"),
        pytest.param("/async", "GET", 200, id="an async view"),
        pytest.param("/item", "PUT", 200, id="a MethodView"),
        pytest.param("/bp/in", "GET", 200, id="a blueprint's view"),
    ],
)
@pytest.mark.parametrize(("origin", "headers"), [(PAGE, GRANTED), (OTHER, REFUSED), (None, REFUSED)])
def test_every_response_has_the_cors_headers(app, serve, path, method, status, origin, headers):
    CORS(app, origins=PAGE, supports_credentials=True)
    response = serve(app).request(method, path, origin)
    assert (response.status, response.cors) == (status, headers)


@pytest.mark.parametrize(
    "path", ["/plain", "/missing", "/slash", "/private", "/crash", "/item", "/bp/in", "/async", "//plain"]
)
def test_a_preflight_is_answered_before_any_code_of_the_app_runs(app, serve, path):
    """No routing, redirect, login or view runs. The response is the same for every path."""
    CORS(app)
    app.before_request(lambda: pytest.fail("the app was called"))
    response = serve(app).preflight(path, OTHER)
    assert (response.status, response.body, response.headers) == (204, b"", list(OPEN_PREFLIGHT.items()))


def test_the_body_of_a_refused_preflight_names_the_reason(app, serve):
    CORS(app, origins=PAGE)
    response = serve(app).preflight("/plain", OTHER)
    assert (response.status, response.cors) == (200, VARY)
    assert b"PreflightMissingAllowOriginHeader" in response.body


def test_cors_without_options_allows_every_origin_without_credentials(app, serve):
    """As in Flask-CORS's tutorials. The response is the same for every request, so it has no Vary."""
    CORS(app)
    assert serve(app).get("/plain", OTHER).cors == {"access-control-allow-origin": "*"}
    assert serve(app).get("/plain").cors == {"access-control-allow-origin": "*"}


def test_the_apps_own_vary_is_preserved(app, serve):
    CORS(app, origins=PAGE)
    assert serve(app).get("/vary", PAGE).cors["vary"] == "Accept, origin"


def test_a_304_has_the_cors_headers(app, serve):
    CORS(app, origins=PAGE)
    response = serve(app).get("/file", PAGE, if_none_match='"tag"')
    assert (response.status, response.cors) == (304, {"access-control-allow-origin": PAGE, "vary": "Origin"})


def test_flasks_test_client_uses_the_middleware(app):
    """The middleware is around app.wsgi_app, so app.test_client() gets the same responses as a server."""
    CORS(app)
    response = app.test_client().options("/private", headers={"Origin": OTHER, "Access-Control-Request-Method": "PUT"})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (204, "*")


def test_an_exception_propagates_if_flask_is_configured_to(app):
    """With TESTING it is raised, with a note that the page would see a CORS error."""
    CORS(app)
    app.testing = True
    with pytest.raises(LookupError) as raised:
        app.test_client().get("/crash", headers={"Origin": OTHER})
    assert "CORS" in raised.value.__notes__[0]


def test_a_middleware_added_later_is_outside_of_ours(app, serve):
    """Another extension may wrap app.wsgi_app after CORS(app)."""
    CORS(app)
    inner, seen = app.wsgi_app, []
    app.wsgi_app = lambda environ, start_response: seen.append(environ["PATH_INFO"]) or inner(environ, start_response)
    assert serve(app).get("/plain", OTHER).status == 200
    assert seen == ["/plain"]


def test_init_app_merges_its_options_over_those_of_the_constructor(app, serve):
    """The constructor's other options apply."""
    CORS(origins=OTHER, expose_headers=["X-A"]).init_app(app, origins=PAGE)
    assert serve(app).get("/plain", PAGE).cors == {
        "access-control-allow-origin": PAGE,
        "access-control-expose-headers": "X-A",
        "vary": "Origin",
    }


def test_one_extension_serves_several_apps(serve):
    """Each app has its own policy in app.extensions. CORS() itself has none then."""
    cors, first, second = CORS(), Flask("first"), Flask("second")
    cors.init_app(first, origins=PAGE)
    cors.init_app(second, origins=OTHER)
    assert serve(first).get("/", PAGE).cors["access-control-allow-origin"] == PAGE
    assert "access-control-allow-origin" not in serve(second).get("/", PAGE).cors
    assert second.extensions["asgi_cors"].policy.allow_origins == (OTHER,)
    with pytest.raises(RuntimeError, match=r"bound to 2 apps\. Use app\.extensions\['asgi_cors'\]"):
        _ = cors.policy


def test_a_second_policy_for_an_app_is_refused(app):
    cors = CORS(app)
    with pytest.raises(ValueError, match=r"the app 'app' has a CORS policy already.*reconfigure"):
        cors.init_app(app)
    with pytest.raises(ValueError, match="already"):
        CORS(app, origins=PAGE)


def test_a_failed_init_can_be_repeated(app, serve):
    """A refused policy is not installed."""
    with pytest.raises(ValueError, match="supports_credentials"):
        CORS(app, supports_credentials=True)
    CORS(app, supports_credentials=True, origins=PAGE)
    assert serve(app).get("/plain", PAGE).cors == GRANTED


def test_the_extension_has_policy_explain_and_reconfigure(app, serve):
    """So does app.extensions["asgi_cors"]. A refused policy leaves the old one in force."""
    cors = CORS(app, origins=PAGE, max_age=60)
    installed = app.extensions["asgi_cors"]
    assert cors.policy == installed.policy
    assert cors.explain("GET", OTHER).code == installed.explain("GET", OTHER).code == "MissingAllowOriginHeader"
    cors.reconfigure(origins=OTHER)
    assert (cors.policy.allow_origins, cors.policy.max_age) == ((OTHER,), 60)
    with pytest.raises(ValueError, match="origins"):
        installed.reconfigure(origins="example.com")
    assert serve(app).get("/plain", OTHER).cors["access-control-allow-origin"] == OTHER


def test_reconfigure_with_a_policy_replaces_every_option_of_the_policy(app, serve):
    """A policy and options of a policy together are refused."""
    cors = CORS(app, origins=OTHER, resources={"/plain": {"expose_headers": "X-A"}})
    policy = cors.policy.replace(allow_origins=[PAGE])
    cors.reconfigure(policy)
    assert serve(app).get("/plain", PAGE).cors["access-control-expose-headers"] == "X-A"
    with pytest.raises(ValueError, match=r"a policy and options of a policy \(origins\) are given"):
        cors.reconfigure(policy, origins=PAGE)


def test_the_options_of_the_middleware_work(app, serve):
    """These are `enforce`, `policy_for` and `on_decision`."""
    seen = []
    CORS(
        app,
        origins=PAGE,
        enforce=True,
        on_decision=lambda decision, scope: seen.append((scope["path"], decision.allowed)),
        policy_for=lambda scope: None if scope["path"] == "/private" else NotImplemented,
    )
    client = serve(app)
    assert (client.get("/plain", OTHER).status, client.get("/plain", PAGE).status) == (403, 200)
    assert client.get("/private", OTHER).cors == {"vary": "Origin"}
    assert seen == [("/plain", False), ("/plain", True)]
