"""The same API as a Django project, with policies of an `include()`, of views and of a method. Served over ASGI."""

import json
from typing import Any

import django
from api import ORDERS, DeliberateError
from cases import Explains
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views import View

from asgi_cors import Policy
from asgi_cors_django import cors_exempt, cross_origin, installation

urlpatterns: list[URLPattern | URLResolver] = []


def create(allowed: str, partner: str, trusted: str) -> tuple[Any, Explains]:
    """Build the project: pages of one origin may use it. Some views have a policy of their own."""
    settings.configure(
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["asgi_cors_django.middleware.CORSMiddleware", "django.middleware.common.CommonMiddleware"],
        ALLOWED_HOSTS=["127.0.0.1"],
        CORS_ALLOWED_ORIGINS=[allowed],
        CORS_ALLOW_METHODS=["PUT"],
        CORS_ALLOW_HEADERS=["content-type", "x-request-id"],
        CORS_EXPOSE_HEADERS=["x-total-count"],
        CORS_ALLOW_CREDENTIALS=True,
        CORS_PREFLIGHT_MAX_AGE=60,
        CORS_CSRF_PROTECTION=True,
        CSRF_TRUSTED_ORIGINS=[trusted],
        CORS_ALLOWED_HOSTS=["127.0.0.1"],
    )
    django.setup()
    partners = cross_origin(allow_origins=[partner], allow_methods=["PUT"], allow_credentials=True)

    class Stock(View):
        @cross_origin(allow_origins=[allowed], allow_methods=["PATCH"])
        def patch(self, _request: HttpRequest) -> HttpResponse:
            return respond({"done": "PATCH"})

        def delete(self, _request: HttpRequest) -> HttpResponse:  # has the policy of the settings
            return respond({"done": "DELETE"})

    base = Policy(allow_origins=[allowed], allow_credentials=True)
    trusting = base.replace(csrf_protection=True, csrf_trusted_origins=[partner])
    urlpatterns[:] = [
        path("public/news", cross_origin(allow_origins="*")(news)),
        path("stock", Stock.as_view()),
        path("legacy", cors_exempt(legacy)),
        path("newsletter", cross_origin(base)(order)),
        path("transfer", cross_origin(trusting)(order)),
        path("partner/", partners(include(partner_urls()))),
        *other_urls(),
    ]
    return get_asgi_application(), installation


def partner_urls() -> list[URLPattern | URLResolver]:
    """Return the URLs for partners. One of their views has a policy of its own."""
    return [
        path("items", items),
        path("status", cross_origin(allow_origins="*")(status)),  # the innermost policy decides
    ]


def other_urls() -> list[URLPattern | URLResolver]:
    """Return the URLs whose views have the policy of the settings."""
    return [
        path("items", items),
        path("items/1", items),
        path("me", me),
        path("orders", order),
        path("events", events),
        path("crash", crash),
    ]


async def items(request: HttpRequest) -> HttpResponse:
    """Return the items, or confirm the change."""
    return respond(["tea", "cake"] if request.method == "GET" else {"done": request.method})


async def me(request: HttpRequest) -> HttpResponse:
    """Return the cookie."""
    return respond({"cookie": request.headers.get("Cookie", "")})


async def order(request: HttpRequest) -> HttpResponse:
    """Record an order in the name of the cookie."""
    visitor = request.headers.get("Cookie", "")
    ORDERS.append((request.POST["id"], visitor))
    return respond({"ordered": visitor})


async def events(_request: HttpRequest) -> HttpResponse:
    """Return one server-sent event."""
    return HttpResponse("data: an event\n\n", content_type="text/event-stream")


async def crash(_request: HttpRequest) -> HttpResponse:
    """Fail on purpose."""
    raise DeliberateError


async def news(_request: HttpRequest) -> HttpResponse:
    """Return the news."""
    return respond(["open to all"])


async def status(_request: HttpRequest) -> HttpResponse:
    """Return the status."""
    return respond({"up": True})


async def legacy(request: HttpRequest) -> HttpResponse:
    """Send CORS headers of its own, and refuse preflights."""
    if request.method != "GET":
        return HttpResponse(status=405)
    return HttpResponse('"its own headers"', headers={"Access-Control-Allow-Origin": "*"})


def handler500(_request: HttpRequest) -> HttpResponse:
    """Respond after an error."""
    return HttpResponse("Internal Server Error", status=500)


def respond(value: object) -> HttpResponse:
    """Build a response with two headers. Pages may read one of them."""
    headers = {"Cache-Control": "no-store", "X-Total-Count": "2", "X-Build": "4711"}
    return HttpResponse(json.dumps(value), content_type="application/json", headers=headers)
