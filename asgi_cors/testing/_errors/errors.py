"""The errors of a page. A fetch raises FetchErrors only.

FetchError
- CORSError: the browser blocks the fetch because of CORS.
- ScriptError: the script's mistake (a TypeError in JavaScript). Nothing was sent.
- NetworkError: no connection, a malformed response, a body cut short, a Cross-Origin-Resource-Policy.
  - RedirectError: `redirect="error"`, an invalid Location, one redirect too many.
- FetchTimeout: the response, or its next part, did not come in time.
LifespanError: the application failed to start or to stop.
SameOriginWarning: a relative URL leads to the page's own origin, where CORS does not apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .console import chromium_text, firefox_text, webkit_text
from .failure import BlockedRequest
from .messages import explanation, remedy

if TYPE_CHECKING:
    from asgi_cors.testing._exchange import Exchange


class FetchError(Exception):
    """A fetch failed. `exchange` is the one that failed, None if nothing was sent."""

    def __init__(self, message: str, exchange: Exchange | None = None) -> None:
        super().__init__(message)
        self.exchange = exchange


class ScriptError(FetchError):
    """The script made a mistake, which raises a TypeError in JavaScript. The message has the correction."""


class NetworkError(FetchError):
    """The fetch failed for a reason other than CORS. The cause is chained."""


class RedirectError(NetworkError):
    """A redirect cannot, or must not, be followed."""


class FetchTimeout(FetchError, TimeoutError):  # noqa: N818 - the built-in TimeoutError is its model
    """The response, or the next part of its body, did not come in time."""


class LifespanError(Exception):
    """The application failed to start or to stop. The message is the application's."""


class SameOriginWarning(UserWarning):
    """A relative URL leads to the page's own origin, so the fetch does not test CORS."""


class CORSError(FetchError):
    """The browser blocks the fetch. `str()` names the request, the cause and the remedy.

    Attributes:
        code: the name of the error in Chromium's DevTools protocol (`Network.CorsError`).
        header: the name of the response header at fault, in lower case; empty if there is none.
        value: that header's value; None if it is absent.
        remedy: the correction, on the server or in the script.
        chromium, firefox, webkit: the message in each browser's console.
        exchange: the one that failed; None if no request was sent.
    """

    def __init__(self, blocked: BlockedRequest, exchange: Exchange | None) -> None:
        self.code = blocked.failure.code
        self.header = blocked.failure.header
        self.value = blocked.failure.value
        self.remedy = remedy(blocked)
        self.chromium = chromium_text(blocked)
        self.firefox = firefox_text(blocked)
        self.webkit = webkit_text(blocked)
        super().__init__(f"{explanation(blocked)}\n  remedy: {self.remedy}", exchange)
        self._blocked = blocked

    def __reduce__(self) -> tuple[object, ...]:
        """Make copies with the arguments of `__init__`. By default, Python would pass the message."""
        return type(self), (self._blocked, self.exchange), self.__dict__


# A failing test shows the names under which users import the errors.
for _error in list(globals().values()):
    if isinstance(_error, type) and issubclass(_error, Exception):
        _error.__module__ = "asgi_cors.testing"
