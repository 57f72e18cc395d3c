"""Header lists (Fetch, Headers).

- "get" joins the lines of a name with `, `. Each line is stripped of spaces and tabs at both ends.
- "extract header list values" parses `#token` in every line: white space around elements and empty elements are
  allowed. One element that is not a token voids the whole header.

RFC 9110, 5.6.2: token = 1*( "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" /
DIGIT / ALPHA )
"""

from __future__ import annotations

import re
from collections.abc import Iterable

RawHeaders = Iterable[tuple[bytes, bytes]]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def is_token(text: str) -> bool:
    """Return whether the text is a token (RFC 9110, 5.6.2)."""
    return _TOKEN.fullmatch(text) is not None


class MalformedListError(ValueError):
    """An element of a header with a list is not a token."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


class HeaderList:
    """The headers of one response, by lower-case name."""

    __slots__ = ("_lines",)

    def __init__(self, raw: RawHeaders) -> None:
        self._lines: dict[str, list[str]] = {}
        for name, value in raw:
            self._lines.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1").strip(" \t"))

    def remove_empty_lines(self, *, except_of: str) -> None:
        """Remove the empty lines of each header that also has others, except of the header `except_of`."""
        for name, lines in self._lines.items():
            if name != except_of and any(lines):
                self._lines[name] = [line for line in lines if line]

    def names(self) -> set[str]:
        """Return the names, in lower case."""
        return set(self._lines)

    def lines(self, name: str) -> list[str]:
        """Return the values of the header, one for each line."""
        return self._lines.get(name, [])

    def get(self, name: str) -> str | None:
        """Return the header's lines joined with a comma and a space, or None if the header is absent."""
        lines = self._lines.get(name)
        return None if lines is None else ", ".join(lines)

    def tokens(self, name: str) -> list[str] | None:
        """Extract the header list values. Return None if the header is absent. Raises MalformedListError."""
        lines = self._lines.get(name)
        if lines is None:
            return None
        tokens = [element for line in lines for part in line.split(",") if (element := part.strip(" \t"))]
        for token in tokens:
            if not is_token(token):
                raise MalformedListError(token)
        return tokens
