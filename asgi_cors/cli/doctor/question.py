"""The question for the doctor: one request of a page's script, parsed from the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import httpx

from asgi_cors.cli.errors import CannotRunError

_WEB: Final = {"http", "https"}
_SOCKETS: Final = {"ws", "wss"}
_MAX_PORT: Final = 65535
_SAFE: Final = {"GET", "HEAD"}
_FORBIDDEN_METHODS: Final = {"CONNECT", "TRACE", "TRACK"}  # Fetch, forbidden method
_LOCAL_HOSTS: Final = ("localhost", "127.", "[")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_COOKIE_ATTRIBUTES: Final = {"path", "domain", "expires", "max-age", "samesite", "secure", "httponly", "partitioned"}
# Headers that the browser sets itself -> the option for them.
_OPTIONS: Final = {
    "origin": "-o {value}",
    "cookie": "--cookie '{value}' --credentials",
    "access-control-request-method": "-X {value}",
    "access-control-request-headers": "-H '{value}: …'",
}


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
        server: The server software that the recipes are for, or "" for the one that the response reveals.
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


def check_body(text: str | None, method: str) -> str | None:
    """Return the body of a request with this method.

    Raises:
        CannotRunError: The method has no body, or the argument had bytes that are not UTF-8.
    """
    if text is not None and method.upper() in _SAFE:
        raise CannotRunError(f"--data: a {method.upper()} has no body. Write -X POST, or leave --data out.")
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
    if url.userinfo:
        plain = str(url.copy_with(userinfo=b""))
        raise CannotRunError(f"{text[:200]!r} has a user name or a password, which fetch() refuses. Write {plain!r}.")
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
        CannotRunError: The name is missing or not valid, or the browser sets this header itself.
    """
    name, _, value = (part.strip() for part in text.partition(":"))
    if not name:
        raise CannotRunError(f"-H {text[:200]!r} has no name. Write -H 'x-request-id: 7'.")
    if name.lower() in _OPTIONS:
        option = _OPTIONS[name.lower()].format(value=value or "…")
        raise CannotRunError(f"-H {text[:200]!r}: the browser sets this header, not the script. Write {option}.")
    if not _TOKEN.fullmatch(name):
        raise CannotRunError(f"-H {text[:200]!r} has no valid name. Write {_header_hint(text)}.")
    return name, value


def _header_hint(text: str) -> str:
    """Return the option that was probably meant by an invalid header."""
    names = [part.strip() for part in text.split(",")]
    if len(names) > 1 and all(map(_TOKEN.fullmatch, names)):
        return " ".join(f"-H {name}" for name in names)
    name, _, value = text.partition("=")
    return f"-H '{name}: {value}'" if _TOKEN.fullmatch(name) else "-H 'x-request-id: 7'"


def parse_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of response headers in lower case, from names and lists separated by commas.

    Raises:
        CannotRunError: A name is not valid.
    """
    names: list[str] = []
    for text in texts:
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        if not parts or not all(map(_TOKEN.fullmatch, parts)):
            hint = "-r x-total-count"
            words = [word for word in re.split(r"[\s,;:]+", text) if word]
            if words and all(map(_TOKEN.fullmatch, words)):
                hint = f"-r {','.join(words[:1] if ':' in text else words)}"
            raise CannotRunError(f"-r {text[:200]!r} is not the name of a response header. Write {hint}.")
        names += parts
    return tuple(dict.fromkeys(names))


def parse_cookies(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cookies, each as `name=value`, from cookies and lists as in the header Cookie.

    Raises:
        CannotRunError: A cookie has no name, or has the attributes of Set-Cookie.
    """
    cookies: list[str] = []
    for text in texts:
        parts = [part.strip() for part in text.removeprefix("Cookie:").split(";") if part.strip()]
        named = [part for part in parts if _TOKEN.fullmatch(part.partition("=")[0]) and "=" in part]
        found = [part for part in named if part.partition("=")[0].lower() not in _COOKIE_ATTRIBUTES]
        if not parts or parts != found:
            hint = "; ".join(found) or "sid=1"
            raise CannotRunError(f"--cookie {text[:200]!r} is not a list of name=value. Write --cookie '{hint}'.")
        cookies += parts
    return tuple(cookies)


def parse_method(text: str) -> str:
    """Return the method, as the script spells it.

    Raises:
        CannotRunError: The text is not a method, or no script may send it.
    """
    if not _TOKEN.fullmatch(text):
        first = re.split(r"[\s,;|/]+", text.strip())[0]
        hint = first if _TOKEN.fullmatch(first) else "PUT"
        raise CannotRunError(f"-X {text[:200]!r} is not a method. Write -X {hint}.")
    if text.upper() in _FORBIDDEN_METHODS:
        raise CannotRunError(f"-X {text}: browsers refuse this method to scripts. Write another one, such as -X PUT.")
    return text
