"""Each example is served to a browser for tests, which gets the results of its policy."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from asgi_cors.testing import AsyncPage, CORSError

EXAMPLES = sorted(Path(__file__).parents[3].glob("examples/with_*.py"))
PAGE = "https://app.example.com"
EVIL = "https://evil.example.net"
API = "https://api.test"


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def app(request, monkeypatch, unconfigured_django) -> Any:
    """Import each example in turn, as a server does; `nox -s examples` has all the frameworks."""
    spec = importlib.util.spec_from_file_location(request.param.stem, request.param)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        if "EXAMPLES" in os.environ:
            raise
        pytest.skip(f"{error.name} is not installed")
    return module.app


async def test_an_allowed_page_reads_and_writes_with_cookies_and_a_header_of_its_own(app):
    async with AsyncPage(PAGE, app=app) as page:
        got = await page.fetch(f"{API}/items", credentials="include")
        put = await page.fetch(f"{API}/items", method="PUT", headers={"x-id": "1"}, credentials="include")
    assert (got.status, got.json(), put.status, put.json()) == (200, ["tea", "cake"], 200, {"done": "PUT"})
    assert [exchange.kind for exchange in page.exchanges] == ["main", "preflight", "main"]


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/crash", 500)])
async def test_an_allowed_page_can_read_a_404_and_a_500(app, path, status):
    async with AsyncPage(PAGE, app=app) as page:
        response = await page.fetch(API + path, credentials="include")
    assert (response.type, response.status) == ("cors", status)


@pytest.mark.parametrize(
    ("path", "method", "code"),
    [
        ("/items", "GET", "MissingAllowOriginHeader"),
        ("/items", "PUT", "PreflightMissingAllowOriginHeader"),
        ("/crash", "GET", "MissingAllowOriginHeader"),
    ],
)
async def test_another_page_is_blocked(app, path, method, code):
    async with AsyncPage(EVIL, app=app) as page:
        with pytest.raises(CORSError) as caught:
            await page.fetch(API + path, method=method, credentials="include")
    assert caught.value.code == code


async def test_every_page_may_read_the_public_part_without_cookies(app):
    async with AsyncPage(EVIL, app=app) as page:
        response = await page.fetch(f"{API}/public/news")
        with pytest.raises(CORSError):
            await page.fetch(f"{API}/public/news", credentials="include")
    assert response.json() == ["open to all"]
