"""docs/django.md shows a project. Its programs run and print the output shown."""

import re
from pathlib import Path

import pytest

from tests.project.django_pages import Project, run_page

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "django.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8").partition("\nDjango (`pip")[2].partition("\nFlask (`pip")[0]
RECIPE = (ROOT / "docs" / "recipes.md").read_text("utf-8").partition("\n### Django\n")[2].partition("\n### ")[0]
MODEL = """
from django.db import models


class Domain(models.Model):
    origin = models.CharField(max_length=300)
    is_active = models.BooleanField(default=True)
"""
REST_OF_THE_SETTINGS = """
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "domains.db"}}
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["*"]
"""
REQUESTS = """
from django.db import connection
from django.test import Client
from shop.models import Domain

with connection.schema_editor() as editor:
    editor.create_model(Domain)
Domain.objects.create(origin="https://shop.example.com")
for origin in ("https://shop.example.com", "https://other.example.net"):
    print(Client().get("/", headers={"origin": origin}).headers.get("access-control-allow-origin"))
"""
EXPLAIN = """
from asgi_cors_django import installation

for path in ("/", "/logo", "/partners/orders"):
    for name in ("app.example.com", "partner.example"):
        print(path, name, installation.explain("GET", f"https://{name}", path).allowed)
"""


def test_the_programs_run_in_their_order_and_print_the_output_shown(tmp_path: Path) -> None:
    for module in ("django", "httpx", "rest_framework"):
        pytest.importorskip(module)
    done = run_page(TEXT, Project(tmp_path))
    assert done
    for step, output in done:
        assert output == step.output, step.code


def test_the_table_of_system_checks_has_every_id() -> None:
    code = (ROOT / "adapters" / "asgi_cors_django" / "_checks.py").read_text("utf-8")
    assert re.findall(r"^\| `asgi_cors\.(\w+)` \|", TEXT, re.MULTILINE) == sorted(
        set(re.findall(r'"([EW]\d{3})"', code))
    )


def test_the_project_of_the_readme_has_a_policy_for_the_app_and_others_for_its_views(tmp_path: Path) -> None:
    pytest.importorskip("django")
    project = Project(tmp_path)
    project.add("settings.py", 'ROOT_URLCONF = "urls"\n')
    run_page(README, project)
    printed = project.run(EXPLAIN)
    assert printed.splitlines() == [
        "/ app.example.com True",
        "/ partner.example False",
        "/logo app.example.com True",
        "/logo partner.example True",
        "/partners/orders app.example.com False",
        "/partners/orders partner.example True",
    ]


def test_the_recipe_allows_the_origins_of_the_model(tmp_path: Path) -> None:
    pytest.importorskip("django")
    project = Project(tmp_path)
    project.add("shop/models.py", MODEL)
    project.add("shop/urls.py", "urlpatterns = []\n")
    files = RECIPE[RECIPE.index("```python\n# shop/origins.py") :]
    assert run_page(files, project) == []
    project.add("settings.py", REST_OF_THE_SETTINGS)
    assert project.run(REQUESTS).splitlines()[-2:] == ["https://shop.example.com", "None"]
