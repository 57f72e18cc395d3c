"""The site as a Django project: policies per view, and per include; over WSGI and ASGI; functions and classes."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import include, path
from django.views import View
from django.views.decorators.http import require_http_methods

from asgi_cors_django import cors_exempt, cross_origin

from . import BASE, ETAG, FOR_PARTNER, OPEN, PARTS, DeliberateError
from .django_project import MIDDLEWARE, Project, settings_of

# The names of django-cors-headers.
THEIR_SETTINGS = {
    "CORS_ALLOWED_ORIGINS": BASE["allow_origins"],
    "CORS_ALLOW_METHODS": BASE["allow_methods"],
    "CORS_ALLOW_HEADERS": BASE["allow_headers"],
    "CORS_EXPOSE_HEADERS": BASE["expose_headers"],
    "CORS_ALLOW_CREDENTIALS": BASE["allow_credentials"],
    "CORS_PREFLIGHT_MAX_AGE": BASE["max_age"],
}
OUTER = f"{__name__}.outer"
INNER = ["django.middleware.common.CommonMiddleware", f"{__name__}.authentication"]


def outer(get_response):
    """Do nothing. Django runs this middleware in a thread, because it is not async."""

    def middleware(request):
        return get_response(request)

    return middleware


def authentication(get_response):
    """Refuse requests for `/private` without Authorization."""

    def middleware(request):
        if request.path == "/private" and "authorization" not in request.headers:
            return HttpResponse("who are you?", status=401)
        return get_response(request)

    return middleware


def done(request):
    return HttpResponse("" if request.method == "HEAD" else "done", "text/plain", headers={"x-total": "2"})


def crash(_request):
    raise DeliberateError


def stream(_request):
    return StreamingHttpResponse(iter(PARTS))


def stream_async(_request):
    async def parts():
        for part in PARTS:
            yield part

    return StreamingHttpResponse(parts())


def cached(request):
    if request.headers.get("if-none-match") == ETAG:
        return HttpResponse(status=304, headers={"etag": ETAG})
    return HttpResponse("done")


def another(view):
    """Return a copy of a view."""

    def other(request):
        return view(request)

    return other


def another_async(view):
    """Return a copy of a view that is async."""

    async def other(request):
        return view(request)

    return other


def common(copy):
    """Return the routes without policies of their own."""
    return [
        path("items", copy(require_http_methods(["GET", "HEAD", "PUT"])(done))),
        path("private", copy(done)),
        path("slash/", copy(done)),
        path("crash", copy(crash)),
        path("stream", copy(stream if copy is another else stream_async)),
        path("cached", copy(cached)),
    ]


def decorated(copy):
    """Return the routes, with policies of views."""
    return [
        *common(copy),
        path("open", cross_origin(**OPEN)(copy(done))),
        path("partner", cross_origin(**FOR_PARTNER)(copy(done))),
        path("late", copy(done)),
        path("exempt", cors_exempt(copy(done))),
    ]


def serve(urlpatterns, *, asgi, **settings):
    """Make the project, and decorate the view of `/late`, which is registered by then."""
    project = Project(urlpatterns, asgi=asgi, **{"MIDDLEWARE": [MIDDLEWARE, *INNER], **settings})
    for pattern in urlpatterns:
        if str(pattern.pattern) == "late":
            pattern.callback = cross_origin(**FOR_PARTNER)(pattern.callback)
    return project


def make():
    """Make a project of functions, over WSGI."""
    return serve(decorated(another), asgi=False, **settings_of(BASE))


def make_asgi():
    """Make a project of async functions, over ASGI."""
    return serve(decorated(another_async), asgi=True, **settings_of(BASE))


def make_mixed():
    """Make a project with functions that are not async, and such an outer middleware, over ASGI."""
    routes = [path("stream", another(stream_async)), *decorated(another)]
    return serve(routes, asgi=True, MIDDLEWARE=[OUTER, MIDDLEWARE, *INNER], **settings_of(BASE))


for_partner = cross_origin(**FOR_PARTNER)


class Done(View):
    """The view as a class."""

    def get(self, request):
        return done(request)

    def delete(self, request):
        return done(request)


@cross_origin(**OPEN)
class Open(Done):
    """A class with a policy."""


class Partner(Done):
    """A class whose methods have a policy."""

    @for_partner
    def get(self, request):
        return done(request)

    @for_partner
    def delete(self, request):
        return done(request)


@cors_exempt
class Exempt(Done):
    """A class that is exempt."""


def make_classes():
    """Make a project of classes, over WSGI, with the settings of django-cors-headers."""
    routes = [
        *common(another),
        path("open", Open.as_view()),
        path("partner", Partner.as_view()),
        path("late", Done.as_view()),
        path("exempt", Exempt.as_view()),
    ]
    return serve(routes, asgi=False, **THEIR_SETTINGS)


def make_includes():
    """Make a project with policies of includes, over ASGI, with the settings of django-cors-headers."""

    def one(name: str) -> Any:
        return include(([path(name, another_async(done))], name), namespace=name)

    routes = [
        *common(another_async),
        path("", cross_origin(**OPEN)(one("open"))),
        path("", cross_origin(**OPEN)(include([path("", cross_origin(**FOR_PARTNER)(one("partner")))]))),
        path("late", another_async(done)),
        path("", cors_exempt(one("exempt"))),
    ]
    return serve(routes, asgi=True, **THEIR_SETTINGS)
