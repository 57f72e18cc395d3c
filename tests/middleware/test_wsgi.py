"""WSGI: `start_response`, the iterable, exceptions and the path."""

import io
import re
import sys
from typing import Any
from wsgiref.util import FileWrapper

import pytest

from asgi_cors import Configuration, Policy, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import Client, Response, call_wsgi, wsgi_environ
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, granted, origin_line

ONE: dict[str, Any] = {"allow_origins": APP}
CLOSED = Policy(allow_origins="https://closed.example.com")
PAIRS = [("Content-Type", "text/plain")]
DECORATED = [*PAIRS, ("access-control-allow-origin", APP), ("vary", "Origin")]
GRANT = sorted([OWN, VARY, origin_line(APP)])


def get(app: Any, origin: str | None = APP, **environ: Any) -> Response:
    """Send GET / through a middleware, without the validator."""
    return call_wsgi(app, {**wsgi_environ("GET", "/", [] if origin is None else [("origin", origin)]), **environ})


class Recorder:
    """A server's `start_response` that stores each call."""

    def __init__(self) -> None:
        """Start without a call."""
        self.calls: list[tuple[Any, ...]] = []
        self.written: list[bytes] = []

    def __call__(self, *args: Any) -> Any:
        """Store the arguments. The returned `write` stores its bytes."""
        self.calls.append(args)
        return self.written.append


class Body:
    """An iterable with a `close` method."""

    def __init__(self) -> None:
        """Start unclosed."""
        self.closed = 0

    def __iter__(self) -> Any:
        """Yield two parts."""
        return iter([b"a", b"b"])

    def close(self) -> None:
        """Count the calls."""
        self.closed += 1


def test_the_apps_iterable_is_returned_unchanged() -> None:
    """The server can call its `close` and `len`."""
    body = Body()

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)
        return body

    recorder = Recorder()
    assert WSGIMiddleware(app, **ONE)(wsgi_environ("GET", "/", [("origin", APP)]), recorder) is body
    assert recorder.calls == [("200 OK", DECORATED)]
    assert body.closed == 0


def test_a_wsgi_file_wrapper_is_returned_unchanged() -> None:

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PAIRS)
        return environ["wsgi.file_wrapper"](io.BytesIO(b"file"))

    environ = {**wsgi_environ("GET", "/", [("origin", APP)]), "wsgi.file_wrapper": FileWrapper}
    recorder = Recorder()
    assert isinstance(WSGIMiddleware(app, **ONE)(environ, recorder), FileWrapper)
    assert recorder.calls == [("200 OK", DECORATED)]


def test_start_response_returns_the_servers_write() -> None:

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)(b"written")
        return []

    recorder = Recorder()
    WSGIMiddleware(app, **ONE)(wsgi_environ("GET", "/", [("origin", APP)]), recorder)
    assert (recorder.written, recorder.calls) == ([b"written"], [("200 OK", DECORATED)])


def test_the_apps_list_of_headers_is_copied_before_it_is_changed() -> None:
    headers = list(PAIRS)
    middleware = WSGIMiddleware(lambda _, start: (start("200 OK", headers), [b""])[1], **ONE)
    assert [get(middleware, origin).lines for origin in (APP, EVIL)] == [GRANT, sorted([OWN, VARY])]
    assert headers == PAIRS


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(tuple(PAIRS), id="a tuple"),
        pytest.param([("x" * 300, "1"), *PAIRS], id="a name of 300 characters"),
    ],
)
def test_headers_as_a_tuple_or_with_a_long_name_get_the_cors_headers(headers: Any) -> None:
    recorder = Recorder()
    middleware = WSGIMiddleware(lambda _, start: (start("200 OK", headers), [])[1], **ONE)
    middleware(wsgi_environ("GET", "/", [("origin", APP)]), recorder)
    assert recorder.calls == [("200 OK", [*headers, *DECORATED[1:]])]


PREFLIGHT = [("origin", APP), ("access-control-request-method", "GET")]


@pytest.mark.parametrize(("method", "fields"), [("GET", PREFLIGHT[:1]), ("OPTIONS", PREFLIGHT)])
def test_a_server_may_change_the_headers_that_it_gets(method: str, fields: Any) -> None:
    """The next response has all headers, also if it is cached."""
    recorder, sent = Recorder(), []
    middleware = WSGIMiddleware(App().wsgi, **ONE)
    for _ in range(3):
        middleware(wsgi_environ(method, "/", fields), recorder)
        sent.append([*recorder.calls[-1][1]])
        recorder.calls[-1][1].clear()
    assert ("access-control-allow-origin", APP) in sent[0]
    assert sent == [sent[0]] * 3


