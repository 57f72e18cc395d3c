"""The policy of the view that really runs applies."""

import asyncio
import functools
import gc
import logging
import sys
import threading
import warnings
import weakref

import pytest
from hypercorn.middleware import ProxyFixMiddleware
from quart import (
    Blueprint,
    Quart,
    current_app,
    g,
    has_app_context,
    has_request_context,
    has_websocket_context,
    request,
    request_started,
    websocket,
)
from quart.signals import appcontext_pushed
from quart.views import MethodView, View
from werkzeug.routing import BaseConverter

from asgi_cors_quart import CORS, cors, cors_exempt, route_cors, websocket_cors

PAGE, OTHER, EVIL = "https://app.example.com", "https://other.example", "https://evil.example"
own = functools.partial(route_cors, allow_origin=OTHER)


async def view():
    return "view"


def another():
    async def view():
        return "another"

    return view


@pytest.fixture
def app():
    app = Quart(__name__, static_folder=None)
    CORS(app, allow_origins=PAGE)
    return app


@pytest.fixture
def send():
    """Send one request by ASGI, and return its status, its CORS headers and its body."""

    async def exchange(app, method, path, headers, **scope):
        sent, complete = [], asyncio.Event()
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            await complete.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                complete.set()

        await app(
            {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": method,
                "scheme": "http",
                "path": path,
                "raw_path": path.encode(),
                "root_path": "",
                "query_string": b"",
                "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
                "client": ("127.0.0.1", 50000),
                "server": ("localhost", 80),
                "extensions": {},
                **scope,
            },
            receive,
            send,
        )
        start = next(message for message in sent if message["type"] == "http.response.start")
        body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return start["status"], {k: v for k, v in found.items() if k == "vary" or k.startswith("access-control")}, body

    return exchange


@pytest.fixture
def readers(send):
    """Return the origins that may read a path. A preflight must have the same result."""

    async def send_request(app, path, method="GET", headers=(), **scope):
        found = []
        for origin in (PAGE, OTHER):
            named = {"host": "localhost", **dict(headers), "origin": origin}
            named = {name: value for name, value in named.items() if value is not None}
            preflight = {**named, "access-control-request-method": method}
            responses = [
                await send(app, method, path, named, **scope),
                await send(app, "OPTIONS", path, preflight, **scope),
            ]
            verdicts = {response[1].get("access-control-allow-origin") for response in responses}
            assert len(verdicts) == 1, (origin, responses)
            found += verdicts - {None}
        return found

    return send_request


# -- the policy of the view that is registered now


def replaced(app):
    app.view_functions["view"] = own()(app.view_functions["view"])


def replaced_by_another(app):
    app.view_functions["view"] = own()(another())


@pytest.mark.parametrize("change", [replaced, replaced_by_another])
@pytest.mark.parametrize("served", [False, True], ids=["before a request", "after requests"])
async def test_a_view_decorated_late_has_its_policy(app, readers, change, served):
    app.add_url_rule("/", "view", another())
    assert not served or await readers(app, "/") == [PAGE]
    change(app)
    assert await readers(app, "/") == [OTHER]


async def test_a_view_exempted_late_is_passed_through(app, readers, send):
    app.add_url_rule("/", "view", another())
    assert await readers(app, "/") == [PAGE]
    cors_exempt(app.view_functions["view"])
    assert (await send(app, "GET", "/", {"host": "localhost", "origin": PAGE}))[1] == {}


async def test_a_view_replaced_by_a_plain_one_has_the_apps_policy(app, readers):
    app.add_url_rule("/", "view", own()(another()))
    assert await readers(app, "/") == [OTHER]
    app.view_functions["view"] = view
    assert await readers(app, "/") == [PAGE]


async def test_a_blueprint_registered_late_has_its_policy(app, readers):
    app.add_url_rule("/", "view", another())
    assert await readers(app, "/") == [PAGE]
    outer, inner = Blueprint("outer", __name__, url_prefix="/outer"), Blueprint("inner", __name__, url_prefix="/inner")
    cors(inner, allow_origin=OTHER)
    inner.add_url_rule("/", "view", another())
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert (await readers(app, "/outer/inner/"), await readers(app, "/")) == ([OTHER], [PAGE])


