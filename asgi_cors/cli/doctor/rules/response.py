"""Causes in the response to the request itself: a missing header, a redirect, a header that is not exposed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors import _http
from asgi_cors.cli.doctor.evidence import EXPOSE_HEADERS, HEADER_NOT_EXPOSED
from asgi_cors.cli.doctor.recipes import CREDENTIALS, ERRORS, EXPOSE, ORIGIN, recipe
from asgi_cors.cli.doctor.servers import detect_proxy, detect_servers, proxy_headers
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy, accepted_names, policy_line

from .comparison import (
    allows_origin_on_preflight,
    fails_everywhere,
    grants_preflight,
    names_origin_in_vary,
    refuses_page_at_target,
)
from .gateways import is_gateway_error, is_too_large
from .layers import redirect_advice
from .logins import leads_to_login
from .rule import AROUND, SERVER_ERROR, allow_origins, whole_remedy

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_REDIRECTS: Final = {301, 302, 303, 307, 308}
_AUTHENTICATION: Final = {401, 403, 407}
_EXPOSE: Final = "Access-Control-Expose-Headers"


def _without_cors(evidence: Evidence) -> ServerResponse | None:
    """Return the response to the request itself if it is blocked for a missing Access-Control-Allow-Origin."""
    return None if evidence.is_preflight or evidence.code != "MissingAllowOriginHeader" else evidence.blocked


def redirected_to_login(evidence: Evidence) -> Iterator[Finding]:
    """A request without a login is redirected to a login page, which has no CORS headers."""
    redirects = [response for response in evidence.main_responses if response.status in _REDIRECTS]
    locations = [(response.request.url, response.get("location") or "") for response in redirects]
    logins = [location for requested, location in locations if leads_to_login(requested, location)]
    if logins and evidence.code and not evidence.is_preflight:
        hint = "" if evidence.question.credentials else " The request has no cookies. Does it need credentials?"
        yield Finding(
            "redirected-to-login",
            f"The request is not logged in, and the server redirects it to a login page ({logins[-1]}) that a script"
            " can't read.",
            f"Respond with 401 and the CORS headers to requests of scripts, and open the login from the page.{hint}",
            policy=AROUND,
        )


def redirect_without_cors(evidence: Evidence) -> Iterator[Finding]:
    """The redirect itself has no CORS headers, and nothing shows that CORS runs and refuses this origin."""
    response = None if refuses_page_at_target(evidence) else _without_cors(evidence)
    location = response.get("location") if response else None
    if response and response.status in _REDIRECTS and location is not None:
        yield Finding(
            "redirect-without-cors",
            f"The server redirects the request ({response.status}) to {location}, and the redirect has no"
            " Access-Control-Allow-Origin. Browsers check every response on the way.",
            "Send the CORS headers on redirects, too. "
            + redirect_advice(evidence, str(response.redirect_target or location)),
            recipe(ERRORS, response),
            AROUND,
        )


def stopped_by_gateway(evidence: Evidence) -> Iterator[Finding]:
    """A proxy or a limit responds itself: 413, 429, 502, 504."""
    response = _without_cors(evidence)
    if response is None or not is_gateway_error(response):
        return
    proxy = detect_proxy(response) or next(iter(detect_servers(response)), "a proxy or a limit before the app")
    remedies = {
        408: "The request did not arrive in whole within the time that this layer waits.",
        429: "The client has reached a rate limit. Run the rate limiter inside of CORS.",
        504: "The app takes longer than the proxy waits. Make it faster, or raise the proxy's timeout.",
    }
    yield Finding(
        "gateway-error",
        f"CORS is not the cause: {proxy} responds with {response.status} itself, without the app's CORS headers"
        f"{proxy_headers(response)}.",
        _larger(response) or remedies.get(response.status, "Check the app. It is down, or closes the connection."),
        recipe(ERRORS, response),
    )


def _larger(response: ServerResponse) -> str:
    """Return the remedy for a request that is too large, or ""."""
    if not is_too_large(response):
        return ""
    if response.status == 413:  # noqa: PLR2004 - the body; the others are the URL and the headers
        return "Raise its limit for the body (nginx: client_max_body_size), or send a smaller body."
    return (
        "Raise its limit for the URL and the headers (nginx: large_client_header_buffers, Apache: LimitRequestFieldSize"
        " and LimitRequestLine), or send fewer: cookies and tokens are the longest."
    )


def response_crashed(evidence: Evidence) -> Iterator[Finding]:
    """The app crashes, and the error response has no CORS headers."""
    response = _without_cors(evidence)
    if response and response.status >= SERVER_ERROR:
        yield Finding(
            "response-crashed",
            f"CORS is not the cause: the app crashes ({response.status}). The browser reports CORS because the error"
            f" page has no CORS headers.{_open_question(evidence)}",
            "Read the server's log and fix the crash. Then send the CORS headers on errors, so that the page sees"
            " them.",
            recipe(ERRORS, response),
            PolicyRemedy(advice="CORSMiddleware(app, …) around the whole app adds them to a 500 as well."),
        )


def _open_question(evidence: Evidence) -> str:
    """Return the sentence about the other cause that the evidence leaves open, with the request that shows it."""
    if allows_origin_on_preflight(evidence):
        return " The response to a preflight allows this origin."
    if fails_everywhere(evidence):
        return (
            " Every tested path, method and origin fails alike, so a CORS check that refuses by an error is possible,"
            " too. A request with an origin that the server allows shows which it is."
        )
    return " No response shows whether this origin is allowed. A request that does not fail shows it."


def error_without_cors(evidence: Evidence) -> Iterator[Finding]:
    """Authentication or another layer outside of CORS responds with an error."""
    response = _without_cors(evidence)
    if response and not response.is_ok and response.status not in _REDIRECTS:
        layer = "Authentication" if response.status in _AUTHENTICATION else "A layer before or outside of CORS"
        yield Finding(
            "error-without-cors",
            f"{layer} responds with {response.status} and no CORS headers, so the page can't even read the error."
            f"{_open_question(evidence)}",
            "Put CORS outside of that layer, so that errors have the headers, too.",
            recipe(ERRORS, response),
            AROUND,
        )


def only_preflight_answered(evidence: Evidence) -> Iterator[Finding]:
    """The preflight is allowed, and the response itself has no CORS headers."""
    response = _without_cors(evidence)
    if response and response.is_ok and grants_preflight(evidence):
        lists = (
            " The response has 'Vary: Origin', so another layer may check the origin with a list of its own."
            if names_origin_in_vary(response)
            else ""
        )
        yield Finding(
            "only-preflight-answered",
            f"The response to the preflight is right, but the response to {evidence.question.method} has no"
            f" Access-Control-Allow-Origin. The code that sends the header does not run for this route.{lists}",
            "Send the header on every response, not only on the response to OPTIONS.",
            recipe(ORIGIN, response, origin=evidence.question.origin),
            allow_origins(evidence),
        )


def no_cors(evidence: Evidence) -> Iterator[Finding]:
    """Nothing shows that CORS is configured."""
    response = evidence.blocked
    if response and evidence.code == "MissingAllowOriginHeader":
        subject = "The response to the preflight" if evidence.is_preflight else "The response"
        remedy, policy = whole_remedy(evidence)
        if evidence.question.origin == "null":
            remedy = "Serve the page over http or https: it has the origin 'null' now. Then allow its new origin."
        yield Finding(
            "no-cors",
            f"{subject} ({response.status}) has no CORS header. CORS is not configured for this path, or this origin is"
            " not allowed.",
            remedy,
            recipe(CREDENTIALS if evidence.question.credentials else ORIGIN, response),
            policy,
        )


def _hidden_headers(evidence: Evidence) -> list[str]:
    """Return the response headers that the script reads and can't read."""
    result = next((result for result in evidence.results if result.problem == HEADER_NOT_EXPOSED), None)
    return result.hidden(evidence.question.reads) if result else []


