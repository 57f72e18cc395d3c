"""The stores that are measured: an SQLite file, and a Redis server if there is one."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

START: Final = 30  # seconds, at most


@contextlib.contextmanager
def stores() -> Iterator[dict[str, str]]:
    """Yield the URLs of new stores, by name. Redis persists each write before it acknowledges it, as SQLite does."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        urls = {"SQLite": f"sqlite:///{folder}/origins.db"}
        if shutil.which("redis-server"):
            options = ("--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
            port = free_port()
            command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), *options]
            stack.enter_context(running(command, port))
            urls["Redis"] = f"redis://127.0.0.1:{port}"
        yield urls


def free_port() -> int:
    """Return a port of 127.0.0.1 that no server uses."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], port: int, **env: str) -> Iterator[None]:
    """Run a server in the folder of the benchmarks until the end of the block."""
    process = subprocess.Popen(  # noqa: S603 - listed in this folder
        command, cwd=Path(__file__).parent, env=os.environ | env, stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + START
        while not _accepts(port):
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError(command)
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(START)


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def command(*arguments: str, store: str) -> list[str]:
    """Return the command `asgi-cors origins` with its arguments and a store."""
    return [sys.executable, "-m", "asgi_cors", "origins", *arguments, "--store", store]
