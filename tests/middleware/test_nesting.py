"""Stacked twice, an outer app and a mounted one; and layers that share one configuration."""

import contextlib
import gc
import logging
import re
import weakref
from typing import Any

import pytest

from asgi_cors import Configuration, CORSMiddleware, Policy, WSGIMiddleware
from tests.support import logs
from tests.support.apps import App
from tests.support.clients import Served, call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, granted, origin_line

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


INNER = "https://inner.example.com"
# behaviour, server's root path, mount, path of a request below it, how the line spells the mount
MOUNTS: list[tuple[str, str, str, str, str]] = [
    ("a mount", "", "/mounted", "/x", "'/mounted/*'"),
    ("a mount of two segments", "", "/api/v1", "/x", "'/api/v1/*'"),
    ("the mount itself", "", "/api/v1", "", "'/api/v1/*'"),
    ("no mount of its own", "", "", "/x", "'/*'"),
    ("behind a root path", "/srv", "/api/v1", "/x", "'/api/v1/*'"),
    ("behind a root path, not mounted", "/srv", "", "/x", "'/*'"),
    ("behind a root path with a final slash", "/srv/", "/api/v1", "/x", "'/api/v1/*'"),
    ("a root path that begins as the mount", "/api", "/api/v1", "/x", "'/api/v1/*'"),
    ("a mount beyond ASCII", "", "/caf\xe9", "/x", r"'/caf\xe9/*'"),
    ("a mount with a percent sign", "", "/100%25", "/x", r"re.compile('/100%25(?:/.*)?')"),
    ("a mount with an asterisk", "", "/a*b", "/x", r"re.compile('/a\\*b(?:/.*)?')"),
    ("a mount with a question mark", "", "/a?b", "/x", r"re.compile('/a\\?b(?:/.*)?')"),
]


def mounted_asgi(app: Any, mount: str, *, copies: bool) -> Any:
    """Mount an app as ASGI frameworks do: with a longer root path, in the same scope or in a copy."""

    async def router(scope: Any, receive: Any, send: Any) -> None:
        root = scope["root_path"].rstrip("/") + mount
        if not f"{scope['path']}/".startswith(f"{root}/"):
            await App().asgi(scope, receive, send)
        elif copies:
            await app({**scope, "root_path": root}, receive, send)
        else:
            scope["root_path"] = root
            await app(scope, receive, send)

    return router


def mounted_wsgi(app: Any, mount: str, *, copies: bool) -> Any:
    """Mount an app as WSGI dispatchers do: SCRIPT_NAME takes what PATH_INFO loses."""
    mount = mount.encode().decode("latin-1")

    def router(environ: Any, start_response: Any) -> Any:
        if not f"{environ['PATH_INFO']}/".startswith(f"{mount}/"):
            return App().wsgi(environ, start_response)
        inner = dict(environ) if copies else environ
        inner["SCRIPT_NAME"] = environ["SCRIPT_NAME"].rstrip("/") + mount
        inner["PATH_INFO"] = environ["PATH_INFO"][len(mount) :]
        return app(inner, start_response)

    return router


class Mounted:
    """An outer middleware around a router, which mounts an app that has a middleware of its own."""

    def __init__(self, shell: str, root: str, mount: str, *, copies: bool, **outer: Any) -> None:
        self.shell, self.root = shell, root
        if shell == "asgi":
            inner: Any = CORSMiddleware(App().asgi, allow_origins=INNER)
            self.outer: Any = CORSMiddleware(mounted_asgi(inner, mount, copies=copies), allow_origins=APP, **outer)
        else:
            inner = WSGIMiddleware(App().wsgi, allow_origins=INNER)
            self.outer = WSGIMiddleware(mounted_wsgi(inner, mount, copies=copies), allow_origins=APP, **outer)

    def allows(self, path: str, origin: str) -> bool:
        if self.shell == "asgi":
            scope = http_scope("GET", self.root.rstrip("/") + path, [("origin", origin)], root_path=self.root)
            return bool(call_asgi(self.outer, scope).cors)
        environ = {**wsgi_environ("GET", path, [("origin", origin)]), "SCRIPT_NAME": self.root}
        return bool(call_wsgi(self.outer, environ).cors)


