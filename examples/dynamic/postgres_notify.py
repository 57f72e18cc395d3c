"""PostgreSQL: a trigger notifies every worker of a changed table, and each reads the table again at once.

Create the table, serve the app, and insert a row with psql. The origin is allowed without a restart:

    pip install asgi-cors-bridge 'psycopg[binary]' uvicorn
    export DATABASE_URL=postgresql://localhost/shop
    python examples/dynamic/postgres_notify.py
    uvicorn --app-dir examples/dynamic postgres_notify:app
    psql $DATABASE_URL -c "INSERT INTO domains VALUES ('https://shop.example.com')"

LISTEN needs a connection of its own, straight to the server: PgBouncer in transaction mode loses the notifications.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import psycopg

from asgi_cors import CORSMiddleware, Loaded

DATABASE_URL = os.environ["DATABASE_URL"]
SCHEMA = """
    CREATE TABLE IF NOT EXISTS domains (origin text PRIMARY KEY);

    CREATE OR REPLACE FUNCTION notify_domains() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NOTIFY domains; RETURN NULL; END $$;

    CREATE OR REPLACE TRIGGER domains_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON domains
        FOR EACH STATEMENT EXECUTE FUNCTION notify_domains();
"""


async def customers() -> list[str]:
    """Return all origins. A new connection for each load is never one that was cut."""
    async with await psycopg.AsyncConnection.connect(DATABASE_URL, connect_timeout=5) as connection:
        cursor = await connection.execute("SELECT origin FROM domains")
        return [origin for (origin,) in await cursor.fetchall()]


async def changes() -> AsyncIterator[None]:
    """Yield once the connection listens, and after each change. If this raises, it is started again."""
    connection = await psycopg.AsyncConnection.connect(
        DATABASE_URL,
        autocommit=True,  # LISTEN takes effect at a commit
        connect_timeout=5,
        keepalives_idle=30,  # seconds; notices a connection that a firewall has dropped
        keepalives_interval=10,
    )
    async with connection:
        await connection.execute("LISTEN domains")
        yield None  # a row may have changed before
        async for _ in connection.notifies():
            yield None


async def api(_scope: Any, _receive: Any, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> None:
    """Return the items: your app is here."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'["tea", "cake"]'})


# `every` is only for a notification that was lost.
app = CORSMiddleware(api, allow_origins=["https://app.example.com", Loaded(customers, every=300, feed=changes)])

if __name__ == "__main__":
    with psycopg.connect(DATABASE_URL) as database:
        database.execute(SCHEMA)
