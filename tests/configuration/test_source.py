"""Sources of origins: their answers are stored with the middleware's responses while their leases are current."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_cors import Answer, CORSMiddleware, Lease, LimitedAwaitable, OriginSource, Policy, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, http_scope, websocket_scope
from tests.support.event_loops import run_asyncio, run_bare, run_trio
from tests.support.expected import APP, EVIL, FAILED, NO_STORE, OWN, PREFLIGHT_VARY, VARY, granted, origin_line
from tests.support.logs import Clock, held, lines
from tests.support.sources import Known

GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
HOST = ("host", "api.example.com")
OWN_PAGE = [HOST, ("sec-fetch-site", "same-origin")]
ASKED = [("access-control-request-method", "PUT")]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Hold the clocks of the log and of the sources."""
    with held(monkeypatch) as held_clock:
        yield held_clock


class Fails(Known):
    """A source of a third party that breaks its promise not to raise."""

    def look_up(self, origin: str, policy: Any = None) -> Answer:
        """Raise an exception."""
        super().look_up(origin, policy)
        raise OSError("no database")


# -- stored responses


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_source_is_called_once_while_its_answer_holds(serve: Any, is_async: bool) -> None:
    source = Known(APP, is_async=is_async)
    client = serve(allow_origins=source, run=run_asyncio)
    for _ in range(3):
        assert client.request(origin=APP).lines == GRANT
        assert client.request(origin=EVIL).lines == STRICT
    assert source.calls == [APP, EVIL]
    for _ in range(3):
        assert client.preflight(origin=APP).lines == granted()
        assert client.preflight(origin=EVIL).cors == []
    assert source.calls == [APP, EVIL] * 2


def test_a_source_is_called_again_after_the_lease_has_ended(serve: Any, clock: Clock) -> None:
    source = Known(APP, ttl=10, clock=clock)
    client = serve(allow_origins=source)
    assert client.request(origin=APP).lines == GRANT
    assert client.preflight(origin=APP).status == 204
    source.allowed.clear()
    clock.now += 9.9
    assert client.request(origin=APP).lines == GRANT
    assert client.preflight(origin=APP).status == 204
    clock.now += 0.1
    assert client.request(origin=APP).lines == STRICT
    assert client.preflight(origin=APP).status == 200


def test_a_void_lease_ends_the_stored_responses_of_every_middleware(serve: Any) -> None:
    source = Known(APP)
    clients = [serve(allow_origins=source), serve(allow_origins=source, allow_credentials=True)]
    assert [client.request(origin=APP).cors != [] for client in clients] == [True, True]
    source.allowed.clear()
    assert [client.request(origin=APP).cors != [] for client in clients] == [True, True]
    source.void()
    assert [client.request(origin=APP).cors != [] for client in clients] == [False, False]


def test_a_lease_that_its_owner_extends_holds_longer(serve: Any, clock: Clock) -> None:
    source = Known(APP, ttl=10, clock=clock)
    client = serve(allow_origins=source)
    client.request(origin=APP)
    source.leases[0].until += 100
    clock.now += 50
    assert client.request(origin=APP).lines == GRANT
    assert source.calls == [APP]


def test_stored_responses_count_as_hits_of_the_lease(serve: Any) -> None:
    source = Known(APP)
    client = serve(allow_origins=source)
    for _ in range(4):
        client.request(origin=APP)
    assert [lease.hits for lease in source.leases] == [3]


def test_the_leases_of_all_sources_that_were_called_count(serve: Any) -> None:
    first, second, third = Known(), Known(APP), Known(APP)
    client = serve(allow_origins=[first, second, third])
    assert [client.request(origin=APP).lines for _ in range(2)] == [GRANT] * 2
    assert (first.calls, second.calls, third.calls) == ([APP], [APP], [])
    first.void()
    assert client.request(origin=APP).lines == GRANT
    assert (len(first.calls), len(second.calls)) == (2, 2)


def test_a_source_is_not_called_for_an_origin_that_a_fixed_entry_allows(serve: Any) -> None:
    source = Known()
    assert serve(allow_origins=[source, APP]).request(origin=APP).lines == GRANT
    assert source.calls == []


