"""The app behind the proxies of the corpus, and helpers to start a proxy.

The folders of a path choose how the app treats CORS, and its last name chooses the response.
"""

import contextlib
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.corpus.raw import ACAC, ACAH, ACAM, ACAO, ACMA, PAGE
from tests.cli.corpus.serving import Request, Response, serving

from .case import free_port, require, wait_for

CONFIGS = Path(__file__).parent / "configs"
ALLOWED_ORIGINS = {PAGE, "https://admin.example.com"}
STATUSES = {"missing": 404, "crash": 500, "denied": 401}


@dataclass(frozen=True)
class Ports:
    """The ports of the app, of an upstream that never responds, and of the proxy."""

    app: int
    silent: int
    proxy: int


def app(request: Request) -> Response:
    """Respond as the app behind a proxy.

    Below /own, it compares the origin with a list; below /unvaried, too, but without Vary. Below /star, it allows every
    origin. Below /strict, it refuses OPTIONS. Everywhere else, it knows nothing about CORS.
    """
    *folders, name = request.path.split("/")
    if name == "socket":
        return respond_to_handshake(request)
    if "own" in folders:
        return respond_with_cors(request, name)
    if "strict" in folders and request.method == "OPTIONS":
        return Response(405, (("Allow", "GET, PUT"),))
    more = [("X-Total-Count", "2")]
    if "star" in folders:
        more += [(ACAO, "*"), (ACAM, "PUT")]
    if "unvaried" in folders and request.origin in ALLOWED_ORIGINS:
        more += [(ACAO, request.origin)]
    if request.method == "OPTIONS":
        more += [("Allow", "GET, PUT, OPTIONS")]
    return Response(STATUSES.get(name, 200), more)


def respond_with_cors(request: Request, name: str) -> Response:
    """Respond as an app with a CORS library that is configured well."""
    headers = [("Vary", "Origin")]
    if request.origin in ALLOWED_ORIGINS:
        headers += [(ACAO, request.origin), (ACAC, "true")]
    if request.is_preflight:
        return Response(204, [*headers, (ACAM, "GET, PUT"), (ACAH, "x-id"), (ACMA, "600")])
    return Response(STATUSES.get(name, 200), [*headers, ("X-Total-Count", "2")])


def respond_to_handshake(request: Request) -> Response:
    """Accept a WebSocket, or explain that the request is not a handshake."""
    if request.headers.get("upgrade", "").lower() != "websocket":
        return Response(426, (("Upgrade", "websocket"),), b"Upgrade Required")
    return Response(101, (("Upgrade", "websocket"),)) if request.origin in ALLOWED_ORIGINS else Response(403)


@contextlib.contextmanager
def upstreams() -> Iterator[Ports]:
    """Serve the app, and listen on a port without ever responding. Choose a free port for the proxy."""
    with serving(app) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        yield Ports(server.port, silent.getsockname()[1], free_port())


def configure(name: str, folder: Path, ports: Ports, **more: str) -> Path:
    """Write a configuration to a folder, with the words in capitals replaced. Return its path."""
    text = CONFIGS.joinpath(name).read_text("utf-8")
    words = {"APP_PORT": ports.app, "SILENT_PORT": ports.silent, "PROXY_PORT": ports.proxy, "FOLDER": folder, **more}
    for word, value in words.items():
        text = text.replace(word, str(value))
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def find_program(name: str) -> str:
    """Return the path of an installed program, or skip the test."""
    program = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    require(is_installed=program is not None, name=name)
    return str(program)


@contextlib.contextmanager
def running(command: Sequence[str], port: int) -> Iterator[None]:
    """Run a proxy until the block ends."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()


def prime(url: str, origin: str = "") -> None:
    """Request a URL from another origin or without one, so that a cache stores the response."""
    headers = {"Origin": origin} if origin else {}
    urllib.request.urlopen(urllib.request.Request(url, headers=headers)).close()
