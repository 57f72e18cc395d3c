"""Referrer policies (Referrer Policy; Fetch, append a request `Origin` header).

- Referer is the page's URL, its origin, or absent. A request within the origin may have the URL.
- A request without CORS, such as a form's, has the Origin `null` if the policy hides the page from the target.
- The header Referrer-Policy of a page sets the policy of its requests, that of a redirect the policy of the next hop.
"""

from __future__ import annotations

from typing import Literal, get_args

import httpx

from .engines import Engine
from .headers import HeaderList
from .url import is_same_site, is_trustworthy, serialize_origin

ReferrerPolicy = Literal[
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
]
POLICIES: tuple[ReferrerPolicy, ...] = get_args(ReferrerPolicy)
DEFAULT_POLICY: ReferrerPolicy = "strict-origin-when-cross-origin"

_BY_NAME: dict[str, ReferrerPolicy] = {policy: policy for policy in POLICIES}
_LENGTH_LIMIT = 4096
_STRICT = frozenset({"no-referrer-when-downgrade", "strict-origin", "strict-origin-when-cross-origin"})
_ONLY_ORIGIN = frozenset({"origin", "strict-origin"})
_WHOLE_URL = frozenset({"no-referrer-when-downgrade", "unsafe-url"})


def referer(
    page: httpx.URL | None, url: httpx.URL, policy: ReferrerPolicy, engine: Engine, *, by_script: bool = True
) -> str:
    """Return the value of Referer, or "" (Referrer Policy, determine request's referrer).

    After a redirect, `page` is the previous value of Referer, because a Referer never becomes longer again.
    """
    if page is None or policy == "no-referrer":
        return ""
    origin = f"{serialize_origin(page)}/"
    whole = str(page) if len(str(page)) <= _LENGTH_LIMIT else origin
    if serialize_origin(page) == serialize_origin(url):
        return origin if policy in _ONLY_ORIGIN else whole
    if policy == "same-origin" or (policy in _STRICT and _is_downgrade(page, url, engine)):
        return ""
    trims = by_script and engine.trims_script_referer and not is_same_site(page, url)
    return whole if policy in _WHOLE_URL and not trims else origin


def _is_downgrade(page: httpx.URL, url: httpx.URL, engine: Engine) -> bool:
    if engine.downgrades_by_scheme:
        return page.scheme == "https" and url.scheme == "http"
    return is_trustworthy(page) and not is_trustworthy(url)


def hides_origin(origin: str, url: httpx.URL, policy: ReferrerPolicy) -> bool:
    """Return whether a request without CORS has the Origin `null` (Fetch, append a request `Origin` header)."""
    if policy == "same-origin":
        return origin != serialize_origin(url)
    return policy == "no-referrer" or (policy in _STRICT and origin.startswith("https:") and url.scheme == "http")


def parse_policy(headers: HeaderList) -> ReferrerPolicy | None:
    """Return the last policy of the header Referrer-Policy that is known, or None."""
    listed = [element.strip(" \t").lower() for line in headers.lines("referrer-policy") for element in line.split(",")]
    known: list[ReferrerPolicy] = [_BY_NAME[policy] for policy in listed if policy in _BY_NAME]
    return known[-1] if known else None
