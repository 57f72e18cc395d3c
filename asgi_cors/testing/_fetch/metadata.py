"""Fetch Metadata: the headers `Sec-Fetch-*`, to trustworthy URLs.

- Sec-Fetch-Site compares the page with every URL of the redirect chain, by scheme and registrable domain. A page
  without an origin is `cross-site` to every URL.
- Sec-Fetch-User is sent with a navigation that the user started.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from .cookies import Client
from .engines import Engine
from .safelist import Header
from .url import is_loopback, is_same_site, is_schemelessly_same_site, is_trustworthy, serialize_origin


def fetch_metadata(
    client: Client, mode: str, engine: Engine, *, dest: str = "empty", by_user: bool = False
) -> list[Header]:
    """Return the headers. `by_user`: the user started the navigation."""
    page, urls = client.page, client.urls
    if not is_trustworthy(urls[-1]):
        return []
    user = [("sec-fetch-user", "?1")] if by_user and engine.sends_user_activation else []
    return [("sec-fetch-site", _site(page, urls, engine)), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest), *user]


def preflight_metadata(client: Client, engine: Engine) -> list[Header]:
    """Return the headers of a preflight."""
    own = [("sec-fetch-mode", "cors")] if engine.preflight_always_has_mode else []
    return fetch_metadata(client, "cors", engine) or own


def _site(page: httpx.URL | None, urls: Sequence[httpx.URL], engine: Engine) -> str:
    if page is None:
        return "cross-site"
    if all(serialize_origin(url) == serialize_origin(page) for url in urls):
        return "same-origin"
    if len(urls) > 1 and engine.redirected_site_is_cross_site:
        return "cross-site"
    return "same-site" if all(_is_same_site(page, url, engine) for url in urls) else "cross-site"


def _is_same_site(page: httpx.URL, url: httpx.URL, engine: Engine) -> bool:
    ignores_scheme = not engine.loopback_site_counts_scheme and is_loopback(page.host) and page.host != "::1"
    return is_schemelessly_same_site(page, url) if ignores_scheme else is_same_site(page, url)
