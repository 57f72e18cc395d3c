"""Over WSGI: start_response, the iterable, exceptions, the path."""

import io
import re
import sys
from typing import Any
from wsgiref.util import FileWrapper

import pytest

from asgi_cors import Configuration, Policy, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import Answer, Served, call_wsgi, wsgi_environ
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, granted, origin_line

ONE: dict[str, Any] = {"allow_origins": APP}
CLOSED = Policy(allow_origins="https://closed.example.com")
PAIRS = [("Content-Type", "text/plain")]
DECORATED = [*PAIRS, ("access-control-allow-origin", APP), ("vary", "Origin")]
GRANT = sorted([OWN, VARY, origin_line(APP)])


def get(app: Any, origin: str | None = APP, **environ: Any) -> Answer:
    """GET / through a middleware, without the validator."""
    return call_wsgi(app, {**wsgi_environ("GET", "/", [] if origin is None else [("origin", origin)]), **environ})


class Recorder:
    """A server's start_response that keeps each call."""

    def __init__(self) -> None:
        """No call yet."""
        self.calls: list[tuple[Any, ...]] = []
        self.written: list[bytes] = []

    def __call__(self, *args: Any) -> Any:
        """Keep the arguments; ``write`` collects."""
        self.calls.append(args)
        return self.written.append


class Body:
    """An iterable with a close()."""

    def __init__(self) -> None:
        """Not closed."""
        self.closed = 0

    def __iter__(self) -> Any:
        """Two parts."""
        return iter([b"a", b"b"])

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_the_iterable_passes_as_it_is() -> None:
    """The app's iterable is returned as the very object, so close() and its length are the server's to use."""
    body = Body()

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)
        return body

    recorder = Recorder()
    assert WSGIMiddleware(app, **ONE)(wsgi_environ("GET", "/", [("origin", APP)]), recorder) is body
    assert recorder.calls == [("200 OK", DECORATED)]
    assert body.closed == 0


def test_the_file_wrapper_passes() -> None:
    """wsgi.file_wrapper's object reaches the server unchanged."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PAIRS)
        return environ["wsgi.file_wrapper"](io.BytesIO(b"file"))

    environ = {**wsgi_environ("GET", "/", [("origin", APP)]), "wsgi.file_wrapper": FileWrapper}
    recorder = Recorder()
    assert isinstance(WSGIMiddleware(app, **ONE)(environ, recorder), FileWrapper)
    assert recorder.calls == [("200 OK", DECORATED)]


def test_write_is_the_servers() -> None:
    """start_response returns the server's write."""

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)(b"written")
        return []

    recorder = Recorder()
    WSGIMiddleware(app, **ONE)(wsgi_environ("GET", "/", [("origin", APP)]), recorder)
    assert (recorder.written, recorder.calls) == ([b"written"], [("200 OK", DECORATED)])


def test_the_apps_list_is_not_edited() -> None:
    """The list of fields given to start_response is copied."""
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
def test_odd_fields_of_the_app_are_sent(headers: Any) -> None:
    """What is no list, or has an endless name, is decorated like any other."""
    recorder = Recorder()
    middleware = WSGIMiddleware(lambda _, start: (start("200 OK", headers), [])[1], **ONE)
    middleware(wsgi_environ("GET", "/", [("origin", APP)]), recorder)
    assert recorder.calls == [("200 OK", [*headers, *DECORATED[1:]])]


ASKS = [("origin", APP), ("access-control-request-method", "GET")]


@pytest.mark.parametrize(("method", "fields"), [("GET", ASKS[:1]), ("OPTIONS", ASKS)])
def test_a_server_may_edit_the_fields_that_it_gets(method: str, fields: Any) -> None:
    """The next request gets them whole, of an answer that is kept, too."""
    recorder, sent = Recorder(), []
    middleware = WSGIMiddleware(App().wsgi, **ONE)
    for _ in range(3):
        middleware(wsgi_environ(method, "/", fields), recorder)
        sent.append([*recorder.calls[-1][1]])
        recorder.calls[-1][1].clear()
    assert ("access-control-allow-origin", APP) in sent[0]
    assert sent == [sent[0]] * 3


def test_one_policy_answers_preflights_in_both_shells() -> None:
    """Each shell keeps answers of its own kind."""
    policy = Policy(**ONE)
    asgi, wsgi = Served("asgi", App(), policy), Served("wsgi", App(), policy)
    for served in (asgi, wsgi, asgi, wsgi):
        assert served.preflight(origin=APP).lines == granted(APP)
        assert served.preflight(origin=EVIL).cors == []


