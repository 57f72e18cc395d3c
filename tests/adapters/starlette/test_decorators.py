"""`cross_origin` and `cors_exempt`: the objects that they take, and the copies that they make."""

import functools
import gc
import inspect
import subprocess
import sys
import warnings

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from asgi_cors import ConfigError, ConfigWarning, Policy
from asgi_cors_starlette import cors_exempt, cross_origin, install

from .routes import APP, BLOG, SHOP, allowed, echo, handshake, hello, make_endpoint


class Page(HTTPEndpoint):
    """An endpoint that is a class."""

    async def get(self, request):
        return PlainTextResponse("page")


class Echo(WebSocketEndpoint):
    """A WebSocket endpoint that is a class."""


class Methods(HTTPEndpoint):
    """An endpoint with a policy for some of its methods."""

    @cross_origin(allow_origins=SHOP)
    async def get(self, request):
        return PlainTextResponse("read")

    @cross_origin(allow_origins=BLOG, allow_methods="PUT")
    async def put(self, request):
        return PlainTextResponse("written")

    async def delete(self, request):
        return PlainTextResponse("deleted")


class Resource:
    """An object with an endpoint."""

    async def read(self, request):
        return PlainTextResponse("read")


class CallableApp:
    """An object that is an ASGI app."""

    async def __call__(self, scope, receive, send):
        await PlainTextResponse("called")(scope, receive, send)


def installed(*routes, **options):
    app = Starlette(routes=routes)
    install(app, **({"allow_origins": APP, "allow_methods": ["PUT", "DELETE"]} | options))
    return app


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param(hello, id="a function"),
        pytest.param(Page, id="a class"),
        pytest.param(Resource().read, id="a bound method"),
        pytest.param(functools.partial(hello), id="a partial"),
        pytest.param(functools.partial(functools.partial(hello)), id="a partial of a partial"),
        pytest.param(lambda request: PlainTextResponse("hello"), id="a sync function"),
    ],
)
async def test_an_endpoint_has_its_policy_in_one_route_only(send_request, endpoint):
    """The same endpoint in another route has the policy of the app."""
    app = installed(
        Route("/own", cross_origin(allow_origins=SHOP)(endpoint)),
        Route("/other", cross_origin(allow_origins=BLOG)(endpoint)),
        Route("/app", endpoint),
    )
    assert [await allowed(send_request, app, path) for path in ("/own", "/other", "/app")] == [[SHOP], [BLOG], [APP]]


async def test_a_callable_object_gets_the_policy_itself(send_request):
    """It cannot be copied."""
    endpoint = CallableApp()
    app = installed(Route("/own", endpoint))
    assert cross_origin(allow_origins=SHOP)(endpoint) is endpoint
    assert await allowed(send_request, app, "/own") == [SHOP]


async def test_the_call_method_of_an_object_may_have_the_policy(send_request):
    class Decorated(CallableApp):
        __call__ = cross_origin(allow_origins=SHOP)(CallableApp.__call__)

    assert await allowed(send_request, installed(Route("/own", Decorated())), "/own") == [SHOP]


async def test_a_partial_of_a_decorated_function_has_its_policy(send_request):
    app = installed(Route("/own", functools.partial(cross_origin(allow_origins=SHOP)(hello))))
    assert await allowed(send_request, app, "/own") == [SHOP]


async def test_methods_of_a_class_have_policies_of_their_own(send_request):
    """A method without one has that of the class's route. Without a head, get serves HEAD."""
    app = installed(Route("/", Methods))
    found = [await allowed(send_request, app, "/", method) for method in ("GET", "HEAD", "PUT", "DELETE")]
    assert found == [[SHOP], [SHOP], [BLOG], [APP]]


async def test_a_method_replaces_its_class_which_replaces_its_route(send_request):
    route = Route("/", cross_origin(allow_origins="https://class.example.com")(Methods))
    app = installed(cross_origin(allow_origins="https://route.example.com")(route))
    assert await allowed(send_request, app, "/") == [SHOP]
    response = await send_request(app, "DELETE", origin="https://class.example.com")
    assert response.headers["access-control-allow-origin"] == "https://class.example.com"


