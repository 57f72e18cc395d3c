"""The views that the tests of django-cors-headers request."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET


@require_GET
def home(request):
    return HttpResponse("home")


async def asynchronous(request):
    return HttpResponse("asynchronous")


def unauthorized(request):
    return HttpResponse("unauthorized", status=401)


def delete_private_attribute(request):
    """Delete an attribute that the middleware of django-cors-headers sets."""
    vars(request).pop("_cors_enabled", None)
    return HttpResponse("deleted")
