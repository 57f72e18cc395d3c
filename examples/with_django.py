"""Django over ASGI: the middleware wraps the handler, as in a project's `asgi.py`.

Serve it: `uvicorn --app-dir examples with_django:app`.
"""

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from asgi_cors import CORSMiddleware, Policy

if not settings.configured:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="only an example")  # noqa: S106


async def items(request: HttpRequest) -> JsonResponse:
    """Return the items, or confirm the change."""
    return JsonResponse(["tea", "cake"] if request.method == "GET" else {"done": request.method}, safe=False)


async def news(_: HttpRequest) -> JsonResponse:
    """Respond to every page."""
    return JsonResponse(["open to all"], safe=False)


async def crash(_: HttpRequest) -> JsonResponse:
    """Fail: the page can read the 500."""
    raise RuntimeError("on purpose")


urlpatterns = [path("items", items), path("public/news", news), path("crash", crash)]

app = CORSMiddleware(
    get_asgi_application(),
    allow_origins=["https://app.example.com", "http://localhost:*"],
    allow_methods=["PUT"],
    allow_headers=["x-id"],
    allow_credentials=True,
    paths={"/public/*": Policy(allow_origins="*")},
)
