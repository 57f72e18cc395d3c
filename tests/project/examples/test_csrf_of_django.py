"""The Django project of docs/csrf.md refuses forged forms without Django's own middleware against them."""

from pathlib import Path

import pytest

from tests.project.django_pages import Project, run_page

pytest.importorskip("django")

PAGE = (Path(__file__).parents[3] / "docs" / "csrf.md").read_text("utf-8")
SECTION = PAGE.partition("### Django\n")[2].partition("### Flask-WTF")[0]
REST = """
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "x"
"""
URLS = """
import views
from django.urls import path

urlpatterns = [path("order", views.order), path("webhooks/paid", views.webhook)]
"""
VISITS = """
from django.core.wsgi import get_wsgi_application

from asgi_cors.testing import Page

application = get_wsgi_application()
for origin in ("https://shop.example.com", "https://evil.example", "https://pay.example", "https://eu.partner.example"):
    for place in ("order", "webhooks/paid"):
        with Page(origin, app=application) as page:
            print(origin, place, page.submit(f"https://shop.example.com/{place}").status)
"""


def test_the_protected_project_refuses_a_forged_form_except_in_the_exempt_view(tmp_path: Path) -> None:
    project = Project(tmp_path)
    run_page(SECTION, project)
    project.add("settings.py", REST)
    project.add("urls.py", URLS)
    printed = project.run(VISITS)
    assert printed.splitlines() == [
        "https://shop.example.com order 200",
        "https://shop.example.com webhooks/paid 200",
        "https://evil.example order 403",
        "https://evil.example webhooks/paid 200",
        "https://pay.example order 200",
        "https://pay.example webhooks/paid 200",
        "https://eu.partner.example order 200",
        "https://eu.partner.example webhooks/paid 200",
    ]
