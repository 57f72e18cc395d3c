"""Facts that need no change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, ENGINES, MAX_AGE
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, PREFIX, SIBLING, SUBDOMAIN
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy, policy_line

from .protections import forged_request_readable
from .risks import allowed_hostile_origin

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence

_MAX_AGE_CAPS: Final = {"Chromium": 7200, "Firefox": 86400, "Safari": 600}  # seconds
_LOWEST_REPORTED_CAP: Final = 7200  # Chromium's; a value up to it is not worth a note


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def max_age_beyond_caps(evidence: Evidence) -> Iterator[Finding]:
    """Browsers cache the preflight for less time than the server allows."""
    value = (evidence.preflight.get(MAX_AGE) if evidence.preflight else None) or ""
    if _is_number(value) and float(value) > _LOWEST_REPORTED_CAP:
        caps = ", ".join(f"{browser} {cap}" for browser, cap in _MAX_AGE_CAPS.items() if float(value) > cap)
        yield Finding(
            "max-age-beyond-caps",
            f"Access-Control-Max-Age is {value[:20]}. Browsers cache the preflight for less: {caps} seconds.",
            "No change is needed. 7200 is the most that Chromium uses.",
            policy=PolicyRemedy(policy_line(max_age=7200)),
        )


def max_age_malformed(evidence: Evidence) -> Iterator[Finding]:
    """Access-Control-Max-Age is not a number."""
    value = evidence.preflight.get(MAX_AGE) if evidence.preflight else None
    if value is not None and not _is_number(value):
        yield Finding(
            "max-age-malformed",
            f"Access-Control-Max-Age is {value!r}, not a number of seconds. Browsers cache the preflight for 5 seconds,"
            " or not at all.",
            "Send a number of seconds.",
            policy=PolicyRemedy(policy_line(max_age=600)),
        )


def max_age_absent(evidence: Evidence) -> Iterator[Finding]:
    """Without Access-Control-Max-Age, browsers send the preflight again after 5 seconds."""
    if evidence.is_allowed and evidence.preflight and evidence.preflight.get(MAX_AGE) is None:
        yield Finding(
            "max-age-absent",
            "The preflight's response has no Access-Control-Max-Age. Browsers cache it for 5 seconds, then send the"
            " preflight again.",
            "Send 'Access-Control-Max-Age: 600'.",
            policy=PolicyRemedy(advice="A policy sends it: 600 is the default of max_age."),
        )


def open_to_all(evidence: Evidence) -> Iterator[Finding]:
    """The server sends every origin back, without credentials. `*` would do, and could be cached for all."""
    response = evidence.probes.get(ANOTHER_SITE)
    if response and evidence.allows_probe(ANOTHER_SITE) and response.get(ALLOW_CREDENTIALS) != "true":
        yield Finding(
            "open-to-all",
            "The server allows every origin, without credentials. That is right for public data.",
            "Send '*' instead, so that caches can share the response.",
            policy=PolicyRemedy(policy_line(allow_origins="*")),
        )


def wildcard_and_credentials(evidence: Evidence) -> Iterator[Finding]:
    """`*` with Access-Control-Allow-Credentials never allows a request with credentials."""
    response = next((response for response in reversed(evidence.responses) if response.allowed_origin == "*"), None)
    if response and response.get(ALLOW_CREDENTIALS) == "true" and not evidence.question.credentials:
        yield Finding(
            "wildcard-and-credentials",
            "The response has '*' and Access-Control-Allow-Credentials: true. Browsers block requests with"
            " credentials.",
            "Omit Access-Control-Allow-Credentials, or name the origins.",
        )


def browsers_differ(evidence: Evidence) -> Iterator[Finding]:
    """One browser blocks the request, and another allows it."""
    allowed = [ENGINES[result.engine] for result in evidence.results if not result.code]
    if allowed and not evidence.is_allowed:
        yield Finding(
            "browsers-differ",
            f"Only {' and '.join(allowed)} allow{'s' if len(allowed) == 1 else ''} the request. The browsers differ"
            " from the standard here, or from each other.",
            "Remove the cause above. That helps in every browser.",
        )


def trusts_subdomains(evidence: Evidence) -> Iterator[Finding]:
    """The server allows every subdomain with credentials."""
    hostile = allowed_hostile_origin(evidence, SIBLING) or allowed_hostile_origin(evidence, SUBDOMAIN)
    if hostile and not allowed_hostile_origin(evidence, PREFIX):
        yield Finding(
            "trusts-subdomains",
            f"The server allows every subdomain with credentials (it allowed {hostile}). A subdomain that is taken"
            " over, or that shows users' uploads, can read users' data.",
            "Name the subdomains that need it, if they are few.",
            policy=PolicyRemedy(advice="Name the subdomains in allow_origins."),
        )


RULES: Final = (
    forged_request_readable,
    trusts_subdomains,
    max_age_beyond_caps,
    max_age_malformed,
    max_age_absent,
    open_to_all,
    wildcard_and_credentials,
    browsers_differ,
)
