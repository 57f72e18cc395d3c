"""Origin patterns: an entry of `allow_origins` as users write it, and its mistakes.

An origin is compared byte for byte with the one that browsers send. A pattern that no browser sends is therefore
refused. `corrections.py` finds the form that browsers do send, `origin_set.py` matches.

Sources: URL, "host parsing", "IPv4 parser", "IPv6 serializer".
"""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
from typing import Final, NamedTuple

from asgi_cors._errors import UNSET

from .origin import MAX_HOST, MAX_PORT, WEB_PORTS, to_ascii

# Pages with these schemes send `Origin: null` (URL, "origin": an opaque origin).
OPAQUE_SCHEMES: Final = frozenset({"about", "blob", "data", "file", "javascript"})
# Schemes of WebSockets, with those of the pages that open them.
WEBSOCKET_SCHEMES: Final = {"ws": "http", "wss": "https"}

UNSET_TEXTS: Final = frozenset({"none", "null", "undefined"})  # of a value that is not set
MAX_TEXT: Final = 10_000  # characters of an entry; a longer one is not analysed

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]{0,63}")
_HOST: Final = re.compile(r"[a-z0-9_\-.*]+")
_OPAQUE_HOST: Final = re.compile(r"[!\"$%&'()+,\-.0-9;=A-Z_`a-z{}~]+")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
# One string from an environment variable: a list, or a text in quotation marks.
_LIST: Final = re.compile(r"[,;\s]|^\[(?:[\"'*\]]|https?:)")
_OPENING_QUOTES: Final = "\"'`\u2018\u201c"
_CLOSING_QUOTES: Final = "\"'`\u2019\u201d"
_QUANTIFIER: Final = re.compile(r"(?<!:)\{[0-9]+(?:,[0-9]*)?\}")
_REGEX: Final = re.compile(
    r"[\\^$|()]|\?:|://\.\*|\.\*(?![.\-:]|$)|\.\+|(?<!:)\[[^\]:,]*-[^\]:,]*\]|://\[[a-z]+\]|s\[s\]|p\[s\]"
)
# `${DOMAIN}`, `$DOMAIN`, `{domain}`, `<domain>`, `%(domain)s`, `%DOMAIN%`
_PLACEHOLDER: Final = re.compile(
    r"\$\{?[A-Za-z_]|\{+ *[A-Za-z_][\w.\- ]*\}|(?<![P?(])<[A-Za-z_][\w.\- ]*>|%\(?[A-Z_a-z]{3,}[)%]"
)
# A '*' in a label is next to hyphens or the label's ends.
_WILD_LABEL: Final = re.compile(r"(?:[a-z0-9_\-]*-)?\*(?:-[a-z0-9_\-]*)?")
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


class Pattern(NamedTuple):
    """A parsed entry. `*` in `host` and `port` is the wildcard; `port` is empty for the scheme's default."""

    text: str
    scheme: str
    host: str
    port: str

    @property
    def is_exact(self) -> bool:
        """Whether the pattern matches one origin only."""
        return "*" not in self.text

    @property
    def literal_suffix(self) -> str:
        """The labels of the host behind its last label with a wildcard."""
        _, star, tail = self.host.rpartition("*")
        return tail.partition(".")[2] if star else self.host


class Problem(NamedTuple):
    """A mistake in an entry: the code of an issue, and the message without its subject."""

    code: str
    message: str


_MORE_THAN_ONE: Final = Problem("origin-list", "is more than one entry in one string")


def parse_pattern(text: str) -> Pattern | Problem:
    """Parse an origin or an origin pattern: an entry of `allow_origins` other than `*` and `null`."""
    problem = _problem_of_text(text)
    if problem:
        return problem
    scheme, host, colon, port = _split(text)
    problem = _problem_of_host(host, scheme) or (_problem_of_port(port, scheme) if colon else None)
    return problem or Pattern(text, scheme, host, port)


def parse_valid_pattern(text: str) -> Pattern:
    """Parse an entry that `parse_pattern` has accepted before."""
    scheme, host, _, port = _split(text)
    return Pattern(text, scheme, host, port)


def _split(text: str) -> tuple[str, str, str, str]:
    """Return scheme, host, colon and port. The last two are empty without a port."""
    scheme, _, rest = text.partition("://")
    host, colon, port = rest.partition("]:") if rest.startswith("[") else rest.rpartition(":")
    return (scheme, host + colon[:-1], ":", port) if colon else (scheme, rest, "", "")


def _problem_of_text(text: str) -> Problem | None:
    """Check the entry as a whole."""
    if not text.strip():
        return Problem("origin-empty", f"is empty ({UNSET})")
    if text.lower() in UNSET_TEXTS:
        return Problem("origin-no-scheme", f"is the text of a value that is not set ({UNSET})")
    scheme, separator, rest = text.partition("://")
    return (
        _problem_of_form(text, scheme)
        or _problem_of_scheme(text, scheme, separator)
        or _problem_of_url(rest)
        or _problem_of_colons(scheme, rest)
    )


