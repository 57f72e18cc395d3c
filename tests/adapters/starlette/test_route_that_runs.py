"""The route that really runs: if it is not the predicted one, both policies must allow, and both may refuse."""

import logging
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from asgi_cors_starlette import cors_exempt, cross_origin, install

from .routes import APP, BLOG, SHOP, Rewrite, echo, handshake, hello

EVIL = "https://evil.example.net"

shop = cross_origin(allow_origins=SHOP)
blog = cross_origin(allow_origins=BLOG)
both = cross_origin(allow_origins=[SHOP, BLOG])
protected = cross_origin(allow_origins=[SHOP, BLOG], csrf_protection=True)


class Recorder:
    """An endpoint that records whether it ran."""

    def __init__(self):
        self.runs = 0

    def endpoint(self):
        async def view(request):
            self.runs += 1
            return PlainTextResponse("ran")

        return view


def _constant(value, _scope):
    return value


def rewriting(routes, place="app", **changes):
    """Return an app whose middleware changes the scope inside of ours."""
    constant = {name: partial(_constant, value) for name, value in changes.items()}
    app = Starlette(routes=routes, middleware=[Middleware(Rewrite, changes=constant)] if place == "app" else [])
    install(app, allow_origins=APP)
    if place == "router":
        app.router.middleware_stack = Rewrite(app.router.middleware_stack, constant)
    return app


async def granted(send_request, app, path, method="GET", **headers):
    found = []
    for origin in (APP, SHOP, BLOG):
        response = await send_request(app, method, path, origin=origin, **headers)
        found += [origin] * ("access-control-allow-origin" in response.headers)
    return found


@pytest.mark.parametrize("place", ["app", "router"])
@pytest.mark.parametrize(
    ("predicted", "runs", "expected"),
    [
        pytest.param(shop(hello), blog(hello), [], id="different policies"),
        pytest.param(shop(hello), both(hello), [SHOP], id="a wider policy"),
        pytest.param(both(hello), shop(hello), [SHOP], id="a narrower policy"),
        pytest.param(hello, both(hello), [], id="the app's policy, and another"),
        pytest.param(both(hello), hello, [], id="a policy, and the app's"),
        pytest.param(cors_exempt(hello), both(hello), [], id="exempt, and a policy"),
        pytest.param(both(hello), cors_exempt(hello), [], id="a policy, and exempt"),
        pytest.param(hello, hello, [APP], id="the app's policy for both"),
    ],
)
async def test_both_policies_must_allow_if_a_middleware_rewrites_the_path(
    send_request, caplog, place, predicted, runs, expected
):
    """It is inside of ours, so the prediction does not see it."""
    app = rewriting([Route("/old", predicted), Route("/new", runs)], place, path="/new")
    assert await granted(send_request, app, "/old") == expected
    warnings = [record.message for record in caplog.records if "another view" in record.message]
    assert len(warnings) == (predicted is not runs)


async def test_a_warning_names_both_policies_once_a_minute(send_request, caplog):
    app = rewriting([Route("/old", shop(hello)), Route("/new", blog(hello))], path="/new")
    with caplog.at_level(logging.WARNING):
        await granted(send_request, app, "/old")
    [warning] = [record.message for record in caplog.records if "another view" in record.message]
    assert "cross_origin of view 'hello'" in warning


@pytest.mark.parametrize("place", ["app", "router"])
async def test_csrf_protection_of_the_route_that_runs_refuses_before_its_code(send_request, place):
    ran = Recorder()
    app = rewriting(
        [Route("/old", hello, methods=["POST"]), Route("/new", protected(ran.endpoint()), methods=["POST"])],
        place,
        path="/new",
    )
    for path in ("/old", "/new"):
        response = await send_request(app, "POST", path, origin=EVIL)
        assert (response.status_code, ran.runs) == (403, 0)
        assert "access-control-allow-origin" not in response.headers
    assert (await send_request(app, "POST", "/old", origin=SHOP)).status_code == 200
    assert ran.runs == 1


