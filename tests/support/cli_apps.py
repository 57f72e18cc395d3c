"""Apps to explain and to audit, as users write them."""

import re
from typing import Any

from asgi_cors import CORSMiddleware, Policy, WSGIMiddleware

PAGE = "https://app.example.com"
OPTIONS: dict[str, Any] = {
    "allow_origins": [PAGE, "https://*.example.org"],
    "allow_methods": ["PUT"],
    "allow_headers": ["x-id"],
    "allow_credentials": True,
    "paths": {"/public/*": Policy(allow_origins="*"), "/internal/*": None, "/interal/*": None},
}


async def raw(_scope: Any, _receive: Any, _send: Any) -> None:
    """Do nothing, as an ASGI app without a framework."""


def wsgi(_environ: Any, _start_response: Any) -> list[bytes]:
    """Do nothing, as a WSGI app without a framework."""
    return []


class Auth:
    """A middleware that may respond itself."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class GZipMiddleware(Auth):
    """A middleware that never responds itself."""


class OtherCORS(Auth):
    """The CORS middleware of another library."""


async def is_page(origin: str) -> bool:
    """Look an origin up."""
    return origin == PAGE


def per_tenant(scope: Any) -> Policy:
    """Find a policy by a header of the request."""
    return {b"a": Policy(allow_origins=PAGE)}[dict(scope["headers"])[b"x-tenant"]]


async def per_tenant_async(_scope: Any) -> None:
    """Find no policy, in a coroutine."""


class Later:
    """An awaitable that is not a coroutine."""

    def __await__(self) -> Any:
        """Wait."""
        yield


class Circle(Auth):
    """An app that wraps itself."""

    def __init__(self) -> None:
        super().__init__(self)


class Alone:
    """An app that is an object."""

    def __call__(self, *_: Any) -> None:
        """Serve."""


circle = Circle()
around_an_object = CORSMiddleware(Alone(), allow_origins="*")
plain = CORSMiddleware(raw, **OPTIONS)
wrapped = Auth(CORSMiddleware(OtherCORS(raw), allow_origins=PAGE))
under_wsgi = WSGIMiddleware(wsgi, allow_origins=[PAGE], allow_methods=["PUT"])
open_to_one = CORSMiddleware(raw, allow_origins=PAGE)
open_to_all = CORSMiddleware(raw, allow_origins="*")
dynamic = CORSMiddleware(raw, allow_origins=[is_page])
by_tenant = CORSMiddleware(raw, allow_origins=PAGE, policy_for=per_tenant)
by_tenant_async = CORSMiddleware(raw, allow_origins=PAGE, policy_for=per_tenant_async)
by_tenant_later = CORSMiddleware(raw, allow_origins=PAGE, policy_for=lambda _: Later())
careless = CORSMiddleware(
    raw,
    allow_origins=[lambda origin: origin.startswith(PAGE) or origin.endswith("app.example.com")],
    allow_credentials=True,
)
by_regex = CORSMiddleware(raw, allow_origins=[re.compile(r"https://pr-\d+\.example\.com")], allow_credentials=True)
number = 5


def make() -> CORSMiddleware:
    """Return an app."""
    return plain


def fail() -> CORSMiddleware:
    """Fail to return an app."""
    raise RuntimeError("no database")


def make_with(settings: Any, *rest: Any, debug: bool, level: int = 1, **others: Any) -> CORSMiddleware:
    """Return an app that depends on arguments."""
    raise NotImplementedError


async def make_async() -> CORSMiddleware:
    """Return an app, in a coroutine."""
    return plain


class HasApp:
    """An object that makes an app, as Datasette does."""

    def app(self) -> CORSMiddleware:
        """Return the app."""
        return plain


has_app = HasApp()
of_aiohttp = type("Application", (), {"__module__": "aiohttp.web_app"})()
without_signature = type  # a built-in


def refuse() -> CORSMiddleware:
    """Build an app with an unsafe policy."""
    return CORSMiddleware(raw, allow_origins="*", allow_credentials=True)
