"""What a regular expression among the origins lets in, found out by asking it.

A regex can't be read like a pattern, so it is probed with the origins that an attacker would try: another
site, a prefix or a suffix of a name that it holds, plain http, hosts that anyone can get. What it accepts tells
which pattern it stands for.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from ._origins import parse_origin
from ._suffixes import is_local, is_shared, site

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_ORIGIN: Final = "credentials-from-any-origin"
SHARED_SUFFIX: Final = "credentials-from-shared-suffix"
OVER_HTTP: Final = "credentials-over-http"

_FOREIGN: Final = (
    "https://attacker.net",
    "http://attacker.net",
    "https://attacker.net:8443",
    "https://203.0.113.7",
    "https://a-1.attacker.net",
)
# Hosts of which anyone has one for the asking.
_SHARED: Final = (
    *(
        "vercel.app",
        "github.io",
        "netlify.app",
        "pages.dev",
        "web.app",
        "firebaseapp.com",
        "herokuapp.com",
        "onrender.com",
    ),
    *(
        "fly.dev",
        "workers.dev",
        "azurewebsites.net",
        "cloudfront.net",
        "s3.amazonaws.com",
        "ngrok-free.app",
        "ngrok.io",
    ),
    *("trycloudflare.com", "gitlab.io", "surge.sh", "glitch.me", "repl.co", "blogspot.com"),
)
_EXTENSIONS: Final = (
    f"chrome-extension://{'abcdefghijklmnop' * 2}",
    "moz-extension://0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f",
    "safari-web-extension://0F1E2D3C-4B5A-4697-8879-6A5B4C3D2E1F",
    "vscode-webview://0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f",
)
# Between the parts of a host that a regex spells out: a name, a number, a commit, a name with a dot.
_FILLERS: Final = ("attacker", "123", "a1b2c3d", "a.attacker", "")
_MOST_WORDS: Final = 24  # bounds the pairs that are tried

_MOST_VARIANTS: Final = 64
# A group without groups in it, and what repeats it.
_GROUP: Final = re.compile(r"\((?:\?:)?((?:\\.|[^()\\])*)\)([?*+]|\{[^}]*\}|)")

# A group of one repeated atom, repeated itself, as in (a+)+: exponential in the length of what nearly matches.
_NESTED: Final = re.compile(r"\((?:\?:)?(?:\\.|\[[^\]]*\]|[^()\\\[\]])[+*]\)[+*{]")


def backtracks(source: str) -> bool:
    """Tell whether a regex holds a repeated group of one repeated atom, which takes exponential time."""
    return bool(_NESTED.search(source))


def has_bare_dot(source: str) -> bool:
    r"""Tell whether a dot that should be `\.` stands between word characters."""
    return bool(re.search(r"\w\.\w", re.sub(r"\\.", "\0", source)))


def dangers(regex: re.Pattern[str]) -> dict[str, str]:
    """Find what a regex lets in that no policy with credentials should.

    Returns:
        The word of `dangerously_allow` for each danger, with an origin that showed it. A regex that lets in
        another site needs no other word.
    """
    variants = [_parts(variant) for variant in _variants(regex.pattern)]
    words = [part for part in dict.fromkeys(itertools.chain(*variants)) if part.strip(".-")]
    named = itertools.chain(*map(_named, variants))
    found: dict[str, str] = {}
    for probe in itertools.chain(_FOREIGN, named, _shared(), _EXTENSIONS):
        danger = _danger(probe, words) if regex.fullmatch(probe) else None
        if danger == ANY_ORIGIN:
            return {danger: probe}
        if danger:
            found.setdefault(danger, probe)
    return found


def _parts(source: str) -> list[str]:
    """Take the literal parts of a host out of a regex, in order, with the dots and hyphens at their ends."""
    text = re.sub(r"\[(?:\\.|[^\]])*\]|\\[a-zA-Z]|\{[^}]*\}", " ", source)
    text = re.sub(r"(?<!\\)\.[*+?]+\??", " ", text)  # .* and its like stand for a filler
    text = re.sub(r"\\(.)", r"\1", text)
    return [part for part in re.findall(r"[a-z0-9.\-]+", text.lower()) if part not in {"http", "https"}]


def _variants(source: str) -> list[str]:
    """Write a regex without its groups: a variant for each choice that they leave, up to a bound."""
    done: list[str] = []
    todo = [source]
    while todo and len(done) + len(todo) <= _MOST_VARIANTS:
        variant = todo.pop()
        group = _GROUP.search(variant)
        if group is None:
            done += variant.split("|")
            continue
        choices = [*group[1].split("|"), *([""] if group[2][:1] in {"?", "*"} else [])]
        todo += (variant[: group.start()] + choice + variant[group.end() :] for choice in choices)
    return done + todo


def _named(parts: list[str]) -> Iterator[str]:
    """Put together origins from the names that the regex spells out."""
    words = [part for part in dict.fromkeys(parts) if part.strip(".-")][:_MOST_WORDS]
    in_order = (filler.join(parts[:_MOST_WORDS]) + end for filler in _FILLERS for end in ("", filler))
    hosts = dict.fromkeys(itertools.chain(in_order, _joined(words), _twisted(words)))
    for host in (host for host in hosts if "" not in host.split(".")):
        yield from (f"{scheme}://{host}" for scheme in ("https", "http") if parse_origin(f"{scheme}://{host}"))


def _joined(words: list[str]) -> Iterator[str]:
    for filler in _FILLERS:
        for first, second in itertools.product(["", *words], repeat=2):
            yield f"{first}{filler}{second}"
            yield f"{first}{filler}.{second.lstrip('.')}"
    for word in words:
        yield word.strip(".-")


def _twisted(words: list[str]) -> Iterator[str]:
    """The forms of a name that pass for it: as a prefix or suffix of another site, or with a dot that isn't one."""
    for name in [word.strip(".-") for word in words]:
        yield from (f"{name}.attacker.net", f"{name}attacker.net", f"{name}-attacker.net", f"a.{name}.attacker.net")
        yield from (f"{other.strip('.-')}.{name}.attacker.net" for other in words)
        yield f"attacker{site(name) or name}"
        dots = [i for i, letter in enumerate(name) if letter == "."]
        yield from (f"{name[:i]}x{name[i + 1 :]}" for i in dots[:-1])


