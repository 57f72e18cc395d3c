"""Django: one policy for the project in its settings, and another for a view.

Serve it over ASGI or WSGI: `uvicorn --app-dir examples with_django:app`, `gunicorn --chdir examples with_django:wsgi`.
"""

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from asgi_cors_django import cross_origin

if not settings.configured:  # only an example: a project has a settings module
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="only an example",  # noqa: S106
        MIDDLEWARE=[
            "asgi_cors_django.middleware.CORSMiddleware",  # the first one, so that every response passes it
            "django.middleware.common.CommonMiddleware",
        ],
        CORS_ALLOW_ORIGINS=["https://app.example.com", "http://localhost:*"],
        CORS_ALLOW_METHODS=["PUT"],
        CORS_ALLOW_HEADERS=["x-id"],
        CORS_ALLOW_CREDENTIALS=True,
    )


async def items(request: HttpRequest) -> JsonResponse:
    """Return the items, or confirm the change."""
    return JsonResponse(["tea", "cake"] if request.method == "GET" else {"done": request.method}, safe=False)


@cross_origin(allow_origins="*")
def news(_: HttpRequest) -> JsonResponse:
    """Respond to every page."""
    return JsonResponse(["open to all"], safe=False)


async def crash(_: HttpRequest) -> JsonResponse:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")


urlpatterns = [path("items", items), path("public/news", news), path("crash", crash)]

app = get_asgi_application()
wsgi = get_wsgi_application()
