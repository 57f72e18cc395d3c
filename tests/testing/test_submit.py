"""Forms: their bodies by the HTML standard, their redirects, the page after them, and the mistakes of a test."""

from __future__ import annotations

import email.parser
import email.policy
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from asgi_cors.testing import AsyncPage, FetchTimeout, Navigation, NetworkError, Page, RedirectError, ScriptError
from tests.support.page_apps import API, ORIGIN, ASGIEcho, WSGIEcho

Handler = Callable[[httpx.Request], httpx.Response]


def opened(*responses: httpx.Response | Exception, origin: str = ORIGIN, **options: Any) -> tuple[Page, list[Any]]:
    """Return a page whose requests get these responses in turn, and the list of its requests."""
    received: list[httpx.Request] = []
    following = iter(responses or [httpx.Response(200, text="ok")])

    def handle(request: httpx.Request) -> httpx.Response:
        request.read()
        received.append(request)
        response = next(following)
        if isinstance(response, Exception):
            raise response
        return response

    return Page(origin, transport=httpx.MockTransport(handle), **options), received


def body_of(data: Any, enctype: str = "application/x-www-form-urlencoded") -> tuple[str, bytes]:
    """Submit a form, and return its Content-Type and its body."""
    page, received = opened()
    page.submit(API, data=data, enctype=enctype)
    return received[0].headers["content-type"], received[0].content


@pytest.mark.parametrize(
    ("data", "body"),
    [
        ({}, b""),
        ((), b""),
        ({"amount": "100", "to": "me"}, b"amount=100&to=me"),
        ([("a", "1"), ("a", "2")], b"a=1&a=2"),
        ({"a": ["1", "2"]}, b"a=1&a=2"),
        ({"a b": "c&d=é"}, b"a+b=c%26d%3D%C3%A9"),
        ({"a": "*-._~!'()"}, b"a=*-._%7E%21%27%28%29"),
        ({"a": "1\n2\r3\r\n4"}, b"a=1%0D%0A2%0D%0A3%0D%0A4"),
        ({"a": "\ud800"}, b"a=%EF%BF%BD"),
        ({"file": ("a.txt", b"content")}, b"file=a.txt"),
    ],
)
def test_a_form_is_urlencoded_by_default(data: Any, body: bytes) -> None:
    """A line break is sent as CR LF, and a file by its name."""
    assert body_of(data) == ("application/x-www-form-urlencoded", body)


def test_a_plain_form_has_a_line_for_each_entry() -> None:
    data = {"a": "1 & 2", "b": "x\ny", "file": ("a.txt", b"content")}
    assert body_of(data, "text/plain") == ("text/plain", b"a=1 & 2\r\nb=x\r\ny\r\nfile=a.txt\r\n")


def test_a_multipart_form_has_text_and_files() -> None:
    """Python's own parser reads it."""
    data = [("a", "1\n2"), ("f", ("a.txt", b"\x00\n\xff", "text/plain")), ("f", ("b", b""))]
    kind, body = body_of(data, "multipart/form-data")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + body
    )
    parts = [(part["content-disposition"], part.get_content_type()) for part in message.iter_parts()]
    assert parts == [
        ('form-data; name="a"', "text/plain"),
        ('form-data; name="f"; filename="a.txt"', "text/plain"),
        ('form-data; name="f"; filename="b"', "application/octet-stream"),
    ]
    boundary = kind.partition("boundary=")[2].encode()
    assert body.split(b"--" + boundary)[1:3] == [
        b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n2\r\n',
        (
            b'\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\n\x00\n\xff\r\n"
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("", b"application/octet-stream"), ("TEXT/Plain; A=B", b"text/plain; a=b"), ("é/x", b"application/octet-stream")],
)
def test_a_files_type_is_that_of_the_file_api(kind: str, sent: bytes) -> None:
    """In lower case. Without a valid one, Chromium and Firefox send application/octet-stream."""
    _, body = body_of({"f": ("a", b"", kind)}, "multipart/form-data")
    assert b"\r\nContent-Type: " + sent + b"\r\n\r\n" in body


def test_names_in_a_multipart_form_are_escaped() -> None:
    """HTML, multipart/form-data encoding algorithm. The line break of a name becomes CR LF, that of a file does not."""
    _, body = body_of({'a"\n': ('b"\r', b"")}, "multipart/form-data")
    assert b'name="a%22%0D%0A"; filename="b%22%0D"' in body


