"""`Tenants`: a policy for each tenant, cached."""

import asyncio
import gc
from typing import Any

import pytest
import trio

from asgi_cors import Cached, ConfigError, Configuration, CORSMiddleware, Policy, Tenants
from asgi_cors._configuration import cache
from asgi_cors._configuration.cached.tenants import host_of
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, http_scope, websocket_scope
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, OWN, VARY, origin_line
from tests.support.logs import Clock, lines
from tests.support.look_ups import Customers, settle

GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
SHOP = [("host", "shop.example")]


class Shops:
    """The policies of tenants, with the calls that were made."""

    def __init__(self, **policies: Policy) -> None:
        self.policies = policies
        self.calls: list[str] = []
        self.error: Exception | None = None

    def policy(self, key: str) -> Policy | None:
        """Return the policy of a tenant."""
        self.calls.append(key)
        if self.error is not None:
            raise self.error
        return self.policies.get(key.partition(".")[0])

    async def policy_async(self, key: str) -> Policy | None:
        """Return the policy of a tenant, asynchronously."""
        await asyncio.sleep(0)
        return self.policy(key)


def serve_tenants(interface: str, shops: Shops, **options: Any) -> tuple[Client, Tenants, Clock]:
    """Serve the tenants of hosts, with a clock that the test moves."""
    clock = Clock()
    tenants = Tenants.by_host(shops.policy_async, **{"clock": clock, **options})
    return Client(interface, App(), run=run_asyncio, policy_for=tenants, allow_origins=EVIL), tenants, clock


def shops_of_app() -> Shops:
    """Return one shop, whose pages are at APP."""
    return Shops(shop=Policy(allow_origins=APP))


def test_each_tenant_has_its_own_policy(interface: str) -> None:
    shops = Shops(shop=Policy(allow_origins=APP), other=Policy(allow_origins=EVIL))
    client, tenants, _ = serve_tenants(interface, shops)
    for _ in range(3):
        assert client.request(origin=APP, headers=SHOP).lines == GRANT
        assert client.request(origin=EVIL, headers=SHOP).lines == STRICT
        assert client.request(origin=APP, headers=[("host", "other.example")]).lines == STRICT
        assert client.request(headers=SHOP).lines == STRICT
        assert "access-control-allow-methods: *" not in client.preflight(origin=EVIL, headers=SHOP).lines
        assert origin_line(APP) in client.preflight(origin=APP, headers=SHOP).lines
    assert shops.calls == ["shop.example", "other.example"]
    assert tenants.stats()[-2:] == (2, 0)


def test_an_unknown_tenant_is_refused_without_a_warning_and_its_app_headers_are_removed(
    interface: str, recwarn: pytest.WarningsRecorder
) -> None:
    client, tenants, _ = serve_tenants(interface, Shops())
    client.app.headers = [*client.app.headers, ("access-control-allow-origin", "*")]
    for _ in range(3):
        for origin in (APP, EVIL):
            assert client.request(origin=origin, headers=SHOP).lines == STRICT
            assert origin_line(origin) not in client.preflight(origin=origin, headers=SHOP).lines
    assert tenants.stats()[-2:] == (0, 1)
    assert not recwarn.list


def test_a_request_without_a_key_is_left_to_the_next_rule(interface: str) -> None:
    client, _, _ = serve_tenants(interface, shops_of_app())
    client.middleware.reconfigure(paths={"/open": None, "/app/*": {"allow_origins": APP}})
    for _ in range(2):
        assert client.request(origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])
        assert client.request(origin=APP).lines == STRICT
        assert client.request(origin=APP, path="/app/x").lines == GRANT
        assert client.request(origin=APP, path="/open").lines == STRICT


