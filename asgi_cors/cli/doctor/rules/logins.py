"""Redirects to a login page, recognised by the words of the target."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final

import httpx

# Whole words, or parts of words that are hardly anything else, such as "userlogin". "sso" is a part of "lessons".
_WORDS: Final = re.compile(
    r"(?<![a-z0-9])(?:sso|oauth2?|openid-connect|auth|saml2?|accounts(?=\.)|(?:log|sign)[-_]?(?:in|on))(?![a-z0-9])"
    r"|login|signin|authorize"
)


def leads_to_login(requested: httpx.URL, location: str) -> bool:
    """Return whether a redirect leads to a login page.

    Only the part that the two URLs don't share counts: a redirect of /login to /login/ is one for the slash.

    Args:
        requested: The URL of the request.
        location: The header Location.
    """
    try:
        target = requested.join(location)
    except httpx.InvalidURL:
        return False
    return _WORDS.search(_new_part(requested, target).lower()) is not None


def _new_part(requested: httpx.URL, target: httpx.URL) -> str:
    """Return the part of the target that the requested URL does not begin with. A parent folder is new as a whole."""
    host = "" if requested.host == target.host else f"{target.host}/"
    before, after = requested.path.strip("/").split("/"), target.path.strip("/").split("/")
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    return host + "/".join(after if shared == len(after) < len(before) else after[shared:])
