"""`explain` predicts the result of a page's fetch, as a browser written from the standard sees it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import CORSMiddleware, Policy, WSGIMiddleware, explain
from tests.support.apps import App
from tests.support.strategies import policies

pytestmark = pytest.mark.slow

pytest.importorskip("httpx", reason="httpx is an extra")
testing = pytest.importorskip("asgi_cors.testing")

API = "https://api.test/items"
METHODS = ["GET", "POST", "put", "PUT", "DELETE", "patch", "PATCH", "LOCK", "OPTIONS"]
HEADERS = [
    ("x-a", "1"),
    ("X-B", "2"),
    ("authorization", "Bearer t"),
    ("content-type", "application/json"),
    ("content-type", "text/plain"),
    ("accept", "*/*"),
    ("x-p-1", "3"),
]


def scripts() -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for the arguments of `fetch`."""
    return st.fixed_dictionaries(
        {
            "method": st.sampled_from(METHODS),
            "headers": st.lists(st.sampled_from(HEADERS), max_size=3, unique_by=lambda header: header[0]),
            "credentials": st.sampled_from(["omit", "same-origin", "include"]),
        }
    )


def pages() -> st.SearchStrategy[str]:
    """Return a strategy for the origin of the script's page."""
    return st.sampled_from(
        ["https://a.com", "https://x.c.com", "http://localhost:99", "null", "https://evil.net", "app://x"]
    )


def predicted(policy: Policy, origin: str, script: dict[str, Any]) -> Any:
    """Explain the request of a script."""
    return explain(policy, script["method"], origin, script["headers"], credentials=script["credentials"] == "include")


@given(policies(), pages(), scripts())
def test_a_fetch_under_wsgi_passes_or_is_blocked_as_explain_predicts(
    policy: Policy, origin: str, script: dict[str, Any]
) -> None:
    """With the code of Chromium's CorsError."""
    code = None
    with testing.Page(origin, app=WSGIMiddleware(App().wsgi, policy)) as page:
        try:
            page.fetch(API, **script)
        except testing.CORSError as error:
            code = error.code
    expected = predicted(policy, origin, script)
    assert (expected.allowed, expected.code) == (code is None, code)


@given(policies(), pages(), scripts())
async def test_a_fetch_under_asgi_passes_or_is_blocked_as_explain_predicts(
    policy: Policy, origin: str, script: dict[str, Any]
) -> None:
    """Twice, because the second response is cached."""
    codes = []
    async with testing.AsyncPage(origin, app=CORSMiddleware(App().asgi, policy)) as page:
        for _ in range(2):
            try:
                await page.fetch(API, **script)
            except testing.CORSError as error:
                codes.append(error.code)
    expected = predicted(policy, origin, script)
    assert codes == ([] if expected.allowed else [expected.code] * 2)


@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
@given(policies(), scripts())
def test_every_browser_engine_has_the_verdict_of_the_standard(
    engine: str, policy: Policy, script: dict[str, Any]
) -> None:
    """The engines' differences from the standard do not matter for the responses of the middleware."""
    expected = predicted(policy, "https://a.com", script)
    with testing.Page("https://a.com", app=WSGIMiddleware(App().wsgi, policy), engine=engine) as page:
        try:
            page.fetch(API, **script)
        except testing.CORSError:
            assert not expected.allowed
        else:
            assert expected.allowed


@given(policies(), st.sampled_from(["https://a.com", "https://x.c.com"]), st.booleans())
def test_a_script_reads_only_the_safelisted_and_the_exposed_headers(
    policy: Policy, origin: str, credentials: bool
) -> None:
    app = App(headers=[("etag", '"1"'), ("x-a", "1"), ("x-b", "2"), ("x-c", "3"), ("content-type", "text/plain")])
    with testing.Page(origin, app=WSGIMiddleware(app.wsgi, policy)) as page:
        try:
            response = page.fetch(API, credentials="include" if credentials else "omit")
        except testing.CORSError:
            assert not explain(policy, "GET", origin, credentials=credentials).allowed
            return
    exposed = (
        {"etag", "x-a", "x-b", "x-c"} if policy.expose_headers == "*" else {*map(str.lower, policy.expose_headers)}
    )
    own = {"etag", "x-a", "x-b", "x-c"} & set(map(str.lower, response.headers))
    assert own == exposed & {"etag", "x-a", "x-b", "x-c"}
