"""The known message that resembles an unknown text most."""

from __future__ import annotations

import re
from typing import Final

from .messages import clean, find_openings
from .templates import Template, reasons

_WORD: Final = re.compile(r"[a-z][a-z'-]{1,40}")
_COMMON: Final = frozenset("a an and at be by for from in is it not of on or the this to was with".split())  # noqa: SIM905
_MAX_LINES: Final = 200
_MAX_LINE: Final = 2000  # characters
_THRESHOLD: Final = 0.45  # of the words that are in both
_MIN_COMMON: Final = 3  # words


def find_closest(text: str) -> Template | None:
    """Return the message that shares the most words with a line of the text, or None if no message resembles it."""
    lines = [*text.splitlines()[:_MAX_LINES], *(opening.reason for opening in find_openings(clean(text)))]
    words = [_words(line[:_MAX_LINE]) for line in lines]
    best = max(reasons(), key=lambda template: _similarity(template, words))
    return best if _similarity(best, words) >= _THRESHOLD else None


def _similarity(template: Template, lines: list[frozenset[str]]) -> float:
    """Return the share of common words (the Sørensen-Dice coefficient), for the line that fits best."""
    own = _words(re.sub(r"{\w+}", " ", template.text))
    return max(
        (2 * len(own & line) / (len(own) + len(line)) for line in lines if len(own & line) >= _MIN_COMMON), default=0
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower())) - _COMMON
