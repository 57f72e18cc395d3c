"""What a fetch of the page raises; nothing else leaves it.

FetchError
- CORSError: the browser blocked it, as CORS demands.
- ScriptError: the script's mistake (a TypeError in JavaScript); nothing was sent.
- NetworkError: no connection, a malformed response, a body cut short, a Cross-Origin-Resource-Policy.
  - RedirectError: `redirect="error"`, a Location that leads nowhere, one redirect too many.
- FetchTimeout: nothing more came in time.
LifespanError: the application failed to start or to stop.
SameOriginWarning: a relative URL leads to the page's own origin. CORS does not apply there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .console import chromium_text, firefox_text, webkit_text
from .failure import Case
from .messages import explanation, remedy

if TYPE_CHECKING:
    from asgi_cors.testing._exchange import Exchange


class FetchError(Exception):
    """A fetch failed; `exchange` is the one that did, None where nothing was sent."""

    def __init__(self, message: str, exchange: Exchange | None = None) -> None:
        super().__init__(message)
        self.exchange = exchange


class ScriptError(FetchError):
    """The script asked for something no browser does; JavaScript sees a TypeError."""


class NetworkError(FetchError):
    """The fetch failed for another reason than CORS; the cause is chained."""


class RedirectError(NetworkError):
    """A redirect that cannot, or may not, be followed."""


class FetchTimeout(FetchError, TimeoutError):  # noqa: N818 - the built-in TimeoutError is its model
    """The response, or the next part of its body, did not come in time."""


class LifespanError(Exception):
    """The application's lifespan failed; the message is the application's."""


class SameOriginWarning(UserWarning):
    """A relative URL leads to the page's own origin, so the fetch tests nothing of CORS."""


class CORSError(FetchError):
    """The browser blocked the fetch; `str()` names the request, the cause and the remedy.

    Attributes:
        code: the name that Chromium's DevTools protocol gives it (`Network.CorsError`).
        field: the response field at fault in lower case, empty where it is none.
        value: that field's value, None where it is absent.
        remedy: what to write on the server.
        chromium, firefox, webkit: what the engine's console says.
        exchange: the one that failed; None where no request was sent.
    """

    def __init__(self, case: Case, exchange: Exchange | None) -> None:
        self.code = case.failure.code
        self.field = case.failure.field
        self.value = case.failure.value
        self.remedy = remedy(case)
        self.chromium = chromium_text(case)
        self.firefox = firefox_text(case)
        self.webkit = webkit_text(case)
        super().__init__(f"{explanation(case)}\n  remedy: {self.remedy}", exchange)


# In a failing test, their names are those that the reader imports.
for _error in (
    FetchError,
    ScriptError,
    NetworkError,
    RedirectError,
    FetchTimeout,
    LifespanError,
    SameOriginWarning,
    CORSError,
):
    _error.__module__ = "asgi_cors.testing"
