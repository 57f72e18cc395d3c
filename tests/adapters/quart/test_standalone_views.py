"""`route_cors` and `websocket_cors` on views of an app without the middleware."""

import asyncio

import pytest
from quart import Quart, abort, websocket

from asgi_cors import ConfigError, CORSMiddleware
from asgi_cors_quart import cors, cors_exempt, route_cors, websocket_cors

PAGE = "https://app.example.com"
OTHER = "https://other.example.com"
EVIL = "https://evil.example.net"
GRANTED = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true", "vary": "Origin"}
VARY = {"vary": "Origin"}
PREFLIGHT_VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


@pytest.fixture
def app():
    """An app with decorated views, and no policy of its own."""
    app = Quart(__name__)

    @app.route("/", methods=["GET", "PUT"])
    @route_cors(allow_origin=PAGE, allow_credentials=True, allow_methods=["PUT"], allow_headers="x-id", max_age=60)
    async def index():
        return "hello"

    @app.route("/sync")
    @route_cors(allow_origin=PAGE, allow_credentials=True)
    def sync():
        return "hello"

    @app.route("/forbidden")
    @route_cors(allow_origin=PAGE, allow_credentials=True)
    async def forbidden():
        abort(403)

    @app.route("/crash")
    @route_cors(allow_origin=PAGE, allow_credentials=True)
    async def crash():
        raise RuntimeError("a crash")

    @app.route("/own-vary")
    @route_cors(allow_origin=PAGE, allow_credentials=True)
    async def own_vary():
        return "hello", {"Vary": "Accept-Encoding", "Access-Control-Allow-Origin": "*"}

    @app.route("/stream")
    @route_cors(allow_origin=PAGE, allow_credentials=True)
    async def stream():
        async def parts():
            yield "one "
            yield "two"

        return parts()

    @app.route("/plain")
    async def plain():
        return "hello"

    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/", 200, id="a view's response"),
        pytest.param("/sync", 200, id="the response of a view that is not async"),
        pytest.param("/stream", 200, id="a stream"),
        pytest.param("/forbidden", 403, id="an abort of the view"),
        pytest.param("/crash", 500, id="a crash of the view"),
    ],
)
async def test_every_response_of_a_decorated_view_has_the_cors_headers(app, send_request, cors_headers, path, status):
    assert (await send_request(app, path=path, origin=PAGE)).status_code == status
    assert await cors_headers(app, path=path, origin=PAGE) == GRANTED
    assert await cors_headers(app, path=path, origin=EVIL) == VARY
    assert await cors_headers(app, path="/plain", origin=PAGE) == {}


async def test_the_response_is_otherwise_unchanged(app, send_request):
    """The body, type and length are the view's."""
    response, stream = await send_request(app, origin=PAGE), await send_request(app, path="/stream", origin=PAGE)
    assert (await response.get_data(), response.content_type, response.content_length) == (
        b"hello",
        "text/html; charset=utf-8",
        5,
    )
    assert await stream.get_data() == b"one two"


async def test_the_views_own_headers_are_merged(app, cors_headers, caplog):
    """The view's Vary is preserved. The policy replaces its CORS headers, and a WARNING says so."""
    granted = {**GRANTED, "vary": "Accept-Encoding, Origin"}
    assert await cors_headers(app, path="/own-vary", origin=PAGE) == granted
    assert "the app sets access-control-allow-origin itself" in caplog.text


async def test_a_preflight_is_answered_by_the_view(app, send_request, cors_headers):
    """The view is not called."""
    preflight = {"access_control_request_method": "PUT", "access_control_request_headers": "x-id"}
    response = await send_request(app, "OPTIONS", origin=PAGE, **preflight)
    assert (response.status_code, await response.get_data()) == (204, b"")
    assert await cors_headers(app, "OPTIONS", origin=PAGE, **preflight) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, HEAD, POST, PUT",
        "access-control-allow-headers": "accept, accept-language, content-language, content-type, x-id",
        "access-control-max-age": "60",
        "vary": PREFLIGHT_VARY,
    }


async def test_the_body_of_a_refused_preflight_names_the_reason(app, send_request, cors_headers):
    """The body is the same as the middleware's."""
    preflight = {"access_control_request_method": "PUT"}
    response = await send_request(app, "OPTIONS", origin=EVIL, **preflight)
    assert (response.status_code, response.content_type) == (200, "text/plain; charset=utf-8")
    assert "no entry allows the origin" in await response.get_data(as_text=True)
    assert await cors_headers(app, "OPTIONS", origin=EVIL, **preflight) == {"vary": PREFLIGHT_VARY}


async def test_other_options_requests_list_the_methods(app, send_request):
    """The response has the CORS headers of an actual response."""
    response = await send_request(app, "OPTIONS", origin=PAGE)
    assert (response.status_code, response.allow.as_set()) == (200, {"get", "head", "options", "put"})
    assert response.headers["access-control-allow-origin"] == PAGE


