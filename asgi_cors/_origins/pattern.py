"""An origin pattern as people write it: parsed, not matched. Imported for an entry that is more than a plain origin.

An origin is compared byte for byte with what browsers send, so a pattern that browsers never send is a
mistake, and is refused with the form that they do send.

Sources: URL, "host parsing", "IPv4 parser", "IPv6 serializer". `_origin_set` matches; `_origin_hints` mends.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
from typing import Final, NamedTuple

from asgi_cors._errors import UNSET

from .origin import MAX_HOST, MAX_PORT, WEB_PORTS

# Pages of these send `Origin: null` (URL, "origin": an opaque origin).
OPAQUE_SCHEMES: Final = frozenset({"about", "blob", "data", "file", "javascript"})
# No page is loaded from these: the page that opens a WebSocket has the http(s) form.
WEBSOCKET_SCHEMES: Final = {"ws": "http", "wss": "https"}

MAX_TEXT: Final = 10_000  # characters of an entry that is looked at closely

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]{0,63}")
_HOST: Final = re.compile(r"[a-z0-9_\-.*]+")
_OPAQUE_HOST: Final = re.compile(r"[!\"$%&'()+,\-.0-9;=A-Z_`a-z{}~]+")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
# One string from an environment variable: a list, or a text in quotation marks.
_LIST: Final = re.compile(r"[,;\s]|^\[(?:[\"'*\]]|https?:)")
_QUOTED: Final = re.compile(r"([\"'`\u2018\u201c]).*[\"'`\u2019\u201d]")
_QUANTIFIER: Final = re.compile(r"(?<!:)\{[0-9]+(?:,[0-9]*)?\}")
_REGEX: Final = re.compile(
    r"[\\^$|()]|\?:|://\.\*|\.\*(?![.\-:]|$)|\.\+|(?<!:)\[[^\]:,]*-[^\]:,]*\]|://\[[a-z]+\]|s\[s\]|p\[s\]"
)
# `${DOMAIN}`, `$DOMAIN`, `{domain}`, `<domain>`, `%(domain)s`, `%DOMAIN%`
_PLACEHOLDER: Final = re.compile(
    r"\$\{?[A-Za-z_]|\{+ *[A-Za-z_][\w.\- ]*\}|(?<![P?(])<[A-Za-z_][\w.\- ]*>|%\(?[A-Z_a-z]{3,}[)%]"
)
# `*` as part of a label touches nothing but hyphens and the label's ends.
_WILD_LABEL: Final = re.compile(r"(?:[a-z0-9_\-]*-)?\*(?:-[a-z0-9_\-]*)?")
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


class Pattern(NamedTuple):
    """A parsed entry. In `host` and `port` `*` is the wildcard; `port` is empty for the scheme's default."""

    text: str
    scheme: str
    host: str
    port: str

    @property
    def is_exact(self) -> bool:
        """Whether it stands for one origin only."""
        return "*" not in self.text

    @property
    def literal_suffix(self) -> str:
        """The part of the host behind its last wildcard label: all that the pattern is sure of."""
        head, star, tail = self.host.rpartition("*")
        return tail.partition(".")[2] if star else head or self.host


class Problem(NamedTuple):
    """Why an entry is no origin pattern."""

    code: str
    message: str


_MORE_THAN_ONE: Final = Problem("origin-list", "is more than one entry in one string")


def parse_pattern(text: str) -> Pattern | Problem:
    """Parse an origin pattern: the entry of `allow_origins` that is neither `*` nor `null`."""
    scheme, separator, rest = text.partition("://")
    problem = _problem_of_text(text, scheme, separator) or _problem_of_rest(rest) or _problem_of_colons(scheme, rest)
    if problem:
        return problem
    host, colon, port = _split_port(rest)
    problem = _problem_of_host(host, scheme) or (_problem_of_port(port, scheme) if colon else None)
    return problem or Pattern(text, scheme, host, port)


def _split_port(rest: str) -> tuple[str, str, str]:
    if rest.startswith("["):
        host, bracket, tail = rest.partition("]")
        return (
            host + bracket + ("" if tail.startswith(":") else tail),
            tail[:1],
            tail[1:] if tail.startswith(":") else "",
        )
    host, colon, port = rest.rpartition(":")
    return (host, colon, port) if colon else (rest, "", "")


