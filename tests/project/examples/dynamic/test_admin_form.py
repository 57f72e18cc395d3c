"""The form explains a mistake, and a change takes effect."""

import html

import pytest

from tests.project.examples.dynamic.serving import require

require("flask", "gunicorn")
pytestmark = pytest.mark.slow
SHOP = "https://shop.example.com"
LOGIN = {"auth": ("admin", "secret")}


@pytest.fixture
def server(serve, tmp_path):
    variables = {"DATABASE": str(tmp_path / "origins.db"), "ADMIN_PASSWORD": "secret"}
    with serve("admin_form", program="gunicorn", **variables) as server:
        yield server


def post(server, action, origin, **headers):
    return server.client.post("/admin/origins", data={"action": action, "origin": origin}, headers=headers, **LOGIN)


def test_an_origin_is_allowed_as_soon_as_it_is_saved_and_refused_when_it_is_removed(server):
    assert not server.allows(SHOP, "/api/items")
    assert post(server, "add", f" {SHOP} ").status_code == 303
    assert server.allows(SHOP, "/api/items")
    assert SHOP in server.client.get("/admin/origins", **LOGIN).text
    assert post(server, "remove", SHOP).status_code == 303
    assert not server.allows(SHOP, "/api/items")


@pytest.mark.parametrize(
    ("text", "hint"),
    [(f"{SHOP}/", f"Write '{SHOP}'."), ("*", "*"), ("null", "null"), ("<script>", "")],
)
def test_a_mistake_is_shown_with_its_hint_and_not_saved(server, text, hint):
    response = post(server, "add", text)
    assert response.status_code == 422
    alert = html.unescape(response.text.partition('<p role="alert">')[2])
    assert len(alert.partition("</p>")[0]) > 20
    assert hint in alert
    assert "<script>" not in response.text
    assert "<li>" not in response.text


def test_other_sites_and_users_cannot_change_the_list(server):
    assert post(server, "add", SHOP, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert server.client.get("/admin/origins").status_code == 401
    assert server.client.post("/admin/origins", auth=("admin", "wrong")).status_code == 401
    assert not server.allows(SHOP, "/api/items")
