"""Use a registry, fork, and report from three processes when an origin is allowed and when it is refused.

python forking.py STORE ORIGIN
"""

import os
import sys
import time
from typing import Any

from asgi_cors import WSGIMiddleware
from asgi_cors.registry import open_registry

STORE, ORIGIN = sys.argv[1:]
SECONDS = 60  # for each step


def _respond(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def _allows(app: WSGIMiddleware) -> bool:
    headers: list[tuple[str, str]] = []

    def start_response(_status: str, received: list[tuple[str, str]], *_: Any) -> Any:
        headers.extend(received)

    list(app({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": ORIGIN}, start_response))
    return ("access-control-allow-origin", ORIGIN) in headers


def _report(app: WSGIMiddleware, *, allowed: bool) -> None:
    """Wait until the origin is allowed, or refused, and print it."""
    end = time.monotonic() + SECONDS
    while _allows(app) != allowed:
        if time.monotonic() > end:
            os._exit(1)
        time.sleep(0.01)
    os.write(1, b"allowed\n" if allowed else b"refused\n")


application = WSGIMiddleware(_respond, allow_origins=[open_registry(STORE)])
_report(application, allowed=True)
children = []
for _ in range(2):
    child = os.fork()
    if not child:
        _report(application, allowed=True)
        _report(application, allowed=False)
        os._exit(0)
    children.append(child)
_report(application, allowed=False)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
