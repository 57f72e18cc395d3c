"""How long a regular expression can take: the steps for its slowest text, computed from its graph.

The number of paths of a text depends on pairs of letters that the text reaches at the same time:

- Two paths round one loop for the same text double with every round: exponential (EDA in the literature).
- Two loops with one text that runs round the first, round the second, and from one to the other, multiply their
  lengths: polynomial (IDA). One such pair on a path is quadratic.
- Other pairs that meet again add their ways.

Source: Weber and Seidl, "On the degree of ambiguity of finite automata", 1991.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from asgi_cors._origins.origin import MAX_ORIGIN

from .graph import Graph, UnsupportedError, Ways
from .paths import MAX_STEPS, MAX_WORK, TOO_MANY, Paths

_ROUNDS: Final = 24  # with two ways each, these are more than MAX_STEPS

Pair = tuple[int, int]


def slow_text(graph: Graph, universal: int) -> str | None:
    """Return a text that takes more steps than allowed; None if there is none.

    Args:
        graph: The expression.
        universal: The characters of which the rest of a text can consist, as bits. A loop over all of them at the end
            of the expression never fails.

    Raises:
        UnsupportedError: There are too many pairs of letters to compare.
    """
    paths = Paths(graph)
    try:
        return _exponential_text(paths) or _Polynomial(_without_successes(paths, graph, universal)).text()
    except UnsupportedError:
        paths.work = 0
        node = max(paths.after)
        text = paths.failing(paths.densest(node), node)
        if paths.steps(text) <= MAX_STEPS:
            raise
        return text


def _without_successes(paths: Paths, graph: Graph, universal: int) -> Paths:
    """Leave out the letters that match any rest of the text, because the match succeeds there at once."""
    if graph.has_conditions:
        return paths
    accepting = (node for node in graph.final if node in graph.edges[node])
    found = frozenset(node for node in accepting if graph.letters[node].mask & universal == universal)
    return Paths(graph, found) if found else paths


# Pairs of letters that one text reaches at the same time


def _pair(left: int, right: int) -> Pair:
    return (left, right) if left < right else (right, left)


def _ambiguous_pairs(paths: Paths, after: dict[int, Ways], before: dict[int, Ways]) -> set[Pair]:
    """Return the pairs of letters on two paths that part, read the same text, and meet again."""
    siblings = (pair for sources in before.values() for pair in itertools.combinations(sources, 2))
    meeting = _closure(paths, siblings, before, lambda _: True)
    parting = (pair for pair in meeting if before[pair[0]].keys() & before[pair[1]].keys())
    return _closure(paths, parting, after, meeting.__contains__)


def _closure(
    paths: Paths, start: Iterable[Pair], edges: dict[int, Ways], is_wanted: Callable[[Pair], bool]
) -> set[Pair]:
    """Return the pairs that edges lead to, as far as both letters match one character."""
    found: set[Pair] = set()
    pending: list[Pair] = []

    def add(left: int, right: int) -> None:
        paths.count()
        pair = _pair(left, right)
        if left != right and paths.masks[left] & paths.masks[right] and pair not in found and is_wanted(pair):
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


def _exponential_text(paths: Paths) -> str | None:
    """Return a text whose paths double with each round of a loop; None if there is none."""
    after = {node: paths.inside(node, targets) for node, targets in paths.after.items()}
    before = {node: paths.inside(node, sources) for node, sources in paths.before.items()}
    pairs = _ambiguous_pairs(paths, after, before)
    nodes = {pair[0] for pair in pairs} | {node for node in after if any(ways > 1 for ways in after[node].values())}
    if not nodes:
        return None
    node = min(nodes)

    def step(state: tuple[int, int, bool]) -> Iterator[tuple[tuple[int, int, bool], int]]:
        left, right, parted = state
        for x, y in itertools.product(after[left], after[right]):
            if x == y or _pair(x, y) in pairs:
                is_double = left == right and x == y and after[left][x] > 1
                yield (x, y, parted or x != y or is_double), paths.masks[x] & paths.masks[y]

    text = paths.shortest((node, node, False), (node, node, True), step) or ""
    return paths.failing(paths.text_between(0, node) + text * _ROUNDS, node)


# Polynomial: loops in a row, and ways without a loop


class _Pump(NamedTuple):
    """A text that leads from one loop to another, and round both."""

    source: int
    entry: int  # the last letter before the second loop
    target: int
    text: str


class _Total(NamedTuple):
    """The ways that lead to a letter for one text, and the steps that they take."""

    ways: float
    chain: tuple[_Pump, ...]  # the loops on the way that multiply their lengths
    steps: float
    mask: int  # the characters of the loop in front, as far as all letters behind it match them
    round: float  # the steps of the loop in front
    length: int  # the number of letters behind that loop


_START: Final = _Total(1, (), 0, 0, 0, 0)


class _Polynomial:
    """Adds up the ways that lead to each letter."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.totals: dict[int, _Total] = {}
        self.pairs = _ambiguous_pairs(paths, paths.after, paths.before)

    def text(self) -> str | None:
        """Return a text that loops in a row, or ways without a loop, make too slow; None if there is none."""
        paths = self.paths
        is_unambiguous = not self.pairs and not paths.ends
        if is_unambiguous and all(ways == 1 for edges in paths.after.values() for ways in edges.values()):
            return None
        pumps = self.pumps()
        # A letter comes before all that it reaches.
        for node in sorted(paths.after, key=lambda node: (-(paths.reach[node] | 1 << node).bit_count(), node)):
            if node in self.totals:
                continue
            loop = paths.loop_of(node)
            members = paths.loops[loop] if loop else [node]
            total = self.total(members, pumps.get(loop or 0, []))
            self.totals |= dict.fromkeys(members, total)
            if total.steps > MAX_STEPS:
                return paths.failing(self.slowest(total, node), node)
            if total.ways * paths.ends.get(node, 0) > MAX_STEPS:
                return paths.failing(paths.text_between(0, node), node)
        return None

    def slowest(self, total: _Total, node: int) -> str:
        """Return the slowest text for a letter.

        Raises:
            UnsupportedError: None of the texts is slow, although the sum of the ways is too large.
        """
        paths = self.paths
        paths.work = -MAX_WORK  # the text may take as much work as the analysis did
        pumped = self.pumped(total.chain)
        texts = [pumped, paths.densest(node)]
        if total.mask:
            texts.append(pumped[: MAX_ORIGIN // 2] + paths.character(total.mask) * (MAX_ORIGIN // 2))
        text = max(texts, key=paths.steps)
        if paths.steps(text) < MAX_STEPS // 4:
            raise UnsupportedError(TOO_MANY)
        return text

    def pumped(self, chain: Sequence[_Pump]) -> str:
        """Return a text that runs round each loop of a chain equally often."""
        text, node = "", 0
        for index, pump in enumerate(chain):
            text += self.paths.text_between(node, pump.source)
            rounds = max(MAX_ORIGIN - len(text) - 40, 0) // len(pump.text)
            text += pump.text * (rounds // (len(chain) - index))
            node = pump.target
        return text

    def total(self, members: list[int], pumps: list[_Pump]) -> _Total:
        """Add up the ways that lead to a letter or loop."""
        paths, totals = self.paths, self.totals
        edges = [(s, ways) for member in members for s, ways in paths.before[member].items() if s not in members]
        sources = [totals[source] for source, _ in edges] or [_START]
        chain = max((source.chain for source in sources), key=len)
        if pumps:
            best = max(pumps, key=lambda pump: len(totals[pump.source].chain))
            chain = max([chain, (*totals[best.source].chain, best)], key=len)
        # A pump leads over its entry once a round.
        rounds = {pump.entry: MAX_ORIGIN / len(pump.text) for pump in pumps}
        entries = [
            (s, n * totals[s].ways * rounds.get(s, 1) / (len(totals[s].chain) + 1 if s in rounds else 1))
            for s, n in edges
        ]
        ways = self.together(entries, members) if entries else 1.0
        mask = functools.reduce(int.__or__, (paths.masks[member] for member in members))
        reads = max(paths.reads[member] for member in members) if chain else 1
        if paths.loop_of(members[0]):
            steps = ways * MAX_ORIGIN / (len(chain) + 1)
            return _Total(ways, chain, steps * reads, mask, steps, 0)
        # Once for each round of the loop in front, if the letter matches its text; else once for each way.
        running = [source for source in sources if source.mask & mask]
        run = max(running, key=lambda source: source.round * (source.length + 1), default=_START)
        length = min(run.length + 1, MAX_ORIGIN / (len(chain) + 2))
        steps = max(run.round * length * reads, ways + max(source.steps if source.length else 0 for source in sources))
        if reads > 1:  # a text of three characters in turn: those of the loops, and the one behind them
            steps = max(steps, max(source.round for source in sources) / 9 * reads)
        return _Total(ways, chain, steps, run.mask & mask, run.round, run.length + 1)

    def together(self, entries: list[tuple[int, float]], members: list[int]) -> float:
        """Return how many of the ways one text can take at the same time."""
        is_loop = self.paths.loop_of(members[0]) is not None

        def compatible(left: int, right: int) -> bool:
            if left == right or _pair(left, right) in self.pairs:
                return True
            return is_loop and any(_pair(each, member) in self.pairs for each in (left, right) for member in members)

        self.paths.count(len(entries) ** 2)
        return max(sum(ways for other, ways in entries if compatible(source, other)) for source, _ in entries)

    def pumps(self) -> dict[int, list[_Pump]]:
        """Return for each loop the pumps from loops before it, whose texts it matches at every character."""
        paths = self.paths
        found: dict[int, dict[Pair, _Pump]] = {}
        for left, right in sorted(self.pairs):
            source, target = (left, right) if paths.reach[left] >> right & 1 else (right, left)
            first, last = paths.loop_of(source), paths.loop_of(target)
            if first is None or last is None or first == last or not paths.reach[source] >> target & 1:
                continue
            members = paths.loops[last]
            pumps = found.setdefault(last, {})
            for entry in sorted({entry for member in members for entry in paths.before[member]} - {*members}):
                text = None if (first, entry) in pumps else self.pump_text(source, entry, target)
                if text:
                    pumps[first, entry] = _Pump(source, entry, target, text)
        return {loop: list(pumps.values()) for loop, pumps in found.items()}

    def pump_text(self, source: int, entry: int, target: int) -> str | None:
        """Return a text that leads round both loops, and from the first over `entry` to the second."""
        paths = self.paths
        last = paths.loop_of(target)

        def step(state: tuple[int, int, int]) -> Iterator[tuple[tuple[int, int, int], int]]:
            first, second, third = state
            is_inside = second == entry or paths.loop_of(second) == last
            onward = [
                y for y in paths.after[second] if (is_inside if paths.loop_of(y) == last else paths.leads(y, entry))
            ]
            for x in paths.inside(first, paths.after[first]):
                for z in paths.inside(third, paths.after[third]):
                    for y in onward:
                        yield (x, y, z), paths.masks[x] & paths.masks[y] & paths.masks[z]

        return paths.shortest((source, source, target), (source, target, target), step)
