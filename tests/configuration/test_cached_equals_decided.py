"""A cached decision changes nothing: each request is answered like the first, and as decide() says."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_cors import Configuration, CORSMiddleware, Policy, Request, decide
from asgi_cors._configuration.bounded_cache import BoundedCache, CachedResponse
from tests.support.apps import App
from tests.support.cached import cached
from tests.support.clients import Client, Response, call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, FAILED, OWN, VARY, granted, origin_line, refused
from tests.support.strategies import policies, requests

pytestmark = pytest.mark.slow

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
HOST = ("host", "api.example.com")
Sent = tuple[str, list[tuple[bytes, bytes]]]


def joined(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Join the values of all headers of a name. Return None if there are none."""
    return (
        b", ".join(value for key, value in headers if key == name) if any(key == name for key, _ in headers) else None
    )


def decided(policy: Policy, sent: Sent) -> tuple[int, list[str]]:
    """Return the status and the lines that decide() demands."""
    method, headers = sent
    names = (b"origin", b"access-control-request-method", b"access-control-request-headers")
    decision = decide(policy, Request(method, *(joined(headers, name) for name in names)))
    lines = [f"{name.decode()}: {value.decode()}" for name, value in decision.headers]
    if decision.vary:
        lines.append(f"vary: {', '.join(name.decode() for name in decision.vary)}")
    return decision.status or 200, sorted(lines)


def without_content(response: Response) -> tuple[int | None, list[str]]:
    """Return the status of a response, and its lines without the content headers."""
    return response.status, [line for line in response.lines if not line.startswith("content-")]


@given(policies(), policies(), st.lists(requests(), min_size=1, max_size=5), st.data())
def test_each_request_over_asgi_gets_the_response_that_decide_demands(
    policy: Policy, other: Policy, pool: list[Sent], data: st.DataObject
) -> None:
    """In any order and number, also after the policy was replaced."""
    client = Client("asgi", App(), policy)
    for current in (policy, other):
        client.middleware.reconfigure(current)
        for method, headers in data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=10)):
            response = call_asgi(client.middleware, http_scope(method, "/", headers))
            assert without_content(response) == decided(current, (method, headers))


@given(policies(), st.lists(requests(), min_size=1, max_size=5), st.data())
def test_each_request_over_wsgi_gets_the_response_of_a_new_middleware(
    policy: Policy, pool: list[Sent], data: st.DataObject
) -> None:
    """A response does not depend on earlier requests."""
    client = Client("wsgi", App(), policy)
    for method, headers in data.draw(st.lists(st.sampled_from(pool), min_size=2, max_size=10)):
        fresh = Client("wsgi", App(), policy.replace())
        environs = [wsgi_environ(method, "/", headers) for _ in range(2)]
        responses = [
            call_wsgi(each.middleware, environ) for each, environ in zip((client, fresh), environs, strict=True)
        ]
        assert without_content(responses[0]) == without_content(responses[1])


def test_a_repeated_preflight_gets_the_same_response_and_another_one_its_own(serve: Any) -> None:
    client = serve(**ONE, allow_methods="PUT", allow_headers=["x-a", "x-p-*"])
    names = "accept, accept-language, content-language, content-type, x-a"
    for _ in range(3):
        assert client.preflight("PUT", "x-a", origin=APP).lines == granted(APP, "GET, HEAD, POST, PUT", names)
        assert client.preflight("PUT", "x-p-1", origin=APP).lines == granted(
            APP, "GET, HEAD, POST, PUT", f"{names}, x-p-1"
        )
        for preflight in (("DELETE", None, APP), ("PUT", "x-b", APP), ("PUT", None, EVIL)):
            response = client.preflight(*preflight[:2], origin=preflight[2])
            assert (response.status, response.body != b"") == (200, True)
        assert client.request("OPTIONS", origin=APP).lines == GRANT
    assert client.reached == 3


def test_a_server_that_edits_the_headers_of_one_response_does_not_change_the_next() -> None:
    middleware = CORSMiddleware(App().asgi, **ONE)
    headers = [("origin", APP), ("access-control-request-method", "GET")]
    for _ in range(3):
        response = call_asgi(middleware, http_scope("OPTIONS", "/", headers))
        assert response.lines == granted()
        response.messages[0]["headers"].append((b"x-added", b"1"))


