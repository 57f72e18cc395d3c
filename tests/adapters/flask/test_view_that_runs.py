"""The policy of the view that really runs applies, under WSGI and ASGI."""

import functools
import logging
import sys

import pytest
from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    has_request_context,
    request,
    request_started,
    session,
)
from flask.views import MethodView, View
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, ValidationError

from asgi_cors_flask import CORS, asgi_app, cors_exempt, cross_origin

PAGE, OTHER, EVIL = "https://app.example.com", "https://other.example", "https://evil.example"
own = functools.partial(cross_origin, origins=[OTHER])


def allowed(response):
    return response.cors.get("access-control-allow-origin")


def readers(client, path, method="GET", **headers):
    """Return the origins that may read a path. A preflight must have the same result."""
    found = []
    for origin in (PAGE, OTHER):
        responses = [
            client.request(method, path, origin, **headers),
            client.request("OPTIONS", path, origin, access_control_request_method=method, **headers),
        ]
        verdicts = {allowed(response) for response in responses}
        assert len(verdicts) == 1, (origin, [response.cors for response in responses])
        found += verdicts - {None}
    return found


# -- the policy of the view that is registered now


def replaced(app):
    app.view_functions["view"] = own()(app.view_functions["view"])


def replaced_by_another(app):
    app.view_functions["view"] = own()(lambda: "another")


def marked_by_hand(app):
    """Put a decorator that preserves attributes above the view's decorator."""
    decorated = own()(app.view_functions["view"])
    app.view_functions["view"] = functools.wraps(decorated)(decorated)


@pytest.mark.parametrize("change", [replaced, replaced_by_another, marked_by_hand])
@pytest.mark.parametrize("served", [False, True], ids=["before a request", "after requests"])
def test_a_view_decorated_late_has_its_policy(app, serve, change, served):
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", lambda: "view")
    client = serve(app)
    assert not served or readers(client, "/") == [PAGE]
    change(app)
    assert readers(client, "/") == [OTHER]


def test_a_view_that_is_replaced_by_a_plain_one_has_the_apps_policy(app, serve):
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", own()(lambda: "view"))
    client = serve(app)
    assert readers(client, "/") == [OTHER]
    app.view_functions["view"] = lambda: "plain"
    assert readers(client, "/") == [PAGE]


@pytest.mark.parametrize("change", [cors_exempt, lambda view: functools.wraps(cors_exempt(view))(view)])
def test_a_view_exempted_late_is_passed_through(app, serve, change):
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", lambda: "view")
    client = serve(app)
    assert readers(client, "/") == [PAGE]
    app.view_functions["view"] = change(app.view_functions["view"])
    assert client.get("/", PAGE).cors == {}


def test_a_blueprint_registered_late_has_its_policy(app, serve):
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", lambda: "view")
    client = serve(app)
    client.preflight("/", PAGE)
    outer, inner = Blueprint("outer", __name__, url_prefix="/outer"), Blueprint("inner", __name__, url_prefix="/inner")
    CORS(inner, origins=OTHER)
    inner.add_url_rule("/", "view", lambda: "inner")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert (readers(client, "/outer/inner/"), readers(client, "/")) == ([OTHER], [PAGE])


def test_a_class_whose_method_is_decorated_late_has_its_policy(app, serve):
    class Methods(MethodView):
        def get(self):
            return "get"

        def put(self):
            return "put"

    CORS(app, origins=PAGE)
    app.add_url_rule("/", view_func=Methods.as_view("view"))
    client = serve(app)
    assert readers(client, "/") == [PAGE]
    Methods.put = own()(Methods.put)
    assert (readers(client, "/"), readers(client, "/", "PUT")) == ([PAGE], [OTHER])


def test_head_is_served_by_the_policy_of_get(app, serve):
    class Methods(MethodView):
        @own()
        def get(self):
            return "get"

    CORS(app, origins=PAGE)
    app.add_url_rule("/", view_func=Methods.as_view("view"))
    assert readers(serve(app), "/", "HEAD") == [OTHER]


