"""A simulated browser for tests: pages that fetch as the Fetch standard says, or as a measured browser does.

    async with AsyncPage("https://app.example.com", app=app) as page:
        response = await page.fetch("https://api.test/items", method="PUT", credentials="include")

It imports nothing from the rest of this package. It can therefore prove the rest wrong. Reading order:

- The script's request: `_script`, `_safelist`, `_url`.
- The fetch: `_fetch` (the steps), `_check`, `_cache`, `_redirect`, `_resource_policy` and `_cookies` (the rules),
  `_engines` (the departures of browsers).
- Its result: `_response`, `_exchange`, `_errors`, `_words` and `_console` (the texts of a CORSError).
- The network: `_driver` (the commands), `_async_driver`, `_sync_driver`, `_loop_thread` and `_worker`.
- The application: `_apps`, `_asgi`, `_wsgi`, `_lifespan`, `_websocket`.
- The pages: `_page`, `_async` and `_sync`, `_page_options` and `_fetch_options` (users' mistakes), `_traceback`.
- The pytest plugin: `_pytest`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._errors.errors import (
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
    from ._fetch.cookies import Cookie, CookieJar
    from ._fetch.engines import BROWSERS, CHROMIUM, FIREFOX, STANDARD, WEBKIT, Engine
    from ._fetch.handshake import Handshake
    from ._page.async_page import AsyncPage
    from ._page.response import Response
    from ._page.sync_page import Page

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
    "_page.async_page": ("AsyncPage",),
    "_fetch.cookies": ("Cookie", "CookieJar"),
    "_fetch.engines": ("BROWSERS", "CHROMIUM", "FIREFOX", "STANDARD", "WEBKIT", "Engine"),
    "_errors.errors": (
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
    "_page.response": ("Response",),
    "_page.sync_page": ("Page",),
    "_fetch.handshake": ("Handshake",),
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