async def test_enforce_refuses_before_the_code_of_the_route_that_runs(send_request):
    ran = Recorder()
    app = rewriting([Route("/old", both(hello)), Route("/new", shop(ran.endpoint()))], path="/new")
    app.state.asgi_cors.reconfigure(allow_origins=APP, enforce=True)
    response = await send_request(app, path="/old", origin=BLOG)
    assert (response.status_code, ran.runs) == (403, 0)
    assert (await send_request(app, path="/old", origin=SHOP)).status_code == 200


async def test_a_refusal_of_a_head_request_has_no_body(send_request):
    app = rewriting([Route("/old", both(hello)), Route("/new", shop(hello))], path="/new")
    app.state.asgi_cors.reconfigure(allow_origins=APP, enforce=True)
    response = await send_request(app, "HEAD", "/old", origin=BLOG)
    assert (response.status_code, response.content) == (403, b"")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"root_path": "/mounted", "path": "/mounted/new"}, id="root path"),
        pytest.param({"method": "PUT"}, id="method"),
        pytest.param({"headers": [(b"host", b"other.test")]}, id="host"),
    ],
)
async def test_every_change_that_leads_to_another_route_is_noticed(send_request, changes):
    """The headers that the browser sent count, even if a middleware removes Origin."""
    ran = Recorder()
    late = protected(ran.endpoint())
    routes = [
        Host("other.test", app=Router([Route("/old", late, methods=["POST"])])),
        Route("/old", late, methods=["PUT"]),
        Route("/new", late, methods=["POST"]),
        Route("/old", hello, methods=["POST"]),
    ]
    app = rewriting(routes, **changes)
    response = await send_request(app, "POST", "/old", origin=EVIL)
    assert (response.status_code, ran.runs) == (403, 0)


async def test_a_removed_origin_does_not_hide_a_forged_request(send_request):
    """A middleware that changes nothing else leads to the same route, whose policy was checked."""
    ran = Recorder()
    app = rewriting(
        [Route("/old", hello, methods=["POST"]), Route("/new", protected(ran.endpoint()), methods=["POST"])],
        path="/new",
        headers=[],
    )
    assert (await send_request(app, "POST", "/old", origin=EVIL)).status_code == 403
    assert ran.runs == 0


async def test_an_origin_that_is_removed_from_the_list_does_not_hide_a_forged_request(send_request):
    """A middleware may change the list of headers in place."""
    ran = Recorder()

    class Remove(Rewrite):
        async def __call__(self, scope, receive, send):
            scope["headers"].clear()
            await super().__call__(scope, receive, send)

    middleware = [Middleware(Remove, changes={"path": lambda scope: "/new"})]
    routes = [Route("/old", hello, methods=["POST"]), Route("/new", protected(ran.endpoint()), methods=["POST"])]
    app = Starlette(routes=routes, middleware=middleware)
    install(app, allow_origins=APP)
    assert (await send_request(app, "POST", "/old", origin=EVIL)).status_code == 403
    assert ran.runs == 0


@pytest.mark.parametrize("place", ["mount", "router", "sub-app", "app around"])
async def test_a_middleware_of_a_mount_may_rewrite_the_path(send_request, place):
    """The guard of the inner router is inside of it."""
    ran = Recorder()
    rewrite = {"path": lambda scope: "/m/new" if scope["path"].startswith("/m") else scope["path"]}
    routes = [Route("/old", hello, methods=["POST"]), Route("/new", protected(ran.endpoint()), methods=["POST"])]
    middleware = [Middleware(Rewrite, changes=rewrite)]
    mount = {
        "mount": lambda: Mount("/m", routes=routes, middleware=middleware),
        "router": lambda: Mount("/m", Router(routes, middleware=middleware)),
        "sub-app": lambda: Mount("/m", Starlette(routes=routes, middleware=middleware)),
        "app around": lambda: Mount("/m", Rewrite(Starlette(routes=routes), rewrite)),
    }[place]()
    app = Starlette(routes=[mount])
    install(app, allow_origins=APP)
    for _ in range(2):
        response = await send_request(app, "POST", "/m/old", origin=EVIL)
        assert (response.status_code, ran.runs) == (403, 0)
    assert await granted(send_request, app, "/m/old", "POST") == []


