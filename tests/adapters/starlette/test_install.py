"""`install`: one policy for every response of a Starlette or FastAPI app."""

import contextlib
import importlib
import warnings

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware as StarletteCORS
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from asgi_cors import ConfigError, CORSMiddleware, Policy
from asgi_cors_starlette import install

PAGE = "https://app.example.com"
EVIL = "https://evil.example.net"
GRANTED = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true", "vary": "Origin"}


class OwnError(Exception):
    """An exception that the app has a handler for."""


class Guard:
    """A middleware that refuses every request, as authentication does."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse("who are you?", 401)(scope, receive, send)


class Broken:
    """A middleware with a mistake."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        raise RuntimeError("a mistake in a middleware")


async def hello(request):
    return PlainTextResponse("hello")


async def crash(request):
    raise RuntimeError("a crash")


async def forbidden(request):
    raise HTTPException(403)


async def own(request):
    raise OwnError


async def echo(websocket):
    await websocket.accept()
    await websocket.close()


ROUTES = [
    Route("/", hello, methods=["GET", "PUT"]),
    Route("/slash/", hello),
    Route("/crash", crash),
    Route("/forbidden", forbidden),
    Route("/own", own),
    WebSocketRoute("/echo", echo),
]


def cors_headers(response):
    """Return the CORS headers of a response, and Vary."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")} | {
        name: value for name, value in response.headers.items() if name == "vary"
    }


@pytest.fixture
def app(make):
    """An app with a policy for one origin."""
    app = make(routes=ROUTES)
    install(app, allow_origins=PAGE, allow_methods="PUT", allow_credentials=True)
    return app


def handler(status):
    async def handle(request, error):
        return JSONResponse({"error": type(error).__name__}, status)

    return handle


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/", 200, id="a view's response"),
        pytest.param("GET", "/missing", 404, id="a missing path"),
        pytest.param("DELETE", "/", 405, id="a method that the view does not have"),
        pytest.param("GET", "/forbidden", 403, id="an HTTPException"),
        pytest.param("GET", "/slash", 307, id="a redirect to the path with its slash"),
        pytest.param("GET", "/crash", 500, id="a crash"),
    ],
)
async def test_every_response_has_the_cors_headers(app, send_request, method, path, status):
    response = await send_request(app, method, path, origin=PAGE)
    assert (response.status_code, cors_headers(response)) == (status, GRANTED)


@pytest.mark.parametrize("path", ["/", "/missing", "/crash"])
async def test_a_response_to_another_origin_has_vary_only(app, send_request, path):
    """No CORS header is sent to another origin."""
    assert cors_headers(await send_request(app, path=path, origin=EVIL)) == {"vary": "Origin"}


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        pytest.param("/crash", Exception, 503, id="for Exception"),
        pytest.param("/crash", 500, 500, id="for 500"),
        pytest.param("/own", OwnError, 418, id="for an exception of the app's own"),
        pytest.param("/missing", 404, 404, id="for 404"),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["handler before install", "handler after install"])
async def test_the_response_of_a_custom_handler_has_the_cors_headers(make, send_request, path, key, status, late):
    app = make(routes=ROUTES, exception_handlers={} if late else {key: handler(status)})
    install(app, allow_origins=PAGE, allow_credentials=True)
    if late:
        app.add_exception_handler(key, handler(status))
    response = await send_request(app, path=path, origin=PAGE)
    assert (response.status_code, cors_headers(response)) == (status, GRANTED)
    assert "error" in response.json()


async def test_if_a_handler_raises_the_middleware_sends_a_readable_500(make, send_request):
    """The app has sent no response then, so the middleware does."""

    async def fail(request, error):
        raise RuntimeError("a mistake in the handler")

    app = make(routes=ROUTES, exception_handlers={Exception: fail})
    install(app, allow_origins=PAGE, allow_credentials=True)
    response = await send_request(app, path="/crash", origin=PAGE)
    assert (response.status_code, response.text, cors_headers(response)) == (500, "Internal Server Error", GRANTED)


async def test_the_traceback_of_debug_mode_has_the_cors_headers(make, send_request):
    """The page can read it like any other response."""
    app = make(routes=ROUTES, debug=True)
    install(app, allow_origins=PAGE, allow_credentials=True)
    response = await send_request(app, path="/crash", origin=PAGE)
    assert cors_headers(response) == GRANTED
    assert "a crash" in response.text


@pytest.mark.parametrize("place", ["constructor", "before install", "after install"])
@pytest.mark.parametrize(("guard", "status"), [(Guard, 401), (Broken, 500)], ids=["answers itself", "raises"])
async def test_install_is_outside_of_every_middleware(make, send_request, place, guard, status):
    """Its response, or the 500 if it raises, has CORS headers. It sees no preflight."""
    app = make(routes=ROUTES, middleware=[Middleware(guard)] if place == "constructor" else [])
    if place == "before install":
        app.add_middleware(guard)
    install(app, allow_origins=PAGE, allow_methods="PUT", allow_credentials=True)
    if place == "after install":
        app.add_middleware(guard)
    response = await send_request(app, origin=PAGE)
    assert (response.status_code, cors_headers(response)) == (status, GRANTED)
    preflight = await send_request(app, "OPTIONS", origin=PAGE, access_control_request_method="PUT")
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "GET, HEAD, POST, PUT")


@pytest.mark.parametrize("path", ["/", "/missing", "/slash", "/crash", "/echo"])
async def test_a_preflight_is_answered_before_routing(app, send_request, path):
    """This holds for every path. The app is not called."""
    response = await send_request(app, "OPTIONS", path, origin=PAGE, access_control_request_method="PUT")
    assert (response.status_code, response.content) == (204, b"")
    assert cors_headers(response) == {
        **GRANTED,
        "access-control-allow-methods": "GET, HEAD, POST, PUT",
        "access-control-allow-headers": "accept, accept-language, content-language, content-type",
        "access-control-max-age": "600",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }


async def test_a_crash_still_reaches_the_server(app):
    """The exception is raised after its response, so that the server logs it."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/crash", "query_string": b"", "root_path": ""}
    scope["headers"] = [(b"origin", PAGE.encode())]
    with pytest.raises(RuntimeError, match="a crash"):
        await app(scope, receive, send)
    assert sent[0]["status"] == 500