def _problem_of_text(text: str, scheme: str, separator: str) -> Problem | None:
    """Find what is wrong with the entry as a whole: everything that is not host or port."""
    if not text.strip():
        return Problem("origin-empty", f"is empty ({UNSET})")
    if text.lower() in {"none", "null", "undefined"}:
        return Problem("origin-no-scheme", f"is the text of a value that is not set ({UNSET})")
    return _problem_of_form(text, scheme) or _problem_of_scheme(text, scheme, separator)


def _problem_of_form(text: str, scheme: str) -> Problem | None:
    """Return the problem of a text that is a list, a regular expression, or an origin with characters around it."""
    if len(text) > MAX_TEXT:
        is_list = _LIST.search(text.strip())
        return _MORE_THAN_ONE if is_list else Problem("origin-too-long", f"is over {MAX_TEXT:,} characters long")
    if _QUOTED.fullmatch(text) and not _LIST.search(text):
        return Problem("origin-quoted", "has quotation marks inside the string")
    if scheme in {*WEB_PORTS, text} and _PLACEHOLDER.search(text):
        return Problem("origin-placeholder", "has a placeholder that was not replaced by its value")
    one = _QUANTIFIER.sub("", text)
    if _LIST.search(one.strip()):
        return _MORE_THAN_ONE
    if text != text.strip():
        return Problem("origin-white-space", "has white space around it")
    if one != text or _REGEX.search(text):
        return Problem("origin-regex", "looks like a regular expression, but a string is compared as it is")
    return None


def _problem_of_scheme(text: str, scheme: str, separator: str) -> Problem | None:
    name = text.partition(":")[0].lower()
    if name in OPAQUE_SCHEMES and ":" in text:
        return Problem("origin-opaque-scheme", f"has the scheme {name!r}, whose pages send 'Origin: null'")
    if not separator:
        return Problem("origin-no-scheme", "has no scheme; an origin is scheme://host[:port]")
    if name in WEBSOCKET_SCHEMES:
        return Problem(
            "origin-websocket-scheme", f"has the scheme {name!r}; the page that opens a WebSocket has http or https"
        )
    if scheme != name or (name in WEB_PORTS and text != text.lower()):
        return Problem("origin-upper-case", "has upper-case letters; browsers send origins in lower case")
    if not _SCHEME.fullmatch(scheme):
        return Problem("origin-bad-scheme", f"has {scheme!r} for a scheme")
    return None


def _problem_of_rest(rest: str) -> Problem | None:
    """Find what a URL has and an origin hasn't (RFC 6454, 6.2)."""
    if "@" in rest.partition("/")[0]:
        return Problem("origin-userinfo", "has a user name or password; an origin has none")
    cut = re.search(r"[/\\?#]", rest)
    if cut is None:
        return None
    if rest[cut.start() :] == "/":
        return Problem("origin-trailing-slash", "ends in a slash; an origin has no path")
    what = {"?": "query", "#": "fragment"}.get(cut[0], "path")
    return Problem(f"origin-{what}", f"has a {what}; an origin has none")


def _problem_of_colons(scheme: str, rest: str) -> Problem | None:
    """Return the problem of a text with more than one colon outside of brackets."""
    if scheme not in WEB_PORTS or rest.startswith("[") or rest.count(":") < 2:  # noqa: PLR2004 - more than one
        return None
    if canonical_ipv6(rest):
        return Problem("origin-ip", "has an IPv6 address without brackets")
    return Problem("origin-port", "has more than one port")


def _problem_of_port(port: str, scheme: str) -> Problem | None:
    if port == "*":
        return None
    if not _PORT.fullmatch(port) or int(port) > MAX_PORT:
        return Problem("origin-port", f"has the port {port!r}; a port is a number from 1 to {MAX_PORT}, or '*'")
    if int(port) == WEB_PORTS.get(scheme):
        return Problem("origin-default-port", f"spells out {scheme}'s default port; browsers leave it out")
    return None


def _problem_of_host(host: str, scheme: str) -> Problem | None:
    if not host:
        return Problem("origin-no-host", "has no host")
    if not host.isascii():
        return Problem("origin-non-ascii", "has a host that is not ASCII; browsers send it in punycode")
    if scheme not in WEB_PORTS:
        return None if host == "*" else _problem_of_opaque_host(host)
    if host.startswith("[") or ":" in host:
        return _problem_of_ipv6(host)
    if not _HOST.fullmatch(host):
        return Problem("origin-host-character", f"has {_HOST.sub('', host)[0]!r} in its host")
    return _problem_of_name(host)


