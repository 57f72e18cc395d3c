"""Real stores for `asgi-cors origins`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Ran, run
from tests.support.redis_server import RedisServer, running_redis


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/origins.db"


def skip_without_redis() -> None:
    """Skip a test if the extra is missing."""
    pytest.importorskip("redis")


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    skip_without_redis()
    with running_redis() as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    server: RedisServer = request.getfixturevalue("redis_server")
    server.execute("FLUSHALL")
    return server.url


@pytest.fixture
def origins(sqlite_url: str) -> Callable[..., Ran]:
    """Run a command on an SQLite store."""

    def run_on_store(command: str, *arguments: str, stdin: str | bytes = "") -> Ran:
        return run("origins", command, *arguments, "--store", sqlite_url, stdin=stdin)

    return run_on_store