def test_one_policy_serves_preflights_under_asgi_and_wsgi() -> None:
    """Each interface has its own cache."""
    policy = Policy(**ONE)
    asgi, wsgi = Client("asgi", App(), policy), Client("wsgi", App(), policy)
    for client in (asgi, wsgi, asgi, wsgi):
        assert client.preflight(origin=APP).lines == granted(APP)
        assert client.preflight(origin=EVIL).cors == []


def test_the_apps_status_line_is_unchanged() -> None:
    recorder = Recorder()
    WSGIMiddleware(lambda _, start: (start("299 My Own", PAIRS), [])[1], **ONE)(wsgi_environ("GET", "/", []), recorder)
    assert recorder.calls == [("299 My Own", [*PAIRS, ("vary", "Origin")])]


def test_a_second_start_response_with_exc_info_gets_the_headers_and_passes_exc_info_on() -> None:
    """Apps do so for an error page."""
    info: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)
        try:
            {}["key"]
        except KeyError:
            info.append(sys.exc_info())
            start_response("500 Oops", PAIRS, info[0])
        return [b"page"]

    recorder = Recorder()
    WSGIMiddleware(app, **ONE)(wsgi_environ("GET", "/", [("origin", APP)]), recorder)
    assert recorder.calls == [("200 OK", DECORATED), ("500 Oops", DECORATED, info[0])]


def test_a_generator_that_calls_start_response_at_its_first_part_gets_the_headers() -> None:

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)
        yield b"a"

    response = get(WSGIMiddleware(app, **ONE))
    assert (response.lines, response.body) == (GRANT, b"a")


GRANTS = [(APP, [origin_line(APP), CREDENTIALS, VARY]), (EVIL, [VARY]), (None, [VARY])]


@pytest.mark.parametrize(("origin", "cors"), GRANTS, ids=["allowed", "refused", "no Origin"])
def test_an_exception_before_the_response_starts_gets_a_500_and_is_not_lost(
    origin: str | None, cors: list[str]
) -> None:
    """The 500 is plain text, has the policy's headers, and does not show the exception."""
    errors = io.StringIO()
    error = RuntimeError("secret detail")
    response = get(
        WSGIMiddleware(App(raises=error).wsgi, **ONE, allow_credentials=True), origin, **{"wsgi.errors": errors}
    )
    assert (response.status, [line for line in response.lines if not line.startswith("content-")]) == (
        500,
        sorted(cors),
    )
    assert response.values("content-type")[0].startswith("text/plain")
    assert b"secret" not in response.body
    assert response.raised is error or "secret detail" in errors.getvalue()


def test_an_exception_after_start_response_but_before_the_first_part_gets_a_500() -> None:
    """`start_response` alone sends nothing."""
    response = get(WSGIMiddleware(App(raises=RuntimeError(), late=True).wsgi, **ONE))
    assert (response.status, response.cors) == (500, [origin_line(APP)])


def test_an_exception_after_the_first_part_is_only_raised_on() -> None:
    error = RuntimeError()

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)
        yield b"a"
        raise error

    response = get(WSGIMiddleware(app, **ONE))
    assert (response.raised, response.status, response.lines) == (error, 200, GRANT)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_base_exception_gets_no_response(kind: type[BaseException]) -> None:
    error = kind()
    response = get(WSGIMiddleware(App(raises=error).wsgi, **ONE))
    assert (response.raised, response.status) == (error, None)
    assert get(WSGIMiddleware(App(raises=Exception()).wsgi, **ONE)).status == 500


def test_an_exception_on_a_path_without_a_policy_gets_no_response() -> None:
    error = RuntimeError()
    response = get(WSGIMiddleware(App(raises=error).wsgi, paths={"/*": None}, **ONE))
    assert (response.raised, response.status) == (error, None)


@pytest.mark.parametrize(
    ("path", "lines"),
    [("/ümlaut/a", sorted([OWN, origin_line("*")])), ("/日本", sorted([OWN, origin_line("*")])), ("/umlaut/a", GRANT)],
)
def test_the_path_is_decoded_as_utf8(path: str, lines: list[str]) -> None:
    """PEP 3333 passes PATH_INFO as UTF-8 bytes in a latin-1 string."""
    middleware = WSGIMiddleware(
        App().wsgi, paths={"/ümlaut/*": {"allow_origins": "*"}, "/日本": {"allow_origins": "*"}}, **ONE
    )
    assert call_wsgi(middleware, wsgi_environ("GET", path, [("origin", APP)])).lines == lines


