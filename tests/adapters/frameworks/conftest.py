"""The frameworks, and a browser that visits the site of each."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

FRAMEWORKS = {
    "ASGI": ("tests.adapters.frameworks.sites.raw", "make"),
    "Starlette": ("tests.adapters.frameworks.sites.starlette", "make"),
    "Starlette by route": ("tests.adapters.frameworks.sites.starlette", "make_by_route"),
    "Starlette by class": ("tests.adapters.frameworks.sites.starlette", "make_by_class"),
    "FastAPI": ("tests.adapters.frameworks.sites.fastapi", "make"),
    "FastAPI by view": ("tests.adapters.frameworks.sites.fastapi", "make_by_view"),
    "FastAPI by router": ("tests.adapters.frameworks.sites.fastapi", "make_by_router"),
    "Quart": ("tests.adapters.frameworks.sites.quart", "make"),
    "Flask over WSGI": ("tests.adapters.frameworks.sites.flask", "make"),
    "Flask over ASGI": ("tests.adapters.frameworks.sites.flask", "make_asgi"),
    "Django over WSGI": ("tests.adapters.frameworks.sites.django", "make"),
    "Django over ASGI": ("tests.adapters.frameworks.sites.django", "make_asgi"),
    "Django over ASGI, not async": ("tests.adapters.frameworks.sites.django", "make_mixed"),
    "Django by class over WSGI": ("tests.adapters.frameworks.sites.django", "make_classes"),
    "Django by include over ASGI": ("tests.adapters.frameworks.sites.django", "make_includes"),
}
API = "https://api.test"
COOKIES = {API: "sid=1; Secure; SameSite=None"}


@dataclass(frozen=True)
class Sent:
    """One exchange: a preflight or the request itself, and the status and CORS headers of its response."""

    kind: str
    status: int
    headers: dict[str, str]


@dataclass(frozen=True)
class Verdict:
    """The response that the script gets, or the browser's error, and all exchanges."""

    code: str | None
    status: int | None = None
    text: str | None = None
    readable: frozenset[str] = frozenset()
    sent: tuple[Sent, ...] = ()


class Site:
    """A site of one framework, and the browser that visits it."""

    def __init__(self, app: Any, *, asgi: bool) -> None:
        self.app, self.asgi = app, asgi

    def fetch(self, origin: str, path: str, **init: Any) -> Verdict:
        """Fetch as a page of `origin` does."""
        testing = importlib.import_module("asgi_cors.testing")
        if self.asgi:
            return asyncio.run(self._fetch(testing, origin, path, init))
        with testing.Page(origin, app=self.app, cookies=COOKIES) as page:
            try:
                return got(page, page.fetch(API + path, **init))
            except testing.CORSError as error:
                return blocked(page, error)

    async def _fetch(self, testing: Any, origin: str, path: str, init: dict[str, Any]) -> Verdict:
        async with testing.AsyncPage(origin, app=self.app, cookies=COOKIES) as page:
            try:
                return got(page, await page.fetch(API + path, **init))
            except testing.CORSError as error:
                return blocked(page, error)

    def handshake(self, origin: str, path: str) -> bool:
        """Open a WebSocket as a page of `origin` does, and return whether it was accepted."""
        testing = importlib.import_module("asgi_cors.testing")

        async def shake() -> bool:
            async with testing.AsyncPage(origin, app=self.app, cookies=COOKIES) as page:
                return (await page.websocket(f"wss://api.test{path}")).accepted

        return asyncio.run(shake())


def got(page: Any, response: Any) -> Verdict:
    """Return the verdict on a response that the script can read."""
    return Verdict(None, response.status, response.text, frozenset(response.headers), sent(page))


def blocked(page: Any, error: Any) -> Verdict:
    """Return the verdict on a blocked response."""
    return Verdict(error.code, sent=sent(page))


def sent(page: Any) -> tuple[Sent, ...]:
    """Return all exchanges, with their CORS headers."""
    return tuple(Sent(each.kind, each.response.status_code, ours(each.response.headers)) for each in page.exchanges)


def ours(headers: Any) -> dict[str, str]:
    return {
        name: value for name, value in headers.multi_items() if name.startswith("access-control-") or name == "vary"
    }


def _make(module: str, factory: str) -> Any:
    try:
        return getattr(importlib.import_module(module), factory)()
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")


@pytest.fixture(autouse=True)
def settings_of_before() -> Iterator[None]:
    """Restore Django's settings, which a test may have replaced by those of its projects."""
    yield
    projects = sys.modules.get("tests.adapters.frameworks.sites.django_project")
    if projects is not None:
        projects.leave_projects()


@pytest.fixture(params=FRAMEWORKS)
def site(request) -> Site:
    """The site of each framework in turn."""
    pytest.importorskip("httpx", reason="httpx is an extra")
    return Site(_make(*FRAMEWORKS[request.param]), asgi="WSGI" not in request.param)


@pytest.fixture(params=[name for name in FRAMEWORKS if not name.startswith(("Flask", "Django"))])
def websocket_site(request) -> Site:
    """The site of each framework that has WebSockets."""
    pytest.importorskip("httpx", reason="httpx is an extra")
    return Site(_make(*FRAMEWORKS[request.param]), asgi=True)


@pytest.fixture
def exchange() -> Callable[..., Sent]:
    """Build an expected exchange."""
    return Sent