def test_a_class_whose_dispatch_is_decorated_has_its_policy(app, serve):
    class Whole(View):
        @own()
        def dispatch_request(self):
            return "view"

    CORS(app, origins=PAGE)
    app.add_url_rule("/", view_func=Whole.as_view("view"))
    assert readers(serve(app), "/") == [OTHER]


def test_a_mock_as_a_view_has_the_apps_policy(app, serve):
    """A mock has every attribute, but no attached policy."""
    from unittest.mock import MagicMock  # noqa: PLC0415 - here alone

    CORS(app, origins=PAGE)
    app.add_url_rule("/own", "own", own()(lambda: "own"))
    app.add_url_rule("/", "view", MagicMock(return_value="mock", required_methods=(), provide_automatic_options=None))
    assert readers(serve(app), "/") == [PAGE]


# -- routes are predicted as Flask matches them


def forwarded(app, **counts):
    app.wsgi_app = ProxyFix(app.wsgi_app, **{"x_for": 0, "x_proto": 0, "x_host": 0, **counts})


@pytest.mark.parametrize("order", ["inside", "outside", "both", "behind another middleware"])
def test_a_forwarded_host_selects_the_policy_of_its_view(serve, order):
    """Whether ProxyFix is applied before CORS(app) or after."""
    app = Flask("app", host_matching=True, static_host="static.test")
    if order in {"inside", "both"}:
        forwarded(app, x_host=1)
    if order == "behind another middleware":
        forwarded(app, x_host=1)
        app.wsgi_app = Renames(app.wsgi_app)
    CORS(app, origins=PAGE)
    if order in {"outside", "both"}:
        forwarded(app, x_host=1)
    app.add_url_rule("/", "public", lambda: "public", host="public.test")
    app.add_url_rule("/", "admin", own()(lambda: "admin"), host="admin.test")
    client = serve(app)
    for _ in range(2):  # the first request of a host and a later one
        assert readers(client, "/", host="public.test", x_forwarded_host="admin.test") == [OTHER]
        assert readers(client, "/", host="admin.test", x_forwarded_host="public.test") == [PAGE]
        assert readers(client, "/", host="admin.test", x_forwarded_host="evil, public.test") == [PAGE]
        assert readers(client, "/", host="admin.test") == [OTHER]


class Renames:
    """A middleware that stores the app under another name."""

    def __init__(self, app):
        self.application = app

    def __call__(self, environ, start_response):
        return self.application(environ, start_response)


@pytest.mark.parametrize("order", ["inside", "outside"])
@pytest.mark.parametrize(
    ("server_name", "counts", "headers"),
    [
        pytest.param("api.test:8443", {"x_host": 1}, {"x-forwarded-host": "admin.api.test:8443"}, id="host and port"),
        pytest.param(
            "api.test:8443",
            {"x_host": 1, "x_port": 1},
            {"x-forwarded-host": "admin.api.test", "x-forwarded-port": "8443"},
            id="host, and port",
        ),
        pytest.param(
            "api.test",
            {"x_host": 1, "x_proto": 1},
            {"x-forwarded-host": "admin.api.test:443", "x-forwarded-proto": "https"},
            id="the port of the scheme",
        ),
        pytest.param(
            "api.test",
            {"x_host": 1, "x_prefix": 1},
            {"x-forwarded-host": "admin.api.test", "x-forwarded-prefix": "/mounted"},
            id="host and prefix",
        ),
    ],
)
def test_a_forwarded_subdomain_selects_the_policy_of_its_view(serve, order, server_name, counts, headers):
    app = Flask("app", subdomain_matching=True)
    app.config["SERVER_NAME"] = server_name
    if order == "inside":
        forwarded(app, **counts)
    CORS(app, origins=PAGE)
    if order == "outside":
        forwarded(app, **counts)
    app.add_url_rule("/", "public", lambda: "public")
    app.add_url_rule("/", "admin", own()(lambda: "admin"), subdomain="admin")
    client = serve(app)
    assert readers(client, "/", host="internal:8000", **headers) == [OTHER]


