"""Decisions kept ready to be carried out again, in tables of bounded size.

Knows nothing of what it keeps. Refusals, of which strangers can send any number, have tables of their own, so that they
never drive out what is allowed. A policy's tables hold some 6 MB when strangers have filled all of them.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST: Final = 4096
MOST_ANSWERS: Final = 1024
MOST_REFUSED: Final = 256


class Kept(dict[Key, Value]):
    """A dict that forgets its oldest entry where it is full; to be filled by `keep`, and read as the dict it is.

    Threads may fill it at once: a deque's two ends are theirs to use without a lock.
    """

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._most = most
        self._order: deque[Key] = deque()

    def keep(self, key: Key, value: Value) -> None:
        """Keep `value`."""
        new = key not in self
        self[key] = value
        if new:  # in this order: another thread may take the key out as soon as it is in `_order`
            self._order.append(key)
        if len(self._order) > self._most:
            self.pop(self._order.popleft(), None)


class Tables:
    """What shells keep ready for one policy: response starts by origin, and answers by what a preflight asks.

    `always` is the response start of a policy that does not look at Origin at all.
    """

    __slots__ = ("always", "answers", "asgi", "refused", "refused_answers", "refused_by_wsgi", "wsgi")

    def __init__(self) -> None:
        self.always: Any = None
        self.asgi: Kept[bytes | None, Any] = Kept()
        self.wsgi: Kept[str | None, Any] = Kept()
        self.answers: Kept[tuple[bytes | None, ...], Any] = Kept(MOST_ANSWERS)
        self.refused: Kept[bytes | None, Any] = Kept(MOST_REFUSED)
        self.refused_answers: Kept[tuple[bytes | None, ...], Any] = Kept(MOST_REFUSED)
        self.refused_by_wsgi: Kept[str | None, Any] = Kept(MOST_REFUSED)
