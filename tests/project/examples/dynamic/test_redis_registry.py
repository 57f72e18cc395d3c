"""Redis, the servers and the command line are real."""

import pytest

from tests.project.examples.dynamic.serving import require, run
from tests.support.redis_server import running_redis

require("redis", "fastapi", "uvicorn")
pytestmark = pytest.mark.slow
SHOP = "https://shop.example.com"


@pytest.fixture
def redis():
    with running_redis() as server:
        yield server


@pytest.fixture
def servers(serve, redis):
    """Serve the app twice."""
    with serve("redis_registry", REDIS_URL=redis.url) as one, serve("redis_registry", REDIS_URL=redis.url) as other:
        yield one, other


def origins(redis, *arguments):
    return run("-m", "asgi_cors", "origins", *arguments, "--store", redis.url)


def test_both_servers_apply_a_change_of_the_command_line(servers, redis):
    assert [server.allows(SHOP) for server in servers] == [False, False]
    origins(redis, "add", SHOP)
    for server in servers:
        server.wait_until_allowed(SHOP)
        assert server.allows(SHOP)
    origins(redis, "remove", SHOP)
    for server in servers:
        server.wait_until_refused(SHOP)
        assert not server.allows(SHOP)


def test_one_server_applies_a_change_of_the_other(servers):
    one, other = servers
    assert one.client.put("/domains", params={"origin": SHOP}).json() == {"added": True}
    other.wait_until_allowed(SHOP)
    response = one.client.put("/domains", params={"origin": f"{SHOP}/"})
    assert response.status_code == 422
    assert f"Write '{SHOP}'." in response.json()["detail"]


def test_origins_stay_allowed_while_redis_is_away(servers, redis):
    origins(redis, "add", SHOP)
    for server in servers:
        server.wait_until_allowed(SHOP)
    redis.kill()
    assert [server.allows(SHOP) for server in servers] == [True, True]
