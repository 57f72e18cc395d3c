"""Projects that come from django-cors-headers: its modules, and its signal without any setting."""

import subprocess
import sys

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path

from asgi_cors_django import check_request_enabled
from asgi_cors_django.defaults import default_headers, default_methods

from .views.site import OURS, PAGE, urlconf

SETTINGS = """\
from asgi_cors_django.defaults import default_headers, default_methods
from asgi_cors_django.signals import check_request_enabled

SECRET_KEY = "x"
INSTALLED_APPS = ["asgi_cors_django"]
MIDDLEWARE = ["asgi_cors_django.middleware.CORSMiddleware"]
ROOT_URLCONF = __name__
CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
CORS_ALLOW_HEADERS = (*default_headers, "x-id")
CORS_ALLOW_METHODS = (*default_methods, "PURGE")
urlpatterns = []
"""


def test_settings_may_import_the_defaults_and_the_signal_while_they_are_loaded(tmp_path):
    (tmp_path / "my_settings.py").write_text(SETTINGS, "utf-8")
    program = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from asgi_cors_django import installation\n"
        "call_command('check', fail_level='WARNING')\n"
        "print('PURGE' in installation.policy.allow_methods, 'x-id' in installation.policy.allow_headers)"
    )
    path_ = f"import sys; sys.path[:0] = {[str(tmp_path), *sys.path]!r}\n"
    environment = {"DJANGO_SETTINGS_MODULE": "my_settings"}
    command = [sys.executable, "-c", path_ + program]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)
    assert ran.stdout.split("\n")[-2] == "True True", ran.stderr


@pytest.fixture
def allowed_by_a_receiver():
    """Connect a receiver that allows every request."""

    def allow(**_):
        return True

    check_request_enabled.connect(allow)
    yield
    check_request_enabled.disconnect(allow)


@pytest.mark.usefixtures("allowed_by_a_receiver")
@pytest.mark.parametrize("method", default_methods)
def test_without_settings_a_receiver_allows_the_default_methods_and_headers(method):
    patterns = [path("", lambda _: HttpResponse("home"))]
    requested = {"access-control-request-method": method, "access-control-request-headers": ",".join(default_headers)}
    with override_settings(MIDDLEWARE=[OURS], ROOT_URLCONF=urlconf(patterns)):
        response = Client().options("/", headers={"origin": PAGE, **requested})
        assert response.status_code == 204
        assert response["Access-Control-Max-Age"] == "86400"
