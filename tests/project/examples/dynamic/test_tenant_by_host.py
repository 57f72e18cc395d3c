"""Each Host has a policy of its own."""

import contextlib
import sqlite3

import pytest

from tests.project.examples.dynamic.serving import require

require("aiosqlite", "fastapi", "uvicorn")
pytestmark = pytest.mark.slow
SHOP = "https://shop.example.com"


def test_an_origin_of_one_tenant_is_refused_by_the_others(serve, tmp_path):
    path = str(tmp_path / "tenants.db")
    with serve("tenant_by_host", DATABASE=path) as server:
        assert not server.allows(SHOP, host="acme.test")
        assert server.client.put("/tenants/ACME.test", params={"origin": SHOP}).is_success
        assert server.allows(SHOP, host="acme.test")
        assert server.allows(SHOP, host="Acme.test.:8443")
        assert not server.allows(SHOP, host="other.test")
        assert not server.allows(SHOP, host="evil.test", **{"x-forwarded-host": "acme.test"})
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("INSERT INTO domains VALUES ('next.test', 'not an origin'), ('next.test', ?)", [SHOP])
        assert server.allows(SHOP, host="next.test")
        assert "Traceback" not in server.log


def test_an_origin_that_is_not_safe_with_credentials_is_refused_with_a_hint(serve, tmp_path):
    with serve("tenant_by_host", DATABASE=str(tmp_path / "tenants.db")) as server:
        response = server.client.put("/tenants/acme.test", params={"origin": "http://shop.example.com"})
    assert response.status_code == 422
    assert "https" in response.json()["detail"]
