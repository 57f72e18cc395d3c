"""Causes in the response to the request itself: a missing header, a redirect, a handshake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors import _http
from asgi_cors.cli.doctor.evidence import EXPOSE_HEADERS, HANDSHAKE_REFUSED, HEADER_NOT_EXPOSED, MIXED_CONTENT
from asgi_cors.cli.doctor.probes import hostile_origins
from asgi_cors.cli.doctor.recipes import ERRORS, EXPOSE, ORIGIN, recipe
from asgi_cors.cli.doctor.servers import detect_proxy, detect_servers, proxy_headers
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy, accepted_names, policy_line

from .rule import GATEWAY_STATUSES, LOGIN_PATHS, OUTERMOST, SERVER_ERROR, allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_REDIRECTS: Final = {301, 302, 303, 307, 308}
_AUTHENTICATION: Final = {401, 403, 407}
_EXPOSE: Final = "Access-Control-Expose-Headers"


def _without_cors(evidence: Evidence) -> ServerResponse | None:
    """Return the response to the request itself if it is blocked for a missing Access-Control-Allow-Origin."""
    return None if evidence.is_preflight or evidence.code != "MissingAllowOriginHeader" else evidence.blocked


def redirected_with_password(evidence: Evidence) -> Iterator[Finding]:
    """Location has a user name or a password."""
    if evidence.code == "RedirectContainsCredentials":
        yield Finding(
            "redirected-with-password",
            "The server redirects to a URL with a user name or a password. Browsers do not follow such a redirect.",
            "Redirect to the URL without them.",
        )


def redirected_to_http(evidence: Evidence) -> Iterator[Finding]:
    """Location has http, because the app does not know that its proxy terminates TLS."""
    for response in evidence.main_responses:
        is_redirect = response.status in _REDIRECTS
        after = response.request.url.join(response.get("location") or "") if is_redirect else None
        if after is not None and response.request.url.scheme == "https" and after.scheme == "http":
            yield Finding(
                "redirected-to-http",
                f"The server redirects from https to {after}. Browsers block http on a secure page. The app does not"
                " know that the proxy before it terminates TLS.",
                "Forward the scheme: X-Forwarded-Proto from the proxy, and an app that trusts it (uvicorn"
                " --proxy-headers --forwarded-allow-ips, Flask ProxyFix, Django SECURE_PROXY_SSL_HEADER).",
            )


def redirected_to_login(evidence: Evidence) -> Iterator[Finding]:
    """A request without a login is redirected to a login page, which has no CORS headers."""
    locations = [response.lower("location") for response in evidence.main_responses if response.status in _REDIRECTS]
    is_login = any(path in location for location in locations for path in LOGIN_PATHS)
    if is_login and evidence.code and not evidence.is_preflight:
        hint = "" if evidence.question.credentials else " The request has no cookies. Does it need credentials?"
        yield Finding(
            "redirected-to-login",
            f"The request is not logged in, and the server redirects it to a login page ({locations[-1]}) that a script"
            " can't read.",
            f"Respond with 401 and the CORS headers to requests of scripts, and open the login from the page.{hint}",
            policy=OUTERMOST,
        )


def redirect_without_cors(evidence: Evidence) -> Iterator[Finding]:
    """The redirect itself has no CORS headers."""
    response = _without_cors(evidence)
    location = response.get("location") if response else None
    if response and response.status in _REDIRECTS and location is not None:
        yield Finding(
            "redirect-without-cors",
            f"The server redirects the request ({response.status}) to {location}, and the redirect has no"
            " Access-Control-Allow-Origin. Browsers check every response on the way.",
            f"Request {response.request.url.join(location)}, or send the CORS headers on redirects, too.",
            recipe(ERRORS, response),
            OUTERMOST,
        )


def stopped_by_gateway(evidence: Evidence) -> Iterator[Finding]:
    """A proxy or a limit responds itself: 413, 429, 502, 504."""
    response = _without_cors(evidence)
    if response is None or response.status not in GATEWAY_STATUSES:
        return
    proxy = detect_proxy(response) or next(iter(detect_servers(response)), "a proxy or a limit before the app")
    remedies = {
        413: "Raise its limit for the body (nginx: client_max_body_size), or send a smaller body.",
        429: "The client has reached a rate limit. Run the rate limiter inside of CORS.",
        504: "The app takes longer than the proxy waits. Make it faster, or raise the proxy's timeout.",
    }
    yield Finding(
        "gateway-error",
        f"CORS is not the cause: {proxy} responds with {response.status} itself, without the app's CORS headers"
        f"{proxy_headers(response)}.",
        remedies.get(response.status, "Check the app. It is down, or closes the connection."),
        recipe(ERRORS, response),
    )


def response_crashed(evidence: Evidence) -> Iterator[Finding]:
    """The app crashes, and the error response has no CORS headers."""
    response = _without_cors(evidence)
    if response and response.status >= SERVER_ERROR:
        yield Finding(
            "response-crashed",
            f"CORS is not the cause: the app crashes ({response.status}). The browser reports CORS because the error"
            " page has no CORS headers.",
            "Read the server's log and fix the crash. Then send the CORS headers on errors, so that the page sees"
            " them.",
            recipe(ERRORS, response),
            PolicyRemedy(advice="CORSMiddleware(app, …) around the whole app adds them to a 500 as well."),
        )


def error_without_cors(evidence: Evidence) -> Iterator[Finding]:
    """Authentication or another layer outside of CORS responds with an error."""
    response = _without_cors(evidence)
    if response and not response.is_ok and response.status not in _REDIRECTS:
        layer = "Authentication" if response.status in _AUTHENTICATION else "A layer before or outside of CORS"
        yield Finding(
            "error-without-cors",
            f"{layer} responds with {response.status} and no CORS headers, so the page can't even read the error.",
            "Put CORS outside of that layer, so that errors have the headers, too.",
            recipe(ERRORS, response),
            OUTERMOST,
        )


def only_preflight_answered(evidence: Evidence) -> Iterator[Finding]:
    """The preflight is allowed, and the response itself has no CORS headers."""
    response, preflight = _without_cors(evidence), evidence.preflight
    if response and preflight and preflight.allowed_origin is not None:
        yield Finding(
            "only-preflight-answered",
            f"The response to the preflight is right, but the response to {evidence.question.method} has no"
            " Access-Control-Allow-Origin.",
            "Send the header on every response, not only on the response to OPTIONS.",
            recipe(ORIGIN, response, origin=evidence.question.origin),
            allow_origins(evidence),
        )


def origin_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """CORS is configured, and the list does not have this origin."""
    response = evidence.blocked
    if response is None or evidence.code != "MissingAllowOriginHeader":
        return
    others = [name for name in hostile_origins(evidence.question.origin) if evidence.allows_probe(name)]
    if not (response.has_cors or response.varies_by_origin or others):
        return
    sign = "the response has other CORS headers" if response.has_cors else "the response has 'Vary: Origin'"
    if others:
        sign = f"it allows {evidence.probes[others[0]].allowed_origin}"
    yield Finding(
        "origin-not-allowed",
        f"The server supports CORS ({sign}), but does not allow {evidence.question.origin!r}.",
        "Add the origin to the server's list: scheme, host and port as in the browser's address bar.",
        recipe(ORIGIN, response, origin=evidence.question.origin),
        allow_origins(evidence),
    )


def no_cors(evidence: Evidence) -> Iterator[Finding]:
    """Nothing shows that CORS is configured."""
    response = evidence.blocked
    if response and evidence.code == "MissingAllowOriginHeader":
        subject = "The response to the preflight" if evidence.is_preflight else "The response"
        yield Finding(
            "no-cors",
            f"{subject} ({response.status}) has no CORS header. CORS is not configured for this path, or this origin is"
            " not allowed.",
            f"Send 'Access-Control-Allow-Origin: {evidence.question.origin}' and 'Vary: Origin'.",
            recipe(ORIGIN, response, origin=evidence.question.origin),
            allow_origins(evidence),
        )


def handshake_refused(evidence: Evidence) -> Iterator[Finding]:
    """The server refuses the WebSocket."""
    if evidence.results[0].problem == HANDSHAKE_REFUSED:
        response = evidence.responses[-1]
        body = " ".join(response.text.split())[:160]
        yield Finding(
            "handshake-refused",
            f"The server refuses the handshake with {response.status}{f' and the text {body!r}' if body else ''}.",
            "Allow the origin there. If it uses cookies, allow credentials, too. A proxy must forward Upgrade and"
            " Connection.",
            policy=allow_origins(evidence),
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


def mixed_content(evidence: Evidence) -> Iterator[Finding]:
    """A page over https requests http."""
    if any(result.problem == MIXED_CONTENT for result in evidence.results):
        secure = evidence.question.url.replace("http:", "https:", 1).replace("ws:", "wss:", 1)
        yield Finding(
            "mixed-content",
            "A page over https can't request http. Browsers block the request before they send it, whatever CORS"
            " allows.",
            f"Request {secure}.",
        )


RULES: Final = (
    redirected_to_http,
    mixed_content,
    redirected_with_password,
    redirected_to_login,
    redirect_without_cors,
    stopped_by_gateway,
    response_crashed,
    error_without_cors,
    only_preflight_answered,
    origin_not_allowed,
    no_cors,
    handshake_refused,
    unreadable_header,
    header_not_sent,
    header_not_exposed,
)
