"""Decisions kept ready to be carried out again, in tables of bounded size.

Knows nothing of what it keeps. Refusals, of which strangers can send any number, have a small room of their own in each
table, so that they never drive out what is allowed. A policy's tables hold some 8 MB for each shell when strangers have
filled them.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, TypeVar

Key = TypeVar("Key")

MOST: Final = 4096
MOST_ANSWERS: Final = 1024
MOST_REFUSED: Final = 256
LONGEST: Final = 512  # bytes of a key; what has a longer one is not kept


class Kept(dict[Key, tuple[Any, ...]]):
    """What has been decided, each with the two of its `Quiet`: a level of 0 where there is nothing to be logged.

    A dict, so that both kinds take one look-up, that forgets its oldest entry of a kind where that is full; to be
    filled by `keep`. Threads may fill it at once: a deque's two ends are theirs to use without a lock.
    """

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._allowed: deque[Key] = deque()
        self._refused: deque[Key] = deque()
        self._most = most

    def keep(self, key: Key, ready: tuple[Any, ...], level: int = 0, until: float = 0) -> None:
        """Keep what is ready."""
        self[key] = *ready, level, until
        order, most = (self._refused, MOST_REFUSED) if level else (self._allowed, self._most)
        order.append(key)  # in this order: another thread may take the key out as soon as it is in `order`
        if len(order) > most:
            self.pop(order.popleft(), None)


class Tables:
    """What shells keep ready for one policy: response starts by origin, and answers by what a preflight asks.

    `always` is the response start of a policy that does not look at Origin at all.
    """

    __slots__ = ("always", "answers", "asgi", "wsgi", "wsgi_answers")

    def __init__(self) -> None:
        self.always: Any = None
        self.asgi: Kept[bytes | None] = Kept()
        self.wsgi: Kept[str | None] = Kept()
        self.answers: Kept[tuple[bytes | None, ...]] = Kept(MOST_ANSWERS)
        self.wsgi_answers: Kept[tuple[str | None, ...]] = Kept(MOST_ANSWERS)
