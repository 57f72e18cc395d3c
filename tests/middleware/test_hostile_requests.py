"""Hostile requests and unusual servers: each of these once got past a middleware, ours or another one."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from asgi_cors import ConfigError, Configuration, CORSMiddleware, Policy, Rules, WSGIMiddleware, asgi_cors, explain
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, call_wsgi, http_scope, websocket_scope, wsgi_environ
from tests.support.event_loops import run_asyncio, run_asyncio_jumping
from tests.support.expected import APP, EVIL, FAILED, OWN, VARY, origin_line

GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
BASE = Policy(allow_origins=APP, allow_credentials=True)
ADMIN = Policy(allow_origins="https://admin.example.com", allow_credentials=True)


@pytest.mark.parametrize("path", ["/me\n", "/\x00me", "/m\x7fe", "/internal\n", "/internal\n/x", "/x//..\n/me"])
def test_a_path_with_control_characters_is_refused_if_it_may_lead_to_another_policy(serve: Any, path: str) -> None:
    """A router's `$` matches before a final newline."""
    client = serve(BASE, paths={"/me": ADMIN, "/internal/*": ADMIN})
    assert client.request(origin=APP, path=path).cors == []
    assert client.request(origin=APP, path="/else").cors != []


@pytest.mark.parametrize(
    ("path", "corrected"),
    [
        ("/caf%C3%A9", "/café"),
        ("/a?x=1", "/a"),
        ("/a#b", "/a"),
        ("/a//*", "/a/*"),
        ("/a/../b", "/b"),
        ("/a/./*", "/a/*"),
    ],
)
def test_a_key_of_paths_that_no_request_has_is_refused(path: str, corrected: str) -> None:
    """Otherwise a stricter policy would silently not apply. The hint is the corrected path."""
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(App().asgi, BASE, paths={path: ADMIN})
    (issue,) = caught.value.issues
    assert (issue.code, issue.hint) == ("bad-path", f"Write {corrected!r}.")


def test_an_empty_path_info_has_the_policy_of_the_root() -> None:
    """The root of a mounted WSGI app has an empty PATH_INFO. Cached requests change nothing."""
    middleware = WSGIMiddleware(App().wsgi, BASE, paths={"/": ADMIN})

    def lines(path: str) -> list[str]:
        environ = wsgi_environ("GET", path, [("origin", APP)])
        return call_wsgi(middleware, {**environ, "SCRIPT_NAME": "/app", "PATH_INFO": path}).cors

    assert (lines(""), bool(lines("/x")), lines(""), lines("/")) == ([], True, [], [])


def raw(scope: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of a server that does not convert header names to lower case."""
    return {**scope, "headers": [(name.title(), value) for name, value in scope["headers"]]}


def test_an_origin_header_in_upper_case_is_not_missed_after_a_request_without_one() -> None:
    """Cached decisions change nothing."""
    middleware = CORSMiddleware(App().asgi, allow_origins=APP)
    for _ in range(2):
        for headers, cors in (([("host", "api.test")], []), ([("origin", APP)], [origin_line(APP)])):
            assert call_asgi(middleware, raw(http_scope("GET", "/", headers))).cors == cors


def test_enforce_and_the_handshake_check_read_header_names_in_any_letter_case() -> None:
    """Some servers can be configured to pass names as sent."""
    headers = [("origin", EVIL), ("host", "api.test"), ("cookie", "sid=1")]
    app = App()
    middleware = CORSMiddleware(app.asgi, BASE, enforce=True)
    assert call_asgi(middleware, raw(http_scope("POST", "/", headers))).status == 403
    refused = call_asgi(middleware, raw(websocket_scope("/", headers)))
    assert [message["type"] for message in refused.messages] == ["websocket.close"]
    assert app.seen == []


def test_a_look_up_that_ignores_its_cancellation_does_not_delay_the_request() -> None:
    """After two seconds the request is refused, and a later result allows nothing."""
    late = []

    async def stubborn(origin: str) -> bool:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            late.append(origin)
        return True

    middleware = CORSMiddleware(App().asgi, allow_origins=stubborn)
    response = call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run_asyncio_jumping)
    assert response.lines == FAILED
    assert late == [APP]


async def cancelled_within(origin: str) -> bool:
    """Look an origin up with a client that cancels its own task."""
    raise asyncio.CancelledError(origin)


def test_a_look_up_that_cancels_itself_refuses_the_request() -> None:
    """The request was not cancelled."""
    middleware = CORSMiddleware(App().asgi, allow_origins=cancelled_within)
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run_asyncio).lines == FAILED


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_look_up_that_raises_a_base_exception_does_not_end_the_background_loop(error: type[BaseException]) -> None:
    """Under WSGI, the request is refused, and the next look-up works."""
    fails = [True, False]

    async def exits(origin: str) -> bool:
        await asyncio.sleep(0)
        if fails.pop(0):
            raise error
        return origin == APP

    client = Client("wsgi", App(), allow_origins=exits)
    assert client.request(origin=APP).lines == FAILED
    assert client.request(origin=APP).lines == GRANT


def test_a_cancelled_request_cancels_its_look_up() -> None:
    """A server cancels a request whose client has disconnected."""
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


def test_a_same_origin_request_does_not_suppress_the_log_of_another_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """A page that posts to itself is not logged, but the same origin refused under another Host is."""
    caplog.set_level(logging.INFO, logger="asgi_cors")
    middleware = CORSMiddleware(App().asgi, BASE)
    for _ in range(3):
        own = call_asgi(middleware, http_scope("POST", "/", [("origin", EVIL), ("host", "evil.example.net")]))
        assert own.lines == STRICT
    assert caplog.records == []
    call_asgi(middleware, http_scope("POST", "/", [("origin", EVIL), ("host", "api.test")]))
    assert len(caplog.records) == 1


def test_an_exception_whose_str_raises_refuses_and_is_logged(serve: Any, caplog: pytest.LogCaptureFixture) -> None:

    class UnwritableError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fails(origin: str) -> bool:
        raise UnwritableError(origin)

    assert serve(allow_origins=fails).request(origin=APP).lines == FAILED
    assert "UnwritableError: (its text can't be shown)" in caplog.text


def test_an_exception_object_that_is_raised_again_gets_one_note() -> None:
    error = RuntimeError("again")
    starlette = type("Starlette", (), {"debug": True, "exception_handlers": {}})()
    middleware = CORSMiddleware(App(raises=error).asgi, BASE)
    for _ in range(3):
        call_asgi(middleware, http_scope("GET", "/", [("origin", APP)], app=starlette))
    assert len(error.__notes__) == 1


@pytest.mark.parametrize("handlers", [None, 5, {}])
def test_an_exception_inside_another_frameworks_app_gets_a_500_and_is_raised_on(handlers: object) -> None:
    """Also if that app has an attribute with a name of Starlette's."""
    other = type("Other", (), {"exception_handlers": handlers})()
    response = call_asgi(CORSMiddleware(App(raises=KeyError("x")).asgi, BASE), http_scope("GET", "/", [], app=other))
    assert (response.status, type(response.raised)) == (500, KeyError)


async def test_the_apps_exception_is_raised_on_if_the_500_cannot_be_sent() -> None:
    """The client may have disconnected."""

    async def gone(message: Any) -> None:
        raise OSError(message["type"])

    with pytest.raises(KeyError):
        await CORSMiddleware(App(raises=KeyError("x")).asgi, BASE)(http_scope("GET", "/", []), None, gone)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value"), [("SERVER_PORT", "https"), ("SERVER_PORT", ""), ("QUERY_STRING", None), ("SCRIPT_NAME", "/")]
)
def test_an_environ_with_an_invalid_value_is_served(key: str, value: object) -> None:
    """CORS does not need these keys."""
    environ = wsgi_environ("GET", "/x", [("origin", APP)])
    assert call_wsgi(WSGIMiddleware(App().wsgi, BASE), {**environ, key: value}).cors != []


