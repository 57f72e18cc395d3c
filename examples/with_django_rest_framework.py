"""Django REST framework: a policy for the project, another for a view set, and another for all URLs of an include.

Serve it: `uvicorn --app-dir examples with_django_rest_framework:app`.
"""

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import include, path

if not settings.configured:  # only an example: a project has a settings module
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="only an example",  # noqa: S106
        MIDDLEWARE=["asgi_cors_django.middleware.CORSMiddleware"],
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
        CORS_ALLOW_ORIGINS=["https://app.example.com", "http://localhost:*"],
        CORS_ALLOW_METHODS=["PUT"],
        CORS_ALLOW_HEADERS=["x-id"],
        CORS_ALLOW_CREDENTIALS=True,
    )
app = get_asgi_application()

from rest_framework.decorators import action, api_view  # noqa: E402 - after the settings
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.routers import SimpleRouter  # noqa: E402
from rest_framework.viewsets import ViewSet  # noqa: E402

from asgi_cors_django import cross_origin  # noqa: E402


class Public(ViewSet):
    """The public part."""

    @cross_origin(allow_origins="*")
    @action(detail=False)
    def news(self, _: Request) -> Response:
        """Respond to every page."""
        return Response(["open to all"])


@api_view(["GET", "PUT"])
def items(request: Request) -> Response:
    """Return the items, or confirm the change."""
    return Response(["tea", "cake"] if request.method == "GET" else {"done": request.method})


@api_view()
def crash(_: Request) -> Response:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")


@api_view(["GET", "DELETE"])
def orders(_: Request) -> Response:
    """Respond to the pages of the partner, whose policy is that of the include."""
    return Response(["an order"])


router = SimpleRouter(trailing_slash=False)
router.register("public", Public, basename="public")
partner = cross_origin(
    allow_origins=["https://partner.example.net"],
    allow_methods=["DELETE"],
    allow_credentials=True,
    csrf_protection=True,
)
urlpatterns = [
    path("", include(router.urls)),
    path("items", items),
    path("crash", crash),
    path("partner/", partner(include([path("orders", orders)]))),
]