async def test_dispatch_has_a_policy_for_all_methods(send_request):
    class Dispatched(Page):
        @cross_origin(allow_origins=SHOP)
        async def dispatch(self):
            await super().dispatch()

    assert await allowed(send_request, installed(Route("/", Dispatched)), "/") == [SHOP]


async def test_a_class_inherits_the_policy_of_its_base_class(send_request):
    class Inherited(cross_origin(allow_origins=SHOP)(Page)):
        pass

    assert await allowed(send_request, installed(Route("/", Inherited)), "/") == [SHOP]


async def test_a_class_that_allows_no_subclass_gets_the_policy_itself(send_request):
    class Sealed(Page):
        def __init_subclass__(cls):
            raise TypeError("this class is final")

    app = installed(Route("/", Sealed))
    assert cross_origin(allow_origins=SHOP)(Sealed) is Sealed
    assert await allowed(send_request, app, "/") == [SHOP]


@pytest.mark.parametrize("endpoint", [echo, Echo], ids=["a function", "a class"])
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
async def test_a_handshake_is_checked_by_the_policy_of_its_route(endpoint, extensions, refusal):
    app = installed(
        WebSocketRoute("/own", cross_origin(allow_origins=SHOP)(endpoint)), WebSocketRoute("/app", endpoint)
    )
    for path, origin in (("/own", SHOP), ("/app", APP)):
        assert (await handshake(app, path, origin, extensions))[0] == "websocket.accept"
    for path, origin in (("/own", APP), ("/app", SHOP)):
        assert await handshake(app, path, origin, extensions) == refusal


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Route("/x", hello), id="a route"),
        pytest.param(lambda: Mount("/", routes=[Route("/x", hello)]), id="a mount"),
        pytest.param(lambda: Host("api.test", app=Router([Route("/x", hello)])), id="a host"),
        pytest.param(lambda: Mount("/", app=CallableApp()), id="a mounted app"),
    ],
)
async def test_a_route_gets_the_policy_itself(send_request, make):
    """It may be decorated before or after it is registered."""
    early, late = make(), make()
    assert cross_origin(allow_origins=SHOP)(early) is early
    assert await allowed(send_request, installed(early), "/x") == [SHOP]
    app = installed(late)
    assert await allowed(send_request, app, "/x") == [APP]
    cross_origin(allow_origins=SHOP)(late)
    assert await allowed(send_request, app, "/x") == [SHOP]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Router([Route("/x", hello)]), id="a router"),
        pytest.param(lambda: Starlette(routes=[Route("/x", hello)]), id="an app"),
        pytest.param(CallableApp, id="another ASGI app"),
    ],
)
async def test_a_mounted_app_gets_the_policy_itself(send_request, make):
    """It has the policy wherever it is mounted."""
    mounted = cross_origin(allow_origins=SHOP)(make())
    app = installed(Mount("/one", mounted), Mount("/two", mounted), Route("/x", hello))
    assert [await allowed(send_request, app, path) for path in ("/one/x", "/two/x", "/x")] == [[SHOP], [SHOP], [APP]]


async def test_an_asgi_function_is_copied_for_one_mount(send_request):
    async def asgi(scope, receive, send):
        await PlainTextResponse("x")(scope, receive, send)

    app = installed(Mount("/one", cross_origin(allow_origins=SHOP)(asgi)), Mount("/two", asgi))
    assert [await allowed(send_request, app, path) for path in ("/one/x", "/two/x")] == [[SHOP], [APP]]


async def test_the_installed_app_itself_may_be_decorated(send_request):
    """Its policy replaces the base policy."""
    app = installed(Route("/x", hello))
    cross_origin(allow_origins=SHOP)(app)
    assert [await allowed(send_request, app, path) for path in ("/x", "/missing")] == [[SHOP], [SHOP]]


