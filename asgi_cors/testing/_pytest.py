"""The pytest plugin: the fixture `cors_page`, the marker `cors`, and the exchanges in the report of a failed test.

pytest loads this module in every run. The module therefore imports the pages, and httpx, only if a test uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._page.async_page import AsyncPage
    from ._page.sync_page import Page

pytest.register_assert_rewrite("asgi_cors.registry.testing")  # so that a failed assert shows its values

_PAGES = pytest.StashKey["list[AsyncPage | Page]"]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "cors(origin, **options): default arguments of cors_page(), e.g. cors(engine='firefox').",
    )


@pytest.fixture
def cors_page(request: pytest.FixtureRequest) -> Callable[..., AsyncPage | Page]:
    """Make pages: `cors_page("https://app.example.com", app=app, engine="firefox")`.

    Returns an AsyncPage for an ASGI application or an async transport, otherwise a Page. `page_class=` chooses another.
    Enter an AsyncPage with `async with`, a Page with `with`. The marker `cors` sets defaults; the closest marker wins.
    A failing test shows the requests and responses of its pages.

    Raises:
        TypeError: an option is unknown, or the origin is missing.
        ValueError: an option is wrong.
    """
    from . import AsyncPage, Page  # noqa: PLC0415 - they need httpx, and their ImportError names it
    from ._errors.tracebacks import short_traceback  # noqa: PLC0415
    from ._page.options import OPTION_NAMES, check_option_names  # noqa: PLC0415

    pages = request.node.stash.setdefault(_PAGES, [])

    @short_traceback
    def make(*origin: str, **options: Any) -> AsyncPage | Page:
        """Make a page, and store it for the report."""
        owner, known = "cors_page()", (*OPTION_NAMES, "page_class")
        check_option_names(owner, options, known)
        _check_origin(owner, origin, options)
        for marker in request.node.iter_markers("cors"):
            check_option_names("pytest.mark.cors()", marker.kwargs, known)
            _check_origin("pytest.mark.cors()", marker.args, marker.kwargs)
            positional = {"origin": marker.args[0]} if marker.args else {}
            options = {**positional, **marker.kwargs, **options}
        if origin:
            options["origin"] = origin[0]
        if "origin" not in options:
            raise TypeError(f"{owner} needs the page's origin. Write cors_page('https://app.example.com', ...).")
        kind = options.pop("page_class", None) or (AsyncPage if _is_async(options) else Page)
        if kind not in {AsyncPage, Page}:
            raise TypeError(f"page_class={kind!r:.200} is not a class of pages. Write page_class=Page, or AsyncPage.")
        page: AsyncPage | Page = kind(**options)
        pages.append(page)
        return page

    return make


def _check_origin(owner: str, positional: Sequence[object], options: Mapping[str, object]) -> None:
    if len(positional) > 1:
        raise TypeError(f"{owner} takes only the origin by position. Write the others by name, such as app=app.")
    if positional and "origin" in options:
        raise TypeError(f"{owner} has the origin twice: {positional[0]!r:.200} and origin={options['origin']!r:.200}.")


def _is_async(options: Mapping[str, Any]) -> bool:
    from ._transports.apps import interface_of  # noqa: PLC0415 - pytest loads this module in every run

    app, transport = options.get("app"), options.get("transport")
    if app is not None:
        return callable(app) and interface_of(app) == "asgi"
    return transport is not None and not hasattr(transport, "handle_request")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the exchanges of its pages to the report of a failed test."""
    report = yield
    if report.failed:
        for page in item.stash.setdefault(_PAGES, []):
            report.sections.append((f"Exchanges of {page!r}", page.table()))
    return report
