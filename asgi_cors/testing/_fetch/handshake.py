"""A WebSocket's opening handshake as a browser makes it (WebSockets Standard; RFC 6455, 4).

There is no CORS here: Origin and the cookies are always sent, and the server must look at them itself. The connection
is closed as soon as the server has decided.
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from asgi_cors.testing._errors.errors import ScriptError
from asgi_cors.testing._exchange import Exchange

from . import requests as wire
from .headers import Fields
from .state import PageState
from .url import parse, url_text

SWITCHING_PROTOCOLS = 101
_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


@dataclass(frozen=True)
class Handshake:
    """What became of a handshake: `status` is 101 where it was accepted."""

    accepted: bool
    status: int
    exchange: Exchange

    def __bool__(self) -> bool:
        """Return whether it was accepted: `assert page.websocket(url)` fails for a refusal."""
        return self.accepted


def handshake_exchange(url: object, page: PageState) -> Exchange:
    """Return the handshake, ready to be sent. Raises ScriptError."""
    text = url_text(url)
    scheme, colon, rest = text.partition(":")
    secure = _SCHEMES.get(scheme.lower()) if colon else None
    target = parse(f"{secure}:{rest}" if secure else text, page.base)
    if target.scheme not in {"http", "https"} or target.userinfo:
        raise ScriptError(f"{text[:200]!r} is not a WebSocket's URL. Write one such as 'wss://api.test/feed'.")
    headers = wire.handshake_headers(
        origin=page.origin,
        cookie=page.cookies.header(target),
        metadata=wire.metadata(page.url, [target], "websocket", dest="websocket"),
    )
    exchange = Exchange(kind="websocket", request=wire.build("GET", target, headers))
    page.exchanges.append(exchange)
    return exchange


def handshake_result(exchange: Exchange, response: httpx.Response, page: PageState) -> Handshake:
    """Store the cookies of the response and return what it decided."""
    exchange.response = response
    page.cookies.store(exchange.request.url, Fields(response.headers.raw).lines("set-cookie"))
    accepted = response.status_code == SWITCHING_PROTOCOLS
    if not accepted:
        exchange.problem = "the server refused the handshake"
    return Handshake(accepted=accepted, status=response.status_code, exchange=exchange)