async def test_a_class_whose_method_is_decorated_late_has_its_policy(app, readers):
    class Methods(MethodView):
        async def get(self):
            return "get"

        async def put(self):
            return "put"

    app.add_url_rule("/", view_func=Methods.as_view("view"))
    assert await readers(app, "/", "PUT") == [PAGE]
    Methods.get = own()(Methods.get)
    assert (await readers(app, "/"), await readers(app, "/", "HEAD"), await readers(app, "/", "PUT")) == (
        [OTHER],
        [OTHER],
        [PAGE],
    )


async def test_a_decorator_above_route_raises_one_warning(app, send_request):
    own()(app.get("/")(another()))
    with pytest.warns(UserWarning, match="is above its route"):
        await send_request(app, origin=PAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await send_request(app, origin=PAGE)


# -- routes are predicted as Quart matches them


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [
        pytest.param("/api", "/api/keys", [OTHER], id="below it"),
        pytest.param("/api", "/apikeys", [OTHER], id="without a slash between"),
        pytest.param("/api", "/api//keys", [OTHER], id="with two slashes between"),
        pytest.param("/api/", "/api/keys", [OTHER], id="a root path with a final slash"),
        pytest.param("/api/", "/api//keys", [OTHER], id="a root path with a final slash, and another one"),
        pytest.param("/api", "/keys", [PAGE], id="not below it"),
        pytest.param("/api/", "/apikeys", [PAGE], id="a root path with a final slash, without one in the path"),
        pytest.param("/api", "/api", [PAGE], id="the root path itself"),
        pytest.param("/keys", "/keys", [PAGE], id="the root path itself, named as a view"),
        pytest.param("", "/keys", [OTHER], id="none"),
        pytest.param("", "http://localhost/keys", [OTHER], id="an absolute URL as the path"),
    ],
)
@pytest.mark.parametrize("status", ["known host", "new host"])
async def test_a_root_path_is_removed_as_quart_does(app, readers, root, path, expected, status):
    app.add_url_rule("/keys", "keys", own()(another()))
    app.add_url_rule("/", "index", another())
    if status == "known host":
        await readers(app, "/keys")
    assert await readers(app, path, root_path=root) == expected


async def test_a_route_with_a_blank_is_found_outside_of_the_root_path(app, readers):
    """Quart writes a blank for a path that is not below the root path."""
    app.add_url_rule("/<name>", "name", own()(lambda name: name))
    assert await readers(app, "/elsewhere/x", root_path="/api") == [OTHER]


@pytest.mark.parametrize("order", ["inside", "outside"])
@pytest.mark.parametrize(
    ("mode", "headers"),
    [
        ("legacy", {"x-forwarded-host": "admin.test"}),
        ("legacy", {"x-forwarded-host": "evil.test, admin.test"}),
        ("legacy", {"x-forwarded-host": "admin.test:443", "x-forwarded-proto": "https"}),
        ("modern", {"forwarded": "for=1.2.3.4;host=admin.test;proto=http"}),
    ],
    ids=["legacy", "several", "port and scheme", "modern"],
)
async def test_a_forwarded_host_selects_the_policy_of_its_view(readers, order, mode, headers):
    """Whether hypercorn's ProxyFixMiddleware is applied before CORS(app) or after."""
    app = Quart(__name__, static_folder=None, host_matching=True)
    if order == "inside":
        app.asgi_app = ProxyFixMiddleware(app.asgi_app, mode=mode)
    CORS(app, allow_origins=PAGE)
    if order == "outside":
        app.asgi_app = ProxyFixMiddleware(app.asgi_app, mode=mode)
    app.add_url_rule("/", "public", another(), host="public.test")
    app.add_url_rule("/", "admin", own()(another()), host="admin.test")
    for _ in range(2):
        assert await readers(app, "/", headers={"host": "public.test", **headers}) == [OTHER]
        assert await readers(app, "/", headers={"host": "public.test"}) == [PAGE]