def test_options_next_to_a_configuration_are_refused() -> None:
    """They would be ignored silently."""
    with pytest.raises(ConfigError, match=r"Write configuration\.reconfigure"):
        CORSMiddleware(App().asgi, Configuration(BASE), enforce=True)


def test_an_async_on_decision_is_refused() -> None:
    """Nothing would await it."""

    async def counts(decision: Any, scope: Any) -> None:
        """Count decisions."""

    with pytest.raises(ConfigError, match="is not a synchronous callable: its result is not awaited"):
        CORSMiddleware(App().asgi, BASE, on_decision=counts)


def test_explain_leaves_the_verdict_open_if_there_is_a_policy_for() -> None:
    middleware = CORSMiddleware(App().asgi, BASE, policy_for=lambda scope: Policy(allow_origins="*"))
    explanation = middleware.explain("GET", EVIL)
    assert (explanation.allowed, explanation.steps[0].check) == (None, "policy")
    assert "asked at run time" in str(explanation)


def test_explain_accepts_a_lone_surrogate_as_an_invalid_origin() -> None:
    assert explain(BASE, "GET", "\ud800").code == "InvalidOrigin"


def test_a_string_as_hosts_of_asgi_cors_is_one_entry() -> None:
    assert asgi_cors(App().asgi, hosts=APP).policy.allow_origins == (APP,)


def test_set_views_without_view_of_raises_a_type_error() -> None:
    with pytest.raises(TypeError, match="view_of"):
        Configuration(BASE).set_views({"view": None})


def test_rules_know_whether_they_depend_on_the_path_only() -> None:
    """Only then may responses be cached by path."""
    assert Rules(BASE, {"/x": None}).depends_on_path_only
    assert not Rules(BASE, policy_for=lambda scope: NotImplemented).depends_on_path_only


def test_look_ups_under_wsgi_run_in_one_daemon_thread() -> None:
    """It ends with the process."""

    async def slow(origin: str) -> bool:
        await asyncio.sleep(0)
        return origin == APP

    def threads() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "asgi_cors-lookup"]

    client = Client("wsgi", App(), allow_origins=slow)
    client.request(origin=APP)
    before = threads()
    client.request(origin=APP)
    assert threads() == before
    assert all(thread.daemon for thread in before)


def test_a_path_without_its_leading_slash_is_matched_with_one() -> None:
    """Frameworks route it so."""
    middleware = CORSMiddleware(App().asgi, allow_origins="*", paths={"/closed": {"allow_origins": APP}, "/": None})
    for path, cors in 2 * [("closed", []), ("/closed", []), ("", []), ("open", [origin_line("*")])]:
        assert call_asgi(middleware, http_scope("GET", path, [("origin", EVIL)])).cors == cors
