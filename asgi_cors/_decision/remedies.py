"""The corrections of refusals, for developers: what to write in the policy, or what to change on the page.

`Policy` accepts every proposed value, and a correction allows no more than the refused request needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgi_cors import _http
from asgi_cors._errors import OptionIssues
from asgi_cors._origins.origin import FROM_NULL, OVER_HTTP, is_loopback, parse_origin
from asgi_cors._origins.pattern import Pattern, parse_pattern
from asgi_cors._policy.options import parse_origins
from asgi_cors._policy.presets import PRESETS
from asgi_cors._policy.risks import check_credentials

from . import decision as _decision
from .callables import source_remedy
from .host import parse_hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgi_cors._policy.policy import Policy

_MAX_ENTRIES: Final = 3  # of a policy, in a correction
_MAX_NAMES: Final = 8  # in a list that a correction repeats
_MAX_LENGTH: Final = 100  # characters of a name or origin that a correction repeats

_SEE_LOG: Final = "Correct the error that the logger asgi_cors reports for it."
_REMEDIES: Final[Mapping[str | None, str]] = {
    _decision.INVALID_METHOD: "No browser sends this. Correct the client.",
    _decision.INVALID_HEADERS: "Send fewer request headers, each with a valid name.",
    _decision.AMBIGUOUS_PATH: "Request the path exactly as its rule spells it.",
    _decision.LOOKUP_FAILED: _SEE_LOG,
    _decision.POLICY_FAILED: _SEE_LOG,
}


def remedy(policy: Policy, reason: str | None, subject: str, origin: str) -> str:
    """Return the correction of a refusal, as one or two sentences.

    Args:
        policy: The policy that refused the request.
        reason: The code of the refusal.
        subject: The refused method or header; empty if the refusal has another reason.
        origin: The origin of the request.
    """
    if reason == _decision.CROSS_SITE_REQUEST:
        return _sender_remedy(policy, origin)
    if reason == _decision.METHOD_DISALLOWED:
        return _method_remedy(policy, subject)
    if reason == _decision.HEADER_DISALLOWED:
        return _header_remedy(policy, subject)
    if reason == _decision.CREDENTIALS_NOT_ALLOWED:
        return credentials_remedy(policy)
    return _REMEDIES.get(reason) or _origin_remedy(policy, origin)


def credentials_remedy(policy: Policy) -> str:
    """Return the change that allows credentials."""
    named = " and name the origins, because '*' is refused with it" if policy.compiled.allows_any_origin else ""
    unsafe = "" if named else _unsafe_with_credentials(policy)
    exposed = "" if policy.expose_headers != "*" else " Name the headers in expose_headers, too, instead of '*'."
    return f"Write allow_credentials=True{named or unsafe}.{exposed}"


def _unsafe_with_credentials(policy: Policy) -> str:
    """Return the entries to replace, because `Policy` refuses them with `allow_credentials`; "" if there are none."""
    issues = OptionIssues("allow_origins")
    origins = parse_origins(policy.allow_origins, policy.allow_origin_regex, issues)
    check_credentials(origins, policy.dangerously_allow, issues)
    values = list(dict.fromkeys(repr(issue.value) for issue in issues.errors))
    more = f" and {len(values) - _MAX_ENTRIES} more" if len(values) > _MAX_ENTRIES else ""
    listed = f"{', '.join(values[:_MAX_ENTRIES])}{more}"
    return f" and replace {listed} in allow_origins, because it is unsafe with credentials" if values else ""


def _method_remedy(policy: Policy, method: str) -> str:
    upper = method.upper()
    if upper in _http.FORBIDDEN_METHODS:
        return "No browser sends this method. Correct the client."
    if "*" in method:
        return "Use a method without '*' in its name."
    if upper != method and (policy.compiled.allows_method(upper) or upper in _http.KNOWN_METHODS):
        is_allowed = policy.compiled.allows_method(upper)
        addition = "" if is_allowed else f" {_with_name('allow_methods', policy.allow_methods, upper)}"
        return f"Write {upper!r} in the page's script. Methods are case-sensitive.{addition}"
    return _with_name("allow_methods", policy.allow_methods, method)


def _header_remedy(policy: Policy, name: str) -> str:
    if name.encode() in _http.CORS_RESPONSE_HEADERS:
        return "Remove it from the page's request. It is a response header."
    if _http.is_forbidden_header(name):
        return "No browser lets a script set this header. Correct the client."
    if "*" in name:
        return "Use a header without '*' in its name."
    return f"{_with_name('allow_headers', policy.allow_headers, name)}{_preset_hint(policy, name)}"


def _preset_hint(policy: Policy, name: str) -> str:
    """Return a sentence about the preset whose headers include `name`, if there is exactly one."""
    prefixes = [f"{name[:end]}*" for end in range(len(name) + 1)] if len(name) <= _MAX_LENGTH else []
    found = [preset for preset, names in PRESETS.items() if not {name, *prefixes}.isdisjoint(names.headers)]
    if len(found) != 1:
        return ""
    return f" To allow all names of that protocol, write presets={[*policy.presets, *found]!r}."


def _with_name(option: str, names: str | tuple[str, ...], name: str) -> str:
    """Return the option's value with one more name, or only the name if the list is long."""
    if len(name) > _MAX_LENGTH:
        return f"Add it to {option}."
    if len(names) > _MAX_NAMES:
        return f"Add {name!r} to {option}."
    return f"Write {option}={[*names, name]!r}."


