"""What the doctor is asked: one call of a page's script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httpx

_WEB: Final = {"http", "https"}
_SOCKETS: Final = {"ws", "wss"}
_HIGHEST_PORT: Final = 65535
_SAFE: Final = {"GET", "HEAD"}
_LOCAL_HOSTS: Final = ("localhost", "127.", "[")


class CannotAskError(Exception):
    """The question can't be put, or got no answer; the message is one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A call as a page's script makes it.

    Args:
        url: What is called; `ws` and `wss` are handshakes.
        origin: The page's origin, `null` for a sandboxed page.
        method: As the script writes it.
        headers: The request headers that the script sets.
        credentials: Whether it is `credentials: "include"`.
        reads: The response headers that the script wants to read, in lower case.
        cookies: Cookies that the browser has for the URL, each `name=value`.
        data: The body.
        timeout: Seconds for each engine's call.
        preflight_only: Whether to stop where the request itself would be sent.
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

    @property
    def is_handshake(self) -> bool:
        """Whether it opens a WebSocket."""
        return self.url.partition(":")[0] in _SOCKETS

    @property
    def is_safe(self) -> bool:
        """Whether to ask it again changes nothing on the server."""
        return self.method.upper() in _SAFE


def read_body(text: str | None) -> str | None:
    """Read the body, if there is one.

    Raises:
        CannotAskError: It is not text: an argument in bytes that are not UTF-8.
    """
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise CannotAskError(f"--data {text!r:.200} is not UTF-8. Write the body in UTF-8.") from None
    return text


def read_url(text: str) -> str:
    """Read the URL that is called.

    Raises:
        CannotAskError: It is none; the line says what to write.
    """
    try:
        url = httpx.URL(text.strip())
        url.host.encode("idna")  # as the socket module does
    except (httpx.InvalidURL, UnicodeError) as error:
        raise CannotAskError(f"{text[:200]!r} is not a URL: {str(error).rstrip('.')}.") from None
    if url.scheme not in _WEB | _SOCKETS:
        written = text.strip().partition("://")[2] or text.strip()
        scheme = "http" if written.startswith(_LOCAL_HOSTS) else "https"
        hint = f" Write '{scheme}://{written[:200]}'." if written else ""
        raise CannotAskError(f"{text[:200]!r} is not an http, https, ws or wss URL.{hint}")
    if (url.port or 0) > _HIGHEST_PORT:
        raise CannotAskError(f"{text[:200]!r} is not a URL: no port is above {_HIGHEST_PORT}.")
    if not url.host:
        raise CannotAskError(f"{text[:200]!r} names no host. Write one such as 'https://api.example.com/items'.")
    return str(url)


def read_origin(text: str) -> str:
    """Read the page's origin; of a page's whole URL, the origin is taken.

    Raises:
        CannotAskError: It is none; the line says what to write.
    """
    if text == "null":
        return text
    try:
        url = httpx.URL(text.strip())
        host = url.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise CannotAskError(f"--origin {text[:200]!r} is not an origin: {error}.") from None
    if url.scheme not in _WEB or not host:
        hint = "Write the page's, such as 'https://app.example.com', or 'null' for a sandboxed or local page."
        raise CannotAskError(f"--origin {text[:200]!r} is not the origin of a web page. {hint}")
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def read_header(text: str) -> tuple[str, str]:
    """Read a header as curl takes it: `name: value`, or a name alone.

    Raises:
        CannotAskError: There is no name.
    """
    name, _, value = text.partition(":")
    if not name.strip():
        raise CannotAskError(f"-H {text[:200]!r} has no name. Write -H 'x-request-id: 7'.")
    return name.strip(), value.strip()
