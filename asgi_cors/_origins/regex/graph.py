"""The graph of a regular expression: its letters, and which letter can follow which.

This is Glushkov's automaton. Each place in the expression that reads one character is a node. Each edge carries in how
many ways the expression leads from one letter to the next, so a text has as many matches as there are paths.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar, cast

# The parser of `re`, which typeshed does not describe.
_parser = cast("Any", re)._parser  # noqa: SLF001
_compiler = cast("Any", re)._compiler  # noqa: SLF001

MAX_LETTERS: Final = 2000
MAX_EDGES: Final = 20_000
_MAX_ITEMS: Final = 6000
_MAX_DEPTH: Final = 60
_MAX_SOURCE: Final = 40_000
_MAX_WAYS: Final = 10**9  # numbers of ways are limited to this
_MAX_OPTIONAL: Final = 3  # a repeat with more optional copies counts as a loop

ASCII: Final = "".join(map(chr, range(0x80)))
# For texts beyond ASCII: letters of some scripts, a digit, a blank, a sign.
_BEYOND_ASCII: Final = "\u00e9\u00df\u03b1\u0436\u0627\u3042\u4e2d\u0663\u2003\u20ac"

_LOOPS: Final = (_parser.MAX_REPEAT, _parser.MIN_REPEAT, _parser.POSSESSIVE_REPEAT)
_CHARACTERS: Final = (_parser.LITERAL, _parser.NOT_LITERAL, _parser.ANY, _parser.IN)
_UNSUPPORTED: Final = {_parser.GROUPREF: "a back-reference", _parser.GROUPREF_EXISTS: "a conditional group"}
_ENDS: Final = (_parser.AT_END, _parser.AT_END_STRING)
_ANCHORS: Final = (*_ENDS, _parser.AT_BEGINNING, _parser.AT_BEGINNING_STRING)
# The flags that change which characters a letter matches.
_LETTER_FLAGS: Final = re.ASCII | re.DOTALL | re.IGNORECASE | re.UNICODE

Node = TypeVar("Node", bound=Hashable)

Ways = dict[int, int]
"""Letters, each with the number of ways that lead there."""


class UnsupportedError(Exception):
    """The expression has a part that is not analysed; the message names the part."""


class Letter(NamedTuple):
    """A place in the expression that reads one character."""

    mask: int  # the characters that it matches, as bits by their index in the alphabet
    is_class: bool = False  # whether it is a range, a category, a negation or a dot
    is_bare_dot: bool = False  # whether it is a dot without a repeat, which probably should be escaped
    is_optional: bool = False  # whether it is a literal character with a question mark


class Graph(NamedTuple):
    """The letters of an expression. Letter 0 is the start, which reads nothing."""

    alphabet: str
    letters: list[Letter]
    edges: list[Ways]  # for each letter: the letters that can follow
    final: Ways  # the letters that can be the last ones, each with the number of ways from there to the end
    has_conditions: bool  # whether a look-around or a word boundary restricts the matches


def parse_graph(regex: re.Pattern[str], alphabet: str = ASCII) -> Graph:
    """Parse a regular expression.

    Args:
        regex: The expression.
        alphabet: The characters of the texts to match.

    Raises:
        UnsupportedError: The expression has a back-reference or a conditional group, or is too large.
    """
    source = regex.pattern
    if len(source) > _MAX_SOURCE:
        raise UnsupportedError(f"over {_MAX_SOURCE:,} characters")
    try:
        return _Builder(alphabet).build(_parser.parse(source, regex.flags & ~re.DEBUG), regex.flags)
    except RecursionError:
        raise UnsupportedError("groups nested too deeply") from None


def text_alphabet(source: str) -> str:
    """Return an alphabet for texts beyond ASCII: that of `source`, and a few letters of several kinds."""
    return ASCII + "".join(sorted({*_BEYOND_ASCII, *(letter for letter in source if not letter.isascii())}))


class _Part(NamedTuple):
    """A part of the expression: its first and last letters, and in how many ways it matches the empty text."""

    first: Ways
    last: Ways
    empty: int

    def optional(self) -> _Part:
        return self._replace(empty=self.empty + 1)


_EMPTY: Final = _Part({}, {}, 1)


class _Builder:
    """Builds the graph. Each method adds a part of the parsed expression and returns it."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.letters = [Letter(0)]
        self.edges: list[Ways] = [{}]
        self.edge_count = 0
        self.item_count = 0
        self.has_conditions = False
        self.is_behind_letter = False

    def build(self, items: Any, flags: int) -> Graph:
        part = self.sequence(items, flags, 0)
        self.edges[0] = part.first
        final = part.last | ({0: part.empty} if part.empty else {})
        return Graph(self.alphabet, self.letters, self.edges, final, self.has_conditions)

    def sequence(self, items: Any, flags: int, depth: int) -> _Part:
        if depth > _MAX_DEPTH:
            raise UnsupportedError("groups nested too deeply")
        self.item_count += 1  # an empty group can be repeated, too
        if self.item_count > _MAX_ITEMS:
            raise UnsupportedError(f"over {_MAX_ITEMS:,} parts, repeats included")
        whole = _EMPTY
        for op, argument in items:
            whole = self.join(whole, self.item(op, argument, flags, depth))
        return whole

    def item(self, op: Any, argument: Any, flags: int, depth: int) -> _Part:
        if op in _UNSUPPORTED:
            raise UnsupportedError(_UNSUPPORTED[op])
        if op in _CHARACTERS:
            return self.letter(op, argument, flags, is_bare_dot=op is _parser.ANY)
        if op in _LOOPS:
            return self.repeat(argument, flags, depth)
        if op is _parser.SUBPATTERN:
            _, added, removed, items = argument
            return self.sequence(items, _compiler._combine_flags(flags, added, removed), depth + 1)  # noqa: SLF001
        if op is _parser.ATOMIC_GROUP:
            return self.sequence(argument, flags, depth + 1)
        if op is _parser.BRANCH:
            return self.branch(argument[1], flags, depth)
        return self.condition(op, argument, flags, depth)

    def branch(self, alternatives: Any, flags: int, depth: int) -> _Part:
        is_behind_letter, whole = self.is_behind_letter, _Part({}, {}, 0)
        for items in alternatives:
            self.is_behind_letter = is_behind_letter
            part = self.sequence(items, flags, depth + 1)
            whole = _Part(_sum(whole.first, part.first), _sum(whole.last, part.last), whole.empty + part.empty)
        self.is_behind_letter = True
        return whole

    def condition(self, op: Any, argument: Any, flags: int, depth: int) -> _Part:
        """Add an anchor, or a look-around, which reads the text that follows: no letter follows its last one."""
        if argument not in (_ENDS if self.is_behind_letter else _ANCHORS):
            self.has_conditions = True
        if op is _parser.AT:
            return _EMPTY
        if op is _parser.FAILURE or (op is _parser.ASSERT_NOT and not argument[1]):  # `(?!)`, by Python's version
            return _Part({}, {}, 0)
        body = self.sequence(argument[1], flags, depth + 1)
        return _Part(body.first, {}, 1)

    def letter(self, op: Any, argument: Any, flags: int, *, is_bare_dot: bool = False) -> _Part:
        if len(self.letters) > MAX_LETTERS:
            raise UnsupportedError(f"over {MAX_LETTERS:,} letters, repeats included")
        items = tuple(argument) if op is _parser.IN else argument
        is_class = op in {_parser.ANY, _parser.NOT_LITERAL}
        if op is _parser.IN:
            is_class = any(kind is not _parser.LITERAL for kind, _ in items)
        mask = _mask(op, items, flags & _LETTER_FLAGS, self.alphabet)
        index = len(self.letters)
        self.letters.append(Letter(mask, is_class, is_bare_dot))
        self.edges.append({})
        self.is_behind_letter = True
        return _Part({index: 1}, {index: 1}, 0)

    def repeat(self, argument: Any, flags: int, depth: int) -> _Part:
        """Add a repeat, as a few copies or as a loop."""
        low, high, items = argument
        only, character = items[0] if len(items) == 1 else (None, None)

        def copy() -> _Part:
            if only is _parser.ANY:
                return self.letter(only, character, flags)  # a repeated dot is not a bare one
            return self.sequence(items, flags, depth + 1)

        if only is _parser.LITERAL and (low, high) == (0, 1):
            part = self.letter(only, character, flags)
            self.letters[-1] = self.letters[-1]._replace(is_optional=True)
            return part.optional()
        is_loop = high is _parser.MAXREPEAT or high - low > _MAX_OPTIONAL
        whole = tail = _EMPTY
        for _ in range(low - 1 if is_loop else low):
            whole = self.join(whole, copy())
        if is_loop:
            tail = self.loop(copy())
            return self.join(whole, tail if low else tail.optional())
        for _ in range(high - low):  # from the inside out: (a(a(a)?)?)?
            tail = self.join(copy(), tail).optional()
        return self.join(whole, tail)

    def loop(self, body: _Part) -> _Part:
        """Repeat a part once or more. The loop may end with one empty round, which is one more way to leave it."""
        self.connect(body.last, body.first)
        return body._replace(last=_times(body.last, 1 + body.empty))

    def join(self, left: _Part, right: _Part) -> _Part:
        self.connect(left.last, right.first)
        first = _sum(left.first, _times(right.first, left.empty))
        last = _sum(right.last, _times(left.last, right.empty))
        return _Part(first, last, min(left.empty * right.empty, _MAX_WAYS))

    def connect(self, sources: Ways, targets: Ways) -> None:
        """Add an edge from each source to each target, with the product of their ways."""
        self.edge_count += len(sources) * len(targets)
        if self.edge_count > MAX_EDGES:
            raise UnsupportedError(f"over {MAX_EDGES:,} ways from letter to letter")
        for source, ways in sources.items():
            self.edges[source] = _sum(self.edges[source], _times(targets, ways))