@pytest.mark.parametrize(
    ("rule", "options", "path", "expected"),
    [
        pytest.param("/x/", {}, "/x", [OTHER], id="a redirect that adds a slash"),
        pytest.param("/x/", {"strict_slashes": False}, "/x", [OTHER], id="a missing slash that is served"),
        pytest.param("/x", {"strict_slashes": False}, "/x/", [OTHER], id="a final slash that is served"),
        pytest.param("/x", {}, "/x/", [PAGE], id="a final slash that is not found"),
        pytest.param("/x/y", {}, "/x//y", [OTHER], id="doubled slashes that are merged"),
        pytest.param("/x/<path:rest>", {"merge_slashes": False}, "/x//y", [PAGE], id="doubled slashes that are not"),
        pytest.param("/<any(x, y):name>", {}, "/y", [OTHER], id="a converter"),
        pytest.param("/<int:number>", {}, "/y", [PAGE], id="a converter that doesn't match"),
        pytest.param("/x/<name>", {"defaults": {"format": "json"}}, "/x/y", [OTHER], id="defaults"),
        pytest.param("/x", {"redirect_to": "/plain"}, "/x", [PAGE], id="a redirect elsewhere"),
        pytest.param("/x", {"methods": ["PUT"]}, "/x", [OTHER], id="another method"),
    ],
)
def test_a_rule_is_matched_as_werkzeug_does(app, serve, rule, options, path, expected):
    CORS(app, origins=PAGE)
    app.add_url_rule("/plain", "plain", lambda: "plain")
    app.add_url_rule(rule, "view", own()(lambda **_: "view"), **options)
    assert readers(serve(app), path) == expected


def test_an_app_that_binds_no_routes_has_its_own_policy(app, serve):
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", own()(lambda: "view"))
    app.create_url_adapter = lambda _: None
    assert allowed(serve(app).preflight("/", PAGE)) == PAGE


class Loops:
    """A middleware that leads back to itself."""

    def __init__(self, app):
        self.app, self.called = self, app

    def __call__(self, environ, start_response):
        return self.called(environ, start_response)


@pytest.mark.parametrize("wrap", [Loops, lambda app: Renames(app).__call__], ids=["a loop", "a bound method"])
def test_any_object_may_wrap_the_app(app, serve, wrap):
    app.wsgi_app = wrap(app.wsgi_app)
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", own()(lambda: "view"))
    assert readers(serve(app), "/") == [OTHER]


# -- converters that need the app


class Tenant(BaseConverter):
    """A converter that needs the app's context for a look-up."""

    def to_python(self, value):
        g.seen = [*getattr(g, "seen", ()), value]
        current_app.extensions.setdefault("tenants", []).append(value)
        return current_app.config["TENANTS"][value]


@pytest.fixture
def tenants(app):
    app.url_map.converters["tenant"] = Tenant
    app.config["TENANTS"] = {"a": "A"}
    app.add_url_rule("/<tenant:name>", "tenant", own()(lambda name: name))
    app.add_url_rule("/plain/<tenant:name>", "plain", lambda name: name)
    return app


def test_a_converter_runs_inside_of_the_apps_context(tenants, serve):
    CORS(tenants, origins=PAGE)
    client = serve(tenants)
    assert (readers(client, "/a"), readers(client, "/plain/a")) == ([OTHER], [PAGE])
    assert not current_app


class OfTheSession(BaseConverter):
    """A converter that needs the request, and its session."""

    def to_python(self, value):
        session.get("user")
        return f"{value} of {request.host}"


def test_a_converter_may_need_the_request(app, serve):
    """Flask pushes its context before it matches a route. After a prediction, no context is left behind."""
    app.secret_key = "secret"  # noqa: S105 - of this test
    app.url_map.converters["mine"] = OfTheSession
    app.teardown_request(lambda _: torn.append(1))
    app.add_url_rule("/<mine:name>", "view", own()(lambda name: name))
    torn = []
    CORS(app, origins=PAGE)
    client = serve(app)
    assert client.get("/a", OTHER, host="api.test").body == b"a of api.test"
    assert torn == [1]
    assert readers(client, "/a") == [OTHER]
    assert not has_request_context()


