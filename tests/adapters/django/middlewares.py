"""Middlewares of projects: for one kind of chain only, and with mistakes."""

from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse
from django.utils.decorators import async_only_middleware, sync_only_middleware

from asgi_cors_django.middleware import CORSMiddleware

seen = []  # the requests that have reached a middleware below ours


@sync_only_middleware
def sync_only(get_response):
    assert not iscoroutinefunction(get_response)

    def middleware(request):
        return get_response(request)

    return middleware


@async_only_middleware
def async_only(get_response):
    assert iscoroutinefunction(get_response)

    async def middleware(request):
        return await get_response(request)

    return middleware


@sync_only_middleware
def recording(get_response):
    def middleware(request):
        seen.append(request)
        return get_response(request)

    return middleware


@sync_only_middleware
def raising(_get_response):
    def middleware(request):
        raise LookupError("a mistake of a middleware")

    return middleware


@sync_only_middleware
def responding(_get_response):
    return lambda _: HttpResponse("made by a middleware", status=418)


class OurSubclass(CORSMiddleware):
    pass