async def test_a_deep_copy_of_the_scope_has_no_objects_of_the_server(readers):
    """Hypercorn's ProxyFixMiddleware makes a deep copy, which must not reach the server's locks and sockets."""
    app = Quart(__name__, static_folder=None)
    app.asgi_app = ProxyFixMiddleware(app.asgi_app)
    CORS(app, allow_origins=PAGE)
    app.add_url_rule("/", "view", own()(another()))
    app.add_url_rule("/plain", "plain", another())
    lock = threading.Lock()

    async def server(scope, receive, send):
        await app(scope, receive, functools.partial(locked, lock, send))

    async def locked(_lock, send, message):
        await send(message)

    assert (await readers(server, "/"), await readers(server, "/plain")) == ([OTHER], [PAGE])


async def test_a_request_of_http_1_0_uses_the_server_name(app, readers):
    """A request without Host gets SERVER_NAME, as in Quart."""
    app = Quart(__name__, static_folder=None, subdomain_matching=True)
    app.config["SERVER_NAME"] = "admin.api.test"
    CORS(app, allow_origins=PAGE)
    app.add_url_rule("/", "view", own()(another()))
    assert await readers(app, "/", headers={"host": None}, http_version="1.0", server=None) == [OTHER]


async def test_proxy_headers_are_ignored_if_hypercorns_middleware_is_not_loaded(readers, monkeypatch):
    monkeypatch.delitem(sys.modules, "hypercorn.middleware.proxy_fix")
    app = Quart(__name__, static_folder=None)
    rewrites(app)
    CORS(app, allow_origins=PAGE)
    app.add_url_rule("/", "view", own()(another()))
    assert await readers(app, "/", headers={"x-forwarded-host": "admin.test"}) == [OTHER]


# -- converters that need the app


class Tenant(BaseConverter):
    def to_python(self, value):
        g.seen = value
        return current_app.config["TENANTS"][value]


async def test_a_converter_runs_inside_of_the_apps_context(app, readers):
    app.url_map.converters["tenant"] = Tenant
    app.config["TENANTS"] = {"a": "A"}
    app.add_url_rule("/<tenant:name>", "tenant", own()(lambda name: name))
    app.add_url_rule("/plain/<tenant:name>", "plain", lambda name: name)
    assert (await readers(app, "/a"), await readers(app, "/plain/a")) == ([OTHER], [PAGE])
    assert not has_app_context()
    async with app.app_context():
        g.mine = "mine"
        assert await readers(app, "/a") == [OTHER]
        assert g.mine == "mine"


async def test_a_route_is_matched_although_a_signal_receiver_waits(app, readers):
    """The context is active before the receiver runs."""
    app.url_map.converters["tenant"] = Tenant
    app.config["TENANTS"] = {"a": "A"}
    app.add_url_rule("/<tenant:name>", "tenant", own()(lambda name: name))
    pushed = []

    async def note(_app, **_):
        pushed.append(1)
        await asyncio.sleep(0)

    with appcontext_pushed.connected_to(note, app):
        assert await readers(app, "/a") == [OTHER]
    assert pushed


class OfTheRequest(BaseConverter):
    """A converter that needs the request."""

    def to_python(self, value):
        return f"{value} of {request.host}"


async def test_a_converter_may_need_the_request(app, readers, send):
    """Quart sets its context before it matches a route. After a prediction, no context is left behind."""
    app.url_map.converters["mine"] = OfTheRequest
    app.add_url_rule("/<mine:name>", "view", own()(lambda name: name))
    assert (await send(app, "GET", "/a", {"host": "api.test", "origin": OTHER}))[2] == b"a of api.test"
    assert await readers(app, "/a") == [OTHER]
    assert not has_request_context()


class OfTheHandshake(BaseConverter):
    """A converter that needs the handshake."""

    def to_python(self, value):
        return f"{value} of {websocket.host}"