def test_the_entries_of_a_get_form_replace_the_query() -> None:
    """The encoding type has no meaning then, and there is neither a body nor an Origin."""
    page, received = opened()
    result = page.submit(f"{API}/search?old=1#part", method="get", data={"q": "a b"}, enctype="text/plain")
    (request,) = received
    assert (request.method, str(request.url), request.content) == ("GET", f"{API}/search?q=a+b", b"")
    assert {"origin", "content-type", "content-length"}.isdisjoint(request.headers)
    assert result.url == page.url == httpx.URL(f"{API}/search?q=a+b")


def test_a_form_is_a_navigation() -> None:
    """The headers are those of a document."""
    page, received = opened()
    page.submit(API)
    headers = received[0].headers
    assert headers["accept"].startswith("text/html,")
    assert headers["sec-fetch-mode"] == "navigate"
    assert headers["sec-fetch-dest"] == "document"
    assert headers["sec-fetch-site"] == "cross-site"
    assert headers["origin"] == ORIGIN
    assert [exchange.kind for exchange in page.exchanges] == ["navigation"]


@pytest.mark.parametrize(
    ("engine", "by_user", "value"), [("browsers", True, "?1"), ("browsers", False, None), ("webkit", True, None)]
)
def test_a_users_form_has_sec_fetch_user(engine: str, by_user: bool, value: str | None) -> None:
    """WebKit never sends it."""
    page, received = opened(engine=engine)
    page.submit(API, by_user=by_user)
    assert received[0].headers.get("sec-fetch-user") == value


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"a=1"), (308, "POST", b"a=1")],
)
def test_a_redirect_repeats_the_form_or_becomes_get(status: int, method: str, body: bytes) -> None:
    page, received = opened(httpx.Response(status, headers={"location": "/done"}), httpx.Response(200))
    result = page.submit(API, data={"a": "1"})
    assert (received[1].method, received[1].content, "content-type" in received[1].headers) == (
        method,
        body,
        method == "POST",
    )
    assert (result.redirected, str(result.url), [exchange.response.status_code for exchange in result.exchanges]) == (
        True,
        f"{API}/done",
        [status, 200],
    )


def test_the_test_sees_the_whole_response() -> None:
    """CORS hides nothing from the test."""
    headers = {"content-type": "application/json; charset=utf-8", "set-cookie": "a=1", "x-secret": "2"}
    page, _ = opened(httpx.Response(403, headers=headers, text='{"é": 1}'))
    result = page.submit(API)
    assert (result.status, result.ok, result.redirected) == (403, False, False)
    assert result.headers["x-secret"] == "2"
    assert result.headers["set-cookie"] == "a=1"
    assert result.json() == {"é": 1}
    assert result.text == '{"é": 1}'
    assert result.content == '{"é": 1}'.encode()
    assert result.exchange is result.exchanges[-1] is page.exchanges[-1]
    assert repr(result) == f"<Navigation 403 {API}/>"


def test_the_page_is_then_at_the_final_url() -> None:
    """Its next fetch is same-origin there, and relative URLs are resolved against the new URL."""
    redirect = httpx.Response(303, headers={"location": "/orders/5/thanks"})
    page, received = opened(redirect, httpx.Response(200), httpx.Response(200))
    page.submit(f"{API}/pay")
    assert (page.origin, page.url) == (API, httpx.URL(f"{API}/orders/5/thanks"))
    assert page.fetch("status").type == "basic"
    assert str(received[2].url) == f"{API}/orders/5/status"
    assert received[2].headers["referer"] == f"{API}/orders/5/thanks"
    assert received[2].headers["sec-fetch-site"] == "same-origin"


def test_a_base_url_outlives_the_navigation() -> None:
    page, received = opened(httpx.Response(200), httpx.Response(200), base_url=API)
    page.submit("https://other.test/x")
    page.submit("/y")
    assert [str(request.url) for request in received] == ["https://other.test/x", f"{API}/y"]
    assert received[1].headers["origin"] == "https://other.test"


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(204),
        httpx.Response(205),
        httpx.Response(200, headers={"content-disposition": 'Attachment; filename="a"'}),
    ],
    ids=["204", "205", "download"],
)
def test_a_response_without_a_document_does_not_move_the_page(response: httpx.Response) -> None:
    page, _ = opened(response)
    result = page.submit(f"{API}/x")
    assert (page.origin, page.url) == (ORIGIN, httpx.URL(f"{ORIGIN}/"))
    assert result.url == httpx.URL(f"{API}/x")


