"""The options of `Loaded`, and its statistics."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypedDict, cast

from asgi_cors._configuration.source_options import Option, count, flag, function, seconds

OriginLoader = Callable[[], Iterable[str] | Awaitable[Iterable[str]]]


class LoadedOptions(TypedDict, total=False):
    """The options of `Loaded`, as keywords."""

    every: float | timedelta
    timeout: float | timedelta
    max_entries: int
    allow_empty: bool
    feed: Callable[[], AsyncIterator[str | bytes | None]] | None
    snapshot: str | os.PathLike[str] | None
    clock: Callable[[], float]


class LoadedStatistics(NamedTuple):
    """The state of a `Loaded`.

    Args:
        entries: The entries that are in force.
        left_out: The entries of the list that are not valid.
        loaded_at: When the list was loaded, or found to be unchanged; None if no load has succeeded yet.
        errors: The loads that failed since the start.
        version: How many different lists were in force since the start.
    """

    entries: int
    left_out: int
    loaded_at: datetime | None
    errors: int
    version: int


def _check_path(value: object) -> str | None:
    path: object = os.fspath(cast("os.PathLike[str]", value)) if isinstance(value, os.PathLike) else value
    if path is None or (isinstance(path, str) and path and "\0" not in path):
        return path
    raise ValueError("the path of a file")


OPTIONS: Final = {
    "every": seconds(30, is_positive=True),
    "timeout": seconds(10, is_positive=True, is_finite=True),
    "max_entries": count(1_000_000),
    "allow_empty": flag(),
    "feed": function(None, "a function that returns an async iterator", "Write feed=changes, without parentheses."),
    "snapshot": Option(None, _check_path, "Write the path of a file, such as 'origins.txt', or leave snapshot out."),
    "clock": function(time.monotonic, "a function that returns seconds", "Leave clock out, or write clock=my_clock."),
}
