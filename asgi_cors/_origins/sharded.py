"""A dict in many small parts, for a million strings that change while other threads read them.

CPython resizes or frees a dict in one step, which stops all threads: 100 ms and more for a million strings. A part
takes less than a millisecond. Parts whose values are None or numbers are also skipped by the garbage collector.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Final, TypeVar

Value = TypeVar("Value")

_PARTS: Final = 256
_SHIFT: Final = 40  # a part uses the low bits of the hashes itself


class ShardedDict(MutableMapping[str, Value]):
    """A dict of strings that one thread may change while others read. It has no order."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[int, dict[str, Value]] = {}

    def __contains__(self, key: object) -> bool:
        part = self._parts.get(hash(key) >> _SHIFT & _PARTS - 1)
        return part is not None and key in part

    def __getitem__(self, key: str) -> Value:
        return self._parts[hash(key) >> _SHIFT & _PARTS - 1][key]

    def __setitem__(self, key: str, value: Value) -> None:
        number = hash(key) >> _SHIFT & _PARTS - 1
        part = self._parts.get(number)
        if part is None:
            part = self._parts[number] = {}
        part[key] = value

    def __delitem__(self, key: str) -> None:
        number = hash(key) >> _SHIFT & _PARTS - 1
        del self._parts[number][key]
        if not self._parts[number]:
            del self._parts[number]

    def __iter__(self) -> Iterator[str]:
        for part in [*self._parts.values()]:
            yield from [*part]  # a copy, because another thread may change it

    def __bool__(self) -> bool:
        return bool(self._parts)

    def __len__(self) -> int:
        return sum(map(len, [*self._parts.values()]))

    def __del__(self) -> None:
        """Free the parts one by one, so that other threads run in between."""
        while self._parts:
            self._parts.popitem()
