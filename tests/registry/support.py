"""A registry to look up in, and a store that can fail."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgi_cors import Answer, OriginSource
from asgi_cors.registry import Change, RegistryError, Status
from asgi_cors.registry.sqlite import SQLiteStore

APP = "https://app.example.com"
SHOP = "https://shop.example.com"
DEADLINE = 20.0


def answer(source: OriginSource, origin: str = APP) -> Answer:
    """Look an origin up from a thread without an event loop."""
    found = source.look_up(origin)
    return found if isinstance(found, Answer) else asyncio.run(_await(found))


async def _await(awaitable: Any) -> Any:
    return await awaitable.awaitable


def is_current(found: Answer) -> bool:
    return bool(found.leases) and all(lease.is_current for lease in found.leases or ())


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


class FailingStore(SQLiteStore):
    """An SQLite store that fails on demand: a fault that a file can't be made to have at a known moment."""

    failure: Exception | None = None
    page_gate: asyncio.Event | None = None
    lost: bool = False
    empty: bool = False
    other_id: str = ""
    version_offset: int = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.has_failed = threading.Event()

    async def status(self) -> Status:
        if self.failure:
            self.has_failed.set()
            raise self.failure
        if self.lost:
            return Status("", 0, 1)
        status = await super().status()
        version = status.version + self.version_offset
        return Status(self.other_id or status.id, version, version + 1 if self.empty else status.oldest)

    async def scan_origins(self) -> AsyncIterator[list[tuple[str, str, float | None]]]:
        if not self.empty:
            async for page in super().scan_origins():
                yield page

    async def changes(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list[Change]:
        if self.failure:
            raise self.failure
        if self.empty:
            return []
        return await super().changes(tenant=tenant, after=after, limit=limit)


def outage() -> RegistryError:
    return RegistryError("sqlite:///origins.db: the disk is gone. Get another one.")
