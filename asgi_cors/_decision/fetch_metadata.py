"""`csrf_protection`: whether another site may have forged a request.

Browsers say in Sec-Fetch-Site how the sender's origin is related to the server's, and no script can set that header.
Origin and Referer are compared, too, because some browsers send `same-origin` for another site's form that a service
worker forwards.

Limit: methods that only read, such as GET, are not checked, and neither are handshakes.

Sources: Fetch Metadata Request Headers, 2.4; Fetch, "append a request `Origin` header"; RFC 9110, 9.2.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from asgi_cors._origins.origin import is_loopback, parse_origin, registrable_domain

from .decision import CROSS_SITE_REQUEST, Decision, Outcome, decide
from .request import SAME_ORIGIN_SITES, Request, is_internal_host, is_internal_name, is_server_origin

if TYPE_CHECKING:
    from asgi_cors._origins.origin import Origin
    from asgi_cors._policy.policy import Policy

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_REFERER: Final = re.compile(rb"(https?://[^/?#@\\\s]+)(?:[/?#].*)?", re.DOTALL)


def check_sender(policy: Policy, request: Request, cors: Decision, *, trusted: bool | None = None) -> Decision | None:
    """Decide whether the sender of a request may send it.

    Args:
        policy: The policy that serves the request, which has `csrf_protection`.
        request: The request.
        cors: The decision of `decide` on it.
        trusted: Whether the callables among the trusted origins trust the origin; None if they have not been called.

    Returns:
        None if the request passes. Otherwise the refusal, with the CORS headers of `cors`. Its outcome is `LOOKUP` if
        the callables among the trusted origins must be called first.
    """
    if request.method in SAFE_METHODS or _is_from_server(request) or _may_act(policy, request, cors):
        return None
    found = check_trusted(policy, request, trusted=trusted)
    if found is None or found.outcome is Outcome.LOOKUP:
        return found
    return cors._replace(outcome=Outcome.REFUSED, reason=CROSS_SITE_REQUEST, status=403)


def check_trusted(policy: Policy, request: Request, *, trusted: bool | None = None) -> Decision | None:
    """Return None if the origin is one of `csrf_trusted_origins`; else a decision, as `check_sender` does."""
    trusting = policy.compiled.trusted
    refusal = Decision(Outcome.REFUSED, CROSS_SITE_REQUEST)
    if trusting is None or _is_opaque(request.origin):
        return refusal
    decision = decide(trusting, request, granted=trusted)
    if decision.outcome is Outcome.LOOKUP:
        return decision
    return None if decision.allowed else refusal


def _may_act(policy: Policy, request: Request, cors: Decision) -> bool:
    """Return whether `allow_origins` lets the origin send a request with these credentials."""
    if not cors.allowed or policy.compiled.allows_any_origin or _is_opaque(request.origin):
        return False
    return policy.allow_credentials or not request.has_ambient_credentials


def _is_opaque(origin: bytes | None) -> bool:
    """Return whether a request names no origin, or `null`, which many pages share."""
    return origin is None or origin.strip(b" \t") == b"null"


def _is_from_server(request: Request) -> bool:
    """Return whether a page of the server's own origin, or no page at all, has sent the request."""
    if request.fetch_site is None:  # browsers since 2020 send Origin with these methods
        return request.origin is None or is_server_origin(request, request.origin)
    if request.fetch_site not in SAME_ORIGIN_SITES or _is_forwarded(request):
        return False
    pages = [] if _is_opaque(request.origin) else [request.origin or b""]  # `null`: Referrer-Policy: no-referrer
    pages += [referer_origin(request.referer)] if request.referer else []
    return all(is_server_origin(request, page) or is_internal_host(request, page) for page in pages)


def _is_forwarded(request: Request) -> bool:
    """Return whether a service worker of the server forwards the form of a page that it does not name.

    Firefox sends this also if the page belongs to another site, under `Referrer-Policy: no-referrer` or `same-origin`.
    """
    return request.origin_text == "null" and request.fetch_mode == b"same-origin"


def referer_origin(referer: bytes) -> bytes:
    """Return the origin of a Referer value; the value itself if it is not an http or https URL."""
    match = _REFERER.fullmatch(referer.strip(b" \t"))
    return match[1].lower() if match else referer


def sender_hint(request: Request) -> str:
    """Return the correction for a page of the server's own; empty if the request does not seem to come from one.

    The page may still be another site's, so its origin is named as one to trust only if it is likely to be the user's.
    """
    if request.origin_text == "null" and (request.fetch_site is None or _is_forwarded(request)):
        return "If the page is your own, send it with 'Referrer-Policy: same-origin'."
    page = parse_origin(request.origin_text)
    seems_own = request.fetch_site in SAME_ORIGIN_SITES or (request.fetch_site is None and is_internal_host(request))
    if page is None or not seems_own or is_server_origin(request, request.origin or b""):
        return ""
    is_development = is_loopback(page.host)
    proxy = (
        "Preserve Host in it (Vite: changeOrigin: false)" if is_development else "Write 'proxy_set_header Host $host'"
    )
    trusted = f", or csrf_trusted_origins=[{request.origin_text!r}]" if _is_likely_own(request, page) else ""
    host = (request.host or b"")[:200].decode("latin-1")
    return f"The Host received is {host!a}. If the page is your own, a proxy changes Host. {proxy}{trusted}."


def _is_likely_own(request: Request, page: Origin) -> bool:
    """Return whether a page and the server probably have the same owner, and a policy accepts the page's origin."""
    if is_loopback(page.host):
        return True
    host = re.sub(r":[0-9]*$", "", (request.host or b"").decode("latin-1").lower())
    return page.scheme == "https" and (is_internal_name(request.host) or _have_same_owner(page.host, host))


def _have_same_owner(first: str, second: str) -> bool:
    """Return whether two hosts are the same, or below the same registrable domain."""
    if first == second:
        return True
    if first.split(".")[-2:] != second.split(".")[-2:]:  # without a search in the list of suffixes
        return False
    domain = registrable_domain(first)
    return domain is not None and domain == registrable_domain(second) and not domain[-1:].isdecimal()
