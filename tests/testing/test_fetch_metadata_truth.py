"""Pages send the Origin and the Fetch Metadata that real browsers sent, row by row."""

from __future__ import annotations

import collections
from typing import Any

import pytest

from asgi_cors.testing import AsyncPage, Page
from tests.support import fetch_metadata_truth as truth

Json = dict[str, Any]

ENGINES = ("chromium", "firefox", "webkit")
NAMES = {f"{row['target']} {row['initiator']} {row['action']}": row for row in truth.ROWS}
RESULTS = [(name, engine) for name, row in NAMES.items() for engine in row["seen"]]
COVERED = [(name, engine) for name, engine in RESULTS if not truth.reason_missing(NAMES[name], engine)]
WEBSOCKETS = [(name, engine) for name, engine in COVERED if NAMES[name]["action"] == "websocket"]
REQUESTS = [result for result in COVERED if result not in WEBSOCKETS]


def agreed(name: str) -> Json | None:
    """Return the request that every browser sent, or None if they differ, or if only one was measured."""
    row = NAMES[name]
    if len(row["seen"]) == 1 or any(truth.reason_missing(row, engine) for engine in row["seen"]):
        return None
    first, *others = row["seen"].values()
    return first if all(other == first for other in others) else None


REASONS = {
    "": 437,
    "images": 52,
    "iframes": 24,
    "service workers": 18,
    "reloads": 9,
    "mixed content": 11,
    "links with a ping": 6,
    "windows": 3,
    "an address bar": 3,
    "the URL of a sandboxed page": 2,
}

AGREED = [name for name in dict.fromkeys(name for name, _ in REQUESTS) if agreed(name)]


def request_of(row: Json, engine: str) -> Json:
    """Make the row's request with a Page, and return the one that reached the target."""
    action = truth.action_of(row)
    network = truth.Network(action, row["target"])
    options: Json = {"referrer_policy": action.policy} if action.policy else {}
    with Page(action.page, transport=network.transport(), engine=engine, **options) as page:
        getattr(page, action.call)(network.url(), **action.options)
    return network.received[-1]


@pytest.mark.parametrize(("name", "engine"), REQUESTS)
def test_the_page_sends_what_the_browser_sent(name: str, engine: str) -> None:
    assert request_of(NAMES[name], engine) == NAMES[name]["seen"][engine]


@pytest.mark.parametrize("profile", ["browsers", "standard"])
@pytest.mark.parametrize("name", AGREED)
def test_the_shared_profiles_send_what_all_browsers_sent(name: str, profile: str) -> None:
    assert request_of(NAMES[name], profile) == agreed(name)


@pytest.mark.parametrize(("profile", "engine"), [("browsers", "chromium"), ("standard", "firefox")])
@pytest.mark.parametrize("status", [307, 308])
def test_the_profiles_disagree_where_chromium_and_firefox_do(profile: str, engine: str, status: int) -> None:
    """In Chromium and WebKit the redirect to another origin hides the form's origin. The default profile follows."""
    name = f"https://victim.test:18743 cross-site form POST, {status} at the cross-site host to the target"
    assert request_of(NAMES[name], profile) == NAMES[name]["seen"][engine]


@pytest.mark.parametrize("name", list(dict.fromkeys(name for name, _ in REQUESTS)))
async def test_the_async_page_sends_the_same_as_the_page(name: str) -> None:
    row = NAMES[name]
    action = truth.action_of(row)
    network = truth.Network(action, row["target"])
    options: Json = {"referrer_policy": action.policy} if action.policy else {}
    async with AsyncPage(action.page, transport=network.transport(), **options) as page:
        await getattr(page, action.call)(network.url(), **action.options)
    assert network.received[-1] == request_of(row, "browsers")


@pytest.mark.parametrize(("name", "engine"), WEBSOCKETS)
def test_the_handshake_is_the_browsers(name: str, engine: str) -> None:
    """Chromium sends no Fetch Metadata, Firefox and WebKit different destinations."""
    row = NAMES[name]
    action = truth.Action(truth.page_of(row), "", "websocket", {}, 307, [])
    network = truth.Network(action, row["target"])
    with Page(action.page, transport=network.transport(), engine=engine) as page:
        page.websocket(network.url())
    assert network.received[-1] == row["seen"][engine]


def test_every_other_result_has_a_reason() -> None:
    """docs/testing.md has these numbers."""
    reasons = collections.Counter(truth.reason_missing(NAMES[name], engine) for name, engine in RESULTS)
    covered_rows = {name for name, _ in COVERED}
    assert (len(covered_rows), len(NAMES)) == (212, 283)
    assert dict(reasons) == REASONS
