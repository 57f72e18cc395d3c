"""What is good to know and harms nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, ENGINES, MAX_AGE
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, PREFIX, SIBLING, SUBDOMAIN
from asgi_cors.cli.findings import Finding

from .risks import lets_in

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence

_CAPS: Final = {"Chromium": 7200, "Firefox": 86400, "Safari": 600}  # seconds
_LONGEST: Final = 7200  # what Chromium keeps; less than this is nobody's mistake


def max_age_beyond_caps(evidence: Evidence) -> Finding | None:
    """Browsers don't keep the preflight's answer for so long."""
    value = evidence.preflight.get(MAX_AGE) if evidence.preflight else None
    if value is None or not value.isdigit():
        return None
    if int(value) <= _LONGEST:
        return None
    capped = [f"{browser} {cap}" for browser, cap in _CAPS.items() if int(value) > cap]
    return Finding(
        "max-age-beyond-caps",
        f"Access-Control-Max-Age is {value}; browsers keep the answer for less: {', '.join(capped)} seconds.",
        "Nothing must be done; 7200 gets all that Chromium gives.",
        "",
        "max_age=7200",
    )


def max_age_malformed(evidence: Evidence) -> Finding | None:
    """Access-Control-Max-Age is no number."""
    value = evidence.preflight.get(MAX_AGE) if evidence.preflight else None
    if value is None or value.isdigit():
        return None
    return Finding(
        "max-age-malformed",
        f"Access-Control-Max-Age is {value!r}, no number of seconds: browsers keep the answer for 5 seconds, or"
        " not at all.",
        "Send a number of seconds.",
        "",
        "max_age=600",
    )


def max_age_absent(evidence: Evidence) -> Finding | None:
    """Without the field every call is preceded by a preflight again after 5 seconds."""
    if evidence.preflight is None or not evidence.is_allowed or evidence.preflight.get(MAX_AGE) is not None:
        return None
    return Finding(
        "max-age-absent",
        "The preflight's answer has no Access-Control-Max-Age: browsers keep it for 5 seconds, and ask"
        " again and again.",
        "Send 'Access-Control-Max-Age: 600'.",
        "",
        "max_age=600 is the default",
    )


def reflects_without_credentials(evidence: Evidence) -> Finding | None:
    """Every origin is echoed, without credentials: `*` would do, and let caches work."""
    answer = evidence.probes.get(ANOTHER_SITE)
    if answer is None or not evidence.grants(ANOTHER_SITE) or answer.get(ALLOW_CREDENTIALS) == "true":
        return None
    return Finding(
        "open-to-all",
        "Every origin is let in, without credentials: fine for what is public.",
        "Send '*' instead, so that caches can share the answer.",
        "",
        "allow_origins='*'",
    )


def useless_credentials(evidence: Evidence) -> Finding | None:
    """`*` together with Access-Control-Allow-Credentials never serves a call with credentials."""
    answer = next((a for a in reversed(evidence.answers) if a.allowed_origin == "*"), None)
    if answer is None or answer.get(ALLOW_CREDENTIALS) != "true" or evidence.question.credentials:
        return None
    return Finding(
        "wildcard-and-credentials",
        "The answer has '*' and Access-Control-Allow-Credentials: true. Calls with credentials will be blocked.",
        "Leave the second field out, or name the origins.",
    )


def engines_differ(evidence: Evidence) -> Finding | None:
    """One browser blocks what another allows."""
    allowed = [ENGINES[visit.engine] for visit in evidence.visits if not visit.code]
    if not allowed or evidence.is_allowed:
        return None
    return Finding(
        "browsers-differ",
        f"Only {' and '.join(allowed)} let{'s' if len(allowed) == 1 else ''} it through; here the browsers depart from"
        " the standard, or from each other.",
        "Mend the cause: it serves them all.",
    )


def trusts_subdomains(evidence: Evidence) -> Finding | None:
    """Every subdomain is let in with credentials: as safe as the weakest of them."""
    hostile = lets_in(evidence, SIBLING) or lets_in(evidence, SUBDOMAIN)
    if not hostile or lets_in(evidence, PREFIX):
        return None
    return Finding(
        "trusts-subdomains",
        f"Every subdomain is let in with credentials ({hostile} was): one that is taken over, or shows what users"
        " upload, reads what users may read here.",
        "Name the subdomains that need it, if they are few.",
        "",
        "name the subdomains in allow_origins",
    )


NOTES: Final = (
    trusts_subdomains,
    max_age_beyond_caps,
    max_age_malformed,
    max_age_absent,
    reflects_without_credentials,
    useless_credentials,
    engines_differ,
)
