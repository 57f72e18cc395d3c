"""The recorded requests of `forms.json`: forms, fetches and handshakes with their redirects, in real browsers."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import httpx

Json = dict[str, Any]

CASES: dict[str, Json] = {
    case["name"]: case
    for case in json.loads((pathlib.Path(__file__).parents[1] / "data" / "forms.json").read_text("utf-8"))["cases"]
}
SITES = ["http://localhost:18901", "http://127.0.0.1:18901", "http://evil.test:18901", "http://victim.test:18901"]
COOKIES = {site: ["strict=1; SameSite=Strict", "lax=1; SameSite=Lax", "plain=1"] for site in SITES}
_HEADERS = ("origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "referer")


class Network:
    """Has the page of a case, redirects over its hops, allows every origin, and records the requests."""

    def __init__(self, case: Json) -> None:
        self._case = case
        self.received: list[Json] = []

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def page_url(self) -> str:
        return f"{self._case['page']}/page?q=1"

    def url(self) -> str:
        return f"{self._case['hops'][0]}/hop/0"

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/page":
            policy = self._case["referrer_policy"]
            return httpx.Response(200, headers={"referrer-policy": policy} if policy else {})
        hop = int(request.url.path.rpartition("/")[2])
        self._record(request, hop)
        headers = {
            "access-control-allow-origin": request.headers.get("origin", "null"),
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "PUT",
            "access-control-allow-headers": "content-type",
        }
        if request.method == "OPTIONS" or hop + 1 == len(self._case["hops"]):
            return httpx.Response(204, headers=headers)
        if "redirect_policy" in self._case:
            headers["referrer-policy"] = self._case["redirect_policy"]
        location = f"{self._case['hops'][hop + 1]}/hop/{hop + 1}"
        return httpx.Response(self._case["status"], headers={**headers, "location": location})

    def _record(self, request: httpx.Request, hop: int) -> None:
        sent = {name.replace("-", "_"): request.headers.get(name) for name in _HEADERS}
        pairs = request.headers.get("cookie", "").split("; ")
        cookies = sorted(pair.partition("=")[0] for pair in pairs if pair)
        self.received.append({"hop": hop, "method": request.method, **sent, "cookies": cookies})


def options_of(case: Json) -> Json:
    """Return the options of the call, as the page takes them."""
    options = dict(case["options"])
    if "referrerPolicy" in options:
        options["referrer_policy"] = options.pop("referrerPolicy")
    if case["call"] == "fetch" and options["method"] != "GET":
        options["content"] = "x"
    return options