@pytest.mark.parametrize(
    ("policy", "origin"),
    [
        ("sandbox", "null"),
        ("default-src 'self'; SANDBOX allow-forms", "null"),
        ("default-src 'self', sandbox", "null"),
        ("sandbox allow-scripts allow-same-origin", API),
        ("default-src 'self'", API),
    ],
)
def test_a_sandboxing_response_makes_the_origin_null(policy: str, origin: str) -> None:
    page, _ = opened(httpx.Response(200, headers={"content-security-policy": policy}))
    page.submit(API)
    assert page.origin == origin
    assert (page.url is None) is (origin == "null")


@pytest.mark.parametrize(
    ("header", "origin"),
    [("no-referrer", "null"), ("no-referrer, unknown", "null"), ("unknown", API), ("no-referrer, origin", API)],
)
def test_the_new_page_has_the_policy_of_its_response(header: str, origin: str) -> None:
    """The last known policy counts."""
    page, received = opened(httpx.Response(200, headers={"referrer-policy": header}), httpx.Response(200))
    page.submit(API)
    page.submit(API)
    assert received[1].headers["origin"] == origin
    assert received[1].headers["sec-fetch-site"] == "same-origin"


def test_the_policy_of_the_page_ends_with_the_page() -> None:
    page, received = opened(httpx.Response(200), httpx.Response(200), origin=API, referrer_policy="no-referrer")
    page.submit(API)
    page.submit(API)
    assert [request.headers["origin"] for request in received] == ["null", API]


def test_a_very_long_url_is_not_sent_as_referer() -> None:
    """Referrer Policy: more than 4096 characters are cut to the origin."""
    page, received = opened(httpx.Response(200), httpx.Response(200))
    page.submit(f"{API}/{'x' * 4096}", method="GET")
    page.submit(API)
    assert received[1].headers["referer"] == f"{API}/"


@pytest.mark.parametrize(
    ("engine", "page", "url", "referer"),
    [
        ("standard", "http://localhost:8000", "http://api.test", None),
        ("browsers", "http://localhost:8000", "http://api.test", "http://localhost:8000/"),
        ("standard", ORIGIN, "http://localhost:8000", f"{ORIGIN}/"),
        ("browsers", ORIGIN, "http://localhost:8000", None),
        ("browsers", "null", API, None),
    ],
)
def test_browsers_compare_schemes_for_a_downgrade(engine: str, page: str, url: str, referer: str | None) -> None:
    """By the standard, loopback is as trustworthy as https."""
    opened_page, received = opened(origin=page, engine=engine)
    opened_page.submit(url)
    assert received[0].headers.get("referer") == referer


NEW, OLD = 0.0, 121.0


@pytest.mark.parametrize(
    ("engine", "age", "sent"),
    [
        ("browsers", NEW, "plain=1"),
        ("browsers", OLD, None),
        ("chromium", NEW, "plain=1"),
        ("chromium", OLD, None),
        ("firefox", OLD, "plain=1"),
        ("webkit", OLD, "plain=1"),
        ("standard", NEW, None),
    ],
)
def test_chromium_sends_a_new_cookie_without_samesite_with_a_form_of_another_site(
    engine: str, age: float, sent: str | None
) -> None:
    """For two minutes. The others send it always."""
    now = [0.0]
    cookies = {API: ["plain=1", "lax=1; SameSite=Lax", "strict=1; SameSite=Strict"]}
    page, received = opened(engine=engine, cookies=cookies, clock=lambda: now[0])
    now[0] = age
    page.submit(API)
    assert received[0].headers.get("cookie") == sent


@pytest.mark.parametrize(("value", "sent"), [("plain=1", None), ("plain=2", "plain=2")])
def test_only_a_new_value_renews_a_cookie(value: str, sent: str | None) -> None:
    """Chromium inherits the creation time of an equal cookie."""
    now = [0.0]
    page, received = opened(engine="chromium", cookies={API: "plain=1"}, clock=lambda: now[0])
    now[0] = 121
    page.cookies.visit(API, [value])
    page.submit(API)
    assert received[0].headers.get("cookie") == sent


