"""A WebSocket's handshake with an ASGI application (ASGI 3.0, WebSocket connection scope)."""

from __future__ import annotations

import httpx

from asgi_cors.testing._exchange import Exchange

from .asgi import ASGIApp, Message, Scope, base_scope
from .head import check_head
from .tasks import GRACE, Signal, Task

_SWITCHING_PROTOCOLS = 101


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
        self._received_connect = False
        self._is_decided = False
        self._signal = Signal()

    async def run(self) -> httpx.Response:
        """Call the application, and return its decision as a response."""
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
        if not self._received_connect:
            self._received_connect = True
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
            return  # the browser has disconnected
        elif kind == "websocket.accept":
            self._handle_start(_SWITCHING_PROTOCOLS, message)
            self._decide(_SWITCHING_PROTOCOLS)
        elif kind == "websocket.http.response.start":
            self._handle_start(message["status"], message)
        elif kind == "websocket.close":
            self._decide(403)
        else:
            raise RuntimeError(f"{kind} is not expected here.")

    def _handle_start(self, status: int, message: Message) -> None:
        headers = list(message.get("headers", ()))
        check_head(status, headers)
        self._status, self._headers = status, headers

    def _decide(self, status: int) -> None:
        """End the handshake, with this status if the application sent none."""
        self._status = self._status or status
        self._is_decided = True
        self._signal.send()
