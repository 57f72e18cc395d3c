"""Python frameworks. Each is served by the server that its documentation starts, in a process of its own."""

import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from .case import free_port, require, wait_for

PROGRAMS = Path(__file__).parents[1] / "python"


@contextlib.contextmanager
def served(server: str, file: Path, log: Path) -> Iterator[str]:
    """Serve a file with `serve.py`."""
    port = free_port()
    command = [sys.executable, str(PROGRAMS / "serve.py"), server, str(file), str(port)]
    env = os.environ | {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "ignore"}
    with log.open("wb") as output, subprocess.Popen(command, env=env, stdout=output, stderr=output) as process:
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def starts(name: str, server: str, *packages: str) -> Callable[[Path], AbstractContextManager[str]]:
    """Return the function that serves the set-ups of a framework.

    Args:
        name: The name of the module in `tests/cli/corpus/python`, without `_apps`.
        server: The server, as `serve.py` names it.
        packages: The import names of the packages that they need.
    """

    def start(folder: Path) -> AbstractContextManager[str]:
        missing = [package for package in packages if importlib.util.find_spec(package) is None]
        require(is_installed=not missing, name=", ".join(missing))
        return served(server, PROGRAMS / f"{name}_apps.py", folder / "log")

    return start


STARTS = {
    "flask": starts("flask", "werkzeug", "flask", "flask_cors"),
    "django": starts("django", "wsgiref", "django", "corsheaders"),
    "fastapi": starts("fastapi", "uvicorn", "fastapi", "uvicorn"),
    "quart": starts("quart", "hypercorn", "quart", "quart_cors", "hypercorn"),
    "aiohttp": starts("aiohttp", "aiohttp", "aiohttp", "aiohttp_cors"),
    "sanic": starts("sanic", "sanic", "sanic", "sanic_ext", "uvicorn"),
    "tornado": starts("tornado", "tornado", "tornado"),
    "falcon": starts("falcon", "wsgiref", "falcon"),
    "litestar": starts("litestar", "uvicorn", "litestar", "uvicorn"),
    "blacksheep": starts("blacksheep", "uvicorn", "blacksheep", "uvicorn"),
    "bottle": starts("bottle", "wsgiref", "bottle"),
    "pyramid": starts("pyramid", "waitress", "pyramid", "waitress"),
    "ours": starts("our", "uvicorn", "flask", "quart", "starlette", "uvicorn"),
    "ours over WSGI": starts("our_wsgi", "werkzeug", "flask"),
}
