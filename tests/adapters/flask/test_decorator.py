"""cross_origin and cors_exempt: with CORS(app) and without, in any order, on functions, classes and blueprints."""

import functools
import subprocess
import sys
import threading

import pytest
from flask import Blueprint, Flask, Request, abort, jsonify, request
from flask.views import MethodView, View
from werkzeug.routing import Map

from asgi_cors import ConfigError, ConfigWarning
from asgi_cors.testing import CORSError, Page
from asgi_cors_flask import CORS, cors_exempt, cross_origin

PAGE = "https://app.example.com"
OTHER = "https://other.example"
METHODS = "GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE"
VARY = {"vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
GRANTED = {"access-control-allow-origin": PAGE, "vary": "Origin"}
REFUSED = {"vary": "Origin"}
PREFLIGHT = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "*, authorization",
    **VARY,
}

with_and_without = pytest.mark.parametrize(
    "install", [CORS, lambda app: None], ids=["with CORS(app)", "without CORS(app)"]
)
own = cross_origin(origins=PAGE)


def allowed(response):
    return response.cors.get("access-control-allow-origin")


@with_and_without
@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/view", "GET", 200), ("/abort", "GET", 418), ("/crash", "GET", 500), ("/view", "OPTIONS", 200)],
)
@pytest.mark.parametrize(("origin", "headers"), [(PAGE, GRANTED), (OTHER, REFUSED), (None, REFUSED)])
def test_a_views_policy_applies_to_all_its_responses(app, serve, install, path, method, status, origin, headers):
    """This includes responses for exceptions that the view raises."""
    install(app)
    for name, body in {"view": jsonify, "abort": lambda: abort(418), "crash": lambda: 1 / 0}.items():
        app.add_url_rule(f"/{name}", name, own(body))
    response = serve(app).request(method, path, origin)
    assert (response.status, response.cors) == (status, headers)


@with_and_without
def test_a_views_policy_answers_its_preflights(app, serve, install):
    """The view is not called. The response has the policy's headers and no others."""
    install(app)
    app.add_url_rule("/view", "view", own(lambda: pytest.fail("called")), methods=["PUT"])
    client = serve(app)
    response = client.preflight("/view", PAGE)
    assert (response.status, response.headers, response.body) == (204, list(PREFLIGHT.items()), b"")
    response = client.preflight("/view", OTHER)
    assert (response.status, response.cors) == (200, VARY)
    assert b"PreflightMissingAllowOriginHeader" in response.body


@with_and_without
def test_an_options_request_that_is_not_a_preflight_lists_the_methods(app, serve, install):
    install(app)
    app.add_url_rule("/view", "view", own(lambda: "got"))
    app.add_url_rule("/view", "put", own(lambda: "put"), methods=["PUT"])
    response = serve(app).request("OPTIONS", "/view", PAGE)
    assert set(response.header("allow").split(", ")) == {"GET", "HEAD", "PUT", "OPTIONS"}
    assert response.cors == GRANTED


@with_and_without
def test_without_automatic_options_the_view_answers_options_requests(app, serve, install):
    install(app)
    view = cross_origin(origins=PAGE, automatic_options=False)(lambda: "mine")
    app.add_url_rule("/view", "view", view, methods=["GET", "OPTIONS"])
    response = serve(app).request("OPTIONS", "/view", PAGE)
    assert (response.body, response.cors) == (b"mine", GRANTED)


@pytest.mark.parametrize("bare", [cross_origin, cross_origin()], ids=["@cross_origin", "@cross_origin()"])
@with_and_without
def test_without_options_every_origin_may_read_the_view(app, serve, install, bare):
    install(app)
    app.add_url_rule("/view", "view", bare(lambda: "open"))
    assert serve(app).get("/view", OTHER).cors == {"access-control-allow-origin": "*"}


def test_without_cors_other_views_have_no_cors_headers(app, serve):
    app.add_url_rule("/view", "view", own(lambda: "own"))
    app.add_url_rule("/plain", "plain", lambda: "plain")
    client = serve(app)
    assert client.get("/plain", PAGE).cors == client.get("/missing", PAGE).cors == {}


