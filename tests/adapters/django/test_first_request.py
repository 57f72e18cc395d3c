"""The first request of a process has the policy of its view, although Django imports the URLconf late."""

from pathlib import Path

import pytest

from tests.project.django_pages import Project

pytest.importorskip("django")

SETTINGS = """
MIDDLEWARE = ["asgi_cors_django.middleware.CORSMiddleware"]
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["*"]
CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
"""
URLS = """
from django.http import HttpResponse
from django.urls import path

from asgi_cors_django import cross_origin


@cross_origin(allow_origins="https://admin.example.com", csrf_protection=True)
def secret(request):
    print("the view runs")
    return HttpResponse("secret")


urlpatterns = [path("secret", secret)]
"""
FIRST = """
from django.core.wsgi import get_wsgi_application
from django.test import Client

serve = get_wsgi_application()
response = Client().generic({method!r}, "/secret", headers={headers!r})
print(response.status_code, response.headers.get("access-control-allow-origin"))
"""
ADMIN, PAGE = "https://admin.example.com", "https://app.example.com"


def first_response(folder: Path, method: str, **headers: str) -> list[str]:
    """Return the status and the granted origin of the first response of a process, and the output of the view."""
    project = Project(folder)
    project.add("settings.py", SETTINGS)
    project.add("urls.py", URLS)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return project.run(FIRST.format(method=method, headers=named)).splitlines()


@pytest.mark.parametrize(("origin", "granted"), [(ADMIN, ADMIN), (PAGE, "None")], ids=["allowed", "refused"])
def test_the_first_preflight_has_the_policy_of_its_view(tmp_path: Path, origin: str, granted: str) -> None:
    (response,) = first_response(tmp_path, "OPTIONS", origin=origin, access_control_request_method="GET")
    assert response.split()[1] == granted


@pytest.mark.parametrize(("origin", "granted"), [(ADMIN, ADMIN), (PAGE, "None")], ids=["allowed", "refused"])
def test_the_first_actual_request_has_the_policy_of_its_view(tmp_path: Path, origin: str, granted: str) -> None:
    assert first_response(tmp_path, "GET", origin=origin) == ["the view runs", f"200 {granted}"]


def test_the_first_forged_request_is_refused_before_the_view_runs(tmp_path: Path) -> None:
    assert first_response(tmp_path, "POST", origin=PAGE, sec_fetch_site="cross-site") == ["403 None"]


def test_a_urlconf_that_cannot_be_imported_is_reported_by_django(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.add("settings.py", SETTINGS)
    project.add("urls.py", "raise RuntimeError('a mistake in the URLconf')\n")
    printed = project.run(FIRST.format(method="GET", headers={"origin": PAGE}))
    assert "RuntimeError: a mistake in the URLconf" in printed
