"""The rules: a policy and a request in, a decision out.

There are three cases: a preflight, a request that is not CORS, and an actual request. If only a callable knows an
origin, the outcome is `LOOKUP`. The caller awaits the callable and decides again.

Source: Fetch, "HTTP extensions", "CORS protocol" (https://fetch.spec.whatwg.org/#http-cors-protocol).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from asgi_cors import _http
from asgi_cors._origins.origin import MAX_ORIGIN, parse_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgi_cors._http import Headers
    from asgi_cors._policy.compiled import CompiledPolicy
    from asgi_cors._policy.policy import Policy

    from .request import Request

# The reasons of a refusal: the names of CorsError in Chromium's DevTools protocol
MISSING_ALLOW_ORIGIN: Final = "MissingAllowOriginHeader"
PREFLIGHT_MISSING_ALLOW_ORIGIN: Final = "PreflightMissingAllowOriginHeader"
METHOD_DISALLOWED: Final = "MethodDisallowedByPreflightResponse"
HEADER_DISALLOWED: Final = "HeaderDisallowedByPreflightResponse"
# and, if none of these fits, names of our own.
INVALID_ORIGIN: Final = "InvalidOrigin"
INVALID_METHOD: Final = "InvalidRequestedMethod"
INVALID_HEADERS: Final = "InvalidRequestedHeaders"
AMBIGUOUS_PATH: Final = "AmbiguousPath"
LOOKUP_FAILED: Final = "OriginLookupFailed"
POLICY_FAILED: Final = "PolicyLookupFailed"
CREDENTIALS_NOT_ALLOWED: Final = "CredentialsNotAllowed"
CROSS_SITE_REQUEST: Final = "CrossSiteRequest"
HOST_NOT_ALLOWED: Final = "HostNotAllowed"

ORIGIN_REASONS: Final = (MISSING_ALLOW_ORIGIN, PREFLIGHT_MISSING_ALLOW_ORIGIN, INVALID_ORIGIN, LOOKUP_FAILED)

REASON_TEXTS: Final = {
    MISSING_ALLOW_ORIGIN: "no entry allows the origin",
    PREFLIGHT_MISSING_ALLOW_ORIGIN: "no entry allows the origin",
    METHOD_DISALLOWED: "the method is not allowed",
    HEADER_DISALLOWED: "a header is not allowed",
    INVALID_ORIGIN: "the Origin header is not one that a browser sends",
    INVALID_METHOD: "Access-Control-Request-Method is not a valid method",
    INVALID_HEADERS: "the Access-Control-Request-* headers are invalid or too long",
    AMBIGUOUS_PATH: "the path is too long, or another reading of it leads to another policy",
    LOOKUP_FAILED: "the look-up of the origin failed",
    POLICY_FAILED: "the policy for this request could not be determined",
    CREDENTIALS_NOT_ALLOWED: "the request carries credentials, and the policy does not set allow_credentials",
    CROSS_SITE_REQUEST: "another site may have forged the request",
    HOST_NOT_ALLOWED: "no entry of allowed_hosts matches the Host header",
}


class Outcome(StrEnum):
    """The kind of a decision."""

    NOT_CORS = "not-cors"
    ALLOWED = "allowed"
    REFUSED = "refused"
    PREFLIGHT_ALLOWED = "preflight-allowed"
    PREFLIGHT_REFUSED = "preflight-refused"
    LOOKUP = "lookup"


class Decision(NamedTuple):
    """The result of one policy and one request.

    Args:
        outcome: The kind of the decision.
        reason: The code of the refusal; None if the request is not refused.
        headers: The CORS headers of the response.
        vary: The names to merge into the response's Vary header.
        status: The status of a response that is sent without the app, such as a preflight's; None if the app responds.
        subject: The refused method or header; empty if the refusal has another reason.
        no_store: Whether caches must not store the response, because a call that failed decided it.
        policy_name: The `name` of the policy that decided.
        report_only: The decision that is reported but not applied, if it allows or refuses what this one does not.
    """

    outcome: Outcome
    reason: str | None = None
    headers: Headers = ()
    vary: tuple[bytes, ...] = ()
    status: int | None = None
    subject: str = ""
    no_store: bool = False
    policy_name: str | None = None
    report_only: Decision | None = None

    @property
    def allowed(self) -> bool:
        """Whether a page may read the response, or send the actual request after the preflight."""
        return self.outcome in {Outcome.ALLOWED, Outcome.PREFLIGHT_ALLOWED}

    @property
    def refused(self) -> bool:
        """Whether the browser must block the response, or the actual request after the preflight."""
        return self.outcome in {Outcome.REFUSED, Outcome.PREFLIGHT_REFUSED}

    @property
    def headers_allow_origin(self) -> bool:
        """Whether the headers let a page of the origin read the response, even if the request is refused."""
        return any(name == _http.ALLOW_ORIGIN for name, _ in self.headers)

    @property
    def report(self) -> Literal["would refuse", "would allow"] | None:
        """Whether the decision of `report_only` is stricter, or less strict. None if it is equally strict."""
        if self.report_only is None or self.report_only.strictness == self.strictness:
            return None
        return "would refuse" if self.report_only.strictness > self.strictness else "would allow"

    @property
    def strictness(self) -> int:
        """2 if a refused request does not reach the app, 1 if only its response is blocked, 0 if it is allowed."""
        if not self.refused:
            return 0
        return 1 if self.status is None or self.outcome is Outcome.PREFLIGHT_REFUSED else 2


def decide(policy: Policy, request: Request, *, granted: bool | None = None) -> Decision:
    """Decide whether `policy` allows `request`.

    Args:
        policy: The policy that serves the request.
        request: The request.
        granted: Whether the policy's callables allow the origin; None if they have not been called.

    Returns:
        The decision. Its outcome is `LOOKUP` if the policy's callables must be called first.
    """
    decision = _decide(policy.compiled, request, granted=granted)
    return decision if policy.name is None else decision._replace(policy_name=policy.name)


def _decide(compiled: CompiledPolicy, request: Request, *, granted: bool | None) -> Decision:
    """Decide by the compiled policy; see `decide`."""
    if request.is_preflight:
        return _preflight(compiled, request, granted=granted)
    if compiled.ignores_origin:  # the same response for every origin, without Vary, so that caches store it once
        outcome = Outcome.NOT_CORS if request.origin is None else Outcome.ALLOWED
        return Decision(outcome, None, compiled.actual_headers(b""))
    if request.origin is None:
        return Decision(Outcome.NOT_CORS, None, compiled.resource_headers, _http.VARY_ORIGIN)
    # the browser's CORS check (Fetch, 4.10)
    origin = request.origin.strip(b" \t")
    refusal = _origin_refusal(compiled, request, origin, granted=granted)
    if refusal is not None:
        return refusal._replace(headers=compiled.resource_headers)
    return Decision(Outcome.ALLOWED, None, compiled.actual_headers(origin), _http.VARY_ORIGIN)


def _preflight(compiled: CompiledPolicy, request: Request, *, granted: bool | None) -> Decision:
    """Decide on a CORS-preflight request (Fetch, "CORS-preflight fetch", 4.8)."""
    if request.oversized:
        return refuse(request, INVALID_HEADERS)
    method = (request.requested_method or b"").strip(b" \t")
    if not _http.TOKEN_BYTES.fullmatch(method):
        return refuse(request, INVALID_METHOD)
    names = _http.requested_names(request.requested_headers)
    if names is None:
        return refuse(request, INVALID_HEADERS)
    origin = (request.origin or b"").strip(b" \t")
    refusal = _origin_refusal(compiled, request, origin, granted=granted)
    return _allowed_origin_preflight(compiled, request, origin, method.decode(), names) if refusal is None else refusal


def _origin_refusal(
    compiled: CompiledPolicy, request: Request, origin: bytes, *, granted: bool | None
) -> Decision | None:
    """Return the refusal of an origin, or a decision to look it up; None if it is allowed."""
    if compiled.ignores_origin:
        return None
    value = origin.decode("latin-1") if len(origin) <= MAX_ORIGIN else ""
    if value in compiled.origins:
        return None
    if value != "null":  # null matches only its own entry
        if parse_origin(value) is None:
            return refuse(request, INVALID_ORIGIN)
        if compiled.callables and granted is None:
            return Decision(Outcome.LOOKUP)
        if compiled.allows_any_origin or granted:
            return None
    return refuse(request, PREFLIGHT_MISSING_ALLOW_ORIGIN if request.is_preflight else MISSING_ALLOW_ORIGIN)


def _allowed_origin_preflight(
    compiled: CompiledPolicy, request: Request, origin: bytes, method: str, names: list[str]
) -> Decision:
    """Decide on a preflight whose origin is allowed. A refusal has the true lists, so that the console names the cause.

    The status of a refusal is 200, because browsers report nothing but the status of a 4xx. It has no
    Access-Control-Max-Age, because WebKit caches a refusal.
    """
    headers = (*compiled.origin_headers(origin), *compiled.preflight_headers(method, names))
    refused = Decision(Outcome.PREFLIGHT_REFUSED, None, headers, _http.VARY_PREFLIGHT, 200)
    if not compiled.allows_method(method):  # step 7.5
        return refused._replace(reason=METHOD_DISALLOWED, subject=method)
    for name in names:  # steps 7.6 and 7.7
        if not compiled.allows_header(name):
            return refused._replace(reason=HEADER_DISALLOWED, subject=name)
    if compiled.private_network and request.private_network:
        headers = (*headers, (_http.ALLOW_PRIVATE_NETWORK, b"true"))
    if compiled.max_age is not None:  # step 7.8
        headers = (*headers, (_http.MAX_AGE, compiled.max_age))
    return Decision(Outcome.PREFLIGHT_ALLOWED, None, headers, _http.VARY_PREFLIGHT, 204)


def refuse(request: Request, reason: str) -> Decision:
    """Refuse `request` without any CORS header."""
    if request.is_preflight:
        return Decision(Outcome.PREFLIGHT_REFUSED, reason, (), _http.VARY_PREFLIGHT, 200)
    return Decision(Outcome.REFUSED if request.origin is not None else Outcome.NOT_CORS, reason, (), _http.VARY_ORIGIN)


def intersect(first: Decision, second: Decision) -> Decision:
    """Return the narrower of two decisions on one request. Both must allow, and a list has only the common names."""
    refused = first if first.refused else second if second.refused else None
    narrower = refused or first
    return Decision(
        narrower.outcome,
        narrower.reason,
        _common_headers(first.headers, second.headers),
        unite_names(first.vary, second.vary),
        narrower.status,
        narrower.subject,
        narrower.no_store,
        narrower.policy_name,
        narrower.report_only,
    )


def unite_names(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the names of two Vary headers without duplicates; letter case does not count."""
    known = {name.lower() for name in first}
    return (*first, *(name for name in second if name.lower() not in known))


