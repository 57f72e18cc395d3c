"""`Cached` and `Tenants` in every framework: one call, and revocation at once."""

import asyncio
from typing import Any

import pytest

pytest.importorskip("django", reason="django is an extra")
pytest.importorskip("flask", reason="flask is an extra")
pytest.importorskip("quart", reason="quart is an extra")
pytest.importorskip("starlette", reason="starlette is an extra")

from django.http import HttpResponse
from django.urls import path
from flask import Flask
from quart import Quart
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import asgi_cors_django
import asgi_cors_flask
import asgi_cors_quart
import asgi_cors_starlette
from asgi_cors import Cached, Policy, Tenants
from tests.adapters.exchange import drive
from tests.adapters.frameworks.sites.django_project import Project, settings_of
from tests.support.clients import call_wsgi, http_scope, wsgi_environ
from tests.support.expected import APP, EVIL, origin_line
from tests.support.look_ups import Customers

BASE = "https://base.example"


async def hello_async(_: Any = None) -> Any:
    """Say hello."""
    return "hello"


async def hello_starlette(_: Any) -> Any:
    """Say hello to Starlette."""
    return PlainTextResponse("hello")


def hello_wsgi(_: Any) -> Any:
    """Say hello to Django."""
    return HttpResponse("hello")


async def hello_asgi(_: Any) -> Any:
    """Say hello to Django over ASGI."""
    return HttpResponse("hello")


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
    app = Starlette(routes=[Route("/", hello_starlette)])
    asgi_cors_starlette.install(app, **options)
    return app


def make_django_wsgi(**options: Any) -> Any:
    """Build a Django project over WSGI."""
    return Project([path("", hello_wsgi)], asgi=False, **settings_of(options))


def make_django_asgi(**options: Any) -> Any:
    """Build a Django project over ASGI."""
    return Project([path("", hello_asgi)], asgi=True, **settings_of(options))


def make_starlette_view(**options: Any) -> Any:
    """Build a Starlette app whose route has the policy."""
    app = Starlette(routes=[Route("/", asgi_cors_starlette.cross_origin(**options)(hello_starlette))])
    asgi_cors_starlette.install(app, allow_origins=BASE)
    return app


def make_django_wsgi_view(**options: Any) -> Any:
    """Build a Django project over WSGI whose view has the policy."""
    route = path("", asgi_cors_django.cross_origin(**options)(hello_wsgi))
    return Project([route], asgi=False, CORS_ALLOW_ORIGINS=BASE)


def make_django_asgi_view(**options: Any) -> Any:
    """Build a Django project over ASGI whose view has the policy."""
    route = path("", asgi_cors_django.cross_origin(**options)(hello_asgi))
    return Project([route], asgi=True, CORS_ALLOW_ORIGINS=BASE)


APPS = [make_flask, make_quart, make_starlette, make_django_wsgi, make_django_asgi]
VIEWS = [make_starlette_view, make_django_wsgi_view, make_django_asgi_view]


@pytest.fixture(params=APPS, ids=lambda each: each.__name__.removeprefix("make_"))
def make(request: pytest.FixtureRequest) -> Any:
    """Return the function that builds the app of a framework."""
    return request.param


@pytest.fixture(params=[*APPS, *VIEWS], ids=lambda each: each.__name__.removeprefix("make_"))
def make_app_or_view(request: pytest.FixtureRequest) -> Any:
    """Return the function that builds an app with a policy of its own, or with one of its view."""
    return request.param


def cors_of(app: Any, origin: str, method: str = "GET", host: str = "api.test") -> list[str]:
    """Return the CORS headers of a response; of a preflight for OPTIONS."""
    headers = [("host", host), ("origin", origin)]
    if method == "OPTIONS":
        headers.append(("access-control-request-method", "GET"))
    if isinstance(app, Flask) or (isinstance(app, Project) and not app.asgi):
        return call_wsgi(app, wsgi_environ(method, "/", headers)).cors
    # Django's view runs only as long as the client is connected.
    response = asyncio.run(drive(app, http_scope(method, "/", headers)))
    return sorted(f"{name}: {value}" for name, value in response.headers if name.startswith("access-control-"))


def test_each_origin_is_looked_up_once_until_it_is_invalidated(make_app_or_view: Any) -> None:
    customers = Customers(APP)
    cached = Cached(customers.look_up)
    app = make_app_or_view(allow_origins=[cached])
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
