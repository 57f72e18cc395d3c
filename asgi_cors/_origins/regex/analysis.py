r"""The origins that a regular expression allows, and whether it takes too long: computed from its graph.

Nothing is timed or sampled, so the result is the same on every machine. Look-arounds are dropped. The rest matches
more, so an expression that is safe only because of its look-arounds is refused.

A host is read from its end. A letter is spelled out, or open: `[a-z]`, `\w`, `.`. The registrable domain must be
spelled out, because the part before it belongs to the owner of that domain.
"""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from asgi_cors._origins.origin import (
    ANY_ORIGIN,
    MAX_HOST,
    OVER_HTTP,
    SHARED_SUFFIX,
    is_loopback,
    is_shared_suffix,
    parse_origin,
    registrable_domain,
    top_level_domains,
)

from .cost import slow_text
from .graph import ASCII, Graph, UnsupportedError, parse_graph, reached

_MAX_DOMAINS: Final = 256  # registrable domains of one expression
_MAX_SUFFIXES: Final = 4000  # of hosts
_FEW: Final = 4  # characters of a class that counts as spelled out, such as `[.]` and `[1-3]`
_NUMBERS: Final = 256  # values of a number in an IPv4 address
_PRIVATE: Final = ("10", "127")  # private networks, identified by their first number

_BARE_DOT: Final = re.compile(r"\w\)?\.(?:\(\?:|\()?\w")
_NOT_BARE: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
# Two common mistakes that are harmless in loopback origins: bare dots, and an optional colon before digits.
_BARE_LOOPBACK: Final = re.compile(r"127\.0\.0\.1(?![\w.\[\\-])")
_OPTIONAL_COLON: Final = re.compile(
    r"((?:localhost|127(?:\\?\.0){2}\\?\.1|::1\\?\])\)?):[?*](?=\(?(?:\?:)?(?:\[0-9\]|\\d))"
)
_READABLE: Final = "xae1203-_."
_NAMES: Final = ("evil", "attacker")  # tried in place of open letters
_ADDRESSES: Final = ("2001:db8::1",)
_COMMON: Final = ("net", "com", "org", "io", "dev", "app")  # top-level domains for messages


def _bits(letters: str) -> int:
    return sum(1 << ord(letter) for letter in set(letters))


_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = _bits("0123456789")
_UPPER: Final = _bits(_LOWER.upper())
_DOT: Final = _bits(".")
_SCHEME: Final = _bits(_LOWER + "+-.") | _DIGITS
_HOST: Final = _bits("!\"$%&'()*+-.;=_`{}~" + _LOWER) | _DIGITS | _UPPER

State = tuple[int, str]
"""A letter of the expression, and the phase of the origin that it reads."""


@functools.cache
def _grammar() -> dict[str, list[tuple[int, str]]]:
    """Return the grammar of origins: for each phase the characters that can follow, and the phase after them.

    A phase begins with the scheme, or `?` for a scheme that is neither http nor https. `https://h` is in a host name,
    `https://2` in the second number of an IPv4 address, `https://[` in an IPv6 address.
    """
    phases = {"": [(_bits("h"), "h"), (_bits(_LOWER) & ~_bits("h"), "?")], "https": [(_SCHEME, "?")]}
    for length in range(1, 5):
        letter = _bits("https"[length])
        phases["https"[:length]] = [(letter, "https"[: length + 1]), (_SCHEME & ~letter, "?")]
    phases["?"] = [(_SCHEME, "?")]
    for kind, default in (("http", "80"), ("https", "443"), ("?", "")):
        start, name, port = f"{kind}://", f"{kind}://h", f"{kind}://:"
        host = _HOST if kind == "?" else _HOST & ~_UPPER  # browsers send names in lower case
        phases[kind].append((_bits(":"), f"{kind}:"))
        phases[f"{kind}:"] = [(_bits("/"), f"{kind}:/")]
        phases[f"{kind}:/"] = [(_bits("/"), start)]
        phases[start] = [(_bits("["), start + "["), (host & ~_DIGITS, name), (_DIGITS, start + "1")]
        phases[name] = [(host, name), (_bits(":"), port)]
        phases[start + "["] = [(_bits("abcdef:.") | _DIGITS, start + "["), (_bits("]"), start + "]")]
        phases[start + "]"] = [(_bits(":"), port)]
        for number in "1234":
            dot = name if number == "4" else f"{start}{number}."
            phases[start + number] = [
                (_DIGITS, start + number),
                (_bits("."), dot),
                (host & ~_DIGITS & ~_bits("."), name),
            ]
            phases[f"{start}{number}."] = [(_DIGITS, f"{start}{int(number) + 1}"), (host & ~_DIGITS, name)]
        phases[start + "4"].append((_bits(":"), port))
        for length in range(len(default) + 1):  # browsers leave the default port out
            digits = _DIGITS if length else _DIGITS & ~_bits("0")
            following = _bits(default[length : length + 1])
            phases[port + default[:length]] = [
                (following, port + default[: length + 1]),
                (digits & ~following, port + "x"),
            ]
        phases[port + "x"] = [(_DIGITS, port + "x")]
    return phases


