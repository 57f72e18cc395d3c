"""The ORM is called in a thread, over ASGI and over WSGI."""

import contextlib
import sqlite3

import pytest

from tests.project.examples.dynamic.serving import RECIPES, python_path, require, run

require("django")
pytestmark = pytest.mark.slow
WSGI = """
from django.core.wsgi import get_wsgi_application
from django_model import customers
from asgi_cors import Loaded, WSGIMiddleware

application = WSGIMiddleware(get_wsgi_application(), allow_origins=["https://app.example.com", Loaded(customers)])
"""


@pytest.fixture
def database(tmp_path):
    """Return the path of a database with an active row and another."""
    path = str(tmp_path / "domains.db")
    run(str(RECIPES / "django_model.py"), DATABASE=path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO domains_domain (origin, is_active) VALUES ('https://old.example.com', 0)")
    return path


@pytest.mark.parametrize(("recipe", "program"), [("django_model", "uvicorn"), ("wsgi:application", "gunicorn")])
def test_the_active_rows_are_allowed(serve, database, tmp_path, recipe, program):
    pytest.importorskip(program)
    (tmp_path / "wsgi.py").write_text(WSGI, "utf-8")
    with serve(recipe, program=program, DATABASE=database, PYTHONPATH=python_path(tmp_path)) as server:
        assert [server.allows(f"https://{name}.example.com") for name in ("app", "shop", "old")] == [True, True, False]
        assert "SynchronousOnlyOperation" not in server.log
        assert "Traceback" not in server.log
