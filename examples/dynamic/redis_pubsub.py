"""Redis: the origins are a set, looked up one by one. A message makes every worker forget an origin at once.

Serve it, and add or remove an origin:

    pip install 'asgi-cors-bridge[redis,starlette]' fastapi uvicorn
    REDIS_URL=redis://localhost:6379 uvicorn --app-dir examples/dynamic redis_pubsub:app
    redis-cli SADD domains https://shop.example.com
    redis-cli PUBLISH domains-changed https://shop.example.com
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# redis-py has incomplete types.

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from redis.asyncio import Redis

from asgi_cors import Cached
from asgi_cors_starlette import install

# Connects at the first command, in the event loop of the server.
client = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_keepalive=True)


async def is_customer(origin: str) -> bool:
    """Return whether an origin is in the set. Only True allows: Redis returns 1."""
    return await client.sismember("domains", origin) == 1


async def changes() -> AsyncIterator[str | None]:
    """Yield each origin that was published; None if messages may have been lost."""
    async with client.pubsub() as channel:
        await channel.subscribe("domains-changed")
        async for message in channel.listen():
            if message["type"] == "subscribe":  # also after redis-py has connected again
                yield None
            elif message["type"] == "message":
                yield message["data"]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
    """Close the connections at the end."""
    async with client:
        yield


app = FastAPI(lifespan=lifespan)
# A message that is lost delays a change until `ttl`: choose it for that case.
install(app, allow_origins=["https://app.example.com", Cached(is_customer, ttl=300, negative_ttl=300, feed=changes)])


@app.get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]


@app.delete("/domains")  # for your customers: protect it with your login
async def remove(origin: str) -> dict[str, str]:
    """Remove an origin, then publish it: in the other order, a worker could cache the old answer again."""
    await client.srem("domains", origin)
    await client.publish("domains-changed", origin)
    return {"removed": origin}
