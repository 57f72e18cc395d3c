"""The engines: the Fetch standard, and how each measured browser departs from it.

The default of each flag is the rule of the standard, or of the RFC that its comment names. The comment then says which
browser departs and how. In brackets are cases that show it: see `browser-truth.json`, `browser-truth-2.json.gz`,
`fetch-metadata.json` and `forms.json` in `tests/data`.

Measured were Chromium 156.0.8078.79, Firefox ESR 153.7.0 and WebKitGTK 2.50.6. WebKitGTK is Safari's engine with
another network library, libsoup: Safari may differ in cookies and redirects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

INT64 = 2**63 - 1
UINT64 = 2**64 - 1


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A browser engine: its departures from the Fetch standard, as flags. `dataclasses.replace` makes another."""

    name: str

    # Cookies

    # RFC 6265bis, "SameSite": a cookie without SameSite is Lax. Firefox and WebKit send it to every site [A4-002].
    lax_by_default: bool = True
    # RFC 6265bis, "Storage Model": browsers may refuse cookies that other sites set. WebKitGTK does [T13-027].
    stores_third_party_cookies: bool = True
    # RFC 6265bis, "Storage Model": if Domain is a public suffix and the host itself, the cookie is for the host alone.
    # WebKitGTK refuses the cookie [T13-017].
    public_suffix_makes_host_cookie: bool = True
    # RFC 6265bis, "Storage Model": a cookie with SameSite=None and without Secure is refused, even on its own site.
    # WebKitGTK stores it [measured].
    none_requires_secure: bool = True
    # RFC 6265bis, "Lax-Allowing-Unsafe": browsers may send a cookie without SameSite with another site's form POST for
    # some time (seconds) after its creation. Chromium does so for two minutes [service worker, measured]. Firefox and
    # WebKit always do, by their other rule.
    lax_post_limit: float | None = None
    # RFC 6265bis, "Same-site and cross-site requests": a redirect chain through another site is cross-site.
    # Firefox considers the chain in every request, WebKit in navigations, Chromium never [forms.json].
    redirects_make_cookies_cross_site: Literal["always", "navigations", "never"] = "always"
    # RFC 6265bis, "Same-site and cross-site requests": http and https of one host are two sites. Not for Firefox's
    # cookies [forms.json].
    same_site_counts_scheme: bool = True
    # RFC 6265bis: browsers may treat loopback as secure. WebKit sends no Secure cookie to http there [A3-034].
    secure_on_loopback: bool = True

    # Request headers

    # Fetch, forbidden request-header: scripts may set User-Agent. Chromium drops it [C-156].
    forbids_user_agent: bool = False
    # Fetch, CORS-safelisted request-header: client hints are not in the list. In Chromium the old ones are, if their
    # value has the form of the hint [C-160, measured].
    safelists_client_hints: bool = False
    # Fetch, CORS-safelisted request-header: each line is checked. Chromium and WebKit first combine the lines of a name
    # [C-125, C-132].
    combines_lines: bool = False
    # Fetch, simple range header value: numbers have no limit. Firefox and WebKit preflight those above 2**64 - 1,
    # Chromium those from 2**63 - 1 up [C-100, XS-093, measured].
    range_limit: int | None = None
    # Fetch, simple range header value: `bytes=` and digits. WebKit accepts `BYTES=` and a plus sign [C-088, C-097].
    lenient_range: bool = False
    # Fetch, CORS-unsafe request-header byte: none from 0x80 up. In Firefox all of them are [XS-115].
    non_ascii_is_unsafe: bool = False
    # Fetch, CORS-unsafe request-header names: safelisted values of more than 1024 bytes in total are unsafe. Firefox
    # has no such limit [C-127].
    safelist_sum_limit: int | None = 1024
    # Fetch, CORS-unsafe request-header names: each name once. Firefox lists a name for each of its lines [C-141].
    repeats_names: bool = False
    # MIME Sniffing, parse a MIME type: parameters may be empty, and may have commas. Firefox preflights a Content-Type
    # with a comma, or with a semicolon at the end of its parameters [T9-003, T9-011, T9-017].
    strict_content_type: bool = False
    # XMLHttpRequest, send(): an upload listener causes a preflight. In Chromium only if there is a body [N-015, N-016].
    upload_listener_needs_body: bool = False
    # Fetch, Request: a ReadableStream is sent after a preflight. Chromium fails without HTTP/2, Firefox sends the name
    # of the object as text, WebKit throws [C-120].
    stream_bodies: Literal["sent", "http2-only", "stringified", "refused"] = "sent"

    # Fetch Metadata; Referrer Policy

    # WebSockets: the handshake has the mode `websocket` and no destination, which is `empty`. WebKit sends `websocket`,
    # Chromium no Sec-Fetch-* at all ("") [websocket].
    websocket_dest: str = "empty"
    # Fetch Metadata: a CORS request has Sec-Fetch-* after redirects, too. In WebKit it has none after a redirect to
    # another origin [fetch POST (cors), 307 at a cross-site host; forms.json].
    redirected_cors_hides_metadata: bool = False
    # Fetch Metadata: Sec-Fetch-User is `?1` in a navigation by the user. WebKit never sends it [measured].
    sends_user_activation: bool = True
    # Referrer Policy: from loopback to http elsewhere is a downgrade, from https to http on loopback is not. Browsers
    # compare the schemes only [forms.json].
    downgrades_by_scheme: bool = False
    # Referrer Policy, unsafe-url: Referer is the whole URL. In Firefox and WebKit the requests of a script to another
    # site have the origin only [forms.json].
    trims_script_referer: bool = False
    # Fetch Metadata: redirects within the site are `same-site`. In Firefox they are `cross-site`, unless all URLs have
    # the page's origin [forms.json].
    redirected_site_is_cross_site: bool = False
    # Fetch Metadata: http and https of one host are two sites. Not for Firefox's Sec-Fetch-Site if the hosts are
    # localhost, names below it, or 127.0.0.0/8; [::1] is like any other host [forms.json].
    loopback_site_counts_scheme: bool = True
    # Fetch Metadata: only trustworthy URLs get Sec-Fetch-*. Chromium's preflights have Sec-Fetch-Mode everywhere
    # [forms.json].
    preflight_always_has_mode: bool = False
    # Fetch, CORS-preflight fetch: Sec-Fetch-Site considers the redirects before a preflight. Chromium and Firefox
    # compare the page with the URL of the preflight only [forms.json].
    preflight_metadata_counts_redirects: bool = True
    # Fetch, set request's referrer policy on redirect: the new policy also decides about Origin. In
    # Chromium and WebKit it does not [forms.json].
    redirected_policy_decides_origin: bool = True
    # Fetch, append a request `Origin` header: the referrer policy can make it `null` in requests without CORS. Chromium
    # does so for navigations only [C-239, C-251].
    script_always_shows_origin: bool = False
    # Fetch, redirect-taint: only a redirect between two foreign origins makes the Origin `null`. In Chromium and WebKit
    # any redirect of a navigation to another origin does [form POST, 307 at the cross-site host].
    redirected_form_hides_origin: bool = False
    # The same for `no-cors` fetches. Only in Chromium [forms.json].
    redirected_no_cors_hides_origin: bool = False

    # Preflight

    # Fetch, CORS-preflight fetch: the use-CORS-preflight flag (an upload listener, a stream) allows the method if
    # Access-Control-Allow-Methods is absent. No browser does so [T1-037].
    flag_allows_method: bool = True
    # Fetch, CORS non-wildcard request-header name: `*` does not cover Authorization. In all browsers it does [D2-001].
    wildcard_covers_authorization: bool = False
    # The same for a `*` from the preflight cache. Only in WebKit does it cover Authorization [XR2-011].
    cached_wildcard_covers_authorization: bool = False
    # Fetch, CORS-preflight fetch: an Access-Control-Max-Age that is not made of digits counts as 5 seconds. Firefox
    # caches nothing for such a value. Chromium and WebKit accept a signed number of 64 bits, and cache nothing if it is
    # negative [G-009, G-031].
    max_age_syntax: Literal["digits", "int64", "digits-or-uncached"] = "digits"
    # Fetch, CORS-preflight fetch: browsers may limit max-age, in seconds. Chromium: two hours, Firefox: a day, WebKit:
    # ten minutes (measured by moving the clock).
    max_age_cap: int | None = None

    # Preflight cache

    # Fetch, HTTP fetch: with the use-CORS-preflight flag, even POST needs an entry for its method. No browser requires
    # it [T2-001].
    flag_needs_cached_method: bool = True
    # Fetch, CORS-preflight cache: the origin `null` has entries like any other. Chromium caches nothing for it
    # [T3-001].
    caches_null_origin: bool = True
    # The same if a redirect has made the origin `null`. Chromium and WebKit then cache nothing [T12-003].
    caches_tainted_origin: bool = True
    # Fetch, CORS-preflight cache: an entry for each method and name. Chromium and WebKit store one response per URL
    # [G2-003].
    one_response_per_url: bool = False
    # Chromium and WebKit remove a stored response that does not suffice [G2-003, T6-003].
    removes_insufficient_response: bool = False
    # WebKit stores the response even if it does not allow the request [G2-003].
    stores_denied_response: bool = False
    # Fetch, main fetch: a network error clears the entries of the URL where it occurred. Chromium and WebKit clear
    # nothing [XC-071]. No browser does if `redirect: "error"` caused the failure [measured].
    failure_clears: Literal["always", "unless-redirect-refused", "never"] = "always"
    # Fetch, CORS-preflight cache: a stored `*` is always a wildcard. In Chromium only if it was stored without
    # credentials [XC-078]. In WebKit only for requests without credentials [XC-037]. In Firefox never [G2-007].
    cached_wildcard: Literal["always", "stored-without-credentials", "requested-without-credentials", "never"] = (
        "always"
    )
    # Fetch, CORS-preflight cache: an entry with credentials also serves requests without. Not in Firefox [T6-025].
    separates_credentials: bool = False
    # Fetch, HTTP fetch: a CORS-safelisted method needs no entry. In Firefox HEAD does [G2-020].
    cached_head_needs_method: bool = False
    # The values of `cache=` that skip the look-up in the preflight cache. By the standard none does [G2-015, G2-016].
    uncached_modes: frozenset[str] = frozenset()
    # The values of `cache=` with which no preflight is stored: `no-store` in Chromium [T5-001].
    unstored_modes: frozenset[str] = frozenset()
    # Chromium caches no preflight of a URL of 1024 characters or more [G3-006].
    cached_url_limit: int | None = None
    # How many entries the cache has room for: Chromium 1024, Firefox 100 (read in their sources).
    cache_size: int | None = None

    # Redirects

    # Fetch, redirect status: 301, 302, 303, 307 and 308. WebKitGTK also follows the Location of 309 to 399: libsoup
    # does it, so Safari may not [measured].
    follows_unassigned_statuses: bool = False
    # Fetch, HTTP fetch: `redirect: "error"` fails on any redirect status. Chromium and WebKit fail only if there is a
    # Location that is not empty [measured].
    refuses_redirect_without_location: bool = True
    # Fetch, HTTP-redirect fetch: a user name in Location blocks a cross-origin redirect. In Chromium it blocks any
    # redirect [I6-001, I6-004].
    blocks_any_userinfo: bool = False
    # Fetch, location URL: an empty Location means the same URL. Chromium shows the redirect response, WebKit fails
    # [I5-008].
    empty_location: Literal["same-url", "no-redirect", "failure"] = "same-url"
    # Fetch, main fetch: a hop is preflighted only if its own request needs it. Firefox and WebKit preflight every hop
    # after a preflighted one, and every cross-origin hop if the script's own headers need it [I3-027].
    preflight_is_sticky: bool = False
    # Fetch, HTTP-redirect fetch: Authorization (at another origin) and the headers of a body (with the body) are
    # removed for good. WebKit's preflights still list them [I4-003]. Firefox starts each hop from the script's headers:
    # Authorization comes back on a hop within one origin [T7-001], Content-Type on the next hop [measured].
    redirected_headers: Literal["removed", "first", "removed-anew"] = "removed"
    # Fetch, HTTP-redirect fetch: 301 and 302 turn POST into GET, 303 any method. WebKitGTK also turns DELETE into GET
    # on any redirect to another origin: libsoup does it, so Safari may not [T4-007].
    redirects_delete_as_get: bool = False
    # Fetch, append a request `Origin` header: GET without CORS has none. If a redirect within one origin turns POST
    # into GET, WebKitGTK sends the Origin of the POST again [XR-085].
    resends_origin_header: bool = False
    # Fetch, redirect-taint: after a redirect between two foreign origins the origin is `null`. Firefox's preflight
    # still has the page's origin, and its response must allow that [I3-004].
    preflight_origin_untainted: bool = False
    # Fetch, CORS-preflight fetch: every response must pass the CORS check. Firefox does not check responses of the
    # page's own origin [I3-034].
    skips_check_for_own_origin: bool = False
    # Fetch, CORS check: only `include` counts as credentials. In WebKit's check of a redirect response `same-origin`
    # counts too, if the request began at the page's own origin [I4-019].
    redirect_check_counts_own_credentials: bool = False
    # Fetch, HTTP-network-or-cache fetch: `same-origin` credentials are not sent to another origin. WebKit sends them if
    # a `no-cors` request is redirected there [I6-004].
    no_cors_redirect_sends_own_credentials: bool = False

    # Responses

    # Fetch, HTTP fetch: the page gets a response of any status. Chromium fails on 407 [XT-117].
    failing_statuses: frozenset[int] = frozenset()
    # Fetch, location URL: two Location lines fail if the response redirects. In Chromium and Firefox two lines of these
    # headers fail any response if they differ [measured], and are one if they are equal [I5-003].
    single_line_headers: frozenset[str] = frozenset()
    # Fetch, Headers, get: every line of a header counts. Firefox ignores empty lines, except those of
    # Access-Control-Allow-Origin [T10-001, T10-021].
    ignores_empty_lines: bool = False
    # HTML, site: two ports of one IP address are one site. Not for Chromium's Cross-Origin-Resource-Policy [T8-103].
    ip_address_is_a_site: bool = True
    # HTML, site: `localhost` and `api.localhost` are two sites. WebKit's Cross-Origin-Resource-Policy allows a page of
    # `localhost` to use `api.localhost` [XK-089], but not the other way round [T8-145].
    localhost_is_a_site: bool = False
    # Fetch, extract header list values: one malformed element voids all of Access-Control-Expose-Headers. In Firefox's
    # fetch() a `*` before it still counts [H-079].
    expose_wildcard_survives_malformed: bool = False


