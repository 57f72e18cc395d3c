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

from asgi_cors._origins.origin import is_loopback, parse_origin

from .decision import CROSS_SITE_REQUEST, Decision, Outcome, decide
from .request import SAME_ORIGIN_SITES, Request, is_internal_host, is_server_origin

if TYPE_CHECKING:
    from asgi_cors._policy.policy import Policy

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_REFERER_ORIGIN: Final = re.compile(rb"(https?://[^/?#@\\\s]+)(?:[/?#]\S*)?")


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
    if request.method in SAFE_METHODS or _is_from_server(request):
        return None
    if cors.allowed and _may_act(policy, request):
        return None
    found = check_trusted(policy, request, trusted=trusted)
    if found is None or found.outcome is Outcome.LOOKUP:
        return found
    return cors._replace(outcome=Outcome.REFUSED, reason=CROSS_SITE_REQUEST, status=403)


def check_trusted(policy: Policy, request: Request, *, trusted: bool | None = None) -> Decision | None:
    """Return None if the origin is one of `csrf_trusted_origins`; else a decision, as `check_sender` does."""
    trusting = policy.compiled.trusted
    refusal = Decision(Outcome.REFUSED, CROSS_SITE_REQUEST)
    if trusting is None or request.origin is None or request.origin.strip(b" \t") == b"null":
        return refusal
    decision = decide(trusting, request, granted=trusted)
    if decision.outcome is Outcome.LOOKUP:
        return decision
    return None if decision.allowed else refusal


def _may_act(policy: Policy, request: Request) -> bool:
    """Return whether an origin that `allow_origins` allows may send a request with these credentials."""
    if policy.compiled.allows_any_origin or request.origin is None or request.origin.strip(b" \t") == b"null":
        return False
    return policy.allow_credentials or not request.has_ambient_credentials


def _is_from_server(request: Request) -> bool:
    """Return whether a page of the server's own origin, or no page at all, has sent the request."""
    if request.fetch_site is None:  # browsers since 2020 send Origin with these methods
        return request.origin is None or is_server_origin(request, request.origin)
    return request.fetch_site in SAME_ORIGIN_SITES and all(
        is_server_origin(request, page) or _is_behind_proxy(request, page) for page in _pages(request)
    )


def _pages(request: Request) -> list[bytes]:
    """Return the origins of a request's pages that its headers name: Origin and that of Referer."""
    referer = (request.referer or b"").strip(b" \t")
    match = _REFERER_ORIGIN.fullmatch(referer)
    pages = [request.origin, match[1].lower() if match else referer]
    return [page for page in pages if page and page != b"null"]


def _is_behind_proxy(request: Request, page: bytes) -> bool:
    """Return whether a proxy has replaced Host, so that there is nothing to compare with."""
    return bool(request.host) and is_internal_host(request, page)


def sender_hint(request: Request) -> str:
    """Return how the server's own pages get past the refusal, if the request seems to come from one; else empty."""
    page = parse_origin((request.origin or b"").strip(b" \t").decode("latin-1"))
    host = (request.host or b"")[:200].decode("latin-1")
    if request.origin == b"null" and request.fetch_site is None:
        return "If the page is your own, send it with Referrer-Policy: same-origin."
    is_own = request.fetch_site in SAME_ORIGIN_SITES or is_internal_host(request)
    if page is None or not is_own:
        return ""
    public = f"{page.scheme}://{page.host}{page.port and ':'}{page.port}"
    proxy = "Write 'proxy_set_header Host $host' there, or" if not is_loopback(page.host) else "Preserve Host there, or"
    return f"A proxy seems to change Host to {host!a}. {proxy} add {public!r} to csrf_trusted_origins."