async def test_a_rewritten_path_may_lead_to_another_mount(send_request):
    """Its router is found then, although no request has reached it."""
    ran = Recorder()
    routes = [
        Route("/old", hello, methods=["POST"]),
        Mount("/m", routes=[Mount("/n", routes=[Route("/new", protected(ran.endpoint()), methods=["POST"])])]),
    ]
    app = rewriting(routes, path="/m/n/new")
    assert (await send_request(app, "POST", "/old", origin=EVIL)).status_code == 403
    assert ran.runs == 0


async def test_a_rewritten_mount_has_the_policy_of_the_mount_that_runs(send_request):
    shared = Router([Route("/x", hello)])
    app = rewriting([shop(Mount("/one", shared)), blog(Mount("/two", shared))], path="/two/x")
    assert await granted(send_request, app, "/one/x") == []
    assert await granted(send_request, app, "/two/x") == [BLOG]


@pytest.mark.parametrize(
    ("extensions", "refusal"),
    [
        pytest.param((), ["websocket.close"], id="without responses"),
        pytest.param(
            ("websocket.http.response",),
            ["websocket.http.response.start", "websocket.http.response.body"],
            id="with responses",
        ),
    ],
)
async def test_a_handshake_is_checked_by_the_route_that_runs(extensions, refusal):
    app = rewriting([WebSocketRoute("/old", both(echo)), WebSocketRoute("/new", shop(echo))], path="/new")
    assert (await handshake(app, "/old", SHOP, extensions))[0] == "websocket.accept"
    assert await handshake(app, "/old", BLOG, extensions) == refusal


class Dispatcher:
    """An app that is no router, and calls one by the query string."""

    def __init__(self, **routers):
        self.routers = routers

    async def __call__(self, scope, receive, send):
        await self.routers[scope["query_string"].decode()](scope, receive, send)


async def test_a_router_behind_another_app_is_checked_when_its_response_starts(send_request):
    """No guard is around it until it has been matched elsewhere."""
    router = Router([Route("/x", shop(hello)), Route("/y", hello)])
    app = Starlette(routes=[blog(Mount("/m", Dispatcher(a=router)))])
    install(app, allow_origins=APP)
    assert await granted(send_request, app, "/m/x?a") == []
    assert await granted(send_request, app, "/m/y?a") == [BLOG]


async def test_a_router_with_a_guard_is_checked_wherever_it_is_called(send_request):
    ran = Recorder()
    router = Router([Route("/x", protected(ran.endpoint()), methods=["POST"])])
    app = Starlette(routes=[Mount("/known", router), Mount("/m", Dispatcher(a=router))])
    install(app, allow_origins=APP)
    await send_request(app, "POST", "/known/x", origin=EVIL)
    assert (await send_request(app, "POST", "/m/x?a", origin=EVIL)).status_code == 403
    assert ran.runs == 0


class OtherRouter(Router):
    """A router that calls an endpoint of its own choice."""

    async def app(self, scope, receive, send):
        if scope["type"] != "lifespan":
            scope["route"] = self.routes[-1]
            scope["endpoint"] = self.routes[-1].endpoint
            await self.routes[-1].handle(scope, receive, send)


@pytest.mark.parametrize("sets_route", [True, False])
async def test_the_endpoint_of_the_scope_counts_when_the_response_starts(send_request, monkeypatch, sets_route):
    """The response gets the narrower of both policies."""
    router = OtherRouter([Route("/x", both(hello)), Route("/y", shop(hello))])
    app = Starlette(routes=[Mount("/m", router)])
    install(app, allow_origins=APP)
    if not sets_route:
        monkeypatch.setattr(router.routes[-1], "handle", _handle_without_route)
    assert await granted(send_request, app, "/m/x") == [SHOP]


async def _handle_without_route(scope, receive, send):
    del scope["route"]
    await PlainTextResponse("x")(scope, receive, send)


async def test_the_endpoint_of_an_app_around_does_not_count(send_request, caplog):
    """The scope has the endpoint of the outer mount before ours begins."""
    inner = Starlette(routes=[Route("/x/", shop(hello))])
    install(inner, allow_origins=APP)
    outer = Starlette(routes=[Mount("/m", Rewrite(inner, {}))])
    assert await granted(send_request, outer, "/m/x") == [SHOP]
    assert await granted(send_request, outer, "/m/missing") == [APP]
    assert "another view" not in caplog.text


