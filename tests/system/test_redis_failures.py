"""Redis is killed, restarted, flushed, replaced and restored under load: customers' origins stay allowed."""

from collections.abc import Iterator

import pytest

from asgi_cors.registry import open_registry
from tests.support.redis_server import RedisServer

from .servers import STATIC, STRANGER, Fleet, Load, fleet_of, run_command

pytestmark = [pytest.mark.slow, pytest.mark.system]

CUSTOMER, SECOND, LOST = "https://customer.example.com", "https://second.example.com", "https://lost.example.com"
REQUESTS = 200  # under load, in each state of the store


@pytest.fixture(scope="module")
def servers(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return two uvicorn servers of two workers each, one for all tests of the module."""
    with fleet_of(tmp_path_factory.mktemp("fleet"), STORE=redis.url) as fleet:
        yield fleet


@pytest.fixture
def fleet(servers: Fleet, redis: RedisServer) -> Fleet:
    """Return the servers with one customer in a store that is saved to disk."""
    registry = open_registry(redis.url).sync
    for origin in (SECOND, LOST):
        registry.remove(origin)
    registry.close()
    run_command(redis.url, "add", CUSTOMER)
    servers.wait_until_allowed(CUSTOMER)
    servers.wait_until_refused(SECOND)
    servers.wait_until_refused(LOST)
    redis.execute("SAVE")
    return servers


def test_missed_changes_are_caught_up_after_redis_was_killed_and_restarted(fleet: Fleet, redis: RedisServer):
    with Load(fleet, [CUSTOMER]) as load:
        redis.kill()
        load.wait_for_requests(REQUESTS)
        redis.start()
        run_command(redis.url, "add", SECOND)
        fleet.wait_until_allowed(SECOND)
        load.wait_for_requests(REQUESTS)
    run_command(redis.url, "remove", CUSTOMER)
    fleet.wait_until_refused(CUSTOMER)


def test_a_redis_that_does_not_respond_delays_no_request(fleet: Fleet, redis: RedisServer):
    with Load(fleet, [CUSTOMER]) as load:
        redis.pause()
        load.wait_for_requests(REQUESTS)
        redis.pause(to_go_on=True)
        run_command(redis.url, "add", SECOND)
        fleet.wait_until_allowed(SECOND)


def test_customers_stay_allowed_while_redis_is_flushed_and_until_it_is_imported_again(fleet: Fleet, redis: RedisServer):
    exported = run_command(redis.url, "export")
    with Load(fleet, [CUSTOMER]) as load:
        redis.execute("FLUSHALL")
        load.wait_for_requests(REQUESTS)
        run_command(redis.url, "import", "-", stdin=f'{exported}{{"origin": "{SECOND}"}}\n')
        fleet.wait_until_allowed(SECOND)
        load.wait_for_requests(REQUESTS)


def test_customers_stay_allowed_if_redis_is_replaced_by_an_empty_one(fleet: Fleet, redis: RedisServer):
    exported = run_command(redis.url, "export")
    with Load(fleet, [CUSTOMER]) as load:
        redis.kill()
        (redis.folder / "dump.rdb").unlink()
        redis.start()
        load.wait_for_requests(REQUESTS)
        run_command(redis.url, "import", "-", stdin=f'{exported}{{"origin": "{SECOND}"}}\n')
        fleet.wait_until_allowed(SECOND)
        load.wait_for_requests(REQUESTS)


def test_a_write_that_a_failover_lost_is_refused_again(fleet: Fleet, redis: RedisServer):
    run_command(redis.url, "add", LOST)
    fleet.wait_until_allowed(LOST)
    with Load(fleet, [CUSTOMER]) as load:
        redis.kill()  # since the last SAVE, only LOST was added
        redis.start()
        fleet.wait_until_refused(LOST)
        load.wait_for_requests(REQUESTS)


def test_a_redis_that_is_away_at_start_up_refuses_customers_until_it_is_there(redis: RedisServer, tmp_path, fleet):
    redis.kill()
    with fleet_of(tmp_path, servers=1, STORE=redis.url) as late:
        with Load(late, [], [CUSTOMER]) as load:
            load.wait_for_requests(REQUESTS)
            assert late.workers[0].get(CUSTOMER).headers["cache-control"] == "no-store"
            assert late.workers[0].preflight(CUSTOMER).headers["cache-control"] == "no-store"
        redis.start()
        late.wait_until_allowed(CUSTOMER)
        assert late.allow(STATIC)
        assert late.refuse(STRANGER)
        assert late.workers[0].get(CUSTOMER).headers["cache-control"] is None
