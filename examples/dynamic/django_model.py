"""Django: the origins are rows of a model. They are read by the ORM in a thread, never in the event loop.

In a project, the model belongs in `models.py`, and `customers` and `app` in `asgi.py`. Create the table, and serve it:

    pip install asgi-cors-bridge django uvicorn
    export DATABASE=domains.db
    python examples/dynamic/django_model.py
    uvicorn --app-dir examples/dynamic django_model:app

If you serve WSGI, `wsgi.py` has `application = WSGIMiddleware(get_wsgi_application(), allow_origins=...)` instead.
"""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection, connections, models
from django.http import HttpRequest, JsonResponse
from django.urls import path

from asgi_cors import CORSMiddleware, Loaded

if not settings.configured:  # only an example: a project has a settings module
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["localhost", "127.0.0.1"],
        SECRET_KEY=os.environ.get("SECRET_KEY", "only an example"),
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DATABASE", "django.db")}
        },
    )
django.setup()


class Domain(models.Model):
    """An origin that a customer has added."""

    origin: models.CharField[str, str] = models.CharField(max_length=300, unique=True)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)

    class Meta:
        """The app that the model belongs to."""

        app_label = "domains"

    def __str__(self) -> str:
        """Return the origin, for the admin site."""
        return self.origin


def customers() -> list[str]:
    """Return all origins: a list, because a queryset would be read later, in another thread.

    The connection belongs to this thread, which serves no request. So Django does not close it.
    """
    try:
        return list(Domain.objects.filter(is_active=True).values_list("origin", flat=True))
    finally:
        connections.close_all()  # of this thread; the next load gets a connection that works


def items(_: HttpRequest) -> JsonResponse:
    """Return the items."""
    return JsonResponse(["tea", "cake"], safe=False)


urlpatterns = [path("items", items)]

app = CORSMiddleware(get_asgi_application(), allow_origins=["https://app.example.com", Loaded(customers, every=30)])

if __name__ == "__main__":  # only an example: a project has migrations
    with connection.schema_editor() as editor:
        editor.create_model(Domain)
    Domain.objects.create(origin="https://shop.example.com")
