"""The paths through the graph of a regular expression, and the texts that they spell.

`re` tries one path after another, so its steps for a text are the letters of all paths of that text.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, TypeVar

from asgi_cors._origins.origin import MAX_ORIGIN

from .graph import Graph, UnsupportedError, Ways, reached

MAX_STEPS: Final = 60_000
MAX_WORK: Final = 100_000  # of the analysis: edges and pairs of letters that it looks at
TOO_MANY: Final = "too many alternatives and loops for the same text"
_READABLE: Final = "axei1.-_"
_FAILING: Final = "!~=;"

T = TypeVar("T", bound=Hashable)


class Paths:
    """The graph without letters that no text reaches. Letters that are always reached together are merged.

    Args:
        graph: The expression.
        left_out: Letters to leave out.
    """

    def __init__(self, graph: Graph, left_out: frozenset[int] = frozenset()) -> None:
        self.alphabet = graph.alphabet
        self.masks = [letter.mask for letter in graph.letters]
        self.work = 0
        dead = {node for node, mask in enumerate(self.masks) if node and not mask} | left_out
        edges = [{target: ways for target, ways in targets.items() if target not in dead} for targets in graph.edges]
        alive = reached([0], dict(enumerate(edges)))
        self.after: dict[int, Ways] = {node: edges[node] for node in alive}
        self.before: dict[int, Ways] = {node: {} for node in alive}
        for node, targets in self.after.items():
            for target, ways in targets.items():
                self.before[target][node] = ways
        self._merged: dict[int, int] = {}
        # Two letters with the same predecessors are one letter with the edges of both; so are two with the same
        # successors. This makes a tree of alternatives that begin or end alike.
        self._merge(sorted(self.after), self.before, self.after)
        # How often `re` reads a letter of that tree: once for each alternative.
        self.reads = Counter(map(self._representative, alive))
        self._merge(sorted(self.after, reverse=True), self.after, self.before)
        self.reach = self._reachable()
        self.loops: dict[int, list[int]] = {}
        """The letters of each loop, by the letters that it reaches: its own, and all behind them."""
        for node in sorted(self.after):
            if self.reach[node] >> node & 1:
                self.loops.setdefault(self.reach[node], []).append(node)
        # A text that fails must not end the match of a look-around, either.
        self.final = sorted(node for node in graph.final if graph.has_conditions and node in self.after)
        self.ends: Ways = {}
        """The letters from which several ways lead to the end."""
        for node, ways in graph.final.items():
            last = self._representative(node)
            if ways > 1 and last in self.after:
                self.ends[last] = max(ways, self.ends.get(last, 0))

    def _merge(self, order: list[int], same: dict[int, Ways], others: dict[int, Ways]) -> None:
        """Merge letters with the same edges on one side; `others` are the edges on the other side."""

        def key(node: int) -> Hashable:
            edges = ((-1 if other == node else other, ways) for other, ways in same[node].items())
            return (self.masks[node], frozenset(edges))

        first: dict[Hashable, int] = {}
        for node in order:
            target = first.setdefault(key(node), node) if node else node
            if target == node or key(target) != key(node):
                continue
            for other in same.pop(node):
                others[other].pop(node, None)
            for other, ways in others.pop(node).items():
                others[target][other] = same[other][target] = others[target].get(other, 0) + ways
                del same[other][node]
            self._merged[node] = target

    def _representative(self, node: int) -> int:
        """Return the letter that a letter was merged into, or the letter itself."""
        while node in self._merged:
            node = self._merged[node]
        return node

    def _reachable(self) -> dict[int, int]:
        """Return for each letter the letters that can come after it, as bits."""
        reach = dict.fromkeys(self.after, 0)
        is_complete = False
        while not is_complete:
            is_complete = True
            for node in sorted(self.after, reverse=True):
                found = reach[node]
                for target in self.after[node]:
                    found |= reach[target] | 1 << target
                if found != reach[node]:
                    reach[node], is_complete = found, False
        return reach

    def leads(self, start: int, goal: int) -> bool:
        """Return whether `goal` is `start`, or can come after it."""
        return start == goal or bool(self.reach[start] >> goal & 1)

    def loop_of(self, node: int) -> int | None:
        """Return the key of the loop that a letter is in."""
        return self.reach[node] if self.reach[node] >> node & 1 else None

    def inside(self, node: int, edges: Ways) -> Ways:
        """Return the edges that stay in the loop of a letter."""
        loop = self.loop_of(node)
        return {other: ways for other, ways in edges.items() if loop is not None and self.loop_of(other) == loop}

    def count(self, work: int = 1) -> None:
        """Count the work of the analysis.

        Raises:
            UnsupportedError: It is too much.
        """
        self.work += work
        if self.work > MAX_WORK:
            raise UnsupportedError(TOO_MANY)

    # Texts

    def character(self, mask: int) -> str:
        """Return one of the characters of a mask."""
        found = [character for index, character in enumerate(self.alphabet) if mask >> index & 1]
        return next((character for character in _READABLE if character in found), found[0])

    def shortest(self, start: T, goal: T, step: Callable[[T], Iterable[tuple[T, int]]]) -> str | None:
        """Return the shortest text of one character or more that leads from `start` to `goal`.

        Args:
            start: A letter, or several letters that read the same text.
            goal: The same.
            step: Returns what can follow, with the characters that lead there.
        """
        texts: dict[T, str] = {}
        pending: deque[tuple[T, str]] = deque([(start, "")])
        while pending and goal not in texts:
            state, text = pending.popleft()
            for following, mask in step(state):
                self.count()
                if mask and following not in texts:
                    texts[following] = text + self.character(mask)
                    pending.append((following, texts[following]))
        return texts.get(goal)

    def text_between(self, start: int, goal: int) -> str:
        """Return the shortest text that leads from one letter to another."""

        def step(node: int) -> Iterator[tuple[int, int]]:
            return ((target, self.masks[target]) for target in self.after[node])

        return "" if start == goal else self.shortest(start, goal, step) or ""

    def failing(self, text: str, node: int) -> str:
        """End a text with a character that cannot follow, and with characters that look-arounds may require."""
        members = self.loops.get(self.reach[node], [node])
        following = [self.masks[target] for member in members for target in self.after[member]]
        end = next((c for c in _FAILING if not any(mask >> self.alphabet.index(c) & 1 for mask in following)), "!")
        tail = min((self.text_between(node, final) for final in self.final if self.leads(node, final)), default="")
        return text[: MAX_ORIGIN - 1 - len(tail)] + end + tail

    # Steps

    def advance(self, ways: Ways, character: str, within: set[int] | None = None) -> Ways:
        """Return how many paths end at each letter after one more character."""
        bit = 1 << self.alphabet.index(character)
        found: Ways = {}
        for node, count in ways.items():
            self.count(len(self.after[node]))
            for target, more in self.after[node].items():
                if self.masks[target] & bit and (within is None or target in within):
                    found[target] = found.get(target, 0) + count * more
        return found

    def read(self, ways: Ways) -> int:
        """Return how many letters `re` reads for the last character of these paths."""
        return sum(count * self.reads[node] for node, count in ways.items())

    def steps(self, text: str) -> int:
        """Count the letters of all paths of a text."""
        ways, total = {0: 1}, 0
        for character in text:
            ways = self.advance(ways, character)
            total += self.read(ways)
        return total

    def densest(self, goal: int) -> str:
        """Return a text on the way to a letter. Each character is the one that most paths can read."""
        wanted = {node for node in self.after if self.leads(node, goal)}
        ways, text, steps = {0: 1}, "", 0
        while len(text) < MAX_ORIGIN - 1 and steps <= MAX_STEPS:
            options = [(each, self.advance(ways, each, wanted)) for each in self._characters_after(ways, wanted)]
            if not options:
                break
            character, ways = max(options, key=lambda option: self.read(option[1]))
            text += character
            steps += self.read(ways)
        return text

    def _characters_after(self, ways: Ways, wanted: set[int]) -> list[str]:
        """Return a character for each set of letters that can follow together."""
        groups = [-1]
        chosen = 0
        for mask in sorted({self.masks[target] for node in ways for target in self.after[node] if target in wanted}):
            groups = [part for group in groups for part in (group & mask, group & ~mask) if part]
            chosen |= mask
        return sorted({self.character(group) for group in groups if group & chosen})