def test_with_cors_other_views_have_the_apps_policy(app, serve):
    CORS(app, origins=OTHER)
    app.add_url_rule("/view", "view", own(lambda: "own"))
    app.add_url_rule("/plain", "plain", lambda: "plain")
    client = serve(app)
    assert (allowed(client.get("/plain", OTHER)), allowed(client.get("/plain", PAGE))) == (OTHER, None)


def test_options_of_cors_do_not_apply_to_a_decorated_view(app, serve):
    """As in Flask-CORS, a view's options are merged over the config and the defaults, not over CORS(app, …)."""
    app.config["CORS_MAX_AGE"] = 7
    CORS(app, origins=OTHER, supports_credentials=True, expose_headers="X-A")
    app.add_url_rule("/view", "view", own(lambda: "own"))
    client = serve(app)
    assert client.get("/view", PAGE).cors == GRANTED
    assert client.preflight("/view", PAGE).cors == PREFLIGHT | {"access-control-max-age": "7"}


def test_a_view_registered_after_a_preflight_has_its_policy(app, serve):
    """Flask allows that until a request reaches the app, and a preflight does not reach it."""
    CORS(app)
    client = serve(app)
    client.preflight("/view", PAGE)
    app.add_url_rule("/view", "view", own(lambda: "own"))
    assert client.get("/view", PAGE).cors == GRANTED


# -- other decorators and their order


def passes_on(view):
    @functools.wraps(view)
    def inner(*args, **kwargs):
        return view(*args, **kwargs)

    return inner


def hides(view):
    def inner(*args, **kwargs):
        return view(*args, **kwargs)

    return inner


def needs_login(view):
    @functools.wraps(view)
    def inner(*args, **kwargs):
        return view(*args, **kwargs) if "authorization" in request.headers else abort(401)

    return inner


@with_and_without
@pytest.mark.parametrize("order", [[own, passes_on], [passes_on, own]], ids=["above", "below"])
def test_it_works_above_and_below_other_decorators(app, serve, install, order):
    install(app)
    view = functools.reduce(lambda view, decorator: decorator(view), order, lambda: "own")
    app.add_url_rule("/view", "view", view)
    client = serve(app)
    assert client.get("/view", PAGE).cors == GRANTED
    assert client.preflight("/view", PAGE).cors == PREFLIGHT


def test_the_refusal_of_a_login_has_cors_headers_only_with_cors(app, serve):
    """Without CORS(app), a decorated view cannot add headers to a response that is sent before it runs."""
    app.add_url_rule("/view", "view", needs_login(own(lambda: "own")))
    assert serve(app).get("/view", PAGE).cors == {}
    app = Flask("second")
    CORS(app)
    app.add_url_rule("/view", "view", needs_login(own(lambda: "own")))
    client = serve(app)
    response = client.get("/view", PAGE)
    assert (response.status, response.cors) == (401, GRANTED)
    assert client.preflight("/view", PAGE).cors == PREFLIGHT


def test_a_hidden_policy_and_the_apps_must_both_allow(app, serve):
    """A decorator above that does not use functools.wraps hides the view's policy from the app."""
    CORS(app, origins=[PAGE, "https://third.example"])
    app.add_url_rule("/view", "view", hides(cross_origin(origins=[PAGE, OTHER])(lambda: "own")))
    client = serve(app)
    verdicts = [allowed(client.get("/view", origin)) for origin in (PAGE, OTHER, "https://third.example")]
    assert verdicts == [PAGE, None, None]


def test_a_decorator_above_route_raises_a_warning(app, serve):
    """Flask has registered the bare view by then, so the decorator has no effect."""
    CORS(app)
    own(app.get("/view")(lambda: "bare"))
    with pytest.warns(ConfigWarning, match=r"is above its route.*first @app.route"):
        serve(app).get("/view", PAGE)


