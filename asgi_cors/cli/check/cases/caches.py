"""Caches: the browser's own, and those in front of the server. Each may return the response of another origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import REQUIRED, case
from asgi_cors.cli.check.expectation import OTHER_SITE
from asgi_cors.cli.doctor.evidence import ServerResponse
from asgi_cors.cli.doctor.recorder import Recorder

from .blocks import REQUEST_CASES

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session

_NEVER_FRESH: Final = re.compile(r"no-store|no-cache|max-age\s*=\s*\"?0+\b")
_MAX_AGE: Final = re.compile(r"max-age\s*=\s*\"?\d*[1-9]")
_WRITE: Final = "Send Vary: Origin on every response of the URL, with and without Origin; or Cache-Control: no-store."
_FRESH: Final = 200


def is_stored(response: ServerResponse) -> bool:
    """Return whether a browser stores a response, and uses it again without a request (RFC 9111, 4.2).

    A response with Last-Modified and no lifetime is fresh for a part of its age.
    """
    control = response.lower("cache-control")
    if response.status != _FRESH or _NEVER_FRESH.search(control):
        return False
    return bool(_MAX_AGE.search(control) or response.get("last-modified"))


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


def _read_after(session: Session, stored: ServerResponse, before: str) -> Iterator[str]:
    """Yield a problem if a script gets the stored response, which does not allow it."""
    if not is_stored(stored):
        control = stored.get("cache-control")
        why = f"its Cache-Control is {control!r}" if control else "it has no Cache-Control"
        session.skip(f"browsers do not cache the response: {why}.")
    origin = session.expectation.origins[-1]
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
    yield from _read_after(session, session.send("GET"), "without Origin")


@case(
    "cache-other-origin",
    REQUIRED,
    clauses.CACHES,
    "A script can read the response after a script of another declared origin has loaded it.",
    _WRITE,
    REQUEST_CASES,
)
def other_origin(session: Session) -> Iterator[str]:
    """Serve the response to the first origin from a cache to the last."""
    first, *others = session.expectation.origins
    if not others:
        session.skip("one origin is declared. Repeat --allow to check two.")
    yield from _read_after(session, session.fetch(first).response, f"to {first}")


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
