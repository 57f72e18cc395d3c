"""The middleware's own responses: a 403 or 500 on HEAD, and the 500 for an app that raises late."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import Response, call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.expected import APP, EVIL, VARY, origin_line

ONE: dict[str, Any] = {"allow_origins": APP}
CRASH = b"Internal Server Error"
HEADERS = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(CRASH)))]
GRANTED = [*HEADERS, ("access-control-allow-origin", APP), ("vary", "Origin")]

Calls = list[tuple[Any, ...]]


class Server:
    """A server's `start_response`, which stores each call and the bytes of the body."""

    def __init__(self) -> None:
        """Start without a call."""
        self.calls: Calls = []
        self.written: list[bytes] = []

    def __call__(self, *args: Any) -> Callable[[bytes], None]:
        """Store the arguments. The returned `write` stores its bytes."""
        self.calls.append(args)
        return self.written.append


# -- HEAD


@pytest.mark.parametrize(("origin", "raises"), [(EVIL, None), (APP, LookupError("x"))], ids=["403", "500"])
def test_a_response_to_head_has_a_content_length_but_no_body(serve: Any, origin: str, raises: Exception | None) -> None:
    """A body would break the next response on the connection (RFC 9110, 9.3.2)."""
    client = serve(app=App(raises=raises), enforce=True, **ONE)
    get, head = (client.request(method, origin=origin, headers=[("host", "api.test")]) for method in ("GET", "HEAD"))
    assert (get.status, bool(get.body)) == (500 if raises else 403, True)
    assert (head.status, head.lines, head.body, head.raised) == (get.status, get.lines, b"", raises)
    assert head.values("content-length") == [str(len(get.body))]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_crash_on_head_has_no_body_even_if_the_app_overwrites_the_method(lazy: bool) -> None:
    """Some apps serve HEAD as GET."""

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        del receive, send
        scope["method"] = "GET"
        raise LookupError

    def raising(environ: Any) -> Iterator[bytes]:
        environ["REQUEST_METHOD"] = "GET"
        raise LookupError
        yield b""

    def wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
        del start_response
        return raising(environ) if lazy else list(raising(environ))

    head = call_asgi(CORSMiddleware(asgi, **ONE), http_scope("HEAD", "/", []))
    assert (head.status, head.body) == (500, b"")
    head = get(wsgi, "HEAD")
    assert (head.status, head.body) == (500, b"")


def test_an_empty_piece_sends_the_headers_of_a_crash_on_head() -> None:
    """Some servers send headers with the first piece, and the exception follows."""
    server, error = Server(), LookupError()
    body = WSGIMiddleware(App(raises=error).wsgi, **ONE)(wsgi_environ("HEAD", "/", [("origin", APP)]), server)
    with pytest.raises(LookupError):
        list(body)
    assert (server.calls, server.written) == ([("500 Internal Server Error", GRANTED)], [b""])


def test_a_crash_on_head_works_if_start_response_returns_nothing() -> None:
    """Many tests of apps pass such a function."""
    calls: Calls = []

    def start_response(*args: Any) -> Any:
        calls.append(args)

    body = WSGIMiddleware(App(raises=LookupError()).wsgi, **ONE)(wsgi_environ("HEAD", "/", []), start_response)
    assert next(iter(body)) == b""
    assert len(calls) == 1


# -- exc_info


@pytest.mark.parametrize("started", [False, True])
def test_exc_info_is_passed_only_to_replace_a_start(started: bool) -> None:
    """If no response was started, uWSGI drops the body of a response with exc_info."""
    server, error = Server(), LookupError()
    environ = wsgi_environ("GET", "/", [("origin", APP)])
    body = WSGIMiddleware(App(raises=error, late=started).wsgi, **ONE)(environ, server)
    assert next(iter(body)) == CRASH
    status, headers, *exc_info = server.calls[-1]
    assert (status, headers, len(server.calls)) == ("500 Internal Server Error", GRANTED, 1 + started)
    assert [info[1] for info in exc_info] == [error] * started


# -- an app that returns before it starts its response