def test_a_refusal_of_a_source_is_logged_once_a_minute_and_stored_in_between(
    serve: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    source = Known(ttl=1000, clock=clock)
    client = serve(allow_origins=source)
    for seconds in (0, 30, 29, 1, 59):
        clock.now += seconds
        client.request(origin=EVIL)
    assert len(lines(caplog)) == 2
    assert len(source.calls) == 2  # the second one for the second line


def test_a_source_without_a_lease_is_called_for_each_request(serve: Any) -> None:
    class Moody(Known):
        def _answer(self, origin: str) -> Answer:
            return super()._answer(origin)._replace(leases=None)

    for is_async in (False, True):
        source = Moody(APP, is_async=is_async)
        client = serve(allow_origins=source, run=run_asyncio)
        assert [client.request(origin=APP).lines for _ in range(3)] == [GRANT] * 3
        assert source.calls == [APP] * 3


def test_next_to_a_function_a_source_is_called_for_each_request(serve: Any) -> None:
    source, calls = Known(APP), []
    client = serve(allow_origins=[lambda origin: bool(calls.append(origin)), source])
    assert [client.request(origin=APP).lines for _ in range(3)] == [GRANT] * 3
    assert (calls, source.calls) == ([APP] * 3, [APP] * 3)
    source.allowed.clear()
    assert client.request(origin=APP).lines == STRICT


@pytest.mark.parametrize("value", ["null", "https://", "https://a.com/", "*", "a b", "https://" + "a" * 400])
def test_a_source_is_never_passed_a_value_outside_the_grammar_or_null(serve: Any, value: str) -> None:
    class Every(Known):
        def _answer(self, origin: str) -> Answer:
            return super()._answer(origin)._replace(allowed=True)

    source = Every()
    client = serve(allow_origins=source)
    assert client.request(origin=value).lines == STRICT
    assert client.preflight(origin=value).cors == []
    assert source(value) is False
    assert source.calls == []


def test_only_true_as_the_answer_of_a_source_allows(serve: Any) -> None:
    class Truthy(Known):
        def _answer(self, origin: str) -> Answer:
            return super()._answer(origin)._replace(allowed=1)  # type: ignore[arg-type]

    assert serve(allow_origins=Truthy()).request(origin=APP).lines == STRICT


def test_a_handshake_is_looked_up_each_time() -> None:
    source = Known(APP)
    middleware = CORSMiddleware(App().asgi, allow_origins=source)
    for expected in ("websocket.accept", "websocket.accept"):
        response = call_asgi(middleware, websocket_scope("/", [("origin", APP), HOST]))
        assert response.messages[0]["type"] == expected
    source.allowed.clear()
    response = call_asgi(middleware, websocket_scope("/", [("origin", APP), HOST]))
    assert response.messages[0]["type"] == "websocket.close"
    assert source.calls == [APP] * 3


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@pytest.mark.parametrize("enforce", [False, True], ids=["not enforced", "enforced"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@settings(max_examples=25)
@given(data=st.data())
def test_each_response_is_that_of_a_middleware_without_a_cache(
    interface: str, enforce: bool, is_async: bool, data: st.DataObject
) -> None:
    """Whatever changes, and however much time passes."""
    clock, change = Clock(), st.sampled_from(["nothing", "time", "toggle", "fail"])
    source = Known(APP, ttl=5, clock=clock, is_async=is_async)

    def build(reports: list[Any] | None) -> Client:
        hook = None if reports is None else (lambda decision, scope: reports.append((decision, scope["headers"])))
        options: dict[str, Any] = {"allow_methods": "PUT", "enforce": enforce, "on_decision": hook}
        return Client(interface, App(), allow_origins=origins, run=run_asyncio if is_async else run_bare, **options)

    def apply(change: str) -> None:
        if change == "time":
            clock.now += 3
        elif change == "toggle":
            source.allowed ^= {APP, EVIL}
            source.void()
        elif change == "fail":
            source.error = None if source.error else OSError("no database")
            source.void()

    origins = data.draw(st.sampled_from([[source], ["https://b.example.com", source], [Known(), source]]))
    is_reporting = data.draw(st.booleans())
    reported: list[Any] = []
    client = build(reported if is_reporting else None)
    steps = st.tuples(
        st.sampled_from(["GET", "POST", "OPTIONS", "HEAD"]),
        st.sampled_from([APP, EVIL, "https://b.example.com", "https://api.example.com", None, "null"]),
        st.sampled_from([[HOST], OWN_PAGE, [HOST, ("sec-fetch-site", "cross-site")], []]),
        change,
    )
    for method, origin, page, changed in data.draw(st.lists(steps, min_size=2, max_size=12)):
        apply(changed)
        headers = [*page, *(ASKED if method == "OPTIONS" else [])]
        expected_reports: list[Any] = []
        reported.clear()
        found = client.request(method, origin=origin, headers=headers)
        expected = build(expected_reports if is_reporting else None).request(method, origin=origin, headers=headers)
        assert (found.status, found.lines, found.body) == (expected.status, expected.lines, expected.body)
        assert reported == expected_reports


# -- failures


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_source_that_fails_refuses_without_being_stored(
    serve: Any, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by the middleware nor by caches on the way."""
    seen: list[Any] = []
    source = Known(APP, is_async=is_async)
    source.error = OSError("no database")
    app = App(headers=[("content-type", "text/plain"), ("Cache-Control", "max-age=60"), ("CDN-Cache-Control", "a")])
    client = serve(
        app=app, allow_origins=source, run=run_asyncio, on_decision=lambda decision, _: seen.append(decision.reason)
    )
    assert client.request(origin=APP).lines == FAILED
    preflight = client.preflight(origin=APP)
    assert (preflight.status, preflight.values("cache-control"), preflight.cors) == (200, ["no-store"], [])
    assert seen == ["OriginLookupFailed"] * 2
    assert "no database" in caplog.text
    source.error = None
    assert client.request(origin=APP).cors == [origin_line(APP)]
    assert client.request(origin=APP).values("cache-control") == ["max-age=60"]


def test_a_source_that_raises_is_a_failure(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert serve(allow_origins=Fails()).request(origin=APP).lines == FAILED
    assert "OSError" in caplog.text


@pytest.mark.parametrize("failing", [Fails(), lambda _: 1 / 0], ids=["a source", "a function"])
def test_a_later_entry_allows_despite_one_that_fails_which_is_logged(
    serve: Any, failing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert serve(allow_origins=[failing, Known(APP)]).request(origin=APP).lines == GRANT
    assert len(lines(caplog)) == 1


def test_an_async_function_that_fails_does_not_end_the_look_up(serve: Any) -> None:
    async def fail(origin: str) -> bool:
        raise LookupError(origin)

    client = serve(allow_origins=[fail, lambda origin: origin == APP], run=run_asyncio)
    assert client.request(origin=APP).lines == GRANT


def test_an_answer_is_stored_although_an_earlier_source_fails(serve: Any) -> None:
    """A customer is served from the cache while another source is away."""
    failing, source = Fails(), Known(APP)
    client = serve(allow_origins=[failing, source])
    assert [client.request(origin=APP).lines for _ in range(3)] == [GRANT] * 3
    assert (failing.calls, source.calls) == ([APP], [APP])


def test_a_refusal_is_not_stored_if_a_source_fails(serve: Any) -> None:
    failing, source = Fails(), Known()
    client = serve(allow_origins=[source, failing])
    assert [client.request(origin=APP).lines for _ in range(2)] == [FAILED] * 2
    assert (failing.calls, source.calls) == ([APP] * 2, [APP] * 2)


def test_a_failure_leaves_requests_without_origin_to_be_stored(serve: Any) -> None:
    source = Fails()
    client = serve(allow_origins=source, policy_for=lambda _: 1 / 0)
    assert client.request().lines == STRICT
    assert client.request(origin=APP).lines == FAILED


def test_under_enforce_a_failed_look_up_is_a_403_that_is_not_stored(serve: Any) -> None:
    response = serve(allow_origins=Fails(), enforce=True).request(origin=APP, headers=[HOST])
    assert (response.status, response.values("cache-control")) == (403, ["no-store"])


def test_a_crash_after_a_failed_look_up_is_not_stored(serve: Any) -> None:
    response = serve(app=App(raises=LookupError("x")), allow_origins=Fails()).request(origin=APP)
    assert (response.status, response.values("cache-control")) == (500, ["no-store"])


def test_a_failed_policy_for_is_not_stored(serve: Any) -> None:
    client = serve(allow_origins=APP, policy_for=lambda _: 1 / 0)
    assert client.request(origin=APP).lines == FAILED
    refusal = client.preflight(origin=APP)
    assert refusal.lines == sorted(
        [f"content-length: {len(refusal.body)}", "content-type: text/plain; charset=utf-8", NO_STORE, PREFLIGHT_VARY]
    )


@pytest.mark.parametrize("middleware", [CORSMiddleware, WSGIMiddleware], ids=["asgi", "wsgi"])
def test_a_failed_look_up_of_a_nested_middleware_is_not_stored(middleware: Any) -> None:
    interface = "asgi" if middleware is CORSMiddleware else "wsgi"
    inner = middleware(getattr(App(), interface), allow_origins=Fails())
    app = App()
    setattr(app, interface, inner)
    outer = Client(interface, app, allow_origins=APP)
    assert outer.request(origin=APP).lines == FAILED


# -- calling a source


def test_a_source_may_be_called_like_a_function() -> None:
    source = Known(APP)
    assert (source(APP), source(EVIL)) == (True, False)
    later: Any = Known(APP, is_async=True)
    assert asyncio.run(_bool(later(APP))) is True


async def _bool(awaitable: Any) -> bool:
    result: bool = await awaitable
    return result


def test_a_source_knows_no_origins_and_has_no_tasks_by_default() -> None:
    class Plain(OriginSource):
        def look_up(self, origin: str, policy: Policy | None = None) -> Answer:
            raise NotImplementedError

        def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
            raise NotImplementedError

    source = Plain()
    source.start()
    source.stop()
    assert list(source.origin_sets(Policy(allow_origins=APP))) == []


def test_a_lease_is_current_until_its_time_or_until_it_is_void() -> None:
    clock = Clock()
    lease = Lease(clock, clock.now + 1)
    assert lease.is_current
    clock.now += 1
    assert not lease.is_current
    endless = Lease(clock)
    clock.now *= 10
    assert endless.is_current
    endless.void()
    assert not endless.is_current


@pytest.mark.parametrize("run", [run_asyncio, run_trio], ids=["asyncio", "trio"])
def test_policy_for_may_return_an_awaitable_that_ends_by_itself(run: Any) -> None:
    async def later() -> Policy:
        return Policy(allow_origins=APP)

    middleware = CORSMiddleware(App().asgi, allow_origins=EVIL, policy_for=lambda _: LimitedAwaitable(later(), 5))
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run).lines == GRANT


# -- cancellation


def test_a_cancelled_request_does_not_cancel_the_call_that_others_wait_for() -> None:
    async def exchange() -> list[Any]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        both_wait = asyncio.Event()

        class Shared(Known):
            def look_up(self, origin: str, policy: Any = None) -> LimitedAwaitable:
                super().look_up(origin, policy)
                if len(self.calls) == 2:
                    both_wait.set()
                return LimitedAwaitable(answer, 100)

        source = Shared()
        app = CORSMiddleware(App().asgi, allow_origins=source)
        sent: list[list[Any]] = [[], []]

        async def send(number: int, message: Any) -> None:
            sent[number].append(message)

        async def receive() -> Any:
            raise NotImplementedError

        scope = http_scope("GET", "/", [("origin", APP)])
        first, second = (
            asyncio.create_task(app({**scope}, receive, lambda message, n=n: send(n, message))) for n in range(2)
        )
        await both_wait.wait()
        first.cancel()
        await asyncio.wait({first})
        assert first.cancelled()
        assert not answer.cancelled()
        answer.set_result(Answer(allowed=True, leases=()))
        await second
        return sent

    first, second = run_asyncio(exchange)
    assert first == []
    assert (b"access-control-allow-origin", APP.encode()) in second[0]["headers"]