@pytest.mark.parametrize("copies", [False, True], ids=["in place", "in a copy"])
@pytest.mark.parametrize(
    ("root", "mount", "below", "spelled"), [row[1:] for row in MOUNTS], ids=[row[0] for row in MOUNTS]
)
def test_the_line_to_write(
    shell: str, caplog: pytest.LogCaptureFixture, root: str, mount: str, below: str, spelled: str, copies: bool
) -> None:
    """One WARNING names a line. With it, the mount has the inner policy alone, and its siblings are unchanged."""
    served = Mounted(shell, root, mount, copies=copies)
    path = mount + below or "/"
    siblings = ["/", f"{mount}-sibling/x"] if mount else []
    for _ in range(2):
        assert not served.allows(path, INNER)
    assert all(served.allows(sibling, APP) for sibling in siblings)
    (line,) = logs.lines(caplog, logging.WARNING)
    match = re.search(r"Write paths=(\{.*\}) for the outer one, to leave it to the inner one\.$", line)
    assert match
    assert match[1] == f"{{{spelled}: None}}"
    caplog.clear()
    paths = eval(match[1], {"re": re})  # noqa: S307 - written above
    followed = Mounted(shell, root, mount, copies=copies, paths=paths)
    assert followed.allows(path, INNER)
    assert not followed.allows(path, APP)
    assert all(followed.allows(sibling, APP) for sibling in siblings)
    assert logs.lines(caplog, logging.WARNING) == []


def test_three_layers(shell: str, caplog: pytest.LogCaptureFixture) -> None:
    """Of three layers each inner one is named, by its own mount."""
    wrap, mounted, app = (
        (CORSMiddleware, mounted_asgi, App().asgi) if shell == "asgi" else (WSGIMiddleware, mounted_wsgi, App().wsgi)
    )
    served = Served(shell, App(), **ONE)
    innermost = mounted(wrap(app, allow_origins=INNER), "/b", copies=False)
    served.middleware = wrap(mounted(wrap(innermost, allow_origins=EVIL), "/a", copies=False), **ONE)
    served.request(path="/a/b/x", origin=APP)
    found = [re.findall(r"'/[ab/]+\*'", line) for line in logs.lines(caplog, logging.WARNING)]
    assert found == [["'/a/*'"], ["'/a/b/*'"]]


@pytest.mark.parametrize("path", ["/v2/x", "/x"], ids=["with the mount", "without it"])
def test_a_path_that_is_rewritten_on_the_way(caplog: pytest.LogCaptureFixture, path: str) -> None:
    """If the path that the outer middleware matches does not have the mount, the line is for every path."""
    inner = CORSMiddleware(App().asgi, allow_origins=INNER)

    async def rewrites(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "root_path": "/v2", "path": path}, receive, send)

    call_asgi(CORSMiddleware(rewrites, **ONE), http_scope("GET", "/x", [("origin", APP)]))
    assert "paths={'/*': None}" in caplog.text


def test_a_policy_that_two_mounts_share(shell: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each of the mounts is named; of mounts that a request can name, a few."""
    served = Mounted(shell, "", "/a", copies=False)
    inner, wrap = (App().asgi, CORSMiddleware) if shell == "asgi" else (App().wsgi, WSGIMiddleware)
    shared = wrap(inner, allow_origins=INNER)  # type: ignore[arg-type]
    router = mounted_asgi if shell == "asgi" else mounted_wsgi
    for number in range(100):
        served.outer.app = router(shared, f"/{number}", copies=False)
        served.allows(f"/{number}/x", APP)
    found = [line for line in logs.lines(caplog, logging.WARNING) if "two CORS" in line]
    assert [re.findall(r"{'(/.*)/\*'", line) for line in found] == [[f"/{number}"] for number in range(10)]


def test_stacking_while_the_level_is_off(shell: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is remembered while WARNING is off."""
    served = stacked(shell, ONE, ONE)
    caplog.set_level(logging.ERROR, logger="asgi_cors")
    served.request(origin=APP)
    caplog.set_level(logging.WARNING, logger="asgi_cors")
    served.request(origin=APP)
    assert len(logs.lines(caplog, logging.WARNING)) == 1


def test_a_root_path_that_is_not_known(caplog: pytest.LogCaptureFixture) -> None:
    """If the outer middleware has not seen the root path, that of Starlette counts."""
    shared = Policy(**ONE)
    inner = CORSMiddleware(App().asgi, allow_origins=INNER)
    call_asgi(CORSMiddleware(App().asgi, shared), http_scope("GET", "/", [("origin", APP)]))
    outer = CORSMiddleware(mounted_asgi(inner, "/mounted", copies=False), shared)
    outer.configuration.root_path = "/elsewhere"
    path = "/srv/mounted/x"
    call_asgi(outer, http_scope("GET", path, [("origin", APP)], root_path="/srv", app_root_path="/srv"))
    assert "paths={'/mounted/*': None}" in caplog.text


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
