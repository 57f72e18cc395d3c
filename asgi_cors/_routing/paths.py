"""Path patterns: `/exact`, `/prefix/*` or a regular expression; and the one that serves a path.

The pattern with the longest literal prefix applies. An exact path wins over every pattern, and also matches the same
path with or without a final slash. If several patterns have the same literal prefix, all of them apply. `/*` comes
last. A regular expression must match the whole path, and its `.` matches any character.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar, cast

from asgi_cors._errors import Issue, show
from asgi_cors._origins.regex.hints import path_cost_issue

from .route_path import (
    alternative_paths,
    fold_case,
    may_be_ambiguous,
    remove_controls,
    remove_dot_segments,
    remove_root,
    route_path,
)

if TYPE_CHECKING:
    from asgi_cors._http import Scope

PathPattern = str | re.Pattern[str]
T = TypeVar("T")

MAX_MATCHED_LENGTH: Final = 2048  # characters of a path that is matched by regular expressions

_ALL: Final = "/*"

_START: Final = re.compile(r"(?:\(\?[a-z]+\))?(?:\^|\\A)?")
_CHARACTER: Final = re.compile(r"(?:\\([^a-zA-Z0-9])|([^\\.^$*+?{}\[\]|()]))([*?{]|\+)?", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)
_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]")
_GROUP: Final = re.compile(r"\([^()]*\)")


class PathMatch(NamedTuple, Generic[T]):
    """The values that serve one path.

    Args:
        values: All of them apply.
        is_ambiguous: Whether an alternative path leads to other values. These are in `values`, too.
    """

    values: tuple[T, ...]
    is_ambiguous: bool = False


class PathTable(Generic[T]):
    """Values by path pattern. A look-up costs one step for each length of literal prefix, at any number of patterns.

    Args:
        values: The values, by valid pattern; see `path_issue`.
        default: The value of a path that no pattern matches, if `/*` isn't one of them.
    """

    def __init__(self, values: Mapping[PathPattern, T], default: T) -> None:
        """Index the patterns by their literal prefix."""
        self._default = values.get(_ALL, default)
        patterns = {path: value for path, value in values.items() if path != _ALL}
        self._has_regex = any(isinstance(path, re.Pattern) for path in patterns)
        self._index = _Index(patterns)
        is_folded = not self._has_regex and all(fold_case(path) == path for path in patterns if isinstance(path, str))
        self._folded = self._index if is_folded else _Index(patterns, ignore_case=True)
        self._longest = max((len(path) for path in patterns if isinstance(path, str)), default=0)
        self.values = tuple(dict.fromkeys((*patterns.values(), self._default)))

    def match(self, path: str, root: str = "") -> PathMatch[T]:
        """Return the values that serve `path`, which may be below the root path `root`."""
        if len(path) > MAX_MATCHED_LENGTH:
            repeats_root = root.strip("/") != "" and path.find(root.rstrip("/"), 1) > 0
            if self._has_regex or may_be_ambiguous(path) or repeats_root:
                return PathMatch(self.values, is_ambiguous=True)
            path = path[: self._longest + len(root) + 2]  # patterns without regular expressions need no more
        routed = remove_root(path, root)
        found = self._find(routed)
        alternatives = alternative_paths(path, root, self._index.exact)
        readings = [found, *map(self._find, alternatives)]
        readings += map(self._find_ignoring_case, (routed, *alternatives))
        if all(reading == found for reading in readings):
            return PathMatch(found)
        return PathMatch(tuple(dict.fromkeys(value for reading in readings for value in reading)), is_ambiguous=True)

    def _find(self, path: str) -> tuple[T, ...]:
        return self._index.find(path, path)[1] or (self._default,)

    def _find_ignoring_case(self, path: str) -> tuple[T, ...]:
        folded = fold_case(path)
        rank, found = self._index.find(path, path)
        if folded != path or self._folded is not self._index:
            folded_rank, others = self._folded.find(folded, path)
            # Otherwise a pattern spells out this letter case, and no exact path matches in another one.
            if folded != path or rank <= len("/") or folded_rank > len(path) >= rank:
                found = others
        return found or (self._default,)


class _Pattern(NamedTuple, Generic[T]):
    matches: Callable[[str, str], object]  # the path, folded or not, and the original path
    value: T


class _Index(Generic[T]):
    """Values by exact path and by literal prefix. With `ignore_case`, the letters of both are folded."""

    def __init__(self, values: Mapping[PathPattern, T], *, ignore_case: bool = False) -> None:
        self.exact: dict[str, list[T]] = {}  # with folded letters, there may be several values
        self._patterns: dict[str, list[_Pattern[T]]] = {}
        folded = fold_case if ignore_case else str
        for path, value in values.items():
            if isinstance(path, str) and not path.endswith(_ALL):
                self.exact.setdefault(folded(path), []).append(value)
                continue
            pattern = _Pattern(_matcher(path, ignore_case=ignore_case), value)
            self._patterns.setdefault(folded(literal_prefix(path)), []).append(pattern)
        self._lengths = sorted({len(prefix) for prefix in self._patterns}, reverse=True)

    def find(self, path: str, original: str) -> tuple[int, tuple[T, ...]]:
        """Return the highest rank of the matching patterns, and their values. No values: no pattern matches.

        The rank is the length of the literal prefix.
        """
        for exact in (path, _toggle_final_slash(path)):
            if exact in self.exact:
                return len(path) + 1, tuple(dict.fromkeys(self.exact[exact]))
        for length in self._lengths:
            patterns = self._patterns.get(path[:length], ())
            found = [pattern.value for pattern in patterns if pattern.matches(path, original)]
            if found:
                return length, tuple(dict.fromkeys(found))
        return 0, ()


def _toggle_final_slash(path: str) -> str:
    if path == "/" or path.endswith("//"):
        return path
    return path[:-1] if path.endswith("/") else f"{path}/"


def _matcher(path: PathPattern, *, ignore_case: bool) -> Callable[[str, str], object]:
    if isinstance(path, re.Pattern):
        # A path may have a newline, which must not bypass its rule.
        flags = path.flags | re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        fullmatch = re.compile(path.pattern, flags).fullmatch
        return lambda _, original: fullmatch(original)
    stem = fold_case(path.removesuffix(_ALL)) if ignore_case else path.removesuffix(_ALL)
    below = stem + "/"
    return lambda path, _: path == stem or path.startswith(below)


def literal_prefix(path: PathPattern) -> str:
    """Return the text with which every path that the pattern matches begins."""
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
    """Return whether a regular expression has a `|` outside of every group."""
    text = _CLASS.sub("", _ESCAPE.sub("", text))
    while text != (text := _GROUP.sub("", text)):
        pass
    return "|" in text


def ambiguous_patterns(policies: Mapping[PathPattern, object]) -> Iterator[tuple[PathPattern, PathPattern]]:
    """Yield the pairs of patterns that have the same literal prefix and different policies."""
    first: dict[str, PathPattern] = {}
    for path, policy in policies.items():
        if path == _ALL or (isinstance(path, str) and not path.endswith(_ALL)):
            continue
        other = first.setdefault(literal_prefix(path), path)
        if policies[other] != policy:
            yield other, path


def mount_pattern(scope: Scope, outer_root_path: str) -> str:
    """Return the code of a key of `paths`, for an outer middleware, that matches all paths of a mounted app.

    Args:
        scope: A request as the mounted app gets it, but with the path that the outer middleware got.
        outer_root_path: The root path of the outer middleware's app.
    """
    mount = _mount(scope, outer_root_path)
    pattern = f"/{mount}/*" if mount else _ALL
    if path_issue(pattern) is None:
        return ascii(pattern)
    expression = re.escape(f"/{mount}") + "(?:/.*)?"
    return f"re.compile({expression!a})"


def _mount(scope: Scope, outer_root_path: str) -> str:
    """Return the root path of a mounted app relative to an outer one; empty if the request's path has none."""
    root: str = scope.get("root_path", "").rstrip("/")
    for outer in (outer_root_path.rstrip("/"), scope.get("app_root_path", "").rstrip("/")):  # the second is Starlette's
        if not f"{root}/".startswith(f"{outer}/"):
            continue
        mount = root[len(outer) :].strip("/")
        path = route_path({**scope, "root_path": outer})  # as the outer middleware matches it
        if not mount or f"{path}/".startswith(f"/{mount}/"):
            return mount
    return ""


