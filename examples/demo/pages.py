"""The servers of the pages, which differ in their origin only."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from api import ORDERS, Receive, Scope, Send, respond
from cases import CASES, Case, Explains, row

App = Callable[[Any, Any, Any], Awaitable[None]]  # every framework has its own type of a scope
FILES = Path(__file__).parent / "page"
KINDS = {".html": b"text/html; charset=utf-8", ".css": b"text/css", ".js": b"text/javascript"}
COOKIE = (b"set-cookie", b"visitor=ada; SameSite=Lax; Path=/")


@dataclass(frozen=True)
class Api:
    """An API that the page calls and shows in a table.

    `source` is the code with its policies, and `cases` are the rows.
    """

    name: str
    url: str
    cors: Explains
    source: str
    cases: Sequence[Case] = CASES


@dataclass(frozen=True)
class Page:
    """A page: its URL, how the policy regards its origin (for a link, and as a sentence), and the Host of its calls."""

    url: str
    link: str
    standing: str
    host: str

    @property
    def origin(self) -> str:
        """The scheme, host and port."""
        return "/".join(self.url.split("/")[:3])


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


def create(page: Page, pages: Sequence[Page], apis: Sequence[Api]) -> App:
    """Serve a page, the decisions for its origin, and the orders: from its own server, so that CORS can't hide them."""

    async def serve(scope: Scope, _receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition("/")[2]
        if name == "plan.json":
            await respond(send, json.dumps(plan(page, pages, apis)).encode())
        elif name == "orders.json":
            await respond(send, json.dumps(dict(ORDERS)).encode())
        else:
            file = FILES / name if name in {file.name for file in FILES.iterdir()} else FILES / "index.html"
            # Cookies ignore ports: the API on the same host gets the cookie that this server sets.
            await respond(send, file.read_bytes(), COOKIE, kind=KINDS[file.suffix])

    return serve


def plan(page: Page, pages: Sequence[Page], apis: Sequence[Api]) -> dict[str, object]:
    """Return the data of the page."""
    return {
        "origin": page.origin,
        "standing": page.standing,
        "others": [asdict(other) for other in pages if other != page],
        "apis": [table(api, page) for api in apis],
    }


def table(api: Api, page: Page) -> dict[str, object]:
    """Return the data of one API's table."""
    rows = [row(case, api.cors, page.origin, page.host) for case in api.cases]
    return {"name": api.name, "url": api.url, "source": api.source, "rows": rows}
