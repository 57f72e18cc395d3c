"""URLs, origins and sites.

- URL Standard, URL parsing, for HTTP(S): controls and blanks at the ends and tabs and newlines within are dropped. A
  backslash is a slash. Slashes after `https:` may be missing. A host of numbers is an IPv4 address. If the base has the
  same scheme, the rest is relative unless it begins with two slashes.
- HTML, origin: an origin is scheme, host and port, or `null`. It is serialized in lower case, without the default port.
- HTML, site: a site is the scheme and the registrable domain, or the host if it has none.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
from typing import TYPE_CHECKING

import httpx

from asgi_cors.testing._errors.errors import ScriptError

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

HTTP_SCHEMES = frozenset({"http", "https"})

PORT_LIMIT = 65535

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_C0_OR_SPACE = "".join(map(chr, range(0x21)))
_DROPPED = str.maketrans("", "", "\t\n\r")
_PORT = re.compile(r"(?:^|@)(?:\[[^\]]*\]|[^:@\[\]]*)(?::[0-9]*)?$")
_FORBIDDEN_HOST = re.compile(r"[\x00-\x20#/<>?@\\^|%\x7f]")


@functools.lru_cache
def parse(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """Parse a URL as browsers do, relative to the base. The fragment is dropped. Raises ScriptError."""
    try:
        url = _join(_cleaned(text).partition("#")[0], base)
        return _canonical(url) if url.scheme in HTTP_SCHEMES else url
    except (httpx.InvalidURL, ValueError, OSError) as error:
        raise ScriptError(
            f"{text[:200]!r} is not a URL: {error}. Write an absolute one, such as 'https://api.test/items'."
        ) from error


def fragment(text: str) -> str:
    """Return the fragment that `parse` drops, with its `#`, or "" without one."""
    _, mark, rest = _cleaned(text).partition("#")
    return mark + rest


def _cleaned(text: str) -> str:
    """Remove the characters that browsers drop before they parse."""
    return text.strip(_C0_OR_SPACE).translate(_DROPPED)


def _canonical(url: httpx.URL) -> httpx.URL:
    host = _host(url.host)
    if url.port is not None and url.port > PORT_LIMIT:
        raise ValueError(f"the port {url.port} is above {PORT_LIMIT}")
    canonical = url if host == url.host else url.copy_with(host=host)
    if not (url.username or url.password):
        canonical = canonical.copy_with(userinfo=b"")  # `http://@host` and `http://:@host` have no user name
    # Browsers write a slash for an empty path, httpx does not.
    path = canonical.raw_path
    return canonical if str(canonical).endswith(path.decode("ascii")) else canonical.copy_with(raw_path=path)


def _join(text: str, base: httpx.URL | None) -> httpx.URL:
    match = _SCHEME.match(text)
    if match is None:
        if base is None:
            raise ValueError("it is relative, and there is no page URL to resolve it against")
        return _relative(text, base)
    scheme, rest = match[1].lower(), match[2]
    if scheme not in HTTP_SCHEMES:
        return httpx.URL(text)
    if base is not None and base.scheme == scheme and not _has_authority(rest):
        return _relative(rest, base)
    return _http(scheme, _slashes(rest))


def _has_authority(rest: str) -> bool:
    """Return whether two slashes follow the scheme (URL Standard, special relative or authority state)."""
    return rest[:2].replace("\\", "/") == "//"


def _relative(text: str, base: httpx.URL) -> httpx.URL:
    text = _slashes(text)
    if text.startswith("//"):
        return _http(base.scheme, text)
    # With a leading `./`, a colon in the first segment does not end a scheme (RFC 3986, 4.2).
    return base.join(f"./{text}" if text and text[0] not in "/?." else text).copy_with(fragment=None)


def _http(scheme: str, rest: str) -> httpx.URL:
    rest = rest.lstrip("/")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    if not _PORT.search(authority):
        raise ValueError(f"the port in {authority!r} is not a number")
    return httpx.URL(f"{scheme}://{rest}")


def _slashes(text: str) -> str:
    path, mark, query = text.partition("?")
    return path.replace("\\", "/") + mark + query


def _host(host: str) -> str:
    if not host or (":" not in host and _FORBIDDEN_HOST.search(host)):
        raise ValueError(f"the host {host!r} is not valid")
    last = host.rstrip(".").rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        # inet_aton parses the same shortened, octal and hexadecimal forms as the URL Standard's IPv4 parser.
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    return ipaddress.ip_address(host).compressed if ":" in host else host


def serialize_origin(url: httpx.URL) -> str:
    """Return the URL's origin as browsers serialize it."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def is_ip_address(host: str) -> bool:
    """Return whether the host is an IP address and not a name (URL Standard, host)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine (Secure Contexts, potentially trustworthy origin)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return is_ip_address(host) and ipaddress.ip_address(host).is_loopback


def is_trustworthy(url: httpx.URL) -> bool:
    """Return whether the URL is potentially trustworthy (Secure Contexts, potentially trustworthy URL)."""
    return url.scheme in {"https", "wss"} or is_loopback(url.host)


@functools.cache
def registrable_domain(host: str) -> str:
    """Return the registrable domain of the host, or the host if it has none."""
    if is_ip_address(host):
        return host
    return public_suffixes().privatesuffix(host) or host


@functools.cache
def public_suffixes() -> PublicSuffixList:
    """Return the public suffix list, loaded on first use."""
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - most tests never compare sites

    return PublicSuffixList()


def is_schemelessly_same_site(one: httpx.URL, other: httpx.URL) -> bool:
    """Return whether both hosts belong to one site (HTML, schemelessly same site)."""
    return one.host == other.host or registrable_domain(one.host) == registrable_domain(other.host)


def is_same_site(one: httpx.URL, other: httpx.URL) -> bool:
    """Return whether both belong to one site (HTML, same site). `ws` counts as `http`, `wss` as `https`."""
    schemes = {url.scheme.replace("ws", "http") for url in (one, other)}
    return len(schemes) == 1 and is_schemelessly_same_site(one, other)


def url_text(url: object) -> str:
    """Return a URL as text. Raises ScriptError for another type of object."""
    if not isinstance(url, str | httpx.URL):
        raise ScriptError(f"url={url!r:.200} is not text. Write a URL such as 'https://api.test/items'.")
    return str(url)


def is_relative(text: str, base: httpx.URL) -> bool:
    """Return whether the base provides the scheme or the host, as for `/x`, `x`, "", `//host/x` and `https:/x`."""
    match = _SCHEME.match(_cleaned(text))
    return match is None or (match[1].lower() == base.scheme and not _has_authority(match[2]))


def is_absolute(text: str) -> bool:
    """Return whether the text is an absolute URL of any scheme, with a valid host."""
    try:
        return bool(parse(text).scheme)
    except ScriptError:
        return False
