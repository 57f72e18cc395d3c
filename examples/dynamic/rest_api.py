"""A REST API: another service knows whether an origin belongs to a customer. Its answers are cached.

Serve it. `GET $CUSTOMERS_API/domains?origin=https://shop.example.com` must respond with 200 and `{"active": true}`, or
with 404 if it does not know the origin:

    pip install 'asgi-cors-bridge[starlette]' httpx fastapi uvicorn
    CUSTOMERS_API=https://customers.internal CUSTOMERS_TOKEN=... uvicorn --app-dir examples/dynamic rest_api:app
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
from fastapi import FastAPI

from asgi_cors import Cached
from asgi_cors_starlette import install

# One client for the whole process: a client per call would open a connection per call.
client = httpx.AsyncClient(
    base_url=os.environ["CUSTOMERS_API"],
    headers={"authorization": f"Bearer {os.environ['CUSTOMERS_TOKEN']}"},
    timeout=1.5,  # seconds; less than the 2 s of Cached, so the log names the cause
)


async def is_customer(origin: str) -> bool:
    """Return whether an origin belongs to a customer.

    An error is raised, not returned as False: then a known origin stays allowed, and an unknown one is tried again.
    """
    # As a parameter, which httpx escapes: an origin is a value of the client, and may not become a part of the path.
    response = await client.get("/domains", params={"origin": origin})
    if response.status_code == HTTPStatus.NOT_FOUND:
        return False
    response.raise_for_status()
    return response.json()["active"] is True


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
    """Close the connections at the end."""
    async with client:
        yield


app = FastAPI(lifespan=lifespan)
install(
    app,
    allow_origins=["https://app.example.com", Cached(is_customer, ttl=60, negative_ttl=10, stale_if_error=3600)],
)


@app.get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]
