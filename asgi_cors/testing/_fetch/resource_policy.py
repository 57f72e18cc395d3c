"""Cross-Origin-Resource-Policy (Fetch, cross-origin resource policy check): for opaque responses only, not for CORS.

`same-origin`, `same-site` and `cross-origin` count, in this case of letters; anything else is ignored.
"""

from __future__ import annotations

import httpx

from .engines import Engine
from .headers import Fields
from .url import is_ip_address, schemelessly_same_site, serialize_origin


def is_blocked(fields: Fields, page: httpx.URL | None, url: httpx.URL, engine: Engine) -> bool:
    """Return whether the response may not be used by the page, not even unread."""
    policy = fields.get("cross-origin-resource-policy")
    if policy not in {"same-origin", "same-site"}:
        return False
    if page is None:
        return True
    if serialize_origin(page) == serialize_origin(url):
        return False
    if policy == "same-origin" or (page.scheme == "http" and url.scheme == "https"):
        return True
    if engine.localhost_is_a_site and page.host == "localhost" and url.host.endswith(".localhost"):
        return False
    if not engine.ip_address_is_a_site and is_ip_address(url.host):
        return True
    return not schemelessly_same_site(page, url)
