"""The system's Chromium. `nox -s clients` names its path."""

import contextlib
import os
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-gpu", "--disable-quic"]


@contextlib.contextmanager
def run_chromium(*flags: str) -> Iterator[Browser]:
    """Run Chromium until the block ends."""
    sandbox = os.geteuid() != 0  # Chromium's sandbox doesn't work for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"], args=[*FLAGS, *flags], chromium_sandbox=sandbox
        )
        yield browser
        browser.close()
