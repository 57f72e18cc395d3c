"""The interface of a browser for the tests, and Chromium by Playwright. Firefox has a module of its own."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import Page, sync_playwright

PATIENCE = 20  # seconds, for a page to make its calls
SECOND_NAME = "attacker.test"  # both browsers resolve this name to 127.0.0.1
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    f"--host-resolver-rules=MAP {SECOND_NAME} 127.0.0.1",
    "--no-first-run",
    "--no-proxy-server",
]


class Tab(Protocol):
    """A tab of a browser. Its cookies are its own."""

    script_errors: list[str]

    def open(self, url: str) -> None:
        """Open a page, and wait until it has loaded."""

    def evaluate(self, expression: str) -> Any:
        """Evaluate a JavaScript expression in the page, and return its value; of a promise, the result."""

    def wait_until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true, also in a page that follows."""


class Browser(Protocol):
    """A browser that runs."""

    name: str

    def tab(self, width: int = 1280) -> AbstractContextManager[Tab]:
        """Open a tab without any cookies, and close it at the end of the block."""


class ChromiumTab:
    """A tab of Chromium. `page` is Playwright's, for the tests of Chromium only."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.script_errors: list[str] = []
        page.on("pageerror", lambda error: self.script_errors.append(str(error)))

    def open(self, url: str) -> None:
        self.page.goto(url)

    def evaluate(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def wait_until(self, condition: str) -> None:
        self.page.wait_for_function(condition, timeout=PATIENCE * 1000)


class Chromium:
    """The system's Chromium."""

    name = "chromium"

    def __init__(self, browser: PlaywrightBrowser) -> None:
        self._browser = browser

    @contextmanager
    def tab(self, width: int = 1280) -> Iterator[ChromiumTab]:
        page = self._browser.new_page(viewport={"width": width, "height": 900})
        yield ChromiumTab(page)
        page.context.close()


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Run the Chromium that CHROMIUM names."""
    sandbox = os.geteuid() != 0  # Chromium's sandbox doesn't work for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"], args=FLAGS, chromium_sandbox=sandbox
        )
        yield Chromium(browser)
        browser.close()
