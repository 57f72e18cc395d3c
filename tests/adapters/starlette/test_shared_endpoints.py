"""One endpoint in several routes: the policy of a copy serves the routes of this copy alone."""

import functools
import sys
import threading

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from asgi_cors_starlette import cross_origin, install

from .routes import APP, SHOP, allowed, make_endpoint

shop = cross_origin(allow_origins=SHOP)


def wraps(endpoint):
    """Wrap an endpoint, as most decorators do."""

    @functools.wraps(endpoint)
    async def wrapper(*arguments):
        return await endpoint(*arguments)

    return wrapper


def encloses(endpoint):
    """Wrap an endpoint. Nothing but its closure leads to it."""

    async def wrapper(request):
        return await endpoint(request)

    return wrapper


@pytest.mark.parametrize("decorate", [wraps, encloses, functools.partial])
async def test_a_copy_inside_of_a_wrapper_serves_the_routes_of_the_wrapper(send_request, decorate):
    endpoint = make_endpoint()
    app = Starlette(routes=[Route("/shop", decorate(shop(endpoint))), Route("/own", endpoint)])
    install(app, allow_origins=APP)
    assert await allowed(send_request, app, "/own") == [APP]


async def test_a_removed_route_leaves_its_policy_to_no_other(send_request):
    endpoint = make_endpoint()
    app = Starlette(routes=[Route("/shop", shop(endpoint)), Route("/own", endpoint)])
    install(app, allow_origins=APP)
    for _ in range(2):
        assert await allowed(send_request, app, "/own") == [APP]
        app.router.routes[:] = app.router.routes[-1:]


class Shop:
    """A class with a method that several routes call."""

    async def page(self, request):
        return PlainTextResponse("page")


async def test_the_copy_of_a_method_leaves_its_policy_to_no_other_object(send_request):
    shop(Shop().page)
    app = Starlette(routes=[Route("/own", Shop().page)])
    install(app, allow_origins=APP)
    assert await allowed(send_request, app, "/own") == [APP]


async def test_a_wrapper_of_a_wrapper_does_not_get_the_policy_of_its_copy(send_request):
    """Both have the same code, and the outer one has the attributes of the inner one."""
    inner = wraps(make_endpoint())
    shop(inner)
    app = Starlette(routes=[Route("/own", wraps(inner))])
    install(app, allow_origins=APP)
    assert await allowed(send_request, app, "/own") == [APP]


async def test_a_copy_that_a_decorator_makes_after_the_registration_serves_the_route(send_request):
    endpoint = make_endpoint()
    app = Starlette(routes=[Route("/late", endpoint), Route("/wrapped", wraps(make_endpoint()))])
    install(app, allow_origins=APP)
    shop(endpoint)
    assert await allowed(send_request, app, "/late") == [SHOP]
    assert await allowed(send_request, app, "/wrapped") == [APP]


def test_apps_may_be_made_in_one_thread_while_another_one_serves():
    endpoint = make_endpoint()
    app = Starlette(routes=[Route("/late", endpoint)])
    routes = install(app, allow_origins=APP).routes
    shop(endpoint)
    scope = {"type": "http", "method": "GET", "path": "/late", "headers": []}
    is_served = threading.Event()

    def make_apps():
        while not is_served.is_set():
            apps = [Starlette() for _ in range(20)]
            for each in apps:
                install(each, allow_origins=APP)

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=make_apps)
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        for _ in range(500):
            routes.key_of({**scope})
    finally:
        sys.setswitchinterval(interval)
        is_served.set()
        thread.join()