async def test_the_innermost_policy_counts(send_request):
    """Endpoint, route, router, mount, app: each replaces the policies around it."""
    layers = ["endpoint", "route", "router", "mount", "app"]

    def decorate(place, target, used):
        return cross_origin(allow_origins=f"https://{place}.example.com")(target) if place in used else target

    for start in range(len(layers)):
        used = layers[start:]
        route = decorate("route", Route("/x", decorate("endpoint", hello, used)), used)
        mount = decorate("mount", Mount("/m", decorate("router", Router([route]), used)), used)
        app = installed(mount)
        decorate("app", app, used)
        response = await send_request(app, path="/m/x", origin=f"https://{used[0]}.example.com")
        assert response.headers["access-control-allow-origin"] == f"https://{used[0]}.example.com"


async def test_the_last_decorator_of_a_function_counts(send_request):
    app = installed(Route("/", cross_origin(allow_origins=SHOP)(cross_origin(allow_origins=BLOG)(hello))))
    assert await allowed(send_request, app, "/") == [SHOP]


async def test_a_decorator_that_uses_wraps_passes_the_policy_on(send_request):
    """It may be above or below."""

    def logged(function):
        @functools.wraps(function)
        async def call(request):
            return await function(request)

        return call

    app = installed(
        Route("/above", logged(cross_origin(allow_origins=SHOP)(hello))),
        Route("/below", cross_origin(allow_origins=BLOG)(logged(hello))),
    )
    assert [await allowed(send_request, app, path) for path in ("/above", "/below")] == [[SHOP], [BLOG]]


# -- decorated after registration


@pytest.mark.parametrize("endpoint", [make_endpoint, lambda: type("View", (Page,), {})], ids=["a function", "a class"])
async def test_a_decorator_above_the_registration_counts(send_request, endpoint):
    """The registered function is the undecorated one."""
    view = endpoint()
    app = installed(Route("/x", view), Route("/y", view))
    assert await allowed(send_request, app, "/x") == [APP]
    cross_origin(allow_origins=SHOP)(view)
    assert [await allowed(send_request, app, path) for path in ("/x", "/y")] == [[SHOP], [SHOP]]
    cross_origin(allow_origins=BLOG)(view)
    assert await allowed(send_request, app, "/x") == [BLOG]


async def test_two_decorators_above_the_registration_count_in_their_order(send_request):
    view = make_endpoint()
    app = installed(Route("/x", view))
    cross_origin(allow_origins=BLOG)(cross_origin(allow_origins=SHOP)(view))
    assert await allowed(send_request, app, "/x") == [BLOG]


async def test_a_decorated_endpoint_of_another_app_does_not_count(send_request):
    """The copy is registered there, so it was made for that route."""
    view = make_endpoint()
    first, second = (
        installed(Route("/x", view)),
        installed(Mount("/m", Router([Route("/x", cross_origin(allow_origins=SHOP)(view))]))),
    )
    assert await allowed(send_request, first, "/x") == [APP]
    assert await allowed(send_request, second, "/m/x") == [SHOP]


async def test_a_late_decorator_of_a_base_class_does_not_reach_another_subclass(send_request):
    base = type("Base", (Page,), {})
    other = type("Other", (base,), {})
    app = installed(Route("/base", base), Route("/other", other))
    cross_origin(allow_origins=SHOP)(base)
    assert [await allowed(send_request, app, path) for path in ("/base", "/other")] == [[SHOP], [APP]]


async def test_a_copy_for_an_app_that_is_gone_does_not_count(send_request):
    """An app factory may decorate an endpoint of its module for one app, and not for the next one."""
    first = installed(Route("/x", cross_origin(allow_origins=SHOP)(hello)))
    assert await allowed(send_request, first, "/x") == [SHOP]
    del first
    gc.collect()
    assert await allowed(send_request, installed(Route("/x", hello)), "/x") == [APP]