@pytest.mark.filterwarnings("error")
def test_a_view_registered_bare_and_decorated_raises_no_warning(app, serve):
    CORS(app, origins=OTHER)

    def view():
        return "both"

    app.add_url_rule("/bare", "bare", view)
    app.add_url_rule("/own", "own", own(view))
    client = serve(app)
    assert (allowed(client.get("/bare", PAGE)), allowed(client.get("/own", PAGE))) == (None, PAGE)


# -- classes, several views on one URL, blueprints


class Decorated(View):
    decorators = (own,)

    def dispatch_request(self):
        return "class"


class Methods(MethodView):
    decorators = (own,)

    def get(self):
        return "got"

    def put(self):
        return "put"


class ByMethod(MethodView):
    @cross_origin(origins=PAGE)
    def get(self):
        return type(self).__name__

    def put(self):
        return "put"


@with_and_without
@pytest.mark.parametrize("view", [Decorated, Methods])
def test_a_class_based_view_has_its_policy(app, serve, install, view):
    """Flask must not answer the preflights of a class with `decorators = […]`."""
    install(app)
    app.add_url_rule("/view", view_func=view.as_view("view"))
    client = serve(app)
    assert client.get("/view", PAGE).cors == GRANTED
    assert client.preflight("/view", PAGE).cors == PREFLIGHT


@with_and_without
def test_a_method_of_a_class_has_its_own_policy(app, serve, install):
    """`get` has a policy of its own. Other methods have the app's."""
    install(app)
    app.add_url_rule("/view", view_func=ByMethod.as_view("view"))
    client = serve(app)
    response = client.get("/view", PAGE)
    assert (response.body, response.cors) == (b"ByMethod", GRANTED)
    assert allowed(client.request("PUT", "/view", OTHER)) == ("*" if install is CORS else None)


def test_a_method_of_a_class_answers_its_preflights_under_cors(app, serve):
    CORS(app)
    app.add_url_rule("/view", view_func=ByMethod.as_view("view"))
    client = serve(app)
    assert client.preflight("/view", OTHER, "GET").cors == VARY
    assert allowed(client.preflight("/view", OTHER, "PUT")) == "*"


def test_each_view_of_a_url_has_its_own_policy(app, serve):
    """A preflight gets the policy of the view that serves the requested method. HEAD is served by GET's."""
    CORS(app, origins="https://third.example")
    app.add_url_rule("/view", "get", cross_origin(origins=PAGE)(lambda: "got"))
    app.add_url_rule("/view", "put", cross_origin(origins=OTHER)(lambda: "put"), methods=["PUT"])
    app.add_url_rule("/view", "delete", lambda: "gone", methods=["DELETE"])
    client = serve(app)
    table = {"GET": PAGE, "HEAD": PAGE, "PUT": OTHER, "DELETE": "https://third.example"}
    for method, origin in table.items():
        for page in (PAGE, OTHER, "https://third.example"):
            expected = origin if page == origin else None
            assert allowed(client.preflight("/view", page, method)) == expected
            assert allowed(client.request(method, "/view", page)) == expected


@pytest.mark.parametrize(
    ("options", "closes"),
    [
        pytest.param({}, own, id="a view's"),
        pytest.param({"origins": PAGE, "max_age": 60}, lambda view: view, id="the app's"),
        pytest.param({"resources": {"/vie*": {"origins": PAGE}}}, lambda view: view, id="a resource's"),
    ],
)
def test_a_preflight_cached_for_one_view_is_not_used_for_another(app, options, closes):
    """Browsers cache preflights by URL. That of an open view must not allow a request to a closed one."""
    called = []
    CORS(app, **options)
    app.add_url_rule("/view", "get", cross_origin(max_age=60)(lambda: "got"))
    app.add_url_rule("/view", "put", closes(lambda: called.append(1) or "put"), methods=["PUT"])
    with Page(OTHER, app=app) as page:
        assert page.fetch("http://api.test/view", headers={"x-a": "1"}).ok
        with pytest.raises(CORSError, match="PreflightMissingAllowOriginHeader"):
            page.fetch("http://api.test/view", method="PUT", headers={"x-a": "1"})
    assert called == []


