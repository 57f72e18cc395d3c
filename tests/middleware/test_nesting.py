"""Nested middlewares: around one app, around an app and a mounted one, and with a shared configuration."""

import contextlib
import gc
import logging
import re
import weakref
from typing import Any

import pytest

from asgi_cors import Configuration, CORSMiddleware, WSGIMiddleware
from tests.support import logs
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, granted, origin_line

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])


def nested(interface: str, outer: dict[str, Any], inner: dict[str, Any]) -> Client:
    """Return an app inside two middlewares."""
    client = Client(interface, App(), **inner)
    client.middleware = (CORSMiddleware if interface == "asgi" else WSGIMiddleware)(client.middleware, **outer)
    return client


NESTED: list[tuple[str, dict[str, Any], dict[str, Any], str, list[str]]] = [
    ("both allow", ONE, ONE, APP, GRANT),
    ("the inner refuses", {"allow_origins": [APP, EVIL]}, ONE, EVIL, STRICT),
    ("the outer refuses", ONE, {"allow_origins": [APP, EVIL]}, EVIL, STRICT),
    ("both refuse", ONE, ONE, EVIL, STRICT),
    ("an inner refusal counts under an outer *", {"allow_origins": "*"}, ONE, EVIL, STRICT),
]


@pytest.mark.parametrize(
    ("outer", "inner", "origin", "lines"), [row[1:] for row in NESTED], ids=[row[0] for row in NESTED]
)
def test_both_of_two_nested_middlewares_must_allow(
    interface: str, outer: dict[str, Any], inner: dict[str, Any], origin: str, lines: list[str]
) -> None:
    """The headers are sent once."""
    assert nested(interface, outer, inner).request(origin=origin).lines == lines


def test_the_outer_middleware_serves_preflights(interface: str) -> None:
    client = nested(interface, {**ONE, "allow_methods": "PUT"}, ONE)
    assert client.preflight("PUT", origin=APP).lines == granted(APP, "GET, HEAD, POST, PUT")
    assert client.reached == 0


INNER = "https://inner.example.com"
# behaviour, server's root path, mount, path of a request below it, the mount as the log spells it
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
    """Mount an app as ASGI frameworks do: with a longer root path, in the same scope or in a copy of it."""

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
    """Mount an app as WSGI dispatchers do: move the mount from PATH_INFO to SCRIPT_NAME."""
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

    def __init__(self, interface: str, root: str, mount: str, *, copies: bool, **outer: Any) -> None:
        self.interface, self.root = interface, root
        if interface == "asgi":
            inner: Any = CORSMiddleware(App().asgi, allow_origins=INNER)
            self.outer: Any = CORSMiddleware(mounted_asgi(inner, mount, copies=copies), allow_origins=APP, **outer)
        else:
            inner = WSGIMiddleware(App().wsgi, allow_origins=INNER)
            self.outer = WSGIMiddleware(mounted_wsgi(inner, mount, copies=copies), allow_origins=APP, **outer)

    def allows(self, path: str, origin: str) -> bool:
        if self.interface == "asgi":
            scope = http_scope("GET", self.root.rstrip("/") + path, [("origin", origin)], root_path=self.root)
            return bool(call_asgi(self.outer, scope).cors)
        environ = {**wsgi_environ("GET", path, [("origin", origin)]), "SCRIPT_NAME": self.root}
        return bool(call_wsgi(self.outer, environ).cors)