def _problem_of_opaque_host(host: str) -> Problem | None:
    if "*" in host:
        return Problem(
            "origin-wildcard", "has a '*' in part of its host; with this scheme it stands only for the whole host"
        )
    if not _OPAQUE_HOST.fullmatch(host):
        return Problem("origin-host-character", f"has {_OPAQUE_HOST.sub('', host)[0]!r} in its host")
    return None


def _problem_of_ipv6(host: str) -> Problem | None:
    canonical = canonical_ipv6(host)
    if canonical == host:
        return None
    return Problem(
        "origin-ip",
        "has an invalid IPv6 address"
        if canonical is None
        else "has an IPv6 address that browsers write in another form",
    )


def _problem_of_name(host: str) -> Problem | None:
    """Find what is wrong with a host name, a name with wildcards, or an IPv4 address."""
    labels = host.split(".")
    if labels[-1] == "" and len(labels) > 1:
        return Problem("origin-final-dot", "ends in a dot; that is another origin, which no link leads to")
    if "" in labels:
        return Problem("origin-empty-label", "has an empty label (two dots, or one at the start)")
    if len(host) > MAX_HOST or max(map(len, labels)) > 63:  # noqa: PLR2004 - RFC 1035, 2.3.4
        return Problem("origin-too-long", "has a label of over 63 or a host of over 253 bytes; no DNS name has")
    if "*" in host:
        problem = _problem_of_wildcard(labels)
        if problem:
            return problem
    if _NUMBER.fullmatch(labels[-1]) and canonical_ipv4(host) != host:
        is_valid = canonical_ipv4(host) is not None
        what = "an IPv4 address that browsers write in another form" if is_valid else "an invalid IPv4 address"
        return Problem("origin-ip", f"has {what}")
    if any(label.startswith("xn--") and "*" not in label and not _is_punycode(label) for label in labels):
        return Problem("origin-punycode", "has an 'xn--' label that is not the punycode of an international name")
    return None


def _problem_of_wildcard(labels: list[str]) -> Problem | None:
    if "*" in labels[-1]:
        return Problem("origin-wildcard", "has a '*' with no domain behind it")
    if not all(_WILD_LABEL.fullmatch(label) for label in labels if "*" in label):
        return Problem("origin-wildcard", "has a '*' against a letter or digit, or two in one label")
    return None


def canonical_ipv6(host: str) -> str | None:
    """Write a bracketed IPv6 address as browsers do (URL, "IPv6 serializer"); None where it is none."""
    try:
        address = ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    if address.scope_id:
        return None
    mapped = address.ipv4_mapped  # CPython 3.13 writes these with dots, browsers never do
    low = int(mapped) if mapped else 0
    return f"[::ffff:{low >> 16:x}:{low & 0xFFFF:x}]" if mapped else f"[{address.compressed}]"


def canonical_ipv4(host: str) -> str | None:
    """Write an IPv4 address as browsers do (URL, "IPv4 parser"); None where it is none."""
    parts = host.split(".")
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):  # noqa: PLR2004 - four octets
        return None
    try:
        *octets, last = (_ipv4_number(part) for part in parts)
        number = sum(octet << (24 - 8 * i) for i, octet in enumerate(octets)) + last
        fits = all(octet < 256 for octet in octets) and last < 256 ** (4 - len(octets))  # noqa: PLR2004 - octets
    except ValueError:
        return None
    return str(ipaddress.IPv4Address(number)) if fits else None


def _ipv4_number(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part[2:] or "0", 16)
    return int(part, 8) if part.startswith("0") else int(part)


@functools.lru_cache(maxsize=1024)
def _is_punycode(label: str) -> bool:
    """Tell whether an `xn--` label stands for a name that is not ASCII, and is the only way to write it."""
    try:
        name = label[4:].encode().decode("punycode")
        return not name.isascii() and f"xn--{name.encode('punycode').decode()}" == label and _remapped(name) == name
    except ValueError:
        return False


def _remapped(name: str) -> str:
    """Map a name as browsers do before they encode it (UTS #46); emoji newer than idna's table stay."""
    import idna  # noqa: PLC0415 - expensive, and rarely needed

    mapped = ""
    try:
        return idna.uts46_remap(name)
    except idna.IDNAError:
        for character in name:
            try:
                mapped += idna.uts46_remap(character)
            except idna.IDNAError:
                mapped += character if unicodedata.category(character) in {"So", "Cn"} else ""
    return mapped
