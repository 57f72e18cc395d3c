"""Parts of the tests of route policies: origins, endpoints, and the results of requests."""

from starlette.responses import PlainTextResponse

APP = "https://app.example.com"
SHOP = "https://shop.example.com"
BLOG = "https://blog.example.com"
ORIGINS = (APP, SHOP, BLOG)


async def hello(request):
    """An endpoint without a policy."""
    return PlainTextResponse("hello")


def make_endpoint():
    """Return a new endpoint."""

    async def endpoint(request):
        return PlainTextResponse("hello")

    return endpoint


async def echo(websocket):
    """Accept a WebSocket."""
    await websocket.accept()
    await websocket.close()


async def allowed(send_request, app, path, method="GET", **headers):
    """Return the origins that may read the response to a request, after an allowed preflight."""
    found = []
    for origin in ORIGINS:
        named = {"access_control_request_method": method, **headers}
        preflight = await send_request(app, "OPTIONS", path, origin=origin, **named)
        response = await send_request(app, method, path, origin=origin, **headers)
        granted = [each.headers.get("access-control-allow-origin") == origin for each in (preflight, response)]
        assert len(set(granted)) == 1, (origin, preflight.headers, response.headers)
        found += [origin] * all(granted)
    return found


async def handshake(app, path, origin, extensions=()):
    """Return the types of the messages that answer a handshake."""
    sent = []
    received = [{"type": "websocket.connect"}, {"type": "websocket.disconnect"}]

    async def send(message):
        sent.append(message["type"])

    async def receive():
        return received.pop(0)

    scope = {"type": "websocket", "path": path, "root_path": "", "query_string": b"", "subprotocols": []}
    headers = [(b"host", b"api.test"), (b"origin", origin.encode())]
    await app(scope | {"headers": headers, "extensions": {name: {} for name in extensions}}, receive, send)
    return sent


class Rewrite:
    """A middleware inside of ours that changes the scope."""

    def __init__(self, app, changes):
        self.app = app
        self.changes = changes

    async def __call__(self, scope, receive, send):
        if scope["type"] != "lifespan":
            scope = {**scope, **{name: change(scope) for name, change in self.changes.items()}}
        await self.app(scope, receive, send)
