"""Recognise the CORS messages of browsers in a text.

A template is a message in which `{url}`, `{origin}`, `{value}`, `{name}` and `{status}` are the parts that the browser
fills in.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .causes import CAUSES, Cause

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
_STRAIGHT_QUOTES: Final = str.maketrans("‘’“”`", "''\"\"'")


@dataclass(frozen=True)
class Reading:
    """A recognised message.

    Args:
        browser: The browser that prints it.
        cause: The cause that it reports.
        filled: The parts that the browser filled in, by name.
    """

    browser: str
    cause: Cause
    filled: dict[str, str]


def templates_of(cause: Cause) -> Iterator[tuple[str, str]]:
    """Yield the browser and the whole template of each message of a cause."""
    for text in cause.chromium:
        yield "Chromium", _whole(text, _CHROMIUM + ("{preflight}" if cause.has_preflight else ""), "")
    for text in cause.firefox:
        yield "Firefox", _whole(text, _FIREFOX, "{ending}" if text.endswith(")") else ").{ending}")
    for text in cause.safari:
        yield "Safari", text.removeprefix("!")


def _whole(text: str, before: str, after: str) -> str:
    """Return a reason within the browser's sentence. A text that begins with `!` is already a whole message."""
    return text[1:] if text.startswith("!") else before + text + after


def readable(template: str) -> str:
    """Return a template as docs/console.md shows it."""
    optional = {"redirected": "", "preflight": f"[{_PREFLIGHT.strip()}] ", "kind": "fetch", "ending": ""}
    return template.format(**{name: optional.get(name, name.upper()) for name in _PATTERNS}).strip()


@functools.cache
def _expressions() -> tuple[tuple[str, Cause, re.Pattern[str]], ...]:
    return tuple(
        (browser, cause, re.compile(_expression(template)))
        for cause in CAUSES
        for browser, template in templates_of(cause)
    )


def _expression(template: str) -> str:
    """Return a template as a regular expression that accepts any quotes and any white space."""
    return "".join(map(_part, re.split(r"({\w+})", template.translate(_STRAIGHT_QUOTES))))


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part).replace(r"\ ", r"\s+")
    name = part[1:-1]
    pattern = _PATTERNS[name]
    return pattern if name in {"redirected", "preflight", "ending"} else f"(?P<{name}>{pattern})"


def recognise(text: str) -> list[Reading]:
    """Return the messages in a text, one for each cause, in the order of the text.

    A message that says only that the request failed is left out if another message names the cause.
    """
    straight = text.translate(_STRAIGHT_QUOTES)
    found: dict[int, Reading] = {}
    for browser, cause, pattern in _expressions():
        for match in pattern.finditer(straight):
            filled = {name: value for name, value in match.groupdict().items() if value is not None}
            if match.start() not in found and _fits(cause.code, filled):
                found[match.start()] = Reading(browser, cause, {name: value for name, value in filled.items() if value})
    readings = [found[start] for start in sorted(found)]
    readings = [reading for reading in readings if not reading.cause.is_echo] or readings
    return list({reading.cause.code: reading for reading in reversed(readings)}.values())[::-1]


def _fits(code: str, filled: dict[str, str]) -> bool:
    """Distinguish causes for which a browser prints the same text, by the quoted value or the status."""
    value, status = filled.get("value"), filled.get("status", "")
    if code == "AllowOriginMismatch":
        return value is None or ("://" in value and not re.search(r"[,\s]", value)) or value == "null"
    if code == "InvalidAllowOriginValue":
        return value is None or not re.search(r"[,\s]", value)
    return status[:1] == "3" if code == "PreflightDisallowedRedirect" and status else True
