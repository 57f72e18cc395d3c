"""A simulated browser for tests: pages that fetch by the Fetch standard, or as one of the measured browsers.

    async with AsyncPage("https://app.example.com", app=app) as page:
        response = await page.fetch("https://api.test/items", method="PUT", credentials="include")

The package imports nothing of the core, so it can prove the core wrong. Reading order: `_exchange`, `_errors`, `_fetch`
(the Fetch standard without I/O), `_transports` (applications in place of a server), `_page`, `_pytest`.
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
    from ._page.navigation import Navigation
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
    "Navigation",
    "NetworkError",
    "Page",
    "RedirectError",
    "Response",
    "SameOriginWarning",
    "ScriptError",
]

_MODULES = (
    "_errors.errors",
    "_exchange",
    "_fetch.cookies",
    "_fetch.engines",
    "_fetch.handshake",
    "_page.async_page",
    "_page.navigation",
    "_page.response",
    "_page.sync_page",
)


def __getattr__(name: str) -> object:
    """Import all public names when one is first used. pytest imports this package in every run, even without httpx."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        namespaces = [vars(importlib.import_module(f"{__name__}.{module}")) for module in _MODULES]
    except ModuleNotFoundError as error:
        if error.name not in {"httpx", "anyio"}:
            raise
        message = f"asgi_cors.testing needs {error.name}. Install it by `pip install 'asgi-cors-bridge[testing]'`."
        raise ModuleNotFoundError(message, name=error.name) from error
    globals().update({public: found[public] for found in namespaces for public in __all__ if public in found})
    return globals()[name]


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted(__all__)