async def test_a_converter_may_need_the_handshake(app, open_websocket):
    app.url_map.converters["mine"] = OfTheHandshake
    accepted = []

    @websocket_cors(allow_origin=OTHER)
    async def serve(name):
        accepted.append(name)
        await websocket.send("hello")

    app.add_websocket("/<mine:name>", "ws", serve)
    assert (await open_websocket(app, "/a", origin=PAGE), await open_websocket(app, "/a", origin=OTHER)) == (403, None)
    assert accepted == ["a of api.test"]
    assert not has_websocket_context()


async def test_a_class_whose_dispatch_is_decorated_has_its_policy(app, readers):
    class Whole(View):
        @own()
        async def dispatch_request(self):
            return "view"

    app.add_url_rule("/", view_func=Whole.as_view("view"))
    assert await readers(app, "/") == [OTHER]


# -- views that cannot be predicted


def rewrites(app, **changes):
    """An inner middleware, as a closure, so that its changes cannot be predicted."""
    inner = app.asgi_app

    async def rewrite(scope, receive, send):
        await inner({**scope, **changes}, receive, send)

    app.asgi_app = rewrite


CHANGES = [pytest.param({"path": "/secret"}, id="path"), pytest.param({"method": "PUT"}, id="method")]


def rewritten(changes, **options):
    app, called = Quart(__name__, static_folder=None), []
    rewrites(app, **changes)
    CORS(app, allow_origins=[PAGE, OTHER], allow_credentials=True, **options)

    @own()
    async def secret():
        called.append(request.path)
        return "secret"

    app.add_url_rule("/", "open", another())
    app.add_url_rule("/", "put", secret, methods=["PUT"])
    app.add_url_rule("/secret", "secret", secret)
    return app, called


@pytest.mark.parametrize("changes", CHANGES)
async def test_both_policies_must_allow_if_another_view_runs(cors_headers, caplog, changes):
    app, called = rewritten(changes)
    assert await cors_headers(app, origin=PAGE) == {"vary": "Origin"}
    assert await cors_headers(app, origin=OTHER) == {"access-control-allow-origin": OTHER, "vary": "Origin"}
    assert await cors_headers(app) == {"vary": "Origin"}
    assert len(called) == 3
    (warning,) = [record for record in caplog.records if "another view" in record.message]
    assert "route_cors(secret)" in warning.message
    assert warning.levelno == logging.WARNING


@pytest.mark.parametrize("changes", CHANGES)
async def test_with_enforce_the_view_does_not_run(send_request, changes):
    """The app's functions before a request, and its error handlers, do not run either."""
    app, called = rewritten(changes, enforce=True)
    app.before_request(lambda: called.append("before"))
    for error in (403, Exception):
        app.register_error_handler(error, lambda _: called.append("handler") or "handled")
    response = await send_request(app, origin=PAGE)
    assert (response.status_code, called) == (403, [])
    assert (await response.get_data()).startswith(b"Refused by the CORS policy: ")
    assert (await send_request(app, origin=OTHER)).status_code == 200


def sockets(*, exempt=False):
    app = Quart(__name__, static_folder=None)
    rewrites(app, path="/secret")
    CORS(app, allow_origins=[PAGE, OTHER], allow_credentials=True)

    async def serve():
        await websocket.send("hello")

    app.add_websocket("/ws", "ws", cors_exempt(serve) if exempt else serve)

    @websocket_cors(allow_origin=OTHER)
    async def secret():
        await websocket.send("hello")

    app.add_websocket("/secret", "secret", secret)
    return app


@pytest.mark.parametrize("exempt", [False, True], ids=["predicted the app's policy", "predicted none"])
async def test_a_handshake_that_leads_to_another_view_needs_both_policies(open_websocket, exempt):
    app = sockets(exempt=exempt)
    assert await open_websocket(app, origin=PAGE) == 403
    assert await open_websocket(app, origin=OTHER) is None
    assert await open_websocket(app) is None


