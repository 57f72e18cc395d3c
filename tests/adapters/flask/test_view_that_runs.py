"""Flask: the view that serves a request is predicted, and verified when it runs."""

import functools

import pytest
from flask import (
    Flask,
    Response,
    current_app,
    g,
    has_request_context,
    request,
    session,
)
from flask.views import View
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, ValidationError

from asgi_cors._configuration import attached
from asgi_cors_flask import CORS, asgi_app, cors_exempt, cross_origin

PAGE, OTHER, EVIL = "https://app.example.com", "https://other.example", "https://evil.example"
own = functools.partial(cross_origin, origins=[OTHER])


def readers(client, path, method="GET", **headers):
    """Return the origins that may read a path. A preflight must have the same result."""
    found = []
    for origin in (PAGE, OTHER):
        responses = [
            client.request(method, path, origin, **headers),
            client.request("OPTIONS", path, origin, access_control_request_method=method, **headers),
        ]
        verdicts = {response.allowed_origin for response in responses}
        assert len(verdicts) == 1, (origin, [response.cors for response in responses])
        found += verdicts - {None}
    return found


# -- the policy of the view that is registered now


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
    assert serve(app).preflight("/", PAGE).allowed_origin == PAGE


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
    assert [(response.status, response.allowed_origin) for response in responses] == [
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
    assert serve(app).preflight("/1", OTHER).allowed_origin == OTHER


def test_a_request_inside_of_a_view_leaves_its_context(tenants, serve):
    CORS(tenants, origins=PAGE)

    def outer():
        g.mine = "mine"
        inner = tenants.test_client().get("/a", headers={"Origin": OTHER})
        return f"{g.mine} {inner.headers['access-control-allow-origin']} {request.path}"

    tenants.add_url_rule("/outer", "outer", outer)
    response = serve(tenants).get("/outer", PAGE)
    assert (response.body.decode(), response.allowed_origin) == (f"mine {OTHER} /outer", PAGE)


# -- views that cannot be predicted


class Rewrites:
    """An inner middleware, as a closure, so that its changes cannot be predicted."""

    def __new__(cls, app, **changes):
        def rewrite(environ, start_response):
            return app({**environ, **changes}, start_response)

        return rewrite


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


def test_even_with_trapped_exceptions_the_view_does_not_run(serve):
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
    assert serve(app).get("/", EVIL).allowed_origin is None


def test_the_prediction_stays_if_no_view_runs(serve, caplog):
    """A 404, a 405 and a redirect have no view to compare with."""
    app = Flask("app")
    app.wsgi_app = Rewrites(app.wsgi_app, PATH_INFO="/missing")
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", own()(lambda: "view"))
    response = serve(app).get("/", OTHER)
    assert (response.status, response.allowed_origin) == (404, OTHER)
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
    assert serve(app).get("/", PAGE).allowed_origin is None


def test_no_app_matches_routes_before_the_first_attached_policy(app, serve, monkeypatch):
    """Until then, no route is matched."""
    usage = attached._usage
    monkeypatch.setattr(usage, "_is_used", False)
    CORS(app, origins=PAGE)
    app.add_url_rule("/", "view", lambda: "view")
    client = serve(app)
    assert readers(client, "/") == [PAGE]
    assert app.extensions["asgi_cors"].configuration.evaluator.rules.view_of is None
    app.view_functions["view"] = own()(app.view_functions["view"])
    assert readers(client, "/") == [OTHER]


# -- several apps, and requests without a server


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
        assert (response.body, response.allowed_origin) == (b"/x", OTHER)