@pytest.mark.parametrize("copies", [False, True], ids=["in place", "in a copy"])
@pytest.mark.parametrize(
    ("root", "mount", "below", "spelled"), [row[1:] for row in MOUNTS], ids=[row[0] for row in MOUNTS]
)
def test_the_warning_names_a_line_that_leaves_the_mount_to_the_inner_middleware(
    interface: str, caplog: pytest.LogCaptureFixture, root: str, mount: str, below: str, spelled: str, copies: bool
) -> None:
    """With that line, the mount has the inner policy only, and other paths are unchanged."""
    client = Mounted(interface, root, mount, copies=copies)
    path = mount + below or "/"
    siblings = ["/", f"{mount}-sibling/x"] if mount else []
    for _ in range(2):
        assert not client.allows(path, INNER)
    assert all(client.allows(sibling, APP) for sibling in siblings)
    (line,) = logs.lines(caplog, logging.WARNING)
    match = re.search(r"Write paths=(\{.*\}) for the outer one, to leave it to the inner one\.$", line)
    assert match
    assert match[1] == f"{{{spelled}: None}}"
    caplog.clear()
    paths = eval(match[1], {"re": re})  # noqa: S307 - of the table above
    followed = Mounted(interface, root, mount, copies=copies, paths=paths)
    assert followed.allows(path, INNER)
    assert not followed.allows(path, APP)
    assert all(followed.allows(sibling, APP) for sibling in siblings)
    assert logs.lines(caplog, logging.WARNING) == []


def test_each_inner_one_of_three_nested_middlewares_is_logged_with_its_mount(
    interface: str, caplog: pytest.LogCaptureFixture
) -> None:
    wrap, mounted, app = (
        (CORSMiddleware, mounted_asgi, App().asgi)
        if interface == "asgi"
        else (WSGIMiddleware, mounted_wsgi, App().wsgi)
    )
    client = Client(interface, App(), **ONE)
    innermost = mounted(wrap(app, allow_origins=INNER), "/b", copies=False)
    client.middleware = wrap(mounted(wrap(innermost, allow_origins=EVIL), "/a", copies=False), **ONE)
    client.request(path="/a/b/x", origin=APP)
    found = [re.findall(r"'/[ab/]+\*'", line) for line in logs.lines(caplog, logging.WARNING)]
    assert found == [["'/a/*'"], ["'/a/b/*'"]]


@pytest.mark.parametrize("path", ["/v2/x", "/x"], ids=["with the mount", "without it"])
def test_the_warning_names_every_path_if_the_outer_path_has_no_mount(
    caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """The path was rewritten between the two middlewares."""
    inner = CORSMiddleware(App().asgi, allow_origins=INNER)

    async def rewrites(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "root_path": "/v2", "path": path}, receive, send)

    call_asgi(CORSMiddleware(rewrites, **ONE), http_scope("GET", "/x", [("origin", APP)]))
    assert "paths={'/*': None}" in caplog.text


def test_the_warning_is_logged_for_at_most_ten_mounts(interface: str, caplog: pytest.LogCaptureFixture) -> None:
    """A request may name any number of mounts."""
    client = Mounted(interface, "", "/a", copies=False)
    inner, wrap = (App().asgi, CORSMiddleware) if interface == "asgi" else (App().wsgi, WSGIMiddleware)
    shared = wrap(inner, allow_origins=INNER)  # type: ignore[arg-type]
    router = mounted_asgi if interface == "asgi" else mounted_wsgi
    for number in range(100):
        client.outer.app = router(shared, f"/{number}", copies=False)
        client.allows(f"/{number}/x", APP)
    found = [line for line in logs.lines(caplog, logging.WARNING) if "two CORS" in line]
    assert [re.findall(r"{'(/.*)/\*'", line) for line in found] == [[f"/{number}"] for number in range(10)]


