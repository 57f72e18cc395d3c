"""The prediction of a request's route, which is made as Starlette makes it."""

import asyncio
import logging
import threading

import pytest
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute

from asgi_cors import DENY_ALL, Policy, Tenants
from asgi_cors_starlette import cors_exempt, cross_origin, install

from .routes import APP, BLOG, SHOP, Rewrite, allowed, echo, handshake, hello, make_endpoint

shop = cross_origin(allow_origins=SHOP, allow_methods=["PUT", "DELETE"])
blog = cross_origin(allow_origins=BLOG, allow_methods=["PUT", "DELETE"])


class Flaky(Convertor):
    """A converter that fails for one value."""

    regex = "[a-z]+"

    def convert(self, value):
        if value == "fail":
            raise LookupError(value)
        return value

    def to_string(self, value):
        return value


register_url_convertor("flaky", Flaky())


def installed(*routes, **options):
    app = Starlette(routes=routes)
    install(app, **({"allow_origins": APP, "allow_methods": ["PUT", "DELETE"]} | options))
    return app


async def paths(send_request, app, *paths, **headers):
    return [await allowed(send_request, app, path, **headers) for path in paths]


async def max_age(send_request, app, path, method, origin):
    preflight = await send_request(app, "OPTIONS", path, origin=origin, access_control_request_method=method)
    return preflight.headers.get("access-control-max-age")


async def test_parameters_and_converters_match_as_in_the_app(send_request):
    app = installed(Route("/items/{id:int}", shop(hello)), Route("/items/{name}", blog(hello)))
    assert await paths(send_request, app, "/items/5", "/items/x", "/items/x/y") == [[SHOP], [BLOG], [APP]]


async def test_the_first_route_counts(send_request):
    app = installed(Route("/{any:path}", shop(hello)), Route("/x", blog(hello)))
    assert await paths(send_request, app, "/x") == [[SHOP]]


async def test_each_method_of_a_url_has_its_own_policy(send_request):
    """Browsers cache a preflight by its URL, so it is sent with a max-age of 0."""
    app = installed(Route("/x", shop(hello)), Route("/x", blog(hello), methods=["PUT"]), Route("/y", shop(hello)))
    found = [await allowed(send_request, app, "/x", method) for method in ("GET", "HEAD", "PUT")]
    assert found == [[SHOP], [SHOP], [BLOG]]
    assert await max_age(send_request, app, "/x", "PUT", BLOG) == "0"
    assert await max_age(send_request, app, "/y", "GET", SHOP) == "600"


class CountingRegex:
    """The regular expression of a route, which counts the paths that it matches."""

    def __init__(self, regex):
        self.regex = regex
        self.calls = 0

    def match(self, path):
        self.calls += 1
        return self.regex.match(path)


async def test_a_preflight_tries_the_other_methods_only_with_routes_whose_path_matches(send_request):
    routes = [Route(path, shop(hello), methods=["GET", "PUT"]) for path in ("/other", "/x", "/{name}", "/last/y")]
    for route in routes:
        route.path_regex = CountingRegex(route.path_regex)
    app = installed(*routes)
    assert await max_age(send_request, app, "/x", "PUT", SHOP) == "600"
    assert (routes[0].path_regex.calls, routes[3].path_regex.calls) == (1, 1)


async def test_a_method_that_only_a_class_of_the_apps_own_serves_has_its_policy(send_request):
    """Its `matches` may depend on the method, so it is called for each."""

    class ForDelete(Route):
        def matches(self, scope):
            return super().matches(scope) if scope["method"] == "DELETE" else (Match.NONE, {})

    app = installed(ForDelete("/x", blog(hello), methods=["DELETE"]), Route("/x", shop(hello)))
    assert [await allowed(send_request, app, "/x", method) for method in ("GET", "DELETE")] == [[SHOP], [BLOG]]
    assert await max_age(send_request, app, "/x", "GET", SHOP) == "0"


async def test_a_method_of_its_own_counts_as_any_other(send_request):
    """It is found although only a later route names it."""
    app = installed(Route("/x", shop(hello)), Route("/x", blog(hello), methods=["PURGE"]))
    assert await max_age(send_request, app, "/x", "GET", SHOP) == "0"


