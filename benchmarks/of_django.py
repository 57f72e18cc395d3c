"""Django's middlewares: django-cors-headers and ours. Neither is an ASGI middleware.

`cors_headers` and `ours` are each measured around a view, on Django's requests. `by_path` and `by_view` build whole
projects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from io import BytesIO
from time import process_time_ns
from types import ModuleType
from typing import Any, Final

import django  # type: ignore[import-untyped] # it has no types
from django.conf import settings  # type: ignore[import-untyped] # it has no types
from django.core.handlers.asgi import ASGIHandler, ASGIRequest  # type: ignore[import-untyped] # it has no types
from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped] # it has no types
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped] # it has no types
from django.urls import path  # type: ignore[import-untyped] # it has no types
from frameworks import Spends as SpendsRow
from frameworks import spend_asgi, spend_wsgi
from policies import METHODS, NAMES, Policy, Spends
from traffic import ALLOWED, App, Scope, streaming

View = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]

OURS: Final = "asgi_cors_django.middleware.CORSMiddleware"
THEIRS: Final = "corsheaders.middleware.CorsMiddleware"
_PROJECT: Final = Policy("", (ALLOWED,))


async def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the signature of a view
    """Respond with three headers and a short body."""
    return HttpResponse(
        b"{}", headers={"content-length": "2", "x-request-id": "f3c1b7"}, content_type="application/json"
    )


def bare(app: App, policy: Policy) -> Spends | None:
    """Serve without a middleware."""
    return _spends(view, policy) if _can_serve(app, policy) else None


def cors_headers(app: App, policy: Policy) -> Spends | None:
    """Serve with django-cors-headers."""
    if not _can_serve(app, policy):
        return None
    _set(policy)
    from corsheaders.middleware import CorsMiddleware

    serve: Any = CorsMiddleware(view)
    return _spends(serve, policy)


def ours(app: App, policy: Policy) -> Spends | None:
    """Serve with our middleware."""
    if not _can_serve(app, policy):
        return None
    _set(policy)
    from asgi_cors_django.middleware import CORSMiddleware

    serve: Any = CORSMiddleware(view)
    return _spends(serve, policy)


def by_path() -> dict[str, SpendsRow]:
    """Build projects without policies of views, by title."""
    return {
        "Django": _project(),
        "asgi_cors_django": _project(OURS),
        "django-cors-headers": _project(THEIRS),
    }


def by_view() -> dict[str, SpendsRow]:
    """Build projects with policies of views, by title."""
    from asgi_cors_django import cross_origin

    own = cross_origin(allow_origins=ALLOWED, allow_methods=METHODS, allow_headers=NAMES)
    return {
        "Django": _project(),
        "asgi_cors_django, a view's own": _project(OURS, decorate=own),
    }


def by_path_asgi() -> dict[str, SpendsRow]:
    """Build projects that are served by ASGI, by title."""
    return {
        "Django by ASGI": _project(asgi=True),
        "asgi_cors_django": _project(OURS, asgi=True),
        "django-cors-headers": _project(THEIRS, asgi=True),
    }


def _project(
    middleware: str = "", *, asgi: bool = False, decorate: Callable[..., Any] = lambda function: function
) -> SpendsRow:
    """Build a project with one view."""
    _set(_PROJECT)

    def items(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("{}", content_type="application/json")

    async def items_async(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("{}", content_type="application/json")

    urls: Any = ModuleType(f"urls_{len(sys.modules)}")
    urls.urlpatterns = [path("items", decorate(items_async if asgi else items))]
    sys.modules[urls.__name__] = urls
    settings.ROOT_URLCONF = urls.__name__
    settings.MIDDLEWARE = [middleware] if middleware else []
    handler = ASGIHandler() if asgi else WSGIHandler()

    def spends(row: dict[str, Any]) -> float:
        _set(_PROJECT)
        settings.ROOT_URLCONF = urls.__name__
        return (spend_asgi if asgi else spend_wsgi)(handler, row)

    return spends


def _can_serve(app: App, policy: Policy) -> bool:
    return policy.is_common and app is not streaming  # body chunks never pass through Django's middleware


def _spends(serve: View, policy: Policy) -> Spends:
    def spends(scopes: list[Scope]) -> float:
        _set(policy)
        requests = [ASGIRequest(scope, BytesIO()) for scope in scopes]
        began = process_time_ns()
        for request in requests:
            try:
                serve(request).send(None)
            except StopIteration:
                continue
            raise RuntimeError(serve)
        return (process_time_ns() - began) / len(requests)

    return spends


def _set(policy: Policy) -> None:
    options: dict[str, Any] = {
        "CORS_ALLOW_ALL_ORIGINS": "*" in policy.origins,
        "CORS_ALLOWED_ORIGINS": [] if policy.regex or "*" in policy.origins else policy.origins,
        "CORS_ALLOWED_ORIGIN_REGEXES": [f"^{policy.regex}$"] if policy.regex else [],
        "CORS_ALLOW_CREDENTIALS": policy.credentials,
        "CORS_ALLOW_METHODS": METHODS,
        "CORS_ALLOW_HEADERS": NAMES,
        "ALLOWED_HOSTS": ["*"],
    }
    if not settings.configured:
        settings.configure(**options)
        django.setup(set_prefix=False)
    for name, value in options.items():
        setattr(settings, name, value)
