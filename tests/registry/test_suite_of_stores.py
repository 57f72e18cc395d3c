"""The public tests of stores, run for SQLite, for Redis, and for a store that overrides no method it need not."""

from pathlib import Path

import pytest

from asgi_cors.registry import Store
from asgi_cors.registry.sqlite import SQLiteStore
from asgi_cors.registry.testing import MakeStore, RegistryTests, StoreTests
from tests.support.redis_server import RedisServer


class TestSQLite(StoreTests, RegistryTests):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStore(tmp_path / "origins.db")


class PlainStore(SQLiteStore):
    """A store with the abstract methods only."""

    scan_origins = Store.scan_origins


class TestPlainStore(StoreTests, RegistryTests):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: PlainStore(tmp_path / "origins.db")


class TestRedis(StoreTests, RegistryTests):
    @pytest.fixture
    def make_store(self, redis_server: RedisServer) -> MakeStore:
        redis = pytest.importorskip("asgi_cors.registry.redis", exc_type=ImportError)
        return lambda: redis.RedisStore(redis_server.url)


class TestRedisWithADecodingClient(StoreTests, RegistryTests):
    """A client of the user, which returns texts instead of bytes."""

    @pytest.fixture
    def make_store(self, redis_server: RedisServer) -> MakeStore:
        redis = pytest.importorskip("asgi_cors.registry.redis", exc_type=ImportError)
        asyncio_redis = pytest.importorskip("redis.asyncio")
        return lambda: redis.RedisStore(
            client=lambda: asyncio_redis.Redis.from_url(redis_server.url, decode_responses=True)
        )
