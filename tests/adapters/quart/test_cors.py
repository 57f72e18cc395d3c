"""`CORS`: a policy for a Quart app, by the policy's own options."""

import inspect
import warnings
from functools import partial
from types import SimpleNamespace

import pytest
from quart import Blueprint, Quart, abort, websocket
from quart.routing import QuartMap
from werkzeug.routing import Map, Rule

from asgi_cors import ConfigError, ConfigWarning, Policy
from asgi_cors_quart import CORS, cors, cors_exempt, route_cors
from asgi_cors_werkzeug import UrlBinder

PAGE = "https://app.example.com"
OTHER = "https://other.example.com"
EVIL = "https://evil.example.net"
SAFELISTED = "accept, accept-language, content-language, content-type"
PREFLIGHT_VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
GRANTED = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true", "vary": "Origin"}
VARY = {"vary": "Origin"}


def create(**config):
    """Return an app with a view for each kind of response."""
    app = Quart(__name__)
    app.config.update(config)

    @app.route("/", methods=["GET", "PUT"])
    async def index():
        return "hello"

    @app.route("/sync")
    def sync():
        return "hello"

    @app.route("/stream")
    async def stream():
        async def parts():
            yield "one"
            yield "two"

        return parts()

    @app.route("/slash/")
    async def slash():
        return "hello"

    @app.route("/forbidden")
    async def forbidden():
        abort(403)

    @app.route("/crash")
    async def crash():
        raise RuntimeError("a crash")

    @app.route("/exempt")
    @cors_exempt
    async def exempt():
        return "hello"

    @app.websocket("/ws")
    async def ws():
        await websocket.send("hello")

    return app


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/", 200, id="a view's response"),
        pytest.param("GET", "/sync", 200, id="the response of a view that is not async"),
        pytest.param("HEAD", "/", 200, id="a response to HEAD"),
        pytest.param("OPTIONS", "/", 200, id="a response to OPTIONS that is not a preflight"),
        pytest.param("GET", "/stream", 200, id="a stream"),
        pytest.param("GET", "/missing", 404, id="a missing path"),
        pytest.param("DELETE", "/", 405, id="a method that the view does not have"),
        pytest.param("GET", "/forbidden", 403, id="an abort"),
        pytest.param("GET", "/slash", 308, id="a redirect to the path with its slash"),
        pytest.param("GET", "/crash", 500, id="a crash"),
    ],
)
async def test_every_response_has_the_cors_headers(send_request, cors_headers, method, path, status):
    app = create()
    CORS(app, allow_origins=PAGE, allow_credentials=True)
    assert (await send_request(app, method, path, origin=PAGE)).status_code == status
    assert await cors_headers(app, method, path, origin=PAGE) == GRANTED
    assert await cors_headers(app, method, path, origin=EVIL) == VARY


async def test_without_options_every_origin_may_read_without_credentials(cors_headers):
    """As in Flask, every method and header is allowed, too."""
    app = create()
    CORS(app)
    assert await cors_headers(app, origin=EVIL) == {"access-control-allow-origin": "*"}
    preflight = {"access_control_request_method": "PATCH", "access_control_request_headers": "x-any"}
    assert await cors_headers(app, "OPTIONS", origin=EVIL, **preflight) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE",
        "access-control-allow-headers": "*, authorization",
        "vary": PREFLIGHT_VARY,
    }


async def test_with_options_the_defaults_are_those_of_the_policy(send_request, cors_headers):
    """They allow GET, HEAD and POST and the safelisted headers, and browsers cache a preflight for ten minutes."""
    app = create()
    CORS(app, allow_origins=PAGE)
    assert await cors_headers(app, "OPTIONS", origin=PAGE, access_control_request_method="GET") == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": SAFELISTED,
        "access-control-max-age": "600",
        "vary": PREFLIGHT_VARY,
    }


@pytest.mark.parametrize("path", ["/", "/missing", "/slash", "/crash", "/ws"])
async def test_a_preflight_is_answered_before_anything_of_the_app_runs(send_request, path):
    """No `before_request` function, routing or view runs."""
    app = create()
    CORS(app, allow_origins=PAGE, allow_methods="PUT")

    @app.before_request
    async def authenticate():
        abort(401)

    response = await send_request(app, "OPTIONS", path, origin=PAGE, access_control_request_method="PUT")
    assert (response.status_code, await response.get_data()) == (204, b"")
    assert (await send_request(app, path=path, origin=PAGE)).headers["access-control-allow-origin"] == PAGE


