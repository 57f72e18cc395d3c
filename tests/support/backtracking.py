"""A backtracking matcher that counts its steps, as a measure of time without a clock.

It walks over the syntax tree of `re`, as `re` itself does, and shares no code with the analysis that it checks.
"""

import re
from collections.abc import Iterator
from typing import Any

parser: Any = re._parser  # type: ignore[attr-defined]
compiler: Any = re._compiler  # type: ignore[attr-defined]


class TooManyStepsError(Exception):
    """The matcher exceeded its limit of steps."""


def count_steps(regex: re.Pattern[str], text: str, *, limit: int) -> int:
    """Return the number of characters read until the match of the whole text succeeds or fails."""
    matcher = _Matcher(text, regex.flags, limit)
    tree = list(parser.parse(regex.pattern, regex.flags))
    any(end == len(text) for end in matcher.sequence(tree, 0, 0))
    return matcher.steps


class _Matcher:
    def __init__(self, text: str, flags: int, limit: int) -> None:
        self.text, self.flags, self.limit, self.steps = text, flags, limit, 0
        self.known: dict[tuple[str, str], bool] = {}

    def reads(self, op: Any, argument: Any, letter: str) -> bool:
        key = (f"{op}{argument}", letter)
        if key not in self.known:
            state = parser.State()
            state.flags = self.flags
            self.known[key] = bool(
                compiler.compile(parser.SubPattern(state, [(op, argument)]), self.flags).match(letter)
            )
        return self.known[key]

    def sequence(self, items: list[Any], index: int, start: int) -> Iterator[int]:
        if index == len(items):
            yield start
            return
        for end in self.item(*items[index], start):
            yield from self.sequence(items, index + 1, end)

    def item(self, op: Any, argument: Any, start: int) -> Iterator[int]:
        if op is parser.SUBPATTERN:
            yield from self.sequence(list(argument[3]), 0, start)
        elif op is parser.BRANCH:
            for items in argument[1]:
                yield from self.sequence(list(items), 0, start)
        elif op in {parser.MAX_REPEAT, parser.MIN_REPEAT}:
            yield from self.repeat(argument, 0, start, None)
        elif op is parser.ASSERT:
            if any(True for _ in self.sequence(list(argument[1]), 0, start)):
                yield start
        elif op is parser.AT:
            yield start
        elif start < len(self.text) and self.reads(op, argument, self.text[start]):
            self.steps += 1
            if self.steps > self.limit:
                raise TooManyStepsError
            yield start + 1

    def repeat(self, argument: Any, count: int, start: int, previous: int | None) -> Iterator[int]:
        low, high, items = argument
        if count < low or (start != previous and (high is parser.MAXREPEAT or count < high)):
            for end in self.sequence(list(items), 0, start):
                yield from self.repeat(argument, count + 1, end, start)
        if count >= low:
            yield start
