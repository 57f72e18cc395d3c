"""The steps of a fetch, without I/O: a generator yields each exchange, and receives its response without the body.

- Fetch, main fetch: a URL of the page's own origin is "basic", and CORS does not apply. `no-cors` is "opaque". All
  others are "cors", with a preflight if the method or a header is not safelisted.
- HTTP fetch: every response, a redirect too, must pass the CORS check.
- HTTP-redirect fetch: the origin becomes `null` if a foreign origin redirects to a third one. The tainting never
  returns to "basic".
- HTTP-network-or-cache fetch: Cookie and Set-Cookie need credentials. A request with the response 421 is repeated once.
"""

from __future__ import annotations

from dataclasses import replace

import httpx

from asgi_cors.testing._errors.errors import CORSError, FetchError, NetworkError, RedirectError
from asgi_cors.testing._errors.failure import BlockedRequest, Failure
from asgi_cors.testing._exchange import Exchange

from .cookies import Client
from .cors_check import (
    allow_lists_check,
    cors_check,
    has_redirect_status,
    is_blocked_by_policy,
    is_redirect,
    max_age,
    parse_allow_lists,
    preflight_access_check,
)
from .headers import HeaderList
from .metadata import fetch_metadata, preflight_metadata
from .network import NetworkSteps, Steps, failed, status_of
from .preflight_cache import SAFELISTED_METHODS, AllowLists, Query
from .redirect import BadLocationError, Hop, location_of, next_hop, resolve
from .referrer import parse_policy
from .requests import build_request, main_headers, preflight_headers
from .safelist import Header, unsafe_names
from .script import ScriptRequest
from .state import Outcome, PageState, ResponseType, Tainting
from .url import fragment, serialize_origin


