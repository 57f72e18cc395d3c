"""Programs that tests start: servers on free loopback ports, which end with the test."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60  # seconds, for a busy machine


def find_program(name: str, *folders: Path) -> str:
    """Return the path of a program, also from folders that are not on the PATH. Skip the test if it is missing.

    If REAL_SERVERS is "required", the test fails instead.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, folders)])
    found = shutil.which(name, path=path)
    if found is None and os.environ.get("REAL_SERVERS") == "required":
        pytest.fail(f"{name} is not installed")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], what: str, process: "subprocess.Popen[Any] | None" = None) -> None:
    """Call a condition until it is true. Fail after a minute, or when the process has ended."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if process is not None and process.poll() is not None:
            raise ProcessEndedError(what)
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        threading.Event().wait(0.01)


class ProcessEndedError(Exception):
    """A program ended when it was expected to serve."""


def stop(process: "subprocess.Popen[Any]") -> None:
    """Kill a process that was started by a test, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()
