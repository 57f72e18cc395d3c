"""Run the demo: `python examples/demo`, or `nox -s demo`. Ctrl-C ends it."""

import argparse
import contextlib
import errno
import inspect
import logging
import socket
from dataclasses import replace

import api
import django_api
import fastapi_api
import flask_api
import pages
import quart_api
import uvicorn
from cases import CASES, ROUTES, without_websockets

from asgi_cors_flask import asgi_app

PORTS = (8471, 8472, 8473, 8474)
ROLES = ("the API", "the page it allows", "the page it refuses", "the page it trusts")
SECOND_NAME = "rebound.localhost"  # browsers resolve it to loopback
GUIDE = """
  API                  {0}
  a page it allows     {1}   <- open this first: the calls of an allowed origin
  a page it refuses    {2}   <- then this: the same calls from another origin, each with the reason
  a page it trusts     {3}   <- a payment provider: its forms may send, its scripts may not read
  a page that rebinds  {4}   <- an attacker's name for the API's own address

  Each row compares the policy's decision with the browser's result. The browser's console has its own messages.
  The middleware's log appears below. Ctrl-C ends the demo.
"""


def listen(port: int, role: str) -> socket.socket:
    """Bind a loopback port. If it is taken, report that and bind another."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        listener.bind(("127.0.0.1", 0))
        print(f"Port {port} is taken: {role} uses {listener.getsockname()[1]} instead.", flush=True)
    return listener


def url(listener: socket.socket) -> str:
    """Return the origin of a socket."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


class Server(uvicorn.Server):
    """One server for all sockets. It prints the guide when all of them accept connections."""

    def __init__(self, config: uvicorn.Config, guide: str) -> None:
        super().__init__(config)
        self.guide = guide

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the guide."""
        await super().startup(sockets)
        print(self.guide, flush=True)


def is_unexpected(record: logging.LogRecord) -> bool:
    """Return whether a record of the servers' log is not part of the demo."""
    if record.exc_info and isinstance(record.exc_info[1], api.DeliberateError):
        record.msg, record.args, record.exc_info = "GET /crash raised on purpose: see its row", (), None
    # uvicorn logs this for each handshake that is refused with a response, although the response is complete: its pull
    # request 3138.
    return "without completing handshake" not in record.getMessage()


def list_pages(home: str, allowed: str, refused: str, trusted: str) -> list[pages.Page]:
    """Return the pages. The last one has the API's own address, under another name."""
    host = home.removeprefix("http://")
    second = host.replace("127.0.0.1", SECOND_NAME)
    return [
        pages.Page(allowed, "the page it allows", "an origin that the API's policy allows", host),
        pages.Page(refused, "the page it refuses", "an origin that the API's policy doesn't allow", host),
        pages.Page(
            trusted, "the page it trusts", "a payment provider that the API trusts to send forms, but not to read", host
        ),
        pages.Page(
            f"http://{second}/attacker/",
            "the page that rebinds",
            "an attacker's name, which now leads to the API's own address (DNS rebinding)",
            second,
        ),
    ]


def create_apps(home: str, all_pages: list[pages.Page]) -> dict[str, pages.App]:
    """Return the apps by origin."""
    allowed, refused, trusted, rebound = all_pages
    origins = allowed.origin, refused.origin, trusted.origin
    first = api.create(allowed.origin, trusted.origin)
    flask, flask_cors = flask_api.create(allowed.origin, trusted.origin)
    quart = quart_api.create(allowed.origin, trusted.origin)
    fast, fast_cors = fastapi_api.create(*origins)
    django, django_cors = django_api.create(*origins)
    every_case = (*CASES, *ROUTES)
    apis = [
        pages.Api("ASGI, under uvicorn", home, first, inspect.getsource(api.create)),
        pages.Api(
            "Flask, by asgi_app",
            f"{home}/flask",
            flask_cors,
            inspect.getsource(flask_api.create),
            without_websockets(CASES),
        ),
        pages.Api("Quart", f"{home}/quart", quart.extensions["asgi_cors"], inspect.getsource(quart_api.create)),
        pages.Api(
            "FastAPI, with policies of routes",
            f"{home}/fastapi",
            fast_cors,
            inspect.getsource(fastapi_api.create),
            every_case,
        ),
        pages.Api(
            "Django, with policies of views",
            f"{home}/django",
            django_cors,
            inspect.getsource(django_api.create),
            without_websockets(every_case),
        ),
    ]
    # At first, an attacker's name leads to the attacker's page. Then it leads to the API, which is of the same origin.
    attacker = pages.create(rebound, all_pages, [replace(each, url=each.url.removeprefix(home)) for each in apis])
    mounts: dict[str, pages.App] = {"/flask": asgi_app(flask), "/quart": quart, "/fastapi": fast, "/django": django}
    mounts["/attacker"] = attacker
    for name in ("uvicorn.error", "django.request", flask.name, quart.name):
        logging.getLogger(name).addFilter(is_unexpected)
    others = {page.origin: pages.create(page, all_pages, apis) for page in all_pages if page != rebound}
    return {home: pages.by_mount(mounts, first), **others}


def serve(ports: tuple[int, ...] = PORTS) -> None:
    """Serve the API and all pages until Ctrl-C."""
    listeners = [listen(port, role) for port, role in zip(ports, ROLES, strict=True)]
    home, allowed, refused, trusted = (url(listener) for listener in listeners)
    all_pages = list_pages(home, allowed, refused, trusted)
    app = pages.by_port(create_apps(home, all_pages))
    guide = GUIDE.format(home, *(page.url for page in all_pages))
    server = Server(uvicorn.Config(app, log_level="warning", lifespan="off"), guide)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(listeners)
    print("The demo has ended.", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument(
        "--ports",
        nargs=len(PORTS),
        type=int,
        default=PORTS,
        metavar=("API", "ALLOWED", "REFUSED", "TRUSTED"),
        help="loopback ports; 0 is any free one (default: %(default)s)",
    )
    serve(tuple(parser.parse_args().ports))