class Lazy:
    """An app whose iterable starts the response, or raises, when its first piece is requested."""

    def __init__(self, *, before: Exception | None = None, after: Exception | None = None) -> None:
        """Raise `before` the response starts, or `after` its first piece."""
        self.before, self.after = before, after
        self.closed = 0
        self.config: dict[str, bool] = {}

    def wsgi_app(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Return an iterable with a `close` that counts."""
        del environ
        return LazyBody(self, start_response)

    def pieces(self, start_response: Any) -> Iterator[bytes]:
        """Yield the body."""
        if self.before:
            raise self.before
        start_response("200 OK", [("content-type", "text/plain")])
        yield b"a"
        if self.after:
            raise self.after
        yield b"b"


class LazyBody:
    """An iterator with a `close` method, as werkzeug's `ClosingIterator`."""

    def __init__(self, app: Lazy, start_response: Any) -> None:
        """Start before the first piece."""
        self.app, self.pieces = app, app.pieces(start_response)

    def __iter__(self) -> Iterator[bytes]:
        """Return the iterator itself."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        return next(self.pieces)

    def close(self) -> None:
        """Count the calls."""
        self.app.closed += 1


def get(app: Any, method: str = "GET", **options: Any) -> Response:
    return call_wsgi(WSGIMiddleware(app, **(options or ONE)), wsgi_environ(method, "/", [("origin", APP)]))


def test_a_lazy_app_gets_the_headers_and_is_closed_once() -> None:
    app = Lazy()
    answer = get(app.wsgi_app)
    assert (answer.status, answer.body, app.closed) == (200, b"ab", 1)
    assert answer.lines == sorted(["content-type: text/plain", VARY, origin_line(APP)])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_lazy_app_that_raises_gets_a_500_that_the_page_can_read(method: str) -> None:
    """The exception is raised on to the server."""
    app = Lazy(before=LookupError())
    answer = get(app.wsgi_app, method)
    assert (answer.status, answer.headers, answer.raised) == (500, GRANTED, app.before)
    assert (answer.body, app.closed) == (CRASH if method == "GET" else b"", 1)


def test_a_generator_that_raises_gets_a_500() -> None:

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        raise LookupError
        yield b""

    answer = get(app)
    assert (answer.status, answer.headers, answer.body) == (500, GRANTED, CRASH)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("pieces", [[], [b""], [b"", b""]], ids=["none", "an empty piece", "two empty pieces"])
def test_a_generator_that_raises_before_its_body_gets_a_500(method: str, pieces: list[bytes]) -> None:
    """Nothing is sent before the first piece that isn't empty (PEP 3333), so the app's start can be replaced."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("content-length", "1")])
        yield from pieces
        raise LookupError

    server = Server()
    body = WSGIMiddleware(app, **ONE)(wsgi_environ(method, "/", [("origin", APP)]), server)
    sent: list[bytes] = []
    with pytest.raises(LookupError) as caught:
        sent.extend(body)
    status, headers, *exc_info = server.calls[-1]
    assert (len(server.calls), status, headers) == (2, "500 Internal Server Error", GRANTED)
    assert [info[1] for info in exc_info] == [caught.value]
    assert b"".join(sent) == (CRASH if method == "GET" else b"")


def test_an_exception_after_the_first_piece_is_raised_on_without_a_note() -> None:
    """The page could read the response, so it sees no CORS error."""
    app = Lazy(after=LookupError())
    answer = get(app.wsgi_app)
    assert (answer.status, answer.body, answer.raised, app.closed) == (200, b"a", app.after, 1)
    assert not hasattr(app.after, "__notes__")


def test_a_lazy_apps_exception_gets_a_note_instead_of_a_500_if_flask_propagates_it() -> None:
    app = Lazy(before=LookupError())
    app.config["PROPAGATE_EXCEPTIONS"] = True
    answer = get(app.wsgi_app)
    assert (answer.status, answer.raised, app.closed) == (None, app.before, 1)
    assert "CORS" in str(getattr(app.before, "__notes__", ""))


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_base_exception_of_a_lazy_app_gets_no_response(kind: type[BaseException]) -> None:

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        raise kind
        yield b""

    answer = get(app)
    assert (answer.status, type(answer.raised)) == (None, kind)


def test_a_lazy_app_that_is_not_iterated_is_closed() -> None:
    """A server does so if the client has disconnected."""
    app = Lazy()
    body: Any = WSGIMiddleware(app.wsgi_app, **ONE)(wsgi_environ("GET", "/", []), Server())
    body.close()
    assert app.closed == 1


def test_an_iterable_without_close_can_be_closed() -> None:
    """`close` is optional (PEP 3333)."""
    body: Any = WSGIMiddleware(lambda _environ, _start: iter(()), **ONE)(wsgi_environ("GET", "/", []), Server())
    body.close()
    assert list(body) == []


def test_a_list_is_returned_unchanged() -> None:
    """Its iteration cannot raise, and servers use its length."""
    pieces = [b""]
    environ = wsgi_environ("GET", "/", [])
    assert WSGIMiddleware(lambda _environ, _start: pieces, **ONE)(environ, Server()) is pieces


def test_an_exception_of_a_lazy_app_without_a_policy_gets_no_response() -> None:
    app = Lazy(before=LookupError())
    answer = get(app.wsgi_app, paths={"/*": None}, **ONE)
    assert (answer.status, answer.raised) == (None, app.before)


def test_a_lazy_app_in_two_middlewares_gets_one_500() -> None:
    """The outer middleware sends it."""
    app = Lazy(before=LookupError())
    answer = get(WSGIMiddleware(app.wsgi_app, **ONE))
    assert (answer.status, answer.headers, answer.body, app.closed) == (500, GRANTED, CRASH, 1)