def _common_headers(first: Headers, second: Headers) -> Headers:
    """Return the headers that both have, each with the narrower value; none of CORS if one of them allows no origin."""
    mine, others = dict(first), dict(second)
    resource = _narrower_resource_policy(mine, others)
    if _http.ALLOW_ORIGIN not in others or _http.ALLOW_ORIGIN not in mine:
        return resource
    names = (name for name in mine if name in others and name != _http.RESOURCE_POLICY)
    common = ((name, _narrower_value(name, mine[name], others[name])) for name in names)
    return (*((name, value) for name, value in common if value), *resource)


def _narrower_resource_policy(first: Mapping[bytes, bytes], second: Mapping[bytes, bytes]) -> Headers:
    """Return Cross-Origin-Resource-Policy with the narrower value. Without the header, every site may embed."""
    values = [headers[_http.RESOURCE_POLICY] for headers in (first, second) if _http.RESOURCE_POLICY in headers]
    return ((_http.RESOURCE_POLICY, min(values, key=_http.RESOURCE_POLICIES.index)),) if values else ()


def _narrower_value(name: bytes, value: bytes, other: bytes) -> bytes:
    """Return the part of two CORS header values that both allow; empty if there is none."""
    if name == _http.MAX_AGE:
        return min(value, other, key=int)
    mine, theirs = _http.split_list(value), _http.split_list(other)
    if b"*" in mine:
        return other
    same = bytes if name == _http.ALLOW_METHODS else bytes.lower
    known = {same(each) for each in theirs}
    return value if b"*" in theirs else b", ".join(each for each in mine if same(each) in known)


def refusal_body(reason: str | None, subject: str = "", *, host: bytes | None = None, internal: bool = False) -> str:
    """Return the body of a refusal's response. Of the request, it repeats only a token and the quoted Host.

    Args:
        reason: The code of the refusal.
        subject: The refused method or header; empty if the refusal has another reason.
        host: The Host received, if same-origin requests would be allowed.
        internal: Whether that looks like a proxy's upstream.
    """
    why = REASON_TEXTS[reason or MISSING_ALLOW_ORIGIN]
    text = f"Refused by the CORS policy: {why}{subject and ': '}{subject} ({reason}).\n"
    return f"{text}{host_hint(host, internal=internal)}\n" if host is not None else text


def host_hint(host: bytes, *, internal: bool) -> str:
    """Name the Host received, and for an internal one the setting of the proxy that hides the true Host."""
    proxy = " It looks like a proxy's upstream. Write 'proxy_set_header Host $host' there." if internal else ""
    return f"The Host received is {host[:200].decode('latin-1')!a}.{proxy}"
