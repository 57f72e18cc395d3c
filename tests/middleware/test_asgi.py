"""Over ASGI: which messages are touched, and what becomes of an exception of the app."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from asgi_cors import CORSMiddleware
from tests.support.apps import App
from tests.support.clients import Answer, call_asgi, http_scope
from tests.support.event_loops import RUNNERS
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, origin_line

ONE = {"allow_origins": APP}
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


def sends(*messages: dict[str, Any]) -> Any:
    """An app that sends these very messages."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        for message in messages:
            await send(message)

    return app


def get(middleware: Any, origin: str | None = APP, run: Any = RUNNERS["no-loop"], **scope: Any) -> Answer:
    """GET / from an origin through a middleware."""
    return call_asgi(middleware, http_scope("GET", "/", [] if origin is None else [("origin", origin)], **scope), run)


# Every message of the ASGI HTTP specification and its extensions but the start.
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
def test_other_messages_pass(message: dict[str, Any]) -> None:
    """A message that is no response start passes as the very object, unchanged."""
    before = dict(message)
    start, sent = get(CORSMiddleware(sends(START, message), **ONE)).messages
    assert start != START
    assert sent is message
    assert sent == before


def test_streams_are_not_buffered() -> None:
    """Each part of a stream has gone out before the app goes on."""
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
def test_a_reused_start_is_not_edited(headers: Any) -> None:
    """The start message is copied: an app that sends the same one again finds it as it was."""
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    before = {**start, "headers": type(headers)(type(pair)(pair) for pair in headers)}
    middleware = CORSMiddleware(sends(start), **ONE)
    first, second = get(middleware), get(middleware, EVIL)
    assert start == before
    assert first.lines == sorted(["x-a: 1", origin_line(APP), VARY])
    assert second.lines == sorted(["x-a: 1", VARY])


def test_a_start_without_headers() -> None:
    """``headers`` is optional in a start message."""
    assert get(CORSMiddleware(sends({"type": "http.response.start", "status": 204}), **ONE)).lines == [
        origin_line(APP),
        VARY,
    ]


def test_other_keys_of_the_start_stay() -> None:
    """``trailers`` and unknown keys of the start message are kept."""
    answer = get(CORSMiddleware(sends({**START, "trailers": True, "x": 1}), **ONE))
    assert (answer.messages[0]["trailers"], answer.messages[0]["x"], answer.cors) == (True, 1, [origin_line(APP)])


@pytest.mark.parametrize("kind", ["lifespan", "x-unknown"])
def test_other_scopes_pass(kind: str) -> None:
    """A scope that is neither http nor websocket reaches the app with its very receive and send."""
    seen: list[Any] = []

    async def app(*args: Any) -> None:
        seen.extend(args)

    scope, receive, send = {"type": kind}, object(), object()
    RUNNERS["no-loop"](lambda: CORSMiddleware(app, **ONE)(scope, receive, send))
    assert [id(each) for each in seen] == [id(scope), id(receive), id(send)]
    assert seen[0] == {"type": kind}


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_runs_anywhere(run: Any) -> None:
    """The request path needs no event loop of its own choice."""
    assert get(CORSMiddleware(App().asgi, **ONE), run=run).lines == sorted([OWN, origin_line(APP), VARY])


GRANTS = [(APP, [origin_line(APP), CREDENTIALS, VARY]), (EVIL, [VARY]), (None, [VARY])]


@pytest.mark.parametrize(("origin", "cors"), GRANTS, ids=["allowed", "refused", "no Origin"])
def test_an_exception_is_answered(origin: str | None, cors: list[str]) -> None:
    """An exception before the start is answered 500 in plain text with the fields of the policy, and goes on."""
    error = RuntimeError("secret detail")
    answer = get(CORSMiddleware(App(raises=error).asgi, **ONE, allow_credentials=True), origin)
    assert answer.raised is error
    assert answer.status == 500
    assert [line for line in answer.lines if not line.startswith("content-")] == sorted(cors)
    assert answer.values("content-type")[0].startswith("text/plain")
    assert b"secret" not in answer.body
    assert [message["type"] for message in answer.messages] == ["http.response.start", "http.response.body"]


