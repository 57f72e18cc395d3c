"""Requests that a browser does not send, decided by their URLs before the first request and at each redirect.

- Mixed content: a page over https requests http. The three engines except different hosts. Measured with fetch(),
  WebSocket and redirects in Chromium 156, Firefox ESR 153 and WebKitGTK 2.50.6.
  - Firefox sends to `localhost`, `*.localhost`, 127.0.0.0/8 and ::1 (Secure Contexts, potentially trustworthy origin).
  - Chromium also sends, with a warning, to any host that its Local Network Access covers by its name or address:
    `*.local`, 0.0.0.0/8, ::, private and link-local addresses.
  - WebKit sends to none of them.
- Local Network Access: Chromium refuses a public page that is not a secure context if the server's address is private
  or loopback (`InsecureLocalNetwork`). A secure page needs the user's permission, which the doctor assumes.

A page over https whose API is served over http on this machine usually is a test of an API that is deployed over https.
WebKit's block of these hosts therefore is a note: the doctor evaluates their responses for Safari as well.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from .question import Question

MIXED_CONTENT: Final = "MixedContent"
LOCAL_NETWORK: Final = "InsecureLocalNetwork"  # Chromium's CorsError
PUBLIC, LOCAL, LOOPBACK, UNKNOWN = "public", "local", "loopback", "unknown"
REASONS: Final = {MIXED_CONTENT: "mixed content", LOCAL_NETWORK: "local network access"}

_LOOPBACK_NETWORKS: Final = tuple(map(ip_network, ("127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128")))
_LOCAL_NETWORKS: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
            *("fc00::/7", "fe80::/10", "2001:db8::/32"),
        ),
    )
)


class NotSentError(httpx.TransportError):
    """The browser does not send this request.

    Args:
        code: `MIXED_CONTENT` or `LOCAL_NETWORK`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(REASONS[code])
        self.code = code


def check_sent(engine: str, question: Question, spaces: tuple[str, str], request: httpx.Request) -> None:
    """Check that the browser sends a request.

    Args:
        engine: "chromium", "firefox" or "webkit".
        question: The request of the page's script.
        spaces: The address spaces of the page and of the requested URL.
        request: The request itself, or one after a redirect.

    Raises:
        NotSentError: The browser does not send it.
    """
    if is_mixed_content(engine, question.origin, request.url):
        raise NotSentError(MIXED_CONTENT)
    is_insecure = question.origin.startswith("http:") and not is_trustworthy(httpx.URL(question.origin).host)
    if engine == "chromium" and spaces[0] == PUBLIC and is_insecure:
        is_first = request.url.host == httpx.URL(question.url).host
        if (spaces[1] if is_first else address_space(request.url.host)) in {LOCAL, LOOPBACK}:
            raise NotSentError(LOCAL_NETWORK)


def is_mixed_content(engine: str, origin: str, url: httpx.URL) -> bool:
    """Return whether an engine blocks a URL on a page of this origin as mixed content."""
    if not origin.startswith("https:") or url.scheme in {"https", "wss"} or is_trustworthy(url.host):
        return False
    return engine != "chromium" or not _is_local_by_name(url.host)


def blocks_loopback(engine: str, origin: str, url: httpx.URL) -> bool:
    """Return whether only WebKit blocks the URL: plain http to this machine, on a page over https."""
    is_plain = origin.startswith("https:") and url.scheme in {"http", "ws"}
    return engine == "webkit" and is_plain and is_trustworthy(url.host)


def is_trustworthy(host: str) -> bool:
    """Return whether http to a host is as secure as https (Secure Contexts, potentially trustworthy origin)."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address in _LOOPBACK_NETWORKS[0] if isinstance(address, IPv4Address) else str(address) == "::1"


def _is_local_by_name(host: str) -> bool:
    """Return whether Chromium knows without a look-up that a host is in the local network."""
    name = host.lower().removesuffix(".")
    if name == "local" or name.endswith(".local"):
        return True
    address = _address(name)
    return address is not None and _space_of(address) != PUBLIC


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _space_of(address: IPv4Address | IPv6Address) -> str:
    """Return the address space of an address, as Chromium classifies it."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in _LOOPBACK_NETWORKS):
        return LOOPBACK
    return LOCAL if any(address in network for network in _LOCAL_NETWORKS) else PUBLIC


def address_space(host: str) -> str:
    """Return the address space of a host (Local Network Access, "IP address space").

    Returns:
        `PUBLIC`, `LOCAL`, `LOOPBACK`, or `UNKNOWN` if the host name can't be resolved.
    """
    try:
        return _space_of(ip_address(str(socket.getaddrinfo(host, None)[0][4][0]).partition("%")[0]))
    except (OSError, ValueError, UnicodeError):
        return UNKNOWN


def address_spaces(question: Question) -> tuple[str, str]:
    """Return the address spaces of the page and of the URL."""
    page = UNKNOWN if question.origin == "null" else address_space(httpx.URL(question.origin).host)
    return page, address_space(httpx.URL(question.url).host)