@pytest.mark.parametrize(("origin", "accepted"), [(PAGE, True), (EVIL, False), (None, True)])
async def test_handshakes_are_checked(app, origin, accepted):
    """A WebSocket of another origin is refused. A client without Origin is accepted."""
    sent = []

    async def send(message):
        sent.append(message["type"])

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/echo", "query_string": b"", "root_path": "", "subprotocols": []}
    scope["headers"] = [(b"origin", origin.encode())] if origin else []
    await app(scope, receive, send)
    assert sent[0] == ("websocket.accept" if accepted else "websocket.close")


async def test_paths_have_policies_of_their_own(make, send_request):
    """`paths` works as in `CORSMiddleware`."""
    app = make(routes=[Route("/public/news", hello), Route("/internal", hello)])
    install(app, allow_origins=PAGE, paths={"/public/*": Policy(allow_origins="*"), "/internal": None})
    assert cors_headers(await send_request(app, path="/public/news", origin=EVIL)) == {
        "access-control-allow-origin": "*"
    }
    assert cors_headers(await send_request(app, path="/internal", origin=PAGE)) == {}


async def test_a_mounted_app_can_have_a_policy_of_its_own(make, send_request):
    """Its paths are those of its own router."""
    inner = make(routes=ROUTES)
    install(inner, allow_origins=PAGE, allow_credentials=True, paths={"/slash/": None})
    app = make(routes=[Mount("/api", inner), Route("/", hello)])
    assert cors_headers(await send_request(app, path="/api/crash", origin=PAGE)) == GRANTED
    assert cors_headers(await send_request(app, path="/api/slash/", origin=PAGE)) == {}
    assert cors_headers(await send_request(app, path="/", origin=PAGE)) == {}


async def test_the_lifespan_protocol_is_passed_through(make):
    """Start-up and shutdown reach the app unchanged."""
    seen = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        seen.append("up")
        yield
        seen.append("down")

    app = make(routes=ROUTES, lifespan=lifespan)
    install(app, allow_origins=PAGE)
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive():
        return next(messages)

    async def send(message):
        seen.append(message["type"])

    await app({"type": "lifespan", "state": {}}, receive, send)
    assert seen == ["up", "lifespan.startup.complete", "down", "lifespan.shutdown.complete"]


async def test_the_configuration_has_policy_explain_and_reconfigure(make, send_request):
    """`install` returns it, and stores it as `app.state.asgi_cors`."""
    app = make(routes=ROUTES)
    cors = install(app, Policy(allow_origins=PAGE))
    assert app.state.asgi_cors is cors
    assert cors.policy == Policy(allow_origins=PAGE)
    assert not cors.explain("PUT", PAGE).allowed
    assert "access-control-allow-origin" not in cors_headers(await send_request(app, origin=EVIL))
    cors.reconfigure(allow_origins=EVIL)
    assert cors_headers(await send_request(app, origin=EVIL)) == {"access-control-allow-origin": EVIL, "vary": "Origin"}


async def test_a_stack_that_is_built_again_has_the_policy(app, send_request):
    """Some tools reset `app.middleware_stack`."""
    assert cors_headers(await send_request(app, origin=PAGE)) == GRANTED
    app.middleware_stack = None
    assert cors_headers(await send_request(app, path="/crash", origin=PAGE)) == GRANTED


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param({"allow_origins": "*", "allow_credentials": True}, "credentials-from-any-origin", id="unsafe"),
        pytest.param({"allow_origin": PAGE}, "unknown-option", id="mistyped"),
    ],
)
def test_install_refuses_an_invalid_policy(make, options, code):
    """The app is unchanged."""
    app = make()
    with pytest.raises(ConfigError) as caught:
        install(app, **options)
    assert [issue.code for issue in caught.value.issues] == [code]
    install(app, allow_origins=PAGE)


