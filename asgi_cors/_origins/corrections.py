"""Corrections for entries that are not origin patterns.

A correction never allows more than the entry meant. The caller decides which corrections are accepted: with
credentials there are fewer.
"""

from __future__ import annotations

import contextlib
import re
import urllib.parse
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from asgi_cors._errors import UNSET_HINT, text_of

from .origin import WEB_PORTS, to_ascii
from .pattern import (
    MAX_TEXT,
    WEBSOCKET_SCHEMES,
    Pattern,
    Problem,
    canonical_ipv4,
    canonical_ipv6,
    parse_pattern,
)

Accepts = Callable[[list[Any]], bool]

# Compiled by `re` when they are first used: most policies have no mistake.
_AUTHORITY: Final = r"([^/\\?#]*@)?(\[[^\]]*\]|[^/\\?#:]*)(?::([^/\\?#]*))?"
_SCHEME: Final = r"(?i)^(?:(?:https?:/+)+(?=https?:/))?(https?|wss?)(?:[:;]+[/\\]*|//+)"
# A scheme with a wildcard, such as `https?://`, `http(s)://`, `http[s]?://`, `(http|https)://`, `http*://` and `*://`.
_ANY_SCHEME: Final = r"(?i)^\^?(?:https\?|http\(\??:?s\)\??|http\[s\]\??|\((?:\?:)?https?\|https?\)|(?:http)?\*)://"
_DOTS: Final = dict.fromkeys(map(ord, "\u3002\uff0e\uff61"), ".")  # dots of UTS #46
_LOCAL: Final = r"localhost\b|127\.|\[|.*\.localhost\b"
_NO_HOST: Final = frozenset({"none", "null", "undefined", "true", "false", "all", "any", "nan"})
_BARE_DOT: Final = r"(?<![\\.\])])\.(?![*+?{.])"
_IP_GLOB: Final = r"(?:[0-9]{1,3}|\*)(?:\.(?:[0-9]{1,3}|\*)){1,3}"
_BRACED: Final = r"[\[{]([\w.\-]+(?: *, *[\w.\-]+)*)[\]}]"
_MAX_LISTED: Final = 20

# The hint for a problem without a correction, by code.
_ADVICE: Final = {
    "origin-empty": UNSET_HINT,
    "origin-placeholder": "Replace the placeholder with its value.",
    "origin-regex": "Use allow_origin_regex, with a valid regular expression.",
    "origin-opaque-scheme": "Serve the page from an origin of its own, such as 'https://app.example.com':"
    " every sandboxed page sends 'null', too.",
    "origin-port": "Name each port, or use ':*' for any port.",
    "origin-non-ascii": "Correct the name: no browser accepts it.",
    "origin-punycode": "Correct the label: write 'xn--' and the punycode of the name.",
    "origin-host-character": "Correct the host: it has letters, digits, '-', '_' and dots.",
    "origin-too-long": "Correct the name: it cannot be registered.",
    "origin-ip": "Correct the address: IPv4 has four numbers from 0 to 255, IPv6 has brackets.",
    "origin-wildcard": "Name each origin, or use '*' in front of a domain, between dots or hyphens.",
}
_TOO_LONG: Final = "Use a list of strings, one for each entry."
_OTHERWISE: Final = "Name the origin, as in 'https://app.example.com'."


def hint(text: str, problem: Problem, accepts: Accepts, option: str = "allow_origins") -> str:
    """Return the hint for a text that is not an origin pattern: the first accepted correction, or else advice.

    Args:
        text: The entry.
        problem: Its mistake.
        accepts: Returns whether a list of entries would be accepted.
        option: The option that has the entry. Only `allow_origins` has an option for its regular expressions.
    """
    if len(text) > MAX_TEXT:
        return _TOO_LONG
    regex_option = "allow_origin_regex" if option == "allow_origins" else ""
    for candidate in _candidates(text, problem.code, accepts):
        if candidate and accepts(candidate):
            return f"Write {_spelled(candidate, problem.code, regex_option)}."
    advice = _ADVICE.get(problem.code, _OTHERWISE)
    return advice if regex_option else advice.replace("allow_origin_regex", "re.compile(…)")


def hint_for_object(entry: object, accepts: Accepts) -> str:
    """Return the hint for an entry of another type, whose text is probably meant."""
    if entry is None:
        return UNSET_HINT
    if isinstance(entry, list | tuple | set | frozenset | Mapping):
        texts = map(_text, cast("Iterable[object]", entry))
        lines = [line for text in texts if text is not None for line in _accepted(text, accepts)]
        return f"Write {lines!r}." if lines else _OTHERWISE
    text = (_text(entry) or "")[:MAX_TEXT]
    lines = _accepted(text, accepts) if "://" in text or isinstance(entry, bytes) else []
    return f"Write {lines[0]!r}." if len(lines) == 1 else _OTHERWISE


