"""What to write instead of an entry that is no origin pattern.

Knows the mistakes that people make; whether what comes out is an origin pattern is for `_origin_patterns` to say.
"""

from __future__ import annotations

import re
from typing import Final

from ._origin_patterns import WEBSOCKET_SCHEMES, Pattern, Problem, canonical_ipv4, canonical_ipv6, parse_pattern
from ._origins import WEB_PORTS

_AUTHORITY: Final = re.compile(r"([^/\\?#]*@)?(\[[^\]]*\]|[^/\\?#:]*)(?::([^/\\?#]*))?")
_SLASHES: Final = re.compile(r"(?i)^(https?|wss?):/*")
_DOTS: Final = dict.fromkeys(map(ord, "\u3002\uff0e\uff61"), ".")  # what UTS #46 takes for a dot
_LOCAL: Final = re.compile(r"localhost\b|127\.|\[|.*\.localhost\b")


def hint(text: str, problem: Problem) -> str:
    """Say what to write instead of `text`; empty where nothing can be said."""
    if problem.code == "origin-list":
        return f"Write {[mended(part) or part for part in _split(text)]!r}."
    if problem.code == "origin-regex":
        return f"Write allow_origin_regex={text.strip('/')!r} if it is one; it must match the whole origin."
    if problem.code == "origin-opaque-scheme":
        return "Write 'null' if such pages may read (any sandboxed page may then)."
    if text in {"https://*", "http://*", "*://*"}:
        return "Write '*' for every origin, or name the domain: 'https://*.example.com'."
    line = mended(text)
    return f"Write {line!r}." if line else ""


def mended(text: str) -> str | None:
    """Correct everything in `text` that has one correct form; None where that makes no origin pattern."""
    text = _SLASHES.sub(r"\1://", text.strip())
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = ("http" if _LOCAL.match(text) else "https"), text.removeprefix("//")
        if not re.search(r"[.*]|^localhost", rest):
            return None
    scheme = WEBSOCKET_SCHEMES.get(scheme.lower(), scheme.lower())
    _, host, port = _AUTHORITY.findall(rest.lower() if scheme in WEB_PORTS else rest)[0]
    line = f"{scheme}://{_mended_host(host) if scheme in WEB_PORTS else host}{_mended_port(port, scheme)}"
    return line if isinstance(parse_pattern(line), Pattern) else None


def _split(text: str) -> list[str]:
    inner = text.strip()[1:-1] if text.strip().startswith("[") else text
    return [part for part in re.split(r"[\s,\"']+", inner) if part]


def _mended_port(port: str, scheme: str) -> str:
    number = port.lstrip("0")
    return f":{number}" if number and number != str(WEB_PORTS.get(scheme)) else ""


def _mended_host(host: str) -> str:
    if host.startswith("["):
        return canonical_ipv6(re.sub(r"%.*", "]", host)) or host
    if not host.isascii():
        host = _punycode(host)
    host = re.sub(r"\.{2,}", ".", host).strip(".")
    host = re.sub(r"\*(?=[a-z0-9])", "*." if host.startswith("*") else "*-", re.sub(r"(?<=[a-z0-9])\*", "-*", host))
    return canonical_ipv4(host) or host


def _punycode(host: str) -> str:
    """Write an international name as browsers send it (UTS #46; labels outside of IDNA 2008, such as emoji, too)."""
    import idna  # noqa: PLC0415 - only when a policy has such a host

    labels = host.translate(_DOTS).split(".")
    try:
        labels = [label if label.isascii() else idna.uts46_remap(label) for label in labels]
    except idna.IDNAError:
        return host
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)
