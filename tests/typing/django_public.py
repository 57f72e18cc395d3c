"""The public interface of the adapter for Django as type checkers see it. Nothing runs this file."""

import re
from typing import Any, assert_type

from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, include, path
from django.views import View

from asgi_cors import Cached, ConfigError, Explanation, Policy
from asgi_cors_django import Installation, check_request_enabled, cors_exempt, cross_origin, installation
from asgi_cors_django.middleware import CORSMiddleware

PAGE = "https://app.example.com"


@cross_origin(allow_origins=[PAGE, re.compile("https://.*")], allow_methods=["PUT"], csrf_protection=True)
def items(request: HttpRequest, number: int) -> HttpResponse:
    """Have the same type under the decorator."""
    return HttpResponse(f"{request.method} {number}")


@cross_origin(Policy(allow_origins="*"))
async def news(_: HttpRequest) -> HttpResponse:
    """Have the same type under the decorator with a policy."""
    return HttpResponse()


@cors_exempt
def exempt(_: HttpRequest) -> HttpResponse:
    """Have the same type, too."""
    return HttpResponse()


@cross_origin(allow_origins=Cached(str.isascii), presets="mcp", name="orders", resource_policy="same-site")
class Orders(View):
    """A class."""

    @cross_origin(timing_allow_origin=True, csrf_trusted_origins="https://pay.example.net")
    def get(self, request: HttpRequest) -> HttpResponse:
        """Have the same type as a method."""
        return exempt(request)


async def use(request: HttpRequest) -> None:
    """Call the views."""
    assert_type(items(request, 1), HttpResponse)
    assert_type(await news(request), HttpResponse)
    assert_type(exempt(request), HttpResponse)
    assert_type(Orders().get(request), HttpResponse)
    items(request, "one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


own = cross_origin(allow_origins=PAGE, max_age=600)
urlpatterns = [
    path("orders", Orders.as_view()),
    path("own", own(Orders.as_view())),
    path("shop/", own(include("shop.urls"))),
    path("blog/", cors_exempt(include(([path("", news)], "blog"), namespace="blog"))),
]
assert_type(own(path("one", exempt)), URLPattern)

cross_origin(allow_origin=PAGE)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
cross_origin(PAGE)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cross_origin(allowed_hosts="*")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
cross_origin(csrf_protection="log")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert_type(installation, Installation)
assert_type(installation.policy, Policy)
assert_type(installation.explain("PUT", PAGE, "/items", credentials=True), Explanation)
installation.reconfigure(allow_origins="*")
installation.reconfigure(Policy(allow_origins=PAGE), enforce=True)
installation.reconfigure(allow_origin="*")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def allow(request: HttpRequest, **_: Any) -> bool:
    """Allow a request, as a receiver of the signal."""
    return request.path.startswith("/public/")


signal: Signal = check_request_enabled
signal.connect(allow)


def respond(_: HttpRequest) -> HttpResponse:
    """Respond, as the next middleware."""
    return HttpResponse()


try:
    middleware = CORSMiddleware(respond)
except ConfigError as error:
    raise SystemExit(str(error)) from error
