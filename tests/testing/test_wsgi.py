"""A WSGI application in place of a server, and the page without an event loop."""

from __future__ import annotations

import contextvars
import sys
import threading

import pytest

from asgi_cors.testing import CORSError, FetchTimeout, NetworkError, Page, ScriptError
from tests.support.page_apps import API, ORIGIN, WSGIEcho, allowed

HEADERS = allowed()


def fetch(app, path="/items", **init):
    """Fetch once from a page of its own; return the response and the page."""
    with Page(ORIGIN, app=app) as page:
        return page.fetch(f"{API}{path}", **init), page


def starting(*parts, status="200 OK", headers=HEADERS):
    """Return an application that sends these parts."""

    def app(environ, start_response):
        start_response(status, headers)
        return iter(parts)

    return app


def test_the_environ_is_the_one_of_a_server():
    """Path, query, host, body and headers are the ones that a server would pass."""
    app = WSGIEcho(allowed(("access-control-allow-headers", "x-id, content-type")))
    fetch(app, ":8443/a%20b/%C3%A9?q=%20", headers=[("X-Id", "1"), ("X-Id", "2")], method="POST", json={"a": 1})
    environ = app.environs[-1]
    assert environ["PATH_INFO"] == "/a b/é".encode().decode("latin-1")
    assert (environ["QUERY_STRING"], environ["RAW_URI"]) == ("q=%20", "/a%20b/%C3%A9?q=%20")
    assert (environ["wsgi.url_scheme"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("https", "api.test", "8443")
    assert (environ["HTTP_ORIGIN"], environ["HTTP_X_ID"]) == (ORIGIN, "1,2")
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("application/json", "7")
    assert environ["body"] == b'{"a":1}'


@pytest.mark.parametrize(("scheme", "port"), [("http", "80"), ("https", "443")])
def test_the_default_port_depends_on_the_scheme(scheme, port):
    app = WSGIEcho()
    with Page(f"{scheme}://api.test", app=app) as page:
        page.fetch(f"{scheme}://api.test/items")
    assert app.environs[0]["SERVER_PORT"] == port


def test_cookies_are_one_header():
    """They are joined as in RFC 6265."""
    app = WSGIEcho(allowed(("access-control-allow-credentials", "true")))
    with Page(ORIGIN, app=app, cookies={API: "a=1; SameSite=None; Secure"}) as page:
        page.cookies.visit(API, ["b=2; SameSite=None; Secure"])
        page.fetch(API, credentials="include")
    assert app.environs[0]["HTTP_COOKIE"] == "a=1; b=2"


def test_the_body_comes_from_the_iterable_which_is_then_closed():
    """close() is called after the body is read."""
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"", b"a", b"b"])

        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        return Body()

    assert fetch(app)[0].content == b"ab"
    assert closed == [True]


def test_an_exception_of_close_is_recorded_in_the_exchange():
    """A server only logs it."""

    class Body(list):
        def close(self):
            raise LookupError

    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        return Body([b"a"])

    response, page = fetch(app)
    assert response.content == b"a"
    assert isinstance(page.exchanges[0].exception, LookupError)


def test_bytes_of_write_come_before_those_of_the_iterable():
    """`write()` is PEP 3333's older way to send a body."""

    def app(environ, start_response):
        write = start_response("200 OK", HEADERS)
        write(b"a")
        return [b"b"]

    assert fetch(app)[0].content == b"ab"


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
)
def test_head_204_and_304_have_no_body(method, status):
    """The application's body is ignored."""
    app = starting(b"a", b"b", status=status)
    assert fetch(app, method=method)[0].content == b""


def test_an_app_that_raises_becomes_a_500_without_cors_headers():
    """The fetch is blocked as in a browser. The exchange has the exception."""

    def app(environ, start_response):
        raise LookupError("no such item")

    with Page(ORIGIN, app=app) as page, pytest.raises(CORSError) as caught:
        page.fetch(f"{API}/items")
    exchange = caught.value.exchange
    assert (exchange.response.status_code, exchange.response.text) == (500, "Internal Server Error")
    assert str(exchange.exception) == "no such item"
    assert caught.value.__notes__ == ["  the application raised LookupError('no such item')"]


def test_an_app_that_never_calls_start_response_becomes_a_500():
    with pytest.raises(CORSError) as caught:
        fetch(lambda environ, start_response: [])
    assert "start_response" in str(caught.value.exchange.exception)


def test_an_app_that_calls_start_response_twice_becomes_a_500():
    """A second call needs exc_info."""

    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        start_response("200 OK", HEADERS)

    with pytest.raises(CORSError) as caught:
        fetch(app)
    assert isinstance(caught.value.exchange.exception, RuntimeError)


def test_start_response_may_be_called_again_before_the_first_byte():
    """With exc_info, the second head counts."""

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            _ = {}["item"]
        except LookupError:
            start_response("404 Not Found", HEADERS, sys.exc_info())
        return [b"gone"]

    assert fetch(app)[0].status == 404


def test_start_response_after_the_first_byte_raises_its_exception():
    """The head is already sent, so the response is cut short."""

    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        yield b"a"
        try:
            _ = {}["late"]
        except LookupError:
            start_response("500 Error", [], sys.exc_info())

    with pytest.raises(NetworkError) as caught:
        fetch(app)
    assert str(caught.value.exchange.exception) == "'late'"
    assert caught.value.__notes__ == ["  the application raised KeyError('late')"]


