"""The text of a CORSError: the blocked request, the cause, and the remedy."""

from __future__ import annotations

from .failure import BlockedRequest, Failure


def explanation(blocked: BlockedRequest) -> str:
    """Return the lines that name the blocked request and the cause."""
    failure = blocked.failure
    redirected = "" if blocked.url == blocked.first_url else f" (redirected from {blocked.first_url})"
    response = "the preflight's response" if blocked.is_preflight else "the response"
    reason = _REASONS[blocked.cause].format(
        response=response if blocked.status is None else f"{response} (status {blocked.status})",
        header=f"{failure.header} is {'absent' if failure.value is None else repr(failure.value)}",
        value=failure.value,
        lines=failure.lines,
        origin=blocked.origin,
        refused=", ".join(failure.refused),
    )
    request = f"{blocked.method} {blocked.url}{redirected} from {blocked.page}"
    return f"{request} was blocked: {failure.code}\n  cause: {reason}"


_REASONS = {
    "MissingAllowOriginHeader": "{response} has no access-control-allow-origin",
    "WildcardOriginNotAllowed": (
        "{response} has access-control-allow-origin: '*', which is not allowed with credentials='include'"
    ),
    "MultipleAllowOriginValues": (
        "{response} has {lines} line(s) of access-control-allow-origin, together {value!r}; only one origin is allowed"
    ),
    "AllowOriginMismatch": (
        "{response} has access-control-allow-origin: {value!r}, but the request's origin is {origin!r}"
    ),
    "InvalidAllowOriginValue": "{response} has access-control-allow-origin: {value!r}, which is not an origin",
    "InvalidAllowCredentials": "credentials='include', but in {response} {header}; only 'true' in lower case counts",
    "InvalidStatus": "{response} must have a status of 200 to 299",
    "DisallowedRedirect": "{response} redirects: {header}",
    "InvalidAllowMethodsPreflightResponse": "in {response} {header}, but {refused!r} is not a method name",
    "InvalidAllowHeadersPreflightResponse": "in {response} {header}, but {refused!r} is not a header name",
    "MethodDisallowedByPreflightResponse": "method {refused} is not allowed; in {response} {header}",
    "HeaderDisallowedByPreflightResponse": "request header {refused} is not allowed; in {response} {header}",
    "RedirectContainsCredentials": "location {value!r} has a user name or a password",
    "DisallowedByMode": "mode='same-origin' does not allow another origin",
    "NoCorsRedirectModeNotFollow": "mode='no-cors' to another origin must follow redirects",
}


def remedy(blocked: BlockedRequest) -> str:
    """Return the correction, on the server or in the script."""
    place = "response to OPTIONS" if blocked.is_preflight else "response, errors and redirects included"
    wrong = [name for name in blocked.failure.refused if name.startswith("access-control-")]
    if wrong and blocked.cause == "HeaderDisallowedByPreflightResponse":
        return f"remove {', '.join(wrong)} from the request. It is a header of responses, and allows nothing here."
    refused, names = ", ".join(blocked.failure.refused), ", ".join(_whole_list(blocked.failure))
    text = _REMEDIES[blocked.cause].format(origin=blocked.origin, refused=refused, names=names, place=place)
    if blocked.origin == "null" and blocked.cause in _ORIGIN_CAUSES:
        text += _NULL_NOTE
    return text


def _whole_list(failure: Failure) -> list[str]:
    """Return the names of a list and the refused ones. `*` is omitted, because it did not allow them."""
    old = [name.strip() for name in (failure.value or "").split(",")]
    is_star_used = failure.refused == ("authorization",)  # `*` allows the others
    return [name for name in dict.fromkeys([*old, *failure.refused]) if name and (name != "*" or is_star_used)]


_ORIGIN_CAUSES = frozenset({"MissingAllowOriginHeader", "AllowOriginMismatch", "InvalidAllowOriginValue"})
_NULL_NOTE = (
    " (The origin is 'null' for sandboxed and local pages, and after a redirect between two foreign origins."
    " In that case, let the page request the final URL.)"
)
_SEND_ORIGIN = "send 'access-control-allow-origin: {origin}' on every {place}: add the origin to allow_origins."
_REMEDIES = {
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
        "respond to OPTIONS with 'access-control-allow-methods: {names}', in this letter case: add {refused} to"
        " allow_methods. With credentials, '*' is not a wildcard."
    ),
    "HeaderDisallowedByPreflightResponse": (
        "respond to OPTIONS with 'access-control-allow-headers: {names}': add {refused} to allow_headers."
        " With credentials, '*' is not a wildcard. By the standard, it never covers authorization."
    ),
    "RedirectContainsCredentials": "redirect to a URL without user name and password.",
    "DisallowedByMode": "fetch with mode='cors', and let the server allow {origin}.",
    "NoCorsRedirectModeNotFollow": "fetch with redirect='follow', or with mode='cors'.",
}
