"""Origin sets: whether an origin is in one, and which of its origins is the closest.

A look-up costs one hash look-up for an exact origin. Its cost does not depend on the number of entries.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from .origin import WEB_PORTS, Origin, parse_origin
from .pattern_set import PatternSet
from .sharded import ShardedDict

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from .pattern import Pattern

_MAX_PORTS: Final = 10_000  # that a set which changes remembers, to find the closest origin


class OriginSet:
    """The strings and regular expressions of `allow_origins`, compiled.

    Args:
        exact: Serialized origins, or `null`.
        patterns: Parsed entries with a wildcard.
        regexes: Regular expressions. Each must match a whole origin.
        ports: An allowed port by scheme and host, for `closest_origin`.
    """

    __slots__ = ("exact", "patterns", "ports", "regexes")

    def __init__(
        self,
        exact: Iterable[str],
        patterns: Iterable[Pattern],
        regexes: Iterable[re.Pattern[str]],
        ports: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.exact: Collection[str] = frozenset(exact)
        self.patterns = PatternSet(patterns)
        self.regexes = tuple(regexes)
        self.ports: Mapping[str, str] = ports

    def __contains__(self, value: str) -> bool:
        """Return whether a serialized origin is in the set."""
        if value in self.exact:
            return True
        origin = parse_origin(value) if self.patterns or self.regexes else None
        if origin is None:
            return False
        return self.patterns.matches(origin) or any(regex.fullmatch(value) for regex in self.regexes)


class MutableOriginSet(OriginSet):
    """A set of origins and patterns that changes. One thread may change it while others read it."""

    __slots__ = ("_exact", "_ports")

    def __init__(self) -> None:
        super().__init__((), (), ())
        self.exact = self._exact = ShardedDict[None]()
        self.patterns = PatternSet(new=ShardedDict)
        self.ports = self._ports = dict[str, str]()

    def add(self, entry: Pattern) -> None:
        """Add a parsed origin or pattern."""
        if not entry.is_exact:
            self.patterns.add(entry)
            return
        self._exact[entry.text] = None
        if entry.port and len(self._ports) < _MAX_PORTS:
            self._ports.setdefault(f"{entry.scheme}://{entry.host}", entry.port)

    def discard(self, entry: Pattern) -> None:
        """Remove a parsed origin or pattern if it is in the set."""
        if not entry.is_exact:
            self.patterns.discard(entry)
            return
        self._exact.pop(entry.text, None)
        server = f"{entry.scheme}://{entry.host}"
        if entry.port and self._ports.get(server) == entry.port:
            del self._ports[server]

    def has_entry(self, text: str) -> bool:
        """Return whether an origin or pattern is an entry of the set, by its text."""
        return text in (self.patterns if "*" in text else self.exact)

    def entries(self) -> Iterator[str]:
        """Yield the texts of all entries, without an order."""
        yield from self.exact
        yield from self.patterns

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.exact) + len(self.patterns)


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
