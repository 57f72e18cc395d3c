"""Random trees of Starlette's routes, mounts and hosts: the predicted policy is that of the view that really ran."""

import itertools
from typing import Any

import pytest

pytest.importorskip("starlette", reason="starlette is an extra")
pytest.importorskip("werkzeug", reason="werkzeug is an extra")

from hypothesis import given, settings
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router

import asgi_cors_starlette as adapter

from .random_trees import (
    APP,
    CASES,
    NONE,
    REWRITES,
    Branch,
    Leaf,
    Rewrite,
    apply,
    body_of,
    check,
    over_asgi,
)

pytestmark = pytest.mark.slow


class Passed:
    """A middleware that notes the policy of its branch."""

    def __init__(self, app: Any, policy: str) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["passed"] = [*scope.get("passed", []), self.policy]
        await self.app(scope, receive, send)


class Rewriting:
    """A middleware that changes requests."""

    def __init__(self, app: Any, rewrite: Rewrite) -> None:
        self.app, self.rewrite = app, rewrite

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.rewrite.path is not None:
            scope["path"] = scope["root_path"] + self.rewrite.path
        if self.rewrite.method is not None:
            scope["method"] = self.rewrite.method
        if self.rewrite.host is not None:
            MutableHeaders(scope=scope)["host"] = self.rewrite.host
        await self.app(scope, receive, send)


class Tree:
    """The routes of a tree, and the decorators that are called after the app is made."""

    def __init__(self) -> None:
        self.late: list[tuple[str, Any]] = []
        self._numbers = itertools.count()

    def decorate(self, policy: str, thing: Any, *, is_late: bool) -> Any:
        """Attach a policy now or later."""
        if is_late:
            self.late.append((policy, thing))
            return thing
        return apply(adapter, policy, thing)

    def make(self, nodes: Any) -> list[Any]:
        """Make the routes."""
        return [self._route(node) if isinstance(node, Leaf) else self._branch(node) for node in nodes]

    def _route(self, leaf: Leaf) -> Route:
        path = "/" + "/".join(self._segment(segment) for segment in leaf.segments)
        if leaf.is_class:
            return Route(path, self._class(leaf))

        async def view(request: Request) -> PlainTextResponse:
            return PlainTextResponse(body_of([*request.scope.get("passed", []), leaf.outer, leaf.inner]))

        route = Route(path, self.decorate(leaf.inner, view, is_late=leaf.is_late), methods=[leaf.method])
        return self.decorate(leaf.outer, route, is_late=leaf.is_late)

    def _class(self, leaf: Leaf) -> Any:
        async def view(_self: Any, request: Request) -> PlainTextResponse:
            return PlainTextResponse(body_of([*request.scope.get("passed", []), leaf.outer, leaf.inner]))

        async def other(_self: Any, request: Request) -> PlainTextResponse:
            return PlainTextResponse(body_of([*request.scope.get("passed", []), leaf.outer]))

        methods = {"get": other, "put": other, leaf.method.lower(): apply(adapter, leaf.inner, view)}
        return self.decorate(leaf.outer, type("View", (HTTPEndpoint,), methods), is_late=leaf.is_late)

    def _branch(self, branch: Branch) -> Any:
        """Make a branch: a mount of routes, of an app, of a router in a middleware; or a host."""
        routes = self.make(branch.children)
        prefix = "/" + self._segment(branch.prefix)
        passed = Middleware(Passed, policy=branch.policy)
        if branch.kind == 0:
            mount = Mount(prefix, routes=routes, middleware=[passed])
            return self.decorate(branch.policy, mount, is_late=branch.is_late)
        if branch.kind == 1:
            sub_app = Starlette(routes=routes, middleware=[passed])
            return Mount(prefix, self.decorate(branch.policy, sub_app, is_late=branch.is_late))
        if branch.kind == 2:
            router = self.decorate(branch.policy, Router(routes), is_late=branch.is_late)
            return Mount(prefix, Passed(router, branch.policy))
        if branch.kind == 3:
            host = Host("a.test", Passed(Router(routes), branch.policy))
            return self.decorate(branch.policy, host, is_late=branch.is_late)
        twice = Passed(Router(routes), NONE)  # mounted twice, with a policy of the first mount only
        first = self.decorate(branch.policy, Mount(prefix, Passed(twice, branch.policy)), is_late=branch.is_late)
        return Mount("", routes=[first, Mount("/xx", twice)])

    def _segment(self, segment: str) -> str:
        number = next(self._numbers)
        return {"int": f"{{n{number}:int}}", "name": f"{{s{number}}}", "path": f"{{p{number}:path}}"}.get(
            segment, segment
        )


def make(nodes: Any, rewrite: Rewrite | None = None) -> Any:
    """Make the app."""
    tree = Tree()
    app = Starlette(routes=tree.make(nodes))
    adapter.install(app, **APP)
    if rewrite is not None:
        app.add_middleware(Rewriting, rewrite=rewrite)
    for policy, thing in tree.late:
        apply(adapter, policy, thing)
    return app


@given(case=CASES)
@settings(max_examples=150)
def test_the_predicted_policy_is_that_of_the_view_that_ran(case):
    check(make(case[0]), case[1], over_asgi)


@given(case=CASES, rewrite=REWRITES)
@settings(max_examples=150)
def test_no_response_grants_more_than_the_view_that_ran(case, rewrite):
    """An inner middleware may change the request."""
    check(make(case[0], rewrite), case[1], over_asgi, rewrite)
