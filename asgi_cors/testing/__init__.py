"""A browser for tests: what a page may fetch, and what its script gets to see, by the Fetch standard alone.

    async with AsyncPage("https://app.example.com", app=app) as page:
        response = await page.fetch("https://api.test/items", method="PUT", credentials="include")

It imports nothing of the rest of this package, so that it can prove it wrong. Reading order: `_script` and `_safelist`
(what a script may ask for), `_fetch` (the steps), `_check`, `_cache` and `_redirect` (its rules), `_engines` (where
browsers depart from them), `_driver`, `_async_driver` and `_sync_driver` (how the steps are carried out), `_asgi` and
`_wsgi` (the application), `_async` and `_sync` (the pages), `_page_options` and `_fetch_options` (users' mistakes).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._async import AsyncPage
    from ._cookies import Cookie, CookieJar
    from ._engines import BROWSERS, CHROMIUM, FIREFOX, STANDARD, WEBKIT, Engine
    from ._errors import (
        CORSError,
        FetchError,
        FetchTimeout,
        LifespanError,
        NetworkError,
        RedirectError,
        SameOriginWarning,
        ScriptError,
    )
    from ._exchange import Exchange
    from ._response import Response
    from ._sync import Page
    from ._websocket import Handshake

__all__ = [
    "BROWSERS",
    "CHROMIUM",
    "FIREFOX",
    "STANDARD",
    "WEBKIT",
    "AsyncPage",
    "CORSError",
    "Cookie",
    "CookieJar",
    "Engine",
    "Exchange",
    "FetchError",
    "FetchTimeout",
    "Handshake",
    "LifespanError",
    "NetworkError",
    "Page",
    "RedirectError",
    "Response",
    "SameOriginWarning",
    "ScriptError",
]

_HOMES = {
    "_async": ("AsyncPage",),
    "_cookies": ("Cookie", "CookieJar"),
    "_engines": ("BROWSERS", "CHROMIUM", "FIREFOX", "STANDARD", "WEBKIT", "Engine"),
    "_errors": (
        "CORSError",
        "FetchError",
        "FetchTimeout",
        "LifespanError",
        "NetworkError",
        "RedirectError",
        "SameOriginWarning",
        "ScriptError",
    ),
    "_exchange": ("Exchange",),
    "_response": ("Response",),
    "_sync": ("Page",),
    "_websocket": ("Handshake",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: the pytest plugin lives here, and must load without httpx."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    except ModuleNotFoundError as error:
        if error.name not in {"httpx", "anyio"}:
            raise
        message = f"asgi_cors.testing needs {error.name}. Install it by `pip install 'asgi-cors-bridge[testing]'`."
        raise ModuleNotFoundError(message, name=error.name) from error
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted(__all__)
