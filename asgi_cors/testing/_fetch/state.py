"""The state that the fetches of a page share, and the outcome of a fetch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import httpx

from asgi_cors.testing._exchange import Exchange

from .cookies import CookieJar
from .engines import Engine
from .headers import HeaderList
from .preflight_cache import PreflightCache
from .referrer import ReferrerPolicy

Tainting = Literal["basic", "cors", "opaque"]
ResponseType = Literal[Tainting, "opaqueredirect"]


@dataclass(kw_only=True)
class PageState:
    """The state that the fetches of a page share.

    Attributes:
        url: the page's URL; None for an opaque origin.
        base_url: the option of this name: the URL that relative URLs are resolved against, in place of `url`.
        clock: returns seconds.
        follow: the highest number of redirects that are followed.
    """

    origin: str
    url: httpx.URL | None
    base_url: httpx.URL | None
    engine: Engine
    cookies: CookieJar
    cache: PreflightCache
    clock: Callable[[], float]
    follow: int
    referrer_policy: ReferrerPolicy
    exchanges: list[Exchange] = field(default_factory=list[Exchange])

    @property
    def base(self) -> httpx.URL | None:
        """The URL that relative URLs are resolved against, None without one."""
        return self.base_url or self.url


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A fetch that succeeded: its last exchange, and the facts that decide how much of it the script may read."""

    exchange: Exchange
    headers: HeaderList
    kind: ResponseType
    url: httpx.URL
    redirected: bool
    credentials: bool
