"""The path of a route with its variables, and the paths that it may match."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from asgi_cors._routing.paths import literal_prefix

PathKey = str | re.Pattern[str]  # a key of the option `paths`


@dataclass(frozen=True)
class Variable:
    """A variable part of a path.

    Args:
        expression: A regular expression that matches every value.
        sample: One value.
        has_slashes: Whether a value may contain slashes.
    """

    expression: str = "[^/]+"
    sample: str = "x"
    has_slashes: bool = False


_BELOW: Final = Variable("(?:/.*)?", "/x", has_slashes=True)


@dataclass(frozen=True)
class PathTemplate:
    """The path of a route.

    Args:
        text: The path as the framework spells it.
        parts: The same in parts: text, and variables.
        is_subtree: Whether all paths below it are served, too, as those of a folder of files.
    """

    text: str = ""
    parts: tuple[str | Variable, ...] = ()
    is_subtree: bool = False

    def __add__(self, other: PathTemplate) -> PathTemplate:
        """Return the template of a route below this one."""
        return PathTemplate(self.text + other.text, self.parts + other.parts, other.is_subtree)

    def after(self, parts: int) -> PathTemplate:
        """Return the template without its first parts, as a mounted app sees it."""
        return PathTemplate(self.text, self.parts[parts:], self.is_subtree)

    @property
    def shown(self) -> str:
        """The path for a report."""
        return f"{self.text.rstrip('/')}/*" if self.is_subtree else self.text or "/"

    @property
    def sample(self) -> str:
        """A path that the template matches."""
        path = "".join(part if isinstance(part, str) else part.sample for part in self._all_parts)
        return path if path.startswith("/") else f"/{path}"

    @property
    def _all_parts(self) -> tuple[str | Variable, ...]:
        return (*self.parts, _BELOW) if self.is_subtree else self.parts

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = (re.escape(part) if isinstance(part, str) else f"(?:{part.expression})" for part in self._all_parts)
        try:
            return re.compile("".join(parts))
        except re.error:  # the expressions of several variables have groups of the same name
            return re.compile(".*")

    def matches(self, path: str) -> bool:
        """Return whether the template matches a path."""
        return self._regex.fullmatch(path) is not None or (path == "/" and self._regex.fullmatch("") is not None)

    def may_match(self, key: PathKey) -> bool:
        """Return whether a key of `paths` may match a path of this route. False is certain."""
        if not isinstance(key, str):
            return self._may_match_regex(key)
        if key.endswith("/*"):
            stem = key.removesuffix("/*")
            return self._may_begin_with(stem.split("/"), is_partial=False)
        return self.matches(key) or self.matches(key.rstrip("/") if key.endswith("/") else f"{key}/")

    def _may_match_regex(self, key: re.Pattern[str]) -> bool:
        if not any(isinstance(part, Variable) for part in self._all_parts):
            return key.fullmatch(self.sample) is not None
        # Whether two regular expressions have a path in common is not decided. Their literal beginnings are compared.
        return self._may_begin_with(literal_prefix(key).split("/"), is_partial=True)

    def _may_begin_with(self, segments: list[str], *, is_partial: bool) -> bool:
        """Return whether a path of this route may begin with segments. The last one may be incomplete."""
        own = self._segments
        for number, segment in enumerate(segments):
            if number >= len(own):
                return self.is_subtree
            template = own[number]
            parts = template.parts
            has_slashes = any(isinstance(part, Variable) and part.has_slashes for part in parts)
            if has_slashes or (is_partial and number == len(segments) - 1):
                return _begin_alike(parts, segment)
            if not template.matches_segment(segment):
                return False
        return True

    @cached_property
    def _segments(self) -> list[PathTemplate]:
        """The parts between slashes. Each is compared with every key of `paths`."""
        return [PathTemplate(parts=parts) for parts in _segments(self.parts)]

    def matches_segment(self, segment: str) -> bool:
        """Return whether the template matches one segment of a path, without slashes."""
        if len(self.parts) == 1 and isinstance(self.parts[0], str):
            return self.parts[0] == segment
        return self._regex.fullmatch(segment) is not None


def _begin_alike(parts: tuple[str | Variable, ...], text: str) -> bool:
    """Return False if parts of a path can't begin with a text, and the text can't begin with their first part."""
    first = parts[0] if parts else ""
    return isinstance(first, Variable) or first.startswith(text) or (len(parts) > 1 and text.startswith(first))


def _segments(parts: tuple[str | Variable, ...]) -> list[tuple[str | Variable, ...]]:
    """Split the parts of a path at its slashes."""
    segments: list[list[str | Variable]] = [[]]
    for part in parts:
        if isinstance(part, Variable):
            segments[-1].append(part)
            continue
        first, *others = part.split("/")
        segments[-1] += [first] if first else []
        segments.extend([other] if other else [] for other in others)
    return [tuple(segment) for segment in segments]
