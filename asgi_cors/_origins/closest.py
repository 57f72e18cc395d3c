"""The closest allowed origin of a refused one, and how they differ.

Found by at most a dozen look-ups of variants, never by a walk over the entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .origin import WEB_PORTS, Origin, parse_origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .origin_set import OriginSet

_LOOPBACK: Final[Mapping[str, tuple[str, ...]]] = {
    "localhost": ("127.0.0.1", "[::1]"),
    "127.0.0.1": ("localhost", "[::1]"),
    "[::1]": ("localhost", "127.0.0.1"),
}
_MAX_PARENTS: Final = 3


class Suggestion(NamedTuple):
    """An allowed origin, and how the refused one differs."""

    origin: str
    difference: str

    def __str__(self) -> str:
        """Ask whether this origin was meant."""
        return f"Did you mean {self.origin!r}? The origin differs: {self.difference}."


class _Variant(NamedTuple):
    """An origin to look up, the entry to show if it is allowed, and the difference."""

    origin: str
    entry: str
    difference: str


def closest_origin(origins: OriginSet, origin: str) -> Suggestion | None:
    """Return the closest allowed origin; None if there is none."""
    lower = origin.strip().rstrip("/").lower()
    if lower != origin and lower in origins:
        return Suggestion(lower, _spelling(origin))
    parsed = parse_origin(lower)
    if parsed is None or parsed.scheme not in WEB_PORTS:
        return None
    variants = _variants(parsed, origins.ports)
    return next((Suggestion(entry, difference) for variant, entry, difference in variants if variant in origins), None)


def _spelling(origin: str) -> str:
    """Name the parts that a browser spells differently."""
    found = [
        "letter case" if origin != origin.lower() else "",
        "a final slash" if origin.strip().endswith("/") else "",
        "white space" if origin != origin.strip() else "",
    ]
    return ", ".join(filter(None, found))


def _variants(origin: Origin, ports: Mapping[str, str]) -> Iterator[_Variant]:
    """Vary one part at a time, then scheme and port together.

    Args:
        origin: The refused origin.
        ports: An allowed port of each scheme and host that has one.
    """
    scheme, host, port = origin
    other = "https" if scheme == "http" else "http"
    schemes = f"{scheme}, not {other}"
    yield _variant(other, host, port, schemes)
    yield from _other_ports(origin, scheme, ports, "")
    yield from _other_hosts(origin)
    yield from _other_ports(origin, other, ports, f"{schemes}; ")


def _other_ports(origin: Origin, scheme: str, ports: Mapping[str, str], also: str) -> Iterator[_Variant]:
    """Vary the port: the scheme's default, and one that is allowed with this host."""
    _, host, port = origin
    if port:
        yield _variant(scheme, host, "", f"{also}port {port}, not the default port")
    allowed = ports.get(f"{scheme}://{host}")
    if allowed and allowed != port:
        yield _variant(scheme, host, allowed, f"{also}{f'port {port}' if port else 'the default port'}, not {allowed}")


def _other_hosts(origin: Origin) -> Iterator[_Variant]:
    """Vary the host: the names of the loopback address, or `www.`, subdomains and parent domains."""
    scheme, host, port = origin
    if host in _LOOPBACK:
        yield from (_variant(scheme, name, port, f"{host}, not {name}") for name in _LOOPBACK[host])
        return
    below = _variant(scheme, f"x.{host}", port, "the domain itself, not a subdomain")
    yield below._replace(entry=_serialized(scheme, f"*.{host}", port))
    bare = host.removeprefix("www.")
    if bare != host:
        yield _variant(scheme, bare, port, "with 'www.'")
    else:
        yield _variant(scheme, f"www.{host}", port, "without 'www.'")
    labels = bare.split(".")
    for start in range(1, min(len(labels) - 1, _MAX_PARENTS) + 1):
        yield _variant(scheme, ".".join(labels[start:]), port, "a subdomain of it")


def _variant(scheme: str, host: str, port: str, difference: str) -> _Variant:
    origin = _serialized(scheme, host, port)
    return _Variant(origin, origin, difference)


def _serialized(scheme: str, host: str, port: str) -> str:
    return f"{scheme}://{host}:{port}" if port and int(port) != WEB_PORTS[scheme] else f"{scheme}://{host}"
