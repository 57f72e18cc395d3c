"""The records of refusals and of `report_only`: their level, text, attributes and correction.

Values of a request are quoted and truncated, so that they cannot forge a line.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from asgi_cors._decision.callables import closest_allowed, describe_refusal
from asgi_cors._decision.decision import (
    CREDENTIALS_NOT_ALLOWED,
    CROSS_SITE_REQUEST,
    HOST_NOT_ALLOWED,
    MISSING_ALLOW_ORIGIN,
    ORIGIN_REASONS,
    PREFLIGHT_MISSING_ALLOW_ORIGIN,
    REASON_TEXTS,
    host_hint,
)
from asgi_cors._decision.fetch_metadata import sender_hint
from asgi_cors._decision.remedies import remedy
from asgi_cors._decision.request import SAME_ORIGIN_SITES, is_internal_host, is_internal_name

if TYPE_CHECKING:
    from asgi_cors._decision.decision import Decision
    from asgi_cors._decision.host import HostSet
    from asgi_cors._decision.request import Request
    from asgi_cors._http import Scope
    from asgi_cors._origins.origin_set import Suggestion
    from asgi_cors._policy.policy import Policy

logger: Final = logging.getLogger("asgi_cors")

MAX_LENGTH: Final = 200  # characters of a value of the request

ATTRIBUTES: Final = ("cors_origin", "cors_method", "cors_path", "cors_policy", "cors_reason", "cors_remedy")
HANDSHAKE: Final = "WebSocket handshake"

_REFUSED_BY_ENTRIES: Final = (MISSING_ALLOW_ORIGIN, PREFLIGHT_MISSING_ALLOW_ORIGIN)


def suggestion_for(
    policy: Policy, request: Request, decision: Decision, hosts: HostSet | None
) -> Suggestion | str | None:
    """Return the allowed origin, trusted origin or host that is closest to a refused one."""
    origin = request.origin_text[:MAX_LENGTH]
    if decision.reason == HOST_NOT_ALLOWED:
        closest = hosts.closest(request.host) if hosts else None
        return closest and f"Did you mean {closest!r}?"
    if decision.reason == CROSS_SITE_REQUEST:
        allowed = None if decision.headers_allow_origin else closest_allowed(policy, origin)
        return allowed or (closest_allowed(policy.compiled.trusted, origin) if policy.compiled.trusted else None)
    return closest_allowed(policy, origin) if decision.reason in ORIGIN_REASONS else None


def level_of(
    policy: Policy, request: Request, decision: Decision, scope: Scope, suggestion: Suggestion | str | None
) -> int:
    """Return WARNING if a refusal looks like a mistake in the configuration, INFO if another site seems to cause it."""
    is_refused_part = bool(decision.subject) or decision.reason == CREDENTIALS_NOT_ALLOWED
    is_own = decision.reason == CROSS_SITE_REQUEST and (
        may_read(policy, request, decision) or bool(sender_hint(request))
    )
    is_internal = decision.reason == HOST_NOT_ALLOWED and is_internal_name(request.host)
    if is_refused_part or is_own or is_internal or suggestion is not None or _is_behind_proxy(request, decision, scope):
        return logging.WARNING
    return logging.INFO


def may_read(policy: Policy, request: Request, decision: Decision) -> bool:
    """Return whether a refused request comes from an origin that an entry of `allow_origins` allows."""
    is_listed = decision.headers_allow_origin and not policy.compiled.allows_any_origin
    return is_listed and request.origin_text != "null"


def _is_behind_proxy(request: Request, decision: Decision, scope: Scope) -> bool:
    """Return whether a refused handshake may be same-origin, behind a proxy that changes Host."""
    return scope["type"] == "websocket" and decision.reason == MISSING_ALLOW_ORIGIN and is_internal_host(request)


def log_refusal(  # noqa: PLR0913, PLR0917 - each is a part of the record
    level: int, policy: Policy, request: Request, decision: Decision, scope: Scope, suggestion: Suggestion | str | None
) -> None:
    """Log one refused request, with its correction."""
    reason = decision.reason or MISSING_ALLOW_ORIGIN
    subject = f": {quote(decision.subject)}" if decision.subject else ""
    how = describe_refusal(policy, request.origin_text) if reason in _REFUSED_BY_ENTRIES else ""
    parts = [f"{REASON_TEXTS[reason]} ({reason}){subject or (how and f': {how}')}.", str(suggestion or "")]
    if _is_behind_proxy(request, decision, scope):
        parts.append(correction := host_hint(request.host or b"", internal=True))
    else:
        if scope["type"] == "websocket" and reason in ORIGIN_REASONS:  # not every server sends the reason
            parts.append(host_hint(request.host or b"", internal=False))
        parts.append(correction := _remedy(policy, request, decision))
    description, method = _describe_request(request, scope)
    shown = (
        description,
        _from_origin(request),
        quote(scope["path"]),
        _of_policy(decision),
        " ".join(filter(None, parts)),
    )
    extra = _attributes(request, scope, method, decision, correction)
    logger.log(level, "refused %s%s at %s%s: %s", *shown, extra=extra)


def _remedy(policy: Policy, request: Request, decision: Decision) -> str:
    """Return the correction of a refused request."""
    reason = decision.reason or MISSING_ALLOW_ORIGIN
    if reason == HOST_NOT_ALLOWED:
        host = request.host
        found = f"Host is {quote(host)}." if host else "The request has no Host."
        return f"{found} If that is a name of this server, add it to allowed_hosts." if host else found
    if reason != CROSS_SITE_REQUEST:
        return remedy(policy, reason, decision.subject, request.origin_text)
    if hint := sender_hint(request):
        return hint
    if request.fetch_site in SAME_ORIGIN_SITES:
        return "Origin or Referer is that of another site, whose form a service worker of yours may have forwarded."
    if request.origin_text in {"", "null"}:
        return "If such pages must send it, exempt the path: paths={'/path': {'csrf_protection': False}}."
    if may_read(policy, request, decision):
        return "The origin may not act as a user. Write allow_credentials=True, or send no cookies from its pages."
    if not request.origin_text.startswith("https://"):  # a policy may refuse to trust it
        return remedy(policy, reason, "", request.origin_text)
    return f"If that site may send such requests, add {quote(request.origin)} to csrf_trusted_origins."


def log_report(policy: Policy, request: Request, decision: Decision, scope: Scope) -> None:
    """Log one difference of `report_only`."""
    found = decision.report_only or decision
    refusal = found if found.refused else decision
    subject = f": {quote(refusal.subject)}" if refusal.subject else ""
    reason = refusal.reason or MISSING_ALLOW_ORIGIN
    correction = _remedy(policy, request, found) if found.refused else ""
    why = f"{'' if found.refused else 'it is refused because '}{REASON_TEXTS[reason]} ({reason}){subject}. {correction}"
    description, method = _describe_request(request, scope)
    shown = decision.report, description, _from_origin(request), quote(scope["path"]), _of_policy(found), why.rstrip()
    extra = _attributes(request, scope, method, refusal._replace(policy_name=found.policy_name), correction)
    logger.warning("report-only: %s %s%s at %s%s: %s", *shown, extra=extra)


def _from_origin(request: Request) -> str:
    """Return the origin of a request, for a line; empty if the request has none."""
    return "" if request.origin is None else f" from origin {quote(request.origin)}"


def _of_policy(decision: Decision) -> str:
    """Return the name of the policy that decided, for a line; empty if the policy has none."""
    return "" if decision.policy_name is None else f" by policy {quote(decision.policy_name)}"


def _attributes(request: Request, scope: Scope, method: str, decision: Decision, correction: str) -> dict[str, str]:
    """Return the attributes of the record of a refusal."""
    return {
        "cors_origin": printable(request.origin or ""),
        "cors_method": method,
        "cors_path": printable(scope["path"]),
        "cors_policy": decision.policy_name or "",
        "cors_reason": decision.reason or MISSING_ALLOW_ORIGIN,
        "cors_remedy": correction,
    }


def _describe_request(request: Request, scope: Scope) -> tuple[str, str]:
    """Return the request as text, and its method: of a preflight, the requested one."""
    if scope["type"] == "websocket":
        return f"a {HANDSHAKE}", HANDSHAKE
    if request.is_preflight:
        return f"a preflight for {quote(request.requested_method)}", printable(request.requested_method or "")
    return quote(request.method), printable(request.method)


def quote(value: bytes | str | None) -> str:
    """Return a value of a request as a literal of printable ASCII, truncated."""
    return _truncate(ascii(_head(value)))


def printable(value: bytes | str) -> str:
    """Return a value of a request in printable ASCII, truncated, without quotes."""
    text = _head(value)
    return _truncate(text if text.isascii() and text.isprintable() else ascii(text)[1:-1])


def _head(value: bytes | str | None) -> str:
    """Return the characters of a value that are logged, and one more, which shows that it is longer."""
    part = (value or "")[: MAX_LENGTH + 1]
    return part.decode("latin-1") if isinstance(part, bytes) else part


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"
