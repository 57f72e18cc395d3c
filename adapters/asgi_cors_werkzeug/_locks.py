"""Locks that are new in a forked child, because the threads that held them do not run there."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final


class HasLock:
    """A base class of objects with a lock."""

    def __init__(self) -> None:
        """Make the lock."""
        self.reset_lock()
        _owners.add(self)

    def reset_lock(self) -> None:
        """Replace the lock by a new one."""
        self._lock = threading.RLock()


_owners: Final[weakref.WeakSet[HasLock]] = weakref.WeakSet()


def _after_fork() -> None:
    for owner in [*_owners]:
        owner.reset_lock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_after_fork)
