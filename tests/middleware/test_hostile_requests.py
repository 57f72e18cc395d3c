"""What attackers and odd servers try: each of these once got past a middleware, ours or another's."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from asgi_cors import ConfigError, Configuration, CORSMiddleware, Policy, Rules, WSGIMiddleware, asgi_cors, explain
from tests.support.apps import App
from tests.support.clients import Served, call_asgi, call_wsgi, http_scope, websocket_scope, wsgi_environ
from tests.support.event_loops import run_asyncio, run_asyncio_jumping
from tests.support.expected import APP, EVIL, OWN, VARY, origin_line

GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
BASE = Policy(allow_origins=APP, allow_credentials=True)
ADMIN = Policy(allow_origins="https://admin.example.com", allow_credentials=True)


@pytest.mark.parametrize("path", ["/me\n", "/\x00me", "/m\x7fe", "/internal\n", "/internal\n/x", "/x//..\n/me"])
def test_control_characters_reach_no_other_policy(serve: Any, path: str) -> None:
    """A router's `$` matches before a final newline: what such a path may lead to is refused."""
    served = serve(BASE, paths={"/me": ADMIN, "/internal/*": ADMIN})
    assert served.request(origin=APP, path=path).cors == []
    assert served.request(origin=APP, path="/else").cors != []


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/caf%C3%A9", "/café"),
        ("/a?x=1", "/a"),
        ("/a#b", "/a"),
        ("/a//*", "/a/*"),
        ("/a/../b", "/b"),
        ("/a/./*", "/a/*"),
    ],
)
def test_a_path_that_no_request_has_is_refused(path: str, written: str) -> None:
    """A stricter policy is never left unapplied without a word; the hint is the path to write."""
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(App().asgi, BASE, paths={path: ADMIN})
    (issue,) = caught.value.issues
    assert (issue.code, issue.hint) == ("bad-path", f"Write {written!r}.")


def test_an_empty_path_is_the_root_however_warm_the_tables() -> None:
    """A mounted WSGI app's root has an empty PATH_INFO; the root's policy serves it, before others and after."""
    middleware = WSGIMiddleware(App().wsgi, BASE, paths={"/": ADMIN})

    def lines(path: str) -> list[str]:
        environ = wsgi_environ("GET", path, [("origin", APP)])
        return call_wsgi(middleware, {**environ, "SCRIPT_NAME": "/app", "PATH_INFO": path}).cors

    assert (lines(""), bool(lines("/x")), lines(""), lines("/")) == ([], True, [], [])


def raw(scope: dict[str, Any]) -> dict[str, Any]:
    """The scope as a server gives it that passes names on as they were sent."""
    return {**scope, "headers": [(name.title(), value) for name, value in scope["headers"]]}


def test_what_is_allowed_stays_so_where_names_are_raw() -> None:
    """An Origin that is written so is not taken for none, whatever has been decided before."""
    middleware = CORSMiddleware(App().asgi, allow_origins=APP)
    for _ in range(2):
        for fields, cors in (([("host", "api.test")], []), ([("origin", APP)], [origin_line(APP)])):
            assert call_asgi(middleware, raw(http_scope("GET", "/", fields))).cors == cors


def test_guards_read_names_in_any_letter_case() -> None:
    """A server that can be told to pass names raw switches neither `enforce` nor the WebSocket check off."""
    fields = [("origin", EVIL), ("host", "api.test"), ("cookie", "sid=1")]
    app = App()
    middleware = CORSMiddleware(app.asgi, BASE, enforce=True)
    assert call_asgi(middleware, raw(http_scope("POST", "/", fields))).status == 403
    refused = call_asgi(middleware, raw(websocket_scope("/", fields)))
    assert [message["type"] for message in refused.messages] == ["websocket.close"]
    assert app.seen == []


def test_a_look_up_that_swallows_its_cancellation_holds_nobody_up() -> None:
    """It has two seconds; what it says later allows nothing."""
    late = []

    async def stubborn(origin: str) -> bool:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            late.append(origin)
        return True

    middleware = CORSMiddleware(App().asgi, allow_origins=stubborn)
    answer = call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run_asyncio_jumping)
    assert answer.lines == STRICT
    assert late == [APP]


async def cancelled_within(origin: str) -> bool:
    """A look-up whose client has cancelled its own work."""
    raise asyncio.CancelledError(origin)


def test_a_look_up_cancelled_from_within_is_a_refusal() -> None:
    """It is not the request that was cancelled."""
    middleware = CORSMiddleware(App().asgi, allow_origins=cancelled_within)
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run_asyncio).lines == STRICT


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_look_up_does_not_end_the_loop_that_wsgi_shares(error: type[BaseException]) -> None:
    """The request is refused, and the next look-up is answered."""
    fails = [True, False]

    async def exits(origin: str) -> bool:
        await asyncio.sleep(0)
        if fails.pop(0):
            raise error
        return origin == APP

    served = Served("wsgi", App(), allow_origins=exits)
    assert served.request(origin=APP).lines == STRICT
    assert served.request(origin=APP).lines == GRANT


def test_a_cancelled_request_cancels_its_look_up() -> None:
    """A client that goes away takes the look-up along."""
    ended = []

    async def slow(origin: str) -> bool:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(origin)
        return True

    middleware = CORSMiddleware(App().asgi, allow_origins=slow)

    async def exchange() -> None:
        call = asyncio.ensure_future(middleware(http_scope("GET", "/", [("origin", APP)]), None, None))  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        call.cancel()
        await asyncio.wait({call})
        await asyncio.sleep(0)
        assert call.cancelled()

    run_asyncio_jumping(exchange)
    assert ended == [APP]


