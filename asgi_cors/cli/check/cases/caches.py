"""Caches: the browser's own, and those in front of the server. Each may return the response of another origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors._origins.origin import parse_origin, registrable_domain
from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import REQUIRED, case
from asgi_cors.cli.check.expectation import OTHER_SITE
from asgi_cors.cli.doctor.evidence import ServerResponse
from asgi_cors.cli.doctor.recorder import Recorder

from .blocks import REQUEST_CASES

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session

_NEVER_FRESH: Final = re.compile(r"no-store|no-cache")
_MAX_AGE: Final = re.compile(r"(?<![\w-])max-age\s*=\s*\"?(\d+)")
_WRITE: Final = "Send Vary: Origin on every response of the URL, with and without Origin; or Cache-Control: no-store."
_FRESH: Final = 200


def is_stored(response: ServerResponse) -> bool:
    """Return whether a browser stores a response, and uses it again without a request (RFC 9111, 4.2).

    A response with Last-Modified and no lifetime is fresh for a tenth of its age, unless it has must-revalidate.
    """
    control = response.lower("cache-control")
    if response.status != _FRESH or _NEVER_FRESH.search(f"{control},{response.lower('pragma')}"):
        return False
    age = response.get("age") or ""
    return _lifetime(response, control) > (int(age) if age.isdecimal() else 0)


def _lifetime(response: ServerResponse, control: str) -> float:
    """Return the seconds for which a response is fresh."""
    max_age = _MAX_AGE.search(control)
    if max_age:
        return int(max_age[1])
    date = _date(response, "date") or datetime.now(UTC)
    if response.get("expires") is not None:
        expires = _date(response, "expires")
        return (expires - date).total_seconds() if expires else 0
    modified = _date(response, "last-modified")
    return (date - modified).total_seconds() / 10 if modified and "must-revalidate" not in control else 0


def _date(response: ServerResponse, name: str) -> datetime | None:
    """Return the date of a header, or None if it is missing or malformed."""
    try:
        date = parsedate_to_datetime(response.get(name) or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


class BrowserCache(httpx.BaseTransport):
    """Return a stored response, unless its Vary has Origin, as the HTTP cache of Chromium and Firefox.

    Args:
        stored: The response that an earlier request of another origin has left.
        inner: The transport for all requests that the cache cannot serve.
    """

    def __init__(self, stored: ServerResponse, inner: httpx.BaseTransport) -> None:
        """Store the response."""
        self._stored = stored
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the stored response, or send the request."""
        if request.method != "GET" or self._stored.varies_by_origin:
            return self._inner.handle_request(request)
        return httpx.Response(self._stored.status, headers=self._stored.raw.headers.raw)


def _read_after(session: Session, stored: ServerResponse, before: str, origin: str) -> Iterator[str]:
    """Yield a problem if a script gets the stored response, which does not allow it."""
    if not is_stored(stored):
        control = stored.get("cache-control")
        why = f"its Cache-Control is {control!r}" if control else "it has no Cache-Control"
        session.skip(f"browsers do not cache the response: {why}.")
    credentials = session.expectation.credentials
    cache = BrowserCache(stored, Recorder(session.guard))
    step = session.run_script(origin, "GET", (), cache, credentials=credentials)
    session.steps.append(step)
    if not step.is_allowed:
        yield f"If the browser has cached the response {before}, {step.verdict}"


@case(
    "cache-without-origin",
    REQUIRED,
    clauses.CACHES,
    "A script can read the response after an image or a link has loaded the same URL.",
    _WRITE,
    REQUEST_CASES,
)
def without_origin(session: Session) -> Iterator[str]:
    """Serve the response without Origin from the browser's cache."""
    yield from _read_after(session, session.send("GET"), "without Origin", session.expectation.origins[-1])


@case(
    "cache-other-origin",
    REQUIRED,
    clauses.CACHES,
    "A script can read the response after a script of another declared origin of its site has loaded it.",
    _WRITE,
    REQUEST_CASES,
)
def other_origin(session: Session) -> Iterator[str]:
    """Serve the response to an origin from a cache to another one. Browsers have a cache for each site."""
    origins = session.expectation.origins
    if len(origins) == 1:
        session.skip("one origin is declared. Repeat --allow to check two.")
    pairs = [pair for pair in pairwise(sorted(origins, key=_site)) if _site(pair[0]) == _site(pair[1])]
    if not pairs:
        session.skip("the declared origins are of different sites, and browsers have a cache for each.")
    for first, second in pairs:
        yield from _read_after(session, session.fetch(first).response, f"to {first}", second)


def _site(origin: str) -> str:
    """Return the scheme and registrable domain, by which browsers partition their caches."""
    parsed = parse_origin(origin)
    return origin if parsed is None else f"{parsed.scheme}://{registrable_domain(parsed.host) or parsed.host}"


@case(
    "cache-shared",
    REQUIRED,
    clauses.STORED,
    "A cache in front of the server does not return the response of another origin.",
    "Let the cache respect Vary, or put Origin into its key; or send Cache-Control: private.",
    REQUEST_CASES,
)
def shared(session: Session) -> Iterator[str]:
    """Send requests without Origin, of another site and of each allowed origin to a URL that no cache has."""
    session.fresh_queries += 1
    url = httpx.URL(session.expectation.http_url)
    query = f"asgi-cors-check={id(session):x}-{session.fresh_queries}".encode()
    fresh = str(url.copy_with(query=url.query + (b"&" if url.query else b"") + query))
    session.send("GET", url=fresh)
    session.send("GET", ("origin", OTHER_SITE), url=fresh)
    for origin in session.expectation.origins:
        step = session.fetch(origin, url=fresh)
        if not step.is_allowed:
            yield f"After requests of other origins to a new URL, {step.verdict}"


CASES: Final = (without_origin, other_origin, shared)
