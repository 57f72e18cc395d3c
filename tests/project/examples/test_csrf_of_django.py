"""The Django program of docs/csrf.md, around a project without Django's own middleware against forged requests."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("django")

PAGE = (Path(__file__).parents[3] / "docs" / "csrf.md").read_text("utf-8")
PROGRAM = PAGE.partition("### Django\n\n```python\n")[2].partition("```")[0]
PROJECT = """
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

from asgi_cors import CORSMiddleware
from asgi_cors.testing import Page

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", MIDDLEWARE=[])
view = lambda request: HttpResponse(request.method)
urlpatterns = [path("order", view), path("webhooks/paid", view)]
"""
VISITS = """
for origin in ("https://shop.example.com", "https://evil.example", "https://pay.example", "https://eu.partner.example"):
    for place in ("order", "webhooks/paid"):
        with Page(origin, app=application) as page:
            print(origin, place, page.submit(f"https://shop.example.com/{place}").status)
"""


def test_the_protected_project_refuses_a_forged_form_except_at_the_exempt_path() -> None:
    command = [sys.executable, "-c", PROJECT + PROGRAM + VISITS]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "https://shop.example.com order 200",
        "https://shop.example.com webhooks/paid 200",
        "https://evil.example order 403",
        "https://evil.example webhooks/paid 200",
        "https://pay.example order 200",
        "https://pay.example webhooks/paid 200",
        "https://eu.partner.example order 200",
        "https://eu.partner.example webhooks/paid 200",
    ]
