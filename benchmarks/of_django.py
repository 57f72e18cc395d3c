"""django-cors-headers. It is not an ASGI middleware, so it is measured around a Django view, on Django's requests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from io import BytesIO
from time import process_time_ns
from typing import Any

import django  # type: ignore[import-untyped] # it has no types
from django.conf import settings  # type: ignore[import-untyped] # it has no types
from django.core.handlers.asgi import ASGIRequest  # type: ignore[import-untyped] # it has no types
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped] # it has no types
from policies import METHODS, NAMES, Policy, Spends
from traffic import App, Scope, streaming

View = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]


async def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the signature of a view
    """Respond with three headers and a short body."""
    return HttpResponse(
        b"{}", headers={"content-length": "2", "x-request-id": "f3c1b7"}, content_type="application/json"
    )


def bare(app: App, policy: Policy) -> Spends | None:
    """Serve without a middleware."""
    return _spends(view, policy) if _can_serve(app, policy) else None


def cors_headers(app: App, policy: Policy) -> Spends | None:
    """Serve with the middleware."""
    if not _can_serve(app, policy):
        return None
    _set(policy)
    from corsheaders.middleware import CorsMiddleware

    serve: Any = CorsMiddleware(view)
    return _spends(serve, policy)


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
