"""Why a request is refused: the codes, each in a sentence that holds nothing of the request, and the answer's body.

The codes are the names that Chromium's DevTools protocol gives a CorsError, where one fits.
"""

from __future__ import annotations

from typing import Final

# What the browser says of an answer without Access-Control-Allow-Origin.
MISSING_ALLOW_ORIGIN: Final = "MissingAllowOriginHeader"
PREFLIGHT_MISSING_ALLOW_ORIGIN: Final = "PreflightMissingAllowOriginHeader"
METHOD_DISALLOWED: Final = "MethodDisallowedByPreflightResponse"
HEADER_DISALLOWED: Final = "HeaderDisallowedByPreflightResponse"
# Where no name of Chromium's fits.
INVALID_ORIGIN: Final = "InvalidOrigin"
INVALID_METHOD: Final = "InvalidRequestedMethod"
INVALID_HEADERS: Final = "InvalidRequestedHeaders"
AMBIGUOUS_PATH: Final = "AmbiguousPath"
LOOKUP_FAILED: Final = "OriginLookupFailed"
POLICY_FAILED: Final = "PolicyLookupFailed"
CREDENTIALS_NOT_ALLOWED: Final = "CredentialsNotAllowed"

ORIGIN_REASONS: Final = (MISSING_ALLOW_ORIGIN, PREFLIGHT_MISSING_ALLOW_ORIGIN, INVALID_ORIGIN, LOOKUP_FAILED)

REASON_TEXTS: Final = {
    MISSING_ALLOW_ORIGIN: "no entry allows the origin",
    PREFLIGHT_MISSING_ALLOW_ORIGIN: "no entry allows the origin",
    METHOD_DISALLOWED: "the method is not allowed",
    HEADER_DISALLOWED: "a header is not allowed",
    INVALID_ORIGIN: "the Origin header is not one that a browser sends",
    INVALID_METHOD: "Access-Control-Request-Method is not a method name",
    INVALID_HEADERS: "the Access-Control-Request-* headers are not names of headers, or are too long",
    AMBIGUOUS_PATH: "another reading of the path leads to another policy, or the path is too long",
    LOOKUP_FAILED: "the look-up of the origin failed",
    POLICY_FAILED: "the policy for this request could not be determined",
    CREDENTIALS_NOT_ALLOWED: "the request carries credentials, and the policy does not set allow_credentials",
}


def refusal_body(reason: str | None, subject: str = "", *, host: bytes | None = None, internal: bool = False) -> str:
    """Say why a request is refused, in the answer's body: a line of what is so, nothing that a stranger has written.

    Args:
        reason: The code.
        subject: The method or header that is refused; empty where it is another thing.
        host: The Host received, where it tells whether the request is same-origin.
        internal: Whether that looks like a proxy's upstream.
    """
    why = REASON_TEXTS[reason or MISSING_ALLOW_ORIGIN]
    text = f"Refused by the CORS policy: {why}{subject and ': '}{subject} ({reason}).\n"
    return f"{text}{host_hint(host, internal=internal)}\n" if host is not None else text


def host_hint(host: bytes, *, internal: bool) -> str:
    """Say which Host was received, and what hides the true one."""
    proxy = " It looks like a proxy's upstream: write 'proxy_set_header Host $host' there." if internal else ""
    return f"The Host received is {host[:200].decode('latin-1')!a}.{proxy}"
