"""A Django project in a test. Its settings are in force while it is made, and while it serves."""

from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from asgi_cors_django import installation
from tests.support import django_settings

MIDDLEWARE = "asgi_cors_django.middleware.CORSMiddleware"
OWN_SETTINGS = {"ALLOWED_HOSTS": ["*"], "MIDDLEWARE": [MIDDLEWARE], "SECRET_KEY": "of a test"}


class Project:
    """A Django project, which serves by ASGI or WSGI.

    Args:
        urlpatterns: Its routes. They may be changed later.
        asgi: Whether it is an app for ASGI.
        options: Further settings, such as `CORS_ALLOW_ORIGINS`.
    """

    def __init__(self, urlpatterns: list[Any], *, asgi: bool, **options: Any) -> None:
        self.asgi = asgi
        self.urlpatterns = urlpatterns
        self.settings = {"ROOT_URLCONF": self, **OWN_SETTINGS, **options}
        _in_force.enter(self.settings)
        self.handler: Any = ASGIHandler() if asgi else WSGIHandler()
        log: Any = installation.configuration.log
        log.__init__()  # nothing has been logged, as in a process of its own

    def __call__(self, *arguments: Any) -> Any:
        """Serve one request: ASGI with three arguments, else WSGI."""
        _in_force.enter(self.settings)
        return self.handler(*arguments)


class _InForce:
    """The settings in force: those of the project that was made or has served last."""

    def __init__(self) -> None:
        self._entered: dict[str, Any] | None = None
        self._before: dict[str, Any] = {}

    def enter(self, own: dict[str, Any]) -> None:
        """Put the settings of a project in force, until another project is entered or a test ends."""
        if self._entered is own:
            return
        before = django_settings.replace(own, self._entered or ())
        self._before = before if self._entered is None else self._before
        self._entered = own

    def leave(self) -> None:
        """Put the settings of before in force."""
        if self._entered is not None:
            django_settings.restore(self._before, self._entered)
            self._entered = None


_in_force = _InForce()


def leave_projects() -> None:
    """Restore the settings of before, when all projects of a test have served."""
    _in_force.leave()


def settings_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of options by our names."""
    return {f"CORS_{name.upper()}": value for name, value in options.items()}
