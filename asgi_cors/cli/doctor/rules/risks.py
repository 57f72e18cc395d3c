"""Mistakes that do not block this request: hostile origins that are allowed, and errors with caches and cookies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors._origins.origin import registrable_domain
from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS
from asgi_cors.cli.doctor.probes import (
    ANOTHER_SITE,
    DOT,
    DOWNGRADED,
    NO_ORIGIN,
    NULL,
    PREFIX,
    PRIMED,
    PRIMING,
    SUFFIX,
    TRUNCATED,
)
from asgi_cors.cli.doctor.recipes import VARY, recipe
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy

from .layers import CACHE_HEADERS
from .lists import response_header_sent
from .rule import VARIES, allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_SWITCHING_PROTOCOLS: Final = 101
# The name of the finding -> the probe with the hostile origin, the mistake, the remedy.
CARELESS_CHECKS: Final = {
    "allows-null": (
        NULL,
        "Any page gets this origin with a sandboxed frame.",
        "Remove 'null' from the list.",
    ),
    "compares-by-prefix": (
        SUFFIX,
        "The check compares only the beginning of the origin.",
        "Compare whole origins. A regular expression must match to the end ($, fullmatch).",
    ),
    "compares-by-substring": (
        TRUNCATED,
        "The check searches the origin in a text, such as 'list'.includes(origin).",
        "Split the list, and compare whole origins.",
    ),
    "compares-by-suffix": (
        PREFIX,
        "The check compares only the end of the origin.",
        "Compare whole origins. For subdomains, compare the end with its leading dot.",
    ),
    "unescaped-dot": (
        DOT,
        "An unescaped dot in a regular expression matches any character.",
        r"Write \. for each dot.",
    ),
    "trusts-http": (
        DOWNGRADED,
        "An attacker on the user's network can forge a page of that origin.",
        "Allow only the https origin.",
    ),
}


def _trusted_response(evidence: Evidence, probe: str) -> ServerResponse | None:
    """Return the response to a probe if it allows the probe's origin with credentials. A handshake has cookies."""
    response = evidence.probes.get(probe)
    if evidence.question.is_handshake:
        return response if response and response.status == _SWITCHING_PROTOCOLS else None
    if response and evidence.allows_probe(probe) and response.get(ALLOW_CREDENTIALS) == "true":
        return response
    return None


def allowed_hostile_origin(evidence: Evidence, probe: str) -> str:
    """Return the hostile origin that the server allows with credentials.

    Return "" if it allows none, or if it reflects every origin.
    """
    response = _trusted_response(evidence, probe)
    return "" if response is None or _trusted_response(evidence, ANOTHER_SITE) else response.request.headers["origin"]


def reflects_any_origin(evidence: Evidence) -> Iterator[Finding]:
    """The server sends every origin back, with credentials."""
    if evidence.question.is_handshake:  # see handshake_unguarded
        return
    if response := _trusted_response(evidence, ANOTHER_SITE) or _trusted_response(evidence, PRIMING):
        yield Finding(
            "reflects-any-origin",
            f"The server allows every origin with credentials (it allowed {response.allowed_origin}). Any site that a"
            " user visits can read that user's data.",
            "Send back only origins that are in a list.",
            policy=allow_origins(evidence, allow_credentials=True),
        )


def checks_origins_carelessly(evidence: Evidence) -> Iterator[Finding]:
    """The server allows an origin that only resembles an allowed one, with credentials."""
    for name, (probe, mistake, remedy) in CARELESS_CHECKS.items():
        hostile = allowed_hostile_origin(evidence, probe)
        # A check that compares the end also accepts a letter for a dot.
        is_implied = probe == DOT and allowed_hostile_origin(evidence, PREFIX)
        if hostile and not is_implied:
            sentence = f"The server allows {hostile!r} with credentials. {mistake}"
            yield Finding(name, sentence, remedy, policy=allow_origins(evidence, allow_credentials=True))


def cache_mixes_origins(evidence: Evidence) -> Iterator[Finding]:
    """A cache stores the response for one origin, and returns it to another."""
    first, second = evidence.probes.get(PRIMING), evidence.probes.get(PRIMED)
    if _mixes(evidence) and first and second:
        stored = f"{first.allowed_origin!r}" if first.allowed_origin else "no origin"
        hits = ", ".join(f"{name}: {second.get(name)}" for name in CACHE_HEADERS if second.get(name) is not None)
        yield Finding(
            "cache-mixes-origins",
            "A cache before the app mixes origins: to a new URL, the doctor sent a request from another origin, then"
            f" one from {evidence.question.origin!r}. The second received the response of the first, which allows"
            f" {stored}{f' ({hits})' if hits else ''}. The page is blocked whenever another site was first.",
            "Send 'Vary: Origin' on every response, even without CORS headers, and let the cache respect it. Then empty"
            " the cache.",
            recipe(VARY, second),
            VARIES,
        )


def _mixes(evidence: Evidence) -> bool:
    """Return whether the page's origin, allowed at the URL itself, is not allowed where another origin was first."""
    first, second, responses = evidence.probes.get(PRIMING), evidence.probes.get(PRIMED), evidence.main_responses
    if first is None or second is None or not responses or {first.status, second.status} != {responses[-1].status}:
        return False
    return second.allowed_origin == first.allowed_origin != responses[-1].allowed_origin


