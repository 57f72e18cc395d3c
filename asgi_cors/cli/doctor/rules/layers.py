"""Causes between layers (two layers send a header, a cache, a redirect to another origin) and in credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, ALLOW_ORIGIN
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, UNCACHED, UNKNOWN_PATH
from asgi_cors.cli.doctor.recipes import CREDENTIALS, ONCE, VARY, recipe
from asgi_cors.cli.doctor.servers import detect_servers, proxy_headers
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy

from .rule import ORIGIN_CODES, VARIES, allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_CACHE_HEADERS: Final = ("age", "x-cache", "cf-cache-status", "x-cache-hits", "x-proxy-cache", "x-cache-status")


def redirected_to_another_origin(evidence: Evidence) -> Iterator[Finding]:
    """After a redirect to another origin, the page's origin is `null` (Fetch, HTTP-redirect fetch)."""
    response = evidence.blocked
    if response is None or evidence.code not in ORIGIN_CODES or not evidence.is_redirected:
        return
    if response.request.headers.get("origin") == "null" and evidence.question.origin != "null":
        yield Finding(
            "redirected-to-another-origin",
            f"The server redirects to another origin, {response.request.url}. From there on, browsers send 'Origin:"
            " null', so no list of origins helps.",
            f"Request {response.request.url} itself, or forward the request inside of the server.",
        )


def two_origin_headers(evidence: Evidence) -> Iterator[Finding]:
    """Two layers each send Access-Control-Allow-Origin."""
    response = evidence.blocked
    values = response.values(ALLOW_ORIGIN) if response else []
    if response and evidence.code in {"MultipleAllowOriginValues", "AllowOriginMismatch"} and len(values) > 1:
        yield Finding(
            "two-origin-fields",
            f"{len(values)} layers each send Access-Control-Allow-Origin: {', '.join(map(repr, values))}. Browsers"
            f" accept one, even if both are equal. {_attribute_values(evidence, response, values)}",
            "Send it from one layer only: the app, or the proxy before it.",
            recipe(ONCE, response),
            PolicyRemedy(
                advice="Leave CORS to the middleware, which replaces the app's headers. Remove it from the proxy."
            ),
        )


def _attribute_values(evidence: Evidence, response: ServerResponse, values: list[str]) -> str:
    """Return which layer sent which value, by their order, by the value for another Origin and at an unknown path."""
    first, last = values[0], values[-1]
    outer = next(iter(detect_servers(response)), "the outer layer")
    text = f"Proxies add theirs last: {last!r} comes from {outer}{proxy_headers(response)}, {first!r} from behind it."
    other = evidence.probes.get(ANOTHER_SITE)
    unchanged = other.values(ALLOW_ORIGIN) if other else []
    if (first in unchanged) != (last in unchanged):
        fixed, reflected = (first, last) if first in unchanged else (last, first)
        text += f" {fixed!r} is the same for every origin, {reflected!r} depends on it."
    unknown = evidence.probes.get(UNKNOWN_PATH)
    if unknown is not None and len(unknown.values(ALLOW_ORIGIN)) == 1:
        text += f" At an unknown path ({unknown.status}), only {unknown.values(ALLOW_ORIGIN)[0]!r} is sent."
    return text


def cached_for_another_origin(evidence: Evidence) -> Iterator[Finding]:
    """A cache returns a response that was made for another origin, or for none."""
    uncached, cached = evidence.probes.get(UNCACHED), evidence.blocked
    if uncached is None or cached is None or evidence.code not in ORIGIN_CODES or evidence.is_redirected:
        return
    if (
        uncached.allowed_origin not in {evidence.question.origin, "*"}
        or cached.allowed_origin == uncached.allowed_origin
    ):
        return
    signs = ", ".join(f"{name}: {cached.get(name)}" for name in _CACHE_HEADERS if cached.get(name) is not None)
    returned = (
        f"the response for {cached.allowed_origin!r}" if cached.allowed_origin else "the response for another request"
    )
    yield Finding(
        "cached-for-another-origin",
        f"A cache returns {returned}{f' ({signs})' if signs else ''}. Without the cache, the server allows this origin."
        + ("" if cached.varies_by_origin else " The response has no 'Vary: Origin', so the cache can't know."),
        "Send 'Vary: Origin' on every response of this URL, even without CORS headers. Then empty the cache.",
        recipe(VARY, cached),
        VARIES,
    )


def wildcard_with_credentials(evidence: Evidence) -> Iterator[Finding]:
    """`*` does not allow a request with credentials."""
    if evidence.code == "WildcardOriginNotAllowed":
        yield Finding(
            "wildcard-with-credentials",
            "The response allows '*', and the request has credentials. Browsers then require the origin itself.",
            f"Send 'Access-Control-Allow-Origin: {evidence.question.origin}' with 'Access-Control-Allow-Credentials:"
            " true'. Or send the request without credentials (credentials: 'omit', withCredentials = false).",
            recipe(CREDENTIALS, evidence.blocked, origin=evidence.question.origin),
            allow_origins(evidence),
        )


def credentials_not_true(evidence: Evidence) -> Iterator[Finding]:
    """Access-Control-Allow-Credentials is not exactly `true`."""
    values = evidence.blocked.values(ALLOW_CREDENTIALS) if evidence.blocked else []
    if evidence.code == "InvalidAllowCredentials" and values:
        twice = " Two layers send it." if len(values) > 1 else ""
        yield Finding(
            "credentials-not-true",
            f"Access-Control-Allow-Credentials is {', '.join(values)!r}. It must be 'true', in lower case and"
            f" once.{twice}",
            "Send 'Access-Control-Allow-Credentials: true'.",
            recipe(CREDENTIALS, evidence.blocked, origin=evidence.question.origin),
            allow_origins(evidence),
        )


def credentials_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The request has credentials, and the response does not allow them."""
    if evidence.code == "InvalidAllowCredentials":
        subject = "preflight's response" if evidence.is_preflight else "response"
        yield Finding(
            "credentials-not-allowed",
            f"The request has credentials, and the {subject} has no Access-Control-Allow-Credentials.",
            "Send 'Access-Control-Allow-Credentials: true', or send the request without credentials.",
            recipe(CREDENTIALS, evidence.blocked, origin=evidence.question.origin),
            allow_origins(evidence),
        )


LAYERS: Final = (redirected_to_another_origin, two_origin_headers, cached_for_another_origin)
CREDENTIALS_RULES: Final = (wildcard_with_credentials, credentials_not_true, credentials_not_allowed)
