"""The server of docs/recipes.md: a page may call its tools, and no other site can reach it."""

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from asgi_cors import CORSMiddleware

server = MCPServer("calculator")


@server.tool()
def add(left: int, right: int) -> int:
    """Add two numbers."""
    return left + right


app = CORSMiddleware(
    # The middleware checks Host and Origin, so the SDK need not.
    server.streamable_http_app(
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    ),
    allow_origins=["https://inspector.example"],  # pages of other origins that may call the tools
    presets=["mcp"],
    allowed_hosts=["localhost:*", "127.0.0.1:*"],  # the names of this server: 421 for any other
    enforce=True,  # 403 for any other page
)
