"""Redirects to a login page, recognised by the words of the target."""

from __future__ import annotations

import re
from typing import Final

import httpx

# Whole words, or parts of words that are hardly anything else, such as "userlogin". "sso" is a part of "lessons".
_WORDS: Final = re.compile(
    r"(?<![a-z0-9])(?:sso|oauth2?|openid-connect|auth|saml2?|accounts(?=\.)|(?:log|sign)[-_]?(?:in|on))(?![a-z0-9])"
    r"|login|signin|authorize"
)


def leads_to_login(requested: httpx.URL, location: str) -> bool:
    """Return whether a redirect leads to a login page.

    A part that the requested URL has already shows none, except as a new end of the path: a redirect of /login to
    /login/ is one for the slash, and one of /login/items to /login is one to a login.

    Args:
        requested: The URL of the request.
        location: The header Location.
    """
    try:
        target = requested.join(location)
    except httpx.InvalidURL:
        return False
    last, last_requested = _last(target), _last(requested)
    new = _parts(target) - _parts(requested) | ({last} - {last_requested})
    return any(map(_WORDS.search, new))


def _last(url: httpx.URL) -> str:
    return url.path.lower().rstrip("/").rpartition("/")[2]


def _parts(url: httpx.URL) -> set[str]:
    """Return the labels of the host, each with its dot, and the segments of the path."""
    return {f"{label}." for label in url.host.lower().split(".")} | set(url.path.lower().split("/"))
