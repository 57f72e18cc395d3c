"""WebSocket handshakes, to which browsers apply no CORS: the server must look (Fetch, 4.12; RFC 6455, 10.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lookup import run
from ._reasons import refusal
from ._scope import is_same_origin, looks_upstream, read_request

if TYPE_CHECKING:
    from ._configuration import Configuration
    from ._decision import Decision, Request
    from ._types import ASGIApp, Receive, Scope, Send


async def guard(app: ASGIApp, configuration: Configuration, scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a handshake to the app, or refuse it before it is accepted."""
    request = read_request(scope)
    if request.origin is not None and not is_same_origin(scope, request):
        judgement = await run(configuration.judge(scope, request))
        if judgement is not None and not judgement.decision.allowed:
            await _refuse(judgement.decision, request, scope, send)
            return
    await app(scope, receive, send)


async def _refuse(decision: Decision, request: Request, scope: Scope, send: Send) -> None:
    """Answer 403, with the reason where the server can send one (ASGI, "WebSocket Denial Response").

    `websocket.connect` is not waited for: no server asks for that, and Quart's test client never sends it.
    """
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    body = refusal(decision.reason, host=request.host or b"", upstream=looks_upstream(request)).encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