async def test_an_exempt_view_is_passed_through(send_request, cors_headers):
    """The response has no CORS header and no Vary, and a preflight reaches the app."""
    app = create()
    CORS(app, allow_origins=PAGE)
    assert await cors_headers(app, path="/exempt", origin=PAGE) == {}
    response = await send_request(app, "OPTIONS", "/exempt", origin=PAGE, access_control_request_method="PUT")
    assert (response.status_code, response.allow.as_set()) == (200, {"get", "head", "options"})


async def test_a_policy_and_the_options_of_the_middleware_are_accepted(cors_headers):
    """`CORS(app, Policy(…), paths=…)` is the same as `CORSMiddleware(app, Policy(…), paths=…)`."""
    app = create()
    seen = []
    CORS(
        app, Policy(allow_origins=PAGE), paths={"/stream": None}, on_decision=lambda decision, _: seen.append(decision)
    )
    assert await cors_headers(app, path="/stream", origin=PAGE) == {}
    assert await cors_headers(app, origin=PAGE) == {"access-control-allow-origin": PAGE, **VARY}
    assert [decision.outcome for decision in seen] == ["allowed"]


async def test_a_mounted_app_is_matched_without_its_root_path(cors_headers):
    """Views with their own policies are found below a root path."""
    app = create()
    CORS(app, allow_origins=PAGE)
    assert await cors_headers(app, path="/api/exempt", origin=PAGE) == {**VARY, "access-control-allow-origin": PAGE}
    client = app.test_client()
    for root, expected in (("/api", None), ("/other", PAGE)):
        response = await client.get("/api/exempt", headers={"origin": PAGE}, root_path=root)
        assert response.headers.get("access-control-allow-origin") == expected


# -- init_app, several apps


async def test_one_extension_serves_several_apps_each_by_its_own_configuration(cors_headers):
    """It does not matter which app gets the first request."""
    extension = CORS()
    first, second = create(QUART_CORS_ALLOW_ORIGIN=[PAGE]), create(QUART_CORS_ALLOW_ORIGIN=[OTHER])
    for app in (first, second):
        extension.init_app(app)
    assert await cors_headers(first, origin=PAGE) == {"access-control-allow-origin": PAGE, **VARY}
    assert await cors_headers(second, origin=PAGE) == VARY
    assert await cors_headers(second, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    first.extensions["asgi_cors"].reconfigure(allow_origins=EVIL)
    assert await cors_headers(second, origin=EVIL) == VARY


def test_policy_of_an_extension_without_an_app_raises_an_error_that_names_init_app():
    with pytest.raises(RuntimeError, match=r"not bound to an app\. Call init_app\(app\) first\."):
        _ = CORS().policy


def test_policy_of_an_extension_with_two_apps_raises_an_error_that_names_app_extensions():
    extension = CORS()
    extension.init_app(create())
    extension.init_app(create())
    with pytest.raises(RuntimeError, match=r"bound to 2 apps\. Use app\.extensions\['asgi_cors'\] of one of them\."):
        _ = extension.policy


@pytest.mark.parametrize("second", [CORS, cors])
def test_a_second_policy_for_an_app_is_refused(second):
    """The hint names `reconfigure`."""
    app = create()
    CORS(app, allow_origins=PAGE)
    with pytest.raises(ConfigError) as caught:
        second(app)
    assert str(caught.value) == (
        "app: the app has a CORS policy already. "
        "Install one policy only. To change it, write app.extensions['asgi_cors'].reconfigure(…)."
    )


# -- policy, explain and reconfigure


async def test_the_extension_has_policy_explain_and_reconfigure(cors_headers):
    """So does app.extensions["asgi_cors"]."""
    app = create()
    extension = CORS(app, allow_origins=PAGE)
    assert extension.policy == Policy(allow_origins=PAGE) == app.extensions["asgi_cors"].policy
    assert not extension.explain("PUT", PAGE).allowed
    extension.reconfigure(allow_origins=OTHER, allow_methods="PUT")
    assert extension.explain("PUT", OTHER).allowed
    assert await cors_headers(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/", PAGE, True),
        ("/own", PAGE, False),
        ("/own", OTHER, True),
        ("/exempt", PAGE, None),
        ("/missing", PAGE, True),
    ],
)
@pytest.mark.parametrize("server_name", [None, "api.test"])
def test_explain_uses_a_views_own_policy(server_name, path, origin, allowed):
    """An exempt view is explained as passed through."""
    app = create(SERVER_NAME=server_name)
    app.route("/own")(route_cors(allow_origin=OTHER)(lambda: "hello"))
    assert CORS(app, allow_origins=PAGE).explain("GET", origin, path=path).allowed is allowed


