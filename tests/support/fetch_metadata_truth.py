"""The recorded requests of `fetch-metadata.json`, and the calls of a page that make the same requests."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx

Json = dict[str, Any]

TRUTH: Json = json.loads((pathlib.Path(__file__).parents[1] / "data" / "fetch-metadata.json").read_text("utf-8"))
ROWS: list[Json] = TRUTH["rows"]
HEADERS = ("origin", "sec_fetch_site", "sec_fetch_mode", "sec_fetch_dest")

# The pages of each target, by the initiator of a row.
_HTTPS = {
    "same-site, other port": "https://victim.test:18744",
    "same-site, sibling host": "https://sib.victim.test:18743",
    "cross-site": "https://evil.test:18743",
    "same host, http page": "http://victim.test:18701",
    "cross-site, http page": "http://evil.test:18701",
}
_HTTP = {
    "same-site, other port": "http://victim.test:18702",
    "same-site, sibling host": "http://sib.victim.test:18701",
    "cross-site": "http://evil.test:18701",
    "same host, https page": "https://victim.test:18743",
}
_LOCALHOST = {
    "same-site, other port": "http://localhost:18702",
    "cross-site": "http://evil.test:18701",
    "cross-site, 127.0.0.1 page": "http://127.0.0.1:18701",
}
_ADDRESS = {"same-site, other port": "http://127.0.0.1:18702", "cross-site, localhost page": "http://localhost:18701"}
PAGES = {
    "https://victim.test:18743": _HTTPS,
    "http://victim.test:18701": _HTTP,
    "http://localhost:18701": _LOCALHOST,
    "http://127.0.0.1:18701": _ADDRESS,
}

_NO_CORS = {"method": "POST", "mode": "no-cors", "credentials": "include"}
FETCHES: dict[str, Json] = {
    "fetch POST (cors, credentials)": {"method": "POST", "credentials": "include"},
    "fetch POST (cors)": {"method": "POST"},
    "fetch POST (no-cors, credentials)": _NO_CORS,
    "fetch PUT": {"method": "PUT"},
    "fetch GET (cors)": {},
    "sendBeacon": _NO_CORS,
    "worker": _NO_CORS,
    "eventsource": {},
}
FORMS: dict[str, Json] = {"form POST": {}, "formget": {"method": "GET"}, "navigation by link": {"method": "GET"}}

# The actions that a page of `asgi_cors.testing` does not have.
MISSING = {
    "img": "images",
    "iframe": "iframes",
    "srcdocform": "iframes",
    "dataform": "iframes",
    "blankform": "iframes",
    "ping": "links with a ping",
    "form POST, target=_blank": "windows",
    "navigation": "an address bar",
    "form POST, then the user reloads the result": "reloads",
    "form POST, the user goes away and back to the result": "reloads",
    "form POST through the target's service worker, fetch(event.request)": "service workers",
    "navigation by link through the target's service worker, fetch(event.request)": "service workers",
}
# The same for single results: the browser sent nothing (mixed content), or it sent the URL of a sandboxed page.
MIXED_CONTENT = "mixed content"
SANDBOXED_URL = "the URL of a sandboxed page"


class Action(NamedTuple):
    """A call of a page: the page, its policy, the method's name, and the hosts that redirect before the target."""

    page: str
    policy: str
    call: str
    options: Json
    status: int
    hosts: Sequence[str]


def reason_missing(row: Json, engine: str) -> str:
    """Return the thing that `asgi_cors.testing` does not simulate in this result, or ""."""
    if row["action"] in MISSING:
        return MISSING[row["action"]]
    if "method" not in row["seen"][engine]:
        return MIXED_CONTENT
    is_beacon = engine == "webkit" and row["action"] == "sendBeacon"
    return SANDBOXED_URL if is_beacon and row["initiator"].startswith("null") else ""


def action_of(row: Json) -> Action:
    """Return the call that makes the row's request."""
    target, page = row["target"], page_of(row)
    action, _, rest = row["action"].partition(", ")
    if row["action"] in FETCHES or row["action"] in FORMS:
        return _action(row["action"], page, "", 307, [])
    if rest.startswith("Referrer-Policy: "):
        return _action(action, page, rest.removeprefix("Referrer-Policy: "), 307, [])
    action = action.partition(" to ")[0]
    hosts = {
        "at the cross-site host to the target": page,
        "there to itself (open redirect)": target,
        "at a cross-site host": _foreign(row),
        "at the same origin": target,
        "there to the target": _sibling(target),
    }
    status, _, where = rest.partition(" ")
    return _action(action, page, "", int(status), [hosts[where.partition(", ")[0]]])


def _action(name: str, page: str, policy: str, status: int, hosts: Sequence[str]) -> Action:
    is_form = name in FORMS
    options = FORMS[name] if is_form else FETCHES[name]
    return Action(page, policy, "submit" if is_form else "fetch", options, status, hosts)


def page_of(row: Json) -> str:
    """Return the origin of the page that sends the row's request."""
    if row["initiator"] == "same-origin":
        return row["target"]
    if row["initiator"].startswith("null"):
        return "null"
    return _foreign(row) if row["initiator"] == "cross-site" else PAGES[row["target"]][row["initiator"]]


def _foreign(row: Json) -> str:
    """Return the other site. WebKit ran on loopback only, and alone only where the others ran on another target."""
    return "http://127.0.0.1:18701" if set(row["seen"]) == {"webkit"} else PAGES[row["target"]]["cross-site"]


def _sibling(target: str) -> str:
    siblings = PAGES[target]
    return siblings.get("same-site, sibling host", siblings["same-site, other port"])


class Network:
    """Allows every page, redirects over the hosts, and records the requests that reach the target."""

    def __init__(self, action: Action, target: str) -> None:
        self._action = action
        self._hops = [*action.hosts, target]
        self.received: list[Json] = []

    def url(self) -> str:
        return f"{self._hops[0]}/0"

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        origin = request.headers.get("origin", "")
        allowed = {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "PUT",
        }
        number = int(request.url.path[1:])
        if number + 1 < len(self._hops):
            location = f"{self._hops[number + 1]}/{number + 1}"
            return httpx.Response(self._action.status, headers={**allowed, "location": location})
        if request.method != "OPTIONS":
            sent = {name: request.headers.get(name.replace("_", "-")) for name in HEADERS}
            self.received.append({"method": request.method, **sent})
        return httpx.Response(200, headers=allowed)
