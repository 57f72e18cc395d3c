"""Sets of origin patterns: whether one of them matches an origin.

Most patterns have a wildcard for all subdomains, or for the port. For these, the texts that would match the origin are
looked up. Patterns with a wildcard elsewhere, such as `https://pr-*.example.com`, are compared label by label, all at
once. The cost depends on the labels of the origin, and on the shapes that one label of the patterns has. It does not
depend on the number of patterns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .origin import MAX_HOST, WEB_PORTS, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, MutableMapping

    from .pattern import Pattern

# Browsers also send hosts with `{`, a backtick or "%2A". No wildcard matches these. The labels of a pattern that is
# looked up may have a "*"; the host of an origin with a "*" is refused before.
_LABEL: Final = re.compile(r"[a-z0-9_\-*]{1,63}")
_LABELS: Final = re.compile(r"[a-z0-9_\-*]{1,63}(?:\.[a-z0-9_\-*]{1,63})*")

_Shape = tuple[int, int]
"""The lengths before and behind the '*' of a label. All labels of one shape take one look-up."""


class PatternSet:
    """Patterns, which one thread may change while others read them.

    Args:
        patterns: The patterns.
        new: Returns an empty dict, for patterns by their texts, and for parts of patterns.
    """

    __slots__ = ("_ends", "_schemes", "_shapes", "_texts")

    def __init__(self, patterns: Iterable[Pattern] = (), new: Callable[[], MutableMapping[str, Any]] = dict) -> None:
        self._texts: MutableMapping[str, None] = new()
        self._schemes: dict[str, int] = {}  # numbers of patterns such as `app://*`
        # Of the patterns with a wildcard in their inner labels: the numbers of those with an end such as
        # `.example.com`, and the shapes of the labels in front of it, with their numbers
        self._ends: MutableMapping[str, int] = new()
        self._shapes: MutableMapping[str, dict[_Shape, int]] = new()
        for pattern in patterns:
            self.add(pattern)

    def __contains__(self, text: str) -> bool:
        """Return whether a pattern is in the set, by its text."""
        return text in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __bool__(self) -> bool:
        return bool(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, pattern: Pattern) -> None:
        """Add a pattern."""
        if pattern.text not in self._texts:
            self._count(pattern, 1)
            self._texts[pattern.text] = None

    def discard(self, pattern: Pattern) -> None:
        """Remove a pattern if it is in the set."""
        if pattern.text in self._texts:
            del self._texts[pattern.text]
            self._count(pattern, -1)

    def _count(self, pattern: Pattern, change: int) -> None:
        if pattern.scheme not in WEB_PORTS and pattern.host == "*":
            _add_to(self._schemes, pattern.scheme, change)
            return
        host = pattern.host.removeprefix("*.")
        if "*" not in host:
            return
        end = ""
        for label in reversed(host.split(".")):
            before, star, behind = label.partition("*")
            if star:
                shapes = self._shapes.setdefault(end, {})
                _add_to(shapes, (len(before), len(behind)), change)
                if not shapes:
                    del self._shapes[end]
            end = f".{label}{end}"
            _add_to(self._ends, end, change)

    def matches(self, origin: Origin) -> bool:
        """Return whether a pattern matches an origin."""
        scheme, host, port = origin
        if scheme in self._schemes:
            return True
        if "*" in host or len(host) > MAX_HOST:
            return False
        ports = (f":{port}" if port else "", ":*")
        return (
            f"{scheme}://{host}:*" in self._texts
            or self._matches_subdomain(scheme, host, ports)
            or (bool(self._shapes) and self._matches_labels(scheme, host.split("."), ports))
        )

    def covers(self, pattern: Pattern) -> bool:
        """Return whether one pattern of the set matches every origin that `pattern` matches.

        A "*" of `pattern` is looked up like a letter: only a "*" of the set can be in its place.
        """
        if pattern.text in self._texts or pattern.scheme in self._schemes:
            return True
        scheme, host, port = pattern.scheme, pattern.host, pattern.port
        ports = (":*",) if port == "*" else (f":{port}" if port else "", ":*")
        return self._matches_subdomain(scheme, host, ports) or (
            bool(self._shapes) and self._matches_labels(scheme, host.split("."), ports)
        )

    def _matches_subdomain(self, scheme: str, host: str, ports: tuple[str, ...]) -> bool:
        """Look up `*.` and each parent domain of the host."""
        dot = host.find(".")
        while dot > 0:
            if self._has(scheme, f"*{host[dot:]}", ports) and _LABELS.fullmatch(host, 0, dot):
                return True
            dot = host.find(".", dot + 1)
        return False

    def _matches_labels(self, scheme: str, labels: list[str], ports: tuple[str, ...]) -> bool:
        """Compare the labels one by one, the last one first, with all patterns at once."""
        ends = [""]  # of the patterns that match the labels so far
        while labels and ends:
            # A first "*" matches one label or more
            if any(self._has(scheme, f"*{end}", ports) for end in ends) and _LABELS.fullmatch(".".join(labels)):
                return True
            label = labels.pop()
            ends = [longer for end in ends for longer in self._longer_ends(label, end)]
        return any(self._has(scheme, end[1:], ports) for end in ends)

    def _has(self, scheme: str, host: str, ports: tuple[str, ...]) -> bool:
        return any(f"{scheme}://{host}{port}" in self._texts for port in ports)

    def _longer_ends(self, label: str, end: str) -> list[str]:
        """Return the ends of patterns with one more label: this one, or a wildcard that matches it."""
        labels = [label]
        shapes = self._shapes.get(end)
        if shapes and _LABEL.fullmatch(label):
            # A copy of the shapes, because another thread may change them
            cuts = ((before, len(label) - behind) for before, behind in [*shapes])
            labels += [f"{label[:start]}*{label[stop:]}" for start, stop in cuts if start < stop]
        return [longer for each in labels if (longer := f".{each}{end}") in self._ends]


def _add_to(numbers: MutableMapping[Any, int], key: object, change: int) -> None:
    """Change a number. A number of 0 is removed."""
    number = numbers.get(key, 0) + change
    if number:
        numbers[key] = number
    else:
        del numbers[key]
