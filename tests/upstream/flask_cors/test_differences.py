"""Where ours differs from Flask-CORS 6.0.5, a browser lets a page read the same, or less."""

import asyncio
import importlib.util
import os
import sys
import warnings
from pathlib import Path

import pytest

import asgi_cors_flask
from asgi_cors import ConfigError, ConfigWarning
from asgi_cors.testing import AsyncPage, CORSError, Page
from asgi_cors_flask import asgi_app

sys.path.insert(0, str(Path(__file__).parent))

from differences import DIFFERENCES

API = "http://api.test"
GUIDE = Path(__file__).parents[3] / "docs" / "migrating.md"


@pytest.fixture(scope="module")
def original():
    """Flask-CORS itself, from its sdist, under a name of its own."""
    source = Path(os.environ["FLASK_CORS_SOURCE"]) / "flask_cors"
    spec = importlib.util.spec_from_file_location(
        "original_flask_cors", source / "__init__.py", submodule_search_locations=[str(source)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def by_wsgi(app, fetch):
    with Page(fetch.page, app=app) as page:
        page.fetch(API + fetch.path, **fetch.options)


def by_asgi(app, fetch):
    async def visit():
        async with AsyncPage(fetch.page, app=asgi_app(app, threads=1)) as page:
            await page.fetch(API + fetch.path, **fetch.options)

    asyncio.run(visit())


def verdicts(difference, module, visit):
    """Give, of each fetch, whether the page may read the answer; of an app that is refused, none may."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        try:
            app = difference.build(module)
            app.testing = True
            return [may_read(visit, app, fetch) for fetch in difference.fetches]
        except ConfigError:
            return [False] * len(difference.fetches)


def may_read(visit, app, fetch):
    try:
        visit(app, fetch)
    except CORSError as error:
        if isinstance(error.exchange.exception, ConfigError):
            raise error.exchange.exception from None
        return False
    return True


@pytest.mark.parametrize("visit", [by_wsgi, by_asgi], ids=["WSGI", "ASGI"])
@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.tests[0])
def test_the_verdict_is_the_same_or_safer(difference, visit, original):
    theirs = verdicts(difference, original, by_wsgi)
    ours = verdicts(difference, asgi_cors_flask, visit)
    assert any(theirs)  # a page that may read nothing proves nothing
    assert (ours != theirs) is difference.safer
    assert all(granted or not taken for granted, taken in zip(theirs, ours, strict=True))


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.tests[0])
def test_the_guide_has_a_row_of_it(difference):
    assert f"| {difference.row}" in GUIDE.read_text("utf-8")
