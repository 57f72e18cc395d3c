"""PostgreSQL is real. The list is loaded every 300 seconds, so that only a notification can be in time."""

import pytest

from tests.project.examples.dynamic.serving import RECIPES, require, run
from tests.support.postgres_server import running_postgres

require("psycopg", "uvicorn")
pytestmark = pytest.mark.slow
SHOP, OTHER = "https://shop.example.com", "https://other.example.com"


@pytest.fixture
def postgres():
    """Run a server with the table of the recipe."""
    with running_postgres() as server:
        run(str(RECIPES / "postgres_notify.py"), DATABASE_URL=server.url)
        yield server


def change(postgres, statement, *values):
    import psycopg  # noqa: PLC0415 - may be missing

    with psycopg.connect(postgres.url) as connection:
        connection.execute(statement, values)


def test_a_row_that_is_inserted_or_deleted_takes_effect_by_its_notification(serve, postgres):
    with serve("postgres_notify", DATABASE_URL=postgres.url) as server:
        assert not server.allows(SHOP)
        change(postgres, "INSERT INTO domains VALUES (%s), (%s)", SHOP, OTHER)
        server.wait_until_allowed(SHOP)
        change(postgres, "DELETE FROM domains WHERE origin = %s", SHOP)
        server.wait_until_refused(SHOP)
        assert server.allows(OTHER)


def test_origins_stay_allowed_while_the_server_is_away_and_later_changes_are_not_lost(serve, postgres):
    change(postgres, "INSERT INTO domains VALUES (%s)", SHOP)
    with serve("postgres_notify", DATABASE_URL=postgres.url) as server:
        server.wait_until_allowed(SHOP)
        postgres.kill()
        assert [server.allows(SHOP), server.allows(OTHER)] == [True, False]
        postgres.start()
        change(postgres, "INSERT INTO domains VALUES (%s)", OTHER)  # before the worker listens again
        server.wait_until_allowed(OTHER)
        change(postgres, "DELETE FROM domains WHERE origin = %s", OTHER)
        server.wait_until_refused(OTHER)


def test_the_app_starts_without_a_database_and_loads_when_it_is_there(serve, postgres):
    change(postgres, "INSERT INTO domains VALUES (%s)", SHOP)
    postgres.kill()
    with serve("postgres_notify", DATABASE_URL=postgres.url) as server:
        assert [server.allows("https://app.example.com"), server.allows(SHOP)] == [True, False]
        postgres.start()
        server.wait_until_allowed(SHOP)


async def test_the_feed_listens_before_its_first_item(postgres, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.url)
    monkeypatch.syspath_prepend(str(RECIPES))
    feed = pytest.importorskip("postgres_notify").changes()
    assert await anext(feed) is None
    change(postgres, "INSERT INTO domains VALUES (%s)", SHOP)
    assert await anext(feed) is None
    await feed.aclose()
