"""Recorded cases of real browsers, as the calls of a page's script and the responses of a server.

A case has steps. A step is one call of the script, with the server's responses. In their headers, `{origin}` is the
page's serialized origin, `{self}`, `{port}`, `{ip}` and so on are the targets' origins, and `{SELF}` is the requested
URL.
"""

from __future__ import annotations

import gzip
import json
import pathlib
import re
from typing import Any, NamedTuple

import httpx

DATA = pathlib.Path(__file__).parent.parent / "data"

Json = dict[str, Any]

FIRST: Json = json.loads((DATA / "browser-truth.json").read_text(encoding="utf-8"))
SECOND: Json = json.loads(gzip.decompress((DATA / "browser-truth-2.json.gz").read_bytes()))
ORIGINS: dict[str, str] = FIRST["meta"]["origins"]
PAGES: dict[str, str] = FIRST["meta"]["pages"]
CASES: dict[str, Json] = {case["id"]: case for case in [*FIRST["cases"], *SECOND["cases"]]}

# The profile that the browsers were started with.
COOKIES = {
    ORIGINS["self"]: ["jar_localhost=1; Path=/"],
    ORIGINS["ip"]: ["jar_ip=1; Path=/; SameSite=None; Secure", "jar_ip_default=1; Path=/"],
    ORIGINS["sub"]: ["jar_sub=1; Path=/; SameSite=None; Secure"],
}
BODILESS = {204, 304}
FETCH_TYPES = {"basic", "cors", "opaque", "opaqueredirect"}
MULTIPART = "multipart/form-data; boundary=x"
# The options with which other APIs fetch (HTML, EventSource; Beacon, sendBeacon()).
INITS: dict[str, Json] = {
    "eventsource": {"mode": "cors"},
    "beacon": {"method": "POST", "mode": "no-cors", "credentials": "include"},
}
# The methods of a page for APIs other than fetch().
CALLS = {"form": "submit", "websocket": "websocket"}
TYPES = {"formdata": MULTIPART, "urlsearchparams": "application/x-www-form-urlencoded;charset=UTF-8"}


class Call(NamedTuple):
    """The call of a step: the method of the page with its arguments, and the seconds to wait before it."""

    name: str
    url: str
    init: Json
    delay: float


class Server:
    """Sends the responses of a case, and records the requests of the current step."""

    def __init__(self, case: Json) -> None:
        self._case = case
        self._counts: dict[tuple[str, str], int] = {}
        self.preflights: list[Json] = []
        self.mains: list[Json] = []

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def next_step(self) -> None:
        self.preflights, self.mains = [], []

    def _handle(self, request: httpx.Request) -> httpx.Response:
        step, hop = map(int, request.url.path.split("/")[2:4])
        headers = request.headers
        common = {"hop": hop, "origin": headers.get("origin"), "cookie": "cookie" in headers}
        is_preflight = request.method == "OPTIONS" and "access-control-request-method" in headers
        if is_preflight:
            acrm, acrh = headers["access-control-request-method"], headers.get("access-control-request-headers")
            self.preflights.append({**common, "acrm": acrm, "acrh": acrh})
        else:
            sent = {"method": request.method, "authorization": "authorization" in headers}
            self.mains.append({**common, **sent, "cookies": own_cookies(self._case, headers.get("cookie"))})
        spec = self._case["steps"][step]["server"]
        for _ in range(hop):
            spec = spec["next"]["server"]
        return self._respond(spec, "pre" if is_preflight else "main", request)

    def _respond(self, spec: Json, kind: str, request: httpx.Request) -> httpx.Response:
        response = spec.get(kind, {})
        if isinstance(response, list):  # one for each request, then always the last
            count = self._counts.get((request.url.path, kind), 0)
            self._counts[request.url.path, kind] = count + 1
            response = response[min(count, len(response) - 1)]
        status = response.get("status", 200)
        headers = [(name, self._fill(value, request)) for name, value in response.get("headers", [])]
        if kind == "main" and "next" in spec and (status != 200 or not spec["next"].get("self")):
            headers += [("Location", location(self._case, spec["next"], request))] * (
                1 + spec["next"].get("dup", False)
            )
        if status not in BODILESS and "content-type" not in {name.lower() for name, _ in headers}:
            headers.append(("Content-Type", "text/plain"))
        if status not in BODILESS:
            headers.append(("Content-Length", "2"))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        body = b"" if status in BODILESS or request.method == "HEAD" else b"ok"
        return httpx.Response(status, headers=raw, stream=httpx.ByteStream(body))

    def _fill(self, value: str, request: httpx.Request) -> str:
        names = {**ORIGINS, "origin": PAGES[self._case["page"]], "SELF": str(request.url)}
        names["id"] = self._case["id"].replace("-", "_")
        return re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], match[0]), value)


