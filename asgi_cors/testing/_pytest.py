"""The pytest plugin: the fixture `cors_page`, the marker `cors`, and the exchanges beneath a failed test.

pytest loads it in every run, so that it imports the pages, and httpx, only where a test asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._async import AsyncPage
    from ._sync import Page

_PAGES = pytest.StashKey["list[AsyncPage | Page]"]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "cors(origin, **options): what cors_page() takes where it is not told, e.g. cors(engine='firefox').",
    )


@pytest.fixture
def cors_page(request: pytest.FixtureRequest) -> Callable[..., AsyncPage | Page]:
    """Make pages: `cors_page("https://app.example.com", app=app, engine="firefox")`.

    Returns an AsyncPage for an ASGI application or an async transport, else a Page; enter it by `with`. What is left
    out comes from the markers `cors`, the closest one first. A failing test shows what the pages sent.
    """
    from . import AsyncPage, Page  # noqa: PLC0415 - they need httpx
    from ._page import is_asgi  # noqa: PLC0415

    pages = request.node.stash.setdefault(_PAGES, [])

    def make(*origin: str, **options: Any) -> AsyncPage | Page:
        """Make a page, and keep it for the report."""
        for marker in request.node.iter_markers("cors"):
            origin = origin or marker.args
            options = {**marker.kwargs, **options}
        app, transport = options.get("app"), options.get("transport")
        kind = AsyncPage if (is_asgi(app) if app is not None else _is_async(transport)) else Page
        page: AsyncPage | Page = kind(*origin, **options)
        pages.append(page)
        return page

    return make


def _is_async(transport: object) -> bool:
    return transport is not None and not hasattr(transport, "handle_request")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beneath a failed test what its pages sent."""
    report = yield
    if report.failed:
        for page in item.stash.setdefault(_PAGES, []):
            report.sections.append((f"Exchanges of {page!r}", page.table()))
    return report
