"""Compares AsyncPage.fetch with a plain httpx request to the same ASGI application.

`python benchmarks/testing_fetch.py [ROUNDS]` prints the medians of alternating batches, and their ratio.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from asgi_cors.testing import AsyncPage

BATCH = 100
URL = "https://api.test/items"
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", b"2"),
    (b"access-control-allow-origin", b"https://app.example.com"),
    (b"vary", b"Origin"),
]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Send one response to every request, and support the lifespan."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})


async def batch(request: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds that one request took on average."""
    start = time.perf_counter()
    for _ in range(BATCH):
        await request()
    return (time.perf_counter() - start) / BATCH


async def main(rounds: int) -> None:
    """Alternate the batches, so that a slow moment of the machine affects both."""
    origin = {"origin": "https://app.example.com"}
    transport = httpx.ASGITransport(app)
    async with AsyncPage(origin["origin"], app=app) as page, httpx.AsyncClient(transport=transport) as client:

        async def fetch() -> object:
            page.exchanges.clear()
            return await page.fetch(URL)

        async def get() -> object:
            return await client.get(URL, headers=origin)

        times: dict[str, list[float]] = {"page.fetch": [], "httpx get": []}
        for _ in range(rounds):
            times["page.fetch"].append(await batch(fetch))
            times["httpx get"].append(await batch(get))
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in medians.items():
        print(f"{name}: {seconds * 1e6:.0f} us")
    print(f"ratio: {medians['page.fetch'] / medians['httpx get']:.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 30))