async def test_a_method_that_no_route_serves_has_the_policy_of_the_405(send_request):
    """Starlette sends the 405 of the first route of this path."""
    app = installed(Route("/x", shop(hello)), Route("/x", blog(hello), methods=["PUT"]))
    assert await allowed(send_request, app, "/x", "DELETE") == [SHOP]


async def test_a_mount_below_serves_the_other_methods(send_request):
    """A route of another method is only a partial match, and a mount is a full one."""
    app = installed(Route("/x", shop(hello)), blog(Mount("/", routes=[Route("/x", hello, methods=["PUT"])])))
    assert [await allowed(send_request, app, "/x", method) for method in ("GET", "PUT")] == [[SHOP], [BLOG]]


async def test_a_missing_path_has_the_policy_of_its_innermost_mount(send_request):
    app = installed(shop(Mount("/m", routes=[blog(Mount("/n", routes=[Route("/x", hello)]))])))
    assert await paths(send_request, app, "/m/n/missing", "/m/missing", "/missing") == [[BLOG], [SHOP], [APP]]


async def test_nested_mounts_have_the_innermost_policy(send_request):
    inner = Mount("/n", routes=[Route("/x", hello), Route("/own", blog(hello))])
    app = installed(shop(Mount("/m", routes=[inner])), Mount("/o", routes=[inner]))
    found = await paths(send_request, app, "/m/n/x", "/m/n/own", "/o/n/x", "/o/n/own")
    assert found == [[SHOP], [BLOG], [APP], [BLOG]]


async def test_the_same_router_in_two_mounts_has_the_policy_of_each(send_request):
    router = Router([Route("/x", hello)])
    app = installed(shop(Mount("/one", router)), blog(Mount("/two", router)), Mount("/three", router))
    assert await paths(send_request, app, "/one/x", "/two/x", "/three/x") == [[SHOP], [BLOG], [APP]]


async def test_a_route_may_be_mounted_as_an_app(send_request):
    """Its policy counts for its own 404, too."""
    app = installed(Mount("/m", app=shop(Route("/x", hello))), Mount("/n", app=Route("/x", blog(hello))))
    assert await paths(send_request, app, "/m/x", "/n/x", "/m/y", "/n/y") == [[SHOP], [BLOG], [SHOP], [APP]]


@pytest.mark.parametrize(
    "wraps", [lambda app: Rewrite(app, {}), lambda app: Rewrite(app, {}).__call__], ids=["object", "method"]
)
async def test_a_mounted_app_is_found_inside_of_middlewares(send_request, wraps):
    sub = Starlette(routes=[Route("/x", shop(hello))], middleware=[Middleware(Rewrite, changes={})])
    app = installed(Mount("/m", app=wraps(wraps(sub))))
    assert await paths(send_request, app, "/m/x", "/m/y") == [[SHOP], [APP]]


@pytest.mark.parametrize("hidden", [False, True], ids=["attribute", "closure"])
async def test_a_mount_may_have_middlewares(send_request, hidden):
    """Even a function that hides the app."""

    def hide(app):
        async def call(scope, receive, send):
            await app(scope, receive, send)

        return call

    middleware = [Middleware(hide)] if hidden else [Middleware(Rewrite, changes={})]
    app = installed(Mount("/m", routes=[Route("/x", shop(hello))], middleware=middleware))
    assert await paths(send_request, app, "/m/x", "/m/y") == [[SHOP], [APP]]


async def test_hosts_are_matched(send_request):
    app = installed(
        Host("shop.test", app=Router([Route("/x", shop(hello))])),
        blog(Host("{name}.blog.test", app=Router([Route("/x", hello)]))),
        Route("/x", hello),
    )
    for host, expected in (("shop.test", SHOP), ("ann.blog.test:8000", BLOG), ("api.test", APP)):
        assert await allowed(send_request, app, "/x", host=host) == [expected]


