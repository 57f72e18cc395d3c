"""Stacked twice, an outer app and a mounted one; and layers that share one configuration."""

import contextlib
import gc
import weakref
from typing import Any

import pytest
from support.apps import App
from support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, granted, origin_line
from support.shells import Served, call_asgi, call_wsgi, http_scope, wsgi_environ

from asgi_cors import Configuration, CORSMiddleware, WSGIMiddleware

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])


def stacked(shell: str, outer: dict[str, Any], inner: dict[str, Any]) -> Served:
    """An app behind two layers of one shell."""
    served = Served(shell, App(), **inner)
    served.middleware = (CORSMiddleware if shell == "asgi" else WSGIMiddleware)(served.middleware, **outer)
    return served


STACKED: list[tuple[str, dict[str, Any], dict[str, Any], str, list[str]]] = [
    ("both allow", ONE, ONE, APP, GRANT),
    ("the inner refuses", {"allow_origins": [APP, EVIL]}, ONE, EVIL, STRICT),
    ("the outer refuses", ONE, {"allow_origins": [APP, EVIL]}, EVIL, STRICT),
    ("both refuse", ONE, ONE, EVIL, STRICT),
    ("an inner refusal stands under an outer *", {"allow_origins": "*"}, ONE, EVIL, STRICT),
]


@pytest.mark.parametrize(
    ("outer", "inner", "origin", "lines"), [row[1:] for row in STACKED], ids=[row[0] for row in STACKED]
)
def test_stacked(shell: str, outer: dict[str, Any], inner: dict[str, Any], origin: str, lines: list[str]) -> None:
    """Stacked twice, both layers must allow, and the fields stand once."""
    assert stacked(shell, outer, inner).request(origin=origin).lines == lines


def test_stacked_preflights(shell: str) -> None:
    """The outer layer answers preflights."""
    served = stacked(shell, {**ONE, "allow_methods": "PUT"}, ONE)
    assert served.preflight("PUT", origin=APP).lines == granted(APP, "GET, HEAD, POST, PUT")
    assert served.reached == 0


def test_stacking_is_warned_of_once(shell: str, caplog: pytest.LogCaptureFixture) -> None:
    """A WARNING names the paths= line to write instead."""
    served = stacked(shell, ONE, ONE)
    served.request(path="/mounted", origin=APP)
    served.request(path="/mounted", origin=APP)
    (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
    assert "paths=" in record.getMessage()


def test_the_mark_is_in_the_scope_itself() -> None:
    """The app gets the server's own scope with one key more, not a copy; ASGI's is taken out again after the call."""
    scope, environ = http_scope("GET", "/", [("origin", APP)]), wsgi_environ("GET", "/", [("origin", APP)])
    before, app, seen = {*scope}, App(), []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, {*scope}))
        await app.asgi(scope, receive, send)

    call_asgi(CORSMiddleware(asgi, **ONE), scope)
    assert seen[0][0] is scope
    assert (seen[0][1] - before, {*scope} - before) == ({"asgi_cors"}, set())
    keys = {*environ}
    call_wsgi(WSGIMiddleware(app.wsgi, **ONE), environ)
    assert app.seen[1] is environ
    assert environ.keys() - keys == {"asgi_cors"}


def test_nothing_of_a_request_outlives_it() -> None:
    """The mark leads from scope to `send`: of a server that holds its scope, no cycle is left for the collector."""

    class Cycle:
        """A request, as servers hold one: its scope, and the `send` that the app is given."""

        def __init__(self) -> None:
            self.scope = http_scope("GET", "/", [("origin", APP)])

        async def send(self, message: Any) -> None:
            """Take a message."""

    middleware = CORSMiddleware(App().asgi, **ONE)
    gc.disable()
    try:
        cycle = Cycle()
        gone = weakref.ref(cycle)
        with contextlib.suppress(StopIteration):
            middleware(cycle.scope, None, cycle.send).send(None)  # type: ignore[arg-type]
        del cycle
        assert gone() is None
    finally:
        gc.enable()


def test_an_app_may_take_the_mark_out_itself() -> None:
    """Whatever an app does to its scope, nothing is raised."""

    async def clears(scope: Any, receive: Any, send: Any) -> None:
        await App().asgi(scope, receive, send)
        scope.clear()

    assert call_asgi(CORSMiddleware(clears, **ONE), http_scope("GET", "/", [("origin", APP)])).lines == GRANT


def test_a_call_without_a_response_leaves_no_mark() -> None:
    """What is called again on the same scope, by a retry outside, is decided again."""
    scope = http_scope("GET", "/", [("origin", EVIL)])

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        """Answer nothing."""

    middleware = CORSMiddleware(silent, **ONE, enforce=True)
    assert call_asgi(middleware, dict(scope)).status == 403
    assert call_asgi(middleware, scope).status == 403
    assert call_asgi(middleware, scope).status == 403


WITH, WITHOUT = {**ONE, "allow_credentials": True}, ONE


@pytest.mark.parametrize(
    ("outer", "inner", "credentials"),
    [(WITH, WITH, True), (WITH, WITHOUT, False), (WITHOUT, WITH, False)],
    ids=["both", "outer alone", "inner alone"],
)
def test_stacked_credentials(shell: str, outer: dict[str, Any], inner: dict[str, Any], credentials: bool) -> None:
    """Stacked twice, both layers must allow credentials."""
    answer = stacked(shell, outer, inner).request(origin=APP)
    assert answer.lines == sorted([*GRANT, *([CREDENTIALS] if credentials else [])])


def test_stacked_exceptions(shell: str) -> None:
    """An exception within two layers is answered once, with the fields of both."""
    served = Served(shell, App(raises=RuntimeError()), **ONE)
    served.middleware = (CORSMiddleware if shell == "asgi" else WSGIMiddleware)(served.middleware, **ONE)
    answer = served.request(origin=APP)
    assert (answer.status, answer.cors, answer.values("vary")) == (500, [origin_line(APP)], ["Origin"])


def test_one_configuration_decides_once(shell: str, caplog: pytest.LogCaptureFixture) -> None:
    """Two layers that share one configuration decide once, and are no stack."""
    seen: list[Any] = []
    shared = Configuration(on_decision=lambda *args: seen.append(args), **ONE)
    served = Served(shell, App(), shared)
    served.middleware = (CORSMiddleware if shell == "asgi" else WSGIMiddleware)(served.middleware, shared)
    assert served.request(origin=APP).lines == GRANT
    assert (len(seen), served.reached, caplog.records) == (1, 1, [])


def test_a_scope_used_again_is_no_stack(caplog: pytest.LogCaptureFixture) -> None:
    """A scope or environ of an answered request, used again, is not taken for two layers."""
    scope, environ = http_scope("GET", "/", [("origin", APP)]), wsgi_environ("GET", "/", [("origin", APP)])
    asgi, wsgi = CORSMiddleware(App().asgi, **ONE), WSGIMiddleware(App().wsgi, **ONE)
    assert [call_asgi(asgi, scope).lines for _ in range(2)] == [GRANT, GRANT]
    assert [call_wsgi(wsgi, environ).lines for _ in range(2)] == [GRANT, GRANT]
    assert caplog.records == []
