"""Helpers of the tests of stores."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from asgi_cors import Answer, OriginSource
from asgi_cors.registry.registry import Registry
from asgi_cors.registry.store import Entry, Store, Write

MakeStore = Callable[[], Store]

ORIGIN: Final = "https://app.example.com"
OTHER: Final = "https://other.example.com"
UNUSUAL_TEXTS: Final = (
    "🦊 for the shop in Zürich",
    "'; DROP TABLE entries; --",
    'a "quoted" text with \\ and %s and {0}',
    "null",
    "0",
    " spaces around ",
    "\u202eright to left",
    "e\u0301 and é",
    "x" * 2_000,
)
DEADLINE: Final = 20.0  # seconds until another worker must have seen a change


def in_event_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test, without a plug-in for pytest."""

    @functools.wraps(test)
    def run(*arguments: Any, **keywords: Any) -> None:
        asyncio.run(test(*arguments, **keywords))

    return run


@asynccontextmanager
async def opened(make_store: MakeStore) -> AsyncGenerator[Store, None]:
    """Yield a new store, and close it after the block."""
    store = make_store()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_registry_over(make_store: MakeStore) -> AsyncGenerator[Registry, None]:
    """Yield a registry over a new store, and close it after the block."""
    registry = Registry(make_store(), poll=0.02)
    try:
        yield registry
    finally:
        await registry.close()


def add(origin: str = ORIGIN, **values: Any) -> Write:
    """Return a write that adds an entry."""
    return Write("add", Entry(origin=origin, **values))


def remove(origin: str = ORIGIN, **values: Any) -> Write:
    """Return a write that removes an entry."""
    return Write("remove", Entry(origin=origin, **values))


def origins_of_shops(count: int) -> list[str]:
    """Return different origins."""
    return [f"https://shop-{number}.example.com" for number in range(count)]


async def look_up(source: OriginSource, origin: str = ORIGIN) -> Answer:
    """Look an origin up, as a request does."""
    answer = source.look_up(origin)
    if isinstance(answer, Answer):
        return answer
    result: Answer = await answer.awaitable
    return result


async def wait_until(source: OriginSource, origin: str, *, allowed: bool) -> None:
    """Look an origin up until the answer is as expected."""
    async with asyncio.timeout(DEADLINE):
        while (await look_up(source, origin)).allowed is not allowed:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.01)
