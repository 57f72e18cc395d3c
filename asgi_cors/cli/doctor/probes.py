"""Probes: more requests to the same URL, as other origins, as a sandboxed page, and without Origin.

A probe changes nothing on the server: it is a GET, a HEAD or an OPTIONS. The probes as other origins show risks. The
comparisons differ from the blocked request in one fact, so that a difference between the responses shows the cause.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors._origins.origin import registrable_domain

from .evidence import ALLOW_ORIGIN

if TYPE_CHECKING:
    from .evidence import Evidence, ServerResponse

ATTACKER: Final = "asgi-cors-doctor.example"

# The names of the probes, as the progress shows them.
ANOTHER_SITE: Final = "as another site"
NULL: Final = "as a sandboxed page"
SUFFIX: Final = "as an origin that begins with the page's"
PREFIX: Final = "as an origin that ends with the page's domain"
TRUNCATED: Final = "as the page's origin without its last letter"
DOT: Final = "as an origin with a letter instead of a dot"
SUBDOMAIN: Final = "as a subdomain of the page's host"
SIBLING: Final = "as another subdomain of the page's site"
DOWNGRADED: Final = "as the same host over http"
NO_ORIGIN: Final = "without Origin"
OWN_ORIGIN: Final = "as the API's own page"
PLAIN_GET: Final = "with a plain GET"
UNCACHED: Final = "past the caches"
UNKNOWN_PATH: Final = "at an unknown path"
PREFLIGHT: Final = "as a preflight"
PREFLIGHT_FOR_GET: Final = "as a preflight for GET"
PREFLIGHT_WITHOUT_HEADERS: Final = "as a preflight without the script's headers"
NO_ORIGIN_OPTIONS: Final = "as OPTIONS without Origin"
NO_COOKIES: Final = "without cookies"
TARGET: Final = "at the redirect's target"
PRIMING: Final = "with another origin, past the caches"
PRIMED: Final = "with two origins, past the caches"

_REDIRECTS: Final = {301, 302, 303, 307, 308}
_SERVER_ERROR: Final = 500
_COMMON_HEADERS: Final = {"accept": "*/*", "user-agent": "asgi-cors doctor"}


# Headers that a comparison sets itself, or that the client sets.
_NOT_REPEATED: Final = {
    *("origin", "host", "content-length", "access-control-request-method", "access-control-request-headers"),
    *("referer", "sec-fetch-site"),
}
_FETCH_SITE: Final = "sec-fetch-site"


def own_origin(url: httpx.URL) -> str:
    """Return the origin of a URL, as a page of the API itself has it."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def hostile_origins(origin: str) -> dict[str, str]:
    """Return origins that a careless check mistakes for `origin`, by the name of their probe."""
    hostile = {ANOTHER_SITE: f"https://{ATTACKER}"}
    if origin == "null":
        return hostile
    hostile[NULL] = "null"
    scheme, _, authority = origin.partition("://")
    host = httpx.URL(origin).raw_host.decode("ascii")
    hostile[SUFFIX] = f"{scheme}://{host}.{ATTACKER}"
    if origin[-2].isalnum() and origin[-1].isalnum():
        hostile[TRUNCATED] = origin[:-1]
    if scheme == "https":
        hostile[DOWNGRADED] = f"http://{authority}"
    if host.replace(".", "").isdigit() or "." not in host:
        return hostile
    domain = registrable_domain(host) or host
    hostile[PREFIX] = f"{scheme}://attacker{domain}"
    hostile[DOT] = f"{scheme}://{host.replace('.', 'x', 1)}"
    hostile[SUBDOMAIN] = f"{scheme}://attacker.{authority}"
    hostile[SIBLING] = f"{scheme}://attacker.{domain}"
    return {name: value for name, value in hostile.items() if value != origin}


