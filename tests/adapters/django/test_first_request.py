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


PUBLIC = """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("secret", lambda request: HttpResponse("public"))]
"""
TENANTS = """
def serve_tenant(get_response):
    def serve(request):
        request.urlconf = "urls"
        return get_response(request)

    return serve
"""


def first_response(folder: Path, method: str, **headers: str) -> list[str]:
    """Return the status and the granted origin of the first response of a process, and the output of the view."""
    project = Project(folder)
    project.add("settings.py", SETTINGS)
    project.add("urls.py", URLS)
    return project.run(first(method, **headers)).splitlines()


def first(method: str, **headers: str) -> str:
    """Return the code of the first request of a process."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return FIRST.format(method=method, headers=named)


@pytest.fixture
def tenants(tmp_path: Path) -> Project:
    """Return a project whose middleware sets another URLconf, which Django imports late."""
    project = Project(tmp_path)
    project.add("settings.py", SETTINGS.replace('"urls"', '"public"') + 'MIDDLEWARE.append("tenants.serve_tenant")\n')
    for name, code in {"tenants": TENANTS, "public": PUBLIC, "urls": URLS}.items():
        project.add(f"{name}.py", code)
    return project


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


@pytest.mark.parametrize("origin", [ADMIN, PAGE], ids=["not in the settings", "not of the view"])
def test_with_another_urlconf_the_settings_and_the_view_must_allow(tenants: Project, origin: str) -> None:
    log, *printed = tenants.run(first("GET", origin=origin)).splitlines()
    assert "another view than predicted" in log
    assert printed == ["the view runs", "200 None"]


def test_with_another_urlconf_a_forged_request_is_refused_before_the_view_runs(tenants: Project) -> None:
    forged = first("POST", origin=PAGE, sec_fetch_site="cross-site")
    printed = tenants.run(forged).splitlines()
    assert printed[-1] == "403 None"
    assert "the view runs" not in printed


def test_after_a_change_of_the_urlconf_the_first_request_has_the_policy_of_its_view(tenants: Project) -> None:
    code = first("GET", origin=ADMIN).replace("response =", "with override_settings(ROOT_URLCONF='urls'): response =")
    tenants.add("settings.py", SETTINGS.replace('"urls"', '"public"'))
    warmed = code.replace("with over", "Client().get('/secret')\nwith over")
    printed = tenants.run(f"from django.test import override_settings\n{warmed}")
    assert printed.splitlines() == ["the view runs", f"200 {ADMIN}"]
