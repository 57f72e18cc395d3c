"""What browsers print about CORS, and what each of it means.

A message is a template: `{url}`, `{origin}`, `{value}`, `{name}` and `{status}` stand for what the browser fills in.
The texts are those of Chromium 156, Firefox 153 and WebKit 2.50 (Safari's engine).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .cause import Meaning
from .causes import MEANINGS

_CHROMIUM: Final = "Access to {kind} at '{url}'{redirected} from origin '{origin}' has been blocked by CORS policy: "
_PREFLIGHT: Final = "Response to preflight request doesn't pass access control check: "
_FIREFOX: Final = (
    "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {url}. (Reason: "
)
_PATTERNS: Final = {
    "kind": r"[\w ]+?",
    "url": r"\S+?",
    "redirected": r"(?: \(redirected from '(?P<first>\S+?)'\))?",
    "origin": r"\S+?",
    "value": r".*?",
    "name": r"\S*?",
    "status": r"\(?\w+\)?",
    "preflight": f"(?P<at_preflight>{re.escape(_PREFLIGHT)})?",
    "ending": r".*?",
}
_STRAIGHT: Final = str.maketrans("‘’“”`", "''\"\"'")


@dataclass(frozen=True)
class Reading:
    """One message that was recognised.

    Args:
        browser: Who prints it.
        message: The words that were recognised.
        meaning: What it means.
        filled: What the browser filled in, by name.
    """

    browser: str
    message: str
    meaning: Meaning
    filled: dict[str, str]


def templates_of(meaning: Meaning) -> Iterator[tuple[str, str]]:
    """Give browser and whole template of every message of one meaning, as docs/console.md shows them."""
    for text in meaning.chromium:
        yield "Chromium", _whole(text, _CHROMIUM + ("{preflight}" if meaning.has_preflight else ""), "")
    for text in meaning.firefox:
        yield "Firefox", _whole(text, _FIREFOX, "{ending}" if text.endswith(")") else ").{ending}")
    for text in meaning.safari:
        yield "Safari", text.removeprefix("!")


def _whole(text: str, before: str, after: str) -> str:
    """Put a reason into the browser's sentence; one that begins with `!` is a sentence itself."""
    return text[1:] if text.startswith("!") else before + text + after


def shown(template: str) -> str:
    """Write a template as people read it."""
    optional = {"redirected": "", "preflight": f"[{_PREFLIGHT.strip()}] ", "kind": "fetch", "ending": ""}
    words = {name: optional.get(name, name.upper()) for name in _PATTERNS}
    return template.format(**words).replace("URL.", "URL.").strip()


@functools.cache
def _compiled() -> tuple[tuple[str, Meaning, re.Pattern[str]], ...]:
    return tuple(
        (browser, meaning, re.compile(_expression(template)))
        for meaning in MEANINGS
        for browser, template in templates_of(meaning)
    )


def _expression(template: str) -> str:
    """Make a regular expression of a template: quotes of any form, blanks of any length."""
    parts = re.split(r"({\w+})", template.translate(_STRAIGHT))
    return "".join(map(_part, parts))


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part).replace(r"\ ", r"\s+")
    name = part[1:-1]
    pattern = _PATTERNS[name]
    return pattern if name in {"redirected", "preflight", "ending"} else f"(?P<{name}>{pattern})"


def recognise(text: str) -> list[Reading]:
    """Recognise every message in a paste, each once, in the order in which they stand."""
    straight = text.translate(_STRAIGHT)
    found: dict[int, Reading] = {}
    for browser, meaning, pattern in _compiled():
        for match in pattern.finditer(straight):
            filled = {name: value for name, value in match.groupdict().items() if value is not None}
            if match.start() not in found and _fits(meaning.code, filled):
                words = " ".join(match[0].split())
                found[match.start()] = Reading(browser, words, meaning, {k: v for k, v in filled.items() if v})
    return _weighed([found[start] for start in sorted(found)])


def _fits(code: str, filled: dict[str, str]) -> bool:
    """Tell apart what a browser says in the same words, by the value that it quotes."""
    value, status = filled.get("value"), filled.get("status", "")
    if code == "AllowOriginMismatch":
        return value is None or ("://" in value and not re.search(r"[,\s]", value)) or value == "null"
    if code == "InvalidAllowOriginValue":
        return value is None or not re.search(r"[,\s]", value)
    return status[:1] == "3" if code == "PreflightDisallowedRedirect" and status else True


def _weighed(found: list[Reading]) -> list[Reading]:
    """Leave out what only says that something failed, where something else says what; and repeats."""
    telling = [reading for reading in found if not reading.meaning.is_echo] or found
    return list({reading.meaning.code: reading for reading in reversed(telling)}.values())[::-1]
