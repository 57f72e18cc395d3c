"""A tenant for each Host: each of your customers has a host name of the API, and a list of origins of its own.

Serve it, and call the API of a tenant:

    pip install 'asgi-cors-bridge[starlette]' aiosqlite fastapi uvicorn
    DATABASE=tenants.db uvicorn --app-dir examples/dynamic tenant_by_host:app
    curl -X PUT 'localhost:8000/tenants/acme.localhost?origin=https://acme.example.com'
    curl -i acme.localhost:8000/items -H 'Origin: https://acme.example.com'

Behind a proxy, Host must be the name in the browser's address: nginx needs `proxy_set_header Host $host`.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiosqlite
from fastapi import FastAPI, HTTPException

from asgi_cors import Policy, Tenants, check_origin
from asgi_cors_starlette import install

DATABASE = os.environ["DATABASE"]


async def policy_of(host: str) -> Policy | None:
    """Return the policy of a tenant; None for an unknown one, which is refused."""
    async with aiosqlite.connect(DATABASE) as database:
        rows = await database.execute_fetchall("SELECT origin FROM domains WHERE host = ?", (host,))
    # A row that is not valid would make the policy raise, and block all pages of the tenant.
    origins = [origin for (origin,) in rows if check_origin(origin, credentials=True) is None]
    return Policy(allow_origins=origins, allow_methods=["PUT"], allow_credentials=True) if origins else None


tenants = Tenants.by_host(policy_of, ttl=60)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
    """Create the table, which is the task of a migration in production."""
    async with aiosqlite.connect(DATABASE) as database:
        await database.execute("CREATE TABLE IF NOT EXISTS domains (host TEXT, origin TEXT, UNIQUE (host, origin))")
    yield


app = FastAPI(lifespan=lifespan)
install(app, policy_for=tenants)


@app.get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]


@app.put("/tenants/{host}")  # for your customers: protect it with your login
async def add(host: str, origin: str) -> dict[str, str]:
    """Add an origin to a tenant. This worker allows it at once, the others within `ttl`."""
    if issue := check_origin(origin, credentials=True):
        raise HTTPException(422, f"{issue.message}. {issue.hint}")
    async with aiosqlite.connect(DATABASE) as database:
        await database.execute("INSERT OR IGNORE INTO domains VALUES (?, ?)", (host.lower(), origin))
        await database.commit()
    tenants.invalidate(host.lower())  # after the commit
    return {"added": origin}
