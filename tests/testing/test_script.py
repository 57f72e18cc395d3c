"""The arguments of `fetch()`, and the response that a script sees."""

from __future__ import annotations

import pytest

from asgi_cors.testing import CORSError, Engine, NetworkError, Page, RedirectError, ScriptError
from tests.support.page_apps import API, ORIGIN, WSGIEcho, allowed

ALL = allowed(
    ("access-control-allow-methods", "*"),
    ("access-control-allow-headers", "*"),
)


def sent(url=f"{API}/items", *, engine="standard", **init):
    """Fetch once; return the environ of the last request, and the page."""
    app = WSGIEcho(ALL)
    with Page(ORIGIN, app=app, engine=engine) as page:
        page.fetch(url, **init)
    return app.environs[-1], page


@pytest.mark.parametrize(
    ("method", "wire"),
    [("get", "GET"), ("Post", "POST"), ("delete", "DELETE"), ("patch", "patch"), ("QUERY", "QUERY"), ("*", "*")],
)
def test_only_six_methods_are_upper_cased(method, wire):
    """`patch` reaches the server unchanged."""
    environ, page = sent(method=method)
    assert environ["REQUEST_METHOD"] == wire
    if page.exchanges[0].kind == "preflight":
        assert page.exchanges[0].request.headers["access-control-request-method"] == wire


@pytest.mark.parametrize("method", ["CONNECT", "trace", "Track", "", "A B", "é"])
def test_a_forbidden_method_is_a_script_error(method):
    """Nothing is sent."""
    with pytest.raises(ScriptError, match="method="):
        sent(method=method)


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ([("X-A", " 1\t")], {"HTTP_X_A": "1"}),
        ({"x-a": "1"}, {"HTTP_X_A": "1"}),
        (iter([(b"x-a", b"\xff")]), {"HTTP_X_A": "\xff"}),
        ([("x-a", "é")], {"HTTP_X_A": "é"}),
        ([("host", "evil.test")], {"HTTP_HOST": "api.test"}),
        ([("user-agent", "me")], {"HTTP_USER_AGENT": "me"}),
        ([("accept", "text/html")], {"HTTP_ACCEPT": "text/html"}),
        ([("x-http-method-override", "GET, TRACE")], {"HTTP_X_HTTP_METHOD_OVERRIDE": None}),
        ([("x-method-override", "DELETE")], {"HTTP_X_METHOD_OVERRIDE": "DELETE"}),
    ],
)
def test_headers_are_byte_strings_and_forbidden_ones_are_dropped(headers, seen):
    """Headers are pairs or a mapping. White space around a value is removed."""
    environ, _ = sent(headers=headers)
    assert {name: environ.get(name) for name in seen} == seen


@pytest.mark.parametrize(
    "headers",
    [[("x a", "1")], [("", "1")], [("x", "a\nb")], [("x", "a\0b")], [("x", "€")], [("x", 1)], [("x",)], 5, "x"],
)
def test_a_malformed_header_is_a_script_error(headers):
    """Nothing is sent. The message describes a valid header."""
    with pytest.raises(ScriptError, match="header"):
        sent(headers=headers)


@pytest.mark.parametrize(
    ("init", "kind", "body"),
    [
        ({"content": "é"}, "text/plain;charset=UTF-8", "é".encode()),
        ({"content": "\ufeff\ud83d\ude00 \ud83d"}, "text/plain;charset=UTF-8", "\ufeff😀 \ufffd".encode()),
        ({"content": b"x"}, None, b"x"),
        ({"content": bytearray(b"x")}, None, b"x"),
        ({"content": memoryview(b"x")}, None, b"x"),
        ({"json": {"a": [1]}}, "application/json", b'{"a":[1]}'),
        ({"content": "x", "headers": [("content-type", "text/csv")]}, "text/csv", b"x"),
        ({}, None, b""),
    ],
)
def test_the_content_type_depends_on_the_type_of_the_body(init, kind, body):
    """Unless the script sets one."""
    environ, _ = sent(method="POST", **init)
    assert (environ.get("CONTENT_TYPE"), environ["body"], environ["CONTENT_LENGTH"]) == (kind, body, str(len(body)))


