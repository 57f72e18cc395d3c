"""What the fetches of a page share, and what a fetch comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import httpx

from asgi_cors.testing._exchange import Exchange

from .cookies import CookieJar
from .engines import Engine
from .headers import Fields
from .preflight_cache import PreflightCache

Tainting = Literal["basic", "cors", "opaque"]
ResponseType = Literal[Tainting, "opaqueredirect"]


@dataclass(kw_only=True)
class PageState:
    """The state that the fetches of a page share.

    `url` is None for an opaque origin. Relative URLs are resolved against `base`, if there is one.
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
    """A fetch that succeeded: the last exchange, and how much of it the script may see."""

    exchange: Exchange
    fields: Fields
    kind: ResponseType
    url: httpx.URL
    redirected: bool
    credentials: bool
