"""A server of the Model Context Protocol, by its reference SDK, without the SDK's own checks of Host and Origin."""

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import JSONRPCMessage
from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_CHECKS = TransportSecuritySettings(enable_dns_rebinding_protection=False)


class Events(EventStore):
    """The events of all streams, for clients that continue an interrupted stream. An event's id is its index."""

    def __init__(self) -> None:
        """Start without events."""
        self._events: list[tuple[str, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """Store an event of a stream, and return its id."""
        self._events.append((stream_id, message))
        return str(len(self._events) - 1)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str:
        """Send the events after one of the same stream."""
        stream, _ = self._events[int(last_event_id)]
        for number, (each, message) in enumerate(self._events):
            if number > int(last_event_id) and each == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def build(security: TransportSecuritySettings = NO_CHECKS) -> ASGIApp:
    """Build an app. An app serves once, because its session manager can't be started again."""
    server = MCPServer("calculator")

    @server.tool()
    def add(left: Annotated[int, Field(json_schema_extra={"x-mcp-header": "Left"})], right: int) -> int:
        """Add two numbers."""
        return left + right

    @server.custom_route("/protected", methods=["GET"])
    async def protected(request: Request) -> Response:
        return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer scope="tools"'})

    app = server.streamable_http_app(transport_security=security, event_store=Events())
    return with_nonces(app)


def with_nonces(app: Starlette) -> ASGIApp:
    """Add the header by which an API with bound tokens (RFC 9449) sends the nonce of the next request."""

    async def with_nonce(scope: Scope, receive: Receive, send: Send) -> None:
        async def add_nonce(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"dpop-nonce", b"42")]}
            await send(message)

        await app(scope, receive, add_nonce)

    return with_nonce