def build_probes(evidence: Evidence) -> Iterator[tuple[str, httpx.Request]]:
    """Yield the probes that help to explain this evidence, each with its name."""
    question, blocked = evidence.question, evidence.blocked
    if question.is_handshake:
        for name, origin in hostile_origins(question.origin).items():
            yield name, _handshake(evidence, origin)
        if not evidence.is_allowed:
            yield OWN_ORIGIN, _handshake(evidence, own_origin(evidence.exchanges[0].request.url))
            yield NO_ORIGIN, _handshake(evidence, "")
        return
    for name, origin in hostile_origins(question.origin).items():
        safe, url = question.is_safe, httpx.URL(question.url)
        yield name, _get(question.url, origin, evidence) if safe else _preflight(evidence, origin, url=url)
    if question.is_safe:
        yield NO_ORIGIN, _repeat(evidence, None)
    if blocked is None:
        yield from _past_the_caches(evidence)
        return
    if evidence.is_preflight or not question.is_safe:
        yield PLAIN_GET, _get(str(blocked.request.url), question.origin, evidence)
    if evidence.code in {"MissingAllowOriginHeader", "InvalidStatus"}:
        yield from _preflight_comparisons(evidence) if evidence.is_preflight else _comparisons(evidence)
    yield from _elsewhere(evidence, blocked)


def _comparisons(evidence: Evidence) -> Iterator[tuple[str, httpx.Request]]:
    """Yield requests that differ from the blocked one in Origin, in the method or in the cookies."""
    question, own = evidence.question, own_origin(_blocked_url(evidence))
    yield OWN_ORIGIN, _repeat(evidence, own) if question.is_safe else _preflight(evidence, own)
    yield NO_ORIGIN_OPTIONS, _preflight(evidence, None)
    if evidence.preflight is None:
        yield PREFLIGHT, _preflight(evidence, question.origin)
    if not question.is_safe:
        yield NO_ORIGIN, _get(str(_blocked_url(evidence)), None, evidence)
    elif question.cookies:
        yield NO_COOKIES, _repeat(evidence, question.origin, cookies=False)


def _preflight_comparisons(evidence: Evidence) -> Iterator[tuple[str, httpx.Request]]:
    """Yield preflights that differ from the blocked one in Origin, in the requested method or headers."""
    origin, url = evidence.question.origin, _blocked_url(evidence)
    yield OWN_ORIGIN, _preflight(evidence, own_origin(url))
    yield NO_ORIGIN_OPTIONS, _preflight(evidence, None)
    yield PREFLIGHT_FOR_GET, _preflight(evidence, origin, method="GET", headers=False)
    if _requested_headers(evidence):
        yield PREFLIGHT_WITHOUT_HEADERS, _preflight(evidence, origin, headers=False)


def _elsewhere(evidence: Evidence, blocked: ServerResponse) -> Iterator[tuple[str, httpx.Request]]:
    """Yield requests to other URLs: past the caches, at an unknown path, and at the target of a redirect."""
    question, url = evidence.question, blocked.request.url
    if question.is_safe and blocked.is_ok and not evidence.is_preflight:
        yield UNCACHED, _repeat(evidence, question.origin, url=_fresh(url))
    if len(blocked.values(ALLOW_ORIGIN)) > 1 or blocked.status >= _SERVER_ERROR:
        yield UNKNOWN_PATH, _get(str(url.copy_with(path=f"/{ATTACKER}", query=None)), question.origin, evidence)
    target = _redirect_target(evidence, blocked)
    if target is not None:
        if question.is_safe:
            yield TARGET, _get(str(target), question.origin, evidence)
        else:
            yield TARGET, _preflight(evidence, question.origin, url=target)


def _past_the_caches(evidence: Evidence) -> Iterator[tuple[str, httpx.Request]]:
    """Yield two requests with two origins to one fresh URL, so that a cache returns the first response for the second.

    No user requests this URL, so no user receives the response that the cache stores.
    """
    question, responses = evidence.question, evidence.main_responses
    names_origin = bool(responses) and responses[-1].allowed_origin not in {None, "*"}
    if question.is_safe and names_origin and not evidence.is_redirected:
        fresh = _fresh(httpx.URL(question.url))
        yield PRIMING, _get(fresh, f"https://{ATTACKER}", evidence)
        yield PRIMED, _get(fresh, question.origin, evidence)


def _fresh(url: httpx.URL) -> str:
    """Return a URL with a query that no cache has seen."""
    return str(url.copy_merge_params({"asgi-cors-doctor": secrets.token_hex(8)}))