async def test_a_wrapper_of_a_decorated_function_is_another_function(send_request):
    """`functools.wraps` copies all attributes."""
    view = make_endpoint()
    cross_origin(allow_origins=SHOP)(view)

    @functools.wraps(view)
    async def wrapper(request):
        return await view(request)

    assert await allowed(send_request, installed(Route("/x", wrapper)), "/x") == [APP]


# -- exempt


async def test_an_exempt_route_decides_by_itself(send_request):
    """Its preflights reach the app, and its own headers stay."""

    async def own(request):
        return PlainTextResponse("own", headers={"access-control-allow-origin": "https://own.example.com"})

    app = installed(Route("/own", cors_exempt(own), methods=["GET", "OPTIONS"]), Route("/app", own))
    response = await send_request(app, path="/own", origin=APP)
    assert response.headers["access-control-allow-origin"] == "https://own.example.com"
    preflight = await send_request(app, "OPTIONS", "/own", origin=APP, access_control_request_method="GET")
    assert (preflight.status_code, preflight.text) == (200, "own")
    assert await allowed(send_request, app, "/app") == [APP]


async def test_a_route_is_exempted_late(send_request):
    view = make_endpoint()
    app = installed(Route("/x", cross_origin(allow_origins=SHOP)(view)), Route("/y", view))
    assert await allowed(send_request, app, "/x") == [SHOP]
    cors_exempt(app.routes[0])
    assert await allowed(send_request, app, "/x") == [SHOP]  # its endpoint's own policy is inside of it
    cors_exempt(app.routes[0].endpoint)
    response = await send_request(app, path="/x", origin=SHOP)
    assert "access-control-allow-origin" not in response.headers
    assert await allowed(send_request, app, "/y") == [APP]


async def test_a_route_in_an_exempt_router_may_have_a_policy(send_request):
    router = cors_exempt(Router([Route("/own", cross_origin(allow_origins=SHOP)(hello)), Route("/x", hello)]))
    app = installed(Mount("/m", router))
    assert await allowed(send_request, app, "/m/own") == [SHOP]
    assert await allowed(send_request, app, "/m/x") == []


# -- the copy


def test_a_copy_looks_like_the_function():
    """FastAPI reads the signature and the annotations, and finds names in the function's module."""

    async def view(request: "Route", number: int = 1, *, text: str = "x") -> "Mount":
        """Return a page."""

    view.tag = "kept"
    copied = cross_origin(allow_origins=SHOP)(view)
    assert copied is not view
    assert inspect.signature(copied, eval_str=True) == inspect.signature(view, eval_str=True)
    assert inspect.iscoroutinefunction(copied)
    assert not hasattr(copied, "__wrapped__")
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__globals__", "__defaults__", "__kwdefaults__"):
        assert getattr(copied, name) == getattr(view, name)
    assert copied.tag == "kept"


def test_a_subclass_looks_like_the_class():
    copied = cross_origin(allow_origins=SHOP)(Page)
    assert issubclass(copied, Page)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(copied, name) == getattr(Page, name)


def test_the_original_function_is_unchanged():
    view = make_endpoint()
    before = (view.__code__, view.__defaults__, inspect.signature(view))
    cross_origin(allow_origins=SHOP)(view)
    assert (view.__code__, view.__defaults__, inspect.signature(view)) == before


# -- mistakes


@pytest.mark.parametrize(
    ("decorate", "code"),
    [
        pytest.param(
            lambda: cross_origin(allow_origins="*", allow_credentials=True), "credentials-from-any-origin", id="unsafe"
        ),
        pytest.param(lambda: cross_origin(allow_origin=APP), "unknown-option", id="a mistyped option"),
        pytest.param(lambda: cross_origin(enforce=True), "unknown-option", id="an option of the middleware"),
        pytest.param(lambda: cross_origin([APP]), "positional-options", id="a positional option"),
        pytest.param(
            lambda: cross_origin(Policy(allow_origins=APP), ["PUT"]), "positional-options", id="two positional options"
        ),
        pytest.param(
            lambda: cross_origin(Policy(allow_origins=APP), max_age=5), "policy-and-options", id="a policy and options"
        ),
        pytest.param(lambda: cross_origin(hello), "decorator-without-options", id="no parentheses"),
        pytest.param(lambda: cross_origin(allow_origins=APP)("/path"), "wrong-type", id="a path"),
        pytest.param(lambda: cors_exempt(None), "wrong-type", id="nothing"),
        pytest.param(lambda: cross_origin(allow_origins=APP)(len), "wrong-type", id="a builtin function"),
    ],
)
def test_a_mistake_is_raised_where_the_decorator_is_used(decorate, code):
    with pytest.raises(ConfigError) as raised:
        decorate()
    assert [issue.code for issue in raised.value.issues] == [code]


