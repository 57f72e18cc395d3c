"""A set of origin patterns: which origins are in it.

An exact origin costs one hash look-up at any number of them. Patterns with a wildcard stand in a tree of
labels, from the right, so that a look-up costs a walk over the labels of the one origin, not over the entries.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .origin import MAX_HOST, WEB_PORTS, Origin, parse_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .pattern import Pattern

# Browsers do send hosts with `{`, a backtick, "%2A" and more; none of those is ever in a wildcard.
_LABEL: Final = re.compile(r"[a-z0-9_\-]{1,63}")
_LABELS: Final = re.compile(r"[a-z0-9_\-]{1,63}(?:\.[a-z0-9_\-]{1,63})*")

_Ports = frozenset[tuple[str, str]]  # (scheme, port), port "*" for any


class _Node:
    """One label of patterns, with all that can stand left of it.

    `shapes` holds labels with a wildcard by the lengths of what stands before and behind it: there are at most
    a few hundred such pairs, and each costs one look-up, at any number of patterns.
    """

    __slots__ = ("below", "ends", "names", "shapes")

    def __init__(self) -> None:
        self.names: dict[str, _Node] = {}
        self.shapes: dict[tuple[int, int], dict[tuple[str, str], _Node]] = {}
        self.ends: set[tuple[str, str]] = set()
        self.below: set[tuple[str, str]] = set()

    def add(self, labels: list[str], key: tuple[str, str]) -> None:
        """Add a pattern's labels, which are taken from the right."""
        if not labels:
            self.ends.add(key)
        elif labels == ["*"]:
            self.below.add(key)
        else:
            self._child(labels.pop()).add(labels, key)

    def _child(self, label: str) -> _Node:
        before, star, behind = label.partition("*")
        if not star:
            return self.names.setdefault(label, _Node())
        return self.shapes.setdefault((len(before), len(behind)), {}).setdefault((before, behind), _Node())

    def matches(self, labels: list[str], keys: _Ports) -> bool:
        """Tell whether a pattern fits the labels that are left, the rightmost first."""
        if not labels:
            return not keys.isdisjoint(self.ends)
        if not keys.isdisjoint(self.below) and _LABELS.fullmatch(".".join(labels)):
            return True
        *rest, label = labels
        child = self.names.get(label)
        if child is not None and child.matches(rest, keys):
            return True
        return any(node.matches(rest, keys) for node in self._wild(label))

    def _wild(self, label: str) -> Iterable[_Node]:
        for (before, behind), nodes in self.shapes.items():
            node = nodes.get((label[:before], label[len(label) - behind :])) if before + behind < len(label) else None
            if node is not None and _LABEL.fullmatch(label):
                yield node


class OriginSet:
    """The compiled strings and regexes of `allow_origins`.

    Args:
        exact: Origins that stand for themselves, `null` among them where it is allowed.
        patterns: Parsed entries with a wildcard.
        regexes: Each must match an origin as a whole.
        ports: By scheme and host, one allowed port, for `closest_origin`.
    """

    __slots__ = ("exact", "ports", "regexes", "schemes", "tree")

    def __init__(
        self,
        exact: Iterable[str],
        patterns: Iterable[Pattern],
        regexes: Iterable[re.Pattern[str]],
        ports: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.ports = ports
        self.exact = frozenset(exact)
        self.regexes = tuple(regexes)
        self.schemes: set[str] = set()
        self.tree: _Node | None = None
        for pattern in patterns:
            self._add(pattern)

    def _add(self, pattern: Pattern) -> None:
        if pattern.scheme not in WEB_PORTS and pattern.host == "*":
            self.schemes.add(pattern.scheme)
            return
        if self.tree is None:
            self.tree = _Node()
        self.tree.add(_labels(pattern), (pattern.scheme, pattern.port))

    @property
    def is_exact(self) -> bool:
        """Whether `exact` is all there is."""
        return not (self.tree or self.schemes or self.regexes)

    def __contains__(self, value: str) -> bool:
        """Tell whether an origin, as a browser sends it, is in the set."""
        return value in self.exact or (not self.is_exact and self._contains(parse_origin(value), value))

    def _contains(self, origin: Origin | None, value: str) -> bool:
        if origin is None:
            return False
        if origin.scheme in self.schemes:
            return True
        if self.tree is not None and len(origin.host) <= MAX_HOST:
            keys = frozenset({(origin.scheme, origin.port), (origin.scheme, "*")})
            if self.tree.matches(_labels(origin), keys):
                return True
        return any(regex.fullmatch(value) for regex in self.regexes)


def _labels(origin: Origin | Pattern) -> list[str]:
    """Split a web host at its dots; the host of another scheme is opaque, and one label."""
    return origin.host.split(".") if origin.scheme in WEB_PORTS else [origin.host]