def _problem_of_form(text: str, scheme: str) -> Problem | None:
    """Check for a list, a regular expression, a placeholder, and characters around the origin."""
    if len(text) > MAX_TEXT:
        is_list = _LIST.search(text.strip())
        return _MORE_THAN_ONE if is_list else Problem("origin-too-long", f"is over {MAX_TEXT:,} characters long")
    is_quoted = len(text) > 1 and text[0] in _OPENING_QUOTES and text[-1] in _CLOSING_QUOTES
    if is_quoted and not _LIST.search(text):
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
        message = f"has the scheme {name!r}; the page that opens a WebSocket has http or https"
        return Problem("origin-websocket-scheme", message)
    if scheme != name or (name in WEB_PORTS and text != text.lower()):
        return Problem("origin-upper-case", "has upper-case letters; browsers send origins in lower case")
    if not _SCHEME.fullmatch(scheme):
        return Problem("origin-bad-scheme", f"has the scheme {scheme!r}, which is not valid")
    return None


def _problem_of_url(rest: str) -> Problem | None:
    """Check for the parts of a URL that an origin does not have (RFC 6454, 6.2)."""
    if "@" in rest.partition("/")[0]:
        return Problem("origin-userinfo", "has a user name or password; an origin has none")
    cut = re.search(r"[/\\?#]", rest)
    if cut is None:
        return None
    if rest[cut.start() :] == "/":
        return Problem("origin-trailing-slash", "ends in a slash; an origin has no path")
    part = {"?": "query", "#": "fragment"}.get(cut[0], "path")
    return Problem(f"origin-{part}", f"has a {part}; an origin has none")


def _problem_of_colons(scheme: str, rest: str) -> Problem | None:
    """Check for more than one colon outside of brackets."""
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
        return Problem("origin-default-port", f"has {scheme}'s default port; browsers leave it out")
    return None


def _problem_of_host(host: str, scheme: str) -> Problem | None:
    if not host:
        return Problem("origin-no-host", "has no host")
    if not host.isascii():
        return Problem("origin-non-ascii", "has a host that is not ASCII; browsers send it in punycode")
    is_web = scheme in WEB_PORTS
    if is_web and (host.startswith("[") or ":" in host):
        return _problem_of_ipv6(host)
    if not is_web and "*" in host:
        message = "has a '*' in part of its host; with this scheme, '*' must be the whole host"
        return None if host == "*" else Problem("origin-wildcard", message)
    allowed = _HOST if is_web else _OPAQUE_HOST
    if not allowed.fullmatch(host):
        return Problem("origin-host-character", f"has {allowed.sub('', host)[0]!r} in its host")
    return _problem_of_name(host) if is_web else None


def _problem_of_ipv6(host: str) -> Problem | None:
    canonical = canonical_ipv6(host)
    return None if canonical == host else _problem_of_address("IPv6", canonical)


def _problem_of_address(kind: str, canonical: str | None) -> Problem:
    found = f"an {kind} address that browsers send in another form" if canonical else f"an invalid {kind} address"
    return Problem("origin-ip", f"has {found}")


def _problem_of_name(host: str) -> Problem | None:
    """Check a host name, a name with wildcards, or an IPv4 address."""
    labels = host.split(".")
    if labels[-1] == "" and len(labels) > 1:
        return Problem("origin-final-dot", "ends in a dot; with the dot, it is another origin, and no link leads to it")
    if "" in labels:
        return Problem("origin-empty-label", "has an empty label (two dots, or one at the start)")
    if len(host) > MAX_HOST or max(map(len, labels)) > 63:  # noqa: PLR2004 - RFC 1035, 2.3.4
        return Problem("origin-too-long", "has a label of over 63 bytes or a host of over 253; no DNS name is longer")
    if "*" in labels[-1]:
        return Problem("origin-wildcard", "has a '*' without a domain after it")
    if not all(_WILD_LABEL.fullmatch(label) for label in labels if "*" in label):
        return Problem("origin-wildcard", "has a '*' next to a letter or digit, or two '*' in one label")
    if _NUMBER.fullmatch(labels[-1]) and canonical_ipv4(host) != host:
        return _problem_of_address("IPv4", canonical_ipv4(host))
    if any(label.startswith("xn--") and "*" not in label and not _is_punycode(label) for label in labels):
        return Problem("origin-punycode", "has an 'xn--' label that is not the punycode of an international name")
    return None


def canonical_ipv6(host: str) -> str | None:
    """Return an IPv6 address as browsers send it, in brackets (URL, "IPv6 serializer"); None for another host."""
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
    """Return an IPv4 address as browsers send it (URL, "IPv4 parser"); None for another host."""
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
    """Return whether an `xn--` label is the only encoding of a name that is not ASCII."""
    try:
        name = label[4:].encode().decode("punycode")
        return not name.isascii() and to_ascii(name) == label and _remapped(name) == name
    except ValueError:
        return False


def _remapped(name: str) -> str:
    """Map a name as browsers do before they encode it (UTS #46). Emoji that idna does not know yet are unchanged."""
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