@pytest.mark.parametrize("origin", [APP, EVIL, None], ids=["allowed", "refused", "no Origin"])
def test_each_response_is_merged_with_its_own_headers_of_the_app(serve: Any, origin: str | None) -> None:
    client = serve(**ONE)
    cors = [origin_line(APP)] if origin == APP else []
    for own, vary in ((), "Origin"), ([("Vary", "Accept")], "Accept, Origin"), ((), "Origin"), ([("vary", "*")], "*"):
        client.app.headers = [("content-type", "text/plain"), *own]
        assert client.request(origin=origin).lines == sorted([OWN, *cors, f"vary: {vary}"])
    client.app.headers = [("content-type", "text/plain"), ("Access-Control-Allow-Origin", "*")]
    assert client.request(origin=origin).lines == sorted([OWN, *cors, VARY])


def test_on_decision_is_called_for_each_request_although_the_decision_is_cached(serve: Any) -> None:
    seen: list[str] = []
    client = serve(on_decision=lambda decision, _: seen.append(decision.outcome), **ONE)
    for _ in range(3):
        client.request(origin=APP)
        client.preflight(origin=EVIL)
    assert seen == ["allowed", "preflight-refused"] * 3


def test_enforce_checks_each_request_for_the_same_origin(serve: Any) -> None:
    """A refusal of an origin is not cached for its same-origin requests."""
    client = serve(enforce=True, **ONE)
    same = ("sec-fetch-site", "same-origin")
    for method in ("POST", "OPTIONS"):
        for headers, status in (([HOST], 403), ([HOST, same], 200), ([HOST], 403), ([HOST, same], 200)):
            assert client.request(method, origin=EVIL, headers=headers).status == status


PAGES: list[list[tuple[str, str]]] = [
    [HOST],
    [HOST, ("sec-fetch-site", "same-origin")],
    [HOST, ("sec-fetch-site", "cross-site")],
    [("host", "evil.example.net")],
    [HOST, ("host", "evil.example.net")],
    [],
]
ASKED = [("access-control-request-method", "PUT")]


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@pytest.mark.parametrize("enforce", [False, True], ids=["not enforced", "enforced"])
@settings(max_examples=50)
@given(data=st.data())
def test_a_condition_is_checked_at_each_request(interface: str, enforce: bool, data: st.DataObject) -> None:
    """With callables, same-origin requests and `on_decision`, each response is that of a middleware without a cache."""
    result: list[Any] = [True]
    calls: list[str] = []

    def look_up(origin: str) -> Any:
        calls.append(origin)
        if isinstance(result[0], Exception):
            raise result[0]
        return result[0]

    def build(reports: list[Any] | None) -> Client:
        hook = None if reports is None else (lambda decision, scope: reports.append((decision, scope["headers"])))
        return Client(interface, App(), allow_origins=origins, allow_methods="PUT", enforce=enforce, on_decision=hook)

    origins = data.draw(st.sampled_from([[APP], [APP, look_up], [look_up]]))
    is_reporting = data.draw(st.booleans())
    reported: list[Any] = []
    client = build(reported if is_reporting else None)
    steps = st.tuples(
        st.sampled_from(["GET", "POST", "OPTIONS", "HEAD"]),
        st.sampled_from([APP, EVIL, "https://own.example.com", None, "null"]),
        st.sampled_from(PAGES),
        st.sampled_from([True, False, 1, RuntimeError("no database")]),
    )
    for method, origin, page, result[0] in data.draw(st.lists(steps, min_size=2, max_size=12)):
        headers = [*page, *(ASKED if method == "OPTIONS" else [])]
        expected_reports: list[Any] = []
        reported.clear()
        calls.clear()
        found = client.request(method, origin=origin, headers=headers)
        found_calls = [*calls]
        calls.clear()
        fresh = build(expected_reports if is_reporting else None)
        expected = fresh.request(method, origin=origin, headers=headers)
        assert (found.status, found.lines, found.body) == (expected.status, expected.lines, expected.body)
        assert (reported, found_calls) == (expected_reports, calls)


