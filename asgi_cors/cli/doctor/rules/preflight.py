"""Causes that end a preflight before anyone looks at its lists: its status, a redirect, no field at all.

Each rule looks at the evidence of a blocked call and says what is the matter, or None. Order tells: a rule may rely on
those before it having said nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.doctor.probes import PLAIN
from asgi_cors.cli.doctor.recipes import METHODS, ORIGIN, PREFLIGHT, recipe
from asgi_cors.cli.doctor.servers import clue, proxy
from asgi_cors.cli.findings import GATEWAY_STATUSES, LOGIN_WORDS, OUTERMOST, Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Answer, Evidence

_SERVER_ERROR: Final = 500


def _preflight(evidence: Evidence, code: str = "") -> Answer | None:
    """Give the preflight's answer where that is what blocks."""
    if not evidence.is_preflight or (code and evidence.code != code):
        return None
    return evidence.failed


def _has_failed_status(evidence: Evidence) -> Answer | None:
    """Give the preflight's answer where its status is an error, whatever it says of origins."""
    answer = _preflight(evidence)
    return answer if answer and not answer.is_ok and evidence.code != "DisallowedRedirect" else None


def preflight_redirected_to_login(evidence: Evidence) -> Finding | None:
    """Authentication redirects OPTIONS to a login page."""
    answer = _preflight(evidence, "DisallowedRedirect")
    location = answer.says("location") if answer else ""
    if not any(word in location for word in LOGIN_WORDS):
        return None
    return Finding(
        "preflight-redirected-to-login",
        f"Authentication answers the preflight: it redirects OPTIONS to {location}. A preflight never carries cookies,"
        " so it is never logged in.",
        "Let OPTIONS pass before authentication, or answer CORS outside of it.",
        recipe(PREFLIGHT, answer),
        OUTERMOST,
    )


def preflight_redirected_to_https(evidence: Evidence) -> Finding | None:
    """The URL is written with http, and the server wants https."""
    answer = _preflight(evidence, "DisallowedRedirect")
    if answer is None:
        return None
    before, after = answer.request.url, _location(answer)
    if before.scheme != "http" or after.scheme != "https" or before.host != after.host:
        return None
    return Finding(
        "preflight-redirected-to-https",
        f"The server redirects OPTIONS from http to https ({after}); browsers follow no redirect of a preflight.",
        f"Let the page call {after}.",
    )


def preflight_redirected_for_slash(evidence: Evidence) -> Finding | None:
    """The router redirects to the path with, or without, a slash."""
    answer = _preflight(evidence, "DisallowedRedirect")
    if answer is None:
        return None
    before, after = answer.request.url, _location(answer)
    if before.path.rstrip("/") != after.path.rstrip("/") or before.path == after.path:
        return None
    return Finding(
        "preflight-redirected-for-slash",
        f"The router redirects OPTIONS from {before.path} to {after.path}; browsers follow no redirect of a preflight.",
        f"Let the page call {after.path}, or answer preflights before the router.",
        recipe(PREFLIGHT, answer),
        OUTERMOST,
    )


def preflight_redirected(evidence: Evidence) -> Finding | None:
    """OPTIONS is redirected anywhere else."""
    answer = _preflight(evidence, "DisallowedRedirect")
    if answer is None:
        return None
    return Finding(
        "preflight-redirected",
        f"OPTIONS is redirected ({answer.status}) to {answer.get('location')}; browsers follow no redirect of a"
        " preflight.",
        "Let the page call the final URL, or answer OPTIONS where it arrives.",
        recipe(PREFLIGHT, answer),
        OUTERMOST,
    )


def _location(answer: Answer) -> httpx.URL:
    try:
        return answer.request.url.join(answer.get("location") or "")
    except httpx.InvalidURL:
        return answer.request.url


def refused_in_words(evidence: Evidence) -> Finding | None:
    """The CORS library refuses by a status and says in the body what."""
    answer = evidence.failed
    text = _words_on_cors(answer.text) if answer and not answer.is_ok else ""
    if answer is None or not text:
        return None
    lower, question = text.lower(), evidence.question
    asked = answer.request.headers.get("access-control-request-headers", "")
    parts: list[str] = []
    parts += [f"allow_methods=[{question.method!r}]"] if "method" in lower else []
    parts += [f"allow_headers={asked.split(',')!r}"] if "header" in lower and asked else []
    parts = parts if parts and "origin" not in lower else [f"allow_origins=[{question.origin!r}]", *parts]
    return Finding(
        "refused-by-status",
        f"The server's CORS library refuses with {answer.status} and says: {text!r}. Browsers hide that: their consoles"
        " tell only of the status, or of a field that is missing.",
        "Allow there what it names, or else the origin.",
        recipe(ORIGIN, answer, origin=question.origin),
        ", ".join(parts),
    )