async def test_a_redirect_has_the_policy_of_its_target(send_request):
    """A browser reads the redirect before it follows it."""
    app = installed(
        Route("/slash/", shop(hello)),
        Route("/plain", blog(hello)),
        shop(Mount("/m", routes=[Route("/x/", blog(hello))])),
        blog(Mount("/n", routes=[])),
    )
    found = await paths(send_request, app, "/slash", "/plain/", "/m", "/m/x", "/n")
    assert found == [[SHOP], [BLOG], [SHOP], [BLOG], [BLOG]]


async def test_without_redirect_slashes_the_path_is_missing(send_request):
    app = Starlette(routes=[Route("/slash/", shop(hello))])
    app.router.redirect_slashes = False
    install(app, allow_origins=APP)
    assert await paths(send_request, app, "/slash", "/") == [[APP], [APP]]


async def test_a_default_app_without_routes_has_the_policy_of_its_router(send_request):
    router = shop(Router([Route("/x", hello)], default=PlainTextResponse("default")))
    assert await paths(send_request, installed(Mount("/m", router)), "/m/y") == [[SHOP]]


async def test_the_default_app_of_a_router_is_entered(send_request):
    router = Router([Route("/x", hello)], default=Router([Route("/y", shop(hello))]))
    assert await paths(send_request, installed(Mount("/m", router)), "/m/x", "/m/y", "/m/z") == [[APP], [SHOP], [APP]]


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [("/root", "/root/x", SHOP), ("/root", "/x", SHOP), ("", "/root/x", APP), ("/root", "/rootx", APP)],
)
async def test_root_paths_are_removed_as_starlette_removes_them(root, path, expected):
    app = installed(Route("/x", shop(hello)))
    headers = [(b"origin", expected.encode()), (b"host", b"api.test")]
    scope = {"type": "http", "method": "GET", "path": path, "root_path": root, "query_string": b"", "headers": headers}
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    await app(scope, receive, send)
    assert (b"access-control-allow-origin", expected.encode()) in sent[0]["headers"]


async def test_websocket_routes_are_matched_by_type():
    """A route and a WebSocket route may have the same path."""
    app = installed(
        Route("/x", shop(hello)),
        WebSocketRoute("/x", blog(echo)),
        shop(Mount("/m", routes=[WebSocketRoute("/x", echo)])),
    )
    for path, origin in (("/x", BLOG), ("/m/x", SHOP)):
        assert (await handshake(app, path, origin))[0] == "websocket.accept"
    assert await handshake(app, "/x", SHOP) == ["websocket.close"]


async def test_routes_may_be_added_and_removed_while_the_app_serves(send_request):
    app = installed(Route("/x", hello))
    assert await paths(send_request, app, "/x") == [[APP]]
    app.router.routes.insert(0, Route("/x", shop(hello)))
    app.mount("/m", Router([Route("/x", blog(hello))]))
    assert await paths(send_request, app, "/x", "/m/x") == [[SHOP], [BLOG]]
    del app.router.routes[0]
    assert await paths(send_request, app, "/x") == [[APP]]


# -- code of the app that raises, and paths that are too long


@pytest.mark.parametrize("mounted", [False, True], ids=["in the app", "in a mount"])
async def test_a_converter_that_raises_grants_nothing(send_request, caplog, mounted):
    """The app sends the same 500 as without us; a preflight is refused."""
    route = Route("/{name:flaky}", shop(hello))
    app = installed(Mount("/m", routes=[route]) if mounted else route)
    prefix = "/m" if mounted else ""
    assert await allowed(send_request, app, f"{prefix}/good") == [SHOP]
    for origin in (APP, SHOP):
        response = await send_request(app, path=f"{prefix}/fail", origin=origin)
        assert response.status_code == 500
        assert "access-control-allow-origin" not in response.headers
        preflight = await send_request(
            app, "OPTIONS", f"{prefix}/fail", origin=origin, access_control_request_method="GET"
        )
        assert "access-control-allow-origin" not in preflight.headers
    assert "the policy for a request could not be found, so it is refused" in caplog.text