# -- invalid patterns


def path_issue(path: Any) -> Issue | None:
    """Return the mistake in a path pattern, or None."""
    if _is_regex(path):
        return _regex_issue(path) if isinstance(path.pattern, str) else _wrong_type(path)
    if not isinstance(path, str):
        return _wrong_type(path)
    stem = path.removesuffix(_ALL)
    if "*" not in stem and (path.startswith("/") or path == _ALL):
        return _unreachable_issue(path)
    if not path.strip():
        message, hint = f"{path!r} is not a valid path: it is empty", "Write '/'."
    elif path.startswith("/"):
        message, hint = f"{path!r} is not a valid path. '*' must be the last segment", _wildcard_hint(path)
    else:
        message = f"{path!r} is not a valid path: it must begin with a slash, and '*' must be its last segment"
        hint = _wildcard_hint(path) if "*" in path else _path_hint(path)
    return Issue("bad-path", "paths", path, message, hint)


def _path_hint(path: str) -> str:
    """Return the correction of a path such as `api` or `https://api.example.com/api`."""
    path = "/" + re.sub(r"^[a-z]+://[^/]*", "", path).strip().replace("\\", "/").lstrip("/")
    found = _unreachable_issue(path)
    return found.hint if found else f"Write {path!r}."


def _wildcard_hint(path: str) -> str:
    """Return the correction of a path with a `*`, which means all below at the end, and else a part of a segment."""
    path = "/" + re.sub(r"^[a-z]+://[^/]*", "", path).strip().lstrip("/")
    stem = re.sub(r"[*/]+$", "", path)
    if "*" not in stem:
        return f"Write {stem + _ALL!r}."
    below = "(?:/.*)?" if path.endswith(_ALL) else ""
    expression = "[^/]+".join(map(re.escape, re.split(r"\*+", stem if below else path))) + below
    if _regex_issue(re.compile(expression)):  # too slow
        return f"Write {path.partition('*')[0].rpartition('/')[0] + _ALL!r}."
    return f"Write re.compile({expression!r})."


