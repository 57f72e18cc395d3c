"""Stacked twice, an outer app and a mounted one; and layers that share one configuration."""

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
    """The app gets the server's own scope with one key more, not a copy."""
    app = App()
    scope = http_scope("GET", "/", [("origin", APP)])
    before = dict(scope)
    call_asgi(CORSMiddleware(app.asgi, **ONE), scope)
    assert app.seen[0] is scope
    assert scope.keys() - before.keys() == {"asgi_cors"}
    environ = wsgi_environ("GET", "/", [("origin", APP)])
    keys = set(environ)
    call_wsgi(WSGIMiddleware(app.wsgi, **ONE), environ)
    assert app.seen[1] is environ
    assert environ.keys() - keys == {"asgi_cors"}


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
