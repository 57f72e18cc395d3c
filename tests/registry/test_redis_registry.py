"""A registry in a real Redis that is killed, flushed, replaced and failed over, behind the middleware."""

import contextlib
import time

import pytest

redis = pytest.importorskip("redis.asyncio")

from redis.asyncio.sentinel import Sentinel  # noqa: E402 - it needs redis-py

from asgi_cors import CORSMiddleware  # noqa: E402
from asgi_cors.registry import RegistryError  # noqa: E402
from asgi_cors.registry.redis import RedisRegistry  # noqa: E402
from tests.support.apps import App  # noqa: E402
from tests.support.clients import call_asgi, http_scope  # noqa: E402
from tests.support.event_loops import run_asyncio  # noqa: E402
from tests.support.programs import PATIENCE, wait_until  # noqa: E402
from tests.support.redis_server import running_redis, running_sentinel  # noqa: E402

CUSTOMER, OTHER, EVIL = "https://customer.example.com", "https://other.example.com", "https://evil.example.com"


class Worker:
    """A middleware over a registry of its own, as in a worker."""

    def __init__(self, **options) -> None:
        self.registry = RedisRegistry(**options)
        self.middleware = CORSMiddleware(App().asgi, allow_origins=[self.registry])

    def allows(self, origin: str) -> bool:
        """Return whether a page of an origin may read a response. Fail if the status is not that of the app."""
        response = call_asgi(self.middleware, http_scope("GET", "/", [("origin", origin)]), run_asyncio)
        assert response.status == 200
        return response.values("access-control-allow-origin") == [origin]

    def wait_until(self, allowed: bool, origin: str) -> None:
        """Call the middleware until an origin is allowed, or refused."""
        deadline = time.monotonic() + PATIENCE
        while self.allows(origin) is not allowed:
            assert time.monotonic() < deadline, f"{origin} is not {'allowed' if allowed else 'refused'}"
            time.sleep(0.01)  # the other threads need the processor, too

    def wait_for_error(self, text: str = "") -> None:
        """Call the middleware until the registry has noticed that its store is unavailable."""
        deadline = time.monotonic() + PATIENCE
        while (error := self.registry.stats().error) is None or text not in str(error):
            assert self.allows(CUSTOMER)
            assert time.monotonic() < deadline, "the outage was not noticed"
            time.sleep(0.01)

    def close(self) -> None:
        self.registry.sync.close()


@pytest.fixture
def workers():
    """Return a function that starts workers and an administrator's registry, and close them at the end."""
    with contextlib.ExitStack() as stack:

        def start(count: int = 1, **options) -> list[Worker]:
            started = [Worker(poll=0.05, **options) for _ in range(count)]
            for worker in started:
                stack.callback(worker.close)
            return started

        yield start


def test_a_change_reaches_every_worker_by_a_message_long_before_the_poll(redis_server, workers):
    admin, one, two = workers(3, url=redis_server.url)
    admin.registry.sync.add(CUSTOMER)
    slow = Worker(url=redis_server.url, poll=3600)
    for worker in (one, two, slow):
        worker.wait_until(True, CUSTOMER)
        assert not worker.allows(EVIL)
    admin.registry.sync.add(OTHER)
    admin.registry.sync.remove(CUSTOMER)
    for worker in (one, two, slow):
        worker.wait_until(True, OTHER)
        worker.wait_until(False, CUSTOMER)
    slow.close()


def test_workers_poll_if_the_writer_may_not_publish(redis_server, workers):
    rights = "on >pw ~{cors}:* resetchannels &{cors}:* +@read +@connection +subscribe +eval +@write"
    redis_server.execute("ACL", "SETUSER", "writer", *rights.split())
    (admin,) = workers(url=redis_server.url.replace("redis://", "redis://writer:pw@"))
    (worker,) = workers(url=redis_server.url)
    admin.registry.sync.add(CUSTOMER)
    worker.wait_until(True, CUSTOMER)


def test_a_redis_that_is_killed_and_restarted_loses_no_acknowledged_write(workers):
    with running_redis(appendonly="yes", appendfsync="always") as server:
        admin, worker = workers(2, url=server.url)
        admin.registry.sync.add(CUSTOMER)
        worker.wait_until(True, CUSTOMER)
        server.kill()
        worker.wait_for_error()
        assert not worker.allows(EVIL)
        with pytest.raises(RegistryError, match=r"no connection|was closed"):
            admin.registry.sync.add(OTHER)
        server.start()
        admin.registry.sync.add(OTHER)
        worker.wait_until(True, OTHER)
        assert worker.allows(CUSTOMER)
        assert worker.registry.stats().loads == 1


