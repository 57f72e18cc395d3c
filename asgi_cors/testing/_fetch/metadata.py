"""Fetch Metadata: the headers `Sec-Fetch-*`, to trustworthy URLs.

- Sec-Fetch-Site compares the page with every URL of the redirect chain, by scheme and registrable domain. A page
  without an origin is `cross-site` to every URL.
- Sec-Fetch-User is sent with a navigation that the user started.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from .safelist import Header
from .url import is_same_site, is_trustworthy, serialize_origin


def fetch_metadata(
    page: httpx.URL | None, urls: Sequence[httpx.URL], mode: str, *, dest: str = "empty", by_user: bool = False
) -> list[Header]:
    """Return the headers. `urls` are those of the request so far, the current one last."""
    if not is_trustworthy(urls[-1]):
        return []
    user = [("sec-fetch-user", "?1")] if by_user else []
    return [("sec-fetch-site", _site(page, urls)), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest), *user]


def _site(page: httpx.URL | None, urls: Sequence[httpx.URL]) -> str:
    if page is None:
        return "cross-site"
    if all(serialize_origin(url) == serialize_origin(page) for url in urls):
        return "same-origin"
    return "same-site" if all(is_same_site(page, url) for url in urls) else "cross-site"
