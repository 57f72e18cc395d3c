"""The profiles' results for fetches on which browsers and the standard differ."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from asgi_cors.testing import BROWSERS, CORSError, Engine, FetchError, Page, ScriptError
from tests.support.page_apps import API, ORIGIN

TWO_TO_63, TWO_TO_64 = 2**63, 2**64
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


def test_the_default_profile_does_what_all_browsers_do():
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
    """The message has the correction on the server."""
    with pytest.raises(CORSError, match="add PUT to allow_methods") as caught:
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
def test_firefox_sends_authorization_again_on_a_hop_within_an_origin(engine: str):
    """In the other profiles, a redirect to another origin removes it for good."""
    listed = {"access-control-allow-origin": "*", "access-control-allow-headers": "authorization"}
    server = MockServer(
        engine,
        listed,
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
        listed,
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
def test_firefox_starts_each_hop_from_the_scripts_headers(
    method: str, statuses: tuple[int, int], requested: tuple[str, str | None], *, has_content_type: bool
):
    """The last hop's preflight and Content-Type are those of Firefox 153."""
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


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("engine", ALL)
def test_a_redirect_that_is_not_followed_is_opaque_with_or_without_a_location(engine: str, status: int):
    """Measured with `redirect="manual"`: no browser shows the status."""
    server = MockServer(engine, moved=httpx.Response(status, headers=ALLOWED))
    response = server.page.fetch("https://api.test/moved", redirect="manual")
    assert (response.type, response.status, len(response.headers)) == ("opaqueredirect", 0, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", [None, ""])
@pytest.mark.parametrize("engine", ALL)
def test_redirect_error_fails_in_chromium_and_webkit_only_with_a_location(
    engine: str, location: str | None, status: int
):
    """Measured with `redirect="error"`: Chromium and WebKit show a response without a Location, Firefox does not."""
    headers = ALLOWED if location is None else {**ALLOWED, "location": location}
    server = MockServer(engine, moved=httpx.Response(status, headers=headers))
    assert server.passes("https://api.test/moved", redirect="error") is (engine in {"chromium", "webkit"})


@pytest.mark.parametrize("status", [300, 304, 305, 306, 309, 399])
@pytest.mark.parametrize("mode", ["follow", "manual", "error"])
@pytest.mark.parametrize("has_location", [True, False])
@pytest.mark.parametrize("engine", ALL)
def test_webkitgtk_follows_the_statuses_309_to_399(engine: str, mode: str, status: int, *, has_location: bool):
    """Measured: the others show them, and so does WebKitGTK if there is no Location."""
    headers = {**ALLOWED, "location": "/moved"} if has_location else ALLOWED
    server = MockServer(engine, first=httpx.Response(status, headers=headers))
    follows = engine == "webkit" and has_location and status >= 309
    if follows and mode == "error":
        assert not server.passes("https://api.test/first", redirect=mode)
    else:
        response = server.page.fetch("https://api.test/first", redirect=mode)
        assert response.status == ({"follow": 200, "manual": 0}[mode] if follows else status)


@pytest.mark.parametrize("name", ["content-disposition", "content-length", "location"])
@pytest.mark.parametrize(("second", "differs"), [("2", False), ("3", True), ("", True)])
@pytest.mark.parametrize("engine", ALL)
def test_chromium_and_firefox_fail_on_differing_lines_of_some_headers(
    engine: str, name: str, second: str, *, differs: bool
):
    """Measured: Chromium and Firefox do, with any status; equal lines are one."""
    lines = [*ALLOWED.items(), (name, "2"), (name, second)]
    server = MockServer(engine, doubled=httpx.Response(200, headers=lines, stream=httpx.ByteStream(b"ok")))
    assert server.passes("https://api.test/doubled") is not (differs and engine in {"chromium", "firefox"})


@pytest.mark.parametrize("userinfo", ["@", ":@"])
@pytest.mark.parametrize("engine", ALL)
def test_an_empty_user_name_in_a_location_is_ignored(engine: str, userinfo: str):
    """Measured: every browser follows it across origins."""
    tainted = httpx.Response(200, headers={"access-control-allow-origin": "*"})
    server = MockServer(engine, first=redirect(f"https://{userinfo}other.test/second"), second=tainted)
    assert server.passes("https://api.test/first")


@pytest.mark.parametrize(
    ("value", "preflighted"),
    [
        (f"bytes={TWO_TO_63 - 2}-", set[str]()),
        (f"bytes={TWO_TO_63 - 1}-", {"chromium"}),
        (f"bytes=0-{TWO_TO_63 - 1}", {"chromium"}),
        (f"bytes={TWO_TO_64 - 1}-", {"chromium"}),
        (f"bytes=0-{TWO_TO_64 - 1}", {"chromium"}),
        (f"bytes={TWO_TO_64}-", {"browsers", "chromium", "firefox", "webkit"}),
        (f"bytes=0-{TWO_TO_64}", {"browsers", "chromium", "firefox", "webkit"}),
    ],
)
@pytest.mark.parametrize("engine", ALL)
def test_each_engine_limits_the_numbers_of_a_safelisted_range(engine: str, value: str, preflighted: set[str]):
    """Measured."""
    server = MockServer(engine, {**ALLOWED, "access-control-allow-headers": "range"})
    assert server.passes(headers={"range": value})
    assert (server.sent[0].method == "OPTIONS") is (engine in preflighted)


@pytest.mark.parametrize(
    ("names", "safelisted", "preflighted"),
    [
        (
            "device-memory downlink dpr",
            ["0", "1", "1.0", "1.5", "9" * 20],
            ["", "-1", "+1", ".5", "5.", "1e3", "x", "1 2"],
        ),
        ("rtt viewport-width width", ["0", "1", "9" * 20], ["", "-1", "+1", "1.0", "0x1", "x", "1 2"]),
        ("ect", ["slow-2g", "2g", "3g", "4g"], ["", "3G", "5g", "1", "on"]),
        ("save-data", ["on", "On"], ["", "off", "1", "on;a"]),
        ("intervention", ["", "x", "(x)", '<https://x>; level="warning"'], []),
    ],
)
@pytest.mark.parametrize("engine", ALL)
def test_chromium_safelists_a_client_hint_only_with_a_valid_value(
    engine: str, names: str, safelisted: list[str], preflighted: list[str]
):
    """Measured in Chromium 156. The others preflight them all."""
    for name in names.split():
        for value in safelisted + preflighted:
            server = MockServer(engine)
            is_safe = engine == "chromium" and value in safelisted
            assert server.passes(headers={name: value}) is is_safe, (name, value)


def test_two_lines_of_a_header_that_all_browsers_preflight_are_preflighted():
    """Measured: Chromium and WebKit combine them, and Firefox cannot parse the second."""
    lines = [("content-type", "text/plain"), ("content-type", "application/x-www-form-urlencoded; charset=UTF-8;")]
    for engine in ALL:
        assert MockServer(engine).passes(headers=lines) is (engine == "standard")
