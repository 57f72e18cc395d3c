"""A registry in Redis: this project stores the origins for you, for all servers of a fleet.

Serve the app twice, and add an origin by the command line. Both servers allow it at once:

    pip install 'asgi-cors-bridge[cli,redis,starlette]' fastapi uvicorn
    export REDIS_URL=redis://localhost:6379
    uvicorn --app-dir examples/dynamic redis_registry:app --port 8001
    uvicorn --app-dir examples/dynamic redis_registry:app --port 8002
    asgi-cors origins add https://shop.example.com --store $REDIS_URL
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException

from asgi_cors import ConfigError
from asgi_cors.registry import RedisRegistry
from asgi_cors_starlette import install

registry = RedisRegistry(os.environ["REDIS_URL"])  # connects when the server has started


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
    """Close the connections at the end."""
    yield
    await registry.close()


app = FastAPI(lifespan=lifespan)
install(app, allow_origins=["https://app.example.com", registry])


@app.get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]


@app.put("/domains")  # for your customers: protect it with your login
async def add(origin: str) -> dict[str, bool]:
    """Add an origin, as the command line does."""
    try:
        is_new = await registry.add(origin, by="the API")
    except ConfigError as error:
        raise HTTPException(422, str(error)) from error
    return {"added": is_new}
