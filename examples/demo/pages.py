"""The servers of the two pages, which differ in their origin only."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api import Receive, Scope, Send, respond
from cases import CASES, Explains, row

App = Callable[[Any, Any, Any], Awaitable[None]]  # every framework has its own type of a scope
FILES = Path(__file__).parent / "page"
KINDS = {".html": b"text/html; charset=utf-8", ".css": b"text/css", ".js": b"text/javascript"}
COOKIE = (b"set-cookie", b"visitor=ada; SameSite=Lax; Path=/")


@dataclass(frozen=True)
class Api:
    """An API that the page calls and shows in a table.

    `source` is the code with its policy; `lacks` has the rows that it can't serve.
    """

    name: str
    url: str
    cors: Explains
    source: str
    lacks: AbstractSet[str] = frozenset()


def by_port(apps: Mapping[str, App]) -> App:
    """Serve several apps at once, each at its own origin."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        host, port = scope["server"]
        await apps[f"http://{host}:{port}"](scope, receive, send)

    return choose


def by_mount(mounts: Mapping[str, App], rest: App) -> App:
    """Serve apps below a path each, and one for all other paths."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        for path, app in mounts.items():
            if scope["path"].startswith(f"{path}/"):
                await app({**scope, "root_path": path}, receive, send)
                return
        await rest(scope, receive, send)

    return choose


def create(origin: str, other: str, apis: Sequence[Api]) -> App:
    """Serve the page, and the decisions for its origin: from its own server, so that CORS can't hide them."""

    async def page(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/plan.json":
            await respond(send, json.dumps(plan(origin, other, apis)).encode())
            return
        file = FILES / (scope["path"].strip("/") or "index.html")
        if file not in FILES.iterdir():
            file = FILES / "index.html"
        # Cookies ignore ports: the API on the same host gets the cookie that this server sets.
        await respond(send, file.read_bytes(), COOKIE, kind=KINDS[file.suffix])

    return page


def plan(origin: str, other: str, apis: Sequence[Api]) -> dict[str, object]:
    """Return the data of the page."""
    allowed = apis[0].cors.explain("GET", origin).allowed
    tables = [table(api, origin) for api in apis]
    return {"origin": origin, "allowed": allowed, "other": other, "apis": tables}


def table(api: Api, origin: str) -> dict[str, object]:
    """Return the data of one API's table."""
    rows = [row(case, api.cors, origin) for case in CASES if case.id not in api.lacks]
    return {"name": api.name, "url": api.url, "source": api.source, "rows": rows}