@pytest.mark.parametrize(
    "init",
    [
        {"method": "GET", "content": "x"},
        {"method": "HEAD", "json": 0},
        {"method": "POST", "content": "x", "json": 1},
        {"method": "POST", "json": {1, 2}},
        {"method": "POST", "content": {"a": 1}},
        {"method": "POST", "content": 5},
        pytest.param({"method": "POST", "content": iter([b""]), "mode": "no-cors"}, id="no-cors with an iterator"),
        {"method": "PUT", "mode": "no-cors"},
        {"mode": "navigate"},
        {"credentials": "always"},
        {"redirect": "stop"},
        {"cache": "never"},
        {"cache": "only-if-cached"},
    ],
    ids=str,
)
def test_a_wrong_option_is_a_script_error(init):
    """Nothing is sent."""
    app = WSGIEcho(ALL)
    with Page(ORIGIN, app=app) as page, pytest.raises(ScriptError):
        page.fetch(API, **init)
    assert app.environs == []


def test_only_if_cached_fails_without_an_http_cache():
    with pytest.raises(NetworkError, match="cache"):
        sent(f"{ORIGIN}/items", cache="only-if-cached", mode="same-origin")


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("/items?a=b#c", "https://app.example.com/items?a=b"),
        ("items", "https://app.example.com/items"),
        ("a:b/c", None),
        ("?a", "https://app.example.com/?a"),
        ("//api.test/x", "https://api.test/x"),
        ("\\\\api.test\\x", "https://api.test/x"),
        (" https://API.test:443/x\n", "https://api.test/x"),
        ("https:api.test/x", "https://app.example.com/api.test/x"),
        ("http:api.test/x", "http://api.test/x"),
        ("https:/api.test/x", "https://app.example.com/api.test/x"),
        ("https:/\tapi.test", "https://app.example.com/api.test"),
        ("https:\\api.test/x", "https://app.example.com/api.test/x"),
        ("https:\\\tapi.test", "https://app.example.com/api.test"),
        ("https:/\\api.test", "https://api.test/"),
        ("https:///api.test", "https://api.test/"),
        ("http:/api.test/x", "http://api.test/x"),
        ("https://@api.test/x", "https://api.test/x"),
        ("https://:@api.test/x", "https://api.test/x"),
        ("https://127.1/", "https://127.0.0.1/"),
        ("https://0x7f000001/", "https://127.0.0.1/"),
        ("https://[0:0::1]/", "https://[::1]/"),
        ("https://münchen.test/", "https://xn--mnchen-3ya.test/"),
        ("https://api.test/a/../b/./c", "https://api.test/b/c"),
        ("", "https://app.example.com/"),
    ],
)
@pytest.mark.filterwarnings("ignore::asgi_cors.testing.SameOriginWarning")
def test_a_url_is_parsed_as_browsers_do(url, reached):
    """Relative to the page; the fragment is not sent."""
    app = WSGIEcho(ALL)
    with Page(ORIGIN, app=app) as page:
        if reached is None:
            with pytest.raises(NetworkError, match="not an http or https URL"):
                page.fetch(url)
        else:
            assert str(page.fetch(url).url) == reached


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://a b/",
        "https://a:port/",
        "https://a:99999/",
        "https://[::1/",
        "https://[zz]/",
        "https://256.1.1.1/",
        "https://a%zz/",
        "https://" + "a" * 70_000,
        "https://xn--a-.test:8\xa0/",
        "https://\x00.test/",
    ],
)
def test_a_malformed_url_is_a_script_error(url):
    """The message shows the URL, truncated, and a valid one."""
    with pytest.raises(ScriptError, match=r"https://api\.test/items"):
        sent(url)