def _names_to_expose(evidence: Evidence) -> list[str]:
    """Return the whole list for Access-Control-Expose-Headers: the old names, and those that the script reads."""
    old = evidence.main_responses[-1].elements(EXPOSE_HEADERS)
    names = dict.fromkeys([*old, *_hidden_headers(evidence)])
    return [name for name in names if name != "*" and name.lower() not in _http.UNEXPOSABLE_HEADERS]


def _exposing(names: list[str]) -> PolicyRemedy:
    return PolicyRemedy(policy_line(expose_headers=accepted_names("expose_headers", names)))


def unreadable_header(evidence: Evidence) -> Iterator[Finding]:
    """The script reads Set-Cookie, which no script can read."""
    if secret := [name for name in _hidden_headers(evidence) if name in _http.UNEXPOSABLE_HEADERS]:
        yield Finding(
            "header-not-exposed",
            f"The script reads {', '.join(secret)}. Browsers show it to no script, whatever the server exposes.",
            "Read the value from the body, or send it in another header and expose that. The browser stores the cookie"
            " itself.",
        )


def header_not_sent(evidence: Evidence) -> Iterator[Finding]:
    """The script reads a response header that is missing."""
    hidden, names = _hidden_headers(evidence), _names_to_expose(evidence)
    missing = [name for name in hidden if evidence.main_responses[-1].get(name) is None]
    if missing:
        yield Finding(
            "header-not-sent",
            f"The script reads {', '.join(missing)}, but the response does not have it.",
            "Send the header, and list it in Access-Control-Expose-Headers.",
            policy=_exposing(names),
        )


def header_not_exposed(evidence: Evidence) -> Iterator[Finding]:
    """The script reads a response header that is not exposed."""
    if hidden := _hidden_headers(evidence):
        response, names = evidence.main_responses[-1], _names_to_expose(evidence)
        star = "*" in response.elements(EXPOSE_HEADERS)
        reason = "'*' is not a wildcard for a request with credentials" if star else f"{_EXPOSE} lacks it"
        yield Finding(
            "header-not-exposed",
            f"The page receives the response, but its script reads null for {', '.join(hidden)}: {reason}.",
            f"Send '{_EXPOSE}: {', '.join(names)}'.",
            recipe(EXPOSE, response, headers=", ".join(names)),
            _exposing(names),
        )


LOGINS: Final = (redirected_to_login,)
REDIRECTS: Final = (redirect_without_cors,)
GATEWAYS: Final = (stopped_by_gateway,)
ONLY_PREFLIGHT: Final = (only_preflight_answered,)
ERRORS_WITHOUT_CORS: Final = (response_crashed, error_without_cors)
NOT_CONFIGURED: Final = (no_cors,)
RULES: Final = (
    unreadable_header,
    header_not_sent,
    header_not_exposed,
)
