"""The result of a form's submission, for the test only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx

from asgi_cors.testing._exchange import Exchange
from asgi_cors.testing._fetch.state import Outcome

from .driver import response_of


class Navigation:
    """The end of a form's submission: the last response, with all its headers and its body.

    A test may read all of it. In a browser, the page that sent the form is gone, so its script can read nothing. CORS
    does not apply to a navigation.

    Attributes:
        exchanges: the requests of this navigation with their responses: one for each redirect, and the last one.
        exchange: the last of them.
        url: the final URL.
        status: the final status.
        redirected: whether a redirect was followed.
    """

    def __init__(self, outcome: Outcome, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = list(exchanges)
        self.exchange = outcome.exchange
        self.url = outcome.url
        self.redirected = outcome.redirected
        self._response = response_of(outcome.exchange)
        self.status = self._response.status_code

    def __repr__(self) -> str:
        """Show status and URL."""
        return f"<Navigation {self.status} {self.url}>"

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return self._response.is_success

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the response, Set-Cookie too."""
        return self._response.headers

    @property
    def content(self) -> bytes:
        """The body, decoded by its Content-Encoding."""
        return self._response.content

    @property
    def text(self) -> str:
        """The body as text, by the charset of its Content-Type; by default UTF-8."""
        return self._response.text

    def json(self) -> Any:
        """Return the body, parsed as JSON. Raises ValueError."""
        return json.loads(self.content)
