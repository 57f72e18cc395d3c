"""Cookies by RFC 6265bis, with the differences of the engines."""

from __future__ import annotations

import contextlib
import email.utils
import time

import pytest

from asgi_cors.testing import CORSError, Page
from tests.support.page_apps import API, ORIGIN, WSGIEcho, allowed

CREDENTIALED = ("access-control-allow-credentials", "true")
TOMORROW = email.utils.formatdate(time.time() + 86_400, usegmt=True)
NONE = "; SameSite=None; Secure"


def cookie_sent(cookie, url, *, visited=API, page=ORIGIN, engine="standard", clock=time.monotonic):
    """Store a cookie by a visit, fetch with credentials, and return the value of Cookie."""
    app = WSGIEcho([("access-control-allow-origin", page), CREDENTIALED])
    cookies = {visited: [cookie] if isinstance(cookie, str) else cookie}
    with Page(page, app=app, cookies=cookies, engine=engine, clock=clock) as opened:
        opened.fetch(url, credentials="include")
    return app.environs[-1].get("HTTP_COOKIE")


@pytest.mark.parametrize(
    ("cookie", "url", "sent"),
    [
        (f"a=1{NONE}", API, "a=1"),
        (f"a=1{NONE}", "https://other.test", None),
        (f"a=1{NONE}", "https://sub.api.test", None),
        (f"a=1; Domain=api.test{NONE}", "https://sub.api.test", "a=1"),
        (f"a=1; Domain=.API.test{NONE}", "https://sub.api.test", "a=1"),
        (f"a=1; Domain=other.test{NONE}", "https://other.test", None),
        (f"a=1; Domain=test{NONE}", API, None),
        (f"a=1; Domain=pi.test{NONE}", API, None),
        (f"a=1; Path=/a{NONE}", f"{API}/a", "a=1"),
        (f"a=1; Path=/a{NONE}", f"{API}/a/b", "a=1"),
        (f"a=1; Path=/a/{NONE}", f"{API}/a/b", "a=1"),
        (f"a=1; Path=/a{NONE}", f"{API}/ab", None),
        (f"a=1; Path=a{NONE}", f"{API}/x", "a=1"),
        (f"a=1{NONE}", "http://api.test", None),
        (f"a=b=c{NONE}", API, "a=b=c"),
        (f"novalue{NONE}", API, "novalue"),
        (f"={NONE}", API, None),
        (f"a\x01=1{NONE}", API, None),
        (f"a={'x' * 5000}{NONE}", API, None),
        (f"a=1; Path=/{'x' * 2000}{NONE}", API, "a=1"),
        (f"a=1; Max-Age=0{NONE}", API, None),
        (f"a=1; Max-Age=60{NONE}", API, "a=1"),
        (f"a=1; Max-Age=soon{NONE}", API, "a=1"),
        (f"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT{NONE}", API, None),
        pytest.param(f"a=1; Expires={TOMORROW}{NONE}", API, "a=1", id="Expires tomorrow"),
        (f"a=1; Expires=whenever{NONE}", API, "a=1"),
        (f"__Host-a=1; Path=/{NONE}", API, "__Host-a=1"),
        (f"__Host-a=1; Path=/; Domain=api.test{NONE}", API, None),
        ("__Secure-a=1; SameSite=None", API, None),
        (f"__Secure-a=1{NONE}", API, "__Secure-a=1"),
        ("a=1; SameSite=Lax", API, None),
        ("a=1; SameSite=Strict", API, None),
        ("a=1; SameSite=Odd", API, None),
        ("a=1", API, None),
    ],
)
def test_a_cookie_is_sent_to_its_host_path_and_scheme_only(cookie, url, sent):
    """Age and SameSite count, too."""
    assert cookie_sent(cookie, url) == sent


@pytest.mark.parametrize("cookie", ["a=1", "a=1; SameSite=Lax", "a=1; SameSite=Strict"])
def test_a_request_within_the_site_has_every_cookie(cookie):
    """The page's own subdomains belong to its site."""
    assert cookie_sent(cookie, "https://api.example.com", visited="https://api.example.com") == "a=1"


@pytest.mark.parametrize(("page", "sent"), [("https://one.github.io", None), ("https://api.one.github.io", "a=1")])
def test_two_hosts_below_a_public_suffix_are_two_sites(page, sent):
    """Two customers of one hosting service are two sites."""
    url = "https://two.github.io" if sent is None else "https://one.github.io"
    assert cookie_sent("a=1", url, visited=url, page=page) == sent


def test_a_cookie_cannot_be_set_for_a_public_suffix():
    """One customer could set it for all others."""
    cookie = f"a=1; Domain=github.io{NONE}"
    assert cookie_sent(cookie, "https://two.github.io", visited="https://one.github.io") is None


