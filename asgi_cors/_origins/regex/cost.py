"""How long a regular expression can take: the steps for its slowest text, computed from its graph.

`re` tries one path through the expression after another, so its steps are the letters of all paths that a text
has. The number of paths depends on pairs of letters that one text reaches at the same time:

- Two paths round one loop for the same text double with every round: exponential (EDA in the literature).
- Two loops with one text that runs round the first, round the second, and from one to the other, multiply their
  lengths: polynomial (IDA). One such pair on a path is quadratic.
- Other pairs that meet again add their ways.

Source: Weber and Seidl, "On the degree of ambiguity of finite automata", 1991.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

from asgi_cors._origins.origin import MAX_ORIGIN

from .graph import Edges, Graph, MergedGraph, UnsupportedError

MAX_STEPS: Final = 60_000
_MAX_WORK: Final = 100_000  # of the analysis: pairs of letters that it looks at
_TOO_MANY: Final = "too many alternatives and loops for the same text"
_ROUNDS: Final = 24  # two ways each: over 60,000
_READABLE: Final = "axei1.-_"
_FAILING: Final = "!~=;"

Pair = tuple[int, int]
T = TypeVar("T", bound=Hashable)


def slow_text(graph: Graph, universal: int) -> str | None:
    """Return a text that takes more steps than allowed; None if there is none.

    Args:
        graph: The expression.
        universal: The characters that a text can go on with, as bits. A loop over all of them at the end of the
            expression never fails.

    Raises:
        UnsupportedError: There are too many pairs of letters to compare.
    """
    paths = _Paths(graph)
    try:
        return paths.exponential_text() or paths.without_successes(graph, universal).polynomial_text()
    except UnsupportedError:
        paths.work = 0
        node = max(paths.after)
        text = paths.failing(paths.densest(node), node)
        if paths.steps(text) <= MAX_STEPS:
            raise
        return text


class _Pump(NamedTuple):
    """A word that leads from one loop to another, and round both."""

    source: int
    entry: int
    """The last letter before the second loop."""
    target: int
    word: str


class _Total(NamedTuple):
    """The ways that lead to a letter for one text, and the steps that they take."""

    ways: float
    chain: tuple[_Pump, ...]
    """The loops on the way that multiply their lengths."""
    steps: float
    mask: int
    """The characters of the loop in front, as far as all letters behind it match them."""
    round: float
    """The steps of the loop in front."""
    length: int
    """The number of letters behind that loop."""


_START: Final = _Total(1, (), 0, 0, 0, 0)


class _Paths(MergedGraph):
    """The paths of a graph, counted."""

    def __init__(self, graph: Graph, left_out: frozenset[int] = frozenset()) -> None:
        super().__init__(graph, left_out)
        self.work = 0
        self.final = frozenset(graph.final if graph.has_conditions else ())
        self.ends: dict[int, int] = {}  # for each letter the ways from there to the end, if there are several
        for node, ways in graph.final.items():
            if ways > 1 and self.kept(node) in self.after:
                self.ends[self.kept(node)] = max(ways, self.ends.get(self.kept(node), 0))

    def without_successes(self, graph: Graph, universal: int) -> _Paths:
        """Return the paths without those that match any rest of the text, where the match succeeds at once."""
        if graph.has_conditions:
            return self
        accepting = (node for node in graph.final if node in graph.edges[node])
        found = frozenset(node for node in accepting if graph.letters[node].mask & universal == universal)
        return _Paths(graph, found) if found else self

    def count(self, steps: int = 1) -> None:
        self.work += steps
        if self.work > _MAX_WORK:
            raise UnsupportedError(_TOO_MANY)

    # Pairs of letters that one text reaches at the same time

    def ambiguous_pairs(self, after: Edges, before: Edges) -> set[Pair]:
        """Return the pairs of letters on two paths that part, read the same text, and meet again."""
        meeting = self.closure(
            (pair for sources in before.values() for pair in itertools.combinations(sorted(sources), 2)),
            before,
            lambda _: True,
        )
        parting = (pair for pair in sorted(meeting) if before[pair[0]].keys() & before[pair[1]].keys())
        return self.closure(parting, after, meeting.__contains__)

    def closure(self, start: Iterable[Pair], edges: Edges, is_wanted: Callable[[Pair], bool]) -> set[Pair]:
        found: set[Pair] = set()
        pending: list[Pair] = []

        def add(left: int, right: int) -> None:
            self.count()
            pair = (left, right) if left < right else (right, left)
            if left != right and self.masks[left] & self.masks[right] and pair not in found and is_wanted(pair):
                found.add(pair)
                pending.append(pair)

        for pair in start:
            add(*pair)
        while pending:
            left, right = pending.pop()
            for pair in itertools.product(edges[left], edges[right]):
                add(*pair)
        return found

    # Exponential: two ways round one loop

    def exponential_text(self) -> str | None:
        """Return a text whose paths double with each round of a loop; None if there is none."""
        after = {node: self.inside(node, targets) for node, targets in self.after.items()}
        before = {node: self.inside(node, sources) for node, sources in self.before.items()}
        pairs = self.ambiguous_pairs(after, before)
        nodes = {pair[0] for pair in pairs} | {node for node in after if any(n > 1 for n in after[node].values())}
        if not nodes:
            return None
        node = min(nodes)

        def step(state: tuple[int, int, bool]) -> Iterator[tuple[tuple[int, int, bool], int]]:
            left, right, parted = state
            for x, y in itertools.product(after[left], after[right]):
                if x == y or (min(x, y), max(x, y)) in pairs:
                    is_double = left == right and x == y and after[left][x] > 1
                    yield (x, y, parted or x != y or is_double), self.masks[x] & self.masks[y]

        word = self.word((node, node, False), (node, node, True), step) or ""
        return self.failing(self.way(0, node) + word * _ROUNDS, node)

    def inside(self, node: int, others: dict[int, int]) -> dict[int, int]:
        """Return the edges that stay in the loop of a letter."""
        loop = self.loop_of(node)
        return {other: ways for other, ways in others.items() if loop is not None and self.loop_of(other) == loop}

    # Polynomial: loops in a row, and ways without a loop

    def polynomial_text(self) -> str | None:
        """Return a text that loops in a row, or ways without a loop, make too slow; None if there is none."""
        pairs = self.ambiguous_pairs(self.after, self.before)
        if not pairs and not self.ends and all(n == 1 for edges in self.after.values() for n in edges.values()):
            return None
        pumps = self.pumps(pairs)
        totals: dict[int, _Total] = {}
        # A letter comes before all that it reaches.
        for node in sorted(self.after, key=lambda node: (-(self.reach[node] | 1 << node).bit_count(), node)):
            if node in totals:
                continue
            loop = self.loop_of(node)
            total = self.total(node, totals, pumps.get(loop, []) if loop else [], pairs)
            totals |= dict.fromkeys(self.loops[loop] if loop else [node], total)
            if total.steps > MAX_STEPS:
                self.work = -_MAX_WORK  # for the text
                pumped = self.pumped(total.chain)
                texts = [pumped, self.densest(node)]
                if total.mask:
                    texts.append(pumped[: MAX_ORIGIN // 2] + self.letter(total.mask) * (MAX_ORIGIN // 2))
                text = max(texts, key=self.steps)
                if self.steps(text) < MAX_STEPS // 4:
                    raise UnsupportedError(_TOO_MANY)
                return self.failing(text, node)
            if total.ways * self.ends.get(node, 0) > MAX_STEPS:
                return self.failing(self.way(0, node), node)
        return None

    def total(self, node: int, totals: dict[int, _Total], pumps: list[_Pump], pairs: set[Pair]) -> _Total:
        """Add up the ways that lead to a letter or loop."""
        loop = self.loop_of(node)
        members = self.loops[loop] if loop else [node]
        counts = [(s, n) for member in members for s, n in self.before[member].items() if s not in members]
        sources = [totals[source] for source, _ in counts] or [_START]
        chain = max((source.chain for source in sources), key=len)
        if pumps:
            best = max(pumps, key=lambda pump: len(totals[pump.source].chain))
            chain = max([chain, (*totals[best.source].chain, best)], key=len)
        # A pump leads over its entry once a word.
        again = {pump.entry: MAX_ORIGIN / len(pump.word) for pump in pumps}
        entries = [
            (s, n * totals[s].ways * again.get(s, 1) / (len(totals[s].chain) + 1 if s in again else 1))
            for s, n in counts
        ]
        ways = self.together(entries, members, pairs) if entries else 1.0
        mask = functools.reduce(int.__or__, (self.masks[member] for member in members))
        reads = max(self.reads[member] for member in members) if chain else 1
        if loop:
            steps = ways * MAX_ORIGIN / (len(chain) + 1)
            return _Total(ways, chain, steps * reads, mask, steps, 0)
        # At each round of the loop in front, if the letter takes over its text; else once for each way.
        running = [source for source in sources if source.mask & mask]
        run = max(running, key=lambda source: source.round * (source.length + 1), default=_START)
        length = min(run.length + 1, MAX_ORIGIN / (len(chain) + 2))
        steps = max(run.round * length * reads, ways + max(source.steps if source.length else 0 for source in sources))
        if reads > 1:  # a text of three characters in turn: those of the loops, and the one behind them
            steps = max(steps, max(source.round for source in sources) / 9 * reads)
        return _Total(ways, chain, steps, run.mask & mask, run.round, run.length + 1)

    def together(self, entries: list[tuple[int, float]], members: list[int], pairs: set[Pair]) -> float:
        """Return how many of the ways one text can take at the same time."""
        is_loop = self.loop_of(members[0]) is not None

        def meet(left: int, right: int) -> bool:
            return (min(left, right), max(left, right)) in pairs

        def compatible(left: int, right: int) -> bool:
            if left == right or meet(left, right):
                return True
            return is_loop and any(meet(left, member) or meet(right, member) for member in members)

        self.count(len(entries) ** 2)
        return max(sum(ways for other, ways in entries if compatible(source, other)) for source, _ in entries)

    def pumps(self, pairs: set[Pair]) -> dict[int, list[_Pump]]:
        """Find for each loop the loops before it whose texts it takes over at every character."""
        found: dict[int, dict[tuple[int, int], _Pump]] = {}
        for left, right in sorted(pairs):
            source, target = (left, right) if self.reach[left] >> right & 1 else (right, left)
            first, last = self.loop_of(source), self.loop_of(target)
            if first is None or last is None or first == last or not self.reach[source] >> target & 1:
                continue
            members = self.loops[last]
            for entry in sorted({entry for member in members for entry in self.before[member]} - {*members}):
                is_known = (first, entry) in found.setdefault(last, {})
                word = None if is_known else self.pump(source, entry, target)
                if word:
                    found[last][first, entry] = _Pump(source, entry, target, word)
        return {loop: list(pumps.values()) for loop, pumps in found.items()}

    def pump(self, source: int, entry: int, target: int) -> str | None:
        """Find a word that leads from `source` to itself and over `entry` to `target`, and from `target` to itself."""
        last = self.loop_of(target)

        def step(state: tuple[int, int, int]) -> Iterator[tuple[tuple[int, int, int], int]]:
            first, second, third = state
            is_inside = second == entry or self.loop_of(second) == last
            onward = [
                y
                for y in self.after[second]
                if (is_inside if self.loop_of(y) == last else (self.reach[y] | 1 << y) >> entry & 1)
            ]
            for x in self.inside(first, self.after[first]):
                for z in self.inside(third, self.after[third]):
                    for y in onward:
                        yield (x, y, z), self.masks[x] & self.masks[y] & self.masks[z]

        return self.word((source, source, target), (source, target, target), step)

    # Texts

    def word(self, start: T, goal: T, step: Callable[[T], Iterable[tuple[T, int]]]) -> str | None:
        """Find the shortest word of one letter or more that leads from `start` to `goal`."""
        words: dict[T, str] = {}
        pending: deque[tuple[T, str]] = deque([(start, "")])
        while pending and goal not in words:
            state, text = pending.popleft()
            for following, mask in step(state):
                self.count()
                if mask and following not in words:
                    words[following] = text + self.letter(mask)
                    pending.append((following, words[following]))
        return words.get(goal)

    def way(self, start: int, goal: int) -> str:
        """Return a text that leads from one letter to another."""

        def step(node: int) -> Iterator[tuple[int, int]]:
            return ((target, self.masks[target]) for target in self.after[node])

        return "" if start == goal else self.word(start, goal, step) or ""

    def letter(self, mask: int) -> str:
        letters = [letter for index, letter in enumerate(self.alphabet) if mask >> index & 1]
        return next((letter for letter in _READABLE if letter in letters), letters[0])

    def pumped(self, chain: Sequence[_Pump]) -> str:
        """Return a text that runs round each loop of a chain equally often."""
        text, node = "", 0
        rest = MAX_ORIGIN
        for index, pump in enumerate(chain):
            text += self.way(node, pump.source)
            rounds = max(rest - len(text) - 40, 0) // len(pump.word)
            text += pump.word * (rounds // (len(chain) - index))
            node = pump.target
        return text

    def densest(self, goal: int) -> str:
        """Return a text on the way to a letter, extended by the character with the most paths each time."""
        wanted = {node for node in self.after if node == goal or self.reach[node] >> goal & 1}
        ways, text, steps = {0: 1}, "", 0
        while len(text) < MAX_ORIGIN - 1 and steps <= MAX_STEPS:
            options = [(letter, self.next(ways, letter, wanted)) for letter in self.choices(ways, wanted)]
            if not options:
                break
            letter, ways = max(options, key=lambda option: self.read(option[1]))
            text += letter
            steps += self.read(ways)
        return text

    def choices(self, ways: Iterable[int], wanted: set[int]) -> list[str]:
        """Return a character for each set of letters that can follow."""
        masks = {self.masks[target] for node in ways for target in self.after[node] if target in wanted}
        groups: dict[int, int] = {0: -1}
        for mask in sorted(masks):
            split = [
                (key << 1 | bit, group & (mask if bit else ~mask)) for key, group in groups.items() for bit in (0, 1)
            ]
            groups = {key: group for key, group in split if group}
        return sorted({self.letter(group) for key, group in groups.items() if key})

    def next(self, ways: dict[int, int], letter: str, wanted: set[int] | None = None) -> dict[int, int]:
        """Return how many paths end at each letter after one more character."""
        bit = 1 << self.alphabet.index(letter)
        found: dict[int, int] = {}
        for node, count in ways.items():
            self.count(len(self.after[node]))
            for target, more in self.after[node].items():
                if self.masks[target] & bit and (wanted is None or target in wanted):
                    found[target] = found.get(target, 0) + count * more
        return found

    def steps(self, text: str) -> int:
        """Count the letters of all paths of a text."""
        ways, total = {0: 1}, 0
        for letter in text:
            ways = self.next(ways, letter)
            total += self.read(ways)
        return total

    def read(self, ways: dict[int, int]) -> int:
        """Return how many letters `re` reads where that many paths end."""
        return sum(count * self.reads[node] for node, count in ways.items())

    def failing(self, text: str, node: int) -> str:
        """End a text in a character that cannot follow, and in characters that look-arounds may require."""
        members = self.loops.get(self.reach[node], [node])
        following = [self.masks[target] for member in members for target in self.after[member]]
        end = next((c for c in _FAILING if not any(mask >> self.alphabet.index(c) & 1 for mask in following)), "!")
        tail = min((self.way(node, final) for final in sorted(self.final) if self.leads(node, final)), default="")
        return text[: MAX_ORIGIN - 1 - len(tail)] + end + tail

    def leads(self, start: int, goal: int) -> bool:
        return goal in self.after and bool((self.reach[start] | 1 << start) >> goal & 1)
