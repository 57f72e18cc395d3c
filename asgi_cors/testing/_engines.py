"""The engines: the Fetch standard, and where each browser measured departs from it.

Every flag's default is the standard's rule; beside each stand the section that states it, who departs from it and how,
and cases of `tests/data/browser-truth.json` that show it, where it has one. Measured were Chromium 156.0.8078.79,
Firefox ESR 153.7.0 and WebKitGTK 2.50.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

INT64 = 2**63 - 1
UINT64 = 2**64 - 1


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A browser engine as the set of its departures from the Fetch standard; `dataclasses.replace` makes another."""

    name: str

    # Cookies

    # RFC 6265bis, "Default": without SameSite a cookie is Lax. Firefox and WebKit send it everywhere [A4-002].
    lax_by_default: bool = True
    # RFC 6265bis lets loopback count as secure. WebKit sends no Secure cookie to http there [A3-034].
    secure_on_loopback: bool = True

    # Request headers

    # Fetch, forbidden request-header: User-Agent is none. Chromium drops a script's [C-156].
    forbids_user_agent: bool = False
    # Fetch, CORS-safelisted request-header: Chromium still lists the client hints of old [C-160, C-161, C-172].
    safelists_client_hints: bool = False
    # The same is asked of each line. Chromium and WebKit combine lines of one name first [C-125, C-132].
    combines_lines: bool = False
    # The same bounds no number of a range. Chromium and WebKit read int64, Firefox uint64 [C-100].
    range_limit: int | None = None
    # The same wants `bytes=` and digits. WebKit reads `BYTES=` and a plus sign, too [C-088, C-097].
    lenient_range: bool = False
    # Fetch, CORS-unsafe request-header byte: none from 0x80 up. Firefox compares signed characters [measured].
    non_ascii_is_unsafe: bool = False
    # Fetch, CORS-unsafe request-header names: safelisted values of over 1024 bytes in sum. Not in Firefox [C-136].
    safelist_sum_limit: int | None = 1024
    # The same is a set. Firefox repeats a name for each of its lines [C-141].
    repeats_names: bool = False
    # XMLHttpRequest, send(): an upload listener asks for a preflight. Chromium: only of a body [N-015, N-016].
    upload_listener_needs_body: bool = False
    # Fetch, Request: a ReadableStream is sent after a preflight. Chromium then fails without HTTP/2, Firefox sends the
    # object's name as text, WebKit throws [C-120].
    stream_bodies: Literal["sent", "http2-only", "stringified", "refused"] = "sent"

    # Preflight

    # Fetch, CORS non-wildcard request-header name: `*` doesn't cover Authorization. In all three it does [D2-001].
    wildcard_covers_authorization: bool = False
    # The same from the preflight cache. Only in WebKit it does [measured].
    cached_wildcard_covers_authorization: bool = False
    # Fetch, CORS-preflight fetch: max-age is digits, else 5 s. Chromium and WebKit read a signed 64-bit number, of
    # which a negative one has expired; Firefox caches no answer with anything but digits [G-009, G-031].
    max_age_syntax: Literal["digits", "int64", "digits-or-uncached"] = "digits"
    # The same: an imposed limit. Chromium two hours, Firefox a day, WebKit ten minutes (clock moved on).
    max_age_cap: int | None = None

    # Preflight cache

    # Fetch, CORS-preflight cache: an entry per method and name. Chromium and WebKit: one answer per URL [G2-003].
    one_answer_per_url: bool = False
    # Chromium drops an answer that doesn't suffice [G2-003].
    drops_insufficient_answer: bool = False
    # WebKit keeps the answer of a preflight that it denies [G2-003].
    keeps_denied_answer: bool = False
    # Fetch, main fetch: a network error clears the URL's entries. Not in Chromium and WebKit [measured].
    clears_cache_on_failure: bool = True
    # Fetch, CORS-preflight cache: `*` from a credentialed preflight serves as a wildcard. In no browser [measured].
    cached_star_of_credentials: bool = True
    # The same: any `*` does. Not in Firefox [G2-007].
    cached_wildcard: bool = True
    # The same: an entry with credentials serves both kinds of request. Firefox keeps them apart [measured].
    credentials_apart: bool = False
    # Fetch, HTTP fetch: a CORS-safelisted method needs no entry. In Firefox HEAD does [G2-020].
    cached_head_needs_method: bool = False
    # The `cache=` modes that pass the preflight cache by; the standard has none [G2-015, G2-016].
    uncached_modes: frozenset[str] = frozenset()
    # Chromium caches nothing of URLs of 1024 characters and more [G3-006].
    cached_url_limit: int | None = None
    # How many URLs the cache holds: Chromium 1024, Firefox 100 (read in their sources).
    cache_size: int | None = None

    # Redirects

    # Fetch, HTTP-redirect fetch: userinfo fails a cross-origin redirect. In Chromium any [I6-001, I6-004].
    blocks_any_userinfo: bool = False
    # Fetch, location URL: an empty Location is the same URL. Chromium shows the redirect, WebKit fails [I5-008].
    empty_location: Literal["same-url", "no-redirect", "failure"] = "same-url"
    # The same: two lines fail. Chromium and Firefox follow equal ones [I5-003].
    follows_equal_locations: bool = False
    # Fetch, main fetch: each hop asks anew for its need of a preflight. Firefox and WebKit keep to it [I3-027].
    preflight_is_sticky: bool = False
    # The same. WebKit goes on to list the first hop's names, a dropped Authorization included [I4-003].
    keeps_first_names: bool = False
    # Fetch, redirect-taint: the origin becomes `null`. Not for Firefox's preflight and its check [I3-004].
    preflight_origin_untainted: bool = False
    # Fetch, CORS-preflight fetch: every answer is checked. Firefox's not at the page's own origin [I3-034].
    skips_check_at_home: bool = False
    # Fetch, CORS check: credentials count when `include`. In WebKit's check of a redirect also `same-origin` ones of a
    # request that began at home [I4-019].
    redirect_check_from_home_is_credentialed: bool = False
    # Fetch, HTTP-network-or-cache fetch: `same-origin` ones end at another origin. Not in WebKit's `no-cors` [I6-004].
    no_cors_from_home_keeps_credentials: bool = False

    # Responses

    # HTML, site: `api.localhost` and `localhost` are two. For WebKit's Cross-Origin-Resource-Policy one [measured].
    localhost_is_a_site: bool = False
    # Fetch, extract header list values: a bad element voids Access-Control-Expose-Headers. In Firefox not a `*` that
    # came before it [H-079].
    expose_star_outlives_garbage: bool = False