class OfTheHost(BaseConverter):
    """A converter that looks at the request only if there is one."""

    def to_python(self, value):
        if not has_request_context() or request.host != "own.test":
            raise ValidationError
        return value


def test_a_converter_finds_the_request_that_is_matched(app, serve):
    """It does so even if it checks whether there is one, and if another request is being served."""
    app.url_map.converters["mine"] = OfTheHost
    CORS(app, origins=PAGE)
    app.add_url_rule("/<mine:name>", "own", own()(lambda name: name))
    app.add_url_rule("/<name>", "plain", lambda name: name)
    client = serve(app)
    assert (readers(client, "/a", host="own.test"), readers(client, "/a", host="other.test")) == ([OTHER], [PAGE])

    with app.test_request_context(headers={"Host": "own.test"}):
        assert readers(client, "/a", host="other.test") == [PAGE]


class OfTheServer(BaseConverter):
    """A converter that needs a value which only an inner middleware sets."""

    def to_python(self, value):
        return f"{value} of {request.environ['tenant']}"


@pytest.mark.parametrize("enforce", [False, True])
def test_a_view_whose_prediction_fails_is_checked_before_it_runs(app, serve, enforce):
    app.url_map.converters["mine"] = OfTheServer
    app.wsgi_app = Rewrites(app.wsgi_app, tenant="a")
    CORS(app, origins=[PAGE, OTHER], enforce=enforce)
    ran = []
    app.add_url_rule("/<mine:name>", "own", own()(lambda name: ran.append(name) or name))
    responses = [serve(app).get("/x", origin) for origin in (PAGE, OTHER)]
    assert [(response.status, allowed(response)) for response in responses] == [
        (403 if enforce else 200, None),
        (200, None),
    ]
    assert ran == ["x of a"] * (1 if enforce else 2)


def test_teardown_functions_close_the_resources_of_a_converter(tenants, serve):
    """A teardown function runs as often as the converter, for example to return a connection."""
    opened, closed = [], []
    tenants.teardown_appcontext(lambda _: closed.extend(g.get("seen", ())))
    CORS(tenants, origins=PAGE)
    serve(tenants).preflight("/a", OTHER)
    opened = tenants.extensions["tenants"]
    assert opened
    assert closed == opened


def test_no_context_is_pushed_for_the_converters_of_werkzeug(app, serve):
    CORS(app, origins=PAGE)
    app.add_url_rule("/<int:number>", "view", own()(str))
    app.teardown_appcontext(lambda _: pytest.fail("torn down"))
    assert allowed(serve(app).preflight("/1", OTHER)) == OTHER


def test_a_request_inside_of_a_view_leaves_its_context(tenants, serve):
    CORS(tenants, origins=PAGE)

    def outer():
        g.mine = "mine"
        inner = tenants.test_client().get("/a", headers={"Origin": OTHER})
        return f"{g.mine} {inner.headers['access-control-allow-origin']} {request.path}"

    tenants.add_url_rule("/outer", "outer", outer)
    response = serve(tenants).get("/outer", PAGE)
    assert (response.body.decode(), allowed(response)) == (f"mine {OTHER} /outer", PAGE)


# -- views that cannot be predicted


class Rewrites:
    """An inner middleware, as a closure, so that its changes cannot be predicted."""

    def __new__(cls, app, **changes):
        def rewrite(environ, start_response):
            return app({**environ, **changes}, start_response)

        return rewrite


CHANGES = [
    pytest.param({"PATH_INFO": "/secret"}, id="path"),
    pytest.param({"REQUEST_METHOD": "PUT"}, id="method"),
    pytest.param({"HTTP_HOST": "secret.test"}, id="host"),
]