async def test_a_view_that_answers_options_requests_gets_no_preflights(send_request):
    """With `provide_automatic_options=False`, the view gets the other OPTIONS requests."""
    app = Quart(__name__)

    @app.route("/", methods=["OPTIONS"])
    @route_cors(allow_origin=PAGE, provide_automatic_options=False)
    async def index():
        return "mine"

    assert await (await send_request(app, "OPTIONS", origin=PAGE)).get_data() == b"mine"
    preflight = await send_request(app, "OPTIONS", origin=PAGE, access_control_request_method="GET")
    assert (preflight.status_code, await preflight.get_data()) == (204, b"")


async def test_a_view_of_two_apps_uses_the_configuration_of_each(cors_headers):
    """The policy for one app is not cached for the other."""

    @route_cors()
    async def index():
        return "hello"

    apps = [Quart(__name__), Quart(__name__)]
    for app in apps:
        app.route("/")(index)
    apps[0].config["QUART_CORS_ALLOW_ORIGIN"] = PAGE
    assert await cors_headers(apps[0], origin=EVIL) == VARY
    assert await cors_headers(apps[1], origin=EVIL) == {"access-control-allow-origin": "*"}
    apps[0].config["QUART_CORS_ALLOW_ORIGIN"] = EVIL
    assert await cors_headers(apps[0], origin=EVIL) == {"access-control-allow-origin": EVIL, **VARY}


async def test_a_mistake_in_the_configuration_refuses_every_origin(send_request, cors_headers, open_websocket, caplog):
    """Without a middleware, it is not found earlier. The app serves its other views, and the log names the view."""
    app = Quart(__name__)
    app.config["QUART_CORS_ALLOW_CREDENTIALS"] = True
    app.route("/")(route_cors()(lambda: "hello"))

    @app.websocket("/ws")
    @websocket_cors()
    async def serve():
        await websocket.send("hello")

    for _ in range(2):
        assert (await send_request(app, origin=PAGE)).status_code == 200
        assert not [name for name in await cors_headers(app, origin=PAGE) if name.startswith("access-control-")]
        preflight = await send_request(app, "OPTIONS", origin=PAGE, access_control_request_method="PUT")
        assert (preflight.status_code, bool(await preflight.get_data())) == (200, True)
        assert (await open_websocket(app, origin=PAGE), await open_websocket(app)) == (403, None)
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 2
    assert "route_cors(<lambda>).allow_origin: '*' with allow_credentials" in errors[0]
    assert "websocket_cors(serve)" in errors[1]


async def test_explain_uses_the_policy_of_a_standalone_view(app, cors_headers):
    """The app's extension explains it."""
    await cors_headers(app, origin=PAGE)
    assert app.extensions["asgi_cors"].explain("GET", PAGE, "/").allowed
    assert not app.extensions["asgi_cors"].explain("GET", OTHER, "/").allowed


async def test_a_view_and_an_outer_middleware_must_both_allow(cors_headers, app):
    """The outer one answers preflights. The view can still refuse."""
    app.asgi_app = CORSMiddleware(app.asgi_app, allow_origins=[PAGE, OTHER], allow_credentials=True)
    assert await cors_headers(app, origin=PAGE) == GRANTED
    assert await cors_headers(app, origin=OTHER) == VARY
    assert (await cors_headers(app, path="/plain", origin=OTHER))["access-control-allow-origin"] == OTHER


async def test_a_later_policy_of_the_app_leaves_views_their_policies(cors_headers, app):
    """`cors(app)` may be called after requests have been served."""
    assert await cors_headers(app, origin=PAGE) == GRANTED
    cors(app, allow_origin=OTHER)
    assert await cors_headers(app, origin=PAGE) == GRANTED
    for path in ("/plain", "/missing"):
        assert await cors_headers(app, path=path, origin=OTHER) == {"access-control-allow-origin": OTHER, **VARY}


async def test_an_exempt_view_is_passed_through(cors_headers, app):
    """Decorators below `cors_exempt` have no effect."""
    app.route("/exempt")(cors_exempt(route_cors()(lambda: "hello")))
    assert await cors_headers(app, path="/exempt", origin=PAGE) == {}


async def test_a_hidden_policy_and_the_apps_must_both_allow(cors_headers, send_request):
    """A decorator above that does not use `functools.wraps` hides the view's policy from the app."""

    def careless(view):
        async def call():
            return await view()

        return call

    app = cors(Quart(__name__), allow_origin=[PAGE, OTHER])

    @app.route("/")
    @careless
    @route_cors(allow_origin=PAGE)
    async def index():
        return "hello"

    assert await cors_headers(app, origin=PAGE) == {"access-control-allow-origin": PAGE, **VARY}
    assert await cors_headers(app, origin=OTHER) == VARY


# -- WebSockets