_FINAL: Final = re.compile(r".*://(?:h|4|\]|:x|:4|:44|:8)")


class RegexAnalysis:
    """The result for one expression.

    Args:
        regex: The expression.
    """

    def __init__(self, regex: re.Pattern[str]) -> None:
        self.regex = regex
        self.has_bare_dot = bool(_BARE_DOT.search(_NOT_BARE.sub("\0", regex.pattern)))
        self.unsupported = ""
        """The part of the expression that is not analysed."""
        self.ambiguous_text: str | None = None
        """A text that takes far too many steps; None if there is none."""
        try:
            graph = parse_graph(regex)
            self.ambiguous_text = slow_text(graph, _HOST)
            loopback = _OPTIONAL_COLON.sub(r"\1:", _BARE_LOOPBACK.sub(r"127\\.0\\.0\\.1", regex.pattern))
            if loopback != regex.pattern:
                graph = parse_graph(re.compile(loopback, regex.flags & ~re.DEBUG))
            self._origins = _Origins(graph)
        except UnsupportedError as error:
            self.unsupported = str(error)

    @property
    def matches_no_origin(self) -> bool:
        """Whether the expression matches no origin at all."""
        return not self.unsupported and not self._origins.live

    @functools.cached_property
    def witnesses(self) -> dict[str, str]:
        """An allowed origin for each risk with credentials. If any site is allowed, there is no other risk."""
        if self.unsupported or self.ambiguous_text:
            return {}
        found = self._origins.risks()
        if ANY_ORIGIN in found:
            found = {ANY_ORIGIN: found[ANY_ORIGIN]}
        return {risk: self._allowed(origins) for risk, origins in found.items()}

    def _allowed(self, origins: list[str]) -> str:
        """Return the first origin that the expression allows, look-arounds included; else the first one."""
        hosts = re.findall(r"[\w.-]+\.\w+", re.sub(r"\\([.-])", r"\1", self.regex.pattern))
        similar = [f"https://evil{registrable_domain(host) or host}" for host in hosts]
        similar += [f"https://{host}.evil.net" for host in hosts]
        allowed = (each for each in (*origins, *similar) if parse_origin(each) and self.regex.fullmatch(each))
        return next(allowed, origins[0])


@functools.lru_cache(maxsize=256)
def analyse(regex: re.Pattern[str]) -> RegexAnalysis:
    """Analyse a regular expression for origins."""
    return RegexAnalysis(regex)