@pytest.mark.parametrize("loss", ["FLUSHALL", "restart", "id"])
def test_customers_stay_allowed_when_redis_comes_back_without_its_data(redis_server, workers, loss):
    admin, worker = workers(2, url=redis_server.url)
    admin.registry.sync.add(CUSTOMER)
    worker.wait_until(True, CUSTOMER)
    if loss == "restart":
        redis_server.kill()
        redis_server.start()
    else:
        redis_server.execute(*(["FLUSHALL"] if loss == "FLUSHALL" else ["DEL", "{cors}:id"]))
    worker.wait_for_error("lost its content")
    assert worker.allows(CUSTOMER)
    assert not worker.allows(EVIL)


def test_a_worker_that_never_loaded_a_list_refuses(workers):
    with running_redis() as server:
        url = server.url
    (worker,) = workers(url=url)
    assert not worker.allows(CUSTOMER)
    assert not worker.allows(EVIL)


def test_a_registry_that_was_made_again_with_other_origins_is_loaded(redis_server, workers):
    admin, worker = workers(2, url=redis_server.url)
    admin.registry.sync.add(CUSTOMER)
    worker.wait_until(True, CUSTOMER)
    redis_server.execute("FLUSHALL")
    worker.wait_for_error()
    admin.registry.sync.add(OTHER)
    worker.wait_until(True, OTHER)
    worker.wait_until(False, CUSTOMER)


def test_a_server_that_hangs_delays_no_request(redis_server, workers):
    admin, worker = workers(2, url=f"{redis_server.url}?socket_timeout=0.2")
    admin.registry.sync.add(CUSTOMER)
    worker.wait_until(True, CUSTOMER)
    redis_server.pause()
    worker.wait_for_error()
    redis_server.pause(to_go_on=True)
    admin.registry.sync.add(OTHER)
    worker.wait_until(True, OTHER)


def test_a_failover_by_sentinel_that_loses_a_write_is_noticed(redis_server, workers):
    with (
        running_redis(replicaof=f"127.0.0.1 {redis_server.port}") as replica,
        running_sentinel(redis_server) as sentinel,
    ):

        def master():
            address = [("127.0.0.1", sentinel.port)]
            options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
            return Sentinel(address, sentinel_kwargs=options).master_for("registry", **options)

        admin, worker = workers(2, client=master)
        admin.registry.sync.add(CUSTOMER)
        while ":1\r\n" not in replica.execute("EXISTS", "{cors}:version"):
            pass
        while f"port={replica.port}" not in redis_server.execute("INFO", "replication") or (
            str(replica.port) not in sentinel.execute("SENTINEL", "REPLICAS", "registry")
        ):
            pass
        replica.pause()
        redis_server.execute("CLIENT", "KILL", "TYPE", "replica")
        admin.registry.sync.add(OTHER)  # the primary acknowledges it, but the replica never gets it
        worker.wait_until(True, OTHER)
        redis_server.kill()
        replica.pause(to_go_on=True)
        worker.wait_until(False, OTHER)
        assert worker.allows(CUSTOMER)
        wait_until(lambda: can_add(admin.registry, OTHER), "Sentinel names the new primary")
        worker.wait_until(True, OTHER)


def test_an_older_snapshot_with_as_many_new_changes_is_noticed(workers):
    with running_redis() as server:
        admin, worker = workers(2, url=server.url)
        admin.registry.sync.add(CUSTOMER)
        server.execute("SAVE")
        admin.registry.sync.add(OTHER)
        worker.wait_until(True, OTHER)
        worker.registry.stop()  # no check sees the version of the snapshot
        server.kill()
        server.start()
        wait_until(lambda: can_add(admin.registry, EVIL), "Redis has loaded the snapshot")
        worker.wait_until(True, EVIL)
        assert worker.allows(CUSTOMER)
        assert not worker.allows(OTHER)
        assert worker.registry.stats().loads == 2


def can_add(registry: RedisRegistry, origin: str) -> bool:
    """Add an origin, and return whether the store could be reached."""
    try:
        return registry.sync.add(origin)
    except RegistryError:
        return False