def test_the_status_line_passes() -> None:
    """Status and reason phrase are the app's own."""
    recorder = Recorder()
    WSGIMiddleware(lambda _, start: (start("299 My Own", PAIRS), [])[1], **ONE)(wsgi_environ("GET", "/", []), recorder)
    assert recorder.calls == [("299 My Own", [*PAIRS, ("vary", "Origin")])]


def test_a_second_start_with_exc_info() -> None:
    """A re-call with exc_info, as for an error page, carries the fields as well and hands exc_info on."""
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


def test_a_late_start() -> None:
    """An app that calls start_response at its first part, as a generator does, is decorated too."""

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)
        yield b"a"

    answer = get(WSGIMiddleware(app, **ONE))
    assert (answer.lines, answer.body) == (GRANT, b"a")


GRANTS = [(APP, [origin_line(APP), CREDENTIALS, VARY]), (EVIL, [VARY]), (None, [VARY])]


@pytest.mark.parametrize(("origin", "cors"), GRANTS, ids=["allowed", "refused", "no Origin"])
def test_an_exception_is_answered(origin: str | None, cors: list[str]) -> None:
    """An exception before the start is answered 500 in plain text with the fields; the error is not lost."""
    errors = io.StringIO()
    error = RuntimeError("secret detail")
    answer = get(
        WSGIMiddleware(App(raises=error).wsgi, **ONE, allow_credentials=True), origin, **{"wsgi.errors": errors}
    )
    assert (answer.status, [line for line in answer.lines if not line.startswith("content-")]) == (500, sorted(cors))
    assert answer.values("content-type")[0].startswith("text/plain")
    assert b"secret" not in answer.body
    assert answer.raised is error or "secret detail" in errors.getvalue()


def test_an_exception_before_the_first_part() -> None:
    """start_response alone sends nothing: an exception right after it is answered as before it."""
    answer = get(WSGIMiddleware(App(raises=RuntimeError(), late=True).wsgi, **ONE))
    assert (answer.status, answer.cors) == (500, [origin_line(APP)])


def test_an_exception_after_the_first_part() -> None:
    """Once a part is out the exception goes on, and nothing is started again."""
    error = RuntimeError()

    def app(environ: Any, start_response: Any) -> Any:
        del environ
        start_response("200 OK", PAIRS)
        yield b"a"
        raise error

    answer = get(WSGIMiddleware(app, **ONE))
    assert (answer.raised, answer.status, answer.lines) == (error, 200, GRANT)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_no_base_exception_is_answered(kind: type[BaseException]) -> None:
    """KeyboardInterrupt and its like pass without an answer."""
    error = kind()
    answer = get(WSGIMiddleware(App(raises=error).wsgi, **ONE))
    assert (answer.raised, answer.status) == (error, None)
    assert get(WSGIMiddleware(App(raises=Exception()).wsgi, **ONE)).status == 500


def test_an_exception_without_policy_passes() -> None:
    """Where no policy serves the path, the exception is the server's."""
    error = RuntimeError()
    answer = get(WSGIMiddleware(App(raises=error).wsgi, paths={"/*": None}, **ONE))
    assert (answer.raised, answer.status) == (error, None)


@pytest.mark.parametrize(
    ("path", "lines"),
    [("/ümlaut/a", sorted([OWN, origin_line("*")])), ("/日本", sorted([OWN, origin_line("*")])), ("/umlaut/a", GRANT)],
)
def test_the_path_is_utf8(path: str, lines: list[str]) -> None:
    """PATH_INFO is latin-1 on the wire and UTF-8 in the patterns."""
    middleware = WSGIMiddleware(
        App().wsgi, paths={"/ümlaut/*": {"allow_origins": "*"}, "/日本": {"allow_origins": "*"}}, **ONE
    )
    assert call_wsgi(middleware, wsgi_environ("GET", path, [("origin", APP)])).lines == lines


def test_script_name_is_no_part_of_the_path() -> None:
    """SCRIPT_NAME is left out."""
    middleware = WSGIMiddleware(App().wsgi, paths={"/a": {"allow_origins": "*"}}, **ONE)
    environ = {**wsgi_environ("GET", "/a", [("origin", EVIL)]), "SCRIPT_NAME": "/mounted"}
    assert call_wsgi(middleware, environ).lines == sorted([OWN, origin_line("*")])