@pytest.mark.parametrize(("engine", "sent"), [("chromium", None), ("firefox", "a=1"), ("webkit", "a=1")])
def test_only_firefox_and_webkit_send_a_cookie_without_samesite_to_other_sites(engine, sent):
    """Chromium treats such a cookie as Lax."""
    assert cookie_sent("a=1", API, engine=engine) == sent


@pytest.mark.parametrize(("engine", "sent"), [("chromium", "a=1"), ("firefox", "a=1"), ("webkit", None)])
@pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.0.0.1", "[::1]"])
def test_only_webkit_sends_no_secure_cookie_to_http_on_localhost(engine, sent, host):
    """WebKit requires https there, too."""
    url = f"http://{host}:8000"
    assert cookie_sent(f"a=1{NONE}", url, visited=url, engine=engine) == sent


@pytest.mark.parametrize("url", [API, "https://api.example.com", "http://localhost:8000"])
@pytest.mark.parametrize(
    ("engine", "stored"), [("standard", {}), ("chromium", {}), ("firefox", {}), ("webkit", {"a": "1"})]
)
def test_only_webkit_stores_a_cookie_with_samesite_none_and_without_secure(engine, stored, url):
    """The others refuse it even from the page's own site."""
    with Page(ORIGIN, app=WSGIEcho(), engine=engine, cookies={url: "a=1; SameSite=None"}) as page:
        assert dict(page.cookies) == stored


def test_a_cookie_domain_does_not_match_an_ip_address():
    """Only names have subdomains."""
    url = "http://127.0.0.1:8000"
    assert cookie_sent(f"a=1; Domain=0.0.1{NONE}", url, visited=url) is None


def test_cookies_with_longer_paths_come_first():
    """Then come older cookies."""
    cookies = [f"a=1{NONE}", f"b=2{NONE}; Path=/x", f"c=3{NONE}"]
    assert cookie_sent(cookies, f"{API}/x") == "b=2; a=1; c=3"


def test_a_cookie_expires_by_the_pages_clock():
    """A test does not need to sleep."""
    now = [0.0]
    app = WSGIEcho([])
    with Page(API, app=app, cookies={API: ["a=1; Max-Age=60", "b=2"]}, clock=lambda: now[0]) as page:
        page.fetch(API)
        now[0] = 61
        page.fetch(API)
    assert [environ["HTTP_COOKIE"] for environ in app.environs] == ["a=1; b=2", "b=2"]


@pytest.mark.parametrize(
    ("credentials", "url", "stored"),
    [
        ("include", API, True),
        ("same-origin", API, False),
        ("omit", API, False),
        ("same-origin", ORIGIN, True),
        ("omit", ORIGIN, False),
    ],
)
def test_set_cookie_is_stored_only_from_a_response_with_credentials(credentials, url, stored):
    """It is stored even if the CORS check then fails."""
    app = WSGIEcho([("set-cookie", f"a=1{NONE}")])
    with Page(ORIGIN, app=app) as page:
        with contextlib.suppress(CORSError):
            page.fetch(url, credentials=credentials)
        assert ("a" in page.cookies) is stored


def test_another_site_cannot_set_a_lax_cookie():
    """Such a cookie would never be sent."""
    app = WSGIEcho(allowed(CREDENTIALED, ("set-cookie", "a=1; SameSite=Lax"), ("set-cookie", f"b=2{NONE}")))
    with Page(ORIGIN, app=app) as page:
        page.fetch(API, credentials="include")
        assert dict(page.cookies) == {"b": "2"}


def test_the_cookie_jar_maps_names_to_values():
    """The newest value counts. `all` has every attribute."""
    cookies = {API: [f"a=1{NONE}", f"a=2; Path=/x{NONE}", "b=3"], "https://other.test": "c=4; Max-Age=5"}
    with Page(ORIGIN, app=WSGIEcho(), cookies=cookies) as page:
        jar = page.cookies
    assert dict(jar) == {"a": "2", "b": "3", "c": "4"}
    assert (len(jar), "a" in jar, jar.get("z"), repr(jar)) == (
        3,
        True,
        None,
        "CookieJar({'a': '2', 'b': '3', 'c': '4'})",
    )
    assert [(cookie.name, cookie.domain, cookie.path, cookie.same_site) for cookie in jar.all] == [
        ("a", "api.test", "/", "none"),
        ("a", "api.test", "/x", "none"),
        ("b", "api.test", "/", "default"),
        ("c", "other.test", "/", "default"),
    ]
    jar.visit(API, [f"a=; Max-Age=-1{NONE}"])
    assert [cookie.path for cookie in jar.all if cookie.name == "a"] == ["/x"]


def test_a_cookie_without_a_path_gets_the_directory_of_the_url():
    """RFC 6265bis, default-path."""
    with Page(ORIGIN, app=WSGIEcho(), cookies={f"{API}/a/b/c?d/e": "a=1"}) as page:
        assert page.cookies.all[0].path == "/a/b"