def serve(decorate=lambda view: view, around=None):
    """An app with a WebSocket."""
    app = Quart(__name__)
    if around:
        around(app)

    @app.websocket("/ws")
    @decorate
    async def ws():
        await websocket.send("hello")

    return app


@pytest.mark.parametrize(
    ("origin", "headers", "refused"),
    [
        pytest.param(PAGE, {}, None, id="the named origin is accepted"),
        pytest.param(PAGE, {"cookie": "sid=1"}, None, id="with its cookies"),
        pytest.param("https://api.test", {"cookie": "sid=1"}, None, id="the same host is accepted"),
        pytest.param(None, {}, None, id="a client that is not a browser is accepted"),
        pytest.param(EVIL, {}, 403, id="another origin is refused"),
        pytest.param("null", {}, 403, id="a sandboxed page is refused"),
        pytest.param("nonsense", {}, 403, id="an invalid origin is refused"),
    ],
)
@pytest.mark.parametrize(
    "around", [None, lambda app: cors(app, allow_origin=EVIL)], ids=["alone", "the view's replaces the app's"]
)
async def test_a_handshake_is_checked_by_the_views_policy(open_websocket, around, origin, headers, refused):
    """The result is the same with and without a policy of the app."""
    app = serve(websocket_cors(allow_origin=PAGE), around)
    assert await open_websocket(app, origin=origin, **headers) == refused


@pytest.mark.parametrize(
    ("options", "origin", "cookies", "refused"),
    [
        pytest.param({}, EVIL, False, None, id="any origin is accepted without cookies"),
        pytest.param({}, EVIL, True, 403, id="and refused with cookies, which it would speak for"),
        pytest.param({"allow_origin": ["*"]}, EVIL, True, 403, id="the same, spelled out"),
        pytest.param({"allow_origin": PAGE, "allow_credentials": False}, PAGE, True, 403, id="unless they are refused"),
        pytest.param({"allow_origin": "http://a.example", "allow_credentials": False}, PAGE, False, 403, id="or http"),
        pytest.param({"send_origin_wildcard": False}, EVIL, False, None, id="send_origin_wildcard says nothing here"),
    ],
)
async def test_named_origins_may_open_a_websocket_with_cookies(open_websocket, options, origin, cookies, refused):
    """Browsers send cookies with every handshake."""
    app = serve(websocket_cors(**options))
    assert await open_websocket(app, origin=origin, **({"cookie": "sid=1"} if cookies else {})) == refused


async def test_origins_of_the_configuration_may_open_a_websocket_with_cookies(open_websocket):
    """An explicit False overrides that."""
    app = serve(websocket_cors())
    app.config["QUART_CORS_ALLOW_ORIGIN"] = [PAGE]
    assert await open_websocket(app, origin=PAGE, cookie="sid=1") is None
    assert await open_websocket(app, origin=EVIL) == 403
    app.config["QUART_CORS_ALLOW_CREDENTIALS"] = False
    assert await open_websocket(app, origin=PAGE, cookie="sid=1") == 403


@pytest.mark.parametrize(
    ("options", "option"),
    [
        pytest.param({"allow_methods": "PUT"}, "allow_methods", id="an option of routes"),
        pytest.param({"allow_origin": "https://*.github.io"}, "allow_origin", id="a shared suffix with cookies"),
        pytest.param({"allow_origin": 5}, "allow_origin", id="a value of a wrong type"),
    ],
)
def test_a_mistake_is_raised_at_decoration(options, option):
    with pytest.raises(ConfigError) as caught:
        websocket_cors(**options)(lambda: None)
    assert [issue.option for issue in caught.value.issues] == [f"websocket_cors(<lambda>).{option}"]


@pytest.mark.parametrize("around", [None, lambda app: cors(app, allow_origin=PAGE)], ids=["alone", "by the app"])
async def test_a_handshake_is_closed_if_the_server_cannot_send_a_response(around):
    """The server has no extension for a response to a handshake."""
    app = serve(websocket_cors(allow_origin=PAGE), around)
    sent, received = [], asyncio.Queue()
    received.put_nowait({"type": "websocket.connect"})

    async def send(message):
        sent.append(message["type"])
        received.put_nowait({"type": "websocket.disconnect"})

    headers = [(b"host", b"api.test"), (b"origin", EVIL.encode())]
    scope = {"type": "websocket", "path": "/ws", "headers": headers, "query_string": b"", "scheme": "ws"}
    await app(scope, received.get, send)
    assert sent == ["websocket.close"]


async def test_a_view_may_be_any_callable(cors_headers):
    """It may have no name."""

    class Hello:
        def __call__(self):
            return "hello"

    app = Quart(__name__)
    app.add_url_rule("/", "hello", route_cors(allow_origin=PAGE)(Hello()))
    assert await cors_headers(app, origin=PAGE) == {"access-control-allow-origin": PAGE, **VARY}
    with pytest.raises(ConfigError, match=r"route_cors\(Hello\)"):
        route_cors(max_age=-1)(Hello())
