"""Fixtures of the whole suite."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest

pytest.register_assert_rewrite("tests.support")
pytest_plugins = ["asgi_cors.testing._pytest"]  # pyproject.toml blocks its entry point, which loads it before coverage

from tests.support.apps import App  # noqa: E402 - after pytest knows to rewrite its asserts
from tests.support.clients import Client  # noqa: E402
from tests.support.postgres_server import PostgresServer, running_postgres  # noqa: E402
from tests.support.redis_server import RedisServer, running_redis  # noqa: E402

# No test has a deadline, because machines may be slow.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Show a list or dict in the name of a test, unless it is long. Pytest numbers them."""
    if not isinstance(val, list | tuple | dict):
        return None
    try:
        text = json.dumps(val)
    except TypeError:
        return None
    return text if len(text) <= 80 else None


@pytest.fixture(params=["asgi", "wsgi"])
def interface(request: pytest.FixtureRequest) -> str:
    """Run the test under ASGI and under WSGI."""
    name: str = request.param
    return name


@pytest.fixture
def serve(interface: str) -> Callable[..., Client]:
    """Return a function that puts an app behind the middleware: `serve(policy, app=App(), **options)`."""

    def put(policy: Any = None, *, app: App | None = None, **options: Any) -> Client:
        return Client(interface, app or App(), policy, **options)

    return put


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Run an empty Redis server, which the test may kill and start again."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server that all tests of a process share. A test makes a database or a table of its own."""
    with running_postgres() as server:
        yield server
