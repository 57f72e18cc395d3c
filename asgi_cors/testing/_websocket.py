"""A WebSocket's opening handshake as a browser makes it (WebSockets Standard; RFC 6455, 4).

There is no CORS here: Origin and the cookies are always sent, and the server must look at them itself. The connection
is closed as soon as the server has decided.
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from . import _wire as wire
from ._asgi import ASGIApp, Message, Scope, base_scope
from ._errors import ScriptError
from ._exchange import Exchange
from ._fields import Fields
from ._head import check_head
from ._state import PageState
from ._tasks import GRACE, Signal, Task
from ._url import parse, url_text

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


class ASGIHandshake:
    """A handshake with an application in this process (ASGI 3.0, WebSocket connection scope)."""

    def __init__(self, app: ASGIApp, exchange: Exchange, state: Message) -> None:
        self._app = app
        self._exchange = exchange
        request = exchange.request
        schemes = {"http": "ws", "https": "wss"}
        self._scope: Scope = {
            **base_scope(request, "websocket", state),
            "scheme": schemes[request.url.scheme],
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""
        self._began = False
        self._is_decided = False
        self._signal = Signal()

    async def run(self) -> httpx.Response:
        """Return the application's decision as a response."""
        task = Task(self._run)
        try:
            await self._signal.until(lambda: self._is_decided)
            await task.wait(GRACE)
        finally:
            await task.stop()
        return httpx.Response(
            self._status,
            headers=self._headers,
            stream=httpx.ByteStream(self._body),
            request=self._exchange.request,
        )

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - a server survives its application
            self._exchange.exception = error
        self._decide(500 if self._exchange.exception else 403)

    async def _receive(self) -> Message:
        if not self._began:
            self._began = True
            return {"type": "websocket.connect"}
        await self._signal.until(lambda: self._is_decided)
        return {"type": "websocket.disconnect", "code": 1001, "reason": ""}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.http.response.body" and self._status:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self._decide(403)
        elif self._is_decided:
            return  # the browser has left
        elif kind == "websocket.accept":
            self._take_head(SWITCHING_PROTOCOLS, message)
            self._decide(SWITCHING_PROTOCOLS)
        elif kind == "websocket.http.response.start":
            self._take_head(message["status"], message)
        elif kind == "websocket.close":
            self._decide(403)
        else:
            raise RuntimeError(f"{kind} is not expected here.")

    def _take_head(self, status: int, message: Message) -> None:
        headers = list(message.get("headers", ()))
        check_head(status, headers)
        self._status, self._headers = status, headers

    def _decide(self, status: int) -> None:
        """End the handshake, with this status where the application gave none."""
        self._status = self._status or status
        self._is_decided = True
        self._signal.send()
