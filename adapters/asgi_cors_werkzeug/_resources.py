"""Paths as Flask-CORS's `resources` has them, parsed as `paths` of a configuration.

A string is an exact path (`/items`), a prefix (`/api/*` matches `/api` and all paths below, `/item*` matches all paths
that begin with `/item`), or `*` for every path. A string with another character that only regular expressions use is a
regular expression, which must match the whole path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from asgi_cors import ConfigError, Issue

Path = str | re.Pattern[str]

_ONLY_IN_REGEXES: Final = frozenset("*\\]?$^[]()")
_REPEATED: Final = re.compile(r"(?<!\\)[\w/-]\*")
EVERY_PATH: Final = "/*"
_EVERYTHING: Final = re.compile(".*")  # the same, with the rank of a regular expression


class Resources(dict[Path, Any]):
    """Values by path pattern, and how the user wrote each pattern.

    Two spellings of one pattern are two patterns, of the same rank, so that both apply.
    """

    def __init__(self) -> None:
        """Begin empty; see the class."""
        super().__init__()
        self._spellings: dict[Path, object] = {}

    def add(self, path: Path, spelling: object, value: Any) -> None:
        """Add a value. If another spelling of the same pattern has another value, both are stored."""
        if path == EVERY_PATH and self.get(path, value) != value:
            self.add(_EVERYTHING, self._spellings.pop(path), self.pop(path))
            path = _EVERYTHING
        while isinstance(path, re.Pattern) and self.get(path, value) != value:
            path = re.compile(f"{path.pattern}(?:)", path.flags)  # it matches the same paths, with the same rank
        self[path] = value
        self._spellings.setdefault(path, spelling)

    def describe(self, path: Path) -> str:
        """Return the user's own text for a pattern, for messages."""
        spelling = self._spellings.get(path, path)
        return f"resources[{getattr(spelling, 'pattern', spelling)!r}]"


def parse_resources(resources: Any) -> Resources:
    """Return the value for each path: that of a mapping, otherwise an empty mapping.

    Raises:
        ConfigError: With every value that is not a path, or a list or mapping of paths, and every invalid regular
            expression.
    """
    issues: list[Issue] = []
    found = Resources()
    for spelling, value in _pairs(resources, issues):
        path = _parse_path(spelling, issues)
        if path is not None:
            found.add(path, spelling, value)
    if issues:
        raise ConfigError(issues)
    return found


def parse_regex(text: str, option: str, issues: list[Issue], flags: int = 0) -> re.Pattern[str] | None:
    """Compile a regular expression. Warn if its `*` was probably meant as a wildcard."""
    try:
        regex = re.compile(text, flags)
    except (re.error, RecursionError, OverflowError) as error:
        message = f"{text!r:.200} is not a path pattern or a valid regular expression ({error})"
        hint = "If a regular expression is meant, write re.compile(r'…')."
        issues.append(Issue("bad-regex", option, text, message, hint))
        return None
    if repeated := _REPEATED.search(text):
        message = f"{text!r} is a regular expression, in which {repeated[0]!r} matches any number of {repeated[0][0]!r}"
        hint = f"Write {text.replace('*', '.*')!r} to match any text."
        Issue("star-in-regex", option, text, message, hint).warn()
    return regex


def is_regex(text: str) -> bool:
    """Return whether a text has a character that only regular expressions use."""
    return not _ONLY_IN_REGEXES.isdisjoint(text)


def _pairs(resources: Any, issues: list[Issue]) -> Iterable[tuple[object, Any]]:
    if isinstance(resources, Mapping):
        return cast("Mapping[object, Any]", resources).items()
    if isinstance(resources, (str, re.Pattern)):
        return ((cast("object", resources), {}),)
    entries = list_of(resources)
    if entries is not None:
        return ((path, {}) for path in entries)
    hint = "Write resources={'/api/*': {'origins': […]}}."
    issues.append(Issue.wrong_type("resources", resources, "a path, or a list or mapping of paths", hint))
    return ()


def list_of(value: object) -> list[Any] | None:
    """Return the entries of an iterable; None for other values, such as a NumPy array without dimensions."""
    is_iterable = isinstance(value, Iterable)
    try:
        return list(cast("Iterable[Any]", value)) if is_iterable else None
    except TypeError:
        return None


def _parse_path(path: object, issues: list[Issue]) -> Path | None:
    if not isinstance(path, str | re.Pattern):
        hint = "Use a string such as '/api/*', or re.compile(…)."
        issues.append(Issue.wrong_type("resources", path, "a string or a regular expression of str", hint))
        return None
    if isinstance(path, re.Pattern):
        return cast("Path", path)
    if path == "*":
        return EVERY_PATH
    stem = path.removesuffix("/*")
    if not is_regex(stem):
        return path
    if re.search(r"[\w-]\*$", path) and not is_regex(path[:-1]):
        return re.compile(f"{re.escape(path[:-1])}.*")
    below = f"(?:{stem})(?:/.*)?" if "|" in stem else f"{stem}(?:/.*)?"
    return parse_regex(path if stem == path else below, "resources", issues)
