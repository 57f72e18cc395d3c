"""The parts of the examples for Django that others do not have: WSGI, and the policy of an include."""

import importlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("django")

from asgi_cors.testing import AsyncPage, CORSError, Page

EXAMPLES = Path(__file__).parents[3] / "examples"
PAGE, PARTNER, EVIL = "https://app.example.com", "https://partner.example.net", "https://evil.example.net"
API = "https://api.test"


@pytest.fixture
def load(monkeypatch, unconfigured_django):
    """Return a function that imports an example."""

    def load(name):
        monkeypatch.syspath_prepend(EXAMPLES)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return load


def test_the_policies_apply_over_wsgi(load):
    with Page(PAGE, app=load("with_django").wsgi) as page:
        put = page.fetch(f"{API}/items", method="PUT", headers={"x-id": "1"}, credentials="include")
        crash = page.fetch(f"{API}/crash", credentials="include")
    assert (put.json(), crash.status) == ({"done": "PUT"}, 500)
    with Page(EVIL, app=load("with_django").wsgi) as page:
        assert page.fetch(f"{API}/public/news").json() == ["open to all"]
        with pytest.raises(CORSError):
            page.fetch(f"{API}/items")


async def test_an_include_has_the_policy_of_the_partner(load):
    pytest.importorskip("rest_framework")
    app = load("with_django_rest_framework").app
    async with AsyncPage(PARTNER, app=app) as page:
        response = await page.fetch(f"{API}/partner/orders", method="DELETE", credentials="include")
        assert response.json() == ["an order"]
    async with AsyncPage(PAGE, app=app) as page:
        with pytest.raises(CORSError):
            await page.fetch(f"{API}/partner/orders", credentials="include")


async def test_a_forged_request_is_refused_below_the_include_only(load):
    pytest.importorskip("rest_framework")
    async with AsyncPage(EVIL, app=load("with_django_rest_framework").app) as page:
        refused = await page.submit(f"{API}/partner/orders")
        assert (refused.status, (await page.submit(f"{API}/items")).status) == (403, 405)