def test_a_path_that_is_no_utf8() -> None:
    """A path of other bytes is served by the base policy."""
    environ = {**wsgi_environ("GET", "/", [("origin", APP)]), "PATH_INFO": "/\xff\xfe"}
    assert call_wsgi(WSGIMiddleware(App().wsgi, paths={"/a": None}, **ONE), environ).lines == GRANT


def test_a_missing_path() -> None:
    """An environ without PATH_INFO (PEP 3333 lets it be absent) is served."""
    environ = wsgi_environ("GET", "/", [("origin", APP)])
    del environ["PATH_INFO"]
    assert call_wsgi(WSGIMiddleware(App().wsgi, paths={"/a": None}, **ONE), environ).lines == GRANT


def test_a_refused_preflight_has_a_length() -> None:
    """The refusal's body is sent whole, its length announced."""
    environ = wsgi_environ("OPTIONS", "/", [("origin", EVIL), ("access-control-request-method", "GET")])
    answer = call_wsgi(WSGIMiddleware(App().wsgi, **ONE), environ)
    assert answer.values("content-length") == [str(len(answer.body))]
    assert answer.body


class FlaskLike:
    """An app whose WSGI callable is its method, with a configuration as Flask's."""

    def __init__(self, **config: bool) -> None:
        """Take the configuration."""
        self.config = config

    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        """Fail."""
        del environ, start_response
        raise RuntimeError


# behaviour, configuration, what environ holds more, whether the exception is answered
ASKED_FOR: list[tuple[str, dict[str, bool], dict[str, Any], bool]] = [
    ("a crash is answered", {}, {}, True),
    (
        "options that are off change nothing",
        {"TESTING": False, "DEBUG": False, "PROPAGATE_EXCEPTIONS": False},
        {},
        True,
    ),
    ("PROPAGATE_EXCEPTIONS asks for it", {"PROPAGATE_EXCEPTIONS": True}, {}, False),
    ("TESTING asks for it", {"TESTING": True}, {}, False),
    ("debug mode asks for it", {"DEBUG": True}, {}, False),
    ("a debugger outside asks for it", {}, {"werkzeug.debug.preserve_context": lambda _: None}, False),
]


@pytest.mark.parametrize(
    ("config", "more", "answered"), [row[1:] for row in ASKED_FOR], ids=[row[0] for row in ASKED_FOR]
)
def test_an_exception_that_is_asked_for(config: dict[str, bool], more: dict[str, Any], answered: bool) -> None:
    """Where Flask or a debugger asks for the exception, it passes with a note of what the page will see."""
    answer = get(WSGIMiddleware(FlaskLike(**config).wsgi_app, **ONE), **more)
    notes = "\n".join(getattr(answer.raised, "__notes__", []))
    assert isinstance(answer.raised, RuntimeError)
    assert (answer.status == 500) is answered
    assert ("CORS" in notes) is not answered


@pytest.mark.parametrize("paths", [{"/closed": CLOSED}, {re.compile("/cl.*"): CLOSED}], ids=["exact", "regex"])
def test_a_path_whose_slash_went_with_the_script_name(paths: Any) -> None:
    """Servers cut SCRIPT_NAME off as text, slash and all; frameworks route what is left as if it had one."""
    middleware = WSGIMiddleware(App().wsgi, allow_origins="*", paths=paths)
    for script, path in 2 * [("/app/", "closed"), ("/app", "/closed"), ("/app", "closed")]:
        recorder = Recorder()
        environ = {**wsgi_environ("GET", "/", [("origin", EVIL)]), "SCRIPT_NAME": script, "PATH_INFO": path}
        middleware(environ, recorder)
        assert recorder.calls[-1][1][1:] == [("vary", "Origin")]


def test_a_view_is_found_by_the_whole_of_a_request() -> None:
    """At later requests as at the first."""
    configuration = Configuration(view_of=lambda scope: dict(scope.get("headers", ())).get(b"x-tenant"), **ONE)
    configuration.set_view(b"closed", CLOSED)
    served = Served("wsgi", App(), configuration)
    for _ in range(2):
        assert served.request(origin=APP).cors == [origin_line(APP)]
        assert served.request(origin=APP, fields=[("x-tenant", "closed")]).cors == []