async def test_a_converter_that_no_method_reaches_does_not_refuse_a_preflight(send_request):
    """The app never calls it for this path."""
    app = installed(Route("/fail", shop(hello)), Route("/{name:flaky}", blog(hello)))
    assert await allowed(send_request, app, "/fail") == [SHOP]
    assert await max_age(send_request, app, "/fail", "GET", SHOP) == "600"


async def test_a_handler_of_the_app_serves_the_exception_of_a_converter(send_request):
    """Ours does not come before it."""
    app = installed(Route("/{name:flaky}", shop(hello)))
    app.add_exception_handler(LookupError, lambda request, error: PlainTextResponse("not found", 404))
    response = await send_request(app, path="/fail", origin=SHOP)
    assert (response.status_code, response.text) == (404, "not found")
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_path_that_is_too_long_is_granted_nothing(send_request, method):
    """It is not matched, because a preflight matches it for each method."""
    app = installed(Route("/{any:path}", shop(hello), methods=["GET", "PUT"]))
    assert await allowed(send_request, app, "/" + "x" * 2047, method) == [SHOP]
    assert await allowed(send_request, app, "/" + "x" * 2048, method) == []


async def test_csrf_protection_counts_for_a_path_that_is_too_long(send_request):
    ran = []

    async def view(request):
        ran.append(request.url.path)
        return PlainTextResponse("ran")

    app = installed(
        Route("/{any:path}", cross_origin(allow_origins=SHOP, csrf_protection=True)(view), methods=["POST"])
    )
    response = await send_request(app, "POST", "/" + "x" * 2048, origin="https://evil.example.net")
    assert (response.status_code, ran) == (403, [])


# -- other rules


async def test_a_route_policy_precedes_policy_for_and_paths(send_request):
    options = {"policy_for": lambda scope: Policy(allow_origins=BLOG), "paths": {"/*": {"allow_origins": APP}}}
    app = installed(Route("/x", shop(hello)), Route("/y", hello), **options)
    assert await paths(send_request, app, "/x", "/y") == [[SHOP], [BLOG]]


async def test_a_route_policy_precedes_the_policy_of_a_tenant(send_request):
    tenants = Tenants(lambda scope: "blog", lambda key: Policy(allow_origins=BLOG))
    app = installed(Route("/x", shop(hello)), Route("/y", hello), policy_for=tenants)
    assert await paths(send_request, app, "/x", "/y") == [[SHOP], [BLOG]]


async def test_paths_serve_routes_without_a_policy(send_request):
    app = installed(Route("/x", shop(hello)), Route("/y", hello), paths={"/*": {"allow_origins": BLOG}})
    assert await paths(send_request, app, "/x", "/y") == [[SHOP], [BLOG]]


async def test_reconfigure_leaves_the_policies_of_routes(send_request):
    app = installed(Route("/x", shop(hello)), Route("/y", hello))
    app.state.asgi_cors.reconfigure(allow_origins=BLOG)
    assert await paths(send_request, app, "/x", "/y") == [[SHOP], [BLOG]]


async def test_a_callable_of_a_route_policy_is_called(send_request):
    async def is_shop(origin):
        return origin == SHOP

    app = installed(Route("/x", cross_origin(allow_origins=[is_shop])(hello)))
    assert await paths(send_request, app, "/x") == [[SHOP]]


async def test_the_other_options_of_a_route_policy_apply(send_request):
    options = {"resource_policy": "same-site", "timing_allow_origin": True, "expose_headers": "x-total", "max_age": 5}
    app = installed(Route("/x", cross_origin(allow_origins=SHOP, presets="mcp", **options)(hello)), Route("/y", hello))
    response = await send_request(app, path="/x", origin=SHOP)
    assert response.headers["cross-origin-resource-policy"] == "same-site"
    assert response.headers["timing-allow-origin"] == SHOP
    assert "x-total" in response.headers["access-control-expose-headers"].lower()
    assert await max_age(send_request, app, "/x", "GET", SHOP) == "5"
    assert "cross-origin-resource-policy" not in (await send_request(app, path="/y", origin=APP)).headers


# -- explain


