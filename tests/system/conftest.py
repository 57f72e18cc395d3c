"""Fixtures of the tests with real servers."""

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis_server import RedisServer, running_redis

from .servers import Fleet, fleet_of


@pytest.fixture(scope="session", autouse=True)
def needed() -> None:
    """Skip the tests without the servers, the command line and the client of Redis. In CI, fail."""
    for name in ("uvicorn", "click", "httpx", "rich", "redis"):
        if os.environ.get("REAL_SERVERS") == "required":
            importlib.import_module(name)
        pytest.importorskip(name)


@contextlib.contextmanager
def new_store(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a registry that nothing was written to: a file in the folder, or a Redis server of its own."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'origins.db'}"
        return
    with running_redis() as server:
        yield server.url


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a store: SQLite, then Redis."""
    with new_store(request.param, tmp_path_factory.mktemp(request.param)) as url:
        yield url


@pytest.fixture(scope="module")
def fleet(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return two uvicorn servers of two workers each, which use the store."""
    with fleet_of(tmp_path_factory.mktemp("fleet"), STORE=store) as workers:
        yield workers


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Return a Redis server that persists only by SAVE."""
    with running_redis() as server:
        yield server