def test_a_policy_that_cannot_be_looked_up_refuses_and_is_logged(
    interface: str, caplog: pytest.LogCaptureFixture
) -> None:
    shops = shops_of_app()
    shops.error = OSError("away")
    client, _, clock = serve_tenants(interface, shops)
    for _ in range(2):
        response = client.request(origin=APP, headers=SHOP)
        assert (response.status, response.lines) == (200, sorted([*STRICT, "cache-control: no-store"]))
    assert "policy_async() failed for 'shop.example': OSError: away" in lines(caplog)[0]
    shops.error = None
    clock.now += 1
    assert client.request(origin=APP, headers=SHOP).lines == GRANT
    assert shops.calls == ["shop.example"] * 2


def test_a_config_error_of_a_policy_is_a_failed_look_up(interface: str) -> None:
    tenants = Tenants.by_host(lambda _: Policy(allow_origins="nonsense"))
    client = Client(interface, App(), run=run_asyncio, policy_for=tenants, allow_origins=EVIL)
    assert client.request(origin=APP, headers=SHOP).status == 200
    assert not client.request(origin=APP, headers=SHOP).cors


@pytest.mark.parametrize("value", ["policy", 1, False, {"allow_origins": APP}])
def test_a_value_that_is_not_a_policy_is_a_failed_look_up(value: Any) -> None:
    tenants = Tenants.by_host(lambda _: value)
    with pytest.raises(LookupError, match="is not a Policy or None"):
        asyncio.run(tenants.get("shop"))