def test_decisions_are_cached_under_conditions(serve: Any, monkeypatch: Any) -> None:
    """Under `enforce`, `on_decision` and callables, nothing is decided again; the conditions are checked each time."""
    reported: list[Any] = []
    allowed = {APP}
    client = serve(
        allow_origins=["https://static.example.com", allowed.__contains__],
        enforce=True,
        on_decision=lambda decision, _: reported.append(decision.outcome),
    )
    requested = [("access-control-request-method", "GET")]

    def statuses() -> list[int]:
        requests = [("GET", APP, []), ("GET", EVIL, [HOST]), ("OPTIONS", APP, requested), ("OPTIONS", EVIL, requested)]
        requests += [("GET", "https://static.example.com", []), ("GET", None, [])]
        return [client.request(method, origin=origin, headers=headers).status for method, origin, headers in requests]

    first = statuses()
    assert first == [200, 403, 204, 200, 200, 200]
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    assert statuses() == first
    assert reported[: len(first)] == reported[len(first) :]
    monkeypatch.undo()
    allowed.symmetric_difference_update({APP, EVIL})
    assert statuses() == [403, 200, 200, 204, 200, 200]


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
def test_a_callable_that_is_sometimes_async_is_called_once_for_each_request(serve: Any, fails: bool) -> None:
    """Its result for an origin may be cached by the user's code, and awaited again later."""
    calls: list[str] = []
    now = [True]

    async def later() -> bool:
        if fails:
            raise RuntimeError("no database")
        return True

    def look_up(origin: str) -> Any:
        calls.append(origin)
        return True if now[0] else later()

    client = serve(allow_origins=[look_up, lambda _: False], run=run_asyncio)
    for now[0] in (True, True, False, False, True):
        calls.clear()
        expected = GRANT if now[0] or not fails else FAILED
        assert client.request(origin=APP).lines == expected
        assert calls == [APP]


@dataclass
class UnhashableError(Exception):
    """An exception of a client library: a dataclass with an equality of its own has no hash."""

    code: int = 0


def test_a_callable_that_fails_with_an_unhashable_exception_after_its_result_is_cached_refuses(serve: Any) -> None:
    """The request does not fail."""
    fails = [False]

    def look_up(_: str) -> bool:
        if fails[0]:
            raise UnhashableError
        return True

    client = serve(allow_origins=look_up)
    assert client.request(origin=APP).lines == GRANT
    for fails[0], expected in ((True, FAILED), (True, FAILED), (False, GRANT)):
        assert client.request(origin=APP).lines == expected


def test_enforce_refuses_an_upper_case_origin_header_after_a_request_without_origin_is_cached() -> None:
    """Some servers do not send names in lower case, as ASGI requires. Any client can send the first request."""
    middleware = CORSMiddleware(App().asgi, allow_origins=APP, enforce=True)
    sent = [[HOST], [HOST], [HOST, ("Origin", EVIL)], [HOST], [HOST, ("ORIGIN", EVIL)]]
    statuses = [call_asgi(middleware, scope_of(headers)).status for headers in sent]
    assert statuses == [200, 200, 403, 200, 403]


@pytest.mark.parametrize("origins", [APP, "*"])
def test_on_decision_gets_the_decision_on_an_upper_case_origin_header(origins: str) -> None:
    """A request without Origin is cached."""
    outcomes: list[str] = []
    middleware = CORSMiddleware(
        App().asgi, allow_origins=origins, on_decision=lambda decision, _: outcomes.append(decision.outcome)
    )
    for headers in ([HOST], [HOST], [HOST, ("Origin", APP)], [HOST]):
        call_asgi(middleware, scope_of(headers))
    assert outcomes == ["not-cors", "not-cors", "allowed", "not-cors"]


def test_enforce_reads_an_upper_case_sec_fetch_site_header_although_the_exemption_of_a_page_is_cached() -> None:
    """The first request is same-origin by Host alone, the second is not."""
    middleware = CORSMiddleware(App().asgi, allow_origins=APP, enforce=True)
    own = [HOST, ("origin", f"https://{HOST[1]}")]
    sent = [own, own, [*own, ("Sec-Fetch-Site", "cross-site")], own]
    statuses = [call_asgi(middleware, scope_of(headers)).status for headers in sent]
    assert statuses == [200, 200, 403, 200]


