"""An app with a fixed response, for ASGI and WSGI. It records the requests that reach it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Pairs = Sequence[tuple[str, str]]


@dataclass
class App:
    """An app with the same response to every request.

    Args:
        headers: The headers of the response, in order.
        raises: Raised instead of a response, or after its start if `late` is True.
    """

    headers: Pairs = (("content-type", "text/plain"),)
    status: int = 200
    body: bytes = b"the app"
    raises: BaseException | None = None
    late: bool = False
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Respond over ASGI. A handshake is accepted."""
        self.seen.append(scope)
        if self.raises and not self.late:
            raise self.raises
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})
        if self.raises:
            raise self.raises
        await send({"type": "http.response.body", "body": self.body})

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Respond over WSGI."""
        self.seen.append(environ)
        if self.raises and not self.late:
            raise self.raises
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", list(self.headers))
        if self.raises:
            raise self.raises
        return [self.body]