def _sum(left: Ways, right: Ways) -> Ways:
    return left | {key: min(left.get(key, 0) + ways, _MAX_WAYS) for key, ways in right.items()}


def _times(ways: Ways, factor: int) -> Ways:
    return {key: min(value * factor, _MAX_WAYS) for key, value in ways.items()} if factor else {}


@functools.lru_cache(maxsize=4096)
def _mask(op: Any, argument: Any, flags: int, alphabet: str) -> int:
    """Return which characters of the alphabet an item matches, by compiling that item alone."""
    if op is _parser.LITERAL and not flags & re.IGNORECASE:
        return 1 << alphabet.index(chr(argument)) if chr(argument) in alphabet else 0
    state = _parser.State()
    state.flags = flags
    items = list(argument) if op is _parser.IN else argument
    matches = _compiler.compile(_parser.SubPattern(state, [(op, items)]), flags).findall(alphabet)
    return sum(1 << alphabet.index(letter) for letter in matches)


def reached(start: Iterable[Node], edges: Mapping[Node, Mapping[Node, int]]) -> set[Node]:
    """Return the nodes that paths from some nodes lead to, these included."""
    found = set(start)
    pending = list(found)
    while pending:
        new = edges[pending.pop()].keys() - found
        found |= new
        pending += new
    return found
