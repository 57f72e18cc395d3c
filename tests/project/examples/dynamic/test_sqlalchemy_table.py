"""The table is read before the first request, and again after a change."""

import contextlib
import sqlite3

import pytest

from tests.project.examples.dynamic.serving import require

require("sqlalchemy", "aiosqlite", "fastapi", "uvicorn")
pytestmark = pytest.mark.slow

SHOP = "https://shop.example.com"


def test_an_origin_that_is_added_is_allowed_at_once_and_after_a_restart(serve, tmp_path):
    path = tmp_path / "domains.db"
    url = f"sqlite+aiosqlite:///{path}"
    with serve("sqlalchemy_table", DATABASE_URL=url) as server:
        assert server.allows("https://app.example.com")
        assert not server.allows(SHOP)
        assert server.client.put("/domains", params={"origin": SHOP}).json() == {"added": SHOP}
        assert server.allows(SHOP)
        assert "failed" not in server.log  # the first load did not run before the app had made the table
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO domains VALUES ('https://*.example.org', 1), ('https://old.test', 0)")
    with serve("sqlalchemy_table", DATABASE_URL=url) as server:
        assert [server.allows(origin) for origin in (SHOP, "https://a.example.org")] == [True, True]
        assert not server.allows("https://old.test")


def test_an_origin_that_is_not_valid_is_refused_with_a_hint(serve, tmp_path):
    with serve("sqlalchemy_table", DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/domains.db") as server:
        response = server.client.put("/domains", params={"origin": f"{SHOP}/"})
    assert response.status_code == 422
    assert f"Write '{SHOP}'." in response.json()["detail"]