def vary_missing(evidence: Evidence) -> Iterator[Finding]:
    """The response depends on Origin, and Vary does not say so."""
    allowed = [response for response in evidence.main_responses if response.allowed_origin not in {None, "*"}]
    without = None if evidence.is_redirected else evidence.probes.get(NO_ORIGIN)
    other = evidence.probes.get(ANOTHER_SITE)
    if not allowed or not evidence.question.is_safe or "no-store" in allowed[-1].lower("cache-control"):
        return
    if _mixes(evidence):  # the cache is the worse finding, with the same remedy
        return
    if all(probe is None or probe.allowed_origin == allowed[-1].allowed_origin for probe in (without, other)):
        return
    wrong = [(response, "with this origin") for response in allowed if not response.varies_by_origin]
    serves_all = without is not None and without.allowed_origin == "*" and not evidence.question.credentials
    if without is not None and without.is_ok and not without.varies_by_origin and not serves_all:
        wrong.append((without, "to a request without Origin"))
    for response, which in wrong[:1]:
        yield Finding(
            "vary-missing",
            f"Access-Control-Allow-Origin depends on the request's Origin, but the response {which} has no 'Vary:"
            " Origin'. A cache may return the response of one origin to another, which the browser then blocks.",
            "Send 'Vary: Origin' on every response, even without CORS headers.",
            recipe(VARY, response),
            VARIES,
        )


def cookie_not_stored(evidence: Evidence) -> Iterator[Finding]:
    """The browser does not store a cookie, because it lacks SameSite=None or Secure."""
    if not evidence.question.credentials:
        return
    for result in evidence.results:
        if result.engine == "webkit":  # Safari stores no cookies of other sites, whatever their attributes
            continue
        for exchange in result.exchanges:
            for line in exchange.response.headers.get_list("set-cookie") if exchange.response else []:
                name, attributes = line.partition("=")[0].strip(), line.lower()
                is_deleted = "max-age=0" in attributes or "expires=thu, 01 jan 1970" in attributes
                if name not in result.stored and not is_deleted:
                    is_same_site = _is_same_site(evidence.question.origin, exchange.request.url)
                    yield _lost_cookie(name, line, is_same_site=is_same_site)
                    return


def _is_same_site(origin: str, url: httpx.URL) -> bool:
    """Return whether a page and a URL belong to one site (HTML, same site)."""
    if origin == "null":
        return False
    page = httpx.URL(origin)
    page_site, url_site = (registrable_domain(host) or host for host in (page.host, url.host))
    return (page.scheme, page_site) == (url.scheme, url_site)


def _lost_cookie(name: str, line: str, *, is_same_site: bool) -> Finding:
    attributes = {part.strip().lower().replace(" ", "") for part in line.split(";")[1:]}
    missing = [attribute for attribute in ("SameSite=None", "Secure") if attribute.lower() not in attributes]
    if is_same_site:
        needs_secure = missing == ["Secure"]
        reason = "SameSite=None needs Secure" if needs_secure else "an attribute, or http instead of https, forbids it"
        remedy = "; SameSite=None; Secure (over https), or leave SameSite out: page and API are on one site."
        remedy = f"Send Set-Cookie: {name}=…{remedy}" if needs_secure else "Look at its attributes, and use https."
        return Finding("cookie-not-kept", f"The browser does not store the cookie {name!r}: {reason}.", remedy)
    reason = f"lacks {' and '.join(missing)}" if missing else "has an attribute that forbids it"
    return Finding(
        "cookie-not-kept",
        f"The browser does not store the cookie {name!r}: the page is on another site, and the cookie {reason}.",
        f"Send Set-Cookie: {name}=…; SameSite=None; Secure (over https). Or put page and API on one site.",
    )


def handshake_unguarded(evidence: Evidence) -> Iterator[Finding]:
    """The server accepts a WebSocket from any site."""
    response = evidence.probes.get(ANOTHER_SITE)
    if evidence.question.is_handshake and response and response.status == _SWITCHING_PROTOCOLS:
        yield Finding(
            "handshake-unguarded",
            "The server accepts the WebSocket from any site, and browsers send cookies with every handshake. Any page"
            " that a user visits can act as that user.",
            "Check Origin before you accept the handshake.",
            policy=PolicyRemedy(advice="CORSMiddleware(app, …) does it, unless check_websockets is off."),
        )


def needs_local_network_access(evidence: Evidence) -> Iterator[Finding]:
    """A public page requests this machine or the local network, which needs the user's permission in Chromium."""
    page, target = evidence.address_spaces
    is_unsent = evidence.results[0].is_unsent  # Chromium reports another cause then
    if page == "public" and target in {"local", "loopback"} and not is_unsent:
        place = "on this machine" if target == "loopback" else "in the local network"
        yield Finding(
            "needs-local-network-access",
            f"The page is public, and the URL is {place}. Chromium needs the user's permission (Local Network"
            " Access). No header changes that.",
            "Serve the page over https and let the user allow it, or serve the page from the same network.",
        )


RULES: Final = (
    response_header_sent,
    reflects_any_origin,
    checks_origins_carelessly,
    cache_mixes_origins,
    vary_missing,
    cookie_not_stored,
    handshake_unguarded,
    needs_local_network_access,
)
