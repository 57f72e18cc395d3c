"""The type of a case, and helpers to start the servers of stacks.

A stack is software as users set it up. Its module has `start`, which serves every set-up below a path of its own, and
the cases: `BROKEN` set-ups with the cause or the risks that the doctor must find, and `HEALTHY` ones. A stack that is
not installed is skipped, unless CORPUS=whole requires it.
"""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

PATIENCE = 20.0  # seconds, for a program to start
PUT = {"method": "PUT"}
COOKIES = {"credentials": True}
ID = {"headers": ["x-id: 7"]}


@dataclass(frozen=True)
class Case:
    """A set-up of a stack with a call of the doctor.

    Args:
        path: The path below which the stack serves the set-up.
        call: The call, as in `tests.support.command_line.arguments`.
        cause: The cause that blocks the call, or None.
        risks: The other mistakes.
    """

    path: str
    call: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cause: str | None = None
    risks: tuple[str, ...] = ()


def require(*, is_installed: bool, name: str) -> None:
    """Skip the test, or fail if CORPUS=whole, because a program is missing."""
    if not is_installed:
        assert os.environ.get("CORPUS") != "whole", f"{name} is missing"
        pytest.skip(f"{name} is not installed; `nox -s doctor` installs it")


def installed(name: str) -> bool:
    import importlib.util  # noqa: PLC0415 - used here alone

    return importlib.util.find_spec(name) is not None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int, process: "subprocess.Popen[Any]") -> None:
    """Wait until a program listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        threading.Event().wait(0.02)
    pytest.fail("the program did not start")


@contextlib.contextmanager
def asgi_server(app: Any, *, ws: Any = "none") -> Iterator[str]:
    """Serve an ASGI app with uvicorn."""
    import uvicorn  # noqa: PLC0415 - only if it is installed

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    started = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws=ws))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
