"""Calls of users' functions that may use Django's database, which is never used in a thread with an event loop.

Django closes the connections of a thread that serves requests. Look-ups may run in other threads, whose connections are
closed here if Django would close them: they are broken, or older than `CONN_MAX_AGE`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from typing import Any, Final, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.db import close_old_connections

from asgi_cors import Policy

Function = Callable[[str], Any]

_THREADS: Final = "asgi_cors-"  # the beginning of the names of the core's threads
_ORIGINS: Final = "allow_origins"


@contextlib.contextmanager
def database_context() -> Generator[None]:
    """Close the old connections of a thread of the core, before and after a call."""
    is_own_thread = threading.current_thread().name.startswith(_THREADS) and not _has_event_loop()
    if not is_own_thread:
        yield
        return
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def with_database(spec: Any) -> Any:
    """Return a policy, or options of one, whose functions of `allow_origins` may use the database; others unchanged."""
    if isinstance(spec, Policy):
        entries = [*spec.allow_origins]
        origins = [*map(_with_database, entries)]
        return spec if origins == entries else spec.replace(allow_origins=origins)
    if isinstance(spec, Mapping) and _ORIGINS in spec:
        options = cast("Mapping[str, Any]", spec)
        return {**options, _ORIGINS: _entries_with_database(options[_ORIGINS])}
    return cast("object", spec)


def _entries_with_database(entries: Any) -> Any:
    if isinstance(entries, Iterable) and not isinstance(entries, str | bytes | bytearray | Mapping):
        return [*map(_with_database, cast("Iterable[object]", entries))]
    return _with_database(entries)


def _with_database(entry: Any) -> Any:
    """Return a function that may use the database; other entries unchanged."""
    is_function = inspect.isfunction(entry) or inspect.ismethod(entry)
    return _wrapped(entry) if is_function and not inspect.isgeneratorfunction(entry) else entry


@functools.lru_cache  # so that the same settings lead to an equal policy
def _wrapped(function: Function) -> Function:
    is_async = iscoroutinefunction(function)  # pyright: ignore[reportDeprecated] - as Django does
    return _async_wrapper(function) if is_async else _sync_wrapper(function)


def _async_wrapper(function: Function) -> Function:
    @functools.wraps(function)
    async def call(origin: str) -> Any:
        try:
            return await function(origin)
        finally:
            await sync_to_async(close_old_connections)()  # in the thread of Django's async queries

    return call


def _sync_wrapper(function: Function) -> Function:
    def call_in_thread(origin: str) -> Any:
        close_old_connections()
        try:
            return function(origin)
        finally:
            close_old_connections()

    @functools.wraps(function)
    def call(origin: str) -> Any | Awaitable[Any]:
        return sync_to_async(call_in_thread)(origin) if _has_event_loop() else function(origin)

    return call


def _has_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
