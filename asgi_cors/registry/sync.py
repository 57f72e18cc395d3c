"""The methods of a registry without async, for scripts and for the views of Flask and Django."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .background import run_blocking
from .batches import AddResult
from .store import Change, Entry

if TYPE_CHECKING:
    from .registry import Registry

Result = TypeVar("Result")


async def run_in_this_thread(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in the background event loop, and block, so that the caller's coroutine is never suspended."""
    return run_blocking(coroutine)


def _finish(awaitable: Awaitable[Result]) -> Result:
    """Return the result of an awaitable that is never suspended."""
    try:
        next(awaitable.__await__())
    except StopIteration as stop:
        return cast("Result", stop.value)
    raise AssertionError  # pragma: no cover


class SyncRegistry:
    """`registry.sync`: the methods of `Registry`, as blocking calls. The docstrings of `Registry` describe them.

    Args:
        registry: A registry that runs its coroutines with `run_in_this_thread`.
    """

    def __init__(self, registry: Registry) -> None:
        """Use a registry whose methods are never suspended."""
        self._registry = registry

    def add(
        self, origin: str, *, tenant: str = "", note: str = "", by: str = "", expires_at: datetime | None = None
    ) -> bool:
        """Add an origin or pattern; see `Registry.add`."""
        return _finish(self._registry.add(origin, tenant=tenant, note=note, by=by, expires_at=expires_at))

    def remove(self, origin: str, *, tenant: str = "", by: str = "") -> bool:
        """Remove an origin or pattern; see `Registry.remove`."""
        return _finish(self._registry.remove(origin, tenant=tenant, by=by))

    def add_all(
        self,
        entries: Iterable[Entry | str],
        *,
        dry_run: bool = False,
        on_progress: Callable[[int], object] | None = None,
    ) -> AddResult:
        """Add many entries; see `Registry.add_all`. The iterable is read in this thread."""
        return _finish(self._registry.add_all(entries, dry_run=dry_run, on_progress=on_progress))

    def list(self, *, tenant: str | None = None, after: int | None = None, limit: int = 1000) -> list[Entry]:
        """Return entries; see `Registry.list`."""
        return _finish(self._registry.list(tenant=tenant, after=after, limit=limit))

    def find(self, origins: Iterable[str], *, tenant: str = "") -> list_[Entry]:
        """Return the entries with these texts; see `Registry.find`."""
        return _finish(self._registry.find(origins, tenant=tenant))

    def scan(self, *, tenant: str | None = None, only_patterns: bool = False) -> Iterator[Entry]:
        """Iterate over all entries; see `Registry.scan`."""
        return _iterate(self._registry.scan(tenant=tenant, only_patterns=only_patterns))

    def history(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list_[Change]:
        """Return changes; see `Registry.history`."""
        return _finish(self._registry.history(tenant=tenant, after=after, limit=limit))

    def purge_history(self, before: datetime) -> int:
        """Remove the oldest changes from the history; see `Registry.purge_history`."""
        return _finish(self._registry.purge_history(before))

    def watch(self, *, tenant: str | None = None, after: int | None = None) -> Iterator[Change]:
        """Iterate over changes as they are made; see `Registry.watch`."""
        return _iterate(self._registry.watch(tenant=tenant, after=after))

    def close(self) -> None:
        """Stop the background task and close the connections; see `Registry.close`."""
        _finish(self._registry.close())


list_ = list  # in the class above, `list` is a method


def _iterate(items: AsyncIterator[Result]) -> Iterator[Result]:
    with contextlib.suppress(StopAsyncIteration):
        while True:
            yield _finish(anext(items))