def rewritten(changes, **options):
    app = Flask("app", host_matching=True, static_host="static.test")
    app.wsgi_app = Rewrites(app.wsgi_app, **changes)
    CORS(app, origins=[PAGE, OTHER], expose_headers=["x-a"], supports_credentials=True, **options)
    called = []
    secret = cross_origin(origins=[OTHER])(lambda: called.append(request.path) or "secret")
    app.add_url_rule("/", "open", lambda: "open", host="open.test")
    app.add_url_rule("/", "put", secret, methods=["PUT"], host="open.test")
    app.add_url_rule("/secret", "secret", secret, host="open.test")
    app.add_url_rule("/", "host", secret, host="secret.test")
    return app, called


@pytest.mark.parametrize("changes", CHANGES)
def test_both_policies_must_allow_if_another_view_runs(serve, caplog, changes):
    app, called = rewritten(changes)
    client = serve(app)
    assert client.get("/", PAGE, host="open.test").cors == {"vary": "Origin"}
    assert client.get("/", OTHER, host="open.test").cors == {"access-control-allow-origin": OTHER, "vary": "Origin"}
    assert client.get("/", host="open.test").cors == {"vary": "Origin"}
    assert len(called) == 3
    (warning,) = [record for record in caplog.records if "another view" in record.message]
    assert "cross_origin of view '<lambda>'" in warning.message
    assert warning.levelno == logging.WARNING


@pytest.mark.parametrize("changes", CHANGES)
def test_with_enforce_the_view_does_not_run(serve, changes):
    """The app's functions before and after a request, and its error handlers, do not run either."""
    app, called = rewritten(changes, enforce=True)
    app.before_request(lambda: called.append("before"))
    for error in (403, Exception):
        app.register_error_handler(error, lambda _: called.append("handler") or "handled")
    client = serve(app)
    response = client.get("/", PAGE, host="open.test")
    assert (response.status, response.cors, called) == (403, {"vary": "Origin"}, [])
    assert response.body.startswith(b"Refused by the CORS policy: ")
    assert client.get("/", OTHER, host="open.test").status == 200


def test_even_trapped_exceptions_keep_the_view_from_running(serve):
    """TRAP_HTTP_EXCEPTIONS, for debugging, makes the refusal an error 500."""
    app, called = rewritten({"PATH_INFO": "/secret"}, enforce=True)
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    assert (serve(app).get("/", PAGE, host="open.test").status, called) == (500, [])


def test_an_unpredicted_view_in_place_of_an_exempt_one_grants_nothing(serve):
    """A refusal is narrower than passing through."""
    app = Flask("app")
    app.wsgi_app = Rewrites(app.wsgi_app, PATH_INFO="/secret")
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "open", cors_exempt(lambda: "open"))
    secret = own()(lambda: Response("secret", headers={"Access-Control-Allow-Origin": "*"}))
    app.add_url_rule("/secret", "secret", secret)
    assert allowed(serve(app).get("/", EVIL)) is None


def test_the_prediction_stays_if_no_view_runs(serve, caplog):
    """A 404, a 405 and a redirect have no view to compare with."""
    app = Flask("app")
    app.wsgi_app = Rewrites(app.wsgi_app, PATH_INFO="/missing")
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", own()(lambda: "view"))
    response = serve(app).get("/", OTHER)
    assert (response.status, allowed(response)) == (404, OTHER)
    assert not caplog.records


def test_a_retry_of_an_inner_middleware_is_verified_too(app, serve):
    """The middleware runs the app twice, the second time with another view."""
    flask = app.wsgi_app

    def retry(environ, start_response):
        flask({**environ, "PATH_INFO": "/"}, lambda *_: None)
        return flask({**environ, "PATH_INFO": "/secret"}, start_response)

    app.wsgi_app = retry
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", lambda: "view")
    app.add_url_rule("/secret", "secret", own()(lambda: "secret"))
    assert allowed(serve(app).get("/", PAGE)) is None