def _text(value: object) -> str | None:
    if (text := text_of(value)) is not None:
        return text
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - an object with a broken str
        return None


def _accepted(text: str, accepts: Accepts) -> list[str]:
    """Return the text if it is accepted, or else its first correction that is."""
    candidates, none = [[text], *_one(text.strip())] if text else [], cast("list[str]", [])
    return next((lines for lines in candidates if lines and isinstance(lines[0], str) and accepts(lines)), none)


def _spelled(candidate: list[Any], code: str, regex_option: str) -> str:
    """Return the code to write for a correction."""
    first = cast("re.Pattern[str] | str", candidate[0])
    if code == "origin-list" or len(candidate) > 1:
        return repr(candidate)
    if isinstance(first, re.Pattern):
        is_option = regex_option and code == "origin-regex"
        return f"{regex_option}={first.pattern!r}" if is_option else f"re.compile({first.pattern!r})"
    return repr(first)


def _candidates(text: str, code: str, accepts: Accepts) -> Iterator[list[Any]]:
    """Yield corrections of `text`, the closest first."""
    stripped = text.strip().strip("\"'`\u2018\u2019\u201c\u201d")
    if code in {"origin-empty", "origin-placeholder"} or stripped.lower() in _NO_HOST:
        return
    if stripped in {".*", ".+", "^.*$", "^.+$", "*://*", "**", "*"}:
        yield ["*"]
    elif code == "origin-regex":
        yield from _regexes(stripped)
    elif code == "origin-list":
        yield _corrected_list(stripped, accepts)
    else:
        yield from _one(stripped)


def _one(text: str) -> Iterator[list[Any]]:
    """Yield corrections of one origin."""
    text = urllib.parse.unquote(text) if "%3a" in text.lower() else text
    yield from _with_ports(text)
    for each in dict.fromkeys((text, _with_scheme(text))):
        if (line := corrected(each)) is not None:
            yield [line]
            yield ["https://" + line.removeprefix("http://")]
        yield from _glob(each)


def _with_scheme(text: str) -> str:
    """Replace a scheme with a wildcard by one scheme: http for loopback hosts, or else https."""
    rest = re.sub(_ANY_SCHEME, "", text)
    return text if rest == text else ("http://" if re.match(_LOCAL, rest) else "https://") + rest.removesuffix("$")


# Lists, ports, regular expressions


def _corrected_list(text: str, accepts: Accepts) -> list[Any]:
    """Split a list in one string and correct its entries. Entries without a correction are left out."""
    found: list[Any] = []
    parts = _split(text)
    for part in parts:
        base = re.match(r"(.*:)[0-9]+$", str(found[-1])) if found and part.isdecimal() else None
        one = base[1] + part if base else part  # "http://localhost:3000,5173"
        candidates = [["null"]] if one == "null" else _one(one)
        found += next((lines for lines in candidates if lines and accepts(lines)), ())
    return list(dict.fromkeys(found)) or (["*"] if "*" in parts else [])


def _split(text: str) -> list[str]:
    """Split at commas, semicolons and blanks. Braces and brackets are expanded: `http://localhost:[3000,5173]`."""
    inner = text[1:-1] if text[:1] + text[-1:] in {"[]", "()", "{}"} else text
    whole = inner.lstrip("[")
    braced = re.search(_BRACED, whole)
    if braced and "," in braced[1]:
        begin = max(whole.rfind(separator, 0, braced.start()) for separator in ", ;") + 1
        end = min((at for separator in ", ;" if (at := whole.find(separator, braced.end())) >= 0), default=len(whole))
        names = re.split(" *, *", braced[1])[:_MAX_LISTED]
        one = [whole[begin : braced.start()] + name + whole[braced.end() : end] for name in names]
        return [*_split(whole[:begin]), *one, *_split(whole[end:])]
    return [part for part in re.split(r"[\s,;\"'`]+", inner) if part]


def _with_ports(text: str) -> Iterator[list[Any]]:
    """Yield the origins of a text with several ports: `http://a:8000:9000`, `http://a:[3000]`, `http://a:3000-3005`."""
    head = re.match(r"(.*?://[^:/\[\]]+):(?=[0-9\[{])(.+)$", text)
    if head is None:
        return
    ports = re.findall(r"[0-9]+", head[2])
    if re.fullmatch(r"[\[{]?[0-9]{1,5}-[0-9]{1,5}[\]}]?", head[2]):
        first, last = map(int, ports)
        ports = [str(port) for port in range(first, last + 1)] if last - first < _MAX_LISTED else []
    elif not re.fullmatch(r"[0-9]+(?::[0-9]+)+|[\[{][0-9]+[\]}]", head[2]):
        return
    lines = [corrected(f"{head[1]}:{port}") for port in ports]
    yield [] if None in lines else lines


