"""Copy this file. It tests which pages can fetch from your application in a browser.

    pip install 'asgi-cors-bridge[testing]' pytest fastapi flask quart
    pytest test_my_cors.py

Its async tests run on anyio, which [testing] installs. If you prefer pytest-asyncio:

    pip install 'asgi-cors-bridge[testing]' pytest pytest-asyncio fastapi flask quart
    pytest --asyncio-mode=auto test_my_cors.py

The fixture `cors_page` comes with the package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastapi
import flask
import pytest
import quart

from asgi_cors import CORSMiddleware, WSGIMiddleware
from asgi_cors.testing import AsyncPage, CORSError, Page

PAGE = "https://app.example.com"
OTHER_PAGE = "https://evil.example.net"
API = "https://api.test"  # any host will do: the application gets every request

POLICY: dict[str, Any] = {
    "allow_origins": [PAGE],
    "allow_methods": ["PUT"],
    "allow_headers": ["x-request-id"],
    "expose_headers": ["etag"],
    "allow_credentials": True,
}

AsyncPages = Callable[..., AsyncPage]
Pages = Callable[..., Page]


def fastapi_app() -> fastapi.FastAPI:
    """Return your own app here: `from my_package import app`."""
    app = fastapi.FastAPI()
    app.add_middleware(CORSMiddleware, **POLICY)

    @app.put("/items/{number}")
    async def put(number: int, response: fastapi.Response) -> dict[str, int]:
        response.headers["etag"] = '"1"'
        response.set_cookie("seen", "1", samesite="none", secure=True)
        return {"number": number}

    return app


def quart_app() -> quart.Quart:
    """Return the same app for Quart."""
    app = quart.Quart(__name__)
    # To type checkers, asgi_app is a method. Quart's documentation replaces it in this way.
    app.asgi_app = CORSMiddleware(app.asgi_app, **POLICY)  # type: ignore[assignment,method-assign]  # pyright: ignore[reportAttributeAccessIssue]

    @app.put("/items/<int:number>")
    async def put(number: int) -> tuple[dict[str, int], dict[str, str]]:
        return {"number": number}, {"etag": '"1"', "set-cookie": "seen=1; SameSite=None; Secure"}

    return app


def flask_app() -> flask.Flask:
    """Return the same app for Flask."""
    app = flask.Flask(__name__)
    app.wsgi_app = WSGIMiddleware(app.wsgi_app, **POLICY)  # type: ignore[method-assign]  # as above

    @app.put("/items/<int:number>")
    def put(number: int) -> tuple[dict[str, int], dict[str, str]]:
        return {"number": number}, {"etag": '"1"', "set-cookie": "seen=1; SameSite=None; Secure"}

    return app


@pytest.fixture(autouse=True)
def anyio_backend() -> str:
    """Let anyio run every async test of this file. The tests need no marker."""
    return "asyncio"


def test_our_page_reads_the_etag_of_fastapi() -> None:
    """A test with a Page is not async. The page runs the application in an event loop of its own."""
    with Page(PAGE, app=fastapi_app(), base_url=API) as page:
        response = page.fetch("/items/5", method="PUT", headers={"x-request-id": "1"})
        assert response.headers["etag"] == '"1"'


@pytest.mark.parametrize("make", [fastapi_app, quart_app])
async def test_our_page_may_change_an_item(cors_page: AsyncPages, make: Callable[[], Any]) -> None:
    """It may send and receive cookies, and read the ETag."""
    async with cors_page(PAGE, app=make()) as page:
        response = await page.fetch(
            f"{API}/items/5", method="PUT", headers={"x-request-id": "1"}, credentials="include"
        )
        assert response.json() == {"number": 5}
        assert response.headers["etag"] == '"1"'
        assert page.cookies["seen"] == "1"
        assert [exchange.kind for exchange in page.exchanges] == ["preflight", "main"]


@pytest.mark.parametrize("make", [fastapi_app, quart_app])
async def test_another_page_may_not_change_an_item(cors_page: AsyncPages, make: Callable[[], Any]) -> None:
    """The preflight is refused, so the request itself is never sent."""
    async with cors_page(OTHER_PAGE, app=make()) as page:
        with pytest.raises(CORSError) as caught:
            await page.fetch(f"{API}/items/5", method="PUT")
        assert caught.value.code == "PreflightMissingAllowOriginHeader"
        assert [exchange.kind for exchange in page.exchanges] == ["preflight"]


@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
def test_our_page_may_change_an_item_in_flask(cors_page: Pages, engine: str) -> None:
    """The test runs with the profile of each browser."""
    with cors_page(PAGE, app=flask_app(), engine=engine) as page:
        response = page.fetch(f"{API}/items/5", method="PUT", headers={"x-request-id": "1"}, credentials="include")
        assert response.json() == {"number": 5}
        assert response.headers["etag"] == '"1"'


@pytest.mark.cors(OTHER_PAGE, app=flask_app())
def test_another_page_may_not_change_an_item_in_flask(cors_page: Pages) -> None:
    """The marker sets the arguments of cors_page()."""
    with cors_page() as page, pytest.raises(CORSError, match="allow_origins"):
        page.fetch(f"{API}/items/5", method="PUT")


def test_our_page_sees_the_404_of_a_missing_item(cors_page: Pages) -> None:
    """Errors need the CORS headers, too. Without them, the page sees a network error instead of the 404."""
    with cors_page(PAGE, app=flask_app()) as page:
        assert page.fetch(f"{API}/nothing").status == 404
