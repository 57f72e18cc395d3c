"""WebSocket handshakes, to which browsers apply no CORS: the server must look (Fetch, 4.12; RFC 6455, 10.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgi_cors._configuration.lookup import drive
from asgi_cors._decision.request import read_request

if TYPE_CHECKING:
    from asgi_cors._configuration.configuration import Configuration
    from asgi_cors._http import ASGIApp, Receive, Scope, Send


async def guard(app: ASGIApp, configuration: Configuration, scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a handshake to the app, or refuse it before it is accepted."""
    request = read_request(scope)
    if request.origin is not None and not request.same_origin:
        judgement = await drive(configuration.judge(scope, request))
        if judgement.answer is not None:
            await _refuse(*judgement.answer, scope, send)
            return
    await app(scope, receive, send)


async def _refuse(status: int, text: str, scope: Scope, send: Send) -> None:
    """Send the refusal with its reason, if the server can (ASGI, "WebSocket Denial Response").

    `websocket.connect` is not waited for: no server asks for that, and Quart's test client never sends it.
    """
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text.encode()))]
    headers.append((b"cache-control", b"no-store"))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": text.encode(), "more_body": False})