def test_a_url_with_a_user_name_is_a_script_error():
    with pytest.raises(ScriptError, match="user name"):
        sent("https://u:p@api.test/")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "data:,x", "about:blank", "ftp://api.test/", "myapp://x/y"])
def test_a_url_that_is_not_http_is_a_network_error(url):
    with pytest.raises(NetworkError, match="not an http or https URL"):
        sent(url)


def test_a_relative_url_of_a_sandboxed_page_is_a_script_error():
    with Page("null", app=WSGIEcho()) as page, pytest.raises(ScriptError, match="relative"):
        page.fetch("/items")


def test_a_cors_response_shows_only_exposed_headers():
    """It also has the type, the status, the final URL, and the body as text or JSON."""
    body = '\ufeff{"ä": 1}'.encode()
    app = WSGIEcho(allowed(("x-a", "1"), ("x-b", "2"), ("access-control-expose-headers", "X-A")), body=body)
    with Page(ORIGIN, app=app) as page:
        response = page.fetch(f"{API}/items#top")
    assert (response.type, response.status, response.ok, response.redirected) == ("cors", 200, True, False)
    assert (str(response.url), response.content, response.text, response.json()) == (
        f"{API}/items",
        body,
        '{"ä": 1}',
        {"ä": 1},
    )
    assert dict(response.headers) == {"x-a": "1"}
    assert response.headers["X-A"] == "1"
    assert set(response.hidden_headers) == {"x-b", "access-control-allow-origin", "access-control-expose-headers"}
    assert repr(response) == "<Response cors 200 https://api.test/items>"
    assert response.exchange is page.exchanges[0]
    assert repr(response.exchange) == "<Exchange main GET https://api.test/items -> 200>"


def test_an_opaque_response_shows_nothing():
    """The server still gets the request of `no-cors`."""
    app = WSGIEcho([("x-a", "1")])
    with Page(ORIGIN, app=app) as page:
        response = page.fetch(f"{API}/items", mode="no-cors", method="POST", content="x")
    assert (response.type, response.status, response.content, str(response.url)) == ("opaque", 0, b"", "")
    assert dict(response.headers) == {}
    assert dict(response.hidden_headers) == {"x-a": "1"}
    assert app.environs[0]["HTTP_ORIGIN"] == ORIGIN


def test_a_no_cors_post_from_https_to_http_has_the_origin_null():
    assert sent("http://api.test/", mode="no-cors", method="POST")[0]["HTTP_ORIGIN"] == "null"


def test_same_origin_mode_blocks_another_origin():
    """no-cors is blocked, too, if it does not follow redirects."""
    with pytest.raises(CORSError) as caught:
        sent(mode="same-origin")
    assert (caught.value.code, caught.value.exchange) == ("DisallowedByMode", None)
    with pytest.raises(CORSError) as caught:
        sent(mode="no-cors", redirect="error")
    assert caught.value.code == "NoCorsRedirectModeNotFollow"


@pytest.mark.parametrize(
    ("policy", "page", "passes"),
    [
        ("same-origin", ORIGIN, False),
        ("same-site", ORIGIN, False),
        ("same-site", "https://www.api.test", True),
        ("same-site", "http://www.api.test", False),
        ("same-site", "null", False),
        ("same-origin", API, True),
        ("cross-origin", ORIGIN, True),
        ("SAME-ORIGIN", ORIGIN, True),
    ],
)
def test_a_resource_policy_blocks_opaque_responses(policy, page, passes):
    """It is not a CORSError."""
    with Page(page, app=WSGIEcho([("cross-origin-resource-policy", policy)])) as opened:
        if passes:
            assert opened.fetch(f"{API}/items", mode="no-cors").type in {"opaque", "basic"}
        else:
            with pytest.raises(NetworkError, match="resource-policy"):
                opened.fetch(f"{API}/items", mode="no-cors")


