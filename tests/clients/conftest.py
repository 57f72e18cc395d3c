"""The pages with the clients, bundled once, and the system's Chromium. `nox -s clients` names where both are."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .chromium import run_chromium
from .serving import serving

PAGES = Path(__file__).with_name("pages")
PATIENCE = 30_000  # milliseconds


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page for each client, and yield its origin."""
    bundles = tmp_path_factory.mktemp("bundles")
    modules = Path(os.environ["CLIENTS_NODE"], "node_modules")
    esbuild = [str(modules / ".bin" / "esbuild"), *map(str, PAGES.glob("*.js"))]
    subprocess.run(
        [*esbuild, "--bundle", "--log-level=error", f"--outdir={bundles}"],
        env=os.environ | {"NODE_PATH": str(modules)},
        check=True,
    )

    async def page(request):
        name = request.path_params["name"]
        return HTMLResponse(f"<!doctype html><title>{name}</title><body><script src='/bundles/{name}.js'></script>")

    app = Starlette(routes=[Route("/{name}", page), Mount("/bundles", StaticFiles(directory=bundles))])
    with serving(app) as origin:
        yield origin


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run Chromium for one module, because asyncio can't run in the same thread until it has ended."""
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Open a page in a fresh profile."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()
