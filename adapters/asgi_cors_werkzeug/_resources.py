"""Paths as Flask-CORS's `resources` has them, made `paths` of a configuration.

A text is a path (`/items`), a prefix (`/api/*`: itself and all below; `/item*`: all that begins so), or, where it holds
another character that only regular expressions use, one of these, which must match the whole path. `*` is every path.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
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
        """Begin without any."""
        super().__init__()
        self._spellings: dict[Path, object] = {}

    def add(self, path: Path, spelling: object, value: Any) -> None:
        """Add a value; if another spelling of the same pattern has another value, next to that."""
        if path == EVERY_PATH and self.get(path, value) != value:
            self.add(_EVERYTHING, self._spellings.pop(path), self.pop(path))
            path = _EVERYTHING
        while isinstance(path, re.Pattern) and self.get(path, value) != value:
            path = re.compile(f"{path.pattern}(?:)", path.flags)  # it matches the same paths, with the same rank
        self[path] = value
        self._spellings.setdefault(path, spelling)

    def describe(self, path: Path) -> str:
        """Return how the user knows a pattern, for messages."""
        spelling = self._spellings.get(path, path)
        return f"resources[{getattr(spelling, 'pattern', spelling)!r}]"


def read_resources(resources: Any) -> Resources:
    """Give what is written for each path: of a table its values, else an empty mapping.

    Raises:
        ConfigError: Of what is no path, list or table of paths, and of each regular expression that isn't one.
    """
    issues: list[Issue] = []
    found = Resources()
    for written, options in _pairs(resources, issues):
        path = _read(written, issues)
        if path is not None:
            found.add(path, written, options)
    if issues:
        raise ConfigError(issues)
    return found


def read_regex(text: str, option: str, issues: list[Issue], flags: int = 0) -> re.Pattern[str] | None:
    """Compile a regular expression, with a warning where its `*` looks like that of a shell's pattern."""
    try:
        regex = re.compile(text, flags)
    except (re.error, RecursionError, OverflowError) as error:
        message = f"{text!r:.200} is no pattern of ours, and no regular expression either ({error})"
        issues.append(Issue("bad-regex", option, text, message, "Write re.compile(r'…') to say what is meant."))
        return None
    if repeated := _REPEATED.search(text):
        message = f"{text!r} is a regular expression, in which {repeated[0]!r} is any number of {repeated[0][0]!r}"
        hint = f"Write {text.replace('*', '.*')!r} for anything."
        Issue("star-in-regex", option, text, message, hint).warn()
    return regex


def is_regex(text: str) -> bool:
    """Tell whether a text holds what only regular expressions have."""
    return not _ONLY_IN_REGEXES.isdisjoint(text)


def _pairs(resources: Any, issues: list[Issue]) -> Iterable[tuple[object, Any]]:
    if isinstance(resources, Mapping):
        return cast("Mapping[object, Any]", resources).items()
    if isinstance(resources, (str, re.Pattern)):
        return ((cast("object", resources), {}),)
    if isinstance(resources, Iterable):
        return ((path, {}) for path in cast("Iterable[object]", resources))
    hint = "Write resources={'/api/*': {'origins': […]}}."
    issues.append(Issue.wrong_type("resources", resources, "a path, list or table of paths", hint))
    return ()


def _read(path: Any, issues: list[Issue]) -> Path | None:
    if not isinstance(path, Hashable):
        hint = "Write a string, or a compiled expression."
        issues.append(Issue.wrong_type("resources", path, "a path", hint))
        return None
    if not isinstance(path, str):
        return cast("Path", path)  # a compiled expression, or what the core refuses by itself
    if path == "*":
        return EVERY_PATH
    stem = path.removesuffix("/*")
    if not is_regex(stem):
        return path
    if re.search(r"[\w-]\*$", path) and not is_regex(path[:-1]):
        return re.compile(f"{re.escape(path[:-1])}.*")
    below = f"(?:{stem})(?:/.*)?" if "|" in stem else f"{stem}(?:/.*)?"
    return read_regex(path if stem == path else below, "resources", issues)
