"""ASGI: which messages the middleware changes, and how it handles an exception of the app."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from asgi_cors import CORSMiddleware
from tests.support.apps import App
from tests.support.clients import Response, call_asgi, http_scope
from tests.support.event_loops import RUNNERS
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, origin_line

ONE = {"allow_origins": APP}
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


def sends(*messages: dict[str, Any]) -> Any:
    """Build an app that sends these messages."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        for message in messages:
            await send(message)

    return app


def get(middleware: Any, origin: str | None = APP, run: Any = RUNNERS["no-loop"], **scope: Any) -> Response:
    """Send GET / from an origin through a middleware."""
    return call_asgi(middleware, http_scope("GET", "/", [] if origin is None else [("origin", origin)], **scope), run)


# Every message of the ASGI HTTP specification and its extensions, except the response start.
OTHERS: list[dict[str, Any]] = [
    {"type": "http.response.body", "body": b"a", "more_body": True},
    {"type": "http.response.body", "body": b"b"},
    {"type": "http.response.trailers", "headers": [(b"access-control-allow-origin", b"*")], "more_trailers": False},
    {"type": "http.response.push", "path": "/a", "headers": [(b"access-control-allow-origin", b"*")]},
    {"type": "http.response.early_hint", "links": [b"</a>; rel=preload"]},
    {"type": "http.response.pathsend", "path": "/tmp/file"},  # noqa: S108 - a name in a message, never opened
    {"type": "http.response.zerocopysend", "file": 3},
    {"type": "http.response.debug", "info": {"template": "a"}},
    {"type": "x.unknown", "headers": [(b"access-control-allow-origin", b"*")]},
]


@pytest.mark.parametrize("message", OTHERS, ids=lambda message: message["type"])
def test_a_message_other_than_the_response_start_passes_unchanged(message: dict[str, Any]) -> None:
    """The server gets the same object."""
    before = dict(message)
    start, sent = get(CORSMiddleware(sends(START, message), **ONE)).messages
    assert start != START
    assert sent is message
    assert sent == before


def test_a_stream_is_not_buffered() -> None:
    """Each part is sent before the app continues."""
    seen: list[list[str]] = []
    out: list[str] = []
    cors: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        for message in (START, *OTHERS[:2]):
            await send(message)
            seen.append(list(out))

    async def send(message: dict[str, Any]) -> None:
        out.append(message["type"])
        cors.append((b"vary", b"Origin") in message.get("headers", []))

    RUNNERS["no-loop"](lambda: CORSMiddleware(app, **ONE)(http_scope("GET", "/", [("origin", APP)]), None, send))
    body = "http.response.body"
    assert seen == [[START["type"]], [START["type"], body], [START["type"], body, body]]
    assert cors == [True, False, False]


@pytest.mark.parametrize(
    "headers", [[(b"x-a", b"1")], ((b"x-a", b"1"),), [[b"x-a", b"1"]]], ids=["list", "tuple", "list of lists"]
)
def test_the_apps_start_message_is_copied_before_it_is_changed(headers: Any) -> None:
    """An app may send the same message for every request."""
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    before = {**start, "headers": type(headers)(type(pair)(pair) for pair in headers)}
    middleware = CORSMiddleware(sends(start), **ONE)
    first, second = get(middleware), get(middleware, EVIL)
    assert start == before
    assert first.lines == sorted(["x-a: 1", origin_line(APP), VARY])
    assert second.lines == sorted(["x-a: 1", VARY])


def test_a_start_message_without_headers_gets_the_cors_headers() -> None:
    """`headers` is optional in a start message."""
    assert get(CORSMiddleware(sends({"type": "http.response.start", "status": 204}), **ONE)).lines == [
        origin_line(APP),
        VARY,
    ]


def test_other_keys_of_the_start_message_stay() -> None:
    response = get(CORSMiddleware(sends({**START, "trailers": True, "x": 1}), **ONE))
    assert (response.messages[0]["trailers"], response.messages[0]["x"], response.cors) == (True, 1, [origin_line(APP)])


def test_a_scope_of_an_unknown_type_passes_unchanged() -> None:
    """The app gets the same scope, receive and send."""
    seen: list[Any] = []

    async def app(*args: Any) -> None:
        seen.extend(args)

    scope, receive, send = {"type": "x-unknown"}, object(), object()
    RUNNERS["no-loop"](lambda: CORSMiddleware(app, **ONE)(scope, receive, send))
    assert [id(each) for each in seen] == [id(scope), id(receive), id(send)]
    assert seen[0] == {"type": "x-unknown"}


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_a_request_is_served_in_any_event_loop_or_none(run: Any) -> None:
    assert get(CORSMiddleware(App().asgi, **ONE), run=run).lines == sorted([OWN, origin_line(APP), VARY])


GRANTS = [(APP, [origin_line(APP), CREDENTIALS, VARY]), (EVIL, [VARY]), (None, [VARY])]