def test_a_same_origin_request_mutes_no_other_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """A page that posts to itself is not logged, however often; the same origin refused elsewhere is."""
    caplog.set_level(logging.INFO, logger="asgi_cors")
    middleware = CORSMiddleware(App().asgi, BASE)
    for _ in range(3):
        own = call_asgi(middleware, http_scope("POST", "/", [("origin", EVIL), ("host", "evil.example.net")]))
        assert own.lines == STRICT
    assert caplog.records == []
    call_asgi(middleware, http_scope("POST", "/", [("origin", EVIL), ("host", "api.test")]))
    assert len(caplog.records) == 1


def test_an_exception_that_cannot_be_written_is_logged_all_the_same(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A callable's exception whose text raises itself refuses like any other."""

    class UnwritableError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fails(origin: str) -> bool:
        raise UnwritableError(origin)

    assert serve(allow_origins=fails).request(origin=APP).lines == STRICT
    assert "UnwritableError: (it can't be written)" in caplog.text


def test_an_exception_that_is_raised_again_is_noted_once() -> None:
    """A module's one exception object doesn't gather a note with every request."""
    error = RuntimeError("again")
    starlette = type("Starlette", (), {"debug": True, "exception_handlers": {}})()
    middleware = CORSMiddleware(App(raises=error).asgi, BASE)
    for _ in range(3):
        call_asgi(middleware, http_scope("GET", "/", [("origin", APP)], app=starlette))
    assert len(error.__notes__) == 1


@pytest.mark.parametrize("handlers", [None, 5, {}])
def test_an_app_of_another_kind_in_the_scope_hides_no_exception(handlers: object) -> None:
    """Whatever another framework keeps under the names that Starlette uses, the crash is answered and raised on."""
    other = type("Other", (), {"exception_handlers": handlers})()
    answer = call_asgi(CORSMiddleware(App(raises=KeyError("x")).asgi, BASE), http_scope("GET", "/", [], app=other))
    assert (answer.status, type(answer.raised)) == (500, KeyError)


async def test_a_client_that_is_gone_does_not_hide_what_the_app_raised() -> None:
    """The server gets the app's exception, not the one of the 500 that could not be sent."""

    async def gone(message: Any) -> None:
        raise OSError(message["type"])

    with pytest.raises(KeyError):
        await CORSMiddleware(App(raises=KeyError("x")).asgi, BASE)(http_scope("GET", "/", []), None, gone)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value"), [("SERVER_PORT", "https"), ("SERVER_PORT", ""), ("QUERY_STRING", None), ("SCRIPT_NAME", "/")]
)
def test_an_odd_environ_raises_nothing(key: str, value: object) -> None:
    """WSGI servers and tests leave out or misspell what CORS does not need."""
    environ = wsgi_environ("GET", "/x", [("origin", APP)])
    assert call_wsgi(WSGIMiddleware(App().wsgi, BASE), {**environ, key: value}).cors != []


def test_options_beside_a_configuration_are_refused() -> None:
    """They would be dropped without a word."""
    with pytest.raises(ConfigError, match=r"Write configuration\.reconfigure"):
        CORSMiddleware(App().asgi, Configuration(BASE), enforce=True)


def test_an_async_on_decision_is_refused() -> None:
    """Nothing would await it."""

    async def counts(decision: Any, scope: Any) -> None:
        """Count."""

    with pytest.raises(ConfigError, match="is not a synchronous callable: its result is not awaited"):
        CORSMiddleware(App().asgi, BASE, on_decision=counts)


def test_explain_does_not_speak_for_policy_for() -> None:
    """What is asked at run time leaves the verdict open, and explain() says so."""
    middleware = CORSMiddleware(App().asgi, BASE, policy_for=lambda scope: Policy(allow_origins="*"))
    explanation = middleware.explain("GET", EVIL)
    assert (explanation.allowed, explanation.steps[0].check) == (None, "policy")
    assert "asked at run time" in str(explanation)


def test_explain_takes_what_no_browser_sends() -> None:
    """A lone surrogate is no origin, and no exception."""
    assert explain(BASE, "GET", "\ud800").code == "InvalidOrigin"


def test_one_host_is_one_host() -> None:
    """A lone string is one entry for the names of PyPI's asgi-cors, too."""
    assert asgi_cors(App().asgi, hosts=APP).policy.allow_origins == (APP,)


def test_views_need_what_finds_them() -> None:
    """Policies of views without view_of are a mistake of the adapter's."""
    with pytest.raises(TypeError, match="view_of"):
        Configuration(BASE).set_views({"view": None})


def test_rules_by_path_are_told_from_others() -> None:
    """Only where nothing but the path tells the policy may a shell look its tables up by path."""
    assert Rules(BASE, {"/x": None}).depends_on_path_only
    assert not Rules(BASE, policy_for=lambda scope: NotImplemented).depends_on_path_only


def test_the_look_up_thread_is_one_and_a_daemon() -> None:
    """Look-ups under WSGI run on one background loop that ends with the process."""

    async def slow(origin: str) -> bool:
        await asyncio.sleep(0)
        return origin == APP

    def threads() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "asgi_cors-lookup"]

    served = Served("wsgi", App(), allow_origins=slow)
    served.request(origin=APP)
    before = threads()
    served.request(origin=APP)
    assert threads() == before
    assert all(thread.daemon for thread in before)


def test_a_path_without_its_slash() -> None:
    """It is read as frameworks route it: as if it had one."""
    middleware = CORSMiddleware(App().asgi, allow_origins="*", paths={"/closed": {"allow_origins": APP}, "/": None})
    for path, cors in 2 * [("closed", []), ("/closed", []), ("", []), ("open", [origin_line("*")])]:
        assert call_asgi(middleware, http_scope("GET", path, [("origin", EVIL)])).cors == cors
