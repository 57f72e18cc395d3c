"""The iterator of changes. It survives outages and replacements of the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

from .store import Change, RegistryError, Status, Store

Run = Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]]

_PAGE: Final = 1_000  # changes of one read
MAX_BACK_OFF: Final = 4.0  # seconds between two attempts to reach a store


async def watch(store: Store, run: Run, poll: float, *, tenant: str | None, after: int | None) -> AsyncIterator[Change]:
    """Yield changes as they are made; see `Registry.watch`.

    Args:
        store: The store.
        run: Runs the coroutines of the store.
        poll: The seconds between two checks.
        tenant: The tenant; None for all.
        after: The version of the last change that is known; None for changes from now on.
    """
    known: Status | None = None
    delay = 0.0
    while True:
        try:
            status: Status = await run(store.status())
            after = _start(status, known, after)
            changes: list[Change] = await run(store.changes(tenant=tenant, after=after, limit=_PAGE))
        except RegistryError:
            delay = min(max(poll, 2 * delay), MAX_BACK_OFF)
            await run(_sleep(store, delay))
            continue
        delay = 0.0
        if status.id:
            known = status
        for change in changes:
            yield change
            after = change.version
        if not changes:
            after = max(after, status.version)
            await run(_sleep(store, poll))


def _start(status: Status, known: Status | None, after: int | None) -> int:
    """Return the version after which to read."""
    if not status.id:  # the store was never written to, or is unavailable
        return after or 0
    if known is not None and status.id != known.id:
        return 0
    return status.version if after is None else min(after, status.version)


async def _sleep(store: Store, seconds: float) -> None:
    with contextlib.suppress(RegistryError):  # the store's notification fails
        return await store.wait(seconds)
    return await asyncio.sleep(seconds)