def test_script_name_is_not_part_of_the_path() -> None:
    middleware = WSGIMiddleware(App().wsgi, paths={"/a": {"allow_origins": "*"}}, **ONE)
    environ = {**wsgi_environ("GET", "/a", [("origin", EVIL)]), "SCRIPT_NAME": "/mounted"}
    assert call_wsgi(middleware, environ).lines == sorted([OWN, origin_line("*")])


def test_a_path_that_is_not_utf8_has_the_base_policy() -> None:
    environ = {**wsgi_environ("GET", "/", [("origin", APP)]), "PATH_INFO": "/\xff\xfe"}
    assert call_wsgi(WSGIMiddleware(App().wsgi, paths={"/a": None}, **ONE), environ).lines == GRANT


def test_an_environ_without_path_info_is_served() -> None:
    """PATH_INFO is optional (PEP 3333)."""
    environ = wsgi_environ("GET", "/", [("origin", APP)])
    del environ["PATH_INFO"]
    assert call_wsgi(WSGIMiddleware(App().wsgi, paths={"/a": None}, **ONE), environ).lines == GRANT


def test_a_refused_preflight_has_a_content_length() -> None:
    environ = wsgi_environ("OPTIONS", "/", [("origin", EVIL), ("access-control-request-method", "GET")])
    response = call_wsgi(WSGIMiddleware(App().wsgi, **ONE), environ)
    assert response.values("content-length") == [str(len(response.body))]
    assert response.body


class FlaskLike:
    """An app whose WSGI callable is its method, with a configuration as Flask's."""

    def __init__(self, **config: bool) -> None:
        """Store the configuration."""
        self.config = config

    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        """Raise an exception."""
        del environ, start_response
        raise RuntimeError


# behaviour, configuration, additional keys of environ, whether the middleware sends a 500
PROPAGATION: list[tuple[str, dict[str, bool], dict[str, Any], bool]] = [
    ("an exception gets a 500", {}, {}, True),
    (
        "options that are off change nothing",
        {"TESTING": False, "DEBUG": False, "PROPAGATE_EXCEPTIONS": False},
        {},
        True,
    ),
    ("PROPAGATE_EXCEPTIONS propagates it", {"PROPAGATE_EXCEPTIONS": True}, {}, False),
    ("TESTING propagates it", {"TESTING": True}, {}, False),
    ("debug mode propagates it", {"DEBUG": True}, {}, False),
    ("an outer debugger propagates it", {}, {"werkzeug.debug.preserve_context": lambda _: None}, False),
]


@pytest.mark.parametrize(
    ("config", "more", "responds"), [row[1:] for row in PROPAGATION], ids=[row[0] for row in PROPAGATION]
)
def test_an_exception_that_flask_or_a_debugger_propagates_gets_a_note_instead_of_a_500(
    config: dict[str, bool], more: dict[str, Any], responds: bool
) -> None:
    """The note says that the page will see a CORS error."""
    response = get(WSGIMiddleware(FlaskLike(**config).wsgi_app, **ONE), **more)
    notes = "\n".join(getattr(response.raised, "__notes__", []))
    assert isinstance(response.raised, RuntimeError)
    assert (response.status == 500) is responds
    assert ("CORS" in notes) is not responds


@pytest.mark.parametrize("paths", [{"/closed": CLOSED}, {re.compile("/cl.*"): CLOSED}], ids=["exact", "regex"])
def test_a_path_info_without_a_leading_slash_is_matched_with_one(paths: Any) -> None:
    """Some servers remove SCRIPT_NAME with its slash, and frameworks route the rest as if it had one."""
    middleware = WSGIMiddleware(App().wsgi, allow_origins="*", paths=paths)
    for script, path in 2 * [("/app/", "closed"), ("/app", "/closed"), ("/app", "closed")]:
        recorder = Recorder()
        environ = {**wsgi_environ("GET", "/", [("origin", EVIL)]), "SCRIPT_NAME": script, "PATH_INFO": path}
        middleware(environ, recorder)
        assert recorder.calls[-1][1][1:] == [("vary", "Origin")]


def test_a_view_may_be_found_by_any_header_of_the_request() -> None:
    """Also of a request whose path was cached."""
    configuration = Configuration(view_of=lambda scope: dict(scope.get("headers", ())).get(b"x-tenant"), **ONE)
    configuration.set_view(b"closed", CLOSED)
    client = Client("wsgi", App(), configuration)
    for _ in range(2):
        assert client.request(origin=APP).cors == [origin_line(APP)]
        assert client.request(origin=APP, headers=[("x-tenant", "closed")]).cors == []
