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

Tainting = Literal["basic", "cors", "opaque"]
ResponseType = Literal[Tainting, "opaqueredirect"]


@dataclass(kw_only=True)
class PageState:
    """The state that the fetches of a page share.

    Attributes:
        url: the page's URL; None for an opaque origin.
        base: the URL that relative URLs are resolved against, if there is one.
        clock: returns seconds.
        follow: the highest number of redirects that are followed.
    """

    origin: str
    url: httpx.URL | None
    base: httpx.URL | None
    engine: Engine
    cookies: CookieJar
    cache: PreflightCache
    clock: Callable[[], float]
    follow: int
    exchanges: list[Exchange] = field(default_factory=list[Exchange])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A fetch that succeeded: its last exchange, and the facts that decide how much of it the script may read."""

    exchange: Exchange
    headers: HeaderList
    kind: ResponseType
    url: httpx.URL
    redirected: bool
    credentials: bool