def location(case: Json, following: Json, request: httpx.Request) -> str:
    """Return the URL of a redirect's Location."""
    if following.get("self"):
        return str(request.url)
    step, hop = map(int, request.url.path.split("/")[2:4])
    origin = ORIGINS[following["target"]]
    if following.get("userinfo"):
        origin = origin.replace("://", "://u:p@")
    return f"{origin}/r/{step}/{hop + 1}/{case['id']}"


def calls(case: Json) -> list[Call]:
    """Return the calls of the case's script, one for each step."""
    made: list[Call] = []
    for number, step in enumerate(case["steps"]):
        shared = step.get("share")
        if shared is None:
            url = f"{ORIGINS[step['target']]}/r/{number}/0/{case['id']}"
            url += "?" + "u" * (step["url_len"] - len(url) - 1) if "url_len" in step else ""
        else:
            url = made[shared].url
        made.append(Call(CALLS.get(step["api"], "fetch"), url, init_of(step), step.get("delay", 0)))
    return made


def init_of(step: Json) -> Json:
    """Return the options of `page.fetch`, or of `page.submit`, for the step's API and its options."""
    init = {**INITS.get(step["api"], {}), **step["init"]}
    init.pop("keepalive", None)
    if step["api"] in CALLS:
        return init
    if "referrerPolicy" in init:
        init["referrer_policy"] = init.pop("referrerPolicy")
    if step["api"] == "script":
        crossorigin = init.pop("crossorigin", None)
        init["mode"] = "no-cors" if crossorigin is None else "cors"
        init["credentials"] = "include" if crossorigin in {None, "use-credentials"} else "same-origin"
    init["headers"] = [(name, value) for name, value in init.get("headers", [])]
    body, kind, blob = init.pop("body", None), init.pop("body_type", "string"), init.pop("blob_type", "")
    if step["api"] == "xhr" and init.get("method", "GET").upper() in {"GET", "HEAD"}:
        body = None  # XMLHttpRequest, send(): GET and HEAD have no body
    if step["api"] == "beacon" and kind != "blob":
        blob = ""  # only a Blob has a type of its own
    if step["api"] == "beacon" and blob == "application/json":
        init["mode"] = "cors"
    if body is not None:
        kind_of_content = blob or TYPES.get(kind)
        init["content"] = body if kind == "string" else iter([body.encode()]) if kind == "stream" else body.encode()
        if kind_of_content and not any(name.lower() == "content-type" for name, _ in init["headers"]):
            init["headers"].append(("content-type", kind_of_content))
    if step["api"] == "xhr":
        # withCredentials has two states, and setRequestHeader() combines lines.
        init["credentials"] = "include" if init.get("credentials") == "include" else "same-origin"
        combined: dict[str, str] = {}
        for name, value in init["headers"]:
            key = name.lower()
            combined[key] = f"{combined[key]}, {value}" if key in combined else value
        init["headers"] = list(combined.items())
    return init


def own_cookies(case: Json, header: str | None) -> set[str]:
    """Return the cookies of the profile and of the case, without those of other cases."""
    own = f"sc_{case['id'].replace('-', '_')}="
    return {cookie for cookie in (header or "").split("; ") if cookie.startswith(("jar_", own))}


def expected(case: Json, engine: str) -> list[Json]:
    """Return the engine's recorded results, step by step; for "browsers" and "standard" those of all three."""
    observed = case["observed"].get("all") or case["observed"][engine if engine in case["observed"] else "chromium"]
    return [
        {
            **step,
            "type": step["type"] if step["type"] in FETCH_TYPES else None,
            "readable": sorted(step["readable"] or []),
            "mains": [
                {**main, "cookies": cookies, "cookie": bool(cookies)}
                for main in step["mains"]
                for cookies in [own_cookies(case, main["cookies"])]
            ],
        }
        for step in observed
    ]


def observation(server: Server, api: str, response: Any) -> Json:
    """Return the observation of a step in the form of `expected`. Without a response, the fetch was blocked."""
    shown: Json = {"blocked": response is None, "preflights": server.preflights, "mains": server.mains}
    if api == "beacon":
        shown["blocked"] = False  # the script gets no error
    if response is None or api not in {"fetch", "xhr"}:
        return {**shown, "type": None, "status": None, "readable": []}
    kind = None if api == "xhr" else response.type
    return {**shown, "type": kind, "status": response.status, "readable": sorted(set(response.headers))}
