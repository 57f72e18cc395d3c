"""Random trees of Django's routes and includes: the predicted policy is that of the view that really ran.

Django hands the keywords of each include that a request passes to the view, which writes the policies.
"""

import functools
import itertools
from typing import Any

import pytest

pytest.importorskip("django", reason="django is an extra")
pytest.importorskip("werkzeug", reason="werkzeug is an extra")

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import include, path
from django.views import View
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

import asgi_cors_django as adapter

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
    over_wsgi,
)
from .sites.django_project import MIDDLEWARE, Project, settings_of

pytestmark = pytest.mark.slow

LOCALE = "django.middleware.locale.LocaleMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
INSTALLED = st.lists(st.sampled_from([LOCALE, COMMON]), unique=True)


def passed(keywords: dict[str, Any]) -> list[str]:
    """Return the policies of the includes, from the outermost to the innermost."""
    return [policy for name, policy in keywords.items() if name.startswith("passed")]


def rewriting(get_response: Any) -> Any:
    """Change requests. The routes of another host are those of the tree in reverse order."""
    rewrite = settings.REWRITE

    def middleware(request: Any) -> Any:
        if rewrite.path is not None:
            request.path_info = rewrite.path
        if rewrite.method is not None:
            request.method = rewrite.method
        if rewrite.host is not None:
            request.urlconf = settings.OTHER_URLCONF
        return get_response(request)

    return middleware


class Routes:
    """An URLconf."""

    def __init__(self, urlpatterns: list[Any]) -> None:
        self.urlpatterns = urlpatterns


class Tree:
    """The routes of a tree, and the decorators that are called after the project is made."""

    def __init__(self) -> None:
        self.late: list[functools.partial[None]] = []
        self._numbers = itertools.count()

    def make(self, nodes: Any) -> list[Any]:
        """Make the routes."""
        made = []
        for node in nodes:
            made += [self._route(node)] if isinstance(node, Leaf) else self._branch(node)
        return made

    def _route(self, leaf: Leaf) -> Any:
        view = self._class(leaf) if leaf.is_class else self._function(leaf)
        policy = leaf.outer if leaf.is_class else leaf.inner
        if not leaf.is_late:
            return path(self._rule(leaf.segments), apply(adapter, policy, view))
        route = path(self._rule(leaf.segments), view)
        self.late.append(functools.partial(replace_view, route, policy))
        return route

    def _function(self, leaf: Leaf) -> Any:
        def view(_request: Any, **keywords: Any) -> HttpResponse:
            return HttpResponse(body_of([*passed(keywords), leaf.inner]))

        async def async_view(_request: Any, **keywords: Any) -> HttpResponse:
            return HttpResponse(body_of([*passed(keywords), leaf.inner]))

        return view if leaf.method == "GET" else async_view

    def _class(self, leaf: Leaf) -> Any:
        """Make a class-based view, one of whose methods has a policy of its own."""

        def view(_self: Any, _request: Any, **keywords: Any) -> HttpResponse:
            return HttpResponse(body_of([*passed(keywords), leaf.outer, leaf.inner]))

        def other(_self: Any, _request: Any, **keywords: Any) -> HttpResponse:
            return HttpResponse(body_of([*passed(keywords), leaf.outer]))

        methods = {"get": other, "put": other, leaf.method.lower(): apply(adapter, leaf.inner, view)}
        return type("Class", (View,), methods).as_view()

    def _branch(self, branch: Branch) -> list[Any]:
        """Make an include, with a namespace if its kind is 0. A shared one is included twice."""
        routes = self.make(branch.children)
        number = next(self._numbers)
        if branch.kind == 0:
            included = include((routes, f"app{number}"), namespace=f"space{number}")
        else:
            included = include(routes)
        prefix = self._rule((branch.prefix,)) + "/" if branch.prefix else ""
        keywords = {f"passed{number}": branch.policy}
        made = [path(prefix, apply(adapter, branch.policy, included), keywords)]
        if branch.is_shared:
            made.append(path("xx/", include(routes), {f"passed{number}": NONE}))
        return made

    def _rule(self, segments: tuple[str, ...]) -> str:
        return "/".join(self._segment(segment) for segment in segments)

    def _segment(self, segment: str) -> str:
        number = next(self._numbers)
        return {"int": f"<int:n{number}>", "name": f"<s{number}>", "path": f"<path:p{number}>"}.get(segment, segment)


def replace_view(route: Any, policy: str) -> None:
    """Decorate the view of a route that is in use."""
    route.callback = apply(adapter, policy, route.callback)


def make(nodes: Any, installed: list[str], rewrite: Rewrite | None = None, *, asgi: bool) -> Project:
    """Make the project. With LocaleMiddleware, the first routes have a prefix for the language."""
    tree = Tree()
    routes, others = tree.make(nodes), tree.make(nodes[::-1])
    own = {
        "LANGUAGES": [("en", "English"), ("de", "German")],
        "LANGUAGE_CODE": "en",
        "MIDDLEWARE": [MIDDLEWARE, *installed, *([f"{__name__}.rewriting"] if rewrite else [])],
        "OTHER_URLCONF": Routes(others),
        "REWRITE": rewrite,
    }
    project = Project(routes, asgi=asgi, **own, **settings_of(APP))
    if LOCALE in installed:
        routes[:2] = i18n_patterns(*routes[:2], prefix_default_language=COMMON in installed)
    for decorate in tree.late:
        decorate()
    return project


@pytest.mark.parametrize("send", [over_wsgi, over_asgi])
@given(case=CASES, installed=INSTALLED)
@limits(max_examples=100)
def test_the_predicted_policy_is_that_of_the_view_that_ran(send, case, installed):
    check(make(case[0], installed, asgi=send is over_asgi), case[1], send)


@pytest.mark.parametrize("send", [over_wsgi, over_asgi])
@given(case=CASES, installed=INSTALLED, rewrite=REWRITES)
@limits(max_examples=100)
def test_no_response_grants_more_than_the_view_that_ran(send, case, installed, rewrite):
    """An inner middleware may change the request."""
    check(make(case[0], installed, rewrite, asgi=send is over_asgi), case[1], send, rewrite)