_SINGLE_LINE_HEADERS = frozenset({"content-disposition", "content-length", "location"})

STANDARD = Engine(name="standard")

# The standard, with the departures that all three browsers share. Only two browsers combine the lines of a request
# header. Firefox preflights some of these headers for another reason: then all three block what the standard allows.
# Two rules of navigations come from two browsers, because they withhold something from the server: redirects hide the
# Origin in Chromium and WebKit, and redirects through another site withhold SameSite cookies in Firefox and WebKit.
BROWSERS = Engine(
    name="browsers",
    lax_post_limit=120,
    redirects_make_cookies_cross_site="navigations",
    downgrades_by_scheme=True,
    redirected_form_hides_origin=True,
    combines_lines=True,
    range_limit=UINT64,
    flag_allows_method=False,
    wildcard_covers_authorization=True,
    max_age_syntax="int64",
    max_age_cap=86400,
    flag_needs_cached_method=False,
    failure_clears="unless-redirect-refused",
    cached_wildcard="requested-without-credentials",
)

CHROMIUM = Engine(
    name="chromium",
    lax_post_limit=120,
    redirects_make_cookies_cross_site="never",
    websocket_dest="",
    downgrades_by_scheme=True,
    preflight_metadata_counts_redirects=False,
    redirected_policy_decides_origin=False,
    script_always_shows_origin=True,
    preflight_always_has_mode=True,
    redirected_form_hides_origin=True,
    redirected_no_cors_hides_origin=True,
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
    one_response_per_url=True,
    removes_insufficient_response=True,
    failure_clears="never",
    flag_needs_cached_method=False,
    caches_null_origin=False,
    caches_tainted_origin=False,
    cached_wildcard="stored-without-credentials",
    uncached_modes=frozenset({"no-store", "reload", "no-cache"}),
    unstored_modes=frozenset({"no-store"}),
    cached_url_limit=1024,
    cache_size=1024,
    refuses_redirect_without_location=False,
    blocks_any_userinfo=True,
    empty_location="no-redirect",
    failing_statuses=frozenset({407}),
    single_line_headers=_SINGLE_LINE_HEADERS,
    ip_address_is_a_site=False,
)

