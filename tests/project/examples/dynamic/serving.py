"""Serves a recipe in a process of its own, and sends it requests."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.support.programs import stop, wait_until

RECIPES = Path(__file__).parents[4] / "examples" / "dynamic"
COMMANDS = {
    "uvicorn": ["--app-dir", str(RECIPES), "--port", "0"],
    "gunicorn": ["--chdir", str(RECIPES), "--bind", "127.0.0.1:0", "--threads", "4"],
}
CARELESS = re.compile(  # in a log: a task, coroutine or connection that was left behind
    r"never awaited|was destroyed but|never retrieved|ResourceWarning|Unclosed|Exception ignored|non-checked-in"
)
STOPPED = {0, -15}  # uvicorn ends by the signal itself


def run(*arguments: str, **variables: str) -> str:
    """Run a Python program, such as `run("-m", "asgi_cors", "--help")`. Return its output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def require(*packages: str) -> None:
    """Skip the tests of a module if it needs other packages. If REAL_SERVERS is "required", they fail instead."""
    if os.environ.get("REAL_SERVERS") != "required":
        for name in packages:
            pytest.importorskip(name)


def python_path(folder: Path) -> str:
    """Return the value of PYTHONPATH with another folder, and the folder of the recipes."""
    return os.pathsep.join([str(folder), str(RECIPES), *filter(None, [os.environ.get("PYTHONPATH")])])


class Server:
    """A recipe, served until the end of the block. Then its log must be without warnings and left-over tasks.

    Args:
        recipe: The name of its module, or `module:attribute`.
        folder: A folder for the log.
        program: The server, `uvicorn` or `gunicorn`.
        variables: The environment variables that its docstring names.
    """

    def __init__(self, recipe: str, folder: Path, program: str = "uvicorn", **variables: str) -> None:
        module, _, attribute = recipe.partition(":")
        self.path = folder / f"{module}-{len([*folder.iterdir()])}.log"
        self.command = [sys.executable, "-m", program, *COMMANDS[program], f"{module}:{attribute or 'app'}"]
        own = {"HOME": str(folder), "PYTHONWARNINGS": "default", "PYTHONUNBUFFERED": "1"}  # gunicorn has files at HOME
        self.environ = os.environ | own | variables
        self.process: subprocess.Popen[bytes]
        self.client: httpx.Client

    @property
    def log(self) -> str:
        """The text of its log so far."""
        return self.path.read_text("utf-8", "replace")

    def __enter__(self) -> Self:
        with self.path.open("wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environ)
        try:
            wait_until(lambda: re.search(r"http://127\.0\.0\.1:\d+", self.log), "the server starts", self.process)
        except BaseException:
            stop(self.process)
            print(self.log)  # noqa: T201 - pytest shows it
            raise
        (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)", self.log)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False)
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()
        self.process.terminate()
        try:
            status = self.process.wait(20)
        finally:
            stop(self.process)
            print(self.log)  # noqa: T201 - pytest shows it if the test fails
        if error[0] is None:
            assert status in STOPPED
            assert not CARELESS.search(self.log)

    def allows(self, origin: str, path: str = "/items", **headers: str) -> bool:
        """Return whether a page of `origin` may read a response, and may send the request. Both must agree."""
        got = self.client.get(path, headers={"origin": origin, **headers})
        assert got.json() == ["tea", "cake"]
        requested = {"access-control-request-method": "GET", "origin": origin, **headers}
        preflight = self.client.options(path, headers=requested)
        assert preflight.is_success
        allowed = [each.headers.get("access-control-allow-origin") == origin for each in (got, preflight)]
        assert len({*allowed}) == 1
        return allowed[0]

    def wait_until_allowed(self, origin: str) -> None:
        """Return when `origin` is allowed."""
        wait_until(lambda: self._reads(origin), f"{origin} is allowed", self.process)

    def wait_until_refused(self, origin: str) -> None:
        """Return when `origin` is refused."""
        wait_until(lambda: not self._reads(origin), f"{origin} is refused", self.process)

    def _reads(self, origin: str) -> bool:
        response = self.client.get("/items", headers={"origin": origin})
        assert response.status_code == httpx.codes.OK
        return response.headers.get("access-control-allow-origin") == origin
