r"""Texts that a regular expression matches, or nearly does, made out of the regex itself.

The reader knows literals, classes, groups, alternatives and quantifiers. It needs no more: each text is tried on
the regex before anything is concluded from it, so that what is read wrongly (a look-around, a back reference) costs
a probe and no mistake.

In a probe the letters that the regex leaves open are marked, so that one sees what its author has written:
`https://.*\.example\.com` gives `https://attacker.example.com` with the first word of the host marked. Never marked
is what parts an origin: `.`, `:`, `/` and brackets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_OPEN: Final = 0xE000  # a private range of Unicode, which no origin has
_MARKS: Final = {code: _OPEN + code for code in range(0x80) if chr(code) not in ".:/[]"}
_NO_MARKS: Final = {marked: code for code, marked in _MARKS.items()} | {_OPEN: None}
_MARKED: Final = re.compile(f"[{chr(_OPEN)}-{chr(_OPEN + 0x7F)}]")
_LEFT_OUT: Final = chr(_OPEN)  # stands where a letter may be missing, as in `example\.com?`

# What an origin may be made of, the likeliest first.
_LETTERS: Final = "ax1.-_bcdefghijklmnopqrstuvwyz023456789:/+~[]!$%&'()*;=ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FEW: Final = 4  # so many letters in brackets are spelled out, as `[.]` and `[12]`
_MOST: Final = 360  # texts of one piece
_LONGEST: Final = 64  # repetitions, where the regex sets no lower bound
# What a repeated class may stand for: a name, a part of an origin, a number, a commit, an address.
_FILLERS: Final = (
    *("attacker", "https://attacker", ".attacker.net", "attacker.", "https://attacker.net", "http://attacker"),
    *("attacker.net", "a.attacker", "attacker-", "-attacker", "a.de", "http", "https", "123", "a1b2c3d", "2001:db8::1"),
)
_UNITS: Final = ("a.", "a-")  # what a repeated class may match again and again

_GROUP: Final = re.compile(r"\((?:\?(?:P<\w+>|[:>=!]|<[=!]|[a-zA-Z-]+:|\(\w+\)))?")
_NOTHING: Final = re.compile(r"\(\?(?:#[^)]*|P=\w+|[a-zA-Z-]+)\)")  # a comment, a back reference, flags
_ATOM: Final = re.compile(r"\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|\d+|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_QUANTIFIER: Final = re.compile(r"(?:([*+?])|\{(?=[\d,])(\d*)(,?)(\d*)\})[?+]?")
_BLANKS: Final = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\s+|#.*")  # of a verbose regex


class Reading(NamedTuple):
    """What a regex has given."""

    probes: tuple[str, ...]
    """Texts that it probably matches as a whole, with marks."""
    repeats: tuple[tuple[str, str], ...]
    """What can stand before a piece that may be repeated, and a text that the piece matches."""


def mark(text: str) -> str:
    """Mark every letter as left open by the regex."""
    return text.translate(_MARKS)


def plain(text: str) -> str:
    """Take the marks off."""
    return text.translate(_NO_MARKS)


def host_of(text: str) -> str:
    """Give the host of an origin, with its marks."""
    rest = text.partition("://")[2]
    return rest.partition("]")[0] + "]" if rest.startswith("[") else rest.partition(":")[0]


def literal_start(text: str) -> str:
    """Give what stands in front of the first marked letter."""
    return _MARKED.split(text)[0]


def literal_end(text: str) -> str:
    """Give what stands behind the last marked letter; where one may be missing counts in the last label only."""
    return _MARKED.split(re.sub(rf"{_LEFT_OUT}(?=.*\.)", "", text))[-1]


@functools.lru_cache(maxsize=128)
def read(regex: re.Pattern[str]) -> Reading:
    """Read a regex."""
    source = regex.pattern
    if regex.flags & re.VERBOSE:
        source = _BLANKS.sub(r"\1", source)
    reader = _Reader(source, regex.flags & (re.IGNORECASE | re.DOTALL))
    return Reading(tuple(reader.choice("")), tuple(dict.fromkeys(reader.repeats)))


class _Reader:
    """Reads from left to right; each method reads one thing, and gives its texts."""

    def __init__(self, source: str, flags: int) -> None:
        self.source = source
        self.at = 0
        self.flags = flags
        self.repeats: list[tuple[str, str]] = []
        words: list[str] = re.findall(r"[a-z0-9-]{3,}", source)
        self.fillers = (*_FILLERS, *words[:6])

    def choice(self, before: str) -> list[str]:
        """Alternatives, up to the end of their group; `before` is a text of what stands in front of them."""
        texts = self._sequence(before)
        while self._takes("|"):
            texts += self._sequence(before)
        return _some(texts)

    def _takes(self, letter: str) -> bool:
        found = self.source.startswith(letter, self.at)
        self.at += found
        return found

    def _match(self, token: re.Pattern[str]) -> re.Match[str] | None:
        match = token.match(self.source, self.at)
        self.at = match.end() if match else self.at
        return match

    def _sequence(self, before: str) -> list[str]:
        texts = [""]
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            texts = _joined(texts, self._piece(before + plain(texts[0])))
        return texts

    def _piece(self, before: str) -> list[str]:
        """One atom or group with its quantifier."""
        if self._match(_NOTHING):
            return [""]
        group = self._match(_GROUP)
        if group is None:
            atom = self._match(_ATOM)
            letters = _letters(atom[0], self.flags) if atom else ""
            low, high = self._bounds()
            texts = self._filled(letters, low, high) if letters else [""]
            units = [letters[:1], letters[-1:], *(unit for unit in _UNITS if set(unit) <= set(letters))]
        else:
            inner = self.choice(before)
            self._takes(")")
            low, high = self._bounds()
            texts = [""] if group[0].endswith(("=", "!")) else _times(inner, low, high)
            units = [plain(inner[i]) for i in range(0, len(inner), -(-len(inner) // 6))]
        if high > 1:
            self.repeats += ((before, unit) for unit in units if unit)
        return texts

    def _bounds(self) -> tuple[int, int]:
        """How often the atom or group in front may stand, at least and at most."""
        match = self._match(_QUANTIFIER)
        if match is None:
            return 1, 1
        sign, low, comma, high = match.groups("")
        if sign:
            return int(sign == "+"), 1 if sign == "?" else _LONGEST
        least = min(int(low or 0), 4 * _LONGEST)
        return least, min(int(high), 4 * _LONGEST) if high else max(least, _LONGEST) if comma else least

    def _filled(self, letters: str, low: int, high: int) -> list[str]:
        """Texts of one letter repeated, or of a class."""
        if len(letters) == 1:
            left_out = _LEFT_OUT if letters.isalnum() else ""
            more = [letters + mark(letters * (n - 1)) for n in (2, high) if max(low, 2) <= n <= high != low]
            return [letters * low or left_out, *([letters] if low == 0 else []), *more]
        if low == high == 1:
            return list(letters) if len(letters) <= _FEW else [*map(mark, letters[:6])]
        fillers = (_fitted(filler, low, high) for filler in (*self.fillers, letters[0], letters[-1]))
        texts = [mark(text) for text in fillers if set(text) <= set(letters)]
        texts += [mark(letters[0] * n) for n in (low + 1, high) if n <= high]
        return list(dict.fromkeys([*texts, ""] if low == 0 else texts))


def _fitted(text: str, low: int, high: int) -> str:
    """Repeat or cut a text until its length is allowed."""
    return (text * (low // len(text) + 1))[:low] if len(text) < low else text[:high]


@functools.lru_cache(maxsize=1024)
def _letters(atom: str, flags: int) -> str:
    """The letters that an atom matches; none for an anchor, or where it makes no sense on its own."""
    if atom.isalnum() and not flags & re.IGNORECASE:
        return atom
    try:
        matches = re.compile(atom, flags).fullmatch
    except re.error:
        return ""
    found = [letter for letter in _LETTERS if matches(letter)]
    return "".join(letter for letter in found if letter.islower() or letter.lower() not in {*found} - {letter})


def _joined(first: list[str], second: list[str]) -> list[str]:
    """Put texts together: each with each if there are few, else the likeliest so, and of the others every one once."""
    if len(first) * len(second) <= _MOST:
        return [a + b for a in first for b in second]
    likely = [a + b for a in first[:8] for b in second[:8]]
    rest = (first[i % len(first)] + second[(i + i // len(first)) % len(second)] for i in range(_MOST))
    return list(dict.fromkeys([*likely, *rest]))[:_MOST]


def _times(texts: list[str], low: int, high: int) -> list[str]:
    """Repeat the texts of a group; what is there more often than it must be counts as left open."""
    least = [""]
    for _ in range(low or 1):
        least = _joined(least, texts)
    more = _joined(least, [mark(plain(text)) for text in texts]) if high > max(low, 1) else []
    return _some([*least, *more, *([""] if low == 0 else [])])


def _some(texts: Iterable[str]) -> list[str]:
    """Some of the texts, spread over all, the last with them."""
    found = list(dict.fromkeys(texts))
    step = -(-len(found) // _MOST)
    return list(dict.fromkeys([*found[::step], found[-1]]))
