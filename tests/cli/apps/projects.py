"""Django projects that a test writes as a package, as users do."""

import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import empty, settings
from django.core.signals import setting_changed
from django.urls import clear_url_caches

from tests.support.command_line import Ran, run

NAME = "written_project"
PAGE = "https://app.example.com"
OURS = "asgi_cors_django.middleware.CORSMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
IMPORTS = """
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_http_methods
from asgi_cors_django import cors_exempt, cross_origin

def view(request, *arguments, **values): return HttpResponse("")
"""
SETTINGS = f"""
SECRET_KEY = "of a test"
ROOT_URLCONF = "{NAME}.urls"
LOGGING_CONFIG = None
USE_TZ = True
ALLOWED_HOSTS = ["api.example.com"]
"""
HANDLER = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "{name}.settings"
from django.core.{interface} import get_{interface}_application
application = get_{interface}_application()
"""


class WrittenProject:
    """A package with the settings, the URLs, `asgi.py` and `wsgi.py` of a project, and the commands on it."""

    def __init__(self, folder: Path, interface: str = "asgi") -> None:
        self.folder, self.interface = folder, interface
        self._package = folder / NAME
        self._package.mkdir()
        self._package.joinpath("__init__.py").touch()
        for each in ("asgi", "wsgi"):
            self.add(f"{each}.py", HANDLER.format(name=NAME, interface=each))

    def write(self, patterns: str, *lines: str, **values: Any) -> "WrittenProject":
        """Write the URL patterns, with lines above them, and the settings. By default only our middleware is used."""
        self.add("urls.py", IMPORTS + "\n".join(map(textwrap.dedent, lines)) + f"\nurlpatterns = [{patterns}]\n")
        values = {"MIDDLEWARE": [OURS], "CORS_ALLOWED_ORIGINS": [PAGE]} | values
        own = "".join(f"{name} = {value!r}\n" for name, value in values.items() if value is not None)
        return self.add("settings.py", SETTINGS + own)

    def add(self, file: str, source: str) -> "WrittenProject":
        """Write one file of the package."""
        self._package.joinpath(file).write_text(source)
        return self

    def append(self, code: str) -> "WrittenProject":
        """Add lines to the end of the settings, as a remedy says."""
        path = self._package / "settings.py"
        path.write_text(f"{path.read_text()}\n{code}\n")
        return self

    def run(self, command: str, *arguments: str, name: str = "application") -> Ran:
        app = f"{NAME}.{self.interface}:{name}"
        with _fresh_process():
            return run(command, app, *arguments, "--app-dir", str(self.folder))

    def audit(self, *arguments: str) -> Any:
        ran = self.run("audit", *arguments, "--json")
        assert ran.out, ran.err
        return ran.json

    def explain(self, path: str, *arguments: str, origin: str = PAGE) -> Any:
        ran = self.run("explain", path, "-o", origin, *arguments, "--json")
        assert ran.out, ran.err
        return ran.json

    def routes(self) -> list[tuple[str, str, str]]:
        """Return the path, the methods and the origins of each route."""
        return [
            (route["path"], " ".join(route["methods"]), route["origins"] or "-") for route in self.audit()["routes"]
        ]

    def findings(self, *arguments: str) -> dict[str, Any]:
        """Return the findings by name."""
        return {finding["name"]: finding for finding in self.audit(*arguments)["findings"]}


@contextmanager
def _fresh_process() -> Iterator[None]:
    """Forget the settings and modules of a project, before and after."""
    others = vars(settings).copy()
    settings._wrapped = empty
    _forget()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DJANGO_SETTINGS_MODULE", "")  # which the project sets
            yield
    finally:
        vars(settings).clear()
        vars(settings).update(others)
        _forget()


def _forget() -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[module]
    clear_url_caches()
    setting_changed.send(WrittenProject, setting="CORS_ALLOWED_ORIGINS", value=None, enter=True)
