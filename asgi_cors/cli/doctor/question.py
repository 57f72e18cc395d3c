"""The question for the doctor: one request of a page's script, parsed from the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httpx

from asgi_cors.cli.errors import CannotRunError

_WEB: Final = {"http", "https"}
_SOCKETS: Final = {"ws", "wss"}
_MAX_PORT: Final = 65535
_SAFE: Final = {"GET", "HEAD"}
_LOCAL_HOSTS: Final = ("localhost", "127.", "[")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request as a page's script makes it.

    Args:
        url: The requested URL; `ws` and `wss` are WebSocket handshakes.
        origin: The page's origin, or "null" for a sandboxed page.
        method: The method as the script spells it.
        headers: The request headers that the script sets.
        credentials: Whether the script sets `credentials: "include"`.
        reads: The response headers that the script reads, in lower case.
        cookies: The browser's cookies for the URL, each as `name=value`.
        data: The body.
        timeout: Seconds for the request of each engine.
        preflight_only: Whether to send the preflight only.
        server: The server software for which recipes are written, or "" for the one that the response reveals.
    """

    url: str
    origin: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    credentials: bool = False
    reads: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    data: str | None = None
    timeout: float = 10
    preflight_only: bool = False
    server: str = ""

    @property
    def is_handshake(self) -> bool:
        """Whether the request opens a WebSocket."""
        return self.url.partition(":")[0] in _SOCKETS

    @property
    def is_safe(self) -> bool:
        """Whether the method changes nothing on the server, so that the request can be repeated."""
        return self.method.upper() in _SAFE


def check_body(text: str | None) -> str | None:
    """Return the body.

    Raises:
        CannotRunError: The argument had bytes that are not UTF-8.
    """
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise CannotRunError(f"--data {text!r:.200} is not UTF-8. Write the body in UTF-8.") from None
    return text


def parse_url(text: str) -> str:
    """Return the URL to request.

    Raises:
        CannotRunError: The text is not a URL.
    """
    try:
        url = httpx.URL(text.strip())
        url.host.encode("idna")  # as the socket module does
    except (httpx.InvalidURL, UnicodeError) as error:
        raise CannotRunError(f"{text[:200]!r} is not a URL: {str(error).rstrip('.')}.") from None
    if url.scheme not in _WEB | _SOCKETS:
        rest = text.strip().partition("://")[2] or text.strip()
        scheme = "http" if rest.startswith(_LOCAL_HOSTS) else "https"
        hint = f" Write '{scheme}://{rest[:200]}'." if rest else ""
        raise CannotRunError(f"{text[:200]!r} is not an http, https, ws or wss URL.{hint}")
    if (url.port or 0) > _MAX_PORT:
        raise CannotRunError(f"{text[:200]!r} is not a URL: the port must be at most {_MAX_PORT}.")
    if not url.host:
        raise CannotRunError(f"{text[:200]!r} has no host. Write a URL such as 'https://api.example.com/items'.")
    return str(url)


def parse_page_origin(text: str) -> str:
    """Return the origin of a page. A whole URL is cut down to its origin.

    Raises:
        CannotRunError: The text is not the origin of a web page.
    """
    if text == "null":
        return text
    try:
        url = httpx.URL(text.strip())
        host = url.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise CannotRunError(f"--origin {text[:200]!r} is not an origin: {error}.") from None
    if url.scheme not in _WEB or not host:
        hint = "Write the page's origin, such as 'https://app.example.com', or 'null' for a sandboxed or local page."
        raise CannotRunError(f"--origin {text[:200]!r} is not the origin of a web page. {hint}")
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def parse_header(text: str) -> tuple[str, str]:
    """Return the name and value of a header, in the form that curl uses: `name: value`, or a name alone.

    Raises:
        CannotRunError: The name is missing.
    """
    name, _, value = text.partition(":")
    if not name.strip():
        raise CannotRunError(f"-H {text[:200]!r} has no name. Write -H 'x-request-id: 7'.")
    return name.strip(), value.strip()