class _Origins:
    """The origins that a graph allows: its letters, each in the phases of an origin that it can read."""

    def __init__(self, graph: Graph) -> None:
        self.letters = graph.letters
        self.found: dict[str, list[str]] = {}  # origins by risk
        self.domains: set[str] = set()
        self.after: dict[State, dict[State, int]] = {}
        self.parents: dict[State, State] = {}
        pending: deque[State] = deque([(0, "")])
        while pending:
            state = pending.popleft()
            edges = self.after.setdefault(state, {})
            for target in graph.edges[state[0]]:
                for letters, phase in _grammar().get(state[1], ()):
                    read, new = letters & self.letters[target].mask, (target, phase)
                    if read:
                        edges[new] = edges.get(new, 0) | read
                        if new not in self.parents:
                            self.parents[new] = state
                            pending.append(new)
        self.final = [state for state in self.parents if state[0] in graph.final and _FINAL.fullmatch(state[1])]
        self.before: dict[State, dict[State, int]] = {state: {} for state in self.after}
        for state, edges in self.after.items():
            for target_state, read in edges.items():
                self.before[target_state][state] = read
        self.live = reached(self.final, self.before)

    def risks(self) -> dict[str, list[str]]:
        """Return some origins for each risk. At least one of them is allowed unless a look-around excludes it."""
        ends = [state for state in self.parents if state in self.live and re.search("://(?!:).*[h\\]]$", state[1])]
        ends.sort(key=lambda state: (not state[1].startswith("https:"), state[1][-1] == "]"))
        tails = ((state, self.completion({state}, ":")) for state in ends)
        self.search_names([(state, tail) for state, tail in tails if tail is not None])
        for kind in ("http", "https"):
            if ANY_ORIGIN not in self.found:
                self.search_addresses(kind)
        return self.found

    def add(self, risk: str, before: State, text: str) -> None:
        """Add a risk; `before` is the letter in front of the text."""
        start = self.text(before)
        names = () if not self.letters[before[0]].is_class else _ADDRESSES if "[" in start else _NAMES
        origins = [*(start[:-1] + name + text for name in names), start + text]
        known = self.found.setdefault(risk, origins)
        if _clarity(known[-1]) > _clarity(origins[-1]):
            self.found[risk] = origins

    def text(self, state: State) -> str:
        """Return the shortest text that leads to a letter."""
        text = ""
        while state in self.parents:
            parent = self.parents[state]
            text = _readable(self.after[parent][state]) + text
            state = parent
        return text

    def completion(self, states: Iterable[State], phases: str) -> str | None:
        """Return the shortest text that leads from one of the states to an end, through certain phases only."""
        texts = dict.fromkeys(sorted(states), "")
        pending = deque(texts)
        while pending:
            state = pending.popleft()
            if state in self.final:
                return texts[state]
            for target, letters in self.after[state].items():
                if target not in texts and target in self.live and target[1].partition("://")[2][:1] in phases:
                    texts[target] = texts[state] + _readable(letters)
                    pending.append(target)
        return None

    def preceding(self, state: State, character: str) -> list[State]:
        """Return the states before a letter that reads a character."""
        return [other for other, letters in self.before[state].items() if letters >> ord(character) & 1]

    # Names and IPv6 addresses, from their end

    def search_names(self, ends: list[tuple[State, str]]) -> None:
        """Add the risks of host names and IPv6 addresses, given their last letters and the text behind them."""
        seen: set[tuple[State, str]] = set()
        pending = [(state, "", tail, frozenset[State]()) for state, tail in reversed(ends)]
        while pending and ANY_ORIGIN not in self.found:
            state, text, tail, passed = pending.pop()
            if (state, text) in seen or len(text) > MAX_HOST:
                continue
            seen.add((state, text))
            is_web = not state[1].startswith("?")
            if len(seen) > _MAX_SUFFIXES or len(self.domains) > _MAX_DOMAINS:
                self.add(ANY_ORIGIN if is_web else SHARED_SUFFIX, state, text + tail)
                return
            letters = functools.reduce(int.__or__, self.before[state].values())
            letter = self.letters[state[0]]
            is_last_label = "." not in text.removesuffix(".") and is_web
            if letter.is_bare_dot and is_last_label and text not in {"", "."}:
                letters = _DOT
            is_open = letter.is_class and letters.bit_count() > _FEW
            if is_open or state in passed:
                self.check_open(state, text, tail, is_loop=not is_open)
                continue
            if letter.is_optional and letters != _DOT and is_last_label:  # `com?` is `co`, too
                for other in self.before[state]:
                    self.check_top_level(other, text, tail)
            longer = ((c + text, other) for c in _characters(letters) for other in self.preceding(state, c))
            pending += [
                (other, new, tail, passed | {state}) for new, other in longer if not self.is_complete(other, new, tail)
            ]

    def is_complete(self, before: State, text: str, tail: str) -> bool:
        """Return whether the rest of a host does not matter: the text is the host, or names its owner."""
        kind, _, place = before[1].partition("://")
        host = text.removesuffix(".")
        if not place and host.startswith("."):
            return True  # not a host
        owner = host if not place else host[1:]
        is_below_localhost = host.endswith(".localhost") or host == ".localhost"
        if place and (host[:1] != "." or not (is_below_localhost or (kind != "?" and not is_shared_suffix(owner)))):
            return False
        self.domains.add(registrable_domain(owner) or owner)
        if kind == "http" and not is_loopback(owner):
            self.add(OVER_HTTP, before, text + tail)
        return True

    def check_open(self, state: State, text: str, tail: str, *, is_loop: bool) -> None:
        """Add the risks of an open letter with the text behind it."""
        kind, _, place = state[1].partition("://")
        host = text.removesuffix(".")
        if kind == "?":
            self.add(SHARED_SUFFIX, state, text + tail)
            return
        if kind == "http":
            self.add(OVER_HTTP, state, text + tail)
        if is_loop or place == "[":
            self.add(ANY_ORIGIN, state, text + tail)
        elif "." not in host:
            self.check_top_level(state, text, tail)
        elif is_shared_suffix(host.partition(".")[2]) and not host.rpartition(".")[2].isdigit():
            self.add(SHARED_SUFFIX if host[0] in ".-" else ANY_ORIGIN, state, text + tail)

    def check_top_level(self, state: State, text: str, tail: str) -> None:
        """Add a risk if a listed top-level domain ends in the text and the expression allows a letter before it."""
        host = text.removesuffix(".")
        for name in (*_COMMON, *top_level_domains()):
            if not name.endswith(host):
                continue
            rest = "." + name[: len(name) - len(host)]
            states = {state}
            for character in reversed(rest):
                states = {other for each in states for other in self.preceding(each, character)}
            named = sorted(each for each in states if each[1].partition("://")[2])
            if named:
                self.add(ANY_ORIGIN, named[0], rest + text + tail)
                return

    # IPv4 addresses, from their start

    def search_addresses(self, kind: str) -> None:
        """Check that the first two numbers of each address are spelled out, or the first one of a private network."""
        phases = re.compile(rf"{kind}://(?:[1-4]\.?|:.*)?")
        ends = [state for state in self.final if re.match(f"{kind}://[4:]", state[1])]
        within = {state for state in self.before if phases.fullmatch(state[1])}
        edges = {state: dict.fromkeys(self.before[state].keys() & within, 0) for state in within}
        states = reached(ends, edges)

        @functools.cache
        def following(sources: frozenset[State], character: str) -> frozenset[State]:
            bit = 1 << ord(character)
            targets = (edge for source in sources for edge in self.after[source].items())
            return frozenset(target for target, letters in targets if letters & bit and target in states)

        networks = 0
        start = frozenset(state for state in states if state[1] == f"{kind}://")
        for first, behind in _numbers(start, following).items():
            second = {} if first in _PRIVATE else _numbers(behind, following)
            networks += len(second)
            rest = self.completion(behind, "1234:")
            text = f"{kind}://{first}.{rest}"
            if rest is not None and kind == "http" and first != "127":
                self.found.setdefault(OVER_HTTP, [text])
            if rest is not None and (len(second) == _NUMBERS or networks > _NUMBERS):
                self.found.setdefault(ANY_ORIGIN, [text])
                return


def _numbers(
    states: frozenset[State], following: Callable[[frozenset[State], str], frozenset[State]]
) -> dict[str, frozenset[State]]:
    """Return the numbers of an IPv4 address that can follow, each with the states behind its dot."""
    found: dict[str, frozenset[State]] = {}
    level = {"": states}
    for _ in range(3):
        longer = ((text + digit, following(each, digit)) for text, each in level.items() for digit in "2103456789")
        level = {text: each for text, each in longer if each and not (text[0] == "0" and len(text) > 1)}
        for text, each in level.items():
            behind = following(each, ".")
            if behind and int(text) < _NUMBERS:
                found[text] = behind
    return found


def _clarity(origin: str) -> tuple[bool, bool, int, str]:
    """Return a key that sorts origins that are easier to understand first."""
    return "[" in origin, not origin.startswith("https:"), len(origin), re.sub("[0-9]", "~", origin)


def _characters(letters: int) -> Iterator[str]:
    return (letter for letter in ASCII if letters >> ord(letter) & 1)


def _readable(letters: int) -> str:
    return next(letter for letter in _READABLE + ASCII if letters >> ord(letter) & 1)
