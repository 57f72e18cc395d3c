"""A function may be a view of several routes and apps. A decorator changes only the view that it returns."""

import gc

import pytest

pytest.importorskip("django", reason="django is an extra")
pytest.importorskip("fastapi", reason="fastapi is an extra")

from django.http import HttpResponse
from django.urls import path
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import asgi_cors_django
import asgi_cors_starlette
from tests.adapters.exchange import by_asgi, by_wsgi

from .sites.django_project import Project

PAGE, OTHER = "https://app.example.com", "https://other.example"


def make_starlette(*views):
    app = Starlette(routes=[Route(f"/{number}", view) for number, view in enumerate(views)])
    asgi_cors_starlette.install(app, allow_origins=PAGE)
    return app


def make_fastapi(*views):
    app = FastAPI()
    for number, view in enumerate(views):
        app.get(f"/{number}")(view)
    asgi_cors_starlette.install(app, allow_origins=PAGE)
    return app


def make_django(*views):
    routes = [path(str(number), view) for number, view in enumerate(views)]
    return Project(routes, asgi=False, CORS_ALLOW_ORIGINS=PAGE)


async def hello_asgi(_request=None):
    """Say hello to Starlette. All tests share this function, as apps do."""
    return PlainTextResponse("hello")


def hello_wsgi(_request):
    """Say hello to Django."""
    return HttpResponse("hello")


FRAMEWORKS = {
    "Starlette": (make_starlette, hello_asgi, asgi_cors_starlette, by_asgi),
    "FastAPI": (make_fastapi, hello_asgi, asgi_cors_starlette, by_asgi),
    "Django": (make_django, hello_wsgi, asgi_cors_django, by_wsgi),
}


@pytest.fixture(params=FRAMEWORKS)
def framework(request):
    """Return the functions of each framework in turn."""
    return FRAMEWORKS[request.param]


def readers(app, send, path):
    """Return the origins that may read a path. A preflight must have the same result."""
    found = []
    for origin in (PAGE, OTHER):
        response = send(app, "GET", path, {"origin": origin})
        preflight = send(app, "OPTIONS", path, {"origin": origin, "access-control-request-method": "GET"})
        assert response.allowed_origin == preflight.allowed_origin
        found += [origin] if response.allowed_origin else []
    return found


def test_a_function_has_another_policy_on_each_route(framework):
    make, view, adapter, send = framework
    decorated, exempt = adapter.cross_origin(allow_origins=OTHER)(view), adapter.cors_exempt(view)
    app = make(view, decorated, exempt, view)
    assert [readers(app, send, f"/{number}") for number in range(4)] == [[PAGE], [OTHER], [], [PAGE]]


@pytest.mark.parametrize("order", ["first", "last"])
def test_a_decorator_in_one_app_changes_no_other_app(framework, order):
    make, view, adapter, send = framework
    decorated = adapter.cross_origin(allow_origins=OTHER)(view)
    if order == "first":
        with_policy, plain = make(decorated), make(view)
    else:
        plain, with_policy = make(view), make(decorated)
    for _ in range(2):
        assert readers(with_policy, send, "/0") == [OTHER]
        assert readers(plain, send, "/0") == [PAGE]


def test_a_view_that_is_exempt_in_one_app_is_not_in_another(framework):
    make, view, adapter, send = framework
    exempt = adapter.cors_exempt(view)
    assert readers(make(exempt), send, "/0") == []
    assert readers(make(view), send, "/0") == [PAGE]


def test_a_view_of_a_discarded_app_leaves_no_policy(framework):
    """Factories make an app for each test, of the same functions."""
    make, view, adapter, send = framework
    app = make(adapter.cors_exempt(view))
    assert readers(app, send, "/0") == []
    del app
    gc.collect()
    assert readers(make(view), send, "/0") == [PAGE]