def test_a_preflight_of_a_url_with_one_policy_is_cached(app, serve):
    """It does not matter which method is requested."""
    CORS(app, max_age=60)
    app.add_url_rule("/view", "get", cross_origin(max_age=7)(lambda: "got"), methods=["GET", "PUT"])
    app.add_url_rule("/plain", "plain", lambda: "got", methods=["GET", "PUT"])
    client = serve(app)
    ages = [client.preflight(path, PAGE).cors["access-control-max-age"] for path in ("/view", "/plain", "/missing")]
    assert ages == ["7", "60", "60"]


def test_a_method_that_no_view_serves_gets_the_policy_of_the_urls_view(app, serve):
    """The app's policy, which allows more, does not apply to the 405 and its preflight."""
    CORS(app)
    app.add_url_rule("/view", "view", own(lambda: "own"))
    client = serve(app)
    assert client.preflight("/view", OTHER, "DELETE").cors == VARY
    response = client.request("DELETE", "/view", PAGE)
    assert (response.status, response.cors) == (405, GRANTED)


def test_a_redirect_that_adds_a_slash_gets_the_policy_of_its_target(app, serve):
    CORS(app)
    app.add_url_rule("/a b/", "view", own(lambda: "own"))
    client = serve(app)
    response = client.get("/a%20b", PAGE)
    assert (response.status, response.cors) == (308, GRANTED)
    assert client.preflight("/a%20b", OTHER, "GET").cors == VARY


def test_a_redirect_to_a_missing_path_gets_the_apps_policy(app, serve):
    CORS(app)
    app.add_url_rule("/view", "view", own(lambda: "own"))
    app.add_url_rule("/old", "old", redirect_to="/nowhere")
    assert allowed(serve(app).get("/old", OTHER)) == "*"


