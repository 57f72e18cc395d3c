"""The texts of messages as regular expressions, and the openings with which browsers begin a message."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .cause import Cause
from .causes import CAUSES

CHROMIUM_OPENING: Final = "Access to {kind} at '{url}' from origin '{origin}' has been blocked by CORS policy: "
PREFLIGHT: Final = "Response to preflight request doesn't pass access control check: "
FIREFOX_OPENING: Final = (
    "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {url}. (Reason: "
)
# The parts that a browser fills in. Each has a limit, so that the work grows with the length of the text only.
_WORD: Final = r"\S{1,2000}?"
_PARTS: Final = {
    "kind": r"[\w-]+(?: [\w-]+){0,4}?",
    "url": _WORD,
    "page": _WORD,
    "origin": _WORD,
    "value": r".{0,500}?",
    "name": r"[^\s'\")]{0,200}",
    "status": r"\(?\w{1,10}\)?",
    # The errors of Chromium's network stack that are reported before there is a response.
    "reason": (
        r"(?:CONNECTION|NAME|CERT|SSL|ADDRESS|NETWORK|TUNNEL|PROXY|SOCKS|SOCKET|DNS|HTTP2|QUIC|ICANN)_\w{1,80}"
        r"|TIMED_OUT|INTERNET_DISCONNECTED|EMPTY_RESPONSE|INSECURE_RESPONSE|INVALID_HTTP_RESPONSE|UNSAFE_PORT"
        r"|BLOCKED_BY_CLIENT|BLOCKED_BY_ADMINISTRATOR"
    ),
}
_LOADING: Final = "has been blocked from loading by Cross-Origin Resource Sharing policy"
_BLOCKED: Final = "from origin '{origin}' has been blocked by CORS policy"
_OPENINGS: Final = {
    "Chromium": (
        f"Access to {{kind}} at '{{url}}' (redirected from '{{first}}') {_BLOCKED}",
        f"Access to {{kind}} at '{{url}}' {_BLOCKED}",
        "Redirect from '{first}' to '{url}' has been blocked by CORS policy",
        "Redirect at '{url}' from origin '{origin}' has been blocked by CORS policy",
        f"{{kind}} at '{{url}}' from origin '{{origin}}' {_LOADING}",
        f"{{kind}} from origin '{{url}}' {_LOADING}",
        "XMLHttpRequest cannot load {url}",
        "Fetch API cannot load {url}",
        "EventSource cannot load {url}",
        "Failed to load {url}:",
    ),
    "Firefox": ("Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {url}",),
}
_WINDOW: Final = 2500  # characters
_MAX_PLACES: Final = 50
# A reason without an opening is recognised if it is long enough (in characters), or names CORS.
_SHORTEST_FRAGMENT: Final = 30
_SHORTEST_WITH_NAME: Final = 20
_NAMES: Final = re.compile("cors|access-control|preflight|origin", re.IGNORECASE)
_WORD_END: Final = r"(?=[).,:]*(?:\s|$))"
_QUOTES: Final = str.maketrans("‘’“”`´«»", "''\"\"''\"\"")  # noqa: RUF001 - quotes of all kinds


@dataclass(frozen=True)
class Template:
    """A text that a browser prints.

    Args:
        browser: The browser.
        cause: The cause that it reports, or None for an opening.
        text: The text.
        literal: Its longest part without a placeholder or a quote, in lower case. It occurs in every message.
        pattern: The text as a regular expression, which accepts any quotes, and no full stop at the end.
        weight: The number of characters without the placeholders.
        needs_opening: Whether the text alone is too short to be recognised.
        beginning: The text as the beginning of a paste is compared with: straight quotes, in lower case.
    """

    browser: str
    cause: Cause | None
    text: str
    literal: str
    pattern: re.Pattern[str]
    weight: int
    needs_opening: bool
    beginning: str


def straighten(text: str) -> str:
    """Return a text with straight quotes."""
    return text.translate(_QUOTES)


def _compile(browser: str, cause: Cause | None, text: str) -> Template:
    whole = text.startswith("!") or cause is None
    straight = straighten(text.removeprefix("!")).rstrip(".")
    fixed = re.split(r"{\w+}|['\"]", straight)
    expression = "".join(map(_part, re.split(r"(['\"]?{\w+}['\"]?)", straight)))
    weight = sum(map(len, fixed))
    shortest = _SHORTEST_WITH_NAME if _NAMES.search(straight) else _SHORTEST_FRAGMENT
    return Template(
        browser=browser,
        cause=cause,
        text=text,
        literal=max(fixed, key=len).lower(),
        pattern=re.compile(expression + (_WORD_END if straight.endswith("}") else ""), re.IGNORECASE),
        weight=weight,
        needs_opening=not whole and weight < shortest,
        beginning=straight.lower(),
    )


def _part(part: str) -> str:
    """Return the expression for a placeholder, or for the text between two placeholders."""
    placeholder = re.fullmatch(r"(['\"]?){(\w+)}(['\"]?)", part)
    if placeholder is None:
        return re.sub(r"['\"]", _optional("'"), re.escape(part))
    before, name, after = placeholder.groups()
    value = f"(?P<{name}>{_PARTS.get(name, _WORD)})"
    if before and after:  # the value ends at the same quote, or if there is none, with the word
        return f"(?P<quote_{name}>['\"])?{value}(?(quote_{name})(?P=quote_{name})|{_WORD_END})"
    return f"{_optional(before)}{value}{_optional(after)}"


def _optional(quote: str) -> str:
    return "['\"]?" if quote else ""


def _texts(cause: Cause) -> Iterator[tuple[str, str]]:
    for browser, texts in (
        ("Chromium", cause.chromium),
        ("Firefox", cause.firefox),
        ("Safari", cause.safari),
        ("Chromium", cause.older),
        ("Edge", cause.edge),
    ):
        for text in texts:
            yield browser, text


@functools.cache
def reasons() -> tuple[Template, ...]:
    """Return the texts of all causes."""
    return tuple(_compile(browser, cause, text) for cause in CAUSES for browser, text in _texts(cause))


@functools.cache
def openings() -> tuple[Template, ...]:
    """Return the openings of all browsers."""
    return tuple(_compile(browser, None, text) for browser, texts in _OPENINGS.items() for text in texts)


def find(template: Template, text: str, lower: str) -> Iterator[re.Match[str]]:
    """Yield the first places of a template in a text, whose lower case is `lower`.

    The expression is tried only around the literal part, so that the work grows with the length of the text only.
    """
    start = end = 0
    for _ in range(_MAX_PLACES):
        start = lower.find(template.literal, max(start, end))
        if start < 0:
            return
        after = start + len(template.literal)
        match = template.pattern.search(text, max(end, start - _WINDOW), after + _WINDOW)
        if match is not None:
            yield match
            end = match.end()
        start = after