def test_no_app_matches_routes_before_the_first_attached_policy(app, serve, monkeypatch):
    """Until then, no route is matched."""
    usage = sys.modules["asgi_cors_werkzeug._views"].usage
    monkeypatch.setattr(usage, "_is_used", False)
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", lambda: "view")
    client = serve(app)
    assert readers(client, "/") == [PAGE]
    assert app.extensions["asgi_cors"].configuration.settings.rules.view_of is None
    app.view_functions["view"] = own()(app.view_functions["view"])
    assert readers(client, "/") == [OTHER]


# -- several apps, and requests without a server


def test_each_app_is_verified_by_its_own_views(serve):
    apps = []
    for number in range(3):
        app = Flask(f"app{number}")
        CORS(app, origins=PAGE)
        app.add_url_rule("/", "view", own()(lambda: "view"))
        apps.append(app)
    apps[1].view_functions["view"] = lambda: "plain"
    assert [readers(serve(app), "/") for app in apps] == [[OTHER], [PAGE], [OTHER]]


def test_an_app_that_is_dropped_leaves_no_receiver_behind():
    import gc  # noqa: PLC0415 - here alone
    import weakref  # noqa: PLC0415

    def make():
        app = Flask("app")
        CORS(app, origins=PAGE)
        app.add_url_rule("/", "view", own()(lambda: "view"))
        app.test_client().get("/", headers={"Origin": PAGE})
        return weakref.ref(app)

    gc.collect()
    before, dropped = len(request_started.receivers), make()
    gc.collect()
    assert dropped() is None
    assert len(request_started.receivers) <= before


def test_a_request_context_without_a_request_is_left_alone(app):
    CORS(app, origins=PAGE, enforce=True)
    app.add_url_rule("/", "view", own()(lambda: "view"))
    with app.test_request_context("/", headers={"Origin": EVIL}):
        assert app.full_dispatch_request().data == b"view"


def test_a_decorated_class_has_its_policy_below_a_root_path(asgi, app):
    """The environ has the root path and the rest of the path."""
    import asyncio  # noqa: PLC0415 - here alone

    CORS(app, origins=PAGE)

    class Decorated(View):
        decorators = (own(),)

        def dispatch_request(self):
            return request.path

    app.add_url_rule("/x", view_func=Decorated.as_view("x"))
    for path, root in (("/api/x", "/api"), ("/api/x", "/api/"), ("/x", "/api")):
        scope = asgi.scope("GET", path, {"origin": OTHER}, root_path=root)
        response = asyncio.run(asgi.drive(asgi_app(app), scope))
        assert (response.body, allowed(response)) == (b"/x", OTHER)


# -- a path that is too long to be matched

LONG = "/" + "a/" * 1500


@pytest.mark.parametrize("attached", [True, False], ids=["a policy of its own", "the app's policy"])
def test_nothing_is_allowed_at_a_path_that_is_too_long(app, serve, caplog, monkeypatch, attached):
    """It is not matched, because that would take longer than the request itself."""
    CORS(app, origins=PAGE)
    matched = []
    monkeypatch.setattr("asgi_cors_werkzeug._views._endpoints", lambda *_: matched.append(1) or ())
    app.add_url_rule("/other", "other", own()(lambda: "other"))
    app.add_url_rule("/<path:_>", "view", (own() if attached else lambda view: view)(lambda _: "view"))
    client = serve(app)
    for origin in (PAGE, OTHER):
        response = client.get(LONG, origin)
        assert (response.status, response.body, response.cors) == (200, b"view", {"vary": "Origin"})
        preflight = client.preflight(LONG, origin)
        assert (preflight.status, allowed(preflight)) == (200, None)
        assert app.extensions["asgi_cors"].explain("GET", origin, LONG).allowed is False
    assert client.get(LONG).body == b"view"
    assert matched == []


def test_enforce_refuses_every_origin_at_a_path_that_is_too_long(app, serve):
    """The app does not run, because the view is not known."""
    CORS(app, origins=PAGE, enforce=True)
    app.add_url_rule("/<path:_>", "view", own()(lambda _: pytest.fail("the view ran")), methods=["POST"])
    assert {serve(app).request("POST", LONG, origin).status for origin in (PAGE, OTHER, EVIL)} == {403}