def test_explain_applies_the_policy_of_the_route():
    app = installed(
        Route("/x", shop(hello)),
        Route("/exempt", cors_exempt(hello)),
        Host("blog.test", app=Router([Route("/y", blog(hello))])),
        enforce=True,
    )
    cors = app.state.asgi_cors
    assert cors.explain("PUT", SHOP, "/x").allowed
    assert not cors.explain("PUT", APP, "/x").allowed
    assert cors.explain("PUT", APP, "/y").allowed
    assert cors.explain("PUT", BLOG, "/y", host="blog.test").allowed
    assert cors.explain("GET", APP, "/exempt").allowed is None
    assert not cors.explain("GET", APP, "/" + "x" * 2048).allowed


def test_explain_raises_the_exception_of_a_converter():
    with pytest.raises(LookupError):
        installed(Route("/{name:flaky}", shop(hello))).state.asgi_cors.explain("GET", SHOP, "/fail")


# -- threads, and routes of other classes


class Versioned(BaseRoute):
    """A route of the app's own class."""

    def __init__(self, version, endpoint):
        self.version = version
        self.endpoint = endpoint

    def matches(self, scope):
        is_match = (b"x-version", self.version) in scope["headers"]
        return (Match.FULL, {"endpoint": self.endpoint}) if is_match else (Match.NONE, {})

    async def handle(self, scope, receive, send):
        await PlainTextResponse("versioned")(scope, receive, send)


async def test_a_late_decorator_counts_for_a_router_in_two_mounts(send_request):
    """Its routes are listed once."""
    view = make_endpoint()
    router = Router([Route("/x", view)])
    app = installed(Mount("/one", router), Mount("/two", router), Mount("/raw", PlainTextResponse("raw")))
    shop(view)
    assert await paths(send_request, app, "/one/x", "/two/x", "/raw/x") == [[SHOP], [SHOP], [APP]]


async def test_routes_of_other_classes_are_matched(send_request):
    app = installed(Versioned(b"1", shop(hello)), blog(Versioned(b"2", hello)), Route("/x", hello))
    for version, expected in (("1", SHOP), ("2", BLOG), ("3", APP)):
        response = await send_request(app, path="/x", origin=expected, x_version=version)
        assert response.headers["access-control-allow-origin"] == expected


def test_threads_with_event_loops_of_their_own_share_an_app(send_request):
    routes = [Mount(f"/{number}", routes=[Route("/x", (shop if number % 2 else blog)(hello))]) for number in range(20)]
    app = installed(*routes)
    results = []

    async def serve():
        return await asyncio.gather(*(allowed(send_request, app, f"/{number}/x") for number in range(20)))

    threads = [threading.Thread(target=lambda: results.append(asyncio.run(serve()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [[[SHOP] if number % 2 else [BLOG] for number in range(20)]] * 4


async def test_nothing_is_logged_if_the_prediction_is_right(send_request, caplog):
    app = installed(Mount("/m", routes=[Route("/x/", shop(hello))]), Route("/y", hello))
    with caplog.at_level(logging.WARNING):
        await paths(send_request, app, "/m/x/", "/m/x", "/y", "/m/missing")
    assert "another view" not in caplog.text


def test_the_policy_of_an_unknown_key_denies_all():
    assert installed().routes is not None
    assert installed().state.asgi_cors.routes.policy_of(object()) is DENY_ALL


async def test_an_app_inside_of_too_many_middlewares_is_not_found_before_it_runs(send_request):
    """The policy of the mount counts for it, and its own route's when its response starts."""
    app = Router([Route("/x", shop(hello))])
    for _ in range(70):
        app = Rewrite(app, {})
    assert await paths(send_request, installed(Mount("/m", app=app)), "/m/y") == [[APP]]


async def test_a_route_with_low_priority_that_raises_grants_nothing(send_request):
    """The router matches it when no other route matches, as FastAPI does."""

    class LowPriority(Router):
        def _match_low_priority(self, scope):
            raise LookupError

        async def app(self, scope, receive, send):
            self._match_low_priority(scope)

    app = installed(Mount("/m", LowPriority([Route("/x", shop(hello))])))
    response = await send_request(app, path="/m/y", origin=APP)
    assert response.status_code == 500
    assert "access-control-allow-origin" not in response.headers
