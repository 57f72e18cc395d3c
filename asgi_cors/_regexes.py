"""What a regular expression among the origins lets in, and how long it takes, found out by asking it.

A regex can't be read like a pattern, so it is probed: with texts made out of itself, and with origins that an
attacker would try. What it accepts tells which pattern it stands for.
"""

from __future__ import annotations

import functools
import itertools
import re
import time
from collections.abc import Iterable, Iterator
from typing import Final

from ._origins import ANY_ORIGIN, MAX_ORIGIN, OVER_HTTP, SHARED_SUFFIX, WEB_PORTS, parse_origin
from ._regex_probes import host_of, literal_end, literal_start, mark, plain, read
from ._suffixes import SHARED_HOSTS, is_local, is_shared, site

# A second net, for what the regex doesn't give away itself.
_FOREIGN: Final = ("attacker.net", "a-1.attacker.net", "203.0.113.7", "[2001:db8::1]")
_EXTENSIONS: Final = (
    ("chrome-extension", "kdmiojbnafgecplhpokhlmnabicdefjg"),
    ("moz-extension", "0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f"),
    ("safari-web-extension", "0F1E2D3C-4B5A-4697-8879-6A5B4C3D2E1F"),
    ("vscode-webview", "0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f"),
)

_ADDRESS: Final = re.compile(r"\[.*|[0-9]+(\.[0-9]+){3}")
_SLOW: Final = 0.001  # seconds; an honest regex takes some microseconds
_STEEP: Final = 6  # times as long for twice the length: 4 is quadratic, 8 is cubic
_MOST_REPEATS: Final = 64
_ENDS: Final = ("!", ":1")  # what makes a match fail at its very end


def has_bare_dot(source: str) -> bool:
    r"""Tell whether a dot that should be `\.` stands between word characters."""
    return bool(re.search(r"\w\.\w", re.sub(r"\\.", "\0", source)))


@functools.lru_cache(maxsize=128)
def slow_length(regex: re.Pattern[str]) -> int | None:
    """Find the length of an origin for which the regex takes far longer than for half of it; None if there is none.

    Measured on what nearly matches, from one byte on, in steps that are the shorter the longer it takes: an
    exponential regex is found out within some milliseconds.
    """
    # Without the empty alternative `re` rejects what is too short, and the first text to be tried takes for ever.
    same = re.compile(f"{regex.pattern}|", regex.flags & ~re.DEBUG)
    for (before, unit), end in itertools.product(read(regex).repeats[:_MOST_REPEATS], _ENDS):
        size = 1
        while size + len(before) + len(end) <= MAX_ORIGIN:
            taken = _time(same, before, unit, size, end)
            if taken > _SLOW and _is_steep(same, before, unit, size, end):
                return len(before) + size + len(end)
            size += max(1, size // (3 if taken < _SLOW / 100 else 6 if taken < _SLOW / 10 else 12))
    return None


def _is_steep(regex: re.Pattern[str], before: str, unit: str, size: int, end: str) -> bool:
    """Measure again, the best of three: a machine that is busy elsewhere makes no regex slow."""
    half, full = (min(_time(regex, before, unit, n, end) for _ in range(3)) for n in (size // 2, size))
    return full > max(_SLOW, _STEEP * half)


def _time(regex: re.Pattern[str], before: str, unit: str, size: int, end: str) -> float:
    text = before + (unit * size)[:size] + end
    start = time.perf_counter()
    regex.fullmatch(text)
    return time.perf_counter() - start


def dangers(regex: re.Pattern[str]) -> dict[str, str]:
    """Find what a regex lets in that no policy with credentials should.

    Returns:
        The word of `dangerously_allow` for each danger, with an origin that showed it; with "" where no text was
        found that it lets in, and thus nothing is known. A regex that lets in another site needs no other word.
    """
    probes = read(regex).probes
    spelled = {text for text in probes if plain(text) == text}
    net = (text for text in _net(regex.pattern) if plain(text) not in spelled)
    accepted = list(_accepted(regex, itertools.chain(probes, net)))
    found = {} if accepted else {ANY_ORIGIN: ""}
    for text in sorted(accepted, key=_is_no_site_of_its_own):
        danger = _danger(text)
        if danger == ANY_ORIGIN:
            return {danger: plain(text)}
        if danger:
            found.setdefault(danger, plain(text))
    return found


def _is_no_site_of_its_own(text: str) -> bool:
    """The key that puts first what shows best what can happen."""
    return not re.search(r"[/.]attacker\.net(:[0-9]+)?$", plain(text))


def _accepted(regex: re.Pattern[str], probes: Iterable[str]) -> Iterator[str]:
    """Those that the regex matches; in lower case, as browsers send them, where it matches that, too."""
    for probe in probes:
        text = next((text for text in (probe.lower(), probe) if regex.fullmatch(plain(text))), None)
        if text is not None:
            yield text


def _net(source: str) -> Iterator[str]:
    """Origins that an attacker has, with each port that the regex spells out; what is the attacker's is marked."""
    ports = ["", ":8443", *dict.fromkeys(re.findall(r":[1-9][0-9]{0,4}", source))]
    hosts = [*map(mark, _FOREIGN), *(mark("attacker.") + rule.replace("*", "a") for rule in SHARED_HOSTS)]
    for scheme, host, port in itertools.product(("https", "http"), hosts, ports):
        yield f"{scheme}://{host}{port}"
    yield from (f"{scheme}://{mark(host)}" for scheme, host in _EXTENSIONS)


def _danger(text: str) -> str | None:
    """Name the danger of an accepted origin; None where it belongs to a site that the regex names."""
    origin = parse_origin(plain(text))
    if origin is None or is_local(origin.host):
        return None
    host = host_of(text).removesuffix(".")
    if origin.scheme not in WEB_PORTS:
        is_open = text.startswith(origin.scheme) and len(literal_end(host)) < len(plain(host))
        return SHARED_SUFFIX if is_open else None
    danger = _danger_of_address(host) if _ADDRESS.fullmatch(origin.host) else _danger_of_name(host)
    return danger or (OVER_HTTP if origin.scheme == "http" else None)


def _danger_of_address(host: str) -> str | None:
    """A network that the regex names is its author's: the first two numbers of an address, or 10.0.0.0/8."""
    known = literal_start(host)
    if known == host or re.match(r"[0-9]+\.[0-9]+\.", known):
        return None
    return None if known.startswith("10.") else ANY_ORIGIN


def _danger_of_name(host: str) -> str | None:
    name, known = plain(host), literal_end(host)
    base = known.partition(".")[2]
    if len(known) == len(name):
        return None
    if base and known[0] in ".-" and is_shared(base):
        return SHARED_SUFFIX
    own = site(name)
    return None if own is None or len(own) <= len(known) else ANY_ORIGIN
