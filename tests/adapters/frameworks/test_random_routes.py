"""Random routes and requests: no response grants more than the policy of the view that really ran."""

import asyncio
from typing import Any, NamedTuple

import pytest

pytest.importorskip("asgiref", reason="asgiref is an extra")
pytest.importorskip("flask.ctx", reason="Flask is an extra")
pytest.importorskip("quart.ctx", reason="Quart is an extra")

import flask
import quart
from hypercorn.middleware import ProxyFixMiddleware
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import EnvironBuilder, run_wsgi_app

import asgi_cors_flask
import asgi_cors_quart

BASE, OWN, BLUE = "https://base.example", "https://own.example", "https://blue.example"
ORIGINS = (BASE, OWN, BLUE)
HOSTS = ("a.test", "b.test", "a.test:8080")
PREFIXES = ("", "/x", "/x/")
SEGMENTS = ("", "x", "xx", "1", "y", "%20")


class Route(NamedTuple):
    rule: str
    method: str
    host: str
    kind: str
    strict_slashes: bool


class Request(NamedTuple):
    path: str
    method: str
    host: str
    forwarded: str | None
    root: str
    origin: str


class Inner(NamedTuple):
    """An inner middleware, for proxies or for rewriting requests."""

    proxy: bool
    path: str | None
    method: str | None


