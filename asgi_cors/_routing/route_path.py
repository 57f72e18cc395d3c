"""The path that an app's router sees, and the other readings of it.

Servers and routers do not agree on how a path is read. A path is ambiguous if one of its alternatives leads to another
policy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from asgi_cors._http import Scope

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LETTERS_I: Final = dict.fromkeys(map(ord, "\u0130\u0131"), "i")  # `casefold` does not fold these to i


def route_path(scope: Scope) -> str:
    """Return the path that the app's router sees."""
    return remove_root(scope["path"], scope.get("root_path", ""))


def remove_root(path: str, root: str) -> str:
    """Remove the root path if it is a prefix of `path` on a slash boundary. One leading slash stays.

    A final slash of the root path is ignored: `/api/x` and `/api//x` are both `/x` under `/api/`.
    """
    bare = root.rstrip("/")
    if bare and (path == bare or path.startswith(f"{bare}/")):
        path = path.removeprefix(root) if path.startswith(root) else path[len(bare) :]
    return path if path[:1] == "/" else f"/{path}"


def alternative_paths(path: str, root: str = "", exact: Container[str] = ()) -> set[str]:
    """Return the paths that servers and routers may read in place of `path`, in the same letter case.

    These are the path without doubled slashes, without dot segments, without control characters, without a final slash,
    and the part after a root path that does not end at a slash (Quart) or is not at the start (Litestar). There is one
    alternative for each of these changes, and one for all of them together.

    Args:
        path: The path of a scope.
        root: The root path of the scope.
        exact: Exact paths, whose final slash stays.
    """
    routed = remove_root(path, root)
    changes: list[Callable[[str], str]] = []
    if may_be_ambiguous(routed):
        changes += [_merge_slashes, remove_dot_segments, remove_controls]
    if changes or routed[-1:] == "/":  # the other changes may add a final slash: `/admin/.`
        changes.append(lambda path: path if path in exact else path.rstrip("/") or "/")
    alternatives = {change(routed) for change in changes}
    together = _apply(changes, routed)
    bare = root.rstrip("/")
    if bare and routed == path:
        alternatives.add(_after_root(routed, bare))
        together = _apply(changes, _after_root(together, bare))
    return (alternatives | {together}) - {routed}


def may_be_ambiguous(path: str) -> bool:
    """Return whether `path` has doubled slashes, control characters, or something like a dot segment."""
    return "//" in path or "/." in path or (not path.isprintable() and bool(_CONTROL.search(path)))


def remove_dot_segments(path: str) -> str:
    """Remove doubled slashes, then dot segments (RFC 3986, 5.2.4)."""
    output: list[str] = []
    segments = _merge_slashes(path).split("/")
    for segment in segments:
        if segment == "..":
            del output[max(1, len(output) - 1) :]
        elif segment != ".":
            output.append(segment)
    if segments[-1] in {".", ".."}:
        output.append("")
    return "/".join(output)


def remove_controls(path: str) -> str:
    """Remove control characters."""
    return _CONTROL.sub("", path)


def fold_case(path: str) -> str:
    """Fold letters as a case-insensitive `re` match does, also dotless i, dotted I, long s and the Kelvin sign."""
    return path if path.isascii() and path.islower() else path.translate(_LETTERS_I).casefold()


def _apply(changes: Iterable[Callable[[str], str]], path: str) -> str:
    """Apply all changes until none changes `path` further, which takes two or three passes."""
    before = ""
    while path != before:
        before = path
        for change in changes:
            path = change(path)
    return path


def _merge_slashes(path: str) -> str:
    return re.sub("/{2,}", "/", path)


def _after_root(path: str, root: str) -> str:
    before, found, rest = path.partition(root)
    if not found:
        return before
    return rest if rest[:1] == "/" else f"/{rest}"
