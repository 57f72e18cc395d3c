"""The demo as a program of its own, and the system's browsers; `nox -s browser` names their paths."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .drivers import PATIENCE, Browser, Chromium
from .drivers import chromium as run_chromium
from .firefox import Firefox
from .firefox import firefox as run_firefox

DEMO = Path(__file__).parents[2] / "examples" / "demo"
PORTS = ("--ports", "0", "0", "0", "0")  # any free ones


@dataclass
class Demo:
    """A running demo: its origins, and all that it has printed."""

    process: subprocess.Popen[str]
    origins: dict[str, str] = field(default_factory=dict)
    printed: str = ""

    def wait_until_ready(self) -> None:
        """Read up to the last line of its guide."""
        assert self.process.stdout
        while "Ctrl-C ends the demo" not in self.printed:
            line = self.process.stdout.readline()
            assert line, f"the demo ended before it was ready:\n{self.printed}"
            self.printed += line
        urls = re.findall(r"^ +(?:API|a page .*?) +(http\S+)", self.printed, re.MULTILINE)
        self.origins = dict(zip(("api", "allowed", "refused", "trusted", "rebound"), urls, strict=True))

    @property
    def apis(self) -> dict[str, str]:
        """The URLs of the APIs, by name."""
        home = self.origins["api"]
        mounted = {name: f"{home}/{name}" for name in ("flask", "quart", "fastapi", "django")}
        return {"asgi": home} | mounted

    def orders(self) -> dict[str, str]:
        """Return the cookie of each order, by its id."""
        with urllib.request.urlopen(f"{self.origins['allowed']}/orders.json") as answer:
            return json.load(answer)

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        self.printed += self.process.communicate(timeout=PATIENCE)[0]
        return self.process.returncode


@contextmanager
def running(*arguments: str) -> Iterator[Demo]:
    """Run the demo until the block ends."""
    command = [sys.executable, str(DEMO), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            demo = Demo(process)
            demo.wait_until_ready()
            yield demo
        finally:
            process.kill()


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with running(*PORTS) as demo:
        yield demo


@pytest.fixture
def run_demo():
    return running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    with run_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def firefox() -> Iterator[Firefox]:
    with run_firefox() as browser:
        yield browser


@pytest.fixture(params=["chromium", "firefox"])
def browser(request) -> Browser:
    return request.getfixturevalue(request.param)
