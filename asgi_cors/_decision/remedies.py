"""The correction to write for a refused request.

A correction is accepted by `Policy`, and allows no more than what was refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgi_cors import _http
from asgi_cors._origins.origin import FROM_NULL, OVER_HTTP, is_loopback, parse_origin
from asgi_cors._origins.pattern import Pattern, parse_pattern

from . import reasons as _reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgi_cors._policy.policy import Policy

_MAX_NAMES: Final = 8  # of a list that is written out
_MAX_LENGTH: Final = 100  # characters of a name or origin that is repeated

_SEE_LOG: Final = "Correct the error that the logger asgi_cors reports for it."
_BY_REASON: Final[Mapping[str, str]] = {
    _reasons.INVALID_METHOD: "No browser sends this. Correct the client.",
    _reasons.INVALID_HEADERS: "Send fewer request headers, each with a valid name.",
    _reasons.AMBIGUOUS_PATH: "Request the path exactly as its rule spells it.",
    _reasons.LOOKUP_FAILED: _SEE_LOG,
    _reasons.POLICY_FAILED: _SEE_LOG,
}


def remedy(policy: Policy, reason: str | None, subject: str, origin: str) -> str:
    """Return the correction to write, as one or two sentences.

    Args:
        policy: The policy that refused the request.
        reason: The code of the refusal.
        subject: The method or header that is refused, if it is one of these.
        origin: The origin of the request.
    """
    if reason == _reasons.METHOD_DISALLOWED:
        return _method_remedy(policy, subject)
    if reason == _reasons.HEADER_DISALLOWED:
        return _header_remedy(policy, subject)
    if reason == _reasons.CREDENTIALS_NOT_ALLOWED:
        return credentials_remedy(policy)
    return _BY_REASON.get(reason or "") or _origin_remedy(policy, origin)


def credentials_remedy(policy: Policy) -> str:
    """Return the correction for a request with credentials under a policy without them."""
    named = " and name the origins, because '*' is refused with it" if policy.compiled.allows_any_origin else ""
    return f"Write allow_credentials=True{named}."


def _method_remedy(policy: Policy, method: str) -> str:
    upper = method.upper()
    if upper in _http.FORBIDDEN_METHODS:
        return "No browser sends this method. Correct the client."
    if "*" in method:
        return "Use a method without '*' in its name."
    if upper != method and policy.compiled.allows_method(upper):
        return f"Write {upper!r} in the page's script: methods are case-sensitive."
    return _added("allow_methods", policy.allow_methods, method)


def _header_remedy(policy: Policy, name: str) -> str:
    if name.encode() in _http.CORS_RESPONSE_HEADERS:
        return "Remove it from the page's request: it is a response header."
    if _http.is_forbidden_header(name):
        return "No browser lets a script set this header. Correct the client."
    if "*" in name:
        return "Use a header without '*' in its name."
    return _added("allow_headers", policy.allow_headers, name)


def _added(option: str, names: str | tuple[str, ...], name: str) -> str:
    """Return the option's value with one more name, or the name alone if the list is long."""
    if len(name) > _MAX_LENGTH:
        return f"Add it to {option}."
    if len(names) > _MAX_NAMES:
        return f"Add {name!r} to {option}."
    return f"Write {option}={[*names, name]!r}."


def _origin_remedy(policy: Policy, origin: str) -> str:
    if origin == "null":
        return _null_remedy(policy)
    if parse_origin(origin) is None:
        return "No browser sends this origin. Correct the client."
    if len(origin) > _MAX_LENGTH:
        return "If that page is yours, add its origin to allow_origins."
    pattern = parse_pattern(origin)
    if not isinstance(pattern, Pattern) or not pattern.is_exact:
        return "If that page is yours, allow it by a callable in allow_origins."
    if _is_refused_over_http(policy, pattern):
        secure = f"https://{pattern.host}"
        add = "" if secure in policy.compiled.origins else f", and add {secure!r} to allow_origins"
        return f"If that page is yours, serve it over https{add}."
    return f"If that page is yours, add {origin!r} to allow_origins."


def _null_remedy(policy: Policy) -> str:
    if policy.allow_credentials and FROM_NULL not in policy.dangerously_allow:
        return "Sandboxed and local pages send 'null'. Serve the page from an origin of its own."
    return "If sandboxed and local pages may read this, add 'null' to allow_origins."


def _is_refused_over_http(policy: Policy, pattern: Pattern) -> bool:
    """Return whether the constructor would refuse this origin with credentials."""
    allowed = not policy.allow_credentials or OVER_HTTP in policy.dangerously_allow
    return not allowed and pattern.scheme == "http" and not is_loopback(pattern.literal_suffix)
