"""Adds many entries in batches, without the invalid ones, and reads them page by page."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, NamedTuple, cast

from asgi_cors import ConfigError, Issue

from .store import Action, Entry, Write
from .validation import check_entry

BATCH: Final = 5_000  # writes of one transaction


class AddResult(NamedTuple):
    """The result of `add_all`.

    Args:
        added: The number of new entries.
        updated: The number of entries whose note or expiry was changed.
        unchanged: The number of entries that were stored already.
        issues: The mistakes of the entries that were left out. Each message begins with the number of the entry.
    """

    added: int
    updated: int
    unchanged: int
    issues: tuple[Issue, ...]


async def add_in_batches(
    entries: Iterable[Entry | str] | AsyncIterable[Entry | str],
    write: Callable[[list[Write]], Awaitable[list[Action | None]]],
    on_progress: Callable[[int], object] | None,
) -> AddResult:
    """Write entries in one or more batches, and count the actions; see `Registry.add_all`."""
    added = updated = unchanged = read = 0
    issues: list[Issue] = []
    async for batch in _batches(entries):
        actions = await write(_valid_writes(batch, read, issues))
        added += actions.count("add")
        updated += actions.count("update")
        unchanged += actions.count(None)
        read += len(batch)
        if on_progress is not None:
            on_progress(read)
    return AddResult(added, updated, unchanged, tuple(issues))


async def _batches(items: object) -> AsyncIterator[list[object]]:
    """Yield lists of up to 5,000 items; one empty list if there are none."""
    if isinstance(items, str | bytes) or not isinstance(items, Iterable | AsyncIterable):
        raise ConfigError([Issue.wrong_type("entries", items, "a list of entries", "Write [Entry(origin='…'), …].")])
    batch: list[object] = []
    is_empty = True
    async for item in _as_async(cast("Iterable[object]", items)):
        batch.append(item)
        is_empty = False
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch or is_empty:
        yield batch


async def _as_async(items: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[object]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def _valid_writes(batch: Sequence[object], offset: int, issues: list[Issue]) -> list[Write]:
    writes: list[Write] = []
    for number, item in enumerate(batch, offset + 1):
        entry = Entry(origin=item) if isinstance(item, str) else item
        if not isinstance(entry, Entry):
            found = [Issue.wrong_type("entries", item, "an Entry or a string", "Write Entry(origin='…').")]
        elif not (found := check_entry(entry)):
            writes.append(Write("add", entry))
        issues += [
            Issue(issue.code, issue.option, issue.value, f"entry {number}: {issue.message}", issue.hint)
            for issue in found
        ]
    return writes


Run = Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]]


class Scan(AsyncIterator[Entry]):
    """The entries of a scan; see `Registry.scan`.

    It is not a generator, which trio wants to be closed. If it is left, the event loop of the store closes the store's.

    Args:
        pages: The scan of a store.
        run: Runs the coroutines of the store.
    """

    def __init__(self, pages: AsyncIterator[list[Entry]], run: Run) -> None:
        """Read nothing yet."""
        self._pages = pages
        self._run = run
        self._page: list[Entry] = []  # the rest of it, in reverse

    async def __anext__(self) -> Entry:
        """Return the next entry."""
        while not self._page:
            page: list[Entry] | None = await self._run(_next_page(self._pages))
            if page is None:
                raise StopAsyncIteration
            self._page = page[::-1]
        return self._page.pop()


async def _next_page(pages: AsyncIterator[list[Entry]]) -> list[Entry] | None:
    return await anext(pages, None)
