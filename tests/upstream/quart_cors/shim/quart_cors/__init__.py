"""asgi_cors_quart under the name of Quart-CORS, for its own tests."""

from asgi_cors_quart import cors, cors_exempt, route_cors, websocket_cors

__all__ = ["cors", "cors_exempt", "route_cors", "websocket_cors"]
