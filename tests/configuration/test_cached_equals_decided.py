"""Decisions kept ready change nothing: every request is answered as the first, and as decide() says."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_cors import Configuration, CORSMiddleware, Policy, Request, decide
from asgi_cors._configuration.cache import BoundedCache, CachedResponse
from tests.support.apps import App
from tests.support.cached import cached
from tests.support.clients import Answer, Served, call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, OWN, VARY, granted, origin_line, refused
from tests.support.strategies import policies, requests

pytestmark = pytest.mark.slow

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
HOST = ("host", "api.example.com")
Sent = tuple[str, list[tuple[bytes, bytes]]]


def joined(fields: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The value of a field over all its lines, None where there is none."""
    return b", ".join(value for key, value in fields if key == name) if any(key == name for key, _ in fields) else None


def decided(policy: Policy, sent: Sent) -> tuple[int, list[str]]:
    """Status and lines that decide() says."""
    method, fields = sent
    names = (b"origin", b"access-control-request-method", b"access-control-request-headers")
    decision = decide(policy, Request(method, *(joined(fields, name) for name in names)))
    lines = [f"{name.decode()}: {value.decode()}" for name, value in decision.headers]
    if decision.vary:
        lines.append(f"vary: {', '.join(name.decode() for name in decision.vary)}")
    return decision.status or 200, sorted(lines)


def told(answer: Answer) -> tuple[int | None, list[str]]:
    """Status and lines of an answer, without those of its content."""
    return answer.status, [line for line in answer.lines if not line.startswith("content-")]


@given(policies(), policies(), st.lists(requests(), min_size=1, max_size=5), st.data())
def test_each_is_answered_as_decided(policy: Policy, other: Policy, pool: list[Sent], data: st.DataObject) -> None:
    """Requests in any order and number, and a policy replaced between them, are answered as decide() says."""
    served = Served("asgi", App(), policy)
    for current in (policy, other):
        served.middleware.reconfigure(current)
        for method, fields in data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=10)):
            answer = call_asgi(served.middleware, http_scope(method, "/", fields))
            assert told(answer) == decided(current, (method, fields))


@given(policies(), st.lists(requests(), min_size=1, max_size=5), st.data())
def test_each_is_answered_as_the_first(policy: Policy, pool: list[Sent], data: st.DataObject) -> None:
    """Over WSGI, too, an answer does not depend on what was asked before."""
    served = Served("wsgi", App(), policy)
    for method, fields in data.draw(st.lists(st.sampled_from(pool), min_size=2, max_size=10)):
        fresh = Served("wsgi", App(), policy.replace())
        environs = [wsgi_environ(method, "/", fields) for _ in range(2)]
        assert told(call_wsgi(served.middleware, environs[0])) == told(call_wsgi(fresh.middleware, environs[1]))


def test_preflights(serve: Any) -> None:
    """A repeated preflight is answered alike, by headers of its own, and each question by itself."""
    served = serve(**ONE, allow_methods="PUT", allow_headers=["x-a", "x-p-*"])
    names = "accept, accept-language, content-language, content-type, x-a"
    for _ in range(3):
        assert served.preflight("PUT", "x-a", origin=APP).lines == granted(APP, "GET, HEAD, POST, PUT", names)
        assert served.preflight("PUT", "x-p-1", origin=APP).lines == granted(
            APP, "GET, HEAD, POST, PUT", f"{names}, x-p-1"
        )
        for asked in (("DELETE", None, APP), ("PUT", "x-b", APP), ("PUT", None, EVIL)):
            answer = served.preflight(*asked[:2], origin=asked[2])
            assert (answer.status, answer.body != b"") == (200, True)
        assert served.request("OPTIONS", origin=APP).lines == GRANT
    assert served.reached == 3


def test_a_server_that_edits_headers() -> None:
    """A server or middleware outside that edits the list of an answer's headers does not edit the next answer."""
    middleware = CORSMiddleware(App().asgi, **ONE)
    fields = [("origin", APP), ("access-control-request-method", "GET")]
    for _ in range(3):
        answer = call_asgi(middleware, http_scope("OPTIONS", "/", fields))
        assert answer.lines == granted()
        answer.messages[0]["headers"].append((b"x-added", b"1"))