@pytest.mark.parametrize(("origin", "cors"), GRANTS, ids=["allowed", "refused", "no Origin"])
def test_an_exception_before_the_response_starts_gets_a_500_and_is_raised_on(
    origin: str | None, cors: list[str]
) -> None:
    """The 500 is plain text, has the policy's headers, and does not show the exception."""
    error = RuntimeError("secret detail")
    response = get(CORSMiddleware(App(raises=error).asgi, **ONE, allow_credentials=True), origin)
    assert response.raised is error
    assert response.status == 500
    assert [line for line in response.lines if not line.startswith("content-")] == sorted(cors)
    assert response.values("content-type")[0].startswith("text/plain")
    assert b"secret" not in response.body
    assert [message["type"] for message in response.messages] == ["http.response.start", "http.response.body"]


def test_the_500_under_an_anonymous_wildcard_has_the_wildcard() -> None:
    assert get(CORSMiddleware(App(raises=ValueError()).asgi, allow_origins="*"), None).cors == [origin_line("*")]


def test_an_exception_after_the_response_started_is_only_raised_on() -> None:
    error = RuntimeError()
    response = get(CORSMiddleware(App(raises=error, late=True).asgi, **ONE))
    assert response.raised is error
    assert [message["type"] for message in response.messages] == ["http.response.start"]
    assert response.lines == sorted([OWN, origin_line(APP), VARY])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, BaseException])
def test_a_base_exception_gets_no_response(kind: type[BaseException]) -> None:
    error = kind()
    response = get(CORSMiddleware(App(raises=error).asgi, **ONE))
    assert (response.raised, response.messages) == (error, [])
    assert get(CORSMiddleware(App(raises=Exception()).asgi, **ONE)).status == 500


async def handler(request: Any, error: Any) -> None:
    """An exception handler as Starlette's; it is never called here."""


# behaviour, scope["app"], whether the middleware sends a response
INSIDE: list[tuple[str, Any, bool]] = [
    ("inside an app without handlers, the 500 is sent", SimpleNamespace(debug=False, exception_handlers={}), True),
    (
        "handlers of other errors change nothing",
        SimpleNamespace(debug=False, exception_handlers={404: handler, KeyError: handler}),
        True,
    ),
    ("an app of another kind changes nothing", SimpleNamespace(), True),
    ("in debug mode, the app sends its own page", SimpleNamespace(debug=True, exception_handlers={}), False),
    (
        "a handler of Exception sends the response",
        SimpleNamespace(debug=False, exception_handlers={Exception: handler}),
        False,
    ),
    ("a handler of 500 sends the response", SimpleNamespace(debug=False, exception_handlers={500: handler}), False),
]


@pytest.mark.parametrize(("starlette", "responds"), [row[1:] for row in INSIDE], ids=[row[0] for row in INSIDE])
def test_inside_starlette_the_500_is_sent_unless_the_app_sends_its_own(starlette: Any, responds: bool) -> None:
    """Then a note on the exception says that the page will see a CORS error."""
    error = RuntimeError()
    response = get(CORSMiddleware(App(raises=error).asgi, **ONE), app=starlette)
    notes = "\n".join(getattr(error, "__notes__", []))
    assert response.raised is error
    assert (response.status == 500) is responds
    assert ("CORS" in notes) is not responds


def test_an_exception_on_a_path_without_a_policy_gets_no_response() -> None:
    error = RuntimeError()
    response = get(CORSMiddleware(App(raises=error).asgi, **ONE, paths={"/*": None}))
    assert (response.raised, response.messages) == (error, [])


def test_each_cors_header_that_the_app_sets_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Once per header and policy, with the header, the first path and the option."""
    app = App(headers=[("Access-Control-Allow-Origin", "*"), ("access-control-allow-credentials", "true")])
    middleware = CORSMiddleware(app.asgi, **ONE)
    for path in ("/first", "/second"):
        call_asgi(middleware, http_scope("GET", path, [("origin", APP)]))
    found = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(found) == 2
    for name, option in (
        ("access-control-allow-origin", "allow_origins"),
        ("access-control-allow-credentials", "allow_credentials"),
    ):
        (line,) = [message for message in found if name in message.lower()]
        assert "/first" in line
        assert option in line


def test_headers_of_one_response_do_not_leak_into_the_next(serve: Any) -> None:
    client = serve(app=App(), **ONE)
    answers = [client.request(origin=origin).lines for origin in (APP, EVIL, None, APP)]
    own = [OWN, VARY]
    assert answers == [sorted([*own, origin_line(APP)]), sorted(own), sorted(own), sorted([*own, origin_line(APP)])]


def test_the_headers_of_a_start_message_may_be_an_iterator() -> None:
    """The ASGI specification allows any iterable."""
    start = {**START, "headers": iter(START["headers"])}
    assert get(CORSMiddleware(sends(start), **ONE)).lines == sorted([OWN, origin_line(APP), VARY])