async def test_a_reconfigured_policy_no_longer_follows_the_configuration(cors_headers):
    """A change of the keys has no effect then."""
    app = create(QUART_CORS_ALLOW_ORIGIN=PAGE)
    CORS(app).reconfigure(Policy(allow_origins=OTHER))
    app.config["QUART_CORS_ALLOW_ORIGIN"] = EVIL
    assert await cors_headers(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    assert await cors_headers(app, origin=EVIL) == VARY


async def test_a_policy_follows_the_configuration_if_only_the_middleware_is_reconfigured(cors_headers):
    """`reconfigure(paths=…)` does not replace the policy."""
    app = create(QUART_CORS_ALLOW_ORIGIN=PAGE)
    CORS(app).reconfigure(paths={"/stream": None})
    app.config["QUART_CORS_ALLOW_ORIGIN"] = OTHER
    assert await cors_headers(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    assert await cors_headers(app, path="/stream", origin=OTHER) == {}


# -- the configuration


async def test_the_configuration_sets_the_options_that_the_keywords_leave_out(cors_headers):
    """A keyword overrides the key of the same option."""
    app = create(QUART_CORS_ALLOW_ORIGIN=EVIL, QUART_CORS_EXPOSE_HEADERS=["X-Total"])
    CORS(app, allow_origins=PAGE)
    granted = {"access-control-allow-origin": PAGE, "access-control-expose-headers": "X-Total", **VARY}
    assert await cors_headers(app, origin=PAGE) == granted
    assert await cors_headers(app, origin=EVIL) == VARY


async def test_changes_of_the_configuration_apply_to_the_next_request(cors_headers):
    """A key may be set, changed in place or deleted."""
    app = create()
    CORS(app)
    assert await cors_headers(app, origin=EVIL) == {"access-control-allow-origin": "*"}
    app.config["QUART_CORS_ALLOW_ORIGIN"] = [PAGE]
    assert await cors_headers(app, origin=OTHER) == VARY
    app.config["QUART_CORS_ALLOW_ORIGIN"].append(OTHER)
    assert await cors_headers(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    del app.config["QUART_CORS_ALLOW_ORIGIN"]
    assert await cors_headers(app, origin=EVIL) == {"access-control-allow-origin": "*"}


async def test_a_key_that_replaces_another_key_applies(cors_headers):
    """The number of keys is the same as before."""
    app = create(A_KEY=1, QUART_CORS_MAX_AGE=60)
    CORS(app)
    assert await cors_headers(app, origin=EVIL) == {"access-control-allow-origin": "*"}
    del app.config["A_KEY"]
    app.config["QUART_CORS_ALLOW_ORIGIN"] = PAGE
    assert await cors_headers(app, origin=EVIL) == VARY


async def test_the_configuration_may_be_loaded_after_the_app_is_bound(cors_headers):
    """`app.config.from_…` may follow `CORS(app)`."""
    app = create()
    CORS(app)
    app.config.from_mapping(QUART_CORS_ALLOW_ORIGIN=[PAGE], QUART_CORS_ALLOW_CREDENTIALS=True)
    assert await cors_headers(app, origin=PAGE) == GRANTED


# -- mistakes


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param({"allow_origins": "*", "allow_credentials": True}, "credentials-from-any-origin", id="unsafe"),
        pytest.param({"allow_origin": PAGE}, "unknown-option", id="mistyped"),
        pytest.param({"enforce": "yes"}, "wrong-type", id="an option of the middleware of a wrong type"),
        pytest.param({"policy": Policy(allow_origins=PAGE), "max_age": 1}, "policy-and-options", id="both"),
    ],
)
@pytest.mark.parametrize("app", [None, create()], ids=["alone", "with an app"])
def test_a_mistake_is_raised_by_the_constructor(app, options, code):
    """It needs no app for that."""
    with pytest.raises(ConfigError) as caught:
        CORS(app, **options)
    assert [issue.code for issue in caught.value.issues] == [code]


def test_a_risky_policy_raises_one_warning():
    """It is raised when the policy is applied."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        CORS(create(), allow_origins=PAGE, max_age=90000)
    assert [str(one.message).partition(":")[0] for one in seen] == ["max_age"]


def test_a_mistake_in_the_configuration_is_raised_when_the_app_is_bound():
    """The error names the key."""
    with pytest.raises(ConfigError) as caught:
        CORS(create(QUART_CORS_ALLOW_ORIGIN="https://example.com/"))
    assert [issue.option for issue in caught.value.issues] == ["QUART_CORS_ALLOW_ORIGIN"]


async def test_with_a_mistake_in_the_configuration_the_app_does_not_start(send_request, caplog):
    """The mistake was made after `CORS(app)`. If the app serves all the same, the last valid policy stays in force."""
    app = create()
    CORS(app)
    app.config["QUART_CORS_ALLOW_CREDENTIALS"] = True
    with pytest.raises(ConfigError, match=r"allow_origins: .* with allow_credentials"):
        await app.startup()
    caplog.clear()
    for _ in range(3):
        response = await send_request(app, origin=PAGE)
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "*")
    (error,) = caplog.records
    assert error.levelname == "ERROR"
    assert "the last valid policy stays in force: CORS.allow_origins: '*' with allow_credentials" in error.message
    app.config["QUART_CORS_ALLOW_ORIGIN"] = PAGE
    assert (await send_request(app, origin=PAGE)).headers["access-control-allow-credentials"] == "true"


async def test_every_mistake_of_the_configuration_is_reported_at_once(send_request, caplog):
    """Those of the app and of its views are raised at start-up, or logged once while the app serves."""
    app = create()
    CORS(app)

    @app.route("/own")
    @route_cors(allow_origin=OTHER)
    async def own():
        return "hello"

    await send_request(app)
    app.config.update(QUART_CORS_ALLOW_METHODS=["TRACE"], QUART_CORS_MAX_AGE=-1)
    assert (await send_request(app, origin=PAGE)).status_code == 200
    (error,) = caplog.records
    assert "QUART_CORS_ALLOW_METHODS: " in error.message
    assert "QUART_CORS_MAX_AGE: " in error.message
    with pytest.raises(ConfigError) as caught:
        await app.startup()
    assert [issue.option for issue in caught.value.issues] == ["QUART_CORS_ALLOW_METHODS", "QUART_CORS_MAX_AGE"]


async def test_an_unknown_key_raises_a_warning_if_origins_are_given(send_request):
    """An app may have its own keys with this prefix. The warning names the closest known key."""
    app = create(QUART_CORS_ALLOW_HEADER=["x-id"], QUART_CORS_ALLOW_ORIGIN=PAGE)
    CORS(app)
    with pytest.warns(ConfigWarning) as seen:
        await send_request(app)
    assert [str(one.message) for one in seen] == [
        "QUART_CORS_ALLOW_HEADER: there is no option of this name. Did you mean 'QUART_CORS_ALLOW_HEADERS'?"
    ]
    assert (await send_request(app, origin=PAGE)).status_code == 200


def test_an_unknown_key_is_refused_if_no_origins_are_given():
    """It may be a misspelt QUART_CORS_ALLOW_ORIGIN, and the default is every origin."""
    with pytest.raises(ConfigError) as caught:
        CORS(create(QUART_CORS_ORIGIN=PAGE))
    assert str(caught.value) == (
        "QUART_CORS_ORIGIN: there is no option of this name. Did you mean 'QUART_CORS_ALLOW_ORIGIN'?"
    )


# -- the wrapped app


def test_servers_detect_an_asgi_app():
    """If they serve `app.asgi_app`, they check whether it is a coroutine function."""
    app = create()
    alone = app.asgi_app
    CORS(app)
    assert inspect.iscoroutinefunction(app.asgi_app)
    assert app.asgi_app != alone


@pytest.mark.parametrize("way", ["a class", "an attribute", "a map"])
async def test_an_app_with_its_own_routing_finds_its_views(cors_headers, way):
    """It may route by any header, as by Host."""

    def by_tenant(app, request):
        tenant = "" if request is None else request.headers.get("x-tenant", "")
        return app.url_map.bind("localhost", subdomain=tenant, path_info=getattr(request, "path", "/"))

    class Tenants(Quart):
        create_url_adapter = by_tenant

    class TenantsMap(QuartMap):
        def bind_to_request(self, request, subdomain, server_name):
            return super().bind_to_request(request, request.headers.get("x-tenant", ""), server_name)

    class Mapped(Quart):
        url_map_class = TenantsMap

    app = {"a class": Tenants, "a map": Mapped}.get(way, Quart)(__name__, static_folder=None)
    if way == "an attribute":
        app.create_url_adapter = partial(by_tenant, app)
    CORS(app, allow_origins=PAGE)
    app.route("/", subdomain="other")(route_cors(allow_origin=OTHER)(lambda: "hello"))
    app.route("/", endpoint="plain")(lambda: "hello")
    assert await cors_headers(app, origin=OTHER) == VARY
    assert (await cors_headers(app, origin=OTHER, x_tenant="other"))["access-control-allow-origin"] == OTHER


@pytest.mark.parametrize(
    ("options", "rules", "origins"),
    [
        pytest.param(
            {"subdomain_matching": True},
            {"subdomain": "admin"},
            {"admin.api.test": OTHER, "api.test": PAGE},
            id="subdomain",
        ),
        pytest.param(
            {"host_matching": True}, {"host": "admin.test"}, {"admin.test": OTHER, "api.test": PAGE}, id="host"
        ),
        pytest.param({}, {}, {"admin.test": OTHER, "api.test": OTHER}, id="any host"),
    ],
)
async def test_views_are_found_by_each_host(cors_headers, options, rules, origins):
    """This holds for the first request of a host and for later ones, below any root path."""
    app = Quart(__name__, static_folder=None, **options)
    app.config["SERVER_NAME"] = "api.test" if "subdomain" in rules else None
    CORS(app, allow_origins=PAGE)
    app.route("/<name>", **rules)(route_cors(allow_origin=OTHER)(lambda name: name))
    for host, origin in 2 * [*origins.items()]:
        for path in ("/one", "//two"):
            assert (await cors_headers(app, path=path, origin=origin, host=host))[
                "access-control-allow-origin"
            ] == origin


async def test_a_server_name_may_be_set_later(cors_headers):
    """The cached result for a host is not used then."""
    app = Quart(__name__, static_folder=None, subdomain_matching=True)
    CORS(app, allow_origins=PAGE)
    app.route("/", subdomain="admin")(route_cors(allow_origin=OTHER)(lambda: "hello"))
    assert await cors_headers(app, origin=OTHER, host="admin.api.test") == VARY
    app.config["SERVER_NAME"] = "api.test"
    assert (await cors_headers(app, origin=OTHER, host="admin.api.test"))["access-control-allow-origin"] == OTHER


def test_the_cache_of_hosts_is_bounded():
    """A long host is not cached. The route is found for each."""
    routes = Map([Rule("/", endpoint="index")])
    app = SimpleNamespace(url_map=routes, config={"SERVER_NAME": None}, subdomain_matching=False)
    binder = UrlBinder(app, lambda _: routes.bind("any.test"), lambda: True, lambda scope: scope)
    hosts = [*(f"n{number}.test" for number in range(600)), f"{'a' * 60}." * 5 + "test"]
    scopes = [{"type": "http", "path": "/", "headers": [(b"host", host.encode())]} for host in hosts]
    assert {binder(scope).match()[0] for scope in [*scopes, *scopes]} == {"index"}
    assert UrlBinder(app, lambda _: None, lambda: True, lambda scope: scope)(scopes[0]) is None
    assert 0 < len(binder.hosts) <= 256
    assert max(len(host) for host, *_ in binder.hosts) < 256


# -- with blueprints that have policies


async def test_cors_may_follow_a_blueprint_with_a_policy(cors_headers):
    """Until then, only the blueprint has a policy."""
    app, blueprint = create(), Blueprint("blue", __name__, url_prefix="/blue")
    cors(blueprint, allow_origin=OTHER)
    blueprint.route("/")(create().view_functions["index"])
    app.register_blueprint(blueprint)
    assert await cors_headers(app, origin=PAGE) == {}
    CORS(app, allow_origins=PAGE)
    assert (await cors_headers(app, origin=PAGE))["access-control-allow-origin"] == PAGE
    assert (await cors_headers(app, path="/blue/", origin=OTHER))["access-control-allow-origin"] == OTHER