METHODS = st.sampled_from(["GET", "PUT"])
PATHS = st.lists(st.sampled_from(SEGMENTS), max_size=3).map(lambda parts: "/" + "/".join(parts))
RULES = st.tuples(
    st.lists(st.sampled_from(["x", "xx", "y", "<int:n{}>", "<name{}>"]), max_size=2),
    st.sampled_from(["", "/", "/<path:rest>"]),
).map(lambda parts: "".join(f"/{part.format(place)}" for place, part in enumerate(parts[0])) + parts[1] or "/")
ROUTES = st.lists(
    st.builds(
        Route,
        RULES,
        METHODS,
        st.sampled_from(HOSTS),
        st.sampled_from(["base", "own", "late", "blue", "exempt"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
REQUESTS = st.lists(
    st.builds(
        Request,
        PATHS,
        METHODS,
        st.sampled_from(HOSTS),
        st.sampled_from([None, *HOSTS]),
        st.sampled_from(PREFIXES),
        st.sampled_from(ORIGINS),
    ),
    min_size=1,
    max_size=4,
)
INNER = st.builds(Inner, st.booleans(), st.none() | PATHS, st.none() | METHODS)
ALLOWED = {"base": BASE, "own": OWN, "late": OWN, "blue": BLUE, "exempt": None}


def register(app, blueprint, routes, decorate, exempt, make):
    """Register the routes. A view that is decorated late is replaced after all are registered."""
    late = []
    for number, route in enumerate(routes):
        endpoint = f"r{number}"
        view = make(f"ran {route.kind}")
        if route.kind == "own":
            view = decorate(view)
        elif route.kind == "exempt":
            view = exempt(view)
        options = {"methods": [route.method], "host": route.host, "strict_slashes": route.strict_slashes}
        (blueprint if route.kind == "blue" else app).add_url_rule(route.rule, endpoint, view, **options)
        if route.kind == "late":
            late.append(endpoint)
    app.register_blueprint(blueprint)
    for endpoint in late:
        app.view_functions[endpoint] = decorate(app.view_functions[endpoint])


def flask_app(routes, inner):
    app = flask.Flask("app", host_matching=True, static_folder=None)
    wsgi = app.wsgi_app
    changes = {"PATH_INFO": inner.path, "REQUEST_METHOD": inner.method}
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes:
        app.wsgi_app = lambda environ, start: wsgi({**environ, **changes}, start)
    if inner.proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1)
    asgi_cors_flask.CORS(app, origins=BASE)
    blueprint = flask.Blueprint("blue", "blue")
    asgi_cors_flask.CORS(blueprint, origins=BLUE)

    def make(text):
        return lambda **_: text

    register(app, blueprint, routes, asgi_cors_flask.cross_origin(origins=OWN), asgi_cors_flask.cors_exempt, make)
    return app


def quart_app(routes, inner):
    app = quart.Quart("app", host_matching=True, static_folder=None)
    asgi = app.asgi_app
    changes = {name: value for name, value in {"path": inner.path, "method": inner.method}.items() if value is not None}
    if changes:

        async def rewrite(scope, receive, send):
            await asgi({**scope, **changes}, receive, send)

        app.asgi_app = rewrite
    if inner.proxy:
        app.asgi_app = ProxyFixMiddleware(app.asgi_app)
    asgi_cors_quart.CORS(app, allow_origins=BASE, allow_methods=["PUT"])
    blueprint = asgi_cors_quart.cors(quart.Blueprint("blue", "blue"), allow_origin=BLUE)

    def make(text):
        async def view(**_):
            return text

        return view

    register(app, blueprint, routes, asgi_cors_quart.route_cors(allow_origin=OWN), asgi_cors_quart.cors_exempt, make)
    return app


def by_wsgi(app, request, method, headers):
    builder = EnvironBuilder(path="/", method=method, headers=headers)
    environ = builder.get_environ() | {"PATH_INFO": request.path, "SCRIPT_NAME": request.root.rstrip("/")}
    chunks, _, sent = run_wsgi_app(app, environ)
    return b"".join(chunks).decode(), {name.lower(): value for name, value in sent}


def by_asgi(app, request, method, headers):
    return asyncio.run(exchange(app, request, method, headers))


async def exchange(app: Any, request: Request, method: str, headers: dict[str, str]):
    messages, sent, done = [{"type": "http.request", "body": b"", "more_body": False}], [], asyncio.Event()

    async def receive():
        if not messages:
            await done.wait()
            return {"type": "http.disconnect"}
        return messages.pop()

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": request.root.rstrip("/") + request.path,
        "root_path": request.root,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "extensions": {},
    }
    await app(scope, receive, send)
    found = {name.decode().lower(): value.decode() for message in sent[:1] for name, value in message["headers"]}
    return b"".join(message.get("body", b"") for message in sent[1:]).decode(), found


INTERFACES = {
    "Flask by WSGI": (flask_app, by_wsgi),
    "Flask by asgi_app": (lambda *args: asgi_cors_flask.asgi_app(flask_app(*args), threads=1), by_asgi),
    "Quart": (quart_app, by_asgi),
}


def check(interface, routes, requests, inner):
    make, serve = INTERFACES[interface]
    app = make(routes, inner)
    for request in requests:
        headers = {"host": request.host, "origin": request.origin}
        if request.forwarded:
            headers["x-forwarded-host"] = request.forwarded
        text, sent = serve(app, request, request.method, headers)
        preflight = {**headers, "access-control-request-method": request.method}
        _, preflight_sent = serve(app, request, "OPTIONS", preflight)
        granted, announced = (found.get("access-control-allow-origin") for found in (sent, preflight_sent))
        if text.startswith("ran "):
            kind = text.removeprefix("ran ")
            assert granted in {None, ALLOWED[kind]}, (request, text, sent)
            if not (inner.path or inner.method):
                # The view can be predicted, so the preflight has the same result, and the view's policy applies whole.
                assert granted == (request.origin if ALLOWED[kind] == request.origin else None), (request, text, sent)
                assert kind == "exempt" or announced == granted, (request, text, preflight_sent)


@pytest.mark.parametrize("interface", INTERFACES)
@given(routes=ROUTES, requests=REQUESTS)
@settings(max_examples=40)
def test_the_predicted_policy_is_that_of_the_view_that_ran(interface, routes, requests):
    """A middleware for proxies changes nothing."""
    for proxy in (False, True):
        check(interface, routes, requests, Inner(proxy, None, None))


@pytest.mark.parametrize("interface", INTERFACES)
@given(routes=ROUTES, requests=REQUESTS, inner=INNER)
@settings(max_examples=40)
def test_no_response_grants_more_than_the_view_that_ran(interface, routes, requests, inner):
    """An inner middleware may change the request."""
    check(interface, routes, requests, inner)