def _redirect_target(evidence: Evidence, blocked: ServerResponse) -> httpx.URL | None:
    """Return the URL that a blocked redirect leads to, or the one that a followed redirect led to, or None."""
    if blocked.status in _REDIRECTS and not evidence.is_preflight:
        target = blocked.redirect_target
        is_http = target is not None and target.scheme in {"http", "https"}
        return target if target is not None and is_http and target.host and not target.userinfo else None
    return blocked.request.url if evidence.is_redirected else None


def _blocked_url(evidence: Evidence) -> httpx.URL:
    """Return the URL of the blocked response, or else of the question."""
    return evidence.blocked.request.url if evidence.blocked else httpx.URL(evidence.question.url)


def _requested_headers(evidence: Evidence) -> str:
    """Return Access-Control-Request-Headers of the browser's preflight, or ""."""
    requests = (exchange.request for exchange in evidence.exchanges if exchange.kind == "preflight")
    return next((request.headers.get("access-control-request-headers", "") for request in requests), "")


def _fetch_metadata(evidence: Evidence, origin: str | None, url: httpx.URL | str) -> dict[str, str]:
    """Return the headers `Sec-Fetch-*` of a script's request, if the browser's own request has them.

    A server with a policy by Fetch Metadata would otherwise treat a comparison differently.
    """
    first = evidence.exchanges[0].request.headers if evidence.exchanges else httpx.Headers()
    if _FETCH_SITE not in first or origin is None:
        return {}
    relation = "same-origin" if origin == own_origin(httpx.URL(url)) else "cross-site"
    site = first[_FETCH_SITE] if origin == evidence.question.origin else relation
    others = {name: first[name] for name in ("sec-fetch-mode", "sec-fetch-dest") if name in first}
    return {_FETCH_SITE: site} | others


def _get(url: str, origin: str | None, evidence: Evidence) -> httpx.Request:
    named = {"origin": origin} if origin else {}
    return httpx.Request("GET", url, headers=_COMMON_HEADERS | named | _fetch_metadata(evidence, origin, url))


def _repeat(evidence: Evidence, origin: str | None, *, cookies: bool = True, url: str = "") -> httpx.Request:
    """Return the question's request with another Origin, or without one. The other headers are those of the script."""
    target = url or _blocked_url(evidence)
    first = evidence.exchanges[0].request if evidence.exchanges else _get(evidence.question.url, None, evidence)
    dropped = _NOT_REPEATED if cookies else _NOT_REPEATED | {"cookie"}
    headers = [(name, value) for name, value in first.headers.multi_items() if name.lower() not in dropped]
    requested = _requested_headers(evidence).split(",") if evidence.is_preflight else []
    headers += [(name, value) for name, value in evidence.question.headers if name.lower() in requested]
    headers += [("origin", origin)] if origin else []
    headers += [
        (_FETCH_SITE, site) for name, site in _fetch_metadata(evidence, origin, target).items() if name == _FETCH_SITE
    ]
    return httpx.Request(evidence.question.method.upper(), target, headers=headers)


def _preflight(
    evidence: Evidence,
    origin: str | None,
    *,
    method: str = "",
    headers: bool = True,
    url: httpx.URL | None = None,
) -> httpx.Request:
    """Return a preflight for the question, with another Origin or without one."""
    sent = _COMMON_HEADERS | {"access-control-request-method": method or evidence.question.method}
    sent |= {"origin": origin} if origin else {}
    requested = _requested_headers(evidence) if headers else ""
    sent |= {"access-control-request-headers": requested} if requested else {}
    target = url or _blocked_url(evidence)
    return httpx.Request("OPTIONS", target, headers=sent | _fetch_metadata(evidence, origin, target))


def _handshake(evidence: Evidence, origin: str) -> httpx.Request:
    """Return the handshake with another origin, or without one."""
    first = evidence.exchanges[0].request
    changed = {"origin", "referer", _FETCH_SITE}
    headers = [(name, value) for name, value in first.headers.multi_items() if name.lower() not in changed]
    site = _fetch_metadata(evidence, origin or None, first.url).get(_FETCH_SITE)
    added = {"origin": origin, _FETCH_SITE: site or ""}
    return httpx.Request(
        "GET", first.url, headers=[*headers, *((name, value) for name, value in added.items() if value)]
    )
