"""Recognise the messages of browsers in a text, as users paste it.

A message has an opening, which names the URL and the page, and a reason. Both are searched for separately, because
users paste parts of a message, two messages at once, and the links between them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from .cause import Cause
from .templates import Template, find, openings, reasons, straighten

MAX_LENGTH: Final = 1_000_000  # characters
_MARKDOWN_LINK: Final = re.compile(r"\[([^\[\]\s]{1,2000})\]\(https?:[^()\s]{1,2000}\)")
_QUOTE_MARKS: Final = re.compile(r"^[ \t]*[>|]+ ", re.MULTILINE)  # of a mail or a chat
_BROKEN_WORD: Final = re.compile(r"-\r?\n\s*(?=\w)")
_SOURCE_LINK: Final = re.compile(r"(?<=\s)(?!\S{0,200}://)[^\s'\"]{1,200}:\d{1,6}(?::\d{1,6})?(?=\s)")
_NETWORK_LINE: Final = re.compile(r"\b(GET|HEAD|POST|PUT|PATCH|DELETE) (https?://\S{1,2000})")
_OLD_ORIGIN: Final = re.compile(r"Origin ['\"]?([^\s'\"]{1,300})['\"]? is therefore not allowed access", re.IGNORECASE)
_STATUS: Final = re.compile(r"status code:? (\(?\w{1,10}\)?)", re.IGNORECASE)
_MAX_TAIL: Final = 3  # words after an opening that are not yet a reason
_SHORTEST_BEGINNING: Final = 10  # characters
_SHORTEST_TEXT: Final = 20  # characters, for the beginning of a reason without an opening
_LEAST_SPECIFIC: Final = frozenset({"FailedToFetch", "AccessControlChecks"})
# If this text follows, then the message is another one.
_CONTINUED: Final = {
    "!net::ERR_BLOCKED_BY_RESPONSE": re.compile(r"\.\w"),
    "!WebSocket connection to '{url}' failed": re.compile(
        r":? (?:Invalid|Close received|Could not|One or more|Received|A server|Data frame|Unrecognized|Fragmented"
        r"|Error during WebSocket handshake: (?!net))",
        re.IGNORECASE,
    ),
}
# Texts that have a cause of their own if the URL is that of a file.
_OF_FILES: Final = frozenset(
    {"Received an invalid response", "!Module source URI is not allowed in this document: “{url}”"}
)
_UNICODE_ESCAPE: Final = re.compile(r"\\u(00[2-7][0-9a-f]|20[01][0-9a-f])", re.IGNORECASE)  # of JSON
_AT_PREFLIGHT: Final = "response to preflight request"


@dataclass(frozen=True)
class Reading:
    """A cause that the messages of a text report.

    Args:
        browser: The browser that prints the first of them.
        cause: The cause.
        occurrences: For each message, the parts that the browser filled in, by name. `method` is from a line of the
            network log, and `at_preflight` is set if the response to a preflight is meant.
    """

    browser: str
    cause: Cause
    occurrences: tuple[dict[str, str], ...]

    @property
    def filled(self) -> dict[str, str]:
        """The parts of the first message, with the names that only others have."""
        return {name: value for parts in reversed(self.occurrences) for name, value in parts.items()}

    def values(self, name: str) -> list[str]:
        """Return the different values that the browser filled in for `name`."""
        return list(dict.fromkeys(parts[name] for parts in self.occurrences if parts.get(name)))

    @property
    def is_of_preflight(self) -> bool:
        """Whether the response to a preflight is meant."""
        return self.cause.is_of_preflight or "at_preflight" in self.filled


@dataclass(frozen=True)
class Opening:
    """An opening with the text up to the next one, or the text before the first opening.

    Args:
        browser: The browser that prints it, or "" if there is no opening.
        start: Its place in the text.
        end: The place of its end.
        text: The text from its beginning up to the next opening.
        filled: The parts that the browser filled in.
    """

    browser: str
    start: int
    end: int
    text: str
    filled: dict[str, str]

    @property
    def reason(self) -> str:
        """The text after the opening."""
        return self.text[self.end - self.start :].strip(" :.")


@dataclass(frozen=True)
class _Place:
    """A reason in the text, and whether the opening before it is of the same browser."""

    template: Template
    start: int
    end: int
    filled: dict[str, str]
    has_same_browser: bool = True


def clean(text: str) -> str:
    """Return a pasted text with straight quotes and single spaces, and without the links that consoles insert."""
    text = html.unescape(html.unescape(text[:MAX_LENGTH]))
    text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    text = straighten(text.replace("\\'", "'").replace('\\"', '"').replace("\u200b", ""))
    text = re.sub(r"\\[rnt](?=[\\\sA-Z(]|$)", " ", text)
    text = _QUOTE_MARKS.sub("", _MARKDOWN_LINK.sub(r"\1", text))
    text = _BROKEN_WORD.sub("-", text)
    text = _SOURCE_LINK.sub("", f" {text} ")
    return re.sub(r"\s+", " ", text).strip()


def recognise(text: str) -> list[Reading]:
    """Return the causes that the messages in a text report, in its order.

    A message that says only that the request failed is left out if another message names the cause.
    """
    cleaned = clean(text)
    found = find_openings(cleaned)
    places = _without_overlaps(_reasons(cleaned, found))
    places = sorted([*places, *_truncated(found, places)], key=lambda place: place.start) or list(_beginning(cleaned))
    methods = {url: method for method, url in _NETWORK_LINE.findall(cleaned)}
    if any(_has_unknown_reason(place, _opening_of(place, found), places, cleaned) for place in places):
        places = [place for place in places if not (_cause(place).is_incomplete or _cause(place).is_echo)]
    readings = [_read(place, _opening_of(place, found), methods) for place in places]
    chosen = [reading for reading in readings if not reading.cause.is_incomplete] or readings
    chosen = [reading for reading in chosen if not reading.cause.is_echo] or chosen
    chosen = [reading for reading in chosen if reading.cause.code not in _LEAST_SPECIFIC] or chosen
    return _grouped(chosen, next((reading.filled["url"] for reading in readings if "url" in reading.filled), ""))


def _has_unknown_reason(place: _Place, opening: Opening, places: list[_Place], text: str) -> bool:
    """Return whether an opening is followed by a text that is not known."""
    start = max(place.end, opening.end)
    end = min((other.start for other in places if other.start > place.start), default=len(text))
    rest = text[start:end].strip(" :.").lower()
    is_beginning = any(template.beginning.startswith(rest) for template in reasons())
    return _cause(place).is_incomplete and not is_beginning and len(re.findall(r"[a-z]+", rest)) > _MAX_TAIL


def _grouped(readings: list[Reading], url: str) -> list[Reading]:
    """Return one reading for each cause. A message without a URL has that of the other messages."""
    groups: dict[str, list[Reading]] = {}
    for reading in readings:
        groups.setdefault(reading.cause.code, []).append(reading)
    default = {"url": url} if url else {}
    return [
        Reading(group[0].browser, group[0].cause, tuple(default | parts for one in group for parts in one.occurrences))
        for group in groups.values()
    ]


def find_openings(text: str) -> list[Opening]:
    """Return the openings in a cleaned text, after one for the text before them."""
    lower = text.lower()
    matches: dict[int, tuple[str, re.Match[str]]] = {}
    for template in openings():
        for match in find(template, text, lower):
            matches.setdefault(match.start(), (template.browser, match))
    starts = sorted(matches)
    found = [Opening("", 0, 0, text[: starts[0]] if starts else text, {})]
    for start, end in pairwise([*starts, len(text)]):
        browser, match = matches[start]
        part = text[start:end]
        found.append(Opening(browser, start, match.end(), part, _details(part) | _filled(match)))
    return found


def _filled(match: re.Match[str]) -> dict[str, str]:
    parts = {
        name: value for name, value in match.groupdict().items() if value is not None and not name.startswith("quote_")
    }
    if "url" in parts:
        parts["url"] = parts["url"].rstrip(".,:'\"")
    return parts


def _details(part: str) -> dict[str, str]:
    """Return the origin and the status that follow the reason of a message."""
    origin, status = _OLD_ORIGIN.search(part), _STATUS.search(part)
    details = {"origin": origin[1]} if origin else {}
    details |= {"status": status[1]} if status else {}
    return details | ({"at_preflight": "yes"} if _AT_PREFLIGHT in part.lower() else {})


def _reasons(text: str, found: list[Opening]) -> Iterator[_Place]:
    lower = text.lower()
    for template in reasons():
        continued = _CONTINUED.get(template.text)
        for match in find(template, text, lower):
            if continued and continued.match(text, match.end()):
                continue
            place = _Place(template, match.start(), match.end(), _filled(match))
            opening = _opening_of(place, found)
            place = replace(place, has_same_browser=template.browser == opening.browser)
            if (place.has_same_browser or not template.needs_opening) and _fits(
                template, opening.filled | place.filled
            ):
                yield place


def _opening_of(place: _Place, found: list[Opening]) -> Opening:
    """Return the opening before a reason. The reason may begin within the opening, or include it."""
    return next(opening for opening in reversed(found) if opening.start < place.end)


def _without_overlaps(places: Iterator[_Place]) -> list[_Place]:
    """Return the longest of the reasons that overlap, in the order of the text."""
    chosen: list[_Place] = []
    for place in sorted(places, key=lambda place: (place.start, -place.template.weight, not place.has_same_browser)):
        if not chosen or place.start >= chosen[-1].end:
            chosen.append(place)
    return chosen


def _truncated(found: list[Opening], places: list[_Place]) -> Iterator[_Place]:
    """Yield the reasons that were pasted without their end."""
    for opening in found[1:]:
        end = opening.start + len(opening.text)
        reason = opening.reason.lower()
        if len(reason) < _SHORTEST_BEGINNING or any(
            not _cause(place).is_incomplete and opening.start < place.end <= end for place in places
        ):
            continue
        template = _only_template(reason, opening.browser)
        if template is not None:
            yield _Place(template, opening.end, end, {})


def _beginning(text: str) -> Iterator[_Place]:
    """Yield the reason of a text that is nothing but its beginning."""
    reason = text.lower().strip(" :.")
    template = _only_template(reason, "") if len(reason) >= _SHORTEST_TEXT else None
    if template is not None:
        yield _Place(template, 0, len(text), {})


def _only_template(beginning: str, browser: str) -> Template | None:
    """Return the text that begins so, or None if there is none, or if texts of several causes do."""
    found = [
        template
        for template in reasons()
        if browser in {"", template.browser} and template.beginning.startswith(beginning)
    ]
    codes, texts = {template.cause.code for template in found if template.cause}, {template.text for template in found}
    return found[0] if 1 in (len(codes), len(texts)) else None


def _cause(place: _Place) -> Cause:
    cause = place.template.cause
    assert cause is not None  # noqa: S101 - reasons have one, unlike openings
    return cause


def _read(place: _Place, opening: Opening, methods: dict[str, str]) -> Reading:
    filled = opening.filled | place.filled
    method = methods.get(filled.get("url", ""))
    filled |= {"method": method} if method else {}
    return Reading(place.template.browser, _cause(place), ({name: value for name, value in filled.items() if value},))


def _fits(template: Template, filled: dict[str, str]) -> bool:
    """Distinguish causes for which a browser prints the same text, by the quoted value or the status."""
    code = template.cause.code if template.cause else ""
    value, status = filled.get("value"), filled.get("status", "")
    if template.text in _OF_FILES:
        return filled.get("url", "").startswith("file:") == (code == "CorsDisabledScheme")
    if code == "AllowOriginMismatch":
        return value is None or ("://" in value and not re.search(r"[,\s]", value)) or value == "null"
    if code == "InvalidAllowOriginValue":
        return value is None or not re.search(r"[,\s]", value)
    if code == "MultipleAllowOriginValues":
        return value is None or bool(re.search(r"[,\s]", value))
    return (
        status[:1] == "3" if code == "PreflightDisallowedRedirect" and "status" in template.pattern.groupindex else True
    )
