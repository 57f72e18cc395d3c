"""`CORS`: a policy around a Quart app, by the policy's own options."""

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
FREE = "accept, accept-language, content-language, content-type"
ASKED = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
GRANTED = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true", "vary": "Origin"}
VARY = {"vary": "Origin"}


def create(**config):
    """An app with a view for each kind of answer."""
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
        raise RuntimeError("asked for")

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
        pytest.param("GET", "/", 200, id="a view's answer"),
        pytest.param("GET", "/sync", 200, id="the answer of a view that is no coroutine"),
        pytest.param("HEAD", "/", 200, id="an answer to HEAD"),
        pytest.param("OPTIONS", "/", 200, id="an answer to OPTIONS that is no preflight"),
        pytest.param("GET", "/stream", 200, id="a stream"),
        pytest.param("GET", "/missing", 404, id="a path that leads nowhere"),
        pytest.param("DELETE", "/", 405, id="a method that the view has not"),
        pytest.param("GET", "/forbidden", 403, id="an abort"),
        pytest.param("GET", "/slash", 308, id="a redirect to the path with its slash"),
        pytest.param("GET", "/crash", 500, id="a crash"),
    ],
)
async def test_every_answer_carries_the_fields(ask, cors_of, method, path, status):
    app = create()
    CORS(app, allow_origins=PAGE, allow_credentials=True)
    assert (await ask(app, method, path, origin=PAGE)).status_code == status
    assert await cors_of(app, method, path, origin=PAGE) == GRANTED
    assert await cors_of(app, method, path, origin=EVIL) == VARY


async def test_without_options_every_origin_may_read_anonymously(cors_of):
    """As in Flask: any origin, method and header, and no cookies."""
    app = create()
    CORS(app)
    assert await cors_of(app, origin=EVIL) == {"access-control-allow-origin": "*"}
    asks = {"access_control_request_method": "PATCH", "access_control_request_headers": "x-any"}
    assert await cors_of(app, "OPTIONS", origin=EVIL, **asks) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE",
        "access-control-allow-headers": "*, authorization",
        "vary": ASKED,
    }


async def test_with_options_the_defaults_are_the_policys(ask, cors_of):
    """No method beyond GET, HEAD and POST, no header beyond the free ones, kept for ten minutes."""
    app = create()
    CORS(app, allow_origins=PAGE)
    assert await cors_of(app, "OPTIONS", origin=PAGE, access_control_request_method="GET") == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": FREE,
        "access-control-max-age": "600",
        "vary": ASKED,
    }


@pytest.mark.parametrize("path", ["/", "/missing", "/slash", "/crash", "/ws"])
async def test_a_preflight_is_answered_before_anything_of_the_app_runs(ask, path):
    """To every path alike: no `before_request`, no routing, no view."""
    app = create()
    CORS(app, allow_origins=PAGE, allow_methods="PUT")

    @app.before_request
    async def authenticate():
        abort(401)

    response = await ask(app, "OPTIONS", path, origin=PAGE, access_control_request_method="PUT")
    assert (response.status_code, await response.get_data()) == (204, b"")
    assert (await ask(app, path=path, origin=PAGE)).headers["access-control-allow-origin"] == PAGE


async def test_an_exempt_view_is_left_untouched(ask, cors_of):
    """No fields, no Vary, and its OPTIONS is the app's."""
    app = create()
    CORS(app, allow_origins=PAGE)
    assert await cors_of(app, path="/exempt", origin=PAGE) == {}
    response = await ask(app, "OPTIONS", "/exempt", origin=PAGE, access_control_request_method="PUT")
    assert (response.status_code, response.allow.as_set()) == (200, {"get", "head", "options"})


async def test_a_policy_and_the_options_of_the_middleware_are_taken(cors_of):
    """`CORS(app, Policy(…), paths=…)` is as `CORSMiddleware(app, Policy(…), paths=…)`."""
    app = create()
    seen = []
    CORS(
        app, Policy(allow_origins=PAGE), paths={"/stream": None}, on_decision=lambda decision, _: seen.append(decision)
    )
    assert await cors_of(app, path="/stream", origin=PAGE) == {}
    assert await cors_of(app, origin=PAGE) == {"access-control-allow-origin": PAGE, **VARY}
    assert [decision.outcome for decision in seen] == ["allowed"]


