"""The steps that a fetch and a navigation share: they send a request, and read the headers of its response."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import httpx

from asgi_cors.testing._errors.errors import NetworkError, RedirectError
from asgi_cors.testing._exchange import Exchange

from .cors_check import ALLOW_ORIGIN
from .headers import HeaderList
from .referrer import ReferrerPolicy, hides_origin, referer
from .state import PageState
from .url import parse

T = TypeVar("T")
Steps = Generator[Exchange, httpx.Response, T]

MISDIRECTED = 421


class NetworkSteps:
    """The exchanges of one fetch or navigation, oldest first."""

    def __init__(self, page: PageState, policy: ReferrerPolicy) -> None:
        self._page = page
        self._engine = page.engine
        self._referrer = page.url
        self._first_policy: ReferrerPolicy = policy
        self._policy: ReferrerPolicy = policy
        self.exchanges: list[Exchange] = []

    @property
    def last(self) -> Exchange | None:
        """The latest exchange, None before the first."""
        return self.exchanges[-1] if self.exchanges else None

    def _referer(self, url: httpx.URL, *, by_script: bool) -> str:
        """Return the value of Referer for the request to this URL, or ""."""
        value = referer(self._referrer, url, self._policy, self._engine, by_script=by_script)
        self._referrer = parse(value) if value else None
        return value

    def _hides_origin(self, origin: str, url: httpx.URL) -> bool:
        """Return whether the referrer policy makes the Origin of a request without CORS `null`."""
        policy = self._policy if self._engine.redirected_policy_decides_origin else self._first_policy
        return hides_origin(origin, url, policy)

    def _send(self, exchange: Exchange, *, repeatable: bool) -> Steps[tuple[Exchange, httpx.Response]]:
        """Send the request, and once more after the response 421 (Fetch, HTTP-network-or-cache fetch)."""
        response = yield self._record(exchange)
        if response.status_code == MISDIRECTED and repeatable:
            exchange = Exchange(kind=exchange.kind, request=exchange.request)
            response = yield self._record(exchange)
        return exchange, response

    def _record(self, exchange: Exchange) -> Exchange:
        self._page.exchanges.append(exchange)
        self.exchanges.append(exchange)
        return exchange

    def _parse_headers(self, exchange: Exchange, response: httpx.Response) -> HeaderList:
        headers = HeaderList(response.headers.raw)
        for name in sorted(self._engine.single_line_headers):
            if len(set(headers.lines(name))) > 1:
                raise failed(NetworkError, f"it has several lines of {name}: {headers.get(name)!r}", exchange)
        if self._engine.ignores_empty_lines:
            headers.remove_empty_lines(except_of=ALLOW_ORIGIN)
        return headers

    def _check_count(self, redirects: int, exchange: Exchange) -> None:
        if redirects > self._page.follow:
            raise failed(RedirectError, f"it is redirect {redirects}; the page follows {self._page.follow}", exchange)

    def _check_status(self, exchange: Exchange, response: httpx.Response) -> None:
        if response.status_code in self._engine.failing_statuses:
            raise failed(NetworkError, f"{self._engine.name} fails on the status {response.status_code}", exchange)


def status_of(exchange: Exchange) -> int | None:
    """Return the response's status, None without a response."""
    return None if exchange.response is None else exchange.response.status_code


def failed(kind: type[NetworkError], reason: str, exchange: Exchange) -> NetworkError:
    """Return the error for the exchange, and note the reason in the exchange."""
    exchange.problem = reason
    return kind(f"{exchange.summary}: {reason}", exchange)