def test_a_resource_policy_never_blocks_the_pages_own_origin():
    """Also not after a redirect."""

    def app(environ, start_response):
        home = environ["HTTP_HOST"] == "app.example.com"
        headers = [("cross-origin-resource-policy", "same-origin"), ("location", ORIGIN)]
        start_response("200 OK" if home else "302 Found", headers[:1] if home else headers[1:])
        return []

    with Page(ORIGIN, app=app) as page:
        assert page.fetch(API, mode="no-cors").type == "opaque"


def test_webkit_counts_localhost_and_its_subdomains_as_one_site():
    """For the resource policy."""
    app = WSGIEcho([("cross-origin-resource-policy", "same-site")])
    with Page("http://localhost:8000", app=app, engine="webkit") as page:
        assert page.fetch("http://api.localhost/", mode="no-cors").type == "opaque"
    with Page("http://localhost:8000", app=app) as page, pytest.raises(NetworkError):
        page.fetch("http://api.localhost/", mode="no-cors")


@pytest.mark.parametrize(
    ("url", "site"),
    [(API, "cross-site"), ("https://api.example.com", "same-site"), (f"{ORIGIN}/items", "same-origin")],
)
def test_fetch_metadata_and_referer_describe_the_page(url, site):
    """A server may rely on Sec-Fetch-Site."""
    environ, _ = sent(url)
    assert environ["HTTP_SEC_FETCH_SITE"] == site
    assert environ["HTTP_SEC_FETCH_MODE"] == "cors"
    assert environ["HTTP_REFERER"] == f"{ORIGIN}/"


def test_an_untrustworthy_url_gets_neither_fetch_metadata_nor_referer():
    """For example, http to another machine."""
    environ, _ = sent("http://api.test/")
    assert {"HTTP_SEC_FETCH_SITE", "HTTP_REFERER"}.isdisjoint(environ)


def test_a_sandboxed_page_is_cross_site_to_every_url():
    """It has no Referer."""
    app = WSGIEcho([("access-control-allow-origin", "null")])
    with Page("null", app=app) as page:
        page.fetch("http://127.0.0.1/")
    assert app.environs[0]["HTTP_SEC_FETCH_SITE"] == "cross-site"
    assert "HTTP_REFERER" not in app.environs[0]


@pytest.mark.parametrize(
    ("engine", "outcome"),
    [
        ("standard", [b"ab"]),
        ("chromium", NetworkError),
        ("firefox", [b"[object ReadableStream]"]),
        ("webkit", ScriptError),
    ],
)
def test_engines_send_stringify_or_refuse_streams(engine, outcome):
    """Only the standard sends them over HTTP/1.1."""
    app = WSGIEcho(ALL)
    with Page(ORIGIN, app=app, engine=engine) as page:
        if isinstance(outcome, list):
            page.fetch(API, method="POST", content=iter([b"a", b"b"]))
            assert [environ["body"] for environ in app.environs if environ["REQUEST_METHOD"] == "POST"] == outcome
        else:
            with pytest.raises(outcome, match=engine):
                page.fetch(API, method="POST", content=iter([b"a", b"b"]))


def test_firefox_sends_a_stream_with_the_content_type_of_the_script():
    """Firefox sends the stream as text."""
    environ, _ = sent(
        engine="firefox", method="POST", content=iter([b"a"]), headers=[("content-type", "application/x-ndjson")]
    )
    assert environ["CONTENT_TYPE"] == "application/x-ndjson"