def scope_of(headers: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the scope of a GET with the header names as given."""
    return {**http_scope("GET", "/", []), "headers": [(name.encode(), value.encode()) for name, value in headers]}


def test_middlewares_that_share_a_policy_share_no_cache(serve: Any) -> None:
    policy = Policy(**ONE)
    first, second = serve(policy), serve(policy)
    first.request(origin=APP)
    assert (any(cached(first, policy)), any(cached(second, policy))) == (True, False)


def test_middlewares_that_share_a_configuration_share_its_cache(serve: Any, monkeypatch: Any) -> None:
    shared = Configuration(**ONE)
    first, second = serve(shared), serve(shared)
    assert first.request(origin=APP).lines == GRANT
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    assert second.request(origin=APP).lines == GRANT


def test_middlewares_that_share_a_policy_only_do_not_share_its_cached_responses(serve: Any) -> None:
    """Their other options differ."""
    policy = Policy(**ONE)
    plain, strict, pathed = (
        serve(policy),
        serve(policy, enforce=True),
        serve(policy, paths={"/raw": None, "/open": {"allow_origins": "*"}}),
    )
    for _ in range(2):
        assert plain.request("POST", origin=EVIL, headers=[HOST]).lines == STRICT
        assert strict.request("POST", origin=EVIL, headers=[HOST]).status == 403
        assert pathed.request("POST", "/raw", origin=EVIL).lines == [OWN]
        assert pathed.request("POST", "/open", origin=EVIL).lines == sorted([OWN, origin_line("*")])
        assert pathed.request("POST", "/x/../open", origin=APP).lines == STRICT
        assert pathed.request("POST", "/x", origin=APP).lines == GRANT
        assert plain.preflight(origin=EVIL).status == 200
        assert pathed.preflight(origin=EVIL, path="/open").lines == granted("*")


def test_paths_that_reconfigure_adds_or_removes_apply_to_the_next_request(serve: Any) -> None:
    client = serve(**ONE)
    for paths, lines in (
        (None, GRANT),
        ({"/a": None}, [OWN]),
        ({"/a": {"allow_origins": EVIL}}, STRICT),
        (None, GRANT),
    ):
        client.middleware.reconfigure(paths=paths)
        assert [client.request(path="/a", origin=APP).lines for _ in range(2)] == [lines, lines]


def sizes(client: Client, policy: Policy) -> list[int]:
    """Return the number of cached responses of a policy, by kind."""
    return [len(cache) for cache in cached(client, policy)]


def test_however_many_origins_send_requests_the_cache_is_bounded(serve: Any) -> None:
    """Each response is right."""
    policy = Policy(allow_origins="https://*.example.com")
    client = serve(policy)
    origins = [f"https://t{number}.example.com" for number in range(5000)]
    for origin in [*origins, origins[0], origins[-1]]:
        assert client.request(origin=origin).cors == [origin_line(origin)]
    assert 0 < max(sizes(client, policy)) <= 4096


def test_refusals_do_not_displace_allowed_origins_from_the_cache(serve: Any) -> None:
    """Refused origins have a small cache of their own."""
    policy = Policy(**ONE)
    client = serve(policy)
    client.request(origin=APP)
    for number in range(2000):
        client.request(origin=f"https://n{number}.evil.net")
        client.preflight(origin=f"https://n{number}.evil.net")
    assert max(sizes(client, policy)) <= 300
    keys = [key for cache in cached(client, policy) for key in cache]
    assert {APP, APP.encode()} & set(keys)


def test_long_values_are_not_cached(serve: Any) -> None:
    policy = Policy(**ONE, allow_headers="*")
    client = serve(policy)
    for number in range(10):
        client.request(origin=f"https://{'a' * 60_000}{number}")
        client.preflight("GET", f"x-{'a' * 8000}{number}", origin=APP)
        client.preflight("GET", origin=f"https://{'a' * 60_000}{number}")
    keys = [key for cache in cached(client, policy) for key in cache]
    parts = [part for key in keys for part in (key if isinstance(key, tuple) else (key,))]
    assert sum(len(part or "") for part in parts) < 20_000


def test_a_repeated_refused_preflight_gets_the_same_response(serve: Any) -> None:
    client = serve(**ONE)
    responses = [client.preflight("PUT", origin=EVIL) for _ in range(3)]
    assert [response.lines for response in responses] == [refused(responses[0].body)] * 3


def test_threads_that_fill_one_cache_neither_fail_nor_overfill_it() -> None:
    cache = BoundedCache(8)

    def fill(thread: int) -> None:
        for number in range(10_000):
            cache.store(CachedResponse((thread, number)), refused=False)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(fill, t) for t in range(8)]:
                done.result()
    finally:
        sys.setswitchinterval(before)
    assert len(cache) <= 8 + 8