@pytest.mark.parametrize("engine", ["standard", "chromium", "firefox", "webkit"])
def test_a_form_of_another_site_sends_samesite_none_and_stores_every_cookie(engine: str) -> None:
    """The response is that of a top-level page, so its cookies are not those of a third party."""
    lines = [("set-cookie", "a=1; SameSite=Strict"), ("set-cookie", "b=2"), ("set-cookie", "c=3; SameSite=Lax")]
    page, received = opened(
        httpx.Response(200, headers=lines), engine=engine, cookies={API: "n=0; SameSite=None; Secure"}
    )
    page.submit(API)
    assert received[0].headers["cookie"] == "n=0"
    assert dict(page.cookies) == {"n": "0", "a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "PUT"}, "method='PUT' is not a form's. Write 'GET' or 'POST', or use fetch()."),
        ({"method": None}, "method=None is not a form's."),
        ({"enctype": "application/json"}, "enctype='application/json' is not known. Write one of "),
        ({"enctype": ["text/plain"]}, "enctype=['text/plain'] is not known."),
        ({"data": "a=1"}, "data='a=1' is not a mapping of names to values. Write data={'name': 'value'}, or pairs."),
        ({"data": None}, "data=None is not a mapping"),
        ({"data": 5}, "data=5 is not a mapping"),
        ({"data": [("a",)]}, "is not a mapping"),
        ({"data": ["ab"]}, "data=['ab'] is not a mapping of names to values."),
        ({"data": {"": "1"}}, "'' is not the name of an entry. Browsers send entries with a name only."),
        ({"data": {1: "1"}}, "1 is not the name of an entry."),
        ({"data": {"a": 5}}, "'a' has the value 5. Write text, a list of text, or a file"),
        ({"data": {"a": ("x",)}}, "'a' has the value ('x',)."),
        ({"data": {"a": ("x", "y")}}, "'a' has the value ('x', 'y')."),
        ({"data": {"a": ("x", b"", "text/plain", 1)}}, "'a' has the value ('x', b'', 'text/plain', 1)."),
        ({"by_user": "no"}, "by_user='no' is not True or False. Write by_user=False."),
        ({"headers": {}}, "submit() has no option 'headers'. A form has no such option: it is an option of fetch()."),
        ({"content": b""}, "submit() has no option 'content'. Write data={'name': 'value'}."),
        ({"files": {}}, "Write data={'file': ('name.txt', b'content', 'text/plain')}, enctype='multipart/form-data'."),
        ({"referrer_policy": "origin"}, "It is an option of the page: write Page(..., referrer_policy=...)."),
        ({"enctyp": ""}, "submit() has no option 'enctyp'. Did you mean 'enctype'?"),
        ({"timeout": "5"}, "timeout='5' is not a number of seconds."),
    ],
)
def test_a_mistake_raises_a_script_error_and_sends_nothing(options: Any, message: str) -> None:
    """The message has the correction."""
    page, received = opened()
    with pytest.raises(ScriptError, match=re.escape(message)):
        page.submit(API, **options)
    assert (received, page.origin) == ([], ORIGIN)


@pytest.mark.parametrize(
    ("url", "error"),
    [("https://", ScriptError), ("https://me@api.test", ScriptError), (5, ScriptError), ("mailto:me@x", NetworkError)],
)
def test_a_form_has_an_http_url(url: Any, error: type[Exception]) -> None:
    page, received = opened()
    with pytest.raises(error):
        page.submit(url)
    assert received == []


@pytest.mark.parametrize(
    ("location", "message"),
    [("myapp://done", "is not an http or https URL"), ("https://[", "is not a URL")],
)
def test_a_redirect_to_another_scheme_or_nowhere_fails(location: str, message: str) -> None:
    page, _ = opened(httpx.Response(302, headers={"location": location}))
    with pytest.raises(RedirectError, match=message):
        page.submit(API)
    assert page.origin == ORIGIN


def test_the_page_follows_so_many_redirects_only() -> None:
    page, _ = opened(*[httpx.Response(302, headers={"location": "/"})] * 3, follow=2)
    with pytest.raises(RedirectError, match="it is redirect 3; the page follows 2"):
        page.submit(API)


def test_a_user_name_in_a_redirect_is_dropped() -> None:
    page, received = opened(httpx.Response(303, headers={"location": "https://me:x@api.test/"}), httpx.Response(200))
    page.submit(API)
    assert str(received[1].url) == f"{API}/"


def test_a_form_is_repeated_once_after_421() -> None:
    page, received = opened(httpx.Response(421), httpx.Response(200))
    result = page.submit(API, data={"a": "1"})
    assert [request.content for request in received] == [b"a=1", b"a=1"]
    assert (result.status, result.redirected) == (200, False)


def test_chromium_fails_on_407() -> None:
    page, _ = opened(httpx.Response(407), engine="chromium")
    with pytest.raises(NetworkError, match="407"):
        page.submit(API)


def test_an_error_of_the_transport_is_a_network_error() -> None:
    """The page does not move."""
    page, _ = opened(httpx.ConnectError("refused"))
    with pytest.raises(NetworkError, match="refused"):
        page.submit(API)
    assert page.origin == ORIGIN


