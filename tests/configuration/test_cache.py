"""The cache: a decision is made once, and later requests of its kind get the same response."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import Configuration, CORSMiddleware, Decision, Policy, Request, decide
from asgi_cors._configuration.bounded_cache import MAX_ACTUAL, MAX_REFUSED
from asgi_cors._configuration.cache import MAX_PATH_LENGTH, MAX_PATHS
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
    """Return the decision on a request."""
    method, headers = sent
    values = ([value for key, value in headers if key == name] for name in ASKS)
    return decide(policy, Request(method, *(b", ".join(lines) if lines else None for lines in values)))


def lines(decision: Decision, own: Own) -> list[str]:
    """Return the lines of the response: those of the decision, and those of the app that it does not replace."""
    cors = {name.decode(): value.decode() for name, value in decision.headers}
    vary, exposed = ([value for name, value in own if name.lower() == wanted] for wanted in ("vary", EXPOSES))
    if cors and exposed:
        cors[EXPOSES] = ", ".join(dict.fromkeys([*filter(None, cors.get(EXPOSES, "").split(", ")), *exposed]))
    varied = {name.decode(): name for name in decision.vary if not {"*", name.decode()} & set(vary)}
    others = {f"{name.lower()}: {value}" for name, value in own if name.lower() not in {*ALLOWS, EXPOSES, "vary"}}
    if decision.vary or vary:
        others.add(f"vary: {', '.join([*vary, *varied])}")
    return sorted(others | {f"{name}: {value}" for name, value in cors.items()})


def without_content(response: Response) -> tuple[int | None, list[str]]:
    """Return the status of a response, and its lines without the content headers."""
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
    unique_by=lambda header: header[0].lower(),
)


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@given(policy=policies(), sent=requests(), own=st.lists(OWN_HEADERS, min_size=2, max_size=4))
def test_the_first_request_and_every_later_one_get_the_response_that_decide_demands(
    interface: str, policy: Policy, sent: Sent, own: list[Own]
) -> None:
    """Whatever headers the app sends itself."""
    client = Client(interface, App(), policy)
    decision = decided(policy, sent)
    for headers in own:
        client.app.headers = [("content-type", "text/plain"), *headers]
        expected = lines(decision, [] if decision.status else headers)
        assert without_content(client.request(sent[0], headers=sent[1])) == (decision.status or 200, expected)


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
    client = serve(**ONE, paths=paths)
    first = client.request(method, path, **more)
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    for _ in range(2):
        later = client.request(method, path, **more)
        assert (later.status, later.lines, later.body) == (first.status, expected or first.lines, first.body)


def test_a_later_request_of_any_origin_is_not_decided(serve: Any, monkeypatch: Any) -> None:
    """With an anonymous ``*`` all origins get the same response."""
    client = serve(allow_origins="*")
    client.request(origin=None)
    client.request(origin=APP)
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    assert client.request(origin=EVIL).lines == sorted([OWN, origin_line("*")])
    assert client.request(origin=APP).lines == sorted([OWN, origin_line("*")])


def test_a_second_origin_header_is_refused_although_a_response_for_the_first_is_cached(serve: Any) -> None:
    """In either order."""
    client = serve(**ONE)
    for _ in range(2):
        assert client.request(origin=APP).lines == GRANT
        for first, second in ((APP, EVIL), (EVIL, APP), (APP, APP)):
            headers = [("x-between", "1"), ("origin", second)]
            assert client.request(origin=first, headers=headers).lines == STRICT
            asks = ("access-control-request-method", "GET")
            assert client.request("OPTIONS", origin=first, headers=[asks, *headers]).cors == []


def test_a_start_message_that_an_app_sends_repeatedly_is_not_changed() -> None:
    """A server may edit the message that it receives: the app's own is another one."""
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


def test_a_reconfigured_policy_applies_at_once(serve: Any) -> None:
    """No response of an earlier policy is sent again."""
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
def test_the_caches_are_bounded_whatever_headers_clients_send(serve: Any, options: dict[str, Any]) -> None:
    """Origins and header names vary."""
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


def test_the_cache_of_paths_is_bounded_whatever_paths_clients_request(serve: Any) -> None:
    """Each path gets its policy."""
    client = serve(**ONE, paths={"/open/*": {"allow_origins": "*"}})
    for number in range(MAX_PATHS + 50):
        assert client.request(path=f"/open/{number}", origin=EVIL).cors == [origin_line("*")]
        assert client.request(path=f"/{number}/{'a' * MAX_PATH_LENGTH}", origin=EVIL).cors == []
    evaluator = client.middleware.configuration.evaluator
    assert 0 < len(evaluator.asgi._by_path) + len(evaluator.wsgi._by_path) <= MAX_PATHS
    assert client.request(path="/open/0", origin=EVIL).cors == [origin_line("*")]
    assert client.request(path="/closed", origin=EVIL).cors == []


def test_a_header_with_a_very_long_name_does_not_change_the_response_of_a_preflight() -> None:
    client = Client("asgi", App(), **ONE)
    asks = [("origin", APP), ("x" * 300, "1"), ("access-control-request-method", "GET")]
    for _ in range(2):
        assert call_asgi(client.middleware, http_scope("OPTIONS", "/", asks)).lines == granted()


def test_a_later_request_of_a_view_is_not_decided(monkeypatch: Any) -> None:
    """A request that passes through is not even read again."""
    configuration = Configuration(view_of=lambda scope: scope["path"], **ONE)
    configuration.set_views({"/own": {"allow_origins": EVIL}, "/none": None})
    middleware = CORSMiddleware(App().asgi, configuration)
    asks = [("access-control-request-method", "GET")]

    def both(path: str, origin: str) -> list[list[str]]:
        headers = [("origin", origin)]
        scopes = http_scope("GET", path, headers), http_scope("OPTIONS", path, [*headers, *asks])
        return [call_asgi(middleware, scope).lines for scope in scopes]

    first = [both(path, origin) for path in ("/", "/own", "/none") for origin in (APP, EVIL)]
    assert first[0] == [GRANT, granted()]
    assert first[3] == [sorted([OWN, VARY, origin_line(EVIL)]), granted(EVIL)]
    assert first[4] == [[OWN], [OWN]]
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    monkeypatch.delattr("asgi_cors._configuration.evaluation.read_request")
    assert [both(path, origin) for path in ("/", "/own", "/none") for origin in (APP, EVIL)] == first


def test_the_response_to_a_preflight_says_that_its_body_is_complete() -> None:
    """Not every server assumes it."""
    client = Client("asgi", App(), **ONE)
    for _ in range(2):
        response = client.preflight(origin=APP)
        assert response.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
