"""A real Chromium, whose pages have the origins of the corpus and make its calls."""

import contextlib
import importlib.util
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .raw import PAGE
from .serving import Request, Response, Server, serving
from .stacks.case import require

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--disable-background-networking", "--disable-component-update", "--disable-gpu", "--disable-quic")
PATIENCE = 10_000  # milliseconds, for a response
FETCH = """async ({url, init, reads, patience}) => {
    try {
        const response = await fetch(url, {...init, signal: AbortSignal.timeout(patience)});
        return reads.every(name => response.headers.get(name) !== null);
    } catch {
        return false;
    }
}"""
OPEN_WEBSOCKET = """({url}) => new Promise(resolve => {
    try {
        const socket = new WebSocket(url);
        socket.onopen = () => resolve(true);
        socket.onerror = () => resolve(false);
    } catch {
        resolve(false);
    }
})"""


@dataclass(frozen=True)
class Outcome:
    """The result of a call: whether the script succeeds, and the CORS errors that DevTools shows."""

    allowed: bool
    cors_errors: tuple[str, ...]


@dataclass(frozen=True)
class Chromium:
    """A running Chromium."""

    browser: Any

    def run(self, call: Mapping[str, Any], url: str) -> Outcome:
        """Make a call of the corpus from a page of its origin, in a fresh profile."""
        context = self.browser.new_context(ignore_https_errors=True)
        try:
            page = context.new_page()
            origin = call.get("origin", PAGE)
            page.goto("data:text/html," if origin == "null" else f"{origin}/")
            failures = watch_failures(page)
            allowed = page.evaluate(*script(call, url))
        finally:
            context.close()
        return Outcome(allowed, tuple(failure["corsError"] for failure in failures))


def watch_failures(page: Any) -> list[dict[str, Any]]:
    """Return a list to which DevTools adds the CORS errors of a page."""
    failures: list[dict[str, Any]] = []
    devtools = page.context.new_cdp_session(page)
    devtools.on("Network.loadingFailed", lambda event: failures.extend(filter(None, [event.get("corsErrorStatus")])))
    devtools.send("Network.enable")
    return failures


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
    return FETCH, {"url": url, "init": init, "reads": list(call.get("reads", ())), "patience": PATIENCE}


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


def create_certificate(folder: Path) -> Path:
    """Create a certificate for 127.0.0.1, in one file with its key."""
    path = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, *names, "-keyout", str(path), "-out", str(path)], check=True, capture_output=True)
    return path
