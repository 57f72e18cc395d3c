"""Describes a block as text: the request, the cause, and the remedy."""

from __future__ import annotations

from collections.abc import Callable

from .failure import Case


def explanation(case: Case) -> str:
    """Say which request was blocked, and why."""
    failure = case.failure
    redirected = "" if case.url == case.first_url else f" (redirected from {case.first_url})"
    lines = [f"{case.method} {case.url}{redirected} from {case.page} was blocked: {failure.code}"]
    reason = _REASONS[case.cause](case)
    answer = "the preflight's response" if case.is_preflight else "the response"
    status = "" if case.status is None else f" (status {case.status})"
    lines.append(f"  cause: {reason}".replace("{answer}", f"{answer}{status}"))
    return "\n".join(lines)


def _shown(case: Case) -> str:
    value = case.failure.value
    return f"{case.failure.field} is {'absent' if value is None else repr(value)}"


def _refused(case: Case) -> str:
    return ", ".join(case.failure.refused)


_REASONS: dict[str, Callable[[Case], str]] = {
    "MissingAllowOriginHeader": lambda _: "{answer} has no access-control-allow-origin",
    "WildcardOriginNotAllowed": lambda _: (
        "{answer} has access-control-allow-origin: '*', which is not allowed with credentials='include'"
    ),
    "MultipleAllowOriginValues": lambda case: (
        f"{{answer}} has {case.failure.lines} line(s) of access-control-allow-origin, together {case.failure.value!r};"
        " only one origin is allowed"
    ),
    "AllowOriginMismatch": lambda case: (
        f"{{answer}} has access-control-allow-origin: {case.failure.value!r}, but the request's origin is"
        f" {case.origin!r}"
    ),
    "InvalidAllowOriginValue": lambda case: (
        f"{{answer}} has access-control-allow-origin: {case.failure.value!r}, which is not an origin"
    ),
    "InvalidAllowCredentials": lambda case: (
        f"credentials='include', but in {{answer}} {_shown(case)}; only 'true' in lower case counts"
    ),
    "InvalidStatus": lambda _: "{answer} must have a status of 200 to 299",
    "DisallowedRedirect": lambda case: f"{{answer}} redirects: {_shown(case)}",
    "InvalidAllowMethodsPreflightResponse": lambda case: (
        f"in {{answer}} {_shown(case)}, but {_refused(case)!r} is not a method name"
    ),
    "InvalidAllowHeadersPreflightResponse": lambda case: (
        f"in {{answer}} {_shown(case)}, but {_refused(case)!r} is not a header name"
    ),
    "MethodDisallowedByPreflightResponse": lambda case: (
        f"method {_refused(case)} is not allowed; in {{answer}} {_shown(case)}"
    ),
    "HeaderDisallowedByPreflightResponse": lambda case: (
        f"request header {_refused(case)} is not allowed; in {{answer}} {_shown(case)}"
    ),
    "RedirectContainsCredentials": lambda case: f"location {case.failure.value!r} has a user name or a password",
    "DisallowedByMode": lambda _: "mode='same-origin' does not allow another origin",
    "NoCorsRedirectModeNotFollow": lambda _: "mode='no-cors' to another origin must follow redirects",
}


def remedy(case: Case) -> str:
    """Say what to write, on the server or in the script."""
    text = _REMEDIES[case.cause].format(origin=case.origin, refused=_refused(case), place=_place(case))
    if case.origin == "null" and case.cause in _ORIGIN_CAUSES:
        text += _NULL_NOTE
    return text


def _place(case: Case) -> str:
    return "response to OPTIONS" if case.is_preflight else "response, errors and redirects included"


_ORIGIN_CAUSES = frozenset({"MissingAllowOriginHeader", "AllowOriginMismatch", "InvalidAllowOriginValue"})
_NULL_NOTE = (
    " (The origin is 'null' for sandboxed and local pages, and after a redirect from one foreign origin to another."
    " In that case, let the page request the final URL.)"
)
_SEND_ORIGIN = "send 'access-control-allow-origin: {origin}' on every {place}: add the origin to allow_origins."
_REMEDIES: dict[str, str] = {
    "MissingAllowOriginHeader": _SEND_ORIGIN,
    "WildcardOriginNotAllowed": (
        "with credentials, send 'access-control-allow-origin: {origin}' and 'access-control-allow-credentials: true':"
        " name the origins in allow_origins and set allow_credentials=True; or fetch without credentials."
    ),
    "MultipleAllowOriginValues": (
        "send the header once, 'access-control-allow-origin: {origin}'; only one layer may set it, the proxy or the"
        " application."
    ),
    "AllowOriginMismatch": _SEND_ORIGIN,
    "InvalidAllowOriginValue": _SEND_ORIGIN,
    "InvalidAllowCredentials": (
        "send 'access-control-allow-credentials: true', once: set allow_credentials=True; or fetch without credentials."
    ),
    "InvalidStatus": (
        "respond to OPTIONS with 204, before authentication and routing: make the CORS middleware the outermost one."
    ),
    "DisallowedRedirect": (
        "respond to OPTIONS at this URL, or fetch the URL that it redirects to (with a slash at the end, with https)."
    ),
    "InvalidAllowMethodsPreflightResponse": (
        "separate the methods by commas: 'access-control-allow-methods: GET, PUT'. Write one method in each entry of"
        " allow_methods."
    ),
    "InvalidAllowHeadersPreflightResponse": (
        "separate the names by commas: 'access-control-allow-headers: x-a, x-b'. Write one name in each entry of"
        " allow_headers."
    ),
    "MethodDisallowedByPreflightResponse": (
        "respond to OPTIONS with 'access-control-allow-methods: {refused}', in this letter case: add it to"
        " allow_methods. With credentials, '*' is not a wildcard."
    ),
    "HeaderDisallowedByPreflightResponse": (
        "respond to OPTIONS with 'access-control-allow-headers: {refused}': add it to allow_headers."
        " With credentials, '*' is not a wildcard. By the standard, it never covers authorization."
    ),
    "RedirectContainsCredentials": "redirect to a URL without user name and password.",
    "DisallowedByMode": "fetch with mode='cors', and let the server allow {origin}.",
    "NoCorsRedirectModeNotFollow": "fetch with redirect='follow', or with mode='cors'.",
}
