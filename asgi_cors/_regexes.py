r"""Which origins a regular expression allows, and whether it takes too long: computed from its letters.

Nothing is timed or sampled, so the result is the same on every machine. Look-arounds and anchors are dropped here:
the rest matches more, so an expression that is safe only by them is refused.

A host is read from its end. A letter is spelled out, or open: `[a-z]`, `\w`, `.`. The registrable domain must be
spelled out; what comes before it belongs to the owner of that domain.
"""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ._origins import ANY_ORIGIN, MAX_HOST, OVER_HTTP, SHARED_SUFFIX
from ._regex_cost import slow_text
from ._regex_graph import ASCII, Graph, UnsupportedError, parse_graph, text_alphabet
from ._suffixes import is_local, is_shared, site, top_level_domains

_MAX_SITES: Final = 256
_MAX_SUFFIXES: Final = 4000  # of hosts that are looked at
_FEW: Final = 4  # letters in brackets that count as spelled out, as `[.]` and `[1-3]`
_NUMBERS: Final = 256  # values of a number in an IPv4 address
_PRIVATE: Final = ("10", "127")  # networks whose first number says all

# Two forms of loopback origins that everyone writes: with bare dots, and with an optional colon before digits.
_BARE_LOOPBACK: Final = re.compile(r"127\.0\.0\.1(?![\w.\[\\-])")
_LOOSE_PORT: Final = re.compile(r"(localhost|127(?:\\?\.0){2}\\?\.1):[?*](?=\(?(?:\?:)?(?:\[0-9\]|\\d))")
_READABLE: Final = "xae1203-_."


def _bits(letters: Iterable[str]) -> int:
    return sum(1 << ord(letter) for letter in set(letters))


_DIGITS: Final = "0123456789"
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_ALL_HOST: Final = _bits("!\"$%&'()*+,-.;=_`{}~" + _DIGITS + _LOWER + _LOWER.upper())
_WEB_HOST: Final = _ALL_HOST & ~_bits(_LOWER.upper())  # browsers send hosts of http and https in lower case
_ORIGIN: Final = _ALL_HOST | _bits(":/[]")

State = tuple[int, str]
"""A letter of the expression, and how much of an origin has been read with it."""


class RegexAnalysis:
    """The result for one expression.

    Args:
        regex: The expression.
    """

    def __init__(self, regex: re.Pattern[str]) -> None:
        self.regex = regex
        self.has_bare_dot = bool(re.search(r"\w\.\w", re.sub(r"\\.", "\0", regex.pattern)))
        self.unsupported = ""
        """The part of the expression that is not analysed."""
        self.ambiguous_text: str | None = None
        """A text that takes far too many steps; None if there is none."""
        try:
            self.ambiguous_text = slow_text(parse_graph(regex), _ALL_HOST)
            tamed = _LOOSE_PORT.sub(r"\1:", _BARE_LOOPBACK.sub(r"127\\.0\\.0\\.1", regex.pattern))
            self._origins = _Origins(parse_graph(re.compile(tamed, regex.flags & ~re.DEBUG)))
        except UnsupportedError as error:
            self.unsupported = str(error)

    @property
    def matches_no_origin(self) -> bool:
        """Whether there is no origin that the expression matches."""
        return not self.unsupported and not self._origins.live

    @functools.cached_property
    def witnesses(self) -> dict[str, str]:
        """For each risk with credentials an origin that is allowed. If any site is allowed, no other risk counts."""
        if self.unsupported or self.ambiguous_text:
            return {}
        found = self._origins.risks()
        if ANY_ORIGIN in found:
            found = {ANY_ORIGIN: found[ANY_ORIGIN]}
        return {risk: self._allowed(origin, found[risk]) for risk, origin in found.items()}

    def _allowed(self, origin: str, texts: list[str]) -> str:
        return origin


@functools.lru_cache(maxsize=256)
def analyse(regex: re.Pattern[str]) -> RegexAnalysis:
    """Analyse a regular expression for origins."""
    return RegexAnalysis(regex)
