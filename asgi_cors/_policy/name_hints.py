"""Corrections for wrong names of methods, headers and risks. Imported only if there is a mistake.

Knows how lists and strings are mistyped. The caller decides which corrected names are accepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

from asgi_cors._errors import UNSET_HINT, text_of

_SEPARATORS: Final = re.compile(r"[\s,;\"'\[\]]+")
_LISTED: Final = re.compile(r"[\s,;\[]")
_HEADER_LINE: Final = re.compile(r"\s*([^\s:,]+)\s*:[^,]*")  # "X-Id: 1"


def name_hint(entry: object, accepts: Callable[[str], bool], advice: str) -> str:
    """Return what to write instead of one entry of a list of names; `advice` if it has no corrected form."""
    text = text_of(entry)
    if text is None:
        entries = cast("Iterable[object]", entry) if isinstance(entry, list | tuple | set | Mapping) else ()
        texts, is_list = [text for text in map(text_of, entries) if text], True
    else:
        texts, is_list = [text], bool(_LISTED.search(text.strip()))
    names = list(dict.fromkeys(name for text in texts for name in _names(text, accepts)))
    if not names:
        return UNSET_HINT if isinstance(entry, str | None) and not entry else advice
    is_list = (is_list and not _is_header_line(texts)) or len(names) > 1
    return f"Write {names if is_list else names[0]!r}."


def _is_header_line(texts: list[str]) -> bool:
    return len(texts) == 1 and bool(_HEADER_LINE.fullmatch(texts[0]))


def _names(text: str, accepts: Callable[[str], bool]) -> list[str]:
    """Split a list in one string. For a header line, return its name."""
    line = _HEADER_LINE.fullmatch(text)
    names = [line[1]] if line else [name for name in _SEPARATORS.split(text) if name]
    names = ["*" if set(name) == {"*"} else re.sub(r"\*{2,}$", "*", name).rstrip(":") for name in names]
    names = [part for name in names for part in ([name] if accepts(name) else name.split("/")) if accepts(part)]
    return ["*"] if "*" in names else names
