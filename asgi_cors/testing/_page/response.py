"""A response as scripts see it (Fetch, filtered response).

- basic: all headers except Set-Cookie. cors: the seven CORS-safelisted response-headers, and those that
  Access-Control-Expose-Headers names (`*`: all, without credentials). opaque and opaqueredirect: no headers.
- The text of a body is UTF-8, whatever its Content-Type.
"""

from __future__ import annotations

import functools
import itertools
import json
from typing import Any

import httpx

from asgi_cors.testing._exchange import Exchange
from asgi_cors.testing._fetch.engines import Engine
from asgi_cors.testing._fetch.headers import HeaderList, MalformedListError, is_token
from asgi_cors.testing._fetch.state import Outcome

from .driver import OPAQUE, response_of

EXPOSE_HEADERS = "access-control-expose-headers"
SAFELISTED = frozenset(
    {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
)
FORBIDDEN = frozenset({"set-cookie", "set-cookie2"})


class Response:
    """A fetch's response as the script sees it.

    Attributes:
        type: "basic", "cors", "opaque" or "opaqueredirect".
        status: the status; 0 for an opaque response.
        url: the final URL; empty for an opaque response.
        redirected: whether a redirect was followed; False for an opaque response.
        exchange: the last request with its whole response.
    """

    def __init__(self, outcome: Outcome, engine: Engine) -> None:
        self.exchange: Exchange = outcome.exchange
        self.type = outcome.kind
        response = response_of(outcome.exchange)
        is_opaque = outcome.kind in OPAQUE
        self.status = 0 if is_opaque else response.status_code
        is_without_url = outcome.kind == "opaque"
        self.url = httpx.URL("") if is_without_url else outcome.url
        self.redirected = outcome.redirected and not is_without_url
        self._visible = set[str]() if is_opaque else _visible_names(outcome, engine)
        self._is_opaque = is_opaque
        self._content: bytes | None = b"" if is_opaque else None

    def __repr__(self) -> str:
        """Show type, status and URL."""
        return f"<Response {self.type} {self.status} {self.url}>"

    @functools.cached_property
    def headers(self) -> httpx.Headers:
        """The headers that the script may read. For any other header, the KeyError says why it may not."""
        return VisibleHeaders(self._select(visible=True), self.hidden_headers, self.type)

    @functools.cached_property
    def hidden_headers(self) -> httpx.Headers:
        """The headers of the response that the script may not read."""
        return self._select(visible=False)

    def _select(self, *, visible: bool) -> httpx.Headers:
        raw = response_of(self.exchange).headers.raw
        return httpx.Headers([pair for pair in raw if (pair[0].decode("latin-1").lower() in self._visible) is visible])

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - Fetch, ok status

    @property
    def content(self) -> bytes:
        """The body, decoded by its Content-Encoding; empty for an opaque response."""
        if self._content is not None:
            return self._content
        try:
            return response_of(self.exchange).content
        except httpx.ResponseNotRead:
            hint = "Call response.read() first, or await response.aread() of an AsyncPage."
            raise RuntimeError(f"the body of a streamed response has not been read. {hint}") from None

    @property
    def text(self) -> str:
        """The body as UTF-8. A byte order mark is dropped, and invalid bytes are replaced."""
        return self.content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body, parsed as JSON. Raises ValueError."""
        return json.loads(self.text)


class VisibleHeaders(httpx.Headers):
    """Headers whose KeyError says whether the header is hidden or absent."""

    def __init__(self, visible: httpx.Headers, hidden: httpx.Headers, kind: str) -> None:
        super().__init__(visible)
        self._hidden = hidden
        self._kind = kind

    def __getitem__(self, key: str) -> str:
        __tracebackhide__ = True
        if key not in self:
            raise KeyError(self._reason(key.lower()))
        return super().__getitem__(key)

    def _reason(self, name: str) -> str:
        if name not in self._hidden:
            return f"the response has no header {name!r}"
        if self._kind in OPAQUE:
            return f"no script can read {name!r}: the response is of the type {self._kind!r}"
        if name in FORBIDDEN:
            return f"no script can read {name!r}; the cookies that were stored are in page.cookies"
        return f"the page may not read {name!r}: expose it, by expose_headers=[{name!r}]"


def _visible_names(outcome: Outcome, engine: Engine) -> set[str]:
    headers = outcome.headers
    every_name = headers.names() - FORBIDDEN
    if outcome.kind == "basic":
        return every_name
    try:
        exposed = headers.tokens(EXPOSE_HEADERS) or []
    except MalformedListError:
        exposed = []
        if engine.expose_wildcard_survives_malformed and _wildcard_precedes_malformed(headers):
            exposed = [] if outcome.credentials else ["*"]
    if "*" in exposed and not outcome.credentials:
        return every_name
    return every_name & (SAFELISTED | {name.lower() for name in exposed})


def _wildcard_precedes_malformed(headers: HeaderList) -> bool:
    elements = [element.strip(" \t") for line in headers.lines(EXPOSE_HEADERS) for element in line.split(",")]
    return "*" in itertools.takewhile(lambda element: not element or is_token(element), elements)
