"""Routers that a middleware or app calls unpredictably: the policy of the route that runs still counts."""

import functools

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, Router

from asgi_cors_starlette import cross_origin, install

from .routes import APP, SHOP, hello

EVIL = "https://evil.example.net"
anyone = cross_origin(allow_origins="*")
protected = cross_origin(allow_origins=SHOP, csrf_protection=True)


class Admin:
    """An app with a protected route, and the number of its runs."""

    def __init__(self):
        self.runs = 0
        self.app = Starlette(routes=[Route("/admin", protected(self.view()), methods=["GET", "POST"])])

    def view(self):
        async def view(request):
            self.runs += 1
            return PlainTextResponse("ran")

        return view


class Attribute:
    """A middleware that calls another app, by an attribute that is not `app`."""

    def __init__(self, app, admin, copies):
        self.app = app
        self.others = {"admin": [admin]}
        self.copies = copies

    async def __call__(self, scope, receive, send):
        is_admin = scope["type"] != "lifespan" and scope["path"].endswith("/admin")
        app = self.others["admin"][0] if is_admin else self.app
        await app({**scope} if self.copies else scope, receive, send)


class Slots:
    """A middleware without a `__dict__`."""

    __slots__ = ("_admin", "_next", "unset")

    def __init__(self, app, admin):
        self._next = app
        self._admin = admin

    async def __call__(self, scope, receive, send):
        is_admin = scope["type"] != "lifespan" and scope["path"].endswith("/admin")
        await (self._admin if is_admin else self._next)({**scope}, receive, send)


def closure(app, admin):
    async def call(scope, receive, send):
        is_admin = scope["type"] != "lifespan" and scope["path"].endswith("/admin")
        await (admin if is_admin else app)({**scope}, receive, send)
        return empty  # a cell without a value

    if app is None:
        empty = None
    return call


async def _call(app, admin, scope, receive, send):
    is_admin = scope["type"] != "lifespan" and scope["path"].endswith("/admin")
    await (admin if is_admin else app)({**scope}, receive, send)


class Lazy:
    """An object that must not be evaluated."""

    def __call__(self):
        raise AssertionError

    @property
    def __class__(self):
        raise RuntimeError

    @property
    def __dict__(self):
        raise RuntimeError


class WithLazy(Attribute):
    """A middleware with a lazy object."""

    def __init__(self, app, admin):
        super().__init__(app, admin, copies=True)
        self.lazy = Lazy()


class Method:
    """A class whose method is the app."""

    def __init__(self, app, admin):
        self.next = app
        self.admin = admin

    async def serve(self, scope, receive, send):
        await _call(self.next, self.admin, scope, receive, send)


MIDDLEWARES = {
    "an attribute": functools.partial(Attribute, copies=False),
    "a copied scope": functools.partial(Attribute, copies=True),
    "slots": Slots,
    "a closure": closure,
    "a partial": lambda app, admin: functools.partial(_call, app, admin),
    "a method": lambda app, admin: Method(app, admin).serve,
    "a lazy object next to it": WithLazy,
}


@pytest.mark.parametrize("place", ["app", "mount", "sub-app"])
@pytest.mark.parametrize("kind", MIDDLEWARES)
async def test_an_app_that_a_middleware_calls_is_checked_before_it_runs(send_request, kind, place):
    admin = Admin()
    catch_all = Route("/{path:path}", anyone(hello), methods=["GET", "POST"])
    middleware = [Middleware(MIDDLEWARES[kind], admin=admin.app)]
    prefix = "" if place == "app" else "/m"
    if place == "app":
        app = Starlette(routes=[catch_all], middleware=middleware)
    elif place == "mount":
        app = Starlette(routes=[Mount("/m", MIDDLEWARES[kind](Router([catch_all]), admin.app))])
    else:
        app = Starlette(routes=[Mount("/m", Starlette(routes=[catch_all], middleware=middleware))])
    install(app, allow_origins=APP)
    for _ in range(2):
        response = await send_request(app, "POST", f"{prefix}/admin", origin=EVIL)
        assert (response.status_code, admin.runs) == (403, 0)
    response = await send_request(app, path=f"{prefix}/admin", origin=EVIL)
    assert (response.status_code, response.headers.get("access-control-allow-origin")) == (200, None)
    response = await send_request(app, path=f"{prefix}/other", origin=EVIL)
    assert response.text == "hello"


admin_of_module = Admin()


class FromGlobals(BaseHTTPMiddleware):
    """A middleware whose method names another app of the module."""

    async def dispatch(self, request, call_next):
        if request.url.path != "/admin":
            return await call_next(request)
        return admin_app


admin_app = admin_of_module.app


async def test_an_app_that_a_method_names_is_checked_before_it_runs(send_request):
    """Its response is the app itself."""
    app = Starlette(routes=[Route("/{path:path}", anyone(hello), methods=["GET", "POST"])])
    app.add_middleware(FromGlobals)
    install(app, allow_origins=APP)
    assert (await send_request(app, "POST", "/admin", origin=EVIL)).status_code == 403
    assert admin_of_module.runs == 0
    assert (await send_request(app, path="/x", origin=EVIL)).headers["access-control-allow-origin"] == "*"


async def test_a_proxy_does_not_hide_the_router_that_it_calls(send_request):
    """A middleware may set the attributes of the app inside of it."""

    class Proxy:
        def __init__(self, app):
            object.__setattr__(self, "app", app)

        def __setattr__(self, name, value):
            setattr(self.app, name, value)

        async def __call__(self, scope, receive, send):
            await self.app({**scope, "path": "/m/admin"}, receive, send)

    admin = Admin()
    app = Starlette(routes=[Mount("/m", Proxy(admin.app.router))])
    install(app, allow_origins=APP)
    assert (await send_request(app, "POST", "/m/x", origin=EVIL)).status_code == 403
    assert admin.runs == 0
