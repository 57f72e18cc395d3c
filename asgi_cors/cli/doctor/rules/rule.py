"""The type of a rule, and the constants and helpers that rules share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import _http, check_origin
from asgi_cors.cli.doctor.probes import NO_ORIGIN
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy, accepted_names, origin_remedy

if TYPE_CHECKING:
    import httpx

    from asgi_cors.cli.doctor.evidence import Evidence

Rule = Callable[["Evidence"], Iterator[Finding]]

OUTERMOST: Final = PolicyRemedy(
    advice="Make CORSMiddleware the outermost: it responds to preflights before the rest of the app runs."
)
AROUND: Final = PolicyRemedy(
    advice="Make CORSMiddleware the outermost: it adds the headers to redirects and errors of the layers inside."
)
VARIES: Final = PolicyRemedy(advice="Every policy that names its origins sends it.")
ORIGIN_CODES: Final = {
    "MissingAllowOriginHeader",
    "MultipleAllowOriginValues",
    "AllowOriginMismatch",
    "InvalidAllowOriginValue",
}
FORWARD_SCHEME: Final = (
    "The app does not know that the proxy before it terminates TLS. Forward the scheme: X-Forwarded-Proto from the"
    " proxy, and an app that trusts it (uvicorn --proxy-headers --forwarded-allow-ips, Flask ProxyFix, Django"
    " SECURE_PROXY_SSL_HEADER)."
)
SERVER_ERROR: Final = 500
_ORIGIN: Final = re.compile(r"https?://[^\s,;|\"'\]]+")


def is_downgrade(before: httpx.URL, after: httpx.URL) -> bool:
    """Return whether a redirect leads from https to http on the same host."""
    return (before.scheme, after.scheme) == ("https", "http") and before.host == after.host


def whole_remedy(evidence: Evidence) -> tuple[str, PolicyRemedy]:
    """Return the headers that allow the whole request, as a sentence, and the options of a policy for them."""
    question, preflight = evidence.question, evidence.preflight
    requested: Mapping[str, str] = preflight.request.headers if preflight else {}
    method = requested.get("access-control-request-method", "GET")
    names = requested.get("access-control-request-headers", "")
    lists: list[str] = []
    options: dict[str, Any] = {}
    if method not in _http.SAFELISTED_METHODS:
        lists.append(f"'Access-Control-Allow-Methods: {method}'")
        options["allow_methods"] = [method]
    if names:
        lists.append(f"'Access-Control-Allow-Headers: {', '.join(names.split(','))}'")
        options["allow_headers"] = [name for name in names.split(",") if name != "content-type"]
    credentials = ", 'Access-Control-Allow-Credentials: true'" if question.credentials else ""
    sentence = f"Send 'Access-Control-Allow-Origin: {question.origin}'{credentials} and 'Vary: Origin'."
    also = f" In the response to OPTIONS, also send {' and '.join(lists)}." if lists else ""
    accepted = {option: accepted_names(option, values) for option, values in options.items()}
    return sentence + also, allow_origins(evidence, **{option: values for option, values in accepted.items() if values})


def allow_origins(evidence: Evidence, **options: Any) -> PolicyRemedy:
    """Return the options of a policy that allow the page's origin, and its credentials if the request has them.

    The origins that the server's responses name stay allowed.

    Args:
        evidence: The evidence.
        **options: More options, by name.
    """
    credentials = {"allow_credentials": True} if evidence.question.credentials else {}
    return origin_remedy(evidence.question.origin, _named_origins(evidence), **(credentials | options))


def _named_origins(evidence: Evidence) -> list[str]:
    """Return the origins in the responses to the page and to a request without Origin, if a policy may allow them."""
    responses = [evidence.blocked, evidence.probes.get(NO_ORIGIN)]
    values = [response.allowed_origin or "" for response in responses if response]
    found = [origin for value in values for origin in _ORIGIN.findall(value)]
    return [origin for origin in found if check_origin(origin, credentials=evidence.question.credentials) is None]