def _origin_remedy(policy: Policy, origin: str) -> str:
    if origin == "null":
        if policy.allow_credentials and FROM_NULL not in policy.dangerously_allow:
            return "Sandboxed and local pages send 'null'. Serve the page from an origin of its own."
        return "If sandboxed and local pages may read this, add 'null' to allow_origins."
    pattern = _exact_pattern(origin)
    if isinstance(pattern, str):
        return pattern or "If that page is yours, allow it by a callable in allow_origins."
    if _is_refused_over_http(policy, pattern, credentials=policy.allow_credentials):
        secure = f"https://{pattern.host}"
        add = "" if secure in policy.compiled.origins else f", and {_addition(policy, secure)}"
        return f"If that page is yours, serve it over https{add}."
    return f"If that page is yours, {_addition(policy, origin)}."


def _exact_pattern(origin: str) -> Pattern | str:
    """Return an origin as an entry; else the correction, which is empty if only a callable can allow the origin."""
    if parse_origin(origin) is None:
        return "No browser sends this origin. Correct the client."
    if len(origin) > _MAX_LENGTH:
        return "If that page is yours, add its origin to allow_origins."
    pattern = parse_pattern(origin)
    return pattern if isinstance(pattern, Pattern) and pattern.is_exact else ""


def _addition(policy: Policy, origin: str) -> str:
    """Return where to add an origin: the list of a source if the policy has one, or else its own."""
    return source_remedy(policy, origin) or f"add {origin!r} to allow_origins"


def _is_refused_over_http(policy: Policy, pattern: Pattern, *, credentials: bool) -> bool:
    """Return whether `Policy` would refuse this origin as a risk, with or without credentials."""
    allowed = not credentials or OVER_HTTP in policy.dangerously_allow
    return not allowed and pattern.scheme == "http" and not is_loopback(pattern.literal_suffix)


# -- of requests that are refused before the app runs


def _sender_remedy(policy: Policy, origin: str) -> str:
    """Return how a page may send a request that `csrf_protection` refuses. Reading the response takes more."""
    if origin == "null":
        return (
            "Serve the page from an origin of its own: sandboxed pages of any site send 'null', too. If senders of this"
            " path can't be listed, write csrf_protection=False in the policy of the path."
        )
    pattern = _exact_pattern(origin)
    if isinstance(pattern, str):
        return pattern.replace("allow_origins", "csrf_trusted_origins") or (
            "If that page may send this, allow it by a callable in csrf_trusted_origins."
        )
    if _is_refused_over_http(policy, pattern, credentials=True):
        return f"If that page is yours, serve it over https, and {_trust(policy, f'https://{pattern.host}')}."
    return f"If that page may send this, {_trust(policy, origin)}."


def _trust(policy: Policy, origin: str) -> str:
    """Return where to add a trusted origin; see `_addition`."""
    trusted = policy.compiled.trusted
    from_source = source_remedy(trusted, origin) if trusted else None
    return from_source or f"add {origin!r} to csrf_trusted_origins"


def host_remedy(host: str) -> str:
    """Return how `allowed_hosts` allows a host. The entry has the port of the request."""
    issues = OptionIssues("allowed_hosts")
    if len(host) <= _MAX_LENGTH and "*" not in host:
        parse_hosts([host.lower()], issues)
        if not issues.errors:
            return f"If that is a name of this server, add {host.lower()!r} to allowed_hosts."
    return "No browser sends this Host. Correct the client, or the proxy that sets it."
