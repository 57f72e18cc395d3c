"""The fast path: what is decided once is carried out again without deciding, and no request can tell."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import Configuration, CORSMiddleware, Decision, Policy, Request, decide
from asgi_cors._configuration.cache import MAX_ACTUAL, MAX_PATH_LENGTH, MAX_PATHS, MAX_REFUSED
from tests.support.apps import App
from tests.support.cached import cached
from tests.support.clients import Client, Response, call_asgi, http_scope
from tests.support.expected import APP, EVIL, OWN, VARY, granted, origin_line
from tests.support.strategies import policies, requests

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
ASKS = (b"origin", b"access-control-request-method", b"access-control-request-headers")
ALLOWS = {f"access-control-allow-{name}" for name in ("origin", "credentials", "methods", "headers")}
EXPOSES = "access-control-expose-headers"

Sent = tuple[str, list[tuple[bytes, bytes]]]
Own = list[tuple[str, str]]


def decided(policy: Policy, sent: Sent) -> Decision:
    """What decide() says of a request."""
    method, headers = sent
    values = ([value for key, value in headers if key == name] for name in ASKS)
    return decide(policy, Request(method, *(b", ".join(lines) if lines else None for lines in values)))


def lines(decision: Decision, own: Own) -> list[str]:
    """The response's lines: the app's own, by the decision's leave, and the decision's."""
    cors = {name.decode(): value.decode() for name, value in decision.headers}
    vary, exposed = ([value for name, value in own if name.lower() == field] for field in ("vary", EXPOSES))
    if cors and exposed:
        cors[EXPOSES] = ", ".join(dict.fromkeys([*filter(None, cors.get(EXPOSES, "").split(", ")), *exposed]))
    varied = {name.decode(): name for name in decision.vary if not {"*", name.decode()} & set(vary)}
    kept = {f"{name.lower()}: {value}" for name, value in own if name.lower() not in {*ALLOWS, EXPOSES, "vary"}}
    if decision.vary or vary:
        kept.add(f"vary: {', '.join([*vary, *varied])}")
    return sorted(kept | {f"{name}: {value}" for name, value in cors.items()})


def told(response: Response) -> tuple[int | None, list[str]]:
    """Status and lines of a response, without those of its content."""
    return response.status, [line for line in response.lines if not line.startswith("content-")]


OWN_HEADERS = st.lists(
    st.sampled_from(
        [
            ("x-a", "1"),
            ("Vary", "Accept"),
            ("VARY", "Origin"),
            ("vary", "*"),
            ("Access-Control-Allow-Origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("Access-Control-Expose-Headers", "x-own"),
        ]
    ),
    max_size=3,
    unique_by=lambda field: field[0].lower(),
)


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@given(policy=policies(), sent=requests(), own=st.lists(OWN_HEADERS, min_size=2, max_size=4))
def test_every_later_request(interface: str, policy: Policy, sent: Sent, own: list[Own]) -> None:
    """The first request of a kind and every later one are answered as decide() says, whatever the app itself sends."""
    client = Client(interface, App(), policy)
    decision = decided(policy, sent)
    for headers in own:
        client.app.headers = [("content-type", "text/plain"), *headers]
        expected = lines(decision, [] if decision.status else headers)
        assert told(client.request(sent[0], headers=sent[1])) == (decision.status or 200, expected)


KINDS: list[tuple[str, str, dict[str, Any], list[str] | None]] = [
    ("GET", "/", {"origin": None}, STRICT),
    ("GET", "/", {"origin": APP}, GRANT),
    ("POST", "/below/path", {"origin": APP}, GRANT),
    ("OPTIONS", "/", {"origin": APP, "headers": [("access-control-request-method", "GET")]}, granted()),
    ("GET", "/", {"origin": EVIL}, STRICT),
    ("OPTIONS", "/", {"origin": EVIL, "headers": [("access-control-request-method", "GET")]}, None),
]


@pytest.mark.parametrize(("method", "path", "more", "expected"), KINDS)
@pytest.mark.parametrize("paths", [None, {"/below/*": Policy(**ONE)}], ids=["fixed", "by path"])
def test_a_later_request_is_not_decided(
    serve: Any, method: str, path: str, more: dict[str, Any], expected: list[str] | None, paths: Any, monkeypatch: Any
) -> None:
    """What has been decided once is not decided again."""
    client = serve(**ONE, paths=paths)
    first = client.request(method, path, **more)
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    for _ in range(2):
        later = client.request(method, path, **more)
        assert (later.status, later.lines, later.body) == (first.status, expected or first.lines, first.body)


def test_a_later_request_of_any_origin_is_not_decided(serve: Any, monkeypatch: Any) -> None:
    """Under an anonymous ``*`` one request decides for all."""
    client = serve(allow_origins="*")
    client.request(origin=None)
    client.request(origin=APP)
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    assert client.request(origin=EVIL).lines == sorted([OWN, origin_line("*")])
    assert client.request(origin=APP).lines == sorted([OWN, origin_line("*")])


def test_a_second_origin_is_seen(serve: Any) -> None:
    """A second Origin refuses a request whose first one has been allowed, and the other way round."""
    client = serve(**ONE)
    for _ in range(2):
        assert client.request(origin=APP).lines == GRANT
        for first, second in ((APP, EVIL), (EVIL, APP), (APP, APP)):
            headers = [("x-between", "1"), ("origin", second)]
            assert client.request(origin=first, headers=headers).lines == STRICT
            asks = ("access-control-request-method", "GET")
            assert client.request("OPTIONS", origin=first, headers=[asks, *headers]).cors == []


def test_a_reused_start_stays_as_it_is() -> None:
    """An app may send one start message again and again; a server may edit what it gets: neither sees the other."""
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
    before = {**start, "headers": [*start["headers"]]}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    middleware = CORSMiddleware(app, **ONE)
    for _ in range(3):
        response = call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]))
        assert response.lines == GRANT
        response.messages[0]["headers"].append((b"x-server", b"1"))
        response.messages[0]["status"] = 500
    assert start == before


def test_reconfigure_holds_at_once(serve: Any) -> None:
    """A policy replaced by another is not carried out once more, nor is the other when it is replaced again."""
    client = serve(**ONE)
    asks = [("access-control-request-method", "GET")]
    for allowed, refused in ((APP, EVIL), (EVIL, APP), (APP, EVIL)):
        client.middleware.reconfigure(allow_origins=allowed)
        for _ in range(2):
            assert client.request(origin=allowed).cors == [origin_line(allowed)]
            assert client.request(origin=refused).cors == []
            assert client.request("OPTIONS", origin=allowed, headers=asks).lines == granted(allowed)
            assert client.request("OPTIONS", origin=refused, headers=asks).cors == []


@pytest.mark.parametrize("options", [ONE, {"allow_origins": "https://*.example.net", "allow_headers": "*"}])
def test_a_hostile_stream_leaves_tables_bounded(serve: Any, options: dict[str, Any]) -> None:
    """Whatever strangers vary (origins, methods, header names), what is kept of it has a limit."""
    policy = Policy(**options)
    client = serve(policy)
    for number in range(MAX_ACTUAL + 50):
        origin = f"https://n{number}.example.net"
        client.request(origin=origin)
        client.preflight("GET", f"x-{number}", origin=origin)
    limit = MAX_REFUSED if options is ONE else MAX_ACTUAL
    caches = cached(client, policy)
    assert all(len(cache) <= limit for cache in caches)
    assert any(caches)


def test_a_hostile_stream_of_paths_leaves_them_bounded(serve: Any) -> None:
    """However many paths strangers ask for, at whatever length, few are remembered, and each gets its policy."""
    client = serve(**ONE, paths={"/open/*": {"allow_origins": "*"}})
    for number in range(MAX_PATHS + 50):
        assert client.request(path=f"/open/{number}", origin=EVIL).cors == [origin_line("*")]
        assert client.request(path=f"/{number}/{'a' * MAX_PATH_LENGTH}", origin=EVIL).cors == []
    evaluator = client.middleware.configuration.evaluator
    assert 0 < len(evaluator.asgi._by_path) + len(evaluator.wsgi._by_path) <= MAX_PATHS
    assert client.request(path="/open/0", origin=EVIL).cors == [origin_line("*")]
    assert client.request(path="/closed", origin=EVIL).cors == []


def test_a_preflight_with_an_endless_field_name() -> None:
    """A field whose name is longer than any that counts changes nothing."""
    client = Client("asgi", App(), **ONE)
    asks = [("origin", APP), ("x" * 300, "1"), ("access-control-request-method", "GET")]
    for _ in range(2):
        assert call_asgi(client.middleware, http_scope("OPTIONS", "/", asks)).lines == granted()


def test_a_later_request_of_a_view_is_not_decided(monkeypatch: Any) -> None:
    """Nor is what a view's own policy serves decided again, nor what passes through looked at."""
    configuration = Configuration(view_of=lambda scope: scope["path"], **ONE)
    configuration.set_views({"/own": {"allow_origins": EVIL}, "/none": None})
    middleware = CORSMiddleware(App().asgi, configuration)
    asks = [("access-control-request-method", "GET")]

    def told(path: str, origin: str) -> list[list[str]]:
        headers = [("origin", origin)]
        scopes = http_scope("GET", path, headers), http_scope("OPTIONS", path, [*headers, *asks])
        return [call_asgi(middleware, scope).lines for scope in scopes]

    first = [told(path, origin) for path in ("/", "/own", "/none") for origin in (APP, EVIL)]
    assert first[0] == [GRANT, granted()]
    assert first[3] == [sorted([OWN, VARY, origin_line(EVIL)]), granted(EVIL)]
    assert first[4] == [[OWN], [OWN]]
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    monkeypatch.delattr("asgi_cors._configuration.evaluation.read_request")
    assert [told(path, origin) for path in ("/", "/own", "/none") for origin in (APP, EVIL)] == first


def test_an_answer_says_that_its_body_is_whole() -> None:
    """Not every client takes that for granted."""
    client = Client("asgi", App(), **ONE)
    for _ in range(2):
        response = client.preflight(origin=APP)
        assert response.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


# -- a server that keeps letter case, as hypercorn with h11_pass_raw_headers