def test_an_exception_under_any_origin() -> None:
    """Under an anonymous ``*`` the 500 carries the wildcard."""
    assert get(CORSMiddleware(App(raises=ValueError()).asgi, allow_origins="*"), None).cors == [origin_line("*")]


def test_an_exception_after_the_start() -> None:
    """After the start nothing more is sent; the exception goes on."""
    error = RuntimeError()
    answer = get(CORSMiddleware(App(raises=error, late=True).asgi, **ONE))
    assert answer.raised is error
    assert [message["type"] for message in answer.messages] == ["http.response.start"]
    assert answer.lines == sorted([OWN, origin_line(APP), VARY])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, BaseException])
def test_no_base_exception_is_answered(kind: type[BaseException]) -> None:
    """Cancellation, KeyboardInterrupt and their like pass without an answer."""
    error = kind()
    answer = get(CORSMiddleware(App(raises=error).asgi, **ONE))
    assert (answer.raised, answer.messages) == (error, [])
    assert get(CORSMiddleware(App(raises=Exception()).asgi, **ONE)).status == 500


async def handler(request: Any, error: Any) -> None:
    """A handler of Starlette's kind; never called here."""


# behaviour, scope["app"], whether the middleware answers
INSIDE: list[tuple[str, Any, bool]] = [
    ("inside an app without handlers the 500 is sent", SimpleNamespace(debug=False, exception_handlers={}), True),
    (
        "handlers of other errors change nothing",
        SimpleNamespace(debug=False, exception_handlers={404: handler, KeyError: handler}),
        True,
    ),
    ("an app of another kind changes nothing", SimpleNamespace(), True),
    ("in debug mode the app's own page is left to come", SimpleNamespace(debug=True, exception_handlers={}), False),
    (
        "a handler of Exception is left to answer",
        SimpleNamespace(debug=False, exception_handlers={Exception: handler}),
        False,
    ),
    ("a handler of 500 is left to answer", SimpleNamespace(debug=False, exception_handlers={500: handler}), False),
]


@pytest.mark.parametrize(("inside", "answered"), [row[1:] for row in INSIDE], ids=[row[0] for row in INSIDE])
def test_inside_starlette(inside: Any, answered: bool) -> None:
    """Inside Starlette the 500 is sent unless the app answers itself; then a note says what the page will see."""
    error = RuntimeError()
    answer = get(CORSMiddleware(App(raises=error).asgi, **ONE), app=inside)
    notes = "\n".join(getattr(error, "__notes__", []))
    assert answer.raised is error
    assert (answer.status == 500) is answered
    assert ("CORS" in notes) is not answered


def test_an_exception_without_policy_passes() -> None:
    """Where no policy serves the path, nothing is answered in the app's place."""
    error = RuntimeError()
    answer = get(CORSMiddleware(App(raises=error).asgi, **ONE, paths={"/*": None}))
    assert (answer.raised, answer.messages) == (error, [])


def test_the_apps_own_fields_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """A CORS field of the app's is warned of once per field and policy: the field, the first path, the option."""
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


def test_answers_are_independent(serve: Any) -> None:
    """Nothing of one answer leaks into the next."""
    served = serve(app=App(), **ONE)
    answers = [served.request(origin=origin).lines for origin in (APP, EVIL, None, APP)]
    own = [OWN, VARY]
    assert answers == [sorted([*own, origin_line(APP)]), sorted(own), sorted(own), sorted([*own, origin_line(APP)])]


def test_headers_may_be_any_iterable() -> None:
    """The fields of a start message may be an iterator, as the specification has it."""
    start = {**START, "headers": iter(START["headers"])}
    assert get(CORSMiddleware(sends(start), **ONE)).lines == sorted([OWN, origin_line(APP), VARY])
