"""Causes between layers (a header sent twice, a cache, a redirect to another origin) and in credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, ALLOW_ORIGIN
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, TARGET, UNCACHED, UNKNOWN_PATH
from asgi_cors.cli.doctor.recipes import CREDENTIALS, ONCE, VARY, recipe
from asgi_cors.cli.doctor.servers import PROXIES, detect_servers
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy

from .rule import ORIGIN_CODES, VARIES, allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

CACHE_HEADERS: Final = (
    "age",
    "x-cache",
    "cf-cache-status",
    "x-cache-hits",
    "x-proxy-cache",
    "x-cache-status",
    "cache-status",
)


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
            redirect_advice(evidence, str(response.request.url)),
        )


def redirect_advice(evidence: Evidence, url: str) -> str:
    """Return the change for a redirect. The page can request the target itself only if the target allows it."""
    target = evidence.probes.get(TARGET)
    inside = "let the server forward the request instead of redirecting it"
    if target is None:
        return f"Request {url} itself if it allows the page, or {inside}."
    if target.allowed_origin in {evidence.question.origin, "*"}:
        return f"Request {url} itself: it allows this page. Or {inside}."
    return (
        f"Requesting {url} itself is not enough: it does not allow this page either ({target.status}). Send the"
        f" CORS headers there as well (for a bucket or CDN, in its settings), or {inside}."
    )


def two_origin_headers(evidence: Evidence) -> Iterator[Finding]:
    """Access-Control-Allow-Origin is sent twice, by one app or by two layers."""
    response = evidence.blocked
    values = _sent_values(response) if response and evidence.code in ORIGIN_CODES else []
    if response and len(values) > 1:
        joined = ", joined in one line" if len(response.values(ALLOW_ORIGIN)) == 1 else ""
        yield Finding(
            "two-origin-fields",
            f"The response has Access-Control-Allow-Origin {len(values)} times{joined}: {', '.join(map(repr, values))}."
            f" Browsers accept one, even if both are equal. {_attribute_values(evidence, values)}",
            "Send it from one place only: the app's CORS library, its own code, or the proxy before it.",
            recipe(ONCE, response),
            PolicyRemedy(
                advice="Leave CORS to the middleware, which replaces the app's headers. Remove it from the proxy."
            ),
        )


def _sent_values(response: ServerResponse) -> list[str]:
    """Return the values of Access-Control-Allow-Origin. Some layers join those of two headers in one line."""
    lines = response.values(ALLOW_ORIGIN)
    parts = [part.strip() for part in lines[0].split(",")] if len(lines) == 1 else []
    is_joined = len(parts) > 1 and ("*" in parts or len(set(parts)) < len(parts))
    return parts if is_joined else lines


def _attribute_values(evidence: Evidence, values: list[str]) -> str:
    """Return which layer sent which value, if a response to another request shows it."""
    facts = [*_shown_by_another_origin(evidence, values), *_shown_by_an_unknown_path(evidence, values)]
    return " ".join(facts) or "One app can send both, or two layers: no response shows which."


def _shown_by_another_origin(evidence: Evidence, values: list[str]) -> Iterator[str]:
    """Yield the value that is fixed and the one that depends on Origin."""
    other = evidence.probes.get(ANOTHER_SITE)
    unchanged = set(_sent_values(other)) if other and other.values(ALLOW_ORIGIN) else set[str]()
    fixed = [value for value in dict.fromkeys(values) if value in unchanged]
    reflected = [value for value in dict.fromkeys(values) if value not in unchanged]
    if fixed and reflected:
        yield f"{fixed[0]!r} is the same for every origin, {reflected[0]!r} depends on it."


def _shown_by_an_unknown_path(evidence: Evidence, values: list[str]) -> Iterator[str]:
    """Yield the value that is sent for a path that no route has."""
    unknown = evidence.probes.get(UNKNOWN_PATH)
    sent = _sent_values(unknown) if unknown and unknown.values(ALLOW_ORIGIN) else []
    if unknown is None or len(sent) != 1:
        return
    server = next((name for name in detect_servers(unknown) if name in PROXIES), "")
    before = f"{server} before the routes" if server else "a layer before the routes"
    text = f"At an unknown path ({unknown.status}), only {sent[0]!r} is sent, so {before} sends it"
    others = [value for value in values if value != sent[0]]
    yield f"{text}, and the route sends {others[0]!r}." if others else f"{text}, and the route sends the other one."


def cached_for_another_origin(evidence: Evidence) -> Iterator[Finding]:
    """A cache returns a response that was made for another origin, or for none."""
    uncached, cached = evidence.probes.get(UNCACHED), evidence.blocked
    codes = ORIGIN_CODES | {"WildcardOriginNotAllowed"}
    if uncached is None or cached is None or evidence.code not in codes or evidence.is_redirected:
        return
    if (
        uncached.allowed_origin not in {evidence.question.origin, "*"}
        or cached.allowed_origin == uncached.allowed_origin
    ):
        return
    signs = ", ".join(f"{name}: {cached.get(name)}" for name in CACHE_HEADERS if cached.get(name) is not None)
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
        twice = " One app can send both, or two layers." if len(values) > 1 else ""
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
