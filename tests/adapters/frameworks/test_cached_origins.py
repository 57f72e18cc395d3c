"""`Cached` and `Tenants` in every framework: one call, and revocation at once."""

import asyncio
from typing import Any

import pytest

pytest.importorskip("flask", reason="flask is an extra")
pytest.importorskip("quart", reason="quart is an extra")
pytest.importorskip("starlette", reason="starlette is an extra")

from flask import Flask
from quart import Quart
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import asgi_cors_flask
import asgi_cors_quart
import asgi_cors_starlette
from asgi_cors import Cached, Policy, Tenants
from tests.support.clients import call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, origin_line
from tests.support.look_ups import Customers


async def hello_async(_: Any = None) -> Any:
    """Say hello."""
    return "hello"


def make_flask(**options: Any) -> Any:
    """Build a Flask app."""
    app = Flask(__name__)
    app.route("/")(lambda: "hello")
    asgi_cors_flask.CORS(app, **options)
    return app


def make_quart(**options: Any) -> Any:
    """Build a Quart app."""
    app = Quart(__name__)
    app.route("/")(hello_async)
    asgi_cors_quart.CORS(app, **options)
    return app


def make_starlette(**options: Any) -> Any:
    """Build a Starlette app."""
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("hello"))])
    asgi_cors_starlette.install(app, **options)
    return app


@pytest.fixture(params=[make_flask, make_quart, make_starlette], ids=["Flask", "Quart", "Starlette"])
def make(request: pytest.FixtureRequest) -> Any:
    """Return the function that builds the app of a framework."""
    return request.param


def cors_of(app: Any, origin: str, method: str = "GET", host: str = "api.test") -> list[str]:
    """Return the CORS headers of a response; of a preflight for OPTIONS."""
    headers = [("host", host), ("origin", origin)]
    if method == "OPTIONS":
        headers.append(("access-control-request-method", "GET"))
    if isinstance(app, Flask):
        return call_wsgi(app, wsgi_environ(method, "/", headers)).cors
    return call_asgi(app, http_scope(method, "/", headers), run_asyncio).cors


def test_each_origin_is_looked_up_once_until_it_is_invalidated(make: Any) -> None:
    customers = Customers(APP)
    cached = Cached(customers.look_up)
    app = make(allow_origins=[cached])
    for _ in range(3):
        assert cors_of(app, APP) == [origin_line(APP)]
        assert origin_line(APP) in cors_of(app, APP, "OPTIONS")
        assert cors_of(app, EVIL) == []
    assert customers.calls == [APP, EVIL]
    customers.allowed.clear()
    cached.invalidate(APP)
    assert cors_of(app, APP) == []
    assert origin_line(APP) not in cors_of(app, APP, "OPTIONS")
    assert customers.calls == [APP, EVIL, APP]


def test_each_tenant_is_looked_up_once_until_it_is_invalidated(make: Any) -> None:
    calls: list[str] = []
    policies = {"shop.test": Policy(allow_origins=APP)}

    async def policy(host: str) -> Policy | None:
        await asyncio.sleep(0)
        calls.append(host)
        return policies.get(host)

    tenants = Tenants.by_host(policy)
    app = make(policy_for=tenants, allow_origins=EVIL)
    for _ in range(3):
        assert cors_of(app, APP, host="shop.test") == [origin_line(APP)]
        assert origin_line(APP) in cors_of(app, APP, "OPTIONS", "shop.test")
        assert cors_of(app, EVIL, host="unknown.test") == []
    assert calls == ["shop.test", "unknown.test"]
    policies.clear()
    tenants.invalidate("shop.test")
    assert cors_of(app, APP, host="shop.test") == []