def test_a_second_install_is_refused(app):
    """The hint names `reconfigure`."""
    with pytest.raises(ConfigError) as caught:
        install(app, allow_origins=PAGE)
    assert str(caught.value) == (
        "app: the app has a CORS policy already. "
        "Call install once. To change the policy, write app.state.asgi_cors.reconfigure(…)."
    )


async def test_install_into_an_app_that_has_served_is_refused(make, send_request):
    """The hint says where to call install."""
    app = make(routes=ROUTES)
    await send_request(app)
    with pytest.raises(ConfigError) as caught:
        install(app, allow_origins=PAGE)
    assert str(caught.value) == (
        "app: the app has begun to serve, so its middleware is built. "
        "Call install where the app is created, not at start-up: app = Starlette(…); install(app, …)."
    )


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        pytest.param("/", 200, GRANTED, id="a view's response has the CORS headers"),
        pytest.param("/missing", 404, GRANTED, id="a 404 has the CORS headers"),
        pytest.param("/crash", 503, {}, id="the response of a handler for Exception has none"),
    ],
)
async def test_add_middleware_is_inside_of_the_error_handling(make, send_request, path, status, expected):
    """This is why `install` is preferred."""
    app = make(routes=ROUTES, exception_handlers={Exception: handler(503)})
    app.add_middleware(CORSMiddleware, allow_origins=PAGE, allow_credentials=True)
    response = await send_request(app, path=path, origin=PAGE)
    assert (response.status_code, cors_headers(response)) == (status, expected)


@pytest.mark.parametrize(
    ("app", "mistake"),
    [
        (Mount("/", routes=[]), "is an ASGI app, not a Starlette app. Write CORSMiddleware(app, …)."),
        (
            lambda environ, start_response: (environ, start_response),
            "is a WSGI app, not a Starlette app. Write WSGIMiddleware(app, …).",
        ),
        ("main:app", "app: 'main:app' is not an app. Write install(app, …)."),
    ],
    ids=["another ASGI app", "a WSGI app", "a name"],
)
def test_an_app_of_another_kind_is_refused(app, mistake):
    """The message has the line to write."""
    with pytest.raises(ConfigError) as raised:
        install(app, allow_origins=PAGE)
    assert mistake in str(raised.value)


@pytest.mark.parametrize(
    ("flag", "code"), [(True, "no-openapi"), ("yes", "wrong-type")], ids=["an app of Starlette", "a text"]
)
def test_a_wrong_in_openapi_is_refused(flag, code):
    """The app is unchanged."""
    app = Starlette()
    with pytest.raises(ConfigError) as raised:
        install(app, allow_origins=PAGE, in_openapi=flag)
    assert [(issue.option, issue.code) for issue in raised.value.issues] == [("in_openapi", code)]
    assert install(app, allow_origins=PAGE).policy == Policy(allow_origins=PAGE)


@pytest.mark.parametrize(
    "arguments", [[[PAGE], ["PUT"]], [Policy(allow_origins=PAGE), [PAGE], ["PUT"]]], ids=["options", "a policy, too"]
)
def test_positional_options_are_refused(arguments):
    """The message names them in the order of Starlette's middleware. The app is unchanged."""
    app = Starlette()
    with pytest.raises(ConfigError) as raised:
        install(app, *arguments)
    assert raised.value.issues[0].hint == f"Write allow_origins=['{PAGE}'], allow_methods=['PUT']."
    assert install(app, allow_origins=PAGE).policy == Policy(allow_origins=PAGE)


def test_add_middleware_refuses_positional_options():
    """Starlette's own middleware accepts them. The error is raised when the app builds its middleware."""
    app = Starlette()
    app.add_middleware(CORSMiddleware, [PAGE], ["PUT"])
    # Starlette before 0.38 has its own error, because it passes the app by its name.
    with pytest.raises((ConfigError, TypeError), match=r"allow_methods|multiple values for argument 'app'"):
        app.build_middleware_stack()


def test_a_subclass_written_for_starlettes_middleware_is_refused():
    """Its methods would never be called, so the origins that it excludes would be allowed."""
    with pytest.raises(TypeError, match=r"Narrow overrides 'is_allowed_origin'.*allow_origins=\[callable\]"):

        class Narrow(CORSMiddleware):
            def is_allowed_origin(self, origin):
                return origin == PAGE


@pytest.mark.parametrize("name", [name for name in vars(StarletteCORS) if not name.startswith("_")])
def test_every_method_of_starlettes_middleware_is_known(name):
    """The installed Starlette has no method that a subclass could override unnoticed."""
    with pytest.raises(TypeError, match=name):
        type("Mine", (CORSMiddleware,), {name: None})


def test_the_frameworks_own_test_client_passes(make):
    """It sends neither Origin nor Sec-Fetch-Site, and its Host is testserver."""
    app = make(routes=[Route("/", lambda _: PlainTextResponse("done"), methods=["POST"])])
    installed = install(app, allow_origins=PAGE, csrf_protection=True, enforce=True, allowed_hosts="testserver")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Starlette prefers another client
        client = importlib.import_module("starlette.testclient").TestClient(app)
    assert client.post("/").text == "done"
    assert client.post("/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    installed.reconfigure(allowed_hosts="api.test")
    assert client.post("/").status_code == 421