@pytest.mark.parametrize("origin", [APP, EVIL, None], ids=["allowed", "refused", "no Origin"])
def test_the_apps_fields_differ(serve: Any, origin: str | None) -> None:
    """Each response is merged with its own fields, whatever the last one had."""
    served = serve(**ONE)
    cors = [origin_line(APP)] if origin == APP else []
    for own, vary in ((), "Origin"), ([("Vary", "Accept")], "Accept, Origin"), ((), "Origin"), ([("vary", "*")], "*"):
        served.app.headers = [("content-type", "text/plain"), *own]
        assert served.request(origin=origin).lines == sorted([OWN, *cors, f"vary: {vary}"])
    served.app.headers = [("content-type", "text/plain"), ("Access-Control-Allow-Origin", "*")]
    assert served.request(origin=origin).lines == sorted([OWN, *cors, VARY])


def test_on_decision_is_told_of_each(serve: Any) -> None:
    """on_decision is called for each request, also where the decision is known."""
    seen: list[str] = []
    served = serve(on_decision=lambda decision, _: seen.append(decision.outcome), **ONE)
    for _ in range(3):
        served.request(origin=APP)
        served.preflight(origin=EVIL)
    assert seen == ["allowed", "preflight-refused"] * 3


def test_enforce_looks_at_each(serve: Any) -> None:
    """Whether a request is same-origin is asked of each: a refusal does not stick to the origin."""
    served = serve(enforce=True, **ONE)
    same = ("sec-fetch-site", "same-origin")
    for method in ("POST", "OPTIONS"):
        for fields, status in (([HOST], 403), ([HOST, same], 200), ([HOST], 403), ([HOST, same], 200)):
            assert served.request(method, origin=EVIL, fields=fields).status == status


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
    """The callables' answer, same-origin and `on_decision`: every response is that of a middleware without a cache."""
    answer: list[Any] = [True]
    calls: list[str] = []

    def look_up(origin: str) -> Any:
        calls.append(origin)
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]

    def build(told: list[Any] | None) -> Served:
        hook = None if told is None else (lambda decision, scope: told.append((decision, scope["headers"])))
        return Served(interface, App(), allow_origins=origins, allow_methods="PUT", enforce=enforce, on_decision=hook)

    origins = data.draw(st.sampled_from([[APP], [APP, look_up], [look_up]]))
    reports = data.draw(st.booleans())
    reported: list[Any] = []
    served = build(reported if reports else None)
    steps = st.tuples(
        st.sampled_from(["GET", "POST", "OPTIONS", "HEAD"]),
        st.sampled_from([APP, EVIL, "https://own.example.com", None, "null"]),
        st.sampled_from(PAGES),
        st.sampled_from([True, False, 1, RuntimeError("no database")]),
    )
    for method, origin, page, answer[0] in data.draw(st.lists(steps, min_size=2, max_size=12)):
        fields = [*page, *(ASKED if method == "OPTIONS" else [])]
        expected_reports: list[Any] = []
        reported.clear()
        calls.clear()
        found = served.request(method, origin=origin, fields=fields)
        found_calls = [*calls]
        calls.clear()
        fresh = build(expected_reports if reports else None)
        expected = fresh.request(method, origin=origin, fields=fields)
        assert (found.status, found.lines, found.body) == (expected.status, expected.lines, expected.body)
        assert (reported, found_calls) == (expected_reports, calls)


def test_decisions_are_cached_under_conditions(serve: Any, monkeypatch: Any) -> None:
    """Under `enforce`, `on_decision` and callables, nothing is decided again; the conditions are checked each time."""
    reported: list[Any] = []
    allowed = {APP}
    served = serve(
        allow_origins=["https://static.example.com", allowed.__contains__],
        enforce=True,
        on_decision=lambda decision, _: reported.append(decision.outcome),
    )
    asked = [("access-control-request-method", "GET")]

    def statuses() -> list[int]:
        requests = [("GET", APP, []), ("GET", EVIL, [HOST]), ("OPTIONS", APP, asked), ("OPTIONS", EVIL, asked)]
        requests += [("GET", "https://static.example.com", []), ("GET", None, [])]
        return [served.request(method, origin=origin, fields=fields).status for method, origin, fields in requests]

    first = statuses()
    assert first == [200, 403, 204, 200, 200, 200]
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")
    assert statuses() == first
    assert reported[: len(first)] == reported[len(first) :]
    monkeypatch.undo()
    allowed.symmetric_difference_update({APP, EVIL})
    assert statuses() == [403, 200, 200, 204, 200, 200]


