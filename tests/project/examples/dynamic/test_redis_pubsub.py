"""Redis is real. Answers are cached for 300 seconds, so that only a message can be in time."""

import pytest

from tests.project.examples.dynamic.serving import require
from tests.support.programs import wait_until
from tests.support.redis_server import running_redis

require("redis", "fastapi", "uvicorn")
pytestmark = pytest.mark.slow
SHOP, OTHER = "https://shop.example.com", "https://other.example.com"


@pytest.fixture
def redis():
    with running_redis(appendonly="yes") as server:
        yield server


def wait_until_subscribed(redis, server):
    """Return when the worker's feed is subscribed."""
    server.allows("https://app.example.com")
    wait_until(lambda: ":1\r\n" in redis.execute("PUBSUB", "NUMSUB", "domains-changed"), "it is subscribed")


def test_a_published_origin_is_looked_up_again(serve, redis):
    with serve("redis_pubsub", REDIS_URL=redis.url) as server:
        assert not server.allows(SHOP)  # also starts the feed
        wait_until_subscribed(redis, server)
        redis.execute("SADD", "domains", SHOP)
        redis.execute("PUBLISH", "domains-changed", SHOP)
        server.wait_until_allowed(SHOP)
        assert server.client.delete("/domains", params={"origin": SHOP}).is_success
        server.wait_until_refused(SHOP)


def test_origins_stay_allowed_while_redis_is_away_and_lost_messages_are_made_up_for(serve, redis):
    redis.execute("SADD", "domains", SHOP)
    with serve("redis_pubsub", REDIS_URL=redis.url) as server:
        assert server.allows(SHOP)
        wait_until_subscribed(redis, server)
        assert [server.allows(SHOP), server.allows(OTHER)] == [True, False]
        redis.kill()
        assert server.allows(SHOP)
        redis.start()
        redis.execute("SADD", "domains", OTHER)
        redis.execute("SREM", "domains", SHOP)  # and no message
        server.wait_until_allowed(OTHER)
        server.wait_until_refused(SHOP)


def test_the_app_serves_without_redis(serve, redis):
    redis.execute("SADD", "domains", SHOP)
    redis.kill()
    with serve("redis_pubsub", REDIS_URL=redis.url) as server:
        assert [server.allows("https://app.example.com"), server.allows(SHOP)] == [True, False]
        redis.start()
        server.wait_until_allowed(SHOP)