async def test_a_mounted_app_is_matched_without_its_root_path(cors_of):
    """Views have their own policies behind a prefix, too."""
    app = create()
    CORS(app, allow_origins=PAGE)
    assert await cors_of(app, path="/api/exempt", origin=PAGE) == {**VARY, "access-control-allow-origin": PAGE}
    client = app.test_client()
    for root, expected in (("/api", None), ("/other", PAGE)):
        response = await client.get("/api/exempt", headers={"origin": PAGE}, root_path=root)
        assert response.headers.get("access-control-allow-origin") == expected


# -- init_app, several apps


async def test_one_object_serves_many_apps_and_none_leaks_to_another(cors_of):
    """Each app has its own configuration, whichever was asked first."""
    extension = CORS()
    first, second = create(QUART_CORS_ALLOW_ORIGIN=[PAGE]), create(QUART_CORS_ALLOW_ORIGIN=[OTHER])
    for app in (first, second):
        extension.init_app(app)
    assert await cors_of(first, origin=PAGE) == {"access-control-allow-origin": PAGE, **VARY}
    assert await cors_of(second, origin=PAGE) == VARY
    assert await cors_of(second, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    first.extensions["asgi_cors"].reconfigure(allow_origins=EVIL)
    assert await cors_of(second, origin=EVIL) == VARY


@pytest.mark.parametrize("number", [0, 2])
def test_which_policy_is_meant_must_be_clear(number):
    """Of no app or several, the object has no policy to tell of."""
    extension = CORS()
    for _ in range(number):
        extension.init_app(create())
    with pytest.raises(RuntimeError, match=rf"bound to {number} apps; use app\.extensions\['asgi_cors'\]"):
        _ = extension.policy


@pytest.mark.parametrize("second", [CORS, cors])
def test_a_second_policy_for_an_app_is_refused(second):
    """It says how the first is changed."""
    app = create()
    CORS(app, allow_origins=PAGE)
    with pytest.raises(ConfigError) as caught:
        second(app)
    assert str(caught.value) == (
        "app: the app has a CORS policy already. "
        "Install one; to change it write app.extensions['asgi_cors'].reconfigure(…)."
    )


# -- what it tells


async def test_it_tells_explains_and_reconfigures(cors_of):
    """The object in hand speaks for the policy in force."""
    app = create()
    extension = CORS(app, allow_origins=PAGE)
    assert extension.policy == Policy(allow_origins=PAGE) == app.extensions["asgi_cors"].policy
    assert not extension.explain("PUT", PAGE).allowed
    extension.reconfigure(allow_origins=OTHER, allow_methods="PUT")
    assert extension.explain("PUT", OTHER).allowed
    assert await cors_of(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}


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
def test_it_explains_views_by_their_own_policies(server_name, path, origin, allowed):
    """Those that decorators give, too; of an exempt one the app alone decides."""
    app = create(SERVER_NAME=server_name)
    app.route("/own")(route_cors(allow_origin=OTHER)(lambda: "hello"))
    assert CORS(app, allow_origins=PAGE).explain("GET", origin, path=path).allowed is allowed


async def test_what_is_reconfigured_is_no_longer_the_configurations(cors_of):
    """A policy that was put in force by hand stays, whatever becomes of the keys."""
    app = create(QUART_CORS_ALLOW_ORIGIN=PAGE)
    CORS(app).reconfigure(Policy(allow_origins=OTHER))
    app.config["QUART_CORS_ALLOW_ORIGIN"] = EVIL
    assert await cors_of(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    assert await cors_of(app, origin=EVIL) == VARY


async def test_options_of_the_middleware_leave_the_policy_to_the_configuration(cors_of):
    """`reconfigure(paths=…)` alone doesn't take the policy over."""
    app = create(QUART_CORS_ALLOW_ORIGIN=PAGE)
    CORS(app).reconfigure(paths={"/stream": None})
    app.config["QUART_CORS_ALLOW_ORIGIN"] = OTHER
    assert await cors_of(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    assert await cors_of(app, path="/stream", origin=OTHER) == {}


# -- the configuration


async def test_the_configuration_fills_what_the_keywords_leave_out(cors_of):
    """A keyword beats the key of the same option."""
    app = create(QUART_CORS_ALLOW_ORIGIN=EVIL, QUART_CORS_EXPOSE_HEADERS=["X-Total"])
    CORS(app, allow_origins=PAGE)
    granted = {"access-control-allow-origin": PAGE, "access-control-expose-headers": "X-Total", **VARY}
    assert await cors_of(app, origin=PAGE) == granted
    assert await cors_of(app, origin=EVIL) == VARY


async def test_nothing_is_frozen_by_the_first_request(cors_of):
    """A key that is set, changed in place or taken away counts at the next request."""
    app = create()
    CORS(app)
    assert await cors_of(app, origin=EVIL) == {"access-control-allow-origin": "*"}
    app.config["QUART_CORS_ALLOW_ORIGIN"] = [PAGE]
    assert await cors_of(app, origin=OTHER) == VARY
    app.config["QUART_CORS_ALLOW_ORIGIN"].append(OTHER)
    assert await cors_of(app, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}
    del app.config["QUART_CORS_ALLOW_ORIGIN"]
    assert await cors_of(app, origin=EVIL) == {"access-control-allow-origin": "*"}


async def test_a_key_that_takes_the_place_of_another_counts(cors_of):
    """Though there are as many as before."""
    app = create(A_KEY=1, QUART_CORS_MAX_AGE=60)
    CORS(app)
    assert await cors_of(app, origin=EVIL) == {"access-control-allow-origin": "*"}
    del app.config["A_KEY"]
    app.config["QUART_CORS_ALLOW_ORIGIN"] = PAGE
    assert await cors_of(app, origin=EVIL) == VARY


async def test_the_configuration_may_be_read_after_the_app_is_bound(cors_of):
    """`CORS(app)`, then `app.config.from_…`: the keys count."""
    app = create()
    CORS(app)
    app.config.from_mapping(QUART_CORS_ALLOW_ORIGIN=[PAGE], QUART_CORS_ALLOW_CREDENTIALS=True)
    assert await cors_of(app, origin=PAGE) == GRANTED


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
def test_a_mistake_is_raised_where_it_is_written(app, options, code):
    """Before there is an app, too."""
    with pytest.raises(ConfigError) as caught:
        CORS(app, **options)
    assert [issue.code for issue in caught.value.issues] == [code]


def test_a_doubt_is_warned_of_once():
    """When the policy comes into force."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        CORS(create(), allow_origins=PAGE, max_age=90000)
    assert [str(one.message).partition(":")[0] for one in seen] == ["max_age"]


def test_a_mistake_in_the_configuration_is_raised_when_the_app_is_bound():
    """It names the key."""
    with pytest.raises(ConfigError) as caught:
        CORS(create(QUART_CORS_ALLOW_ORIGIN="https://example.com/"))
    assert [issue.option for issue in caught.value.issues] == ["QUART_CORS_ALLOW_ORIGIN"]


async def test_a_mistake_in_the_configuration_keeps_the_app_from_starting(ask, caplog):
    """The mistake was made after `CORS(app)`. If the app serves all the same, the last valid policy stays in force."""
    app = create()
    CORS(app)
    app.config["QUART_CORS_ALLOW_CREDENTIALS"] = True
    with pytest.raises(ConfigError, match=r"allow_origins: .* with allow_credentials"):
        await app.startup()
    caplog.clear()
    for _ in range(3):
        answer = await ask(app, origin=PAGE)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    (error,) = caplog.records
    assert error.levelname == "ERROR"
    assert "the last valid policy stays in force: CORS.allow_origins: '*' with allow_credentials" in error.message
    app.config["QUART_CORS_ALLOW_ORIGIN"] = PAGE
    assert (await ask(app, origin=PAGE)).headers["access-control-allow-credentials"] == "true"


async def test_every_mistake_of_the_configuration_is_told_at_once(ask, caplog):
    """Those of the app and of its views, each once: raised at start-up, logged while it serves."""
    app = create()
    CORS(app)

    @app.route("/own")
    @route_cors(allow_origin=OTHER)
    async def own():
        return "hello"

    await ask(app)
    app.config.update(QUART_CORS_ALLOW_METHODS=["TRACE"], QUART_CORS_MAX_AGE=-1)
    assert (await ask(app, origin=PAGE)).status_code == 200
    (error,) = caplog.records
    assert "QUART_CORS_ALLOW_METHODS: " in error.message
    assert "QUART_CORS_MAX_AGE: " in error.message
    with pytest.raises(ConfigError) as caught:
        await app.startup()
    assert [issue.option for issue in caught.value.issues] == ["QUART_CORS_ALLOW_METHODS", "QUART_CORS_MAX_AGE"]


async def test_an_unknown_key_is_warned_of_where_origins_are_named(ask):
    """Apps keep keys of their own there; it names the nearest that counts."""
    app = create(QUART_CORS_ALLOW_HEADER=["x-id"], QUART_CORS_ALLOW_ORIGIN=PAGE)
    CORS(app)
    with pytest.warns(ConfigWarning) as seen:
        await ask(app)
    assert [str(one.message) for one in seen] == [
        "QUART_CORS_ALLOW_HEADER: there is no option of this name. Did you mean 'QUART_CORS_ALLOW_HEADERS'?"
    ]
    assert (await ask(app, origin=PAGE)).status_code == 200


def test_an_unknown_key_is_refused_where_the_default_would_open_everything():
    """It may be the one that was to keep others out."""
    with pytest.raises(ConfigError) as caught:
        CORS(create(QUART_CORS_ORIGIN=PAGE))
    assert str(caught.value) == (
        "QUART_CORS_ORIGIN: there is no option of this name. Did you mean 'QUART_CORS_ALLOW_ORIGIN'?"
    )


# -- what stands around the app


def test_servers_see_that_it_is_an_asgi_app():
    """They tell by its being a coroutine function, where they are told to serve `app.asgi_app`."""
    app = create()
    alone = app.asgi_app
    CORS(app)
    assert inspect.iscoroutinefunction(app.asgi_app)
    assert app.asgi_app != alone


@pytest.mark.parametrize("way", ["a class", "an attribute", "a map"])
async def test_an_app_that_routes_in_its_own_way_finds_its_views(cors_of, way):
    """By any field of the request, as by Host."""

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
    assert await cors_of(app, origin=OTHER) == VARY
    assert (await cors_of(app, origin=OTHER, x_tenant="other"))["access-control-allow-origin"] == OTHER


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
async def test_views_are_found_by_each_host(cors_of, options, rules, origins):
    """At the first request of a host as at each later one, wherever the app is mounted."""
    app = Quart(__name__, static_folder=None, **options)
    app.config["SERVER_NAME"] = "api.test" if "subdomain" in rules else None
    CORS(app, allow_origins=PAGE)
    app.route("/<name>", **rules)(route_cors(allow_origin=OTHER)(lambda name: name))
    for host, origin in 2 * [*origins.items()]:
        for path in ("/one", "//two"):
            assert (await cors_of(app, path=path, origin=origin, host=host))["access-control-allow-origin"] == origin


async def test_a_server_name_that_is_set_later_counts(cors_of):
    """A host that is known by then is looked at anew."""
    app = Quart(__name__, static_folder=None, subdomain_matching=True)
    CORS(app, allow_origins=PAGE)
    app.route("/", subdomain="admin")(route_cors(allow_origin=OTHER)(lambda: "hello"))
    assert await cors_of(app, origin=OTHER, host="admin.api.test") == VARY
    app.config["SERVER_NAME"] = "api.test"
    assert (await cors_of(app, origin=OTHER, host="admin.api.test"))["access-control-allow-origin"] == OTHER


def test_however_many_hosts_strangers_name_few_are_known():
    """Nor is one of great length; for each the route is found."""
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


async def test_it_may_come_after_a_blueprint_with_a_policy(cors_of):
    """The blueprint's policy was around the app alone before; then both are."""
    app, blueprint = create(), Blueprint("blue", __name__, url_prefix="/blue")
    cors(blueprint, allow_origin=OTHER)
    blueprint.route("/")(create().view_functions["index"])
    app.register_blueprint(blueprint)
    assert await cors_of(app, origin=PAGE) == {}
    CORS(app, allow_origins=PAGE)
    assert (await cors_of(app, origin=PAGE))["access-control-allow-origin"] == PAGE
    assert (await cors_of(app, path="/blue/", origin=OTHER))["access-control-allow-origin"] == OTHER