@with_and_without
def test_a_view_of_a_blueprint_has_its_policy(serve, install):
    """The blueprint may have a prefix, be nested, or have a subdomain."""
    app = Flask("app", subdomain_matching=True)
    app.config["SERVER_NAME"] = "api.test"
    install(app)
    outer = Blueprint("outer", "outer", url_prefix="/outer")
    inner = Blueprint("inner", "inner", url_prefix="/inner", subdomain="sub")
    inner.add_url_rule("/view", "view", own(lambda: "own"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    client = serve(app)
    assert client.get("/outer/inner/view", PAGE, host="sub.api.test").cors == GRANTED
    requested = {"access-control-request-method": "PUT"}
    assert client.request("OPTIONS", "/outer/inner/view", PAGE, host="sub.api.test", **requested).cors == PREFLIGHT
    assert client.get("/outer/inner/view", PAGE, host="api.test").status == 404


@pytest.mark.skipif("TRUSTED_HOSTS" not in Flask("app").config, reason="a key of Flask 3.1")
def test_an_untrusted_host_gets_the_apps_policy(app, serve):
    """The app refuses it. The search for the view must not raise."""
    app.config["TRUSTED_HOSTS"] = ["api.test"]
    CORS(app)
    app.add_url_rule("/view", "view", own(lambda: "own"))
    response = serve(app).get("/view", OTHER, host="evil.test")
    assert (response.status, allowed(response)) == (400, "*")


@pytest.mark.parametrize(
    ("options", "rule", "server_name", "view", "plain"),
    [
        pytest.param(
            {"subdomain_matching": True}, {"subdomain": "sub"}, "api.test", "sub.api.test", "api.test", id="sub"
        ),
        pytest.param({"host_matching": True}, {"host": "own.test"}, None, "own.test", "api.test", id="by host"),
    ],
)
def test_a_view_is_found_by_its_host(serve, options, rule, server_name, view, plain):
    """This holds for the first request of a host and for later ones."""
    app = Flask("app", static_folder=None, **options)
    app.config["SERVER_NAME"] = server_name
    CORS(app)
    app.add_url_rule("/view", "view", own(lambda: "own"), **rule)
    client = serve(app)
    for host, expected in 2 * [(view, PAGE), (plain, "*")]:
        assert allowed(client.get("/view", PAGE, host=host)) == expected


@pytest.mark.parametrize("way", ["a class", "an attribute", "a map"])
def test_an_app_with_its_own_routing_finds_its_views(serve, way):
    """It may route by any header, as by Host."""

    def by_tenant(app, request):
        tenant = "" if request is None else request.headers.get("x-tenant", "")
        return app.url_map.bind("localhost", subdomain=tenant, path_info=getattr(request, "path", "/"))

    class Tenants(Flask):
        create_url_adapter = by_tenant

    class TenantsMap(Map):
        def bind_to_environ(self, environ, server_name=None, subdomain=None):
            return super().bind_to_environ(environ, server_name, environ.get("HTTP_X_TENANT", ""))

    class Mapped(Flask):
        url_map_class = TenantsMap

    app = {"a class": Tenants, "a map": Mapped}.get(way, Flask)("app", static_folder=None)
    if way == "an attribute":
        app.create_url_adapter = functools.partial(by_tenant, app)
    CORS(app)
    app.add_url_rule("/view", "view", own(lambda: "own"), subdomain="one")
    app.add_url_rule("/view", "plain", lambda: "plain")
    for _ in range(2):
        assert allowed(serve(app).request("GET", "/view", PAGE, **{"x-tenant": "one"})) == PAGE
        assert allowed(serve(app).get("/view", PAGE)) == "*"


def test_subdomain_matching_may_be_enabled_later(serve):
    """The cached result for a host is not used then."""
    app = Flask("app", static_folder=None)
    app.config["SERVER_NAME"] = "api.test"
    CORS(app)
    app.add_url_rule("/view", "view", own(lambda: "own"), subdomain="sub")
    app.add_url_rule("/view", "plain", lambda: "plain")
    client = serve(app)
    assert allowed(client.get("/view", PAGE, host="sub.api.test")) == "*"
    app.subdomain_matching = True
    assert allowed(client.get("/view", PAGE, host="sub.api.test")) == PAGE


@pytest.mark.skipif("TRUSTED_HOSTS" not in Flask("app").config, reason="Flask 3.1 looks at it")
def test_the_trusted_hosts_of_a_request_class_are_respected(app, serve):
    """An untrusted host gets the app's policy each time."""

    class Trusting(Request):
        trusted_hosts = ["api.test"]  # noqa: RUF012 - as werkzeug has it

    app.request_class = Trusting
    CORS(app)
    app.add_url_rule("/view", "view", own(lambda: "own"))
    client = serve(app)
    for host, status, expected in 2 * [("evil.test", 400, "*"), ("api.test", 200, PAGE)]:
        response = client.get("/view", PAGE, host=host)
        assert (response.status, allowed(response)) == (status, expected)


@with_and_without
def test_an_async_view_has_its_policy(app, serve, install):
    """The decorator accepts a coroutine function."""
    install(app)

    async def view():
        return "async"

    app.add_url_rule("/view", "view", own(view))
    assert serve(app).get("/view", PAGE).cors == GRANTED


# -- routes are matched only if a view has a policy


def test_no_route_is_matched_if_no_view_has_a_policy():
    """In a new process, no app matches routes before the first policy is attached."""
    program = """
from flask import Flask
from asgi_cors_flask import CORS, cross_origin

app = Flask("app")
CORS(app)
app.add_url_rule("/view", "view", lambda: "plain")
bound, bind = [], app.create_url_adapter
app.create_url_adapter = lambda request: bound.append(request) or bind(request)

def looked_up():
    bound.clear()
    headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}
    app.test_client().options("/view", headers=headers)
    return len([*filter(None, bound)])

before = looked_up()
cross_origin()(lambda: "decorated")
print(before, looked_up())
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "0 1\n"


def test_views_may_be_decorated_while_threads_serve(app):
    """Each request for a registered view gets the view's policy.

    A request during its registration may get the narrower of two policies, so none is sent then.
    """
    CORS(app, origins=OTHER)
    client = app.test_client()
    begin, done, registered, wrong = threading.Barrier(3), threading.Event(), [], []

    def serve_known():
        begin.wait(10)
        while not done.is_set():
            for endpoint in [*registered]:
                response = client.get(f"/{endpoint}", headers={"Origin": PAGE})
                if response.headers.get("Access-Control-Allow-Origin") != PAGE or response.status_code != 200:
                    wrong.append(endpoint)

    threads = [threading.Thread(target=serve_known) for _ in range(2)]
    for thread in threads:
        thread.start()
    begin.wait(10)
    for number in range(50):
        app.view_functions[f"view{number}"] = own(lambda: "own")
        app.url_map.add(app.url_rule_class(f"/view{number}", endpoint=f"view{number}", methods=["GET"]))
        registered.append(f"view{number}")
        app.extensions["asgi_cors"].reconfigure(max_age=number)
    done.set()
    for thread in threads:
        thread.join(10)
    assert wrong == []
    assert app.extensions["asgi_cors"].policy.max_age == 49


# -- exempt


@pytest.mark.parametrize("order", ["below route", "above route"])
def test_an_exempt_view_is_passed_through(app, serve, order):
    """The view's own headers are sent, also for preflights. The order of decorators does not matter."""
    CORS(app)
    headers = {"Access-Control-Allow-Origin": "https://mine.example"}
    route = app.route("/view", methods=["GET", "OPTIONS"])

    def view():
        return "exempt", 200, headers

    if order == "below route":
        route(cors_exempt(view))
    else:
        cors_exempt(route(view))
    client = serve(app)
    expected = {"access-control-allow-origin": "https://mine.example"}
    assert client.get("/view", PAGE).cors == client.preflight("/view", PAGE).cors == expected


def test_cors_exempt_has_no_effect_without_cors(app, serve):
    app.add_url_rule("/view", "view", cors_exempt(lambda: "exempt"))
    assert serve(app).get("/view", PAGE).cors == {}


# -- explanations and mistakes


def test_explain_uses_a_views_own_policy(app):
    cors = CORS(app, origins=OTHER)
    app.add_url_rule("/view", "view", own(lambda: "own"))
    app.add_url_rule("/exempt", "exempt", cors_exempt(lambda: "exempt"))
    verdicts = [cors.explain("GET", PAGE, path).allowed for path in ("/view", "/exempt", "/missing")]
    assert verdicts == [True, None, False]


def test_explain_checks_the_apps_hosts_before_a_views_own_policy(app):
    cors = CORS(app, origins=OTHER, allowed_hosts=["api.example.com"])
    app.add_url_rule("/view", "view", own(lambda: "own"))
    assert cors.explain("GET", PAGE, "/view", host="api.example.com").allowed
    assert cors.explain("GET", PAGE, "/view", host="attacker.test").code == "HostNotAllowed"


def test_mistakes_are_found_at_decoration():
    """All are reported at once, by the names of Flask-CORS."""
    with pytest.raises(ConfigError) as raised:
        cross_origin(origin="*", origins="https://example.com/", max_age=-1)
    assert [issue.option for issue in raised.value.issues] == ["origin", "origins", "max_age"]


def test_mistakes_that_depend_on_the_config_are_found_when_the_app_is_bound(app):
    decorated = cross_origin(supports_credentials=True)
    app.add_url_rule("/view", "view", decorated(lambda: "own"))
    with pytest.raises(ConfigError, match=r"cross_origin: origins: .*supports_credentials"):
        CORS(app)
    app.config["CORS_ORIGINS"] = PAGE
    assert CORS(app).explain("GET", PAGE, "/view", credentials=True).allowed
