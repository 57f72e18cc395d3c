"""Origin sets: whether an origin is in one, and which of its origins is the closest.

A look-up costs one hash look-up for an exact origin. Otherwise its cost depends on the labels of that origin and on the
number of shapes that one label of the patterns has, not on the number of entries.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from .origin import MAX_HOST, WEB_PORTS, Origin, parse_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .pattern import Pattern

# Browsers also send hosts with `{`, a backtick or "%2A". No wildcard matches these.
_LABEL: Final = re.compile(r"[a-z0-9_\-]{1,63}")
_LABELS: Final = re.compile(r"[a-z0-9_\-]{1,63}(?:\.[a-z0-9_\-]{1,63})*")

_Shape = tuple[int, int]
"""The lengths before and behind the '*' of a label. All labels of one shape take one look-up."""


class OriginSet:
    """The strings and regular expressions of `allow_origins`, compiled.

    Args:
        exact: Serialized origins, or `null`.
        patterns: Parsed entries with a wildcard.
        regexes: Regular expressions. Each must match a whole origin.
        ports: An allowed port by scheme and host, for `closest_origin`.
    """

    __slots__ = ("_patterns", "_shapes", "exact", "ports", "regexes", "schemes")

    def __init__(
        self,
        exact: Iterable[str],
        patterns: Iterable[Pattern],
        regexes: Iterable[re.Pattern[str]],
        ports: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.exact = frozenset(exact)
        self.regexes = tuple(regexes)
        self.ports = ports
        self.schemes: set[str] = set()
        self._patterns: dict[str, set[tuple[str, str]]] = {}  # by host: scheme and port
        # By the end of a pattern, such as `.example.com`: the shapes of the labels in front of it
        self._shapes: dict[str, set[_Shape]] = {"": set()}
        for pattern in patterns:
            if pattern.scheme not in WEB_PORTS and pattern.host == "*":
                self.schemes.add(pattern.scheme)
            else:
                self._add(pattern)

    def _add(self, pattern: Pattern) -> None:
        self._patterns.setdefault(f".{pattern.host}", set()).add((pattern.scheme, pattern.port))
        end = ""
        for label in reversed(pattern.host.split(".")):
            before, star, behind = label.partition("*")
            if star:
                self._shapes[end].add((len(before), len(behind)))
            end = f".{label}{end}"
            self._shapes.setdefault(end, set())

    @property
    def is_exact(self) -> bool:
        """Whether the set has exact origins only."""
        return not (self._patterns or self.schemes or self.regexes)

    def __contains__(self, value: str) -> bool:
        """Return whether a serialized origin is in the set."""
        if value in self.exact:
            return True
        origin = None if self.is_exact else parse_origin(value)
        if origin is None:
            return False
        return (
            origin.scheme in self.schemes
            or self._matches_pattern(origin)
            or any(regex.fullmatch(value) for regex in self.regexes)
        )

    def _matches_pattern(self, origin: Origin) -> bool:
        """Compare the labels one by one, the last one first, with all patterns at once."""
        keys = {(origin.scheme, origin.port), (origin.scheme, "*")}
        labels = origin.host.split(".")
        ends = [""] if len(origin.host) <= MAX_HOST else []  # of the patterns that match the labels so far
        while labels and ends:
            if self._has_pattern(keys, [f".*{end}" for end in ends]) and _LABELS.fullmatch(".".join(labels)):
                return True  # a first "*" matches one label or more
            label = labels.pop()
            ends = [longer for end in ends for longer in self._longer_ends(label, end)]
        return self._has_pattern(keys, ends)

    def _has_pattern(self, keys: set[tuple[str, str]], hosts: list[str]) -> bool:
        return any(not keys.isdisjoint(self._patterns.get(host, ())) for host in hosts)

    def _longer_ends(self, label: str, end: str) -> list[str]:
        """Return the ends of patterns with one more label: this one, or a wildcard that matches it."""
        labels = [] if "*" in label else [label]
        shapes = self._shapes[end]
        if shapes and _LABEL.fullmatch(label):
            cuts = ((before, len(label) - behind) for before, behind in shapes)
            labels += [f"{label[:start]}*{label[stop:]}" for start, stop in cuts if start < stop]
        return [longer for each in labels if (longer := f".{each}{end}") in self._shapes]


# The closest origin: found by at most a dozen look-ups, never by a walk over the entries


class Suggestion(NamedTuple):
    """An allowed origin or pattern that was probably meant, and how the refused origin differs."""

    origin: str
    difference: str

    def __str__(self) -> str:
        """Return a question and the difference."""
        return f"Did you mean {self.origin!r}? The origin differs: {self.difference}."


_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_MAX_PARENTS: Final = 3


def closest_origin(origins: OriginSet, origin: str) -> Suggestion | None:
    """Return the closest origin in a set; None if there is none."""
    lower = origin.strip().rstrip("/").lower()
    if lower != origin and lower in origins:
        return Suggestion(lower, _spelling(origin))
    parsed = parse_origin(lower)
    if parsed is None or parsed.scheme not in WEB_PORTS:
        return None
    # For a subdomain pattern, look up one of its origins.
    pattern, subdomain = f"://*.{parsed.host}", f"://x.{parsed.host}"
    variants = _variants(parsed, origins.ports)
    return next((variant for variant in variants if variant.origin.replace(pattern, subdomain) in origins), None)


def _spelling(origin: str) -> str:
    """Name the parts that a browser spells differently."""
    found = {
        "letter case": origin != origin.lower(),
        "a final slash": origin.strip().endswith("/"),
        "white space": origin != origin.strip(),
    }
    return ", ".join(part for part, differs in found.items() if differs)


def _variants(origin: Origin, ports: Mapping[str, str]) -> Iterator[Suggestion]:
    """Vary one part at a time, then scheme and port together.

    Args:
        origin: The refused origin.
        ports: An allowed port by scheme and host.
    """
    other = "https" if origin.scheme == "http" else "http"
    schemes = f"{origin.scheme}, not {other}"
    yield _variant(other, origin.host, origin.port, schemes)
    yield from _other_ports(origin, ports)
    yield from _other_hosts(origin)
    for variant in _other_ports(origin._replace(scheme=other), ports):
        yield variant._replace(difference=f"{schemes}; {variant.difference}")


def _other_ports(origin: Origin, ports: Mapping[str, str]) -> Iterator[Suggestion]:
    """Vary the port: the scheme's default, and one that is allowed with this host."""
    scheme, host, port = origin
    if port:
        yield _variant(scheme, host, "", f"port {port}, not the default port")
    allowed = ports.get(f"{scheme}://{host}")
    if allowed and allowed != port:
        yield _variant(scheme, host, allowed, f"{f'port {port}' if port else 'the default port'}, not {allowed}")


def _other_hosts(origin: Origin) -> Iterator[Suggestion]:
    """Vary the host: the names of the loopback address, or `www.`, subdomains and parent domains."""
    scheme, host, port = origin
    if host in _LOOPBACK:
        yield from (_variant(scheme, name, port, f"{host}, not {name}") for name in _LOOPBACK if name != host)
        return
    yield _variant(scheme, f"*.{host}", port, "the domain itself, not a subdomain")
    bare = host.removeprefix("www.")
    is_www = bare != host
    yield _variant(scheme, bare if is_www else f"www.{host}", port, f"{'with' if is_www else 'without'} 'www.'")
    labels = bare.split(".")
    for start in range(1, min(len(labels) - 1, _MAX_PARENTS) + 1):
        yield _variant(scheme, ".".join(labels[start:]), port, "a subdomain of it")


def _variant(scheme: str, host: str, port: str, difference: str) -> Suggestion:
    is_default = not port or int(port) == WEB_PORTS[scheme]
    return Suggestion(f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}", difference)
