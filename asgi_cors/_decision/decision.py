"""The one statement of the rules: a policy and a request in, a decision out.

Three cases: a preflight, which is answered here; a request that is not CORS; an actual request. (The preflight comes
first, since a policy that does not look at Origin answers the other two alike.)
No I/O: where only a callable can tell, the decision says `LOOKUP`, and the shell asks it and decides again.

Source: Fetch, "HTTP extensions", "CORS protocol" (https://fetch.spec.whatwg.org/#http-cors-protocol).
"""

# A NamedTuple takes twice as long to make of annotations that are strings, so there is no `from __future__` here.
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from asgi_cors import _http
from asgi_cors._http import Headers
from asgi_cors._origins.origin import MAX_ORIGIN, parse_origin

from . import reasons as _reasons
from .request import Request

if TYPE_CHECKING:
    from asgi_cors._policy.compiled import CompiledPolicy
    from asgi_cors._policy.policy import Policy


class Outcome(StrEnum):
    """What becomes of a request."""

    NOT_CORS = "not-cors"
    ALLOWED = "allowed"
    REFUSED = "refused"
    PREFLIGHT_ALLOWED = "preflight-allowed"
    PREFLIGHT_REFUSED = "preflight-refused"
    LOOKUP = "lookup"


class Decision(NamedTuple):
    """What is to be done with a request.

    Args:
        outcome: What becomes of it.
        reason: Why it is refused; None where it is not.
        headers: The CORS fields of the response.
        vary: The names to be merged into the response's Vary.
        status: The status of a preflight's response; None if the app responds.
        subject: The method or header that is refused; empty where it is another thing.
    """

    outcome: Outcome
    reason: str | None = None
    headers: Headers = ()
    vary: tuple[bytes, ...] = ()
    status: int | None = None
    subject: str = ""

    @property
    def allowed(self) -> bool:
        """Whether a page of this origin may read the response, or go on after the preflight."""
        return self.outcome in {Outcome.ALLOWED, Outcome.PREFLIGHT_ALLOWED}

    @property
    def refused(self) -> bool:
        """Whether a page of this origin is kept from it."""
        return self.outcome in {Outcome.REFUSED, Outcome.PREFLIGHT_REFUSED}


def decide(policy: "Policy", request: Request, *, granted: bool | None = None) -> Decision:
    """Decide what becomes of `request` under `policy`.

    Args:
        policy: The policy that serves the request.
        request: What of it counts.
        granted: What the policy's callables said of the origin; None where they haven't been asked.
    """
    rules = policy.compiled
    if request.is_preflight:
        return _preflight(rules, request, granted=granted)
    if rules.ignores_origin:  # the same answer for every request, so that caches stay whole
        outcome = Outcome.NOT_CORS if request.origin is None else Outcome.ALLOWED
        return Decision(outcome, None, (*rules.origin_headers(b""), *rules.expose_headers))
    if request.origin is None:
        return Decision(Outcome.NOT_CORS, vary=_http.VARY_ORIGIN)
    return _actual(rules, request.origin.strip(b" \t"), granted=granted)


def refuse(request: Request, reason: str) -> Decision:
    """Refuse `request` whatever its origin: no CORS field at all."""
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
    )


def unite_names(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the names of two Vary headers without duplicates; letter case does not count."""
    known = {name.lower() for name in first}
    return (*first, *(name for name in second if name.lower() not in known))


def _common_headers(first: Headers, second: Headers) -> Headers:
    """Return the headers that both have, each with the narrower value; none if one of them allows no origin."""
    others = dict(second)
    if _http.ALLOW_ORIGIN not in others or _http.ALLOW_ORIGIN not in dict(first):
        return ()
    common = ((name, _narrower_value(name, value, others[name])) for name, value in first if name in others)
    return tuple((name, value) for name, value in common if value)


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


def _actual(rules: "CompiledPolicy", origin: bytes, *, granted: bool | None) -> Decision:
    """Answer the standard's CORS check (Fetch, 4.10) in advance."""
    refusal = _refusal(rules, origin, _reasons.MISSING_ALLOW_ORIGIN, granted=granted)
    if refusal == Outcome.LOOKUP:
        return Decision(Outcome.LOOKUP)
    if refusal:
        return Decision(Outcome.REFUSED, refusal, (), _http.VARY_ORIGIN)
    return Decision(Outcome.ALLOWED, None, (*rules.origin_headers(origin), *rules.expose_headers), _http.VARY_ORIGIN)


def _preflight(rules: "CompiledPolicy", request: Request, *, granted: bool | None) -> Decision:
    """Answer a CORS-preflight request (Fetch, 4.8) truthfully, so that the console names the true cause."""
    if request.oversized:
        return refuse(request, _reasons.INVALID_HEADERS)
    method = (request.requested_method or b"").strip(b" \t")
    if not _http.TOKEN_BYTES.fullmatch(method):
        return refuse(request, _reasons.INVALID_METHOD)
    names = _http.requested_names(request.requested_headers)
    if names is None:
        return refuse(request, _reasons.INVALID_HEADERS)
    origin = (request.origin or b"").strip(b" \t")
    refusal = _refusal(rules, origin, _reasons.PREFLIGHT_MISSING_ALLOW_ORIGIN, granted=granted)
    if refusal == Outcome.LOOKUP:
        return Decision(Outcome.LOOKUP)
    return refuse(request, refusal) if refusal else _granted_preflight(rules, request, origin, method.decode(), names)


def _refusal(rules: "CompiledPolicy", origin: bytes, missing: str, *, granted: bool | None) -> str | None:
    """Say why an origin is refused; None where it is allowed, `LOOKUP` where only a callable can tell."""
    if rules.ignores_origin:
        return None
    value = origin.decode("latin-1") if len(origin) <= MAX_ORIGIN else ""
    if value in rules.origins:
        return None
    if value == "null":  # never matches anything but itself
        return missing
    if parse_origin(value) is None:
        return _reasons.INVALID_ORIGIN
    if rules.callables and granted is None:
        return Outcome.LOOKUP
    return None if rules.allows_any_origin or granted else missing


def _granted_preflight(
    rules: "CompiledPolicy", request: Request, origin: bytes, method: str, names: list[str]
) -> Decision:
    """Answer a preflight whose origin is allowed: the true lists, and the first thing that is not in them."""
    headers = (*rules.origin_headers(origin), *rules.preflight_headers(method, names))
    if not rules.allows_method(method):
        return _refused_part(_reasons.METHOD_DISALLOWED, headers, method)
    for name in names:
        if not rules.allows_header(name):
            return _refused_part(_reasons.HEADER_DISALLOWED, headers, name)
    if rules.private_network and request.private_network:
        headers = (*headers, (_http.ALLOW_PRIVATE_NETWORK, b"true"))
    if rules.max_age is not None:
        headers = (*headers, (_http.MAX_AGE, rules.max_age))
    return Decision(Outcome.PREFLIGHT_ALLOWED, None, headers, _http.VARY_PREFLIGHT, 204)


def _refused_part(reason: str, headers: Headers, subject: str) -> Decision:
    # 200, not 4xx, of which every browser says only that the status is not ok; and no Access-Control-Max-Age,
    # since WebKit keeps a denied result.
    return Decision(Outcome.PREFLIGHT_REFUSED, reason, headers, _http.VARY_PREFLIGHT, 200, subject)