STANDARD = Engine(name="standard")

CHROMIUM = Engine(
    name="chromium",
    forbids_user_agent=True,
    safelists_client_hints=True,
    combines_lines=True,
    range_limit=INT64,
    upload_listener_needs_body=True,
    stream_bodies="http2-only",
    wildcard_covers_authorization=True,
    max_age_syntax="int64",
    max_age_cap=7200,
    one_answer_per_url=True,
    drops_insufficient_answer=True,
    clears_cache_on_failure=False,
    cached_star_of_credentials=False,
    uncached_modes=frozenset({"no-store", "reload", "no-cache"}),
    cached_url_limit=1024,
    cache_size=1024,
    blocks_any_userinfo=True,
    empty_location="no-redirect",
    follows_equal_locations=True,
)

FIREFOX = Engine(
    name="firefox",
    lax_by_default=False,
    range_limit=UINT64,
    non_ascii_is_unsafe=True,
    safelist_sum_limit=None,
    repeats_names=True,
    stream_bodies="stringified",
    wildcard_covers_authorization=True,
    max_age_syntax="digits-or-uncached",
    max_age_cap=86400,
    cached_star_of_credentials=False,
    cached_wildcard=False,
    credentials_apart=True,
    cached_head_needs_method=True,
    uncached_modes=frozenset({"no-store", "reload"}),
    cache_size=100,
    follows_equal_locations=True,
    preflight_is_sticky=True,
    preflight_origin_untainted=True,
    skips_check_at_home=True,
    expose_star_outlives_garbage=True,
)

WEBKIT = Engine(
    name="webkit",
    lax_by_default=False,
    secure_on_loopback=False,
    combines_lines=True,
    range_limit=INT64,
    lenient_range=True,
    stream_bodies="refused",
    wildcard_covers_authorization=True,
    cached_wildcard_covers_authorization=True,
    max_age_syntax="int64",
    max_age_cap=600,
    one_answer_per_url=True,
    keeps_denied_answer=True,
    clears_cache_on_failure=False,
    cached_star_of_credentials=False,
    empty_location="failure",
    preflight_is_sticky=True,
    keeps_first_names=True,
    localhost_is_a_site=True,
    no_cors_from_home_keeps_credentials=True,
    redirect_check_from_home_is_credentialed=True,
)

ENGINES = {engine.name: engine for engine in (STANDARD, CHROMIUM, FIREFOX, WEBKIT)}


def engine_named(engine: str | Engine) -> Engine:
    """Return the engine of that name; ValueError names the known ones."""
    if isinstance(engine, Engine):
        return engine
    if engine not in ENGINES:
        raise ValueError(f"engine={engine!r} is not known. Write one of {', '.join(map(repr, ENGINES))}.")
    return ENGINES[engine]