def _shared() -> Iterator[str]:
    return (f"https://attacker.{suffix}" for suffix in _SHARED)


def _danger(probe: str, words: list[str]) -> str | None:
    """Name the danger of an accepted origin; None where it belongs to a site that the regex names."""
    origin = parse_origin(probe)
    if origin is None or is_local(origin.host):
        return None
    if origin.scheme not in {"http", "https"}:
        return SHARED_SUFFIX
    if origin.host == "203.0.113.7":
        return ANY_ORIGIN
    bases = [word.strip(".-") for word in words]
    if any(origin.host.endswith(f".{base}") and "." in base and is_shared(base) for base in bases):
        return SHARED_SUFFIX
    own = site(origin.host)
    if own is None:
        return None
    named = any(re.search(rf"(?:^|\.){re.escape(own)}$", word.rstrip(".-")) for word in words)
    if named or re.fullmatch(r"[0-9.]+", origin.host):
        return OVER_HTTP if origin.scheme == "http" else None
    suffix = own.partition(".")[2]
    return SHARED_SUFFIX if suffix in _SHARED or _spells(words, suffix) else ANY_ORIGIN


def _spells(words: list[str], suffix: str) -> bool:
    """Tell whether the regex itself names the suffix below which anyone can get a host."""
    ends = any(word.strip(".") == suffix or (word[0] in ".-" and word.endswith(f".{suffix}")) for word in words)
    return ends and is_shared(suffix)
