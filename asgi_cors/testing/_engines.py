"""The engines: the Fetch standard, and where each browser measured departs from it.

Every flag's default is the standard's rule. Beside each stand the section that states it, who departs from it and how,
and cases of `tests/data/browser-truth.json` or `browser-truth-2.json.gz` that show it. Measured were Chromium
156.0.8078.79, Firefox ESR 153.7.0 and WebKitGTK 2.50.6.
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
    # RFC 6265bis, "Storage Model": it may refuse cookies that other sites set. WebKitGTK's default does [T13-027].
    stores_third_party_cookies: bool = True
    # The same: a Domain that is a public suffix and the host itself counts for nothing. WebKitGTK refuses the cookie
    # [T13-017].
    public_suffix_makes_host_cookie: bool = True
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
    # MIME Sniffing, parse a MIME type: parameters may be empty and hold commas. Firefox takes no comma, and no
    # semicolon behind the last parameter [T9-003, T9-011, T9-017].
    strict_content_type: bool = False
    # XMLHttpRequest, send(): an upload listener asks for a preflight. Chromium: only of a body [N-015, N-016].
    upload_listener_needs_body: bool = False
    # Fetch, Request: a ReadableStream is sent after a preflight. Chromium then fails without HTTP/2, Firefox sends the
    # object's name as text, WebKit throws [C-120].
    stream_bodies: Literal["sent", "http2-only", "stringified", "refused"] = "sent"

    # Preflight

    # Fetch, CORS-preflight fetch: without Access-Control-Allow-Methods, the method of a request whose
    # use-CORS-preflight flag is set (an upload listener, a stream) is allowed. In no browser [T1-037].
    flag_allows_method: bool = True
    # Fetch, CORS non-wildcard request-header name: `*` doesn't cover Authorization. In all three it does [D2-001].
    wildcard_covers_authorization: bool = False
    # The same from the preflight cache. Only in WebKit it does [measured].
    cached_wildcard_covers_authorization: bool = False
    # Fetch, CORS-preflight fetch: max-age is digits, else 5 s. Chromium and WebKit read a signed 64-bit number, of
    # which a negative one has expired; Firefox caches no answer with anything but digits [G-009, G-031].
    max_age_syntax: Literal["digits", "negative-expires", "int64", "digits-or-uncached"] = "digits"
    # The same: an imposed limit. Chromium two hours, Firefox a day, WebKit ten minutes (clock moved on).
    max_age_cap: int | None = None

    # Preflight cache

    # Fetch, HTTP fetch: with the use-CORS-preflight flag, even POST needs an entry of its method. In no browser
    # [T2-001].
    flag_needs_cached_method: bool = True
    # Fetch, CORS-preflight cache: the origin `null` has entries like any other. Not in Chromium [T3-001].
    caches_null_origin: bool = True
    # The same, where a redirect has made the origin `null`. Not in Chromium and WebKit [T12-003].
    caches_tainted_origin: bool = True
    # Fetch, CORS-preflight cache: an entry per method and name. Chromium and WebKit: one answer per URL [G2-003].
    one_answer_per_url: bool = False
    # Chromium and WebKit drop an answer that doesn't suffice [G2-003, T6-003].
    drops_insufficient_answer: bool = False
    # WebKit keeps the answer of a preflight that it denies [G2-003].
    keeps_denied_answer: bool = False
    # Fetch, main fetch: a network error clears the entries of each URL on the way. Firefox clears those of the last one
    # [T12-013], Chromium and WebKit none [measured].
    failure_clears: Literal["every-hop", "last-hop", "nothing"] = "every-hop"
    # Fetch, CORS-preflight cache: `*` serves as a wildcard, whichever preflight it came with. In Chromium not one from
    # a credentialed preflight [measured], in WebKit not for a credentialed request [XP-099], in Firefox never [G2-007].
    cached_wildcard: Literal["always", "stored-without-credentials", "asked-without-credentials", "never"] = "always"
    # The same: an entry with credentials serves both kinds of request. Firefox keeps them apart [measured].
    credentials_apart: bool = False
    # Fetch, HTTP fetch: a CORS-safelisted method needs no entry. In Firefox HEAD does [G2-020].
    cached_head_needs_method: bool = False
    # The `cache=` modes that pass the preflight cache by; the standard has none [G2-015, G2-016].
    uncached_modes: frozenset[str] = frozenset()
    # Those whose preflight is not stored; in Chromium `no-store` [T5-001].
    unstored_modes: frozenset[str] = frozenset()
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
    # Fetch, main fetch: each hop asks anew for its need of a preflight. Firefox and WebKit preflight all hops after a
    # preflighted one, and all cross-origin ones where the script's own headers ask for it [I3-027].
    preflight_is_sticky: bool = False
    # Fetch, HTTP-redirect fetch: a header once removed (Authorization at another origin, those of a body with the body)
    # stays so. WebKit's preflights list the first hop's [I4-003]. Firefox begins each hop with the first one's headers:
    # Authorization comes back on a hop that doesn't cross origins [T7-001], Content-Type on the second one [measured].
    redirected_headers: Literal["removed", "first", "removed-anew"] = "removed"
    # The same: 301 and 302 change POST, 303 all methods to GET. WebKitGTK changes DELETE on any redirect to another
    # origin: libsoup's doing, so perhaps not Safari's [T4-007].
    redirects_delete_as_get: bool = False
    # Fetch, append a request `Origin` header: GET outside of CORS has none. In WebKitGTK it keeps that of a POST which
    # a redirect within one origin has turned into GET [XR-085].
    keeps_origin_within_origin: bool = False
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

    # Fetch, HTTP fetch: any status is shown. Chromium fails on these [T11-001].
    failing_statuses: frozenset[int] = frozenset()
    # Fetch, Headers, get: every line of a header counts. Firefox leaves empty ones out, but of
    # Access-Control-Allow-Origin [T10-001, T10-021].
    ignores_empty_lines: bool = False
    # HTML, site: an IP address is a site of its own. Not for Chromium's Cross-Origin-Resource-Policy [T8-103].
    ip_address_is_a_site: bool = True
    # HTML, site: `api.localhost` and `localhost` are two. WebKit's Cross-Origin-Resource-Policy lets a page of
    # `localhost` use both [measured], but not one of `app.localhost` [T8-145].
    localhost_is_a_site: bool = False
    # Fetch, extract header list values: a bad element voids Access-Control-Expose-Headers. In Firefox not a `*` that
    # came before it [H-079].
    expose_star_outlives_garbage: bool = False


STANDARD = Engine(name="standard")

# The standard, but for the departures that all three browsers share.
BROWSERS = Engine(
    name="browsers",
    range_limit=UINT64,
    flag_allows_method=False,
    wildcard_covers_authorization=True,
    max_age_syntax="negative-expires",
    max_age_cap=86400,
    flag_needs_cached_method=False,
    failure_clears="last-hop",
    cached_wildcard="asked-without-credentials",
)

CHROMIUM = Engine(
    name="chromium",
    forbids_user_agent=True,
    safelists_client_hints=True,
    combines_lines=True,
    range_limit=INT64 - 1,
    upload_listener_needs_body=True,
    stream_bodies="http2-only",
    flag_allows_method=False,
    wildcard_covers_authorization=True,
    max_age_syntax="int64",
    max_age_cap=7200,
    one_answer_per_url=True,
    drops_insufficient_answer=True,
    failure_clears="nothing",
    flag_needs_cached_method=False,
    caches_null_origin=False,
    caches_tainted_origin=False,
    cached_wildcard="stored-without-credentials",
    uncached_modes=frozenset({"no-store", "reload", "no-cache"}),
    unstored_modes=frozenset({"no-store"}),
    cached_url_limit=1024,
    cache_size=1024,
    blocks_any_userinfo=True,
    empty_location="no-redirect",
    follows_equal_locations=True,
    failing_statuses=frozenset({407}),
    ip_address_is_a_site=False,
)

FIREFOX = Engine(
    name="firefox",
    lax_by_default=False,
    range_limit=UINT64,
    non_ascii_is_unsafe=True,
    safelist_sum_limit=None,
    repeats_names=True,
    strict_content_type=True,
    stream_bodies="stringified",
    flag_allows_method=False,
    wildcard_covers_authorization=True,
    max_age_syntax="digits-or-uncached",
    max_age_cap=86400,
    failure_clears="last-hop",
    flag_needs_cached_method=False,
    cached_wildcard="never",
    credentials_apart=True,
    cached_head_needs_method=True,
    uncached_modes=frozenset({"no-store", "reload"}),
    cache_size=100,
    follows_equal_locations=True,
    preflight_is_sticky=True,
    redirected_headers="removed-anew",
    preflight_origin_untainted=True,
    skips_check_at_home=True,
    ignores_empty_lines=True,
    expose_star_outlives_garbage=True,
)

WEBKIT = Engine(
    name="webkit",
    lax_by_default=False,
    stores_third_party_cookies=False,
    public_suffix_makes_host_cookie=False,
    secure_on_loopback=False,
    combines_lines=True,
    range_limit=INT64,
    lenient_range=True,
    stream_bodies="refused",
    flag_allows_method=False,
    wildcard_covers_authorization=True,
    cached_wildcard_covers_authorization=True,
    max_age_syntax="int64",
    max_age_cap=600,
    one_answer_per_url=True,
    drops_insufficient_answer=True,
    keeps_denied_answer=True,
    failure_clears="nothing",
    flag_needs_cached_method=False,
    caches_tainted_origin=False,
    cached_wildcard="asked-without-credentials",
    empty_location="failure",
    preflight_is_sticky=True,
    redirected_headers="first",
    redirects_delete_as_get=True,
    keeps_origin_within_origin=True,
    localhost_is_a_site=True,
    no_cors_from_home_keeps_credentials=True,
    redirect_check_from_home_is_credentialed=True,
)

ENGINES = {engine.name: engine for engine in (BROWSERS, STANDARD, CHROMIUM, FIREFOX, WEBKIT)}


def engine_named(engine: str | Engine) -> Engine:
    """Return the engine of that name; ValueError names the known ones."""
    if isinstance(engine, Engine):
        return engine
    if engine not in ENGINES:
        raise ValueError(f"engine={engine!r} is not known. Write one of {', '.join(map(repr, ENGINES))}.")
    return ENGINES[engine]
