"""The profiles' results for fetches on which browsers and the standard differ."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from doubles import API, ORIGIN

from asgi_cors.testing import BROWSERS, CORSError, Engine, FetchError, Page, ScriptError

ALL = ["browsers", "standard", "chromium", "firefox", "webkit"]
ALLOWED = {"access-control-allow-origin": ORIGIN}
# In production an XMLHttpRequest with a progress bar.
UPLOAD: dict[str, Any] = {"method": "PUT", "content": b"file", "upload_listener": True}


class MockServer:
    """A server with a page that fetches from it.

    It responds to every preflight with the headers `preflight`, and to other requests with the route of that name. A
    path without a route gets a response that allows the page.
    """

    def __init__(self, engine: str | Engine, preflight: dict[str, str] | None = None, **routes: httpx.Response) -> None:
        self.sent: list[httpx.Request] = []
        self._preflight = ALLOWED if preflight is None else preflight
        self._routes = routes
        self.page = Page(ORIGIN, transport=httpx.MockTransport(self._respond), engine=engine)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if "access-control-request-method" in request.headers:
            return httpx.Response(204, headers=self._preflight)
        return self._routes.get(request.url.path.strip("/"), httpx.Response(200, headers=ALLOWED))

    def passes(self, url: str = API, **init: Any) -> bool:
        """Fetch, and return whether the page gets the response."""
        try:
            self.page.fetch(url, **init)
        except ScriptError:
            raise
        except FetchError:
            return False
        return True


def redirect(location: str, **headers: str) -> httpx.Response:
    return httpx.Response(307, headers={**ALLOWED, "location": location, **headers})


def test_the_default_profile_is_what_all_browsers_do():
    """Without `engine=`, a fetch that every browser blocks is blocked."""
    assert Page(ORIGIN).engine is BROWSERS


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("engine", ALL)
def test_an_upload_with_a_progress_bar_needs_its_method_to_be_listed(engine: str, method: str):
    """Every browser blocks it without Access-Control-Allow-Methods; the standard does not."""
    server = MockServer(engine)
    assert server.passes(**{**UPLOAD, "method": method}) is (engine == "standard")
    sent = [request.method for request in server.sent]
    assert sent == (["OPTIONS", method] if engine == "standard" else ["OPTIONS"])


@pytest.mark.parametrize("engine", ALL)
def test_an_upload_whose_method_is_listed_passes(engine: str):
    """It passes in every profile."""
    assert MockServer(engine, {**ALLOWED, "access-control-allow-methods": "PUT"}).passes(**UPLOAD)


def test_the_error_names_the_method_that_the_server_must_list():
    """The message says what to write on the server."""
    with pytest.raises(CORSError, match="add it to allow_methods") as caught:
        MockServer("browsers").page.fetch(API, **UPLOAD)
    assert caught.value.code == "MethodDisallowedByPreflightResponse"


@pytest.mark.parametrize("engine", ALL)
def test_a_second_upload_by_post_needs_no_second_preflight(engine: str):
    """Only the standard demands one."""
    cached = {**ALLOWED, "access-control-allow-methods": "PUT", "access-control-max-age": "60"}
    server = MockServer(engine, cached)
    assert [server.passes(**{**UPLOAD, "method": "POST"}) for _ in range(2)] == [True, True]
    preflights = [request for request in server.sent if request.method == "OPTIONS"]
    assert len(preflights) == (2 if engine == "standard" else 1)


@pytest.mark.parametrize("method", ["GET", "head"])
def test_an_xmlhttprequest_drops_the_body_of_get_and_head(method: str):
    """`send()` ignores the body, so its Content-Type is not sent, either."""
    server = MockServer("standard")
    assert server.passes(method=method, content="text", upload_listener=True)
    assert server.sent[-1].content == b""
    assert "content-type" not in server.sent[-1].headers


@pytest.mark.parametrize("engine", ALL)
def test_authorization_comes_back_in_firefox_on_a_hop_within_an_origin(engine: str):
    """In the other profiles, a redirect to another origin removes it for good."""
    listed = {"access-control-allow-origin": "*", "access-control-allow-headers": "authorization"}
    server = MockServer(
        engine,
        {**listed, "access-control-allow-origin": ORIGIN if engine == "firefox" else "*"},
        first=redirect("https://other.test/second"),
        second=redirect("https://other.test/third", **{"access-control-allow-origin": "null"}),
        third=httpx.Response(200, headers={"access-control-allow-origin": "null"}),
    )
    assert server.passes("https://api.test/first", headers={"authorization": "Bearer t"})
    mains = [request for request in server.sent if request.method == "GET"]
    assert ["authorization" in request.headers for request in mains] == [True, False, engine == "firefox"]


@pytest.mark.parametrize("engine", ALL)
def test_chromium_fails_on_the_status_407(engine: str):
    """In the other profiles, a response with this status of proxies passes."""
    server = MockServer(engine, proxy=httpx.Response(407, headers=ALLOWED))
    assert server.passes("https://api.test/proxy") is (engine != "chromium")


@pytest.mark.parametrize("engine", ALL)
def test_webkitgtk_turns_a_redirected_delete_into_get(engine: str):
    """It does so on any redirect to another origin, 307 included."""
    listed = {"access-control-allow-origin": "*", "access-control-allow-methods": "DELETE"}
    server = MockServer(
        engine,
        {**listed, "access-control-allow-origin": ORIGIN if engine == "firefox" else "*"},
        first=redirect("https://other.test/second"),
        second=httpx.Response(200, headers={"access-control-allow-origin": "*"}),
    )
    assert server.passes("https://api.test/first", method="DELETE")
    assert server.sent[-1].method == ("GET" if engine == "webkit" else "DELETE")


@pytest.mark.parametrize("kind", ["text/plain;;", "text/plain;charset=utf-8;", "text/plain;a=b,c"])
@pytest.mark.parametrize("engine", ALL)
def test_firefox_preflights_a_content_type_that_it_cannot_parse(engine: str, kind: str):
    """The other profiles use the text before the first semicolon."""
    server = MockServer(engine, {**ALLOWED, "access-control-allow-headers": "content-type"})
    assert server.passes(method="POST", content=b"x", headers={"content-type": kind})
    assert (server.sent[0].method == "OPTIONS") is (engine == "firefox")


@pytest.mark.parametrize("engine", ALL)
def test_firefox_ignores_an_empty_line_of_a_header(engine: str):
    """In the other profiles, a second, empty Access-Control-Allow-Credentials blocks the fetch."""
    lines = [*ALLOWED.items(), ("access-control-allow-credentials", "true"), ("access-control-allow-credentials", "")]
    server = MockServer(engine, doubled=httpx.Response(200, headers=lines))
    assert server.passes("https://api.test/doubled", credentials="include") is (engine == "firefox")


@pytest.mark.parametrize(
    ("method", "statuses", "requested", "has_content_type"),
    [
        ("POST", (302, 302), ("GET", "content-type"), False),
        ("POST", (302, 307), ("GET", "content-type"), True),
        ("POST", (303, 303), ("GET", "content-type"), False),
        ("PUT", (302, 302), ("PUT", "content-type"), True),
        ("PUT", (302, 303), ("GET", None), False),
        ("PUT", (303, 302), ("GET", "content-type"), True),
        ("PUT", (303, 303), ("GET", "content-type"), False),
        ("PATCH", (303, 307), ("GET", "content-type"), True),
    ],
)
def test_firefox_begins_each_hop_with_the_scripts_headers(
    method: str, statuses: tuple[int, int], requested: tuple[str, str | None], *, has_content_type: bool
):
    """The last hop's preflight requests what Firefox 153 requested, and its request has the same Content-Type."""
    listed = {**ALLOWED, "access-control-allow-methods": method, "access-control-allow-headers": "content-type"}
    tainted = {"access-control-allow-origin": "null"}
    server = MockServer(
        "firefox",
        listed,
        first=httpx.Response(statuses[0], headers={**ALLOWED, "location": "https://other.test/second"}),
        second=httpx.Response(statuses[1], headers={**tainted, "location": "/third"}),
        third=httpx.Response(200, headers=tainted),
    )
    assert server.passes("https://api.test/first", method=method, json={})
    preflight, main = server.sent[-2:]
    headers = preflight.headers
    assert (headers["access-control-request-method"], headers.get("access-control-request-headers")) == requested
    assert ("content-type" in main.headers) is has_content_type
