"""DNS rebinding in a real Chromium: a page of another site reads a server on loopback, until `allowed_hosts` is set."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from asgi_cors import CORSMiddleware

from .apis.mcp import build
from .chromium import run_chromium
from .serving import Recorder, serving
from .test_mcp import HOSTS, INITIALIZE

ATTACKER = "attacker.example"
# The name leads to the server on loopback. Without its checks of local networks, as in older releases, Chromium obeys.
REBOUND = [f"--host-resolver-rules=MAP {ATTACKER} 127.0.0.1", "--disable-features=LocalNetworkAccessChecks"]
CALL = """async body => {
    const headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"};
    const response = await fetch("/mcp", {method: "POST", headers, body: JSON.stringify(body)});
    return [response.status, await response.text()];
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with run_chromium(*REBOUND) as browser:
        yield browser


def attack(page, app) -> tuple[int, str]:
    """Open the attacker's page, rebind its name to the server, and call the server as the page's own origin."""
    with serving(app) as origin:
        site = f"http://{ATTACKER}:{origin.rpartition(':')[2]}/"
        page.route(site, lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
        page.goto(site)
        status, text = page.evaluate(CALL, INITIALIZE)
        return status, text


def test_cors_alone_does_not_protect_from_a_rebound_page(page):
    app = Recorder(build())
    status, text = attack(page, CORSMiddleware(app, allow_origins=["https://inspector.example"], enforce=True))
    assert status == 200
    assert "calculator" in text


def test_a_rebound_page_never_reaches_the_app(page):
    app = Recorder(build())
    options = {"allow_origins": ["https://inspector.example"], "presets": ["mcp"], "enforce": True}
    status, text = attack(page, CORSMiddleware(app, allowed_hosts=HOSTS, **options))
    assert status == 421
    assert "calculator" not in text
    assert not app.requests