class Fetch(NetworkSteps):
    """One `fetch()` of a page."""

    def __init__(self, request: ScriptRequest, page: PageState) -> None:
        super().__init__(page, request.referrer_policy or page.referrer_policy)
        self._request = request
        self._now = page.clock()
        self._first_hop = self._hop = Hop(
            url=request.url,
            fragment=request.fragment,
            method=request.method,
            headers=request.headers,
            preflighted=request.headers,
            body=request.body,
            stream=request.stream,
        )
        self._urls = [request.url]
        self._tainting: Tainting = "basic"
        self._has_crossed_origins = False
        self._is_redirect_tainted = False
        self._resent_origin = ""
        self._has_needed_preflight = False

    def run(self) -> Steps[Outcome]:
        """Run the fetch. Raises CORSError, NetworkError and RedirectError."""
        try:
            while True:
                exchange, headers = yield from self._main_fetch()
                status = status_of(exchange)
                if self._request.redirect != "follow" and has_redirect_status(headers, status, self._engine):
                    return self._unfollowed(exchange, headers)
                try:
                    location = location_of(headers, status, self._engine)
                    if location is None:
                        return self._outcome(exchange, headers)
                    self._redirect(location, exchange)
                    self._policy = parse_policy(headers) or self._policy
                except BadLocationError as error:
                    raise failed(RedirectError, str(error), exchange) from error
        except FetchError as error:
            if self._has_needed_preflight and self._clears_cache(error):
                self._page.cache.clear(self._preflight_origin, self._cached_url)
            raise

    def _main_fetch(self) -> Steps[tuple[Exchange, HeaderList]]:
        """Choose the response tainting, send a preflight if one is needed, then the request (Fetch, main fetch)."""
        if self._tainting == "basic" and self._is_same_origin():
            pass  # CORS does not apply
        elif self._request.mode == "same-origin":
            raise self._blocked(Failure(code="DisallowedByMode"), None)
        elif self._request.mode == "no-cors":
            if self._request.redirect != "follow":
                raise self._blocked(Failure(code="NoCorsRedirectModeNotFollow"), None)
            self._tainting = "opaque"
        else:
            self._tainting = "cors"
            yield from self._preflight_if_needed()
        if self._request.cache == "only-if-cached":
            raise NetworkError("cache='only-if-cached' fails: the page has no HTTP cache.")
        return (yield from self._http_fetch())

    def _is_same_origin(self) -> bool:
        return self._page.origin == serialize_origin(self._hop.url)

    @property
    def _origin(self) -> str:
        return "null" if self._is_redirect_tainted else self._page.origin

    @property
    def _cached_url(self) -> str:
        """The URL of the preflight cache's entries, with its fragment."""
        return f"{self._hop.url}{self._hop.fragment}"

    @property
    def _preflight_origin(self) -> str:
        return self._page.origin if self._engine.preflight_origin_untainted else self._origin

    def _needs_preflight(self, names: list[str]) -> bool:
        if self._request.use_preflight or self._hop.method not in SAFELISTED_METHODS or names:
            return True
        return self._engine.preflight_is_sticky and bool(
            self._has_needed_preflight or unsafe_names(self._first_hop.headers, self._engine)
        )

    def _preflight_if_needed(self) -> Steps[None]:
        """Send a preflight if the request needs one and the preflight cache does not cover the request."""
        names = unsafe_names(self._hop.preflighted, self._engine)
        if not self._needs_preflight(names):
            return
        query = Query(
            origin=self._preflight_origin,
            url=self._cached_url,
            credentials=self._request.credentials == "include",
            method=self._hop.method,
            method_needs_preflight=self._hop.method not in SAFELISTED_METHODS
            or (self._request.use_preflight and self._engine.flag_needs_cached_method),
            names=names,
        )
        self._has_needed_preflight = True
        may_use_cache = self._is_cacheable() and self._request.cache not in self._engine.uncached_modes
        if may_use_cache and self._page.cache.covers(query, self._now):
            self._record(Exchange(kind="preflight", request=self._preflight_request(query), cached=True))
        else:
            yield from self._preflight_fetch(query)

    def _is_cacheable(self) -> bool:
        """Return whether preflights of this origin are cached."""
        if self._page.origin == "null":
            return self._engine.caches_null_origin
        return self._engine.caches_tainted_origin or not self._is_redirect_tainted

    def _preflight_request(self, query: Query) -> httpx.Request:
        urls = self._urls if self._engine.preflight_metadata_counts_redirects else self._urls[-1:]
        client = Client(self._page.url, urls=urls)
        headers = preflight_headers(
            query.method,
            query.names,
            origin=query.origin,
            referer=self._referer(self._hop.url, by_script=True),
            metadata=preflight_metadata(client, self._engine),
        )
        return build_request("OPTIONS", self._hop.url, headers)

    def _preflight_fetch(self, query: Query) -> Steps[None]:
        """Send the preflight and check its response (Fetch, CORS-preflight fetch)."""
        exchange = Exchange(kind="preflight", request=self._preflight_request(query))
        exchange, response = yield from self._send(exchange, repeatable=True)
        headers = self._parse_headers(exchange, response)
        is_unchecked = self._engine.skips_check_for_own_origin and self._is_same_origin()
        origin = None if is_unchecked else query.origin
        status = response.status_code
        failure = preflight_access_check(headers, status, origin, self._engine, credentials=query.credentials)
        if failure is not None:
            raise self._blocked(failure, exchange, query.origin)
        allows_method = self._request.use_preflight and self._engine.flag_allows_method
        allowed = parse_allow_lists(headers, query, allows_method=allows_method)
        if isinstance(allowed, Failure):
            raise self._blocked(allowed, exchange, query.origin)
        failure = allow_lists_check(headers, query, allowed, self._engine)
        if failure is None or self._engine.stores_denied_response:
            self._cache(query, allowed, headers)
        if failure is not None:
            raise self._blocked(failure, exchange, query.origin)

    def _cache(self, query: Query, allowed: AllowLists, headers: HeaderList) -> None:
        age = max_age(headers, self._engine)
        is_stored = self._is_cacheable() and self._request.cache not in self._engine.unstored_modes
        if is_stored and age is not None:
            self._page.cache.store(query, allowed, self._now + age)

    def _http_fetch(self) -> Steps[tuple[Exchange, HeaderList]]:
        """Send the request and check its response (Fetch, HTTP fetch)."""
        if self._hop.stream is not None and self._engine.stream_bodies == "http2-only":
            raise NetworkError(f"{self._engine.name} sends streams over HTTP/2 only; pass content as bytes.")
        exchange = Exchange(kind="main", request=self._main_request())
        exchange, response = yield from self._send(exchange, repeatable=self._hop.stream is None)
        self._check_status(exchange, response)
        headers = self._parse_headers(exchange, response)
        if self._sends_credentials():
            self._page.cookies.store(self._hop.url, headers.lines("set-cookie"), self._client)
        if self._tainting == "cors":
            redirects = is_redirect(headers, response.status_code, self._engine)
            failure = cors_check(headers, self._origin, credentials=self._check_is_credentialed(redirects=redirects))
            if failure is not None:
                raise self._blocked(failure, exchange)
        elif self._tainting == "opaque" and is_blocked_by_policy(headers, self._page.url, self._hop.url, self._engine):
            raise failed(NetworkError, "its cross-origin-resource-policy does not allow this page", exchange)
        return exchange, headers

    def _check_is_credentialed(self, *, redirects: bool) -> bool:
        if self._request.credentials == "include":
            return True
        return redirects and self._engine.redirect_check_counts_own_credentials and self._began_with_credentials()

    def _began_with_credentials(self) -> bool:
        began_same_origin = serialize_origin(self._urls[0]) == self._page.origin
        return self._request.credentials == "same-origin" and began_same_origin

    def _sends_credentials(self) -> bool:
        credentials = self._request.credentials
        if credentials == "include" or (credentials == "same-origin" and self._tainting == "basic"):
            return True
        is_sent = self._tainting == "opaque" and self._engine.no_cors_redirect_sends_own_credentials
        return is_sent and self._began_with_credentials()

    def _main_request(self) -> httpx.Request:
        hop = self._hop
        headers = main_headers(
            hop.headers,
            origin=self._origin_header(),
            cookie=self._page.cookies.header(hop.url, self._client) if self._sends_credentials() else "",
            referer=self._referer(self._hop.url, by_script=True),
            metadata=self._metadata(),
        )
        return build_request(hop.method, hop.url, headers, body=hop.body, stream=hop.stream)

    def _origin_header(self) -> str:
        """Return the value of Origin, or "" (Fetch, append a request `Origin` header)."""
        if self._tainting != "cors" and self._hop.method in {"GET", "HEAD"}:
            return self._resent_origin
        if self._request.mode == "cors" or self._engine.script_always_shows_origin:
            return self._origin
        return "null" if self._hides_origin(self._origin, self._hop.url) else self._origin

    def _metadata(self) -> list[Header]:
        is_silent = self._has_crossed_origins and self._engine.redirected_cors_hides_metadata
        if is_silent and self._request.mode == "cors":
            return []
        return fetch_metadata(self._client, self._request.mode, self._engine)

    @property
    def _client(self) -> Client:
        return Client(self._page.url, urls=self._urls)

    def _unfollowed(self, exchange: Exchange, headers: HeaderList) -> Outcome:
        """Return the outcome of a redirect status if the redirect mode is "manual" or "error" (Fetch, HTTP fetch)."""
        if self._request.redirect == "manual":
            return self._outcome(exchange, headers, kind="opaqueredirect")
        if headers.get("location") or self._engine.refuses_redirect_without_location:
            raise failed(RedirectError, "it redirects, and redirect='error'", exchange)
        return self._outcome(exchange, headers)

    def _redirect(self, location: str, exchange: Exchange) -> None:
        """Set the next hop (Fetch, HTTP-redirect fetch)."""
        self._check_count(len(self._urls), exchange)
        url = resolve(location, self._hop.url)
        is_cors = self._tainting == "cors" or (
            self._request.mode == "cors" and serialize_origin(url) != self._page.origin
        )
        if url.userinfo and is_cors:
            raise self._blocked(
                Failure(code="RedirectContainsCredentials", header="location", value=location), exchange
            )
        if url.userinfo and self._engine.blocks_any_userinfo:
            raise BadLocationError(f"its Location {location!r} has a user name or a password")
        page, last, target = self._page.origin, serialize_origin(self._hop.url), serialize_origin(url)
        self._has_crossed_origins = self._has_crossed_origins or last != target
        is_foreign = last != page or (self._request.mode == "no-cors" and self._engine.redirected_no_cors_hides_origin)
        self._is_redirect_tainted = self._is_redirect_tainted or (is_foreign and last != target)
        resends_origin = self._engine.resends_origin_header and last == target
        self._resent_origin = exchange.request.headers.get("origin", "") if resends_origin else ""
        url = url.copy_with(userinfo=b"")
        hop = next_hop(self._hop, url, status_of(exchange), self._first_hop, self._engine)
        self._hop = replace(hop, fragment=fragment(location) or self._hop.fragment)
        self._urls.append(self._hop.url)

    def _clears_cache(self, error: FetchError) -> bool:
        """Return whether the failure clears the preflight cache of the URL (Fetch, main fetch)."""
        if self._engine.failure_clears == "unless-redirect-refused":
            return not (isinstance(error, RedirectError) and self._request.redirect == "error")
        return self._engine.failure_clears == "always"

    def _outcome(self, exchange: Exchange, headers: HeaderList, *, kind: ResponseType | None = None) -> Outcome:
        return Outcome(
            exchange=exchange,
            headers=headers,
            kind=kind or self._tainting,
            url=self._hop.url,
            redirected=len(self._urls) > 1,
            credentials=self._request.credentials == "include",
        )

    def _blocked(self, failure: Failure, exchange: Exchange | None, origin: str | None = None) -> CORSError:
        if exchange is not None:
            exchange.problem = failure.code
        blocked = BlockedRequest(
            failure=failure,
            method=self._hop.method,
            url=str(self._hop.url),
            first_url=str(self._urls[0]),
            page=self._page.origin,
            origin=origin or self._origin,
            status=None if exchange is None else status_of(exchange),
        )
        return CORSError(blocked, exchange)
