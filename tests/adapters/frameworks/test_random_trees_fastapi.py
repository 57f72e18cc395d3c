"""Random trees of FastAPI's routers: the predicted policy is that of the view that really ran.

FastAPI runs the dependencies of each router that a request passes, so they write the policies. A mounted app, whose
dependencies do not apply to the apps that are mounted in it, has a middleware that does so.
"""

import itertools
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="fastapi is an extra")
pytest.importorskip("werkzeug", reason="werkzeug is an extra")

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from hypothesis import given, settings

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
from .test_random_trees_starlette import Rewriting

pytestmark = pytest.mark.slow


def passed(policy: str) -> Any:
    """Return the dependency that notes the policy of its router."""

    async def note(request: Request) -> None:
        request.scope["passed"] = [*request.scope.get("passed", []), policy]

    return Depends(note)


class Passing:
    """A middleware that notes the policy of its app."""

    def __init__(self, app: Any, policy: str) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["passed"] = [*scope.get("passed", []), self.policy]
        await self.app(scope, receive, send)


class Tree:
    """Adds the routes of a tree, and stores the decorators that are called after the app is made."""

    def __init__(self) -> None:
        self.late: list[tuple[str, Any]] = []
        self._numbers = itertools.count()

    def decorate(self, policy: str, thing: Any, *, is_late: bool) -> Any:
        """Attach a policy now or later."""
        if is_late:
            self.late.append((policy, thing))
            return thing
        return apply(adapter, policy, thing)

    def add(self, router: Any, nodes: Any) -> None:
        """Add the routes and the routers."""
        for node in nodes:
            if isinstance(node, Leaf):
                self._add_view(router, node)
            else:
                self._include(router, node)

    def _add_view(self, router: Any, leaf: Leaf) -> None:
        """Add a view. A class of a leaf is a view that is not async, and its policy may be above `@router.get`."""

        async def view(request: Request) -> PlainTextResponse:
            return PlainTextResponse(body_of([*request.scope.get("passed", []), leaf.inner]))

        def threaded(request: Request) -> PlainTextResponse:
            return PlainTextResponse(body_of([*request.scope.get("passed", []), leaf.inner]))

        path = "/" + "/".join(self._segment(segment) for segment in leaf.segments)
        decorated = self.decorate(leaf.inner, threaded if leaf.is_class else view, is_late=leaf.is_late)
        methods = ["GET", "HEAD"] if leaf.method == "GET" else [leaf.method]
        router.api_route(path, methods=methods)(decorated)

    def _include(self, router: Any, branch: Branch) -> None:
        """Include a router, or mount an app. A shared router is included once more, without a policy."""
        prefix = "/" + self._segment(branch.prefix) if branch.prefix else ""
        if branch.kind == 0 and prefix and isinstance(router, FastAPI):
            sub_app = FastAPI()
            sub_app.add_middleware(Passing, policy=branch.policy)
            self.add(sub_app, branch.children)
            router.mount(prefix, self.decorate(branch.policy, sub_app, is_late=branch.is_late))
            return
        inner = APIRouter()
        if branch.kind == 1:  # the policy is attached first
            inner = apply(adapter, branch.policy, inner)
        self.add(inner, branch.children)
        if branch.kind == 1:
            router.include_router(inner, prefix=prefix or "/y", dependencies=[passed(branch.policy)])
        elif branch.is_shared:
            outer = APIRouter()
            outer.include_router(inner, prefix=prefix or "/y", dependencies=[passed(branch.policy)])
            outer = self.decorate(branch.policy, outer, is_late=branch.is_late)
            router.include_router(outer)
            router.include_router(inner, prefix="/xx", dependencies=[passed(NONE)])
        else:
            inner = self.decorate(branch.policy, inner, is_late=branch.is_late)
            router.include_router(inner, prefix=prefix or "/y", dependencies=[passed(branch.policy)])

    def _segment(self, segment: str) -> str:
        number = next(self._numbers)
        return {"int": f"{{n{number}:int}}", "name": f"{{s{number}}}", "path": f"{{p{number}:path}}"}.get(
            segment, segment
        )


def make(nodes: Any, rewrite: Rewrite | None = None) -> Any:
    """Make the app."""
    tree = Tree()
    app = FastAPI()
    tree.add(app, nodes)
    adapter.install(app, **APP)
    if rewrite is not None:
        app.add_middleware(Rewriting, rewrite=rewrite)
    for policy, thing in tree.late:
        apply(adapter, policy, thing)
    return app


@given(case=CASES)
@settings(max_examples=100)
def test_the_predicted_policy_is_that_of_the_view_that_ran(case):
    check(make(case[0]), case[1], over_asgi)


@given(case=CASES, rewrite=REWRITES)
@settings(max_examples=100)
def test_no_response_grants_more_than_the_view_that_ran(case, rewrite):
    """An inner middleware may change the request."""
    check(make(case[0], rewrite), case[1], over_asgi, rewrite)
