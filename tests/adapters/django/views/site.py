"""One Django project at a time, with the URL patterns of a test, over WSGI and over ASGI."""

import sys
from contextlib import ExitStack
from types import ModuleType

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import clear_url_caches

from tests.adapters.exchange import by_asgi, by_wsgi

PAGE, OTHER = "https://app.example.com", "https://other.example"
OURS = "asgi_cors_django.middleware.CORSMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"

if not settings.configured:
    settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], DATABASES={})  # noqa: S106 - only a test
    django.setup()


def urlconf(patterns, name="tests_urls", **attributes):
    """Return a module of URLs, which can be included by its name."""
    module = sys.modules[name] = ModuleType(name)
    vars(module).update(urlpatterns=patterns, **attributes)
    return module


def ours(caplog):
    """Return the messages that were logged, without those of Django."""
    return [record.getMessage() for record in caplog.records if record.name == "asgi_cors"]


class Site:
    """A project that is served over one interface. By default `PAGE` may read every view.

    Args:
        interface: `WSGI` or `ASGI`.
        patterns: The URL patterns.
        below: Middlewares below ours.
        above: Middlewares above ours.
        options: Other settings.
    """

    def __init__(self, interface, patterns, below=(), above=(), **options):
        self.interface = interface
        changed = {
            "ROOT_URLCONF": urlconf(patterns),
            "MIDDLEWARE": [*above, OURS, *below],
            "CORS_ALLOWED_ORIGINS": [PAGE],
            "DEBUG": False,
            **options,
        }
        with ExitStack() as stack:  # which is closed if the app does not start
            stack.enter_context(override_settings(**changed))
            clear_url_caches()
            self._app = WSGIHandler() if interface == "WSGI" else ASGIHandler()
            self._stack = stack.pop_all()
        self._send = by_wsgi if interface == "WSGI" else by_asgi

    def close(self):
        self._stack.close()

    def send(self, path, origin=None, method="GET", **headers):
        """Send one request, and return its response."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._send(self._app, method, path, {**({"origin": origin} if origin else {}), **named})

    def preflight(self, path, origin, method="GET"):
        return self.send(path, origin, "OPTIONS", access_control_request_method=method)

    def readers(self, path, method="GET", **headers):
        """Return the origins that may read a path. A preflight must have the same result."""
        found = []
        for origin in (PAGE, OTHER):
            response = self.send(path, origin, method, **headers)
            preflight = self.preflight(path, origin, method)
            assert response.allowed_origin == preflight.allowed_origin, (origin, response, preflight)
            found += [origin] if response.allowed_origin else []
        return found