def _words_on_cors(body: str) -> str:
    """Find the words of a body that tell of CORS; empty where none do."""
    lines = (" ".join(line.split()) for line in re.split(r"<[^>]*>|[\r\n]+|&nbsp;", body))
    return next((line[:120] for line in lines if re.search(r"\bcors\b", line, re.IGNORECASE)), "")


def preflight_needs_login(evidence: Evidence) -> Finding | None:
    """Authentication answers OPTIONS with 401, 403 or 407."""
    answer = _has_failed_status(evidence)
    if answer is None or answer.status not in {401, 403, 407}:
        return None
    who = proxy(answer) if answer.status == 403 else ""  # noqa: PLR2004 - what firewalls answer
    by = f" {who} stands before it ({clue(answer)}) and may be what refuses." if who else ""
    return Finding(
        "preflight-needs-login",
        f"Authentication, or a firewall, answers the preflight with {answer.status}: it comes before CORS. A preflight"
        f" never carries cookies, Authorization or an API key.{by}",
        "Let OPTIONS pass before authentication, or answer CORS outside of it.",
        recipe(PREFLIGHT, answer),
        OUTERMOST,
    )


def preflight_not_routed(evidence: Evidence) -> Finding | None:
    """The router knows no OPTIONS here: 404, 405, 501."""
    answer = _has_failed_status(evidence)
    if answer is None or answer.status not in {404, 405, 410, 501}:
        return None
    allow = f" (Allow: {answer.get('allow')})" if answer.get("allow") else ""
    missing = "no such path" if answer.status in {404, 410} else f"no OPTIONS for this path{allow}"
    return Finding(
        "preflight-not-routed",
        f"The router answers the preflight with {answer.status}: it knows {missing}. Nothing before it answers CORS."
        + _and_elsewhere(evidence),
        "Answer OPTIONS with 204 and the CORS fields before the router; and check the path.",
        recipe(PREFLIGHT, answer),
        OUTERMOST,
    )


def _and_elsewhere(evidence: Evidence) -> str:
    plain = evidence.probes.get(PLAIN)
    return " A plain GET has no CORS field either." if plain is not None and not plain.has_cors else ""


def preflight_stopped_by_gateway(evidence: Evidence) -> Finding | None:
    """A proxy, or a limit, answers OPTIONS by itself."""
    answer = _has_failed_status(evidence)
    if answer is None or answer.status not in GATEWAY_STATUSES:
        return None
    who = proxy(answer) or "a proxy or a limit before the app"
    why = {413: "finds it too large", 429: "counts it against a rate limit"}.get(answer.status, "gets no answer")
    what = f"{who} {why}"
    return Finding(
        "gateway-error",
        f"The app never saw the preflight: {what}, and answers {answer.status} itself"
        + (f" ({clue(answer)})." if clue(answer) else "."),
        "Look at that layer, not at CORS: is the app up? Keep rate limits off OPTIONS.",
    )


def preflight_crashed(evidence: Evidence) -> Finding | None:
    """Something crashes at OPTIONS."""
    answer = _has_failed_status(evidence)
    if answer is None or answer.status < _SERVER_ERROR:
        return None
    return Finding(
        "preflight-crashed",
        f"The server crashes at the preflight ({answer.status}): a handler or middleware that doesn't expect OPTIONS.",
        "Read the server's log for this OPTIONS; answer preflights before the code that fails.",
        recipe(PREFLIGHT, answer),
        OUTERMOST,
    )


def preflight_bad_status(evidence: Evidence) -> Finding | None:
    """Any other status outside of 200 to 299."""
    answer = _has_failed_status(evidence)
    if answer is None:
        return None
    return Finding(
        "preflight-bad-status",
        f"The preflight is answered with {answer.status}; browsers take only 200 to 299.",
        "Answer OPTIONS with 204 and the CORS fields.",
        recipe(PREFLIGHT, answer),
        OUTERMOST,
    )


def preflight_not_answered(evidence: Evidence) -> Finding | None:
    """OPTIONS reaches the app's own handling, though plain requests get CORS fields."""
    answer = _preflight(evidence, "MissingAllowOriginHeader")
    plain = evidence.probes.get(PLAIN)
    if answer is None or plain is None or plain.allowed_origin is None:
        return None
    return Finding(
        "preflight-not-answered",
        f"GET gets CORS fields here, OPTIONS doesn't ({answer.status}): the app's own handling of OPTIONS answers the"
        " preflight.",
        "Send the CORS fields on OPTIONS as well, with the methods and headers that are allowed.",
        recipe(PREFLIGHT, answer) or recipe(METHODS, answer, methods=evidence.question.method),
        OUTERMOST,
    )


RULES: Final = (
    preflight_redirected_to_login,
    preflight_redirected_to_https,
    preflight_redirected_for_slash,
    preflight_redirected,
    refused_in_words,
    preflight_needs_login,
    preflight_not_routed,
    preflight_stopped_by_gateway,
    preflight_crashed,
    preflight_bad_status,
    preflight_not_answered,
)