async def test_the_policies_of_nested_installations_must_both_allow(send_request):
    """The route's own policy counts for both, since both find the same route."""
    inner = Starlette(routes=[Route("/own", shop(hello)), Route("/x", hello)])
    install(inner, allow_origins=[APP, BLOG])
    outer = Starlette(routes=[Mount("/m", inner)])
    install(outer, allow_origins=[APP, SHOP])
    assert await granted(send_request, outer, "/m/own") == [SHOP]
    assert await granted(send_request, outer, "/m/x") == [APP]


async def test_nested_installations_both_check_the_route_that_runs(send_request):
    ran = Recorder()
    routes = [Route("/old", hello, methods=["POST"]), Route("/new", protected(ran.endpoint()), methods=["POST"])]
    inner = Starlette(routes=routes, middleware=[Middleware(Rewrite, changes={"path": lambda scope: "/m/new"})])
    install(inner, allow_origins=APP)
    outer = Starlette(routes=[Mount("/m", inner)])
    install(outer, allow_origins=APP)
    assert (await send_request(outer, "POST", "/m/old", origin=EVIL)).status_code == 403
    assert ran.runs == 0


async def test_an_app_that_calls_itself_is_checked_once(send_request):
    """A batch endpoint calls the app with a scope of its own, which the outer request is responsible for."""

    async def batch(request):
        sent = []

        async def send(message):
            sent.append(message)

        await app({**request.scope, "path": "/x"}, request.receive, send)
        return PlainTextResponse(sent[1]["body"])

    app = Starlette(routes=[Route("/batch", shop(batch)), Route("/x", blog(hello))])
    install(app, allow_origins=APP)
    response = await send_request(app, path="/batch", origin=SHOP)
    assert (response.text, response.headers["access-control-allow-origin"]) == ("hello", SHOP)


async def test_a_matcher_that_raises_for_the_prediction_only_is_checked_later(send_request):
    """The response is refused, and so is a forged request, before the view's code."""
    ran = Recorder()

    class Flaky(Route):
        failures = 0

        def matches(self, scope):
            if self.failures:
                self.failures -= 1
                raise LookupError
            return super().matches(scope)

    route = Flaky("/x", protected(ran.endpoint()), methods=["POST"])
    app = Starlette(routes=[route])
    install(app, allow_origins=APP)
    route.failures = 2  # once for the cached responses, and once for the evaluation
    response = await send_request(app, "POST", "/x", origin=EVIL)
    assert (response.status_code, ran.runs, route.failures) == (403, 0, 0)
    route.failures = 2
    response = await send_request(app, "POST", "/x", origin=SHOP)
    assert (response.status_code, ran.runs) == (200, 1)
    assert "access-control-allow-origin" not in response.headers


async def test_a_matcher_that_sees_more_than_the_request_is_called_again(send_request):
    """A class of the app's own may look at the user, whom an inner middleware adds."""
    ran = Recorder()

    class ForUsers(Route):
        def matches(self, scope):
            found = super().matches(scope)
            return found if scope.get("user") else (type(found[0]).NONE, {})

    class Login:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app({**scope, "user": "ann"} if scope["type"] != "lifespan" else scope, receive, send)

    routes = [ForUsers("/x", protected(ran.endpoint()), methods=["POST"]), Route("/x", hello, methods=["POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(Login)])
    install(app, allow_origins=APP)
    assert (await send_request(app, "POST", "/x", origin=EVIL)).status_code == 403
    assert ran.runs == 0


async def test_a_guard_is_put_around_a_router_once(send_request):
    app = Starlette(routes=[Route("/x", shop(hello))])
    install(app, allow_origins=APP)
    for _ in range(2):
        await send_request(app, path="/x", origin=SHOP)
    assert app.router.middleware_stack.app == app.router.app


async def test_a_router_whose_middleware_hides_it_has_its_guard_outside(send_request):
    def hide(app):
        async def call(scope, receive, send):
            await app(scope, receive, send)

        return call

    app = Starlette(routes=[Mount("/m", Router([Route("/x", shop(hello))], middleware=[Middleware(hide)]))])
    install(app, allow_origins=APP)
    assert await granted(send_request, app, "/m/x") == [SHOP]
