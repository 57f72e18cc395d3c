"""If ours differs from Flask-CORS 6.0.5, a page can read the same responses, or fewer."""

import asyncio
import importlib.util
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

import asgi_cors_flask
from asgi_cors import ConfigError, ConfigWarning
from asgi_cors.testing import AsyncPage, CORSError, Page
from asgi_cors_flask import asgi_app

sys.path.insert(0, str(Path(__file__).parent))

from differences import CREDENTIALS, DIFFERENCES, OTHER, Fetch

API, LOCAL = "http://api.test", "http://localhost:5173"
GUIDE = Path(__file__).parents[3] / "docs" / "migrating.md"


@pytest.fixture(scope="module")
def original():
    """Flask-CORS itself, from its sdist, under another name."""
    source = Path(os.environ["FLASK_CORS_SOURCE"]) / "flask_cors"
    spec = importlib.util.spec_from_file_location(
        "original_flask_cors", source / "__init__.py", submodule_search_locations=[str(source)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def over_wsgi(app, fetch):
    with Page(fetch.page, app=app) as page:
        page.fetch(API + fetch.path, **fetch.options)


def over_asgi(app, fetch):
    async def visit():
        async with AsyncPage(fetch.page, app=asgi_app(app, threads=1)) as page:
            await page.fetch(API + fetch.path, **fetch.options)

    asyncio.run(visit())


def build(difference, module):
    """Build the app; None if ours refuses to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        try:
            app = difference.build(module)
        except ConfigError:
            return None
    app.testing = True
    return app


def verdicts(difference, app, visit):
    """Return, for each fetch, whether the page may read the response."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        return [may_read(visit, app, fetch) for fetch in difference.fetches]


def may_read(visit, app, fetch):
    try:
        visit(app, fetch)
    except CORSError:
        return False
    return True


@pytest.mark.parametrize("visit", [over_wsgi, over_asgi], ids=["WSGI", "ASGI"])
@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.tests[0])
def test_the_verdict_is_the_same_or_safer(difference, visit, original):
    theirs = verdicts(difference, build(difference, original), over_wsgi)
    app = build(difference, asgi_cors_flask)
    assert (app is None) is difference.raises
    ours = verdicts(difference, app, visit) if app else [False] * len(theirs)  # no app, no response
    assert any(theirs)  # a page that can read nothing proves nothing
    assert (ours != theirs) is difference.safer
    assert all(granted or not taken for granted, taken in zip(theirs, ours, strict=True))


@pytest.mark.parametrize("visit", [over_wsgi, over_asgi], ids=["WSGI", "ASGI"])
def test_a_config_may_still_name_the_origins_of_a_view_with_credentials(visit):
    """The decorator itself therefore cannot refuse `supports_credentials=True`."""
    (difference,) = (each for each in DIFFERENCES if "test_credentials." in each.tests[0])
    app = build(difference, asgi_cors_flask)
    app.config["CORS_ORIGINS"] = LOCAL
    fetches = (Fetch(page=LOCAL, options=CREDENTIALS), Fetch(page=OTHER, options=CREDENTIALS))
    assert verdicts(replace(difference, fetches=fetches), app, visit) == [True, False]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.tests[0])
def test_the_guide_has_a_row_for_it(difference):
    assert f"| {difference.row}" in GUIDE.read_text("utf-8")
