"""Values of every type, for options: each is accepted or a ConfigError, never another error."""

import datetime as dt
import decimal
import enum
import re
import types
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock


class Ambiguous:
    """The result of comparing arrays: it has no truth value."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


class Array:
    """Compares to an array and has no hash, as a NumPy array."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return Ambiguous()

    def __iter__(self) -> Iterator[Any]:
        return iter(["https://a.com"])


class Scalar:
    """Has `__iter__` but cannot be iterated, as an array without dimensions."""

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("iteration over a 0-d array")


class Broken:
    """An object whose repr, str and hash raise."""

    def __repr__(self) -> str:
        raise RuntimeError("broken")

    def __hash__(self) -> int:
        raise RuntimeError("broken")

    __str__ = __repr__


class Origin(enum.StrEnum):
    """A string enum."""

    APP = "https://app.example.com"


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list, `depth` times."""
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


ITSELF: list[Any] = []
ITSELF.append(ITSELF)

JUNK: list[Any] = [
    *(None, 0, 5, -1, 1.5, float("nan"), True, "", " ", "\x00", "\ud800", b"", b"x", bytearray(b"x"), memoryview(b"x")),
    *(
        [],
        [None],
        [5],
        [[]],
        {},
        {"a": 1},
        {1: 2},
        set(),
        frozenset(["a"]),
        object(),
        int,
        Array(),
        [Array()],
        Scalar(),
    ),
    *([Scalar()], Broken(), [Broken()], Origin.APP, Origin, nested(3000), ITSELF, MagicMock(), re.compile("x")),
    *(re.compile(b"x"), [re.compile(b"x")], dt.timedelta.max, dt.timedelta.min, decimal.Decimal("NaN")),
    *(10**5000, [10**5000], range(3), types.SimpleNamespace(), ..., NotImplemented, 1j, list[str], "a" * 999),
    *("https://" + "a." * 99, {"/a": 5}, {"/a": {1: 2}}, {5: None}, {b"/": None}, {re.compile(b"/"): None}),
    *({("a",): None}, {"/a": Broken()}, "(" * 5000, re.compile("(?!)"), ["*", Array()]),
]
KINDS = [f"{number} {type(value).__name__}" for number, value in enumerate(JUNK)]
