"""The allowed origin nearest to a refused one, and how they differ.

Found by a dozen look-ups of the mistakes that people make, never by a walk over the entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ._origins import WEB_PORTS, Origin, parse_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._policy import Policy

# Where development servers listen: Vite, Next, Flask, Django, webpack.
_PORTS: Final = ("3000", "5173", "8000", "8080", "5000")


class Near(NamedTuple):
    """What the policy allows instead, and how the refused origin differs."""

    origin: str
    difference: str


def nearest(policy: Policy, origin: str) -> Near | None:
    """Find the allowed origin that `origin` was probably meant to be."""
    origins = policy.compiled.origins
    lower = origin.strip().rstrip("/").lower()
    if lower != origin and lower in origins:
        return Near(lower, "upper case, white space or a slash at the end")
    parsed = parse_origin(lower)
    if parsed is None or parsed.scheme not in WEB_PORTS:
        return None
    return next((Near(shown, difference) for asked, shown, difference in _variants(parsed) if asked in origins), None)


def _variants(origin: Origin) -> Iterator[tuple[str, str, str]]:
    """Vary one part at a time, at most a dozen: what to look up, how to show it, and the difference."""
    scheme, host, port = origin
    other = "https" if scheme == "http" else "http"
    yield _same(_written(other, host, port), f"{scheme}, not {other}")
    for variant in ("", *_PORTS):
        if variant != port:
            yield _same(_written(scheme, host, variant), f"port {port or 'left out'}, not {variant or 'left out'}")
    yield (
        _written(scheme, f"x.{host}", port),
        _written(scheme, f"*.{host}", port),
        "the domain itself, not one below it",
    )
    if host.startswith("www."):
        yield _same(_written(scheme, host[4:], port), "www.")
    else:
        yield _same(_written(scheme, f"www.{host}", port), "www. left out")
    parent = host.partition(".")[2]
    if parent:
        yield _same(_written(scheme, parent, port), "a sub-domain of it")


def _same(origin: str, difference: str) -> tuple[str, str, str]:
    return origin, origin, difference


def _written(scheme: str, host: str, port: str) -> str:
    return f"{scheme}://{host}:{port}" if port and int(port) != WEB_PORTS[scheme] else f"{scheme}://{host}"