def test_the_warning_is_logged_when_its_level_is_turned_on(interface: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is remembered while WARNING is off."""
    client = nested(interface, ONE, ONE)
    caplog.set_level(logging.ERROR, logger="asgi_cors")
    client.request(origin=APP)
    caplog.set_level(logging.WARNING, logger="asgi_cors")
    client.request(origin=APP)
    assert len(logs.lines(caplog, logging.WARNING)) == 1


def test_the_warning_uses_starlettes_root_path_if_the_outer_one_is_not_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A request that is served from the cache does not report its root path."""
    shared = Configuration(**ONE)
    inner = CORSMiddleware(App().asgi, allow_origins=INNER)
    call_asgi(CORSMiddleware(App().asgi, shared), http_scope("GET", "/", [("origin", APP)]))
    outer = CORSMiddleware(mounted_asgi(inner, "/mounted", copies=False), shared)
    shared.root_path = "/elsewhere"
    path = "/srv/mounted/x"
    call_asgi(outer, http_scope("GET", path, [("origin", APP)], root_path="/srv", app_root_path="/srv"))
    assert "paths={'/mounted/*': None}" in caplog.text


def test_the_response_state_is_in_the_servers_own_scope() -> None:
    """The app gets no copy. Under ASGI, the key is removed after the call."""
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


def test_a_request_leaves_no_reference_cycle() -> None:
    """The response state refers to `send`, and with it to the server's object that holds the scope."""

    class Cycle:
        """A server's request: its scope, and the `send` that the app gets."""

        def __init__(self) -> None:
            self.scope = http_scope("GET", "/", [("origin", APP)])

        async def send(self, message: Any) -> None:
            """Accept a message."""

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


def test_an_app_may_clear_its_scope() -> None:

    async def clears(scope: Any, receive: Any, send: Any) -> None:
        await App().asgi(scope, receive, send)
        scope.clear()

    assert call_asgi(CORSMiddleware(clears, **ONE), http_scope("GET", "/", [("origin", APP)])).lines == GRANT


def test_a_second_call_on_the_same_scope_is_decided_again() -> None:
    """An outer middleware may retry a request without a response."""
    scope = http_scope("GET", "/", [("origin", EVIL)])

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        """Send no response."""

    middleware = CORSMiddleware(silent, **ONE, enforce=True)
    assert call_asgi(middleware, dict(scope)).status == 403
    assert call_asgi(middleware, scope).status == 403
    assert call_asgi(middleware, scope).status == 403


WITH, WITHOUT = {**ONE, "allow_credentials": True}, ONE


@pytest.mark.parametrize(
    ("outer", "inner", "credentials"),
    [(WITH, WITH, True), (WITH, WITHOUT, False), (WITHOUT, WITH, False)],
    ids=["both", "only the outer", "only the inner"],
)
def test_both_of_two_nested_middlewares_must_allow_credentials(
    interface: str, outer: dict[str, Any], inner: dict[str, Any], credentials: bool
) -> None:
    response = nested(interface, outer, inner).request(origin=APP)
    assert response.lines == sorted([*GRANT, *([CREDENTIALS] if credentials else [])])


def test_an_exception_inside_two_middlewares_gets_one_500_with_the_headers_of_both(interface: str) -> None:
    client = Client(interface, App(raises=RuntimeError()), **ONE)
    client.middleware = (CORSMiddleware if interface == "asgi" else WSGIMiddleware)(client.middleware, **ONE)
    response = client.request(origin=APP)
    assert (response.status, response.cors, response.values("vary")) == (500, [origin_line(APP)], ["Origin"])


def test_two_middlewares_with_one_configuration_decide_once(interface: str, caplog: pytest.LogCaptureFixture) -> None:
    """They are not logged as nested."""
    seen: list[Any] = []
    shared = Configuration(on_decision=lambda *args: seen.append(args), **ONE)
    client = Client(interface, App(), shared)
    client.middleware = (CORSMiddleware if interface == "asgi" else WSGIMiddleware)(client.middleware, shared)
    assert client.request(origin=APP).lines == GRANT
    assert (len(seen), client.reached, caplog.records) == (1, 1, [])


def test_a_scope_that_is_used_again_is_not_logged_as_nested(caplog: pytest.LogCaptureFixture) -> None:
    scope, environ = http_scope("GET", "/", [("origin", APP)]), wsgi_environ("GET", "/", [("origin", APP)])
    asgi, wsgi = CORSMiddleware(App().asgi, **ONE), WSGIMiddleware(App().wsgi, **ONE)
    assert [call_asgi(asgi, scope).lines for _ in range(2)] == [GRANT, GRANT]
    assert [call_wsgi(wsgi, environ).lines for _ in range(2)] == [GRANT, GRANT]
    assert caplog.records == []
