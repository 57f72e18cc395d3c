"""Django with django-cors-headers. Each set-up has its own settings."""

from typing import Any

import django
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.test.utils import override_settings
from django.urls import path

from tests.cli.corpus.raw import PAGE

SECURITY = "django.middleware.security.SecurityMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
CORS = "corsheaders.middleware.CorsMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
FIRST = (SECURITY, CORS, COMMON, SESSION, CSRF, AUTH)  # as django-cors-headers advises
LAST = (SECURITY, COMMON, SESSION, CSRF, AUTH, CORS)
TENANT = f"{__name__}.tenant_middleware"


def items(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"name": "Ann"})


def crash(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"name": {}["Ann"]})


def tenant_middleware(get_response: Any) -> Any:
    """Read a header that a preflight does not have."""

    def middleware(request: HttpRequest) -> Any:
        request.META["TENANT"] = request.headers["Authorization"].partition(" ")[2]
        return get_response(request)

    return middleware


urlpatterns = [
    path("items", items),
    path("crash", crash),
    path("things/", items),
    path("private", login_required(items)),
    path("api/items", items),
]

settings.configure(
    SECRET_KEY="corpus",  # noqa: S106 - of a server for tests
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "corsheaders"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    LOGGING_CONFIG=None,
)
django.setup()


def site(*middleware: str, **options: Any) -> Any:
    """Return an app with these settings. The server handles one request at a time."""
    changed = {"MIDDLEWARE": middleware or FIRST, "CORS_ALLOWED_ORIGINS": [PAGE]} | options
    with override_settings(**changed):
        handler = WSGIHandler()

    def app(environ: Any, start_response: Any) -> Any:
        with override_settings(**changed):
            return handler(environ, start_response)

    return app


CREDENTIALS = {"CORS_ALLOW_CREDENTIALS": True}
APPS = {
    "well": site(**CREDENTIALS),
    "late": site(*LAST),
    "late-debug": site(*LAST, DEBUG=True),
    "tenant": site(TENANT, *FIRST, DEBUG=True),
    "tenant-in-production": site(TENANT, *FIRST),
    "https": site(SECURE_SSL_REDIRECT=True),
    "login": site(SECURITY, COMMON, SESSION, AUTH, LOGIN, CORS, CORS_URLS_REGEX=r"^/api/.*$"),
    "another": site(CORS_ALLOWED_ORIGINS=["http://localhost:3000"]),
    "pattern": site(CORS_ALLOWED_ORIGINS=[], CORS_ALLOWED_ORIGIN_REGEXES=[r"^https://.*example\.com"], **CREDENTIALS),
    "all": site(CORS_ALLOW_ALL_ORIGINS=True, **CREDENTIALS),
    "open": site(CORS_ALLOW_ALL_ORIGINS=True),
    "methods": site(CORS_ALLOW_METHODS=["GET", "POST"]),
    "host": site(SECURITY, COMMON, SESSION, CSRF, CORS, ALLOWED_HOSTS=["api.example.com"]),
    "host-debug": site(SECURITY, COMMON, SESSION, CSRF, CORS, ALLOWED_HOSTS=["api.example.com"], DEBUG=True),
    "not-installed": site(SECURITY, COMMON, SESSION, CSRF, AUTH),
    "forged-debug": site(SECURITY, COMMON, SESSION, CSRF, DEBUG=True),
}
