"""Origins that this project stores: a list in a database, shared by workers and machines.

`SQLiteRegistry` serves the workers of one machine, and needs nothing but Python. `RedisRegistry` serves several
machines. Both are a `Registry`, which adds, removes and lists origins, and can be an entry of `allow_origins`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .batches import AddResult
from .follower import RegistryStatistics
from .registry import Registry, TenantOrigins
from .sqlite import SQLiteRegistry
from .store import Action, Change, Entry, RegistryError, Status, Store, Write
from .sync import SyncRegistry
from .url import open_registry

if TYPE_CHECKING:
    from .redis import RedisRegistry as RedisRegistry  # not in __all__: `import *` must work without redis

__all__ = [
    "Action",
    "AddResult",
    "Change",
    "Entry",
    "Registry",
    "RegistryError",
    "RegistryStatistics",
    "SQLiteRegistry",
    "Status",
    "Store",
    "SyncRegistry",
    "TenantOrigins",
    "Write",
    "open_registry",
]


def __getattr__(name: str) -> Any:
    """Import `RedisRegistry` when it is used, because it needs the redis package."""
    if name != "RedisRegistry":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import redis  # noqa: PLC0415 - an optional dependency

    return redis.RedisRegistry
