"""The fast path: what is decided once is carried out again without deciding, and no request can tell."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import Configuration, CORSMiddleware, Decision, Policy, Request, decide
from asgi_cors._configuration.cache import MAX_ACTUAL, MAX_PATH_LENGTH, MAX_PATHS, MAX_REFUSED
from tests.support.apps import App
from tests.support.cached import cached
from tests.support.clients import Answer, Served, call_asgi, http_scope
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
    method, fields = sent
    values = ([value for key, value in fields if key == name] for name in ASKS)
    return decide(policy, Request(method, *(b", ".join(lines) if lines else None for lines in values)))


def lines(decision: Decision, own: Own) -> list[str]:
    """The answer's lines: the app's own, by the decision's leave, and the decision's."""
    cors = {name.decode(): value.decode() for name, value in decision.headers}
    vary, exposed = ([value for name, value in own if name.lower() == field] for field in ("vary", EXPOSES))
    if cors and exposed:
        cors[EXPOSES] = ", ".join(dict.fromkeys([*filter(None, cors.get(EXPOSES, "").split(", ")), *exposed]))
    varied = {name.decode(): name for name in decision.vary if not {"*", name.decode()} & set(vary)}
    kept = {f"{name.lower()}: {value}" for name, value in own if name.lower() not in {*ALLOWS, EXPOSES, "vary"}}
    if decision.vary or vary:
        kept.add(f"vary: {', '.join([*vary, *varied])}")
    return sorted(kept | {f"{name}: {value}" for name, value in cors.items()})


def told(answer: Answer) -> tuple[int | None, list[str]]:
    """Status and lines of an answer, without those of its content."""
    return answer.status, [line for line in answer.lines if not line.startswith("content-")]


OWN_FIELDS = st.lists(
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


@pytest.mark.parametrize("shell", ["asgi", "wsgi"])
@given(policy=policies(), sent=requests(), own=st.lists(OWN_FIELDS, min_size=2, max_size=4))
def test_every_later_request(shell: str, policy: Policy, sent: Sent, own: list[Own]) -> None:
    """The first request of a kind and every later one are answered as decide() says, whatever the app itself sends."""
    served = Served(shell, App(), policy)
    decision = decided(policy, sent)
    for fields in own:
        served.app.headers = [("content-type", "text/plain"), *fields]
        expected = lines(decision, [] if decision.status else fields)
        assert told(served.request(sent[0], fields=sent[1])) == (decision.status or 200, expected)


KINDS: list[tuple[str, str, dict[str, Any], list[str] | None]] = [
    ("GET", "/", {"origin": None}, STRICT),
    ("GET", "/", {"origin": APP}, GRANT),
    ("POST", "/below/path", {"origin": APP}, GRANT),
    ("OPTIONS", "/", {"origin": APP, "fields": [("access-control-request-method", "GET")]}, granted()),
    ("GET", "/", {"origin": EVIL}, STRICT),
    ("OPTIONS", "/", {"origin": EVIL, "fields": [("access-control-request-method", "GET")]}, None),
]


@pytest.mark.parametrize(("method", "path", "more", "expected"), KINDS)
@pytest.mark.parametrize("paths", [None, {"/below/*": Policy(**ONE)}], ids=["fixed", "by path"])
def test_a_later_request_is_not_decided(
    serve: Any, method: str, path: str, more: dict[str, Any], expected: list[str] | None, paths: Any, monkeypatch: Any
) -> None:
    """What has been decided once is not decided again."""
    served = serve(**ONE, paths=paths)
    first = served.request(method, path, **more)
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    for _ in range(2):
        later = served.request(method, path, **more)
        assert (later.status, later.lines, later.body) == (first.status, expected or first.lines, first.body)


def test_a_later_request_of_any_origin_is_not_decided(serve: Any, monkeypatch: Any) -> None:
    """Under an anonymous ``*`` one request decides for all."""
    served = serve(allow_origins="*")
    served.request(origin=None)
    served.request(origin=APP)
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    assert served.request(origin=EVIL).lines == sorted([OWN, origin_line("*")])
    assert served.request(origin=APP).lines == sorted([OWN, origin_line("*")])


def test_a_second_origin_is_seen(serve: Any) -> None:
    """A second Origin refuses a request whose first one has been allowed, and the other way round."""
    served = serve(**ONE)
    for _ in range(2):
        assert served.request(origin=APP).lines == GRANT
        for first, second in ((APP, EVIL), (EVIL, APP), (APP, APP)):
            fields = [("x-between", "1"), ("origin", second)]
            assert served.request(origin=first, fields=fields).lines == STRICT
            asks = ("access-control-request-method", "GET")
            assert served.request("OPTIONS", origin=first, fields=[asks, *fields]).cors == []


def test_a_reused_start_stays_as_it_is() -> None:
    """An app may send one start message again and again; a server may edit what it gets: neither sees the other."""
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
    before = {**start, "headers": [*start["headers"]]}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    middleware = CORSMiddleware(app, **ONE)
    for _ in range(3):
        answer = call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]))
        assert answer.lines == GRANT
        answer.messages[0]["headers"].append((b"x-server", b"1"))
        answer.messages[0]["status"] = 500
    assert start == before


def test_reconfigure_holds_at_once(serve: Any) -> None:
    """A policy replaced by another is not carried out once more, nor is the other when it is replaced again."""
    served = serve(**ONE)
    asks = [("access-control-request-method", "GET")]
    for allowed, refused in ((APP, EVIL), (EVIL, APP), (APP, EVIL)):
        served.middleware.reconfigure(allow_origins=allowed)
        for _ in range(2):
            assert served.request(origin=allowed).cors == [origin_line(allowed)]
            assert served.request(origin=refused).cors == []
            assert served.request("OPTIONS", origin=allowed, fields=asks).lines == granted(allowed)
            assert served.request("OPTIONS", origin=refused, fields=asks).cors == []


@pytest.mark.parametrize("options", [ONE, {"allow_origins": "https://*.example.net", "allow_headers": "*"}])
def test_a_hostile_stream_leaves_tables_bounded(serve: Any, options: dict[str, Any]) -> None:
    """Whatever strangers vary (origins, methods, header names), what is kept of it has a limit."""
    policy = Policy(**options)
    served = serve(policy)
    for number in range(MAX_ACTUAL + 50):
        origin = f"https://n{number}.example.net"
        served.request(origin=origin)
        served.preflight("GET", f"x-{number}", origin=origin)
    limit = MAX_REFUSED if options is ONE else MAX_ACTUAL
    caches = cached(served, policy)
    assert all(len(cache) <= limit for cache in caches)
    assert any(caches)


def test_a_hostile_stream_of_paths_leaves_them_bounded(serve: Any) -> None:
    """However many paths strangers ask for, at whatever length, few are remembered, and each gets its policy."""
    served = serve(**ONE, paths={"/open/*": {"allow_origins": "*"}})
    for number in range(MAX_PATHS + 50):
        assert served.request(path=f"/open/{number}", origin=EVIL).cors == [origin_line("*")]
        assert served.request(path=f"/{number}/{'a' * MAX_PATH_LENGTH}", origin=EVIL).cors == []
    evaluator = served.middleware.configuration.evaluator
    assert 0 < len(evaluator.asgi._by_path) + len(evaluator.wsgi._by_path) <= MAX_PATHS
    assert served.request(path="/open/0", origin=EVIL).cors == [origin_line("*")]
    assert served.request(path="/closed", origin=EVIL).cors == []


def test_a_preflight_with_an_endless_field_name() -> None:
    """A field whose name is longer than any that counts changes nothing."""
    served = Served("asgi", App(), **ONE)
    asks = [("origin", APP), ("x" * 300, "1"), ("access-control-request-method", "GET")]
    for _ in range(2):
        assert call_asgi(served.middleware, http_scope("OPTIONS", "/", asks)).lines == granted()


def test_a_later_request_of_a_view_is_not_decided(monkeypatch: Any) -> None:
    """Nor is what a view's own policy serves decided again, nor what passes through looked at."""
    configuration = Configuration(view_of=lambda scope: scope["path"], **ONE)
    configuration.set_views({"/own": {"allow_origins": EVIL}, "/none": None})
    middleware = CORSMiddleware(App().asgi, configuration)
    asks = [("access-control-request-method", "GET")]

    def told(path: str, origin: str) -> list[list[str]]:
        fields = [("origin", origin)]
        scopes = http_scope("GET", path, fields), http_scope("OPTIONS", path, [*fields, *asks])
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
    served = Served("asgi", App(), **ONE)
    for _ in range(2):
        answer = served.preflight(origin=APP)
        assert answer.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


# -- a server that keeps letter case, as hypercorn with h11_pass_raw_headers
