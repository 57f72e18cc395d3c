"""CORS(app): preflights before anything of the app, fields on every answer, by WSGI and by ASGI alike."""

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
    """An app with what apps have: a login before every request, handlers, streams, classes, crashes."""
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
        pytest.param("/plain", "DELETE", 405, id="a method that the view has not"),
        pytest.param("/plain", "OPTIONS", 200, id="an OPTIONS that is no preflight"),
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
@pytest.mark.parametrize(("origin", "fields"), [(PAGE, GRANTED), (OTHER, REFUSED), (None, REFUSED)])
def test_every_answer_carries_the_fields(app, serve, path, method, status, origin, fields):
    CORS(app, origins=PAGE, supports_credentials=True)
    answer = serve(app).request(method, path, origin)
    assert (answer.status, answer.cors) == (status, fields)


@pytest.mark.parametrize(
    "path", ["/plain", "/missing", "/slash", "/private", "/crash", "/item", "/bp/in", "/async", "//plain"]
)
def test_a_preflight_is_answered_before_anything_of_the_app(app, serve, path):
    """Neither routing, redirects, logins nor views run: the answer is the policy's, and the same everywhere."""
    CORS(app)
    app.before_request(lambda: pytest.fail("the app was called"))
    answer = serve(app).preflight(path, OTHER)
    assert (answer.status, answer.body, answer.headers) == (204, b"", list(OPEN_PREFLIGHT.items()))


def test_a_refused_preflight_says_why(app, serve):
    CORS(app, origins=PAGE)
    answer = serve(app).preflight("/plain", OTHER)
    assert (answer.status, answer.cors) == (200, VARY)
    assert b"PreflightMissingAllowOriginHeader" in answer.body


def test_cors_alone_opens_everything_without_credentials(app, serve):
    """As all of Flask-CORS's tutorials have it; the answer is the same for every request, so nothing varies."""
    CORS(app)
    assert serve(app).get("/plain", OTHER).cors == {"access-control-allow-origin": "*"}
    assert serve(app).get("/plain").cors == {"access-control-allow-origin": "*"}


def test_the_apps_own_vary_is_kept(app, serve):
    CORS(app, origins=PAGE)
    assert serve(app).get("/vary", PAGE).cors["vary"] == "Accept, origin"


def test_a_304_carries_the_fields(app, serve):
    CORS(app, origins=PAGE)
    answer = serve(app).get("/file", PAGE, if_none_match='"tag"')
    assert (answer.status, answer.cors) == (304, {"access-control-allow-origin": PAGE, "vary": "Origin"})


def test_test_client_has_it(app):
    """app.test_client() sees what a server does: the middleware stands around app.wsgi_app."""
    CORS(app)
    answer = app.test_client().options("/private", headers={"Origin": OTHER, "Access-Control-Request-Method": "PUT"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")


def test_a_crash_goes_on_where_flask_is_told_so(app):
    """With TESTING the exception is the caller's, with a note that the page would see a CORS error."""
    CORS(app)
    app.testing = True
    with pytest.raises(LookupError) as raised:
        app.test_client().get("/crash", headers={"Origin": OTHER})
    assert "CORS" in raised.value.__notes__[0]


def test_a_middleware_set_later_stands_outside(app, serve):
    """What another extension puts around app.wsgi_app keeps its place."""
    CORS(app)
    inner, seen = app.wsgi_app, []
    app.wsgi_app = lambda environ, start_response: seen.append(environ["PATH_INFO"]) or inner(environ, start_response)
    assert serve(app).get("/plain", OTHER).status == 200
    assert seen == ["/plain"]


def test_init_app_later_means_the_same(app, serve):
    """CORS().init_app(app): the constructor's options count, those of init_app before them."""
    CORS(origins=OTHER, expose_headers=["X-A"]).init_app(app, origins=PAGE)
    assert serve(app).get("/plain", PAGE).cors == {
        "access-control-allow-origin": PAGE,
        "access-control-expose-headers": "X-A",
        "vary": "Origin",
    }


def test_one_cors_serves_several_apps(serve):
    """Each app has a policy of its own in app.extensions; which one CORS() means, it can't tell."""
    cors, first, second = CORS(), Flask("first"), Flask("second")
    cors.init_app(first, origins=PAGE)
    cors.init_app(second, origins=OTHER)
    assert serve(first).get("/", PAGE).cors["access-control-allow-origin"] == PAGE
    assert "access-control-allow-origin" not in serve(second).get("/", PAGE).cors
    assert second.extensions["asgi_cors"].policy.allow_origins == (OTHER,)
    with pytest.raises(RuntimeError, match=r"bound to 2 apps; use app.extensions\['asgi_cors'\]"):
        _ = cors.policy


def test_a_second_init_is_refused_in_words(app):
    cors = CORS(app)
    with pytest.raises(ValueError, match=r"the app 'app' has a CORS\(\) already.*reconfigure"):
        cors.init_app(app)
    with pytest.raises(ValueError, match="already"):
        CORS(app, origins=PAGE)


def test_a_failed_init_can_be_repeated(app, serve):
    """What is refused leaves the app open to the next try."""
    with pytest.raises(ValueError, match="supports_credentials"):
        CORS(app, supports_credentials=True)
    CORS(app, supports_credentials=True, origins=PAGE)
    assert serve(app).get("/plain", PAGE).cors == GRANTED


def test_the_extension_explains_and_is_replaced(app, serve):
    """CORS(app) and app.extensions have .policy, .explain and .reconfigure; a refused one leaves the old in force."""
    cors = CORS(app, origins=PAGE, max_age=60)
    installed = app.extensions["asgi_cors"]
    assert cors.policy == installed.policy
    assert cors.explain("GET", OTHER).code == installed.explain("GET", OTHER).code == "MissingAllowOriginHeader"
    cors.reconfigure(origins=OTHER)
    assert (cors.policy.allow_origins, cors.policy.max_age) == ((OTHER,), 60)
    with pytest.raises(ValueError, match="origins"):
        installed.reconfigure(origins="example.com")
    assert serve(app).get("/plain", OTHER).cors["access-control-allow-origin"] == OTHER


def test_a_policy_may_replace_all_options_of_one(app, serve):
    """reconfigure(policy) is as good as naming each option; not both."""
    cors = CORS(app, origins=OTHER, resources={"/plain": {"expose_headers": "X-A"}})
    policy = cors.policy.replace(allow_origins=[PAGE])
    cors.reconfigure(policy)
    assert serve(app).get("/plain", PAGE).cors["access-control-expose-headers"] == "X-A"
    with pytest.raises(ValueError, match=r"a policy and options of a policy \(origins\) are given"):
        cors.reconfigure(policy, origins=PAGE)


def test_enforce_policy_for_and_on_decision_work(app, serve):
    """What the middlewares take besides a policy, CORS(app) takes, too."""
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