async def test_a_handshake_is_closed_if_the_server_sends_no_response():
    """The server lacks the extension for a response."""
    app, sent, messages, closed = sockets(), [], [{"type": "websocket.connect"}], asyncio.Event()

    async def receive():
        if messages:
            return messages.pop()
        await closed.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(message):
        sent.append(message["type"])
        closed.set()

    scope = {
        "type": "websocket",
        "scheme": "ws",
        "http_version": "1.1",
        "path": "/ws",
        "query_string": b"",
        "headers": [(b"host", b"api.test"), (b"origin", PAGE.encode())],
        "subprotocols": [],
        "extensions": {},
    }
    await app(scope, receive, send)
    assert sent == ["websocket.close"]


async def test_a_websocket_decorated_late_has_its_policy(open_websocket):
    app = Quart(__name__, static_folder=None)
    CORS(app, allow_origins=PAGE)

    async def serve():
        await websocket.send("hello")

    app.add_websocket("/ws", "ws", serve)
    assert (await open_websocket(app, origin=PAGE), await open_websocket(app, origin=OTHER)) == (None, 403)
    app.view_functions["ws"] = websocket_cors(allow_origin=OTHER)(serve)
    assert (await open_websocket(app, origin=PAGE), await open_websocket(app, origin=OTHER)) == (403, None)


async def test_a_view_and_a_websocket_at_one_url_have_their_own_policies(app, readers, open_websocket):
    async def serve():
        await websocket.send("hello")

    app.add_websocket("/ws", "ws", websocket_cors(allow_origin=EVIL)(serve))
    app.add_url_rule("/ws", "view", own()(another()))
    assert await readers(app, "/ws") == [OTHER]
    assert (await open_websocket(app, origin=EVIL), await open_websocket(app, origin=OTHER)) == (None, 403)


# -- several apps, and requests without a server


async def test_a_request_inside_of_a_view_is_verified_by_itself(app, send_request):
    async def outer():
        inner = await app.test_client().get("/own", headers={"Origin": OTHER})
        return f"{inner.headers['access-control-allow-origin']} {request.path}"

    app.add_url_rule("/outer", "outer", outer)
    app.add_url_rule("/own", "own", own()(another()))
    response = await send_request(app, path="/outer", origin=PAGE)
    assert (await response.get_data(as_text=True), response.headers["access-control-allow-origin"]) == (
        f"{OTHER} /outer",
        PAGE,
    )


async def test_a_request_context_without_a_request_is_left_alone(app):
    app.add_url_rule("/", "view", own()(another()))
    async with app.test_request_context("/", headers={"Origin": EVIL}) as context:
        assert (await (await app.full_dispatch_request(context)).get_data()) == b"another"


def test_an_app_that_is_dropped_leaves_no_receiver_behind():
    def make():
        app = Quart(__name__, static_folder=None)
        CORS(app, allow_origins=PAGE)
        app.add_url_rule("/", "view", own()(another()))
        return weakref.ref(app)

    gc.collect()
    before, dropped = len(request_started.receivers), make()
    gc.collect()
    assert dropped() is None
    assert len(request_started.receivers) <= before


# -- a path that is too long to be matched


async def test_nothing_is_allowed_at_a_path_that_is_too_long(app, cors_headers, send_request):
    """It is not matched, which would take longer than the request."""
    path = "/" + "a/" * 1500

    async def served(_):
        return "served"

    app.add_url_rule("/<path:_>", "view", own()(served))
    for origin in (PAGE, OTHER):
        assert await cors_headers(app, "GET", path, origin=origin) == {"vary": "Origin"}
        preflight = await send_request(app, "OPTIONS", path, origin=origin, access_control_request_method="PUT")
        assert (preflight.status_code, preflight.headers.get("access-control-allow-origin")) == (200, None)
        assert app.extensions["asgi_cors"].explain("GET", origin, path).allowed is False
    assert await (await send_request(app, "GET", path)).get_data() == b"served"