@pytest.mark.parametrize(
    ("decorate", "line"),
    [
        (lambda: cross_origin(enforce=True), "Write install(app, enforce=…)."),
        (lambda: cors_exempt("/path"), "cors_exempt: '/path' is not an endpoint"),
        (lambda: cross_origin(hello), "Write @cross_origin(allow_origins=['https://app.example.com']), or"),
    ],
    ids=["an option of the middleware", "a path", "a function without options"],
)
def test_a_message_has_the_line_to_write(decorate, line):
    with pytest.raises(ConfigError) as raised:
        decorate()
    assert line in str(raised.value)


def test_several_mistakes_are_raised_at_once():
    with pytest.raises(ConfigError) as raised:
        cross_origin(allow_origins="https://app.example.com/", max_age="never")
    assert len(raised.value.issues) == 2


async def test_a_policy_may_be_given_as_an_object(send_request):
    app = installed(Route("/x", cross_origin(Policy(allow_origins=SHOP, name="shop"))(hello)))
    assert await allowed(send_request, app, "/x") == [SHOP]


async def test_install_without_a_policy_serves_routes_with_one_only(send_request):
    """No warning is issued, and every other route is refused."""
    app = Starlette(routes=[Route("/own", cross_origin(allow_origins=SHOP)(hello)), Route("/x", hello)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        install(app)
        assert [await allowed(send_request, app, path) for path in ("/own", "/x")] == [[SHOP], []]


PROGRAM = """
import asyncio, warnings
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from asgi_cors_starlette import cross_origin, install

app = Starlette(routes=[Route("/", PlainTextResponse("x"))])
install(app, **OPTIONS)
sent = []

async def send(message):
    sent.append(message)

async def receive():
    return {"type": "http.request"}

def request():
    scope = {"type": "http", "method": "GET", "path": "/", "root_path": "", "query_string": b""}
    headers = [(b"origin", b"https://app.example.com")]
    asyncio.run(app({**scope, "headers": headers}, receive, send))

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    request()
print([str(each.message) for each in caught], app.router.middleware_stack == app.router.app)
cross_origin(allow_origins="https://app.example.com")(app.routes[0])
request()
granted = dict(sent[-2]["headers"]).get(b"access-control-allow-origin")
print(app.router.middleware_stack == app.router.app, granted == b"https://app.example.com")
"""


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        pytest.param({}, True, id="nothing is allowed anywhere"),
        pytest.param({"allow_origins": "https://other.example.com"}, False, id="a policy"),
        pytest.param({"paths": {"/x": None}}, False, id="rules"),
    ],
)
def test_routes_are_matched_once_a_policy_is_attached(options, warned):
    """Before the first one of the process, the router is unchanged. It warns if no origin is allowed anywhere."""
    program = PROGRAM.replace("**OPTIONS", f"**{options!r}")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    before, after = run.stdout.splitlines()
    assert ("nothing is allowed" in before, before.endswith("True")) == (warned, True)
    assert after == "False True"


def test_the_first_request_warns_of_an_app_without_any_policy(monkeypatch):
    """No other policy of this process counts."""
    app = Starlette()
    cors = install(app)
    monkeypatch.setattr(cors, "is_active", False)
    with pytest.warns(ConfigWarning, match="nothing is allowed"):
        app.build_middleware_stack()
