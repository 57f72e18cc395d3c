"""A WebSocket's opening handshake as browsers make it (WebSockets Standard; RFC 6455, 4).

CORS does not apply: Origin and the cookies are always sent, and the server must check them itself. The connection is
closed as soon as the server has accepted or refused it.
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from asgi_cors.testing._errors.errors import ScriptError
from asgi_cors.testing._exchange import Exchange

from .cookies import Client
from .headers import HeaderList
from .metadata import fetch_metadata
from .requests import build_request, handshake_headers
from .state import PageState
from .url import parse, url_text

SWITCHING_PROTOCOLS = 101
_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


@dataclass(frozen=True)
class Handshake:
    """The result of a handshake. It is true if the server accepted it.

    Attributes:
        accepted: whether the server accepted the handshake.
        status: the response's status; 101 if accepted.
        exchange: the request and its response.
    """

    accepted: bool
    status: int
    exchange: Exchange

    def __bool__(self) -> bool:
        """Return `accepted`, so that `assert page.websocket(url)` fails for a refusal."""
        return self.accepted


def handshake_exchange(url: object, page: PageState) -> Exchange:
    """Return the handshake's request as an exchange of the page. Raises ScriptError."""
    text = url_text(url)
    scheme, colon, rest = text.partition(":")
    secure = _SCHEMES.get(scheme.lower()) if colon else None
    target = parse(f"{secure}:{rest}" if secure else text, page.base)
    if target.scheme not in {"http", "https"} or target.userinfo:
        raise ScriptError(f"{text[:200]!r} is not the URL of a WebSocket. Write one such as 'wss://api.test/feed'.")
    client, dest = Client(page.url, urls=[target]), page.engine.websocket_dest
    headers = handshake_headers(
        origin=page.origin,
        cookie=page.cookies.header(target, client),
        metadata=fetch_metadata(client, "websocket", page.engine, dest=dest) if dest else [],
    )
    exchange = Exchange(kind="websocket", request=build_request("GET", target, headers))
    page.exchanges.append(exchange)
    return exchange


def handshake_result(exchange: Exchange, response: httpx.Response, page: PageState) -> Handshake:
    """Store the cookies of the response, and return the result."""
    exchange.response = response
    url = exchange.request.url
    page.cookies.store(url, HeaderList(response.headers.raw).lines("set-cookie"), Client(page.url, urls=[url]))
    accepted = response.status_code == SWITCHING_PROTOCOLS
    if not accepted:
        exchange.problem = "the server refused the handshake"
    return Handshake(accepted=accepted, status=response.status_code, exchange=exchange)
