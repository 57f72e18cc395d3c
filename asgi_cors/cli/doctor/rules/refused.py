"""Causes in a refusal: the server refuses the origin, the method, the headers or the cookies.

A server shows a refusal by a reason in its response, or by a difference: a request that differs in one fact succeeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_HEADERS, ALLOW_METHODS
from asgi_cors.cli.doctor.probes import NO_COOKIES
from asgi_cors.cli.doctor.recipes import CREDENTIALS, ORIGIN, Recipe, recipe
from asgi_cors.cli.doctor.servers import detect_servers
from asgi_cors.cli.findings import Finding

from .comparison import (
    difference_by_origin,
    fails_everywhere,
    grants_preflight,
    grants_simpler_preflight,
    is_granted,
    names_origin_in_vary,
    sign_of_cors,
)
from .gateways import is_gateway_error
from .lists import list_recipe, list_remedy, with_names
from .refusals import is_vague_reason, raises_builtin, refusal_reason, refused_part, refused_parts
from .rule import SERVER_ERROR, allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse
    from asgi_cors.cli.policy_lines import PolicyRemedy

_ERROR: Final = 400
_NOT_ROUTED: Final = {404, 405, 410, 501}
# These pass the refusal on as an error, which becomes a 500 on every path and for every method.
_REFUSE_BY_ERROR: Final = {"Express", "NestJS", "Fastify", "Koa"}


def _failed(evidence: Evidence) -> ServerResponse | None:
    """Return the blocked response if its status is an error that the app, not a gateway, can have sent."""
    response = evidence.blocked if evidence.code in {"MissingAllowOriginHeader", "InvalidStatus"} else None
    if response and response.status >= _ERROR and not is_gateway_error(response):
        return response
    return None


def refused_with_a_reason(evidence: Evidence) -> Iterator[Finding]:
    """The CORS library refuses with an error status and a reason."""
    response = _failed(evidence)
    reason = refusal_reason(response)
    if response and reason and not _is_coincidence(reason, response, evidence):
        lines, remedy, policy = _named_in(reason, response, evidence)
        yield Finding(
            "refused-by-status",
            f"The server's CORS library refuses with {response.status} and the reason {reason!r}. Browsers hide the"
            " reason. Their consoles mention only the status or a missing header.",
            remedy,
            lines,
            policy,
        )


def _is_coincidence(reason: str, response: ServerResponse, evidence: Evidence) -> bool:
    """Return whether a message is not that of a refusal, although it reads like one.

    That of a crash, or "Not allowed" without a sign of CORS; or the server allows this origin at a preflight. A request
    with another origin, or without one, that succeeds shows a refusal nevertheless.
    """
    if difference_by_origin(evidence) or refused_part(reason) in {"method", "header"}:
        return False
    is_vague = is_vague_reason(reason) and not (response.has_cors or names_origin_in_vary(response))
    return is_vague or raises_builtin(response) or (not evidence.is_preflight and grants_preflight(evidence))


def refused_by_error(evidence: Evidence) -> Iterator[Finding]:
    """The server responds with an error to this origin only."""
    response = _failed(evidence)
    if response is None or grants_simpler_preflight(evidence) or grants_preflight(evidence):
        return
    difference = difference_by_origin(evidence)
    if difference is None:
        return
    alternative = (
        "" if difference.is_certain else " Either no tested origin is in the list, or the check fails for every one."
    )
    yield Finding(
        "refused-by-status",
        f"The server refuses this origin with an error status. {difference.sentence}{alternative}",
        f"Add {evidence.question.origin!r} to the origins that the server allows. Let its check refuse by omitting the"
        " header, not by an error.",
        recipe(ORIGIN, response, origin=evidence.question.origin),
        allow_origins(evidence),
    )


def refused_everywhere(evidence: Evidence) -> Iterator[Finding]:
    """A framework whose CORS check refuses by an error responds with 500 everywhere."""
    response = _failed(evidence)
    if response is None or not fails_everywhere(evidence):
        return
    if not _REFUSE_BY_ERROR.isdisjoint(detect_servers(response)):
        yield Finding(
            "refused-by-status",
            f"Every response is a {response.status}, also at an unknown path, to OPTIONS and without Origin. Code that"
            " runs for every request fails: the CORS check refuses by an error, such as callback(new Error(…)), or the"
            " app crashes. The server's log, or a request with an origin in the list, shows which it is.",
            f"Add {evidence.question.origin!r} to the list. Let the check refuse by callback(null, false), not by an"
            " error.",
            recipe(ORIGIN, response, origin=evidence.question.origin),
            allow_origins(evidence),
        )


def part_refused_by_status(evidence: Evidence) -> Iterator[Finding]:
    """A preflight for GET, or without the script's headers, is granted, and this one fails."""
    response, part = _failed(evidence), grants_simpler_preflight(evidence)
    if response and part and response.status not in _NOT_ROUTED and response.status < SERVER_ERROR:
        lines, remedy, policy = _named_in(part, response, evidence)
        yield Finding(
            "refused-by-status",
            f"The server refuses the preflight with {response.status}. {_granted_without(part)}",
            remedy,
            lines,
            policy,
        )


