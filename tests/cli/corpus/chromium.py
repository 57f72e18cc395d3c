"""A real Chromium, whose pages have the origins of the corpus and make its calls."""

import contextlib
import importlib.util
import os
import shutil
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .certificate import create_certificate
from .raw import PAGE
from .serving import Request, Response, Server, serving
from .stacks.case import require

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FILE = Path(__file__)  # as a page: the origin of a file is null, and it may request this machine
FLAGS = ("--disable-background-networking", "--disable-component-update", "--disable-gpu", "--disable-quic")
PATIENCE = 10  # seconds, for a response
FETCH = """async ({url, init, reads, patience}) => {
    try {
        const response = await fetch(url, {...init, signal: AbortSignal.timeout(patience)});
        return {allowed: reads.every(name => response.headers.get(name) !== null), failed: false};
    } catch {
        return {allowed: false, failed: true};
    }
}"""
OPEN_WEBSOCKET = """({url}) => new Promise(resolve => {
    const end = allowed => resolve({allowed, failed: false});
    try {
        const socket = new WebSocket(url);
        socket.onopen = () => end(true);
        socket.onerror = () => end(false);
    } catch {
        end(false);
    }
})"""


@dataclass(frozen=True)
class Outcome:
    """The result of a call: whether the script succeeds, and the CORS errors that DevTools shows."""

    allowed: bool
    cors_errors: tuple[str, ...]


class Page:
    """A page of one origin, and the CORS errors of its calls."""

    def __init__(self, context: Any, origin: str) -> None:
        """Open the page."""
        self._page = context.new_page()
        self._page.goto(FILE.as_uri() if origin == "null" else f"{origin}/")
        self._requests: set[str] = set()
        self._failures: list[dict[str, Any]] = []
        self._devtools = context.new_cdp_session(self._page)
        self._devtools.on("Network.requestWillBeSent", lambda event: self._requests.add(event["requestId"]))
        self._devtools.on("Network.loadingFailed", self._add_failure)
        self._devtools.send("Network.enable")

    def _add_failure(self, event: dict[str, Any]) -> None:
        """Add a failure of this call. That of the call before may arrive late."""
        if event["requestId"] in self._requests:
            self._failures.append(event)

    def run(self, call: Mapping[str, Any], url: str) -> Outcome:
        """Make a call without cookies, and with empty caches. That empties the cache of preflights, too."""
        self._devtools.send("Network.clearBrowserCache")
        self._devtools.send("Network.clearBrowserCookies")
        self._requests.clear()
        self._failures.clear()
        result = self._page.evaluate(*script(call, url))
        if result["failed"]:
            self._wait_for_failure()
        errors = [event["corsErrorStatus"]["corsError"] for event in self._failures if "corsErrorStatus" in event]
        return Outcome(result["allowed"], tuple(errors))

    def _wait_for_failure(self) -> None:
        """Wait until DevTools has shown why the request failed. Playwright receives events during its calls only."""
        deadline = time.monotonic() + PATIENCE
        while not any(event["type"] != "Preflight" for event in self._failures):
            assert time.monotonic() < deadline, "DevTools shows no failure"
            self._page.wait_for_timeout(1)


class Chromium:
    """A running Chromium."""

    def __init__(self, browser: Any) -> None:
        """Open a profile."""
        self._context = browser.new_context(ignore_https_errors=True)
        self._pages: dict[str, Page] = {}

    def run(self, call: Mapping[str, Any], url: str) -> Outcome:
        """Make a call of the corpus from a page of its origin."""
        origin = call.get("origin", PAGE)
        if origin not in self._pages:
            self._pages[origin] = Page(self._context, origin)
        return self._pages[origin].run(call, url)


def script(call: Mapping[str, Any], url: str) -> tuple[str, dict[str, Any]]:
    """Return the script of a call, and its argument."""
    if "scheme" in call:
        url = url.replace("http", call["scheme"], 1)
    if url.startswith("ws"):
        return OPEN_WEBSOCKET, {"url": url}
    init: dict[str, Any] = {
        "method": call.get("method", "GET"),
        "headers": [[part.strip() for part in header.split(":", 1)] for header in call.get("headers", ())],
        "credentials": "include" if call.get("credentials") else "same-origin",
    }
    init |= {"body": call["data"]} if "data" in call else {}
    return FETCH, {"url": url, "init": init, "reads": list(call.get("reads", ())), "patience": PATIENCE * 1000}


@contextlib.contextmanager
def chromium(origins: set[str], folder: Path) -> Iterator[Chromium]:
    """Run Chromium, with pages of these origins on loopback."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    is_installed = bool(program and shutil.which("openssl") and importlib.util.find_spec("playwright"))
    require(is_installed=is_installed, name="Chromium with Playwright")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only if it is installed

    with serving(blank_page) as plain, serving(blank_page, tls=tls(folder)) as secure, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[*FLAGS, f"--host-resolver-rules={host_rules(origins, plain, secure)}"],
            chromium_sandbox=os.geteuid() != 0,  # the sandbox doesn't work for root
        )
        yield Chromium(browser)
        browser.close()


def blank_page(_: Request) -> Response:
    return Response(200, (("Content-Type", "text/html"),), b"<!doctype html><title>page</title>")


def host_rules(origins: set[str], plain: Server, secure: Server) -> str:
    """Return the rules that map each origin to a server on loopback."""
    rules: list[str] = []
    for origin in sorted(origins - {"null"}):
        parts, server = urlsplit(origin), secure if origin.startswith("https:") else plain
        port = parts.port or (443 if server is secure else 80)
        rules.append(f"MAP {parts.hostname}:{port} 127.0.0.1:{server.port}")
    return ", ".join(rules)


def tls(folder: Path) -> ssl.SSLContext:
    """Return a server's context with a certificate of its own."""
    certificate = create_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate)
    return context
