"""The demo as a program of its own, and the system's Chromium; `nox -s browser` names its path."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

DEMO = Path(__file__).parents[2] / "examples" / "demo"
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 20  # seconds, for a page to make its calls, and for the demo to end


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
        urls = re.findall(r"^ +(?:API|a page it \w+) +(http\S+)", self.printed, re.MULTILINE)
        self.origins = dict(zip(("api", "allowed", "refused"), urls, strict=True))

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
    with running("--ports", "0", "0", "0") as demo:
        yield demo


@pytest.fixture
def run_demo():
    return running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    sandbox = os.geteuid() != 0  # Chromium's sandbox doesn't work for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"], args=FLAGS, chromium_sandbox=sandbox
        )
        yield browser
        browser.close()