def refused_in_a_success(evidence: Evidence) -> Iterator[Finding]:
    """The server refuses a preflight with status 200 and a reason, as hapi does."""
    response = evidence.blocked if evidence.is_preflight and evidence.code == "MissingAllowOriginHeader" else None
    reason = refusal_reason(response)
    if response and response.is_ok and reason:
        lines, remedy, policy = _named_in(reason, response, evidence)
        name = _name_of_part(reason, response)
        sentence = f"The server's CORS library refuses the preflight with the reason {reason!r}."
        yield Finding(name, sentence, remedy, lines, policy)


def part_refused_silently(evidence: Evidence) -> Iterator[Finding]:
    """A preflight for GET, or without the script's headers, is granted, and this one has no CORS headers."""
    response, part = evidence.blocked, grants_simpler_preflight(evidence)
    if response and response.is_ok and part and evidence.code == "MissingAllowOriginHeader":
        lines, remedy, policy = _named_in(part, response, evidence)
        yield Finding(
            _name_of_part(part, response),
            f"The server refuses the preflight by a response without CORS headers. {_granted_without(part)}",
            remedy,
            lines,
            policy,
        )


def _name_of_part(reason: str, response: ServerResponse) -> str:
    """Return the name of the cause for the part of the request that a reason names."""
    requested = response.request.headers.get("access-control-request-headers", "").split(",")
    header = "content-type-not-allowed" if "content-type" in requested else "header-not-allowed"
    names = {"origin": "origin-not-allowed", "method": "method-not-allowed", "header": header}
    return names.get(refused_part(reason), "no-cors")


def _granted_without(part: str) -> str:
    which = "for GET" if part == "method" else "without the script's headers"
    return f"A preflight of this origin {which} is granted, so the {part} is not allowed."


def _named_in(reason: str, response: ServerResponse, evidence: Evidence) -> tuple[Recipe, str, PolicyRemedy]:
    """Return the remedy for the origin, method or headers that the reason of a refusal names."""
    parts = refused_parts(reason)
    lists = [] if parts[:1] == ["origin"] else [_list_in(part, response, evidence) for part in parts]
    found = [remedy for remedy in lists if remedy]
    if not found:
        origin = evidence.question.origin
        remedy = f"Add {origin!r} to the origins that the library allows."
        return recipe(ORIGIN, response, origin=origin), remedy, allow_origins(evidence)
    lines, _, policy = found[0]
    options = ", ".join(each.options for _, _, each in found if each.options)
    return lines, " ".join(remedy for _, remedy, _ in found), replace(policy, options=options)


def _list_in(part: str, response: ServerResponse, evidence: Evidence) -> tuple[Recipe, str, PolicyRemedy] | None:
    """Return the remedy for the method or the headers of a preflight, or None if it requests none."""
    request = response.request.headers
    if part == "method":
        header, added = ALLOW_METHODS, [request.get("access-control-request-method", "")]
    else:
        header, added = ALLOW_HEADERS, request.get("access-control-request-headers", "").split(",")
    if part == "origin" or not any(added):
        return None
    names = with_names(response.elements(header), added, credentials=evidence.question.credentials)
    remedy = f"Allow the {part} there: {', '.join(added)}. The whole list is then: {', '.join(names)}."
    return list_recipe(response, header, names), remedy, list_remedy(header, names)


def cookies_refused(evidence: Evidence) -> Iterator[Finding]:
    """The same request without cookies is allowed."""
    response = evidence.blocked
    without = evidence.probes.get(NO_COOKIES)
    if response and response.is_ok and is_granted(evidence, without) and response.allowed_origin is None:
        yield Finding(
            "credentials-not-allowed",
            "With cookies, the response has no Access-Control-Allow-Origin. Without cookies, it allows this origin.",
            "Send the same CORS headers with and without cookies, and 'Access-Control-Allow-Credentials: true'.",
            recipe(CREDENTIALS, response, origin=evidence.question.origin),
            allow_origins(evidence),
        )


def origin_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """CORS is configured, and the list does not have this origin."""
    response, sign = evidence.blocked, sign_of_cors(evidence)
    if response is None or evidence.code != "MissingAllowOriginHeader" or not sign:
        return
    yield Finding(
        "origin-not-allowed",
        f"The server supports CORS ({sign}), but does not allow {evidence.question.origin!r}.{_also(response)}",
        "Add the origin to the server's list: scheme, host and port as in the browser's address bar.",
        recipe(ORIGIN, response, origin=evidence.question.origin),
        allow_origins(evidence),
    )


def _also(response: ServerResponse) -> str:
    """Return the sentence about an error status, which remains when the origin is allowed."""
    if response.is_ok:
        return ""
    if response.redirect_target:
        return f" The response is a redirect ({response.status}) to {response.get('location')}, which also needs it."
    return (
        f" The response is also a {response.status}, for every origin. The page can read it once the origin is allowed."
    )


BY_STATUS: Final = (refused_with_a_reason, part_refused_by_status, refused_by_error, refused_everywhere)
IN_A_PREFLIGHT: Final = (refused_in_a_success, part_refused_silently)
COOKIES: Final = (cookies_refused,)
ORIGIN_RULES: Final = (origin_not_allowed,)
