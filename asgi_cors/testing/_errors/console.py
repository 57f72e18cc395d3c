"""The console messages of each browser for a blocked `fetch()`, in the versions that `_fetch.engines` names."""

from __future__ import annotations

from .failure import BlockedRequest


def chromium_text(blocked: BlockedRequest) -> str:
    """Return Chromium's console message."""
    redirected = "" if blocked.url == blocked.first_url else f" (redirected from '{blocked.first_url}')"
    preflight = "Response to preflight request doesn't pass access control check: "
    prefix = preflight if blocked.failure.code.startswith("Preflight") else ""
    reason = _CHROMIUM[blocked.cause].format(
        value=blocked.failure.value or "", refused=next(iter(blocked.failure.refused), "")
    )
    if blocked.cause == "DisallowedByMode":
        return f"Fetch API cannot load {blocked.url}. {reason} {blocked.page}."
    return (
        f"Access to fetch at '{blocked.url}'{redirected} from origin '{blocked.page}' has been blocked by CORS policy: "
        f"{prefix}{reason}"
    )


_VALID = " Have the server send the header with a valid value."
_CHROMIUM = {
    "MissingAllowOriginHeader": "No 'Access-Control-Allow-Origin' header is present on the requested resource.",
    "WildcardOriginNotAllowed": (
        "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the"
        " request's credentials mode is 'include'."
    ),
    "MultipleAllowOriginValues": (
        "The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only one is allowed." + _VALID
    ),
    "AllowOriginMismatch": (
        "The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to the supplied origin."
        + _VALID
    ),
    "InvalidAllowOriginValue": (
        "The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'." + _VALID
    ),
    "InvalidAllowCredentials": (
        "The value of the 'Access-Control-Allow-Credentials' header in the response is '{value}' which must be 'true'"
        " when the request's credentials mode is 'include'."
    ),
    "InvalidStatus": "It does not have HTTP ok status.",
    "DisallowedRedirect": "Redirect is not allowed for a preflight request.",
    "InvalidAllowMethodsPreflightResponse": (
        "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
    ),
    "InvalidAllowHeadersPreflightResponse": (
        "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
    ),
    "MethodDisallowedByPreflightResponse": (
        "Method {refused} is not allowed by Access-Control-Allow-Methods in preflight response."
    ),
    "HeaderDisallowedByPreflightResponse": (
        "Request header field {refused} is not allowed by Access-Control-Allow-Headers in preflight response."
    ),
    "RedirectContainsCredentials": (
        "Redirect location '' contains a username and password, which is disallowed for cross-origin requests."
    ),
    "DisallowedByMode": 'Request mode is "same-origin" but the URL\'s origin is not same as the request origin',
    "NoCorsRedirectModeNotFollow": "Redirect mode must be 'follow' for a request of mode 'no-cors'.",
}


def firefox_text(blocked: BlockedRequest) -> str:
    """Return Firefox's console message."""
    if blocked.cause == "DisallowedByMode":
        return f"Security Error: Content at {blocked.page}/ may not load data from {blocked.url}."
    cause, failure = blocked.cause, blocked.failure
    if cause == "MultipleAllowOriginValues" and failure.lines == 1:
        cause = "AllowOriginMismatch"
    reason = _FIREFOX[cause].format(value=failure.value or "", refused=min(failure.refused, default=""))
    url = f"‘{blocked.url}’" if cause == "WildcardOriginNotAllowed" else blocked.url
    status = {
        "MissingAllowOriginHeader": blocked.status,
        "InvalidStatus": blocked.status,
        "RedirectContainsCredentials": "(null)",
    }
    suffix = f". Status code: {status[cause]}." if cause in status else "."
    return (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at "
        f"{url}. (Reason: {reason}){suffix}"
    )


_MISMATCH = "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’"
_FIREFOX = {
    "MissingAllowOriginHeader": "CORS header ‘Access-Control-Allow-Origin’ missing",
    "WildcardOriginNotAllowed": "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’",
    "MultipleAllowOriginValues": "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed",
    "AllowOriginMismatch": _MISMATCH,
    "InvalidAllowOriginValue": _MISMATCH,
    "InvalidAllowCredentials": "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’",
    "InvalidStatus": "CORS preflight response did not succeed",
    "DisallowedRedirect": "CORS request external redirect not allowed",
    "InvalidAllowMethodsPreflightResponse": "invalid token ‘{refused}’ in CORS header ‘Access-Control-Allow-Methods’",
    "InvalidAllowHeadersPreflightResponse": "invalid token ‘{refused}’ in CORS header ‘Access-Control-Allow-Headers’",
    "MethodDisallowedByPreflightResponse": "Did not find method in CORS header ‘Access-Control-Allow-Methods’",
    "HeaderDisallowedByPreflightResponse": (
        "header ‘{refused}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight"
        " response"
    ),
    "RedirectContainsCredentials": "CORS request did not succeed",
    "NoCorsRedirectModeNotFollow": "CORS request did not succeed",
}


def webkit_text(blocked: BlockedRequest) -> str:
    """Return WebKit's console message."""
    cause, failure = blocked.cause, blocked.failure
    reason = _WEBKIT[cause].format(
        value=failure.value or "",
        refused=next(iter(failure.refused), ""),
        origin=blocked.origin,
        status=blocked.status,
    )
    return f"Fetch API cannot load {blocked.url} due to access control checks: {reason}"


_NOT_ALLOWED = "Origin {origin} is not allowed by Access-Control-Allow-Origin. Status code: {status}"
_WEBKIT = {
    "MissingAllowOriginHeader": _NOT_ALLOWED,
    "WildcardOriginNotAllowed": "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.",
    "MultipleAllowOriginValues": "Access-Control-Allow-Origin cannot contain more than one origin.",
    "AllowOriginMismatch": _NOT_ALLOWED,
    "InvalidAllowOriginValue": _NOT_ALLOWED,
    "InvalidAllowCredentials": 'Credentials flag is true, but Access-Control-Allow-Credentials is not "true".',
    "InvalidStatus": "Preflight response is not successful. Status code: {status}",
    "DisallowedRedirect": "Preflight response is not successful. Status code: {status}",
    "InvalidAllowMethodsPreflightResponse": "Header Access-Control-Allow-Methods has an invalid value: {value}",
    "InvalidAllowHeadersPreflightResponse": "Header Access-Control-Allow-Headers has an invalid value: {value}",
    "MethodDisallowedByPreflightResponse": "Method {refused} is not allowed by Access-Control-Allow-Methods.",
    "HeaderDisallowedByPreflightResponse": (
        "Request header field {refused} is not allowed by Access-Control-Allow-Headers."
    ),
    "RedirectContainsCredentials": "Redirection to URL with user name or password is not allowed by CORS policy.",
    "DisallowedByMode": "Cross-origin request is not allowed for mode same-origin.",
    "NoCorsRedirectModeNotFollow": "Redirect mode must be follow for mode no-cors.",
}