@pytest.mark.parametrize("status", ["", "abc", "20 OK", "2000 OK", "OK 200", 200, None, b"200 OK"])
def test_a_malformed_status_line_is_a_network_error(status):
    """A server would not send it."""
    with pytest.raises(NetworkError):
        fetch(starting(b"a", status=status))


@pytest.mark.parametrize("headers", [[("x a", "1")], [("x", "a\nb")], [("x", "€")], [("x", 1)], [("x",)], None])
def test_malformed_headers_are_a_network_error(headers):
    """A server would not send them."""
    with pytest.raises(NetworkError):
        fetch(starting(b"a", headers=headers))


def test_an_endless_response_times_out_and_is_recorded():
    """Its iterable is closed, and its thread ends."""
    left = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        try:
            while True:
                yield b"data: 1\n\n"
        finally:
            left.set()

    with Page(ORIGIN, app=app) as page:
        with pytest.raises(FetchTimeout) as caught:
            page.fetch(f"{API}/events", timeout=0.5)
        assert left.wait(10)
        assert caught.value.exchange is page.exchanges[0]
        assert caught.value.exchange.response.status_code == 200


def test_an_app_that_blocks_times_out_and_the_page_still_works():
    """The page abandons the blocked thread."""
    release = threading.Event()

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/stuck":
            release.wait(30)
        start_response("200 OK", HEADERS)
        return [b"ok"]

    with Page(ORIGIN, app=app) as page:
        with pytest.raises(FetchTimeout):
            page.fetch(f"{API}/stuck", timeout=0.05)
        assert page.fetch(f"{API}/items").content == b"ok"
    release.set()


def test_a_stream_is_read_part_by_part():
    """Even if it is endless."""

    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        while True:
            yield b"data: 1\n\n"

    with Page(ORIGIN, app=app) as page:
        response = page.fetch(f"{API}/events", stream=True)
        parts = response.iter_bytes()
        assert [next(parts), next(parts)] == [b"data: 1\n\n"] * 2


def test_a_stream_can_be_read_whole():
    """Then its `content` is set, as for any other response."""
    with Page(ORIGIN, app=starting(b"a", b"b")) as page:
        response = page.fetch(f"{API}/items", stream=True)
        assert response.read() == response.read() == response.content == b"ab"
        opaque = page.fetch(f"{API}/items", stream=True, mode="no-cors")
        assert opaque.read() == b""


def test_a_late_part_of_a_stream_times_out():
    """The timeout applies to each part."""
    release = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        yield b"1"
        release.wait(30)

    with Page(ORIGIN, app=app) as page:
        response = page.fetch(f"{API}/events", stream=True, timeout=0.5)
        with pytest.raises(FetchTimeout):
            response.read()
        release.set()


def test_a_stream_that_is_cut_short_is_a_network_error():
    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        yield b"1"
        raise LookupError

    with Page(ORIGIN, app=app) as page:
        response = page.fetch(f"{API}/events", stream=True)
        with pytest.raises(NetworkError):
            response.read()


def test_a_blocked_endless_response_is_blocked_at_once():
    """The headers decide. The exchange has the part of the body that arrived."""

    def app(environ, start_response):
        start_response("200 OK", [])
        while True:
            yield b"data: 1\n\n"

    with Page(ORIGIN, app=app) as page, pytest.raises(CORSError) as caught:
        page.fetch(f"{API}/events")
    assert caught.value.exchange.response.content.startswith(b"data: 1\n\n")


def test_an_iterator_is_sent_as_a_stream_after_a_preflight():
    """The application reads it whole."""
    app = WSGIEcho(HEADERS)
    _, page = fetch(app, method="POST", content=iter([b"a", b"b"]))
    assert [exchange.kind for exchange in page.exchanges] == ["preflight", "main"]
    assert app.environs[-1]["body"] == b"ab"


def test_an_exception_of_the_tests_own_iterator_passes_through_the_fetch():
    def parts():
        yield b"a"
        raise LookupError("no more parts")

    with pytest.raises(LookupError, match="no more parts") as caught:
        fetch(WSGIEcho(HEADERS), method="POST", content=parts())
    assert caught.traceback[-1].name == "parts"


def test_a_part_of_a_stream_that_is_not_bytes_is_a_script_error():
    """JavaScript throws a TypeError."""
    with pytest.raises(ScriptError, match="content has the part 'text', which is not bytes"):
        fetch(WSGIEcho(HEADERS), method="POST", content=iter(["text"]))


async def test_a_page_refuses_an_async_iterator_and_names_the_async_page():
    async def parts():
        yield b"a"

    content = parts()
    with Page(ORIGIN, app=WSGIEcho()) as page, pytest.raises(ScriptError, match="AsyncPage"):
        page.fetch(f"{API}/items", method="POST", content=content)
    await content.aclose()


def test_the_app_runs_in_the_callers_context():
    """Context variables have the same values as in the test."""
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    def app(environ, start_response):
        seen.append(variable.get())
        start_response("200 OK", HEADERS)
        return [b""]

    variable.set("set")
    fetch(app)
    assert seen == ["set"]


def test_a_page_uses_one_thread():
    """Objects that are bound to a thread, such as sqlite's connections, work in all requests."""
    threads = []

    def app(environ, start_response):
        threads.append(threading.get_ident())
        start_response("200 OK", HEADERS)
        return [b""]

    with Page(ORIGIN, app=app) as page:
        page.fetch(API)
        page.fetch(API)
    assert len(set(threads)) == 1