async def hang(_scope: Any, _receive: Any, _send: Any) -> None:
    """Never respond."""
    import anyio  # noqa: PLC0415 - not there without the extra

    await anyio.sleep_forever()


def test_a_late_response_is_a_timeout(interface: Any) -> None:
    async def main() -> None:
        page = interface.page(ORIGIN, app=hang)
        with pytest.raises(FetchTimeout, match=r"Write a larger timeout=\.$"):  # without stream=, which is of fetch()
            await page.submit(API, timeout=0.05)

    interface.run(main)


def test_a_form_reaches_an_asgi_application(interface: Any) -> None:
    async def main() -> None:
        app = ASGIEcho(body=b"thanks")
        async with interface.page(ORIGIN, app=app, base_url=API) as page:
            result = await page.submit("/pay", data={"amount": "5"})
            assert isinstance(result, Navigation)
            assert (result.status, result.text, page.origin) == (200, "thanks", API)
        assert (app.scopes[0]["method"], app.scopes[0]["path"], app.bodies) == ("POST", "/pay", [b"amount=5"])

    interface.run(main)


def test_a_form_reaches_a_wsgi_application() -> None:
    app = WSGIEcho()
    with Page(ORIGIN, app=app) as page:
        assert page.submit(API, data={"amount": "5"}).text == "ok"
    assert (app.environs[0]["CONTENT_TYPE"], app.environs[0]["body"]) == (
        "application/x-www-form-urlencoded",
        b"amount=5",
    )


class Thanks(BaseHTTPRequestHandler):
    """Redirects a form, then thanks."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(303)
        self.send_header("location", "/thanks")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Thanks) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_form_reaches_a_live_server(interface: Any, server: str) -> None:
    async def main() -> None:
        async with interface.page(ORIGIN) as page:
            result = await page.submit(f"{server}/pay", data={"amount": "5"})
            assert (result.text, str(page.url)) == ("thanks", f"{server}/thanks")

    interface.run(main)


async def test_a_form_that_is_never_awaited_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"page.submit\('https://api.test', ...\) was never awaited"):
        async with AsyncPage(ORIGIN, app=ASGIEcho()) as page:
            page.submit(API).close()


def test_an_unknown_referrer_policy_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"referrer_policy='never' is not known\. Write one of 'no-referrer', "):
        opened(referrer_policy="never")


def test_a_referrer_policy_of_fetch_takes_precedence() -> None:
    """By default it is the page's."""
    page, received = opened(*[httpx.Response(200)] * 2, referrer_policy="no-referrer")
    page.fetch(API, mode="no-cors")
    page.fetch(API, mode="no-cors", referrer_policy="origin")
    assert [request.headers.get("referer") for request in received] == [None, f"{ORIGIN}/"]
    with pytest.raises(ScriptError, match="referrer_policy='never' is not known"):
        page.fetch(API, referrer_policy="never")


@pytest.mark.parametrize(("kind", "sent"), [("application/json", "text/plain;charset=UTF-8"), ("text/plain", None)])
def test_a_no_cors_fetch_has_the_type_of_its_body_if_its_own_is_dropped(kind: str, sent: str | None) -> None:
    page, received = opened()
    page.fetch(API, method="POST", mode="no-cors", headers={"content-type": kind}, content="x")
    assert received[0].headers["content-type"] == (sent or kind)


def test_an_opaque_response_hides_its_redirects() -> None:
    """Its list of URLs is empty. That of an opaque redirect is not."""
    redirect = httpx.Response(302, headers={"location": "/done", "access-control-allow-origin": "*"})
    page, _ = opened(redirect, httpx.Response(200), redirect)
    response = page.fetch(API, mode="no-cors")
    assert (response.type, response.redirected, str(response.url)) == ("opaque", False, "")
    response = page.fetch(f"{API}/x", redirect="manual")
    assert (response.type, response.redirected, str(response.url)) == ("opaqueredirect", False, f"{API}/x")


def test_the_table_shows_the_headers_by_which_servers_recognize_forged_forms() -> None:
    page, _ = opened(httpx.Response(303, headers={"location": "/done"}), httpx.Response(200))
    page.submit(API)
    assert page.table().splitlines() == [
        f"  1  navigation POST {API}/ -> 303",
        f"       > origin: {ORIGIN}",
        "       > sec-fetch-site: cross-site",
        f"       > referer: {ORIGIN}/",
        "       < location: /done",
        f"  2  navigation GET {API}/done -> 200",
        "       > sec-fetch-site: cross-site",
        f"       > referer: {ORIGIN}/",
    ]
