"""Paths as people write them: `/exact`, `/prefix/*`, a regular expression; and which of them serves a path.

The one that applies is the one with the longest literal prefix: it counts how much of a path is spelled out, not how
long the text is. An exact path is all spelled out; of others that spell out the same, the one written first applies,
with a warning. `/*` comes last. A regular expression must match the whole path, and its `.` any character.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar, cast

from ._errors import issue
from ._scope import other_readings

if TYPE_CHECKING:
    from ._issue import Issue

PathPattern = str | re.Pattern[str]
T = TypeVar("T")

_ALL: Final = "/*"
_MISSING: Final = object()

_START: Final = re.compile(r"(?:\(\?[a-z]+\))?(?:\^|\\A)?")
_CHARACTER: Final = re.compile(r"(?:\\([^a-zA-Z0-9])|([^\\.^$*+?{}\[\]|()]))([*?{]|\+)?", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)
_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]")
_GROUP: Final = re.compile(r"\([^()]*\)")


class _Pattern(NamedTuple, Generic[T]):
    matches: Callable[[str], object]
    value: T


class Paths(Generic[T]):
    """Values by path, found at the cost of one look-up for each length of literal prefix, however many there are.

    Args:
        values: The values, by path; each path is one that `path_issue` finds nothing wrong with.
        default: The value of a path that none of them matches, where `/*` isn't among them.
    """

    def __init__(self, values: Mapping[PathPattern, T], default: T) -> None:
        """Index the paths by their literal prefix."""
        self._default = default
        self._exact: dict[str, T] = {}
        self._patterns: dict[str, list[_Pattern[T]]] = {}
        for path, value in values.items():
            if path == _ALL:
                self._default = value
            elif isinstance(path, str) and not path.endswith(_ALL):
                self._exact[path] = value
            else:
                self._patterns.setdefault(literal_prefix(path), []).append(_Pattern(_matcher(path), value))
        self._lengths = sorted({len(prefix) for prefix in self._patterns}, reverse=True)

    def values(self) -> Iterator[T]:
        """Give all values, the default among them."""
        yield self._default
        yield from self._exact.values()
        for patterns in self._patterns.values():
            yield from (pattern.value for pattern in patterns)

    def find(self, path: str) -> T:
        """Give the value of the path that serves `path`."""
        found = self._exact.get(path, _MISSING)
        if found is not _MISSING:
            return cast("T", found)
        for length in self._lengths:
            for pattern in self._patterns.get(path[:length], ()):
                if pattern.matches(path):
                    return pattern.value
        return self._default


def path_issue(path: Any) -> Issue | None:
    """Tell what is wrong with what stands for a path; None where it is one."""
    if _is_regex(path):
        return _regex_issue(path) if isinstance(path.pattern, str) else _wrong_type(path)
    if not isinstance(path, str):
        return _wrong_type(path)
    stem = path.removesuffix(_ALL)
    if "*" not in stem and (path.startswith("/") or path == _ALL):
        return _never(path)
    message = f"{path!r} is no path: it begins with a slash, and has a '*' only as its last segment"
    inner = stem.strip("/*")
    hint = f"Write '/{inner}/*' for all below it." if inner else "Write '/*' for every path."
    return issue("bad-path", "paths", path, message, hint if "*" in path else f"Write '/{path}'.")


def _never(path: str) -> Issue | None:
    """Tell of a path that no request has: paths are compared decoded, without a query."""
    decoded = urllib.parse.unquote(path)
    found = "is percent-encoded, and paths are compared decoded" if decoded != path else ""
    if re.search(r"[?#]", path):
        found, decoded = "has a query or fragment, which is no part of a path", re.split(r"[?#]", path)[0]
    if other_readings(path):
        found, decoded = "has a dot segment, a doubled slash or a control character", min(other_readings(path), key=len)
    return issue("bad-path", "paths", path, f"{path!r} {found}", f"Write {decoded!r}.") if found else None


def _is_regex(value: object) -> bool:
    return isinstance(value, re.Pattern)


def _wrong_type(path: object) -> Issue:
    return issue("wrong-type", "paths", path, f"{path!r} is no string, and no regular expression of one")


def _regex_issue(path: re.Pattern[str]) -> Issue | None:
    from ._regex_hints import path_cost_issue  # noqa: PLC0415 - most paths are no regular expressions

    prefix = literal_prefix(path)
    if not prefix or prefix.startswith("/"):
        return path_cost_issue(path, "paths")
    message = f"{path.pattern!r} matches no path: a path begins with a slash"
    return issue("bad-path", "paths", path.pattern, message, f"Write re.compile({'/' + path.pattern!r}).")


def ties(paths: Iterable[PathPattern]) -> list[Issue]:
    """Find the patterns of which only their order tells which applies."""
    first: dict[str, PathPattern] = {}
    found: list[Issue] = []
    for path in paths:
        if path == _ALL or (isinstance(path, str) and not path.endswith(_ALL)):
            continue
        prefix = literal_prefix(path)
        other = first.setdefault(prefix, path)
        if other is not path:
            message = f"{_shown(path)} and {_shown(other)} both begin with {prefix!r}; the one written first applies"
            hint = "Spell out more of the one that is meant to apply."
            found.append(issue("paths-tie", "paths", _shown(path), message, hint))
    return found


def literal_prefix(path: PathPattern) -> str:
    """Give what every path that a pattern matches begins with, as far as the pattern spells it out."""
    if isinstance(path, str):
        return path.removesuffix(_ALL)
    if path.flags & re.VERBOSE or _has_alternatives(path.pattern):
        return ""
    literal = ""
    start = _START.match(path.pattern)
    position = start.end() if start else 0
    while character := _CHARACTER.match(path.pattern, position):
        escaped, plain, repeated = character.groups()
        letter: str = escaped or plain
        either_case = path.flags & re.IGNORECASE and letter.lower() != letter.upper()
        if either_case or (repeated and repeated != "+"):
            break
        literal += letter
        if repeated:
            break
        position = character.end()
    return literal


def _has_alternatives(text: str) -> bool:
    """Tell whether a regular expression has a `|` outside of every group."""
    text = _CLASS.sub("", _ESCAPE.sub("", text))
    while text != (text := _GROUP.sub("", text)):
        pass
    return "|" in text


def _matcher(path: PathPattern) -> Callable[[str], object]:
    if isinstance(path, re.Pattern):
        # A path may hold a newline, which must not slip past the rule that is written for it.
        return re.compile(path.pattern, path.flags | re.DOTALL).fullmatch
    stem = path.removesuffix(_ALL)
    below = stem + "/"
    return lambda path: path == stem or path.startswith(below)


def _shown(path: PathPattern) -> str:
    return repr(path.pattern if isinstance(path, re.Pattern) else path)