FIREFOX = Engine(
    name="firefox",
    lax_by_default=False,
    downgrades_by_scheme=True,
    trims_script_referer=True,
    same_site_counts_scheme=False,
    loopback_site_counts_scheme=False,
    redirected_site_is_cross_site=True,
    preflight_metadata_counts_redirects=False,
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
    failure_clears="unless-redirect-refused",
    flag_needs_cached_method=False,
    cached_wildcard="never",
    separates_credentials=True,
    cached_head_needs_method=True,
    uncached_modes=frozenset({"no-store", "reload"}),
    cache_size=100,
    preflight_is_sticky=True,
    redirected_headers="removed-anew",
    preflight_origin_untainted=True,
    skips_check_for_own_origin=True,
    single_line_headers=_SINGLE_LINE_HEADERS,
    ignores_empty_lines=True,
    expose_wildcard_survives_malformed=True,
)

WEBKIT = Engine(
    name="webkit",
    lax_by_default=False,
    stores_third_party_cookies=False,
    public_suffix_makes_host_cookie=False,
    none_requires_secure=False,
    secure_on_loopback=False,
    websocket_dest="websocket",
    sends_user_activation=False,
    redirected_cors_hides_metadata=True,
    downgrades_by_scheme=True,
    trims_script_referer=True,
    redirects_make_cookies_cross_site="navigations",
    redirected_policy_decides_origin=False,
    redirected_form_hides_origin=True,
    combines_lines=True,
    range_limit=UINT64,
    lenient_range=True,
    stream_bodies="refused",
    flag_allows_method=False,
    wildcard_covers_authorization=True,
    cached_wildcard_covers_authorization=True,
    max_age_syntax="int64",
    max_age_cap=600,
    one_response_per_url=True,
    removes_insufficient_response=True,
    stores_denied_response=True,
    failure_clears="never",
    flag_needs_cached_method=False,
    caches_tainted_origin=False,
    cached_wildcard="requested-without-credentials",
    follows_unassigned_statuses=True,
    refuses_redirect_without_location=False,
    empty_location="failure",
    preflight_is_sticky=True,
    redirected_headers="first",
    redirects_delete_as_get=True,
    resends_origin_header=True,
    localhost_is_a_site=True,
    no_cors_redirect_sends_own_credentials=True,
    redirect_check_counts_own_credentials=True,
)

ENGINES = {engine.name: engine for engine in (BROWSERS, STANDARD, CHROMIUM, FIREFOX, WEBKIT)}


def engine_named(engine: str | Engine) -> Engine:
    """Return the engine of that name. Raises ValueError, with the known names."""
    if isinstance(engine, Engine):
        return engine
    if engine not in ENGINES:
        raise ValueError(f"engine={engine!r} is not known. Write one of {', '.join(map(repr, ENGINES))}.")
    return ENGINES[engine]
