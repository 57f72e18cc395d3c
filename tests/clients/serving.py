"""Real servers on loopback, in threads of the test's process."""

import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from tests.support.programs import wait_until

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


@dataclass
class Recorder:
    """An ASGI app around another one that records the requests: the outermost, so that it sees preflights."""

    app: App
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Record a request, and pass it on."""
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            self.requests.append((scope["method"], headers))
        await self.app(scope, receive, send)

    @property
    def preflights(self) -> list[dict[str, str]]:
        return [headers for method, headers in self.requests if method == "OPTIONS"]

    def requested(self) -> tuple[set[str], set[str]]:
        """Return the methods and the header names that preflights requested."""
        methods = {headers["access-control-request-method"] for headers in self.preflights}
        names = [headers.get("access-control-request-headers", "").split(",") for headers in self.preflights]
        return methods, {name for each in names for name in each if name}


@contextlib.contextmanager
def serving(app: App) -> Iterator[str]:
    """Serve an app on a free port of 127.0.0.1 until the block ends. Yield its origin."""
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive(), "the server starts")
            assert server.started, "the server did not start"
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