@pytest.mark.parametrize("fails", [False, True], ids=["answers", "fails"])
def test_a_callable_that_is_sometimes_async_is_called_once_for_each_request(serve: Any, fails: bool) -> None:
    """Its answer for an origin may be cached by the user's code, and awaited again later."""
    calls: list[str] = []
    now = [True]

    async def later() -> bool:
        if fails:
            raise RuntimeError("no database")
        return True

    def look_up(origin: str) -> Any:
        calls.append(origin)
        return True if now[0] else later()

    served = serve(allow_origins=[look_up, lambda _: False], run=run_asyncio)
    for now[0] in (True, True, False, False, True):
        calls.clear()
        expected = GRANT if now[0] or not fails else STRICT
        assert served.request(origin=APP).lines == expected
        assert calls == [APP]


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


def test_one_policy_in_two_middlewares(serve: Any) -> None:
    """Middlewares that share a policy, but not their other options, do not answer for each other."""
    policy = Policy(**ONE)
    plain, strict, pathed = (
        serve(policy),
        serve(policy, enforce=True),
        serve(policy, paths={"/raw": None, "/open": {"allow_origins": "*"}}),
    )
    for _ in range(2):
        assert plain.request("POST", origin=EVIL, fields=[HOST]).lines == STRICT
        assert strict.request("POST", origin=EVIL, fields=[HOST]).status == 403
        assert pathed.request("POST", "/raw", origin=EVIL).lines == [OWN]
        assert pathed.request("POST", "/open", origin=EVIL).lines == sorted([OWN, origin_line("*")])
        assert pathed.request("POST", "/x/../open", origin=APP).lines == STRICT
        assert pathed.request("POST", "/x", origin=APP).lines == GRANT
        assert plain.preflight(origin=EVIL).status == 200
        assert pathed.preflight(origin=EVIL, path="/open").lines == granted("*")


def test_reconfigured_paths(serve: Any) -> None:
    """Paths named later, or taken back, hold from the next request on."""
    served = serve(**ONE)
    for paths, lines in (
        (None, GRANT),
        ({"/a": None}, [OWN]),
        ({"/a": {"allow_origins": EVIL}}, STRICT),
        (None, GRANT),
    ):
        served.middleware.reconfigure(paths=paths)
        assert [served.request(path="/a", origin=APP).lines for _ in range(2)] == [lines, lines]


def sizes(served: Served, policy: Policy) -> list[int]:
    """Return the number of cached responses of a policy, by kind."""
    return [len(cache) for cache in cached(served, policy)]


def test_what_is_kept_is_bounded(serve: Any) -> None:
    """However many origins come, a bounded number of decisions is kept, and each is right."""
    policy = Policy(allow_origins="https://*.example.com")
    served = serve(policy)
    origins = [f"https://t{number}.example.com" for number in range(5000)]
    for origin in [*origins, origins[0], origins[-1]]:
        assert served.request(origin=origin).cors == [origin_line(origin)]
    assert 0 < max(sizes(served, policy)) <= 4096


def test_refusals_do_not_drive_out_what_is_allowed(serve: Any) -> None:
    """Strangers fill a small room of their own."""
    policy = Policy(**ONE)
    served = serve(policy)
    served.request(origin=APP)
    for number in range(2000):
        served.request(origin=f"https://n{number}.evil.net")
        served.preflight(origin=f"https://n{number}.evil.net")
    assert max(sizes(served, policy)) <= 300
    keys = [key for cache in cached(served, policy) for key in cache]
    assert {APP, APP.encode()} & set(keys)


def test_long_values_are_not_kept(serve: Any) -> None:
    """What a stranger sends at length is answered and forgotten."""
    policy = Policy(**ONE, allow_headers="*")
    served = serve(policy)
    for number in range(10):
        served.request(origin=f"https://{'a' * 60_000}{number}")
        served.preflight("GET", f"x-{'a' * 8000}{number}", origin=APP)
        served.preflight("GET", origin=f"https://{'a' * 60_000}{number}")
    keys = [key for cache in cached(served, policy) for key in cache]
    parts = [part for key in keys for part in (key if isinstance(key, tuple) else (key,))]
    assert sum(len(part or "") for part in parts) < 20_000


def test_a_refused_preflight_is_answered_alike_later(serve: Any) -> None:
    """A refused preflight is the same answer at any time."""
    served = serve(**ONE)
    answers = [served.preflight("PUT", origin=EVIL) for _ in range(3)]
    assert [answer.lines for answer in answers] == [refused(answers[0].body)] * 3


def test_threads_fill_one_table() -> None:
    """Threads that keep decisions in one full table at the same time neither fail nor overfill it."""
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
