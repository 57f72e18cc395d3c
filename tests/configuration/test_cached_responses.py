"""`Cached` behind the middlewares: responses are cached for as long as the answer holds."""

from typing import Any

import pytest

from asgi_cors import Cached, Policy
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, websocket_scope
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, OWN, VARY, origin_line
from tests.support.look_ups import Customers, build

GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])


@pytest.fixture(params=["async", "thread", "sync"])
def kind(request: pytest.FixtureRequest) -> str:
    """Run the test with each kind of function."""
    name: str = request.param
    return name


def serve_cached(interface: str, customers: Customers, kind: str, **options: Any) -> tuple[Client, Cached, Any]:
    """Serve an app with one entry, whose clock the test moves."""
    function = customers.look_up if kind == "async" else customers
    cached, clock = build(function, **{"thread": kind == "thread", **options})
    return Client(interface, App(), run=run_asyncio, allow_origins=[cached]), cached, clock


def test_allowed_and_refused_responses_are_served_without_a_call_until_the_answer_ends(
    interface: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = Customers(APP)
    client, cached, clock = serve_cached(interface, customers, kind, ttl=100, negative_ttl=100)

    def check() -> None:
        assert client.request(origin=APP).lines == GRANT
        assert client.request(origin=EVIL).lines == STRICT
        assert origin_line(APP) in client.preflight(origin=APP).lines
        assert origin_line(EVIL) not in client.preflight(origin=EVIL).lines

    check()
    with monkeypatch.context() as patch:
        patch.delattr("asgi_cors._configuration.evaluation.decide")
        check()
        check()
    assert sorted(customers.calls) == sorted([APP, EVIL])
    assert cached.stats()[:2] == (10, 2)
    clock.now += 100
    check()
    assert len(customers.calls) == 4


def test_an_invalidated_origin_is_refused_at_once_by_every_middleware(interface: str, kind: str) -> None:
    customers = Customers(APP)
    client, cached, _ = serve_cached(interface, customers, kind)
    other = Client(interface, App(), Policy(allow_origins=[cached, EVIL]), run=run_asyncio)
    for each in (client, other) * 2:
        assert each.request(origin=APP).lines == GRANT
        assert origin_line(APP) in each.preflight(origin=APP).lines
    customers.allowed.clear()
    cached.invalidate(APP)
    for each in (client, other) * 2:
        assert each.request(origin=APP).lines == STRICT
        assert origin_line(APP) not in each.preflight(origin=APP).lines
    assert customers.calls == [APP, APP]


def test_a_failed_look_up_refuses_and_is_not_stored_by_caches(interface: str, kind: str) -> None:
    customers = Customers(APP)
    customers.error = OSError("away")
    client, _, clock = serve_cached(interface, customers, kind)
    response = client.request(origin=APP)
    assert (response.status, response.lines) == (200, sorted([*STRICT, "cache-control: no-store"]))
    customers.error = None
    clock.now += 1
    assert client.request(origin=APP).lines == GRANT


def test_an_old_answer_is_used_while_the_source_is_away(interface: str, kind: str) -> None:
    customers = Customers(APP)
    client, _, clock = serve_cached(interface, customers, kind, ttl=100, stale_if_error=300)
    client.request(origin=APP)
    customers.error = OSError("away")
    clock.now += 100
    assert client.request(origin=APP).lines == GRANT
    clock.now += 300
    assert client.request(origin=APP).cors == []


@pytest.mark.parametrize("origin", ["null", "https://app.example.com/", "app.example.com", "*", "https://a b"])
def test_a_value_outside_the_grammar_of_origins_is_never_looked_up(interface: str, origin: str) -> None:
    customers = Customers(origin)
    client, _, _ = serve_cached(interface, customers, "async")
    assert client.request(origin=origin).lines == STRICT
    assert not customers.calls


def test_a_handshake_is_looked_up(kind: str) -> None:
    customers = Customers(APP)
    client, _, _ = serve_cached("asgi", customers, kind)

    def status(origin: str) -> Any:
        extensions = {"websocket.http.response": {}}
        scope = websocket_scope("/", [("origin", origin), ("host", "api.example")], extensions=extensions)
        return call_asgi(client.middleware, scope, run_asyncio).status

    for _ in range(2):
        assert (status(EVIL), status(APP)) == (403, None)
    assert sorted(customers.calls) == sorted([APP, EVIL])


def test_a_second_entry_is_called_if_the_first_refuses_or_fails(interface: str) -> None:
    first, second = Customers(), Customers(APP)
    entries = [build(each.look_up)[0] for each in (first, second)]
    client = Client(interface, App(), run=run_asyncio, allow_origins=entries)
    for _ in range(2):
        assert client.request(origin=APP).lines == GRANT
    assert (first.calls, second.calls) == ([APP], [APP])
    first.error = OSError("away")
    entries[0].clear()
    assert client.request(origin=APP).lines == GRANT
    entries[1].invalidate(APP)
    second.allowed.clear()
    assert client.request(origin=APP).cors == []