def _unreachable_issue(path: str) -> Issue | None:
    """Return the mistake in a path that no request has. Paths are compared decoded and without a query."""
    decoded = urllib.parse.unquote(path)
    found = "is percent-encoded, and paths are compared decoded" if decoded != path else ""
    if re.search(r"[?#]", path):
        found, decoded = "has a query or fragment, which is not part of a path", re.split(r"[?#]", path)[0]
    if (cleaned := remove_dot_segments(remove_controls(path))) != path:
        found, decoded = "has a dot segment, a doubled slash or a control character", cleaned
    if not found:
        return None
    again = _unreachable_issue(decoded) if decoded != path else None
    hint = again.hint if again else f"Write {decoded!r}."
    return Issue("bad-path", "paths", path, f"{path!r} {found}", hint)


def _is_regex(value: object) -> bool:
    return isinstance(value, re.Pattern)


def _wrong_type(path: object) -> Issue:
    text = cast("Any", path).pattern if _is_regex(path) else path
    if isinstance(text, bytes):
        decoded = text.decode("latin-1")
        hint = f"Write re.compile({decoded!r})." if text is not path else _path_hint(decoded)
    else:
        hint = "Use a string such as '/api/*', or re.compile(…)."
    return Issue("wrong-type", "paths", path, f"{show(path)} is not a string or a regular expression of str", hint)


def _regex_issue(path: re.Pattern[str]) -> Issue | None:
    prefix = literal_prefix(path)
    if not prefix or prefix.startswith("/"):
        return path_cost_issue(path, "paths")
    message = f"{path.pattern!r} matches no path: a path begins with a slash"
    start = _START.match(path.pattern)
    at = start.end() if start else 0
    corrected = f"{path.pattern[:at]}/{path.pattern[at:]}"
    return Issue("bad-path", "paths", path.pattern, message, f"Write re.compile({corrected!r}).")