def test_a_stream_is_not_sent_twice():
    """A redirect that repeats the body fails."""

    def app(environ, start_response):
        redirect = environ["REQUEST_METHOD"] == "POST"
        start_response("307 Temporary Redirect" if redirect else "200 OK", [*ALL, ("location", "/else")])
        return []

    with Page(ORIGIN, app=app) as page, pytest.raises(RedirectError, match="only once"):
        page.fetch(API, method="POST", content=iter([b"a"]))


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://", "not a URL"),
        ("ftp://api.test/", "not an http or https URL"),
        ("data:,x", "not an http or https URL"),
    ],
)
def test_an_invalid_location_is_a_redirect_error(location, reason):
    """The message says why."""
    app = WSGIEcho(allowed(("location", location)), status="302 Found")
    with Page(ORIGIN, app=app) as page, pytest.raises(RedirectError, match=reason) as caught:
        page.fetch(API)
    assert caught.value.exchange.problem


@pytest.mark.parametrize("location", ["/é", "/%C3%A9", "/\u00c3\u00a9"])
def test_a_location_may_have_non_ascii_characters(location):
    """They are decoded as UTF-8, or as latin-1 if they are not UTF-8."""
    headers = allowed(("location", location))

    def app(environ, start_response):
        done = environ["PATH_INFO"] != "/"
        start_response("200 OK" if done else "302 Found", headers)
        return [environ["PATH_INFO"].encode("latin-1")]

    with Page(ORIGIN, app=app) as page:
        assert page.fetch(API).text == "/é"


def test_endless_redirects_end_in_a_redirect_error():
    """After `follow` redirects."""
    app = WSGIEcho(allowed(("location", "/again")), status="302 Found")
    with Page(ORIGIN, app=app, follow=3) as page, pytest.raises(RedirectError, match="the page follows 3"):
        page.fetch(API)
    assert len(app.environs) == 4


@pytest.mark.parametrize(
    ("engine", "second", "message"),
    [
        ("standard", "/a", "2 Location headers"),
        ("webkit", "/a", "2 Location headers"),
        ("chromium", "/a", "the page follows 20"),
        ("firefox", "/a", "the page follows 20"),
        ("chromium", "/b", "several lines of location"),
        ("firefox", "/b", "several lines of location"),
    ],
)
def test_two_equal_locations_are_followed_by_chromium_and_firefox_only(engine, second, message):
    """They fail in the standard and in WebKit."""
    app = WSGIEcho(allowed(("location", "/a"), ("location", second)), status="302 Found")
    with Page(ORIGIN, app=app, engine=engine) as page, pytest.raises(NetworkError, match=message):
        page.fetch(API)


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("origin", "https://app.example.com/", "Write 'https://app.example.com'"),
        ("origin", "https://app.example.com:443", "Write 'https://app.example.com'"),
        ("origin", "HTTPS://app.example.com", "Write 'https://app.example.com'"),
        ("origin", "file:///index.html", "Write 'null'"),
        ("origin", "app.example.com", "not a URL"),
        ("engine", "netscape", "'standard', 'chromium', 'firefox', 'webkit'"),
        ("cookies", {"nowhere": ["a=1"]}, "not a URL"),
    ],
)
def test_a_wrong_option_of_the_page_is_a_value_error_with_the_correction(option, value, hint):
    options = {"origin": ORIGIN, option: value}
    with pytest.raises((ValueError, ScriptError), match=hint):
        Page(**options)


def test_a_page_accepts_a_custom_engine():
    environ, page = sent(engine=Engine(name="odd", forbids_user_agent=True), headers={"user-agent": "me"})
    assert repr(page) == "<Page https://app.example.com (odd)>"
    assert environ["HTTP_USER_AGENT"] != "me"


@pytest.mark.parametrize("origin", ["capacitor://localhost", "chrome-extension://abc", "app://-", "null"])
def test_an_app_or_extension_has_an_origin_of_its_own(origin):
    """Its pages send this origin, every URL is cross-origin to them, and a response that allows it passes."""
    with Page(origin, app=WSGIEcho([("access-control-allow-origin", origin)])) as page:
        response = page.fetch(API)
        assert response.type == "cors"
        assert page.exchanges[0].request.headers["origin"] == origin