@pytest.mark.parametrize("key", [1, b"shop", "x" * 2000, OSError("away")], ids=["int", "bytes", "long", "error"])
def test_a_key_that_is_not_valid_refuses_and_is_logged(
    interface: str, key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def key_of(_: Any) -> Any:
        if isinstance(key, Exception):
            raise key
        return key

    client = Client(
        interface, App(), run=run_asyncio, policy_for=Tenants(key_of, shops_of_app().policy), allow_origins=EVIL
    )
    assert not client.request(origin=APP, headers=SHOP).cors
    assert len(lines(caplog)) > 0


def test_an_old_policy_is_used_if_the_call_fails(interface: str, caplog: pytest.LogCaptureFixture) -> None:
    shops = shops_of_app()
    client, tenants, clock = serve_tenants(interface, shops)
    client.request(origin=APP, headers=SHOP)
    shops.error = OSError("away")
    clock.now += 60
    assert client.request(origin=APP, headers=SHOP).lines == GRANT
    assert tenants.stats().stale == 1
    assert "its last answer is used again" in lines(caplog)[0]


def test_a_changed_policy_takes_effect_and_its_cached_responses_go(interface: str) -> None:
    shops = shops_of_app()
    client, tenants, clock = serve_tenants(interface, shops)
    client.request(origin=APP, headers=SHOP)
    shops.policies["shop"] = Policy(allow_origins=EVIL)
    assert client.request(origin=APP, headers=SHOP).lines == GRANT
    clock.now += 60
    assert client.request(origin=APP, headers=SHOP).lines == STRICT
    shops.policies.clear()
    tenants.invalidate("shop.example")
    assert client.request(origin=EVIL, headers=SHOP).lines == STRICT
    shops.policies["shop"] = Policy(allow_origins=APP)
    tenants.clear()
    assert client.request(origin=APP, headers=SHOP).lines == GRANT


def test_a_request_of_a_known_tenant_is_served_from_the_cache(interface: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _, clock = serve_tenants(interface, shops_of_app())
    for _ in range(2):  # the policy is looked up for the first request
        client.request(origin=APP, headers=SHOP)
        client.preflight(origin=APP, headers=SHOP)
    clock.now += 60
    for _ in range(2):  # the first request renews the policy, which is equal
        client.request(origin=EVIL, headers=SHOP)
    with monkeypatch.context() as patch:
        patch.delattr("asgi_cors._configuration.evaluation.decide")
        for _ in range(2):
            assert client.request(origin=APP, headers=SHOP).lines == GRANT
            assert origin_line(APP) in client.preflight(origin=APP, headers=SHOP).lines
            assert client.request(origin=EVIL, headers=SHOP).lines == STRICT


def test_an_equal_policy_of_a_later_call_does_not_replace_the_old_one() -> None:
    shops = shops_of_app()
    clock = Clock()
    tenants = Tenants.by_host(shops.policy, clock=clock)

    async def main() -> None:
        first = await tenants.get("shop")
        shops.policies["shop"] = Policy(allow_origins=APP)
        clock.now += 60
        assert await tenants.get("shop") is first

    asyncio.run(main())
    assert len(shops.calls) == 2


class Shop:
    """A callable of a policy. As in an ORM, objects with one key are equal, whatever they allow."""

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed

    def __call__(self, origin: str) -> bool:
        """Return whether the shop allows an origin."""
        return origin == self.allowed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shop)

    def __hash__(self) -> int:
        return 1


def test_an_equal_policy_with_other_callables_replaces_the_old_one(interface: str) -> None:
    """Their answers may differ."""
    shops = Shops(shop=Policy(allow_origins=[Shop(APP)]))
    client, _, clock = serve_tenants(interface, shops)
    assert client.request(origin=APP, headers=SHOP).lines == GRANT
    shops.policies["shop"] = Policy(allow_origins=[Shop(EVIL)])
    clock.now += 60
    for _ in range(2):
        assert client.request(origin=APP, headers=SHOP).lines == STRICT


def test_the_cached_responses_are_bounded_for_all_tenants(interface: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ACTUAL", 10)
    policy = Policy(allow_origins=["https://*.example"])
    client, tenants, _ = serve_tenants(interface, Shops(shop=policy))
    caches = getattr(client.middleware.configuration.evaluator, interface)
    for number in range(30):
        headers = [("host", f"shop.{number % 3}.example")]
        assert client.request(origin=f"https://c{number}.example", headers=headers).cors
    stored = [each.actual for each in caches._by_lease.values()]
    assert (len(stored), sum(map(len, stored))) == (3, 10)
    del stored
    tenants.invalidate("shop.0.example")
    gc.collect()
    assert len(caches._by_lease) == 2
    for number in range(30):
        assert client.request(origin=f"https://c{number}.example", headers=[("host", "shop.1.example")]).cors
    assert sum(len(each.actual) for each in caches._by_lease.values()) == 10


def test_a_tenant_s_policy_may_have_a_cached_entry(interface: str) -> None:
    customers = Customers(APP)
    cached = Cached(customers.look_up)
    client, _, _ = serve_tenants(interface, Shops(shop=Policy(allow_origins=[cached])))
    for _ in range(3):
        assert client.request(origin=APP, headers=SHOP).lines == GRANT
    assert customers.calls == [APP]
    customers.allowed.clear()
    cached.invalidate(APP)
    assert client.request(origin=APP, headers=SHOP).lines == STRICT


def test_a_handshake_is_decided_by_the_policy_of_its_tenant() -> None:
    client, _, _ = serve_tenants("asgi", shops_of_app())

    def status(origin: str) -> Any:
        scope = websocket_scope("/", [("origin", origin), *SHOP], extensions={"websocket.http.response": {}})
        return call_asgi(client.middleware, scope, run_asyncio).status

    assert status(EVIL) == 403
    assert status(APP) is None


def test_a_view_with_a_policy_of_its_own_needs_no_tenant() -> None:
    shops = shops_of_app()
    tenants = Tenants.by_host(shops.policy)
    configuration = Configuration(policy_for=tenants, allow_origins=EVIL, view_of=lambda scope: scope["path"])
    configuration.set_view("/view", Policy(allow_origins=APP))
    middleware = CORSMiddleware(App().asgi, configuration)

    def allowed(path: str) -> list[str]:
        return call_asgi(middleware, http_scope("GET", path, [("origin", APP), *SHOP]), run_asyncio).cors

    for _ in range(2):
        assert allowed("/view") == [origin_line(APP)]
        assert not shops.calls
    for _ in range(2):
        assert allowed("/other") == [origin_line(APP)]
    assert shops.calls == ["shop.example"]


def test_requests_with_many_headers_are_not_cached(interface: str) -> None:
    client, tenants, _ = serve_tenants(interface, shops_of_app())
    many = [(f"x-{number}", "1") for number in range(cache.MAX_LINES)]
    for _ in range(2):
        assert client.request(origin=APP, headers=[*SHOP, *many]).lines == GRANT
    assert tenants.stats().allowed == 1


def test_a_sync_policy_works_under_trio() -> None:
    tenants = Tenants.by_host(shops_of_app().policy)
    assert trio.run(tenants.get, "shop") == Policy(allow_origins=APP)


HOSTS = [
    ([b"Shop.Example"], "shop.example"),
    ([b"shop.example."], "shop.example"),
    ([b"shop.example:8443"], "shop.example"),
    ([b"shop.example.:8443"], "shop.example"),
    ([b"shop.example:"], "shop.example"),
    ([b" shop.example "], "shop.example"),
    ([b"[::1]:8000"], "[::1]"),
    ([b"[::1]"], "[::1]"),
    ([b"127.0.0.1:8000"], "127.0.0.1"),
    ([b"shop.example:http"], "shop.example:http"),
    ([b"a" * 262], "a" * 262),
    ([b"a" * 263], None),
    ([b""], None),
    ([b":80"], ":80"),
    ([b"."], None),
    ([b"shop.example", b"shop.example"], None),
    ([], None),
]


@pytest.mark.parametrize(("hosts", "key"), HOSTS)
def test_the_key_of_a_host_is_its_name(hosts: list[bytes], key: str | None) -> None:
    headers = [(b"host", host) for host in hosts]
    assert host_of({"headers": [*headers, (b"x-forwarded-host", b"evil.example")]}) == key


def test_the_feed_invalidates_tenants() -> None:
    async def main() -> None:
        items: asyncio.Queue[str | None] = asyncio.Queue()

        async def feed() -> Any:
            while True:
                yield await items.get()

        shops = shops_of_app()
        tenants = Tenants.by_host(shops.policy, feed=feed)
        tenants.start()
        await tenants.get("shop")
        await tenants.get("other")
        items.put_nowait("shop")
        await settle(lambda: tenants.stats().allowed == 0)
        assert tenants.stats().refused == 1
        items.put_nowait(None)
        await settle(lambda: tenants.stats().refused == 0)
        tenants.stop()

    asyncio.run(main())


MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({"key": None, "policy": None}, ["Tenants.key", "Tenants.policy"]),
    ({"policy": Policy(allow_origins=APP)}, ["Tenants.policy"]),
    ({"key": shops_of_app().policy_async}, ["Tenants.key"]),
    ({"ttl": 0, "error_ttl": 1, "max_entries": "many"}, ["Tenants.error_ttl", "Tenants.ttl", "Tenants.max_entries"]),
]


@pytest.mark.parametrize(("options", "names"), MISTAKES)
def test_all_mistakes_are_reported_at_once(options: Any, names: list[str]) -> None:
    with pytest.raises(ConfigError) as info:
        Tenants(**{"key": host_of, "policy": shops_of_app().policy, **options})
    assert [issue.option for issue in info.value.issues] == names


def test_positional_options_are_an_error_with_the_line_to_write() -> None:
    with pytest.raises(ConfigError, match=r"Write Tenants\(key, policy, ttl=60\)\."):
        Tenants(host_of, shops_of_app().policy, 60)  # type: ignore[arg-type]


def test_the_repr_has_the_names_of_the_functions() -> None:
    assert repr(Tenants.by_host(shops_of_app().policy, ttl=5)) == "Tenants(host_of, Shops.policy, ttl=5)"


def test_the_refusal_of_an_unknown_tenant_says_why() -> None:
    tenants = Tenants.by_host(shops_of_app().policy)

    async def unknown() -> Any:
        found = tenants({"headers": [(b"host", b"x")]})
        return await found if not isinstance(found, Policy) else found

    policy = asyncio.run(unknown())
    (entry,) = policy.compiled.callables
    assert entry.describe(APP) == (False, "refused, because the tenant is unknown")
    assert repr(entry) == "<no origins: the tenant is unknown>"
