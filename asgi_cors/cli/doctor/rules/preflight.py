"""Causes that stop a preflight before its lists are checked: its status, a redirect, or no CORS header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.doctor.probes import PLAIN_GET
from asgi_cors.cli.doctor.recipes import PREFLIGHT, recipe
from asgi_cors.cli.doctor.servers import detect_proxy, proxy_headers
from asgi_cors.cli.findings import Finding

from .comparison import another_allowed_origin
from .gateways import is_gateway_error, is_too_large
from .logins import leads_to_login
from .rule import FORWARD_SCHEME, OUTERMOST, SERVER_ERROR, is_downgrade

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse


def _preflight(evidence: Evidence, code: str) -> ServerResponse | None:
    """Return the response to the preflight if the browser blocks it with this code."""
    return evidence.blocked if evidence.is_preflight and evidence.code == code else None


def _redirect(evidence: Evidence) -> ServerResponse | None:
    return _preflight(evidence, "DisallowedRedirect")


def _failed_preflight(evidence: Evidence) -> ServerResponse | None:
    """Return the response to the preflight if its status is an error, even if it allows the origin."""
    response = evidence.blocked if evidence.is_preflight else None
    return response if response and not response.is_ok and evidence.code != "DisallowedRedirect" else None


def _location(response: ServerResponse) -> httpx.URL:
    try:
        return response.request.url.join(response.get("location") or "")
    except httpx.InvalidURL:
        return response.request.url


def preflight_redirected_to_login(evidence: Evidence) -> Iterator[Finding]:
    """Authentication redirects OPTIONS to a login page."""
    response = _redirect(evidence)
    location = (response.get("location") or "") if response else ""
    if response and leads_to_login(response.request.url, location):
        yield Finding(
            "preflight-redirected-to-login",
            f"Authentication redirects the preflight (OPTIONS) to {location}. A preflight never carries cookies, so it"
            " is never logged in.",
            "Let OPTIONS pass before authentication, or run CORS outside of it.",
            recipe(PREFLIGHT, response),
            OUTERMOST,
        )


def preflight_redirected_to_https(evidence: Evidence) -> Iterator[Finding]:
    """The page requests http, and the server redirects to https."""
    response = _redirect(evidence)
    if response is None:
        return
    before, after = response.request.url, _location(response)
    if before.scheme == "http" and after.scheme == "https" and before.host == after.host:
        yield Finding(
            "preflight-redirected-to-https",
            f"The server redirects OPTIONS from http to https ({after}). Browsers do not follow redirects of a"
            " preflight.",
            f"Request {after}.",
        )


def preflight_redirected_for_slash(evidence: Evidence) -> Iterator[Finding]:
    """The router redirects to the same path with, or without, a slash."""
    response = _redirect(evidence)
    if response is None:
        return
    before, after = response.request.url, _location(response)
    if before.path.rstrip("/") == after.path.rstrip("/") and before.path != after.path:
        lost = is_downgrade(before, after)
        to_http = " It also redirects from https to http." if lost else ""
        forward = f" {FORWARD_SCHEME}" if lost else ""
        target = after.copy_with(scheme="https") if lost else after
        yield Finding(
            "preflight-redirected-for-slash",
            f"The router redirects OPTIONS from {before.path} to {after.path}. Browsers do not follow redirects of a"
            f" preflight.{to_http}",
            f"Request {target}, or respond to preflights before the router.{forward}",
            recipe(PREFLIGHT, response),
            OUTERMOST,
        )


def preflight_redirected_to_http(evidence: Evidence) -> Iterator[Finding]:
    """The app redirects to http, because it does not know that its proxy terminates TLS."""
    response = _redirect(evidence)
    if response and is_downgrade(response.request.url, _location(response)):
        yield Finding(
            "redirected-to-http",
            f"The server redirects OPTIONS from https to {_location(response)}. Browsers do not follow redirects of a"
            " preflight.",
            FORWARD_SCHEME,
            recipe(PREFLIGHT, response),
            OUTERMOST,
        )


def preflight_redirected(evidence: Evidence) -> Iterator[Finding]:
    """OPTIONS is redirected to another place."""
    if response := _redirect(evidence):
        yield Finding(
            "preflight-redirected",
            f"The server redirects OPTIONS ({response.status}) to {response.get('location')}. Browsers do not follow"
            " redirects of a preflight.",
            "Request the final URL, or respond to OPTIONS without a redirect.",
            recipe(PREFLIGHT, response),
            OUTERMOST,
        )


def preflight_needs_login(evidence: Evidence) -> Iterator[Finding]:
    """Authentication responds to OPTIONS with 401, 403 or 407."""
    response = _failed_preflight(evidence)
    if response is None or response.status not in {401, 403, 407} or _is_not_forwarded(response):
        return
    proxy = detect_proxy(response) if response.status == 403 else ""  # noqa: PLR2004 - the status of firewalls
    by = f" {proxy} is in front of the app{proxy_headers(response)} and may be the layer that refuses." if proxy else ""
    yield Finding(
        "preflight-needs-login",
        f"Authentication or a firewall responds to the preflight with {response.status}, before CORS. A preflight never"
        f" carries cookies, Authorization or an API key.{by}",
        "Let OPTIONS pass before authentication, or run CORS outside of it.",
        recipe(PREFLIGHT, response),
        OUTERMOST,
    )


def _is_not_forwarded(response: ServerResponse) -> bool:
    """Return whether a gateway says by a 403 that it has no route for OPTIONS."""
    is_unknown = response.get("x-amzn-errortype") == "MissingAuthenticationTokenException"  # API Gateway
    return is_unknown or "is not configured to allow the HTTP request method" in response.text  # CloudFront


def preflight_not_routed(evidence: Evidence) -> Iterator[Finding]:
    """The router responds to OPTIONS with 404, 405, 410 or 501."""
    response = _failed_preflight(evidence)
    if response is None or not (response.status in {404, 405, 410, 501} or _is_not_forwarded(response)):
        return
    allow = f" (Allow: {response.get('allow')})" if response.get("allow") else ""
    missing = "does not exist" if response.status in {404, 410} else f"does not accept OPTIONS{allow}"
    plain = evidence.probes.get(PLAIN_GET)
    also = " The response to a plain GET has no CORS header either." if plain and not plain.has_cors else ""
    yield Finding(
        "preflight-not-routed",
        f"The router responds to the preflight with {response.status}: the path {missing}. No CORS middleware runs"
        f" before the router.{also}",
        "Respond to OPTIONS with 204 and the CORS headers before the router, and check the path.",
        recipe(PREFLIGHT, response),
        OUTERMOST,
    )


def preflight_stopped_by_gateway(evidence: Evidence) -> Iterator[Finding]:
    """A proxy or a rate limit responds to OPTIONS itself."""
    response = _failed_preflight(evidence)
    if response is None or not is_gateway_error(response):
        return
    proxy = detect_proxy(response) or "a proxy or a limit before the app"
    reasons = {408: "waits for the rest of it", 429: "counts it against a rate limit"}
    reason = reasons.get(response.status, "can't forward it, or gets no response from the app")
    reason = "finds it too large" if is_too_large(response) else reason
    yield Finding(
        "gateway-error",
        f"The app never received the preflight: {proxy} {reason} and responds with {response.status} itself"
        f"{proxy_headers(response)}.",
        "Look at that layer, not at CORS. Is the app running? Exclude OPTIONS from rate limits.",
    )


def preflight_crashed(evidence: Evidence) -> Iterator[Finding]:
    """A handler crashes on OPTIONS."""
    response = _failed_preflight(evidence)
    if response and response.status >= SERVER_ERROR:
        yield Finding(
            "preflight-crashed",
            f"The server crashes on the preflight ({response.status}). A handler or middleware does not expect"
            " OPTIONS.",
            "Look up this OPTIONS request in the server's log, and respond to preflights before the code that fails.",
            recipe(PREFLIGHT, response),
            OUTERMOST,
        )


def preflight_bad_status(evidence: Evidence) -> Iterator[Finding]:
    """The status is another one outside of 200 to 299."""
    if response := _failed_preflight(evidence):
        yield Finding(
            "preflight-bad-status",
            f"The status of the preflight's response is {response.status}. Browsers accept only 200 to 299.",
            "Respond to OPTIONS with 204 and the CORS headers.",
            recipe(PREFLIGHT, response),
            OUTERMOST,
        )


def preflight_not_answered(evidence: Evidence) -> Iterator[Finding]:
    """The app responds to OPTIONS itself, although other responses have CORS headers."""
    response = _preflight(evidence, "MissingAllowOriginHeader")
    plain = evidence.probes.get(PLAIN_GET)
    if response and plain and plain.allowed_origin is not None and not another_allowed_origin(evidence, "OPTIONS"):
        yield Finding(
            "preflight-not-answered",
            f"The response to GET has CORS headers, the response to OPTIONS ({response.status}) has none. The app's"
            " own OPTIONS handler responds to the preflight.",
            "Send the CORS headers on OPTIONS as well, with the allowed methods and headers.",
            recipe(PREFLIGHT, response),
            OUTERMOST,
        )


REDIRECTS: Final = (
    preflight_redirected_to_login,
    preflight_redirected_to_https,
    preflight_redirected_for_slash,
    preflight_redirected_to_http,
    preflight_redirected,
)
STATUSES: Final = (
    preflight_needs_login,
    preflight_not_routed,
    preflight_stopped_by_gateway,
    preflight_crashed,
    preflight_bad_status,
)
NOT_ANSWERED: Final = (preflight_not_answered,)