def _regexes(text: str) -> Iterator[list[Any]]:
    """Yield a regular expression with its dots escaped, and an origin pattern."""
    if len(text) > 1 and text[0] == text[-1] == "/":  # as in JavaScript
        text = text[1:-1]
    plain = text.replace(r"\.", ".")
    pattern = corrected(_with_scheme(plain)) if _with_scheme(plain) != plain else None
    if pattern and "*" in pattern:
        yield [pattern]  # "https?://*.example.com"
    with warnings.catch_warnings(), contextlib.suppress(re.error, RecursionError, OverflowError, Warning):
        warnings.simplefilter("error")  # such as `[[`, which a later Python may parse differently
        yield [re.compile(re.sub(_BARE_DOT, r"\\.", text))]
    if pattern:
        yield [pattern]


def _glob(text: str) -> Iterator[list[Any]]:
    """Yield a regular expression for a wildcard that is the whole host, or a part of an IPv4 address."""
    found = re.fullmatch(r"(https?)://([0-9.*]+)((?::(?:[0-9]+|\*))?)(?:/.*)?", text)
    if found is None or "*" not in found[2]:
        return
    scheme, host, port = found.groups()
    port = "(?::[0-9]+)?" if port == ":*" else port
    if host == "*":
        yield [re.compile(f"{scheme}://.+{port}")]
    elif re.fullmatch(_IP_GLOB, host):
        numbers = host.split(".")
        numbers += ["*"] * (4 - len(numbers)) if numbers[-1] == "*" else []
        expressions = (r"[0-9]{1,3}" if number == "*" else number for number in numbers)
        yield [re.compile(rf"{scheme}://" + r"\.".join(expressions) + port)] if len(numbers) == 4 else []  # noqa: PLR2004


# One origin


def corrected(text: str) -> str | None:
    """Return `text` with everything corrected that has one correct form; None if that is not an origin pattern."""
    text = re.sub(_SCHEME, r"\1://", text.strip())
    text = re.sub(r"(?i)^blob:(?=https?://)", "", text)
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = ("http" if re.match(_LOCAL, text) else "https"), text.lstrip("/")
        is_path = re.match(r"/(?!/)", text)
        if is_path or rest.lower() in _NO_HOST or not re.search(r"[.*:]|^localhost|^\[", rest):
            return None
    scheme, rest = WEBSOCKET_SCHEMES.get(scheme.lower(), scheme.lower()), re.sub(r":\.[*+]$", ":*", rest)
    if scheme in WEB_PORTS:
        rest = _bracketed(rest.lower())
    _, host, port = re.findall(_AUTHORITY, rest)[0]
    line = f"{scheme}://{_corrected_host(host) if scheme in WEB_PORTS else host}{_corrected_port(port, scheme)}"
    return line if isinstance(parse_pattern(line), Pattern) else None


def _bracketed(rest: str) -> str:
    """Put brackets around an IPv6 address. The number after `::1:` is the port."""
    authority = re.split(r"[/?#]", rest)[0]
    if rest.startswith("[") or authority.count(":") < 2 or canonical_ipv6(authority) is None:  # noqa: PLR2004
        return rest
    return re.sub(r"^::1:", "[::1]:", authority) if authority.startswith("::1:") else f"[{authority}]"


def _corrected_port(port: str, scheme: str) -> str:
    number = port.lstrip("0")
    return f":{number}" if port and number != str(WEB_PORTS.get(scheme)) else ""


def _corrected_host(host: str) -> str:
    if host.startswith("["):
        return canonical_ipv6(re.sub(r"%.*", "]", host)) or host
    host = ".".join(map(_decoded, host.split(".")))
    host = host if host.isascii() else _encoded(host)
    host = re.sub(r"^\.(?=[a-z0-9])", "*.", host)  # as in Django
    host = re.sub(r"\*{2,}", "*", re.sub(r"\.{2,}", ".", host).strip("."))
    host = re.sub(r"\*(?=[a-z0-9])", "*." if host.startswith("*") else "*-", re.sub(r"(?<=[a-z0-9])\*", "-*", host))
    return canonical_ipv4(host) or host


def _decoded(label: str) -> str:
    """Decode an `xn--` label, which may be ASCII or have another encoding in browsers."""
    with contextlib.suppress(ValueError):
        return label[4:].encode().decode("punycode") if label.startswith("xn--") else label
    return label


def _encoded(host: str) -> str:
    """Return an international name as browsers send it (UTS #46), with labels outside of IDNA 2008, such as emoji."""
    import idna  # noqa: PLC0415 - expensive, and rarely needed

    labels = host.translate(_DOTS).split(".")
    try:
        return ".".join(label if label.isascii() else to_ascii(idna.uts46_remap(label)) for label in labels)
    except idna.IDNAError:
        return host
