"""Causes that lie in the response to the request itself: a field that is missing, a redirect, a handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import EXPOSE_HEADERS, HANDSHAKE_REFUSED, HEADER_NOT_EXPOSED, MIXED_CONTENT
from asgi_cors.cli.doctor.probes import hostile_origins
from asgi_cors.cli.doctor.recipes import ERRORS, EXPOSE, ORIGIN, recipe
from asgi_cors.cli.doctor.servers import clue, makers, proxy
from asgi_cors.cli.findings import GATEWAY_STATUSES, LOGIN_WORDS, OUTERMOST, Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Answer, Evidence

_REDIRECTS: Final = {301, 302, 303, 307, 308}
_AUTH: Final = {401, 403, 407}
_SERVER_ERROR: Final = 500


def _bare(evidence: Evidence) -> Answer | None:
    """Give the response to the request itself where it has no Access-Control-Allow-Origin."""
    if evidence.is_preflight or evidence.code != "MissingAllowOriginHeader":
        return None
    return evidence.failed


def redirected_with_password(evidence: Evidence) -> Finding | None:
    """Location has a user name."""
    if evidence.code != "RedirectContainsCredentials":
        return None
    return Finding(
        "redirected-with-password",
        "The call is redirected to a URL with a user name or a password in it, which browsers don't follow.",
        "Redirect to the bare URL.",
    )


def redirected_to_http(evidence: Evidence) -> Finding | None:
    """Location says http behind TLS: the app doesn't know that its proxy ends TLS."""
    for answer in evidence.mains:
        after = answer.request.url.join(answer.get("location") or "") if answer.status in _REDIRECTS else None
        if after is not None and answer.request.url.scheme == "https" and after.scheme == "http":
            return Finding(
                "redirected-to-http",
                f"The call over https is redirected to {after}: browsers block http from a secure page. The app doesn't"
                " know that the proxy before it ends TLS.",
                "Pass the scheme on: X-Forwarded-Proto from the proxy, and an app that trusts it (uvicorn"
                " --proxy-headers --forwarded-allow-ips, Flask ProxyFix, Django SECURE_PROXY_SSL_HEADER).",
            )
    return None


def redirected_to_login(evidence: Evidence) -> Finding | None:
    """Who isn't logged in is sent to a login page, which has no CORS fields."""
    places = [answer.says("location") for answer in evidence.mains if answer.status in _REDIRECTS]
    if evidence.is_preflight or not evidence.code or not any(word in place for place in places for word in LOGIN_WORDS):
        return None
    return Finding(
        "redirected-to-login",
        f"The call isn't logged in, and is redirected to a page for people ({places[-1]}) that a script can't read.",
        "Answer 401 to calls of scripts, with the CORS fields, and let the page go to the login."
        + ("" if evidence.question.credentials else " The call sends no cookies: should it have credentials?"),
        "",
        OUTERMOST,
    )


def redirect_without_cors(evidence: Evidence) -> Finding | None:
    """The redirect itself has no CORS fields."""
    answer = _bare(evidence)
    location = answer.get("location") if answer else None
    if answer is None or answer.status not in _REDIRECTS or location is None:
        return None
    return Finding(
        "redirect-without-cors",
        f"The call is redirected ({answer.status}) to {location}, and the redirect itself has no"
        " Access-Control-Allow-Origin: browsers check every response on the way.",
        f"Let the page call {answer.request.url.join(location)}, or send the CORS fields on redirects, too.",
        recipe(ERRORS, answer),
        OUTERMOST,
    )


def stopped_by_gateway(evidence: Evidence) -> Finding | None:
    """A proxy answers by itself: 413, 502, 504, a limit."""
    answer = _bare(evidence)
    if answer is None or answer.status not in GATEWAY_STATUSES:
        return None
    who = proxy(answer) or next(iter(makers(answer)), "a proxy or a limit before the app")
    why = {
        413: "The body is larger than it lets through (nginx: client_max_body_size).",
        429: "The caller has reached a limit; let the limiter answer inside of CORS.",
        504: "The app takes longer than it waits.",
    }.get(answer.status, "The app is down, or closes the connection.")
    return Finding(
        "gateway-error",
        f"This is no CORS fault: {who} answers {answer.status} itself, without the app's CORS fields"
        + (f" ({clue(answer)})." if clue(answer) else "."),
        why,
        recipe(ERRORS, answer),
    )


def response_crashed(evidence: Evidence) -> Finding | None:
    """The app crashes, and the 500 has no CORS fields."""
    answer = _bare(evidence)
    if answer is None or answer.status < _SERVER_ERROR:
        return None
    return Finding(
        "response-crashed",
        f"This is no CORS fault: the app crashes ({answer.status}), and the error page has no CORS fields, so that the"
        " browser reports CORS.",
        "Read the server's log and mend the crash; then let errors carry the CORS fields, so that you see them.",
        recipe(ERRORS, answer),
        "CORSMiddleware(app, …) puts them on a 500 as well",
    )


def error_without_cors(evidence: Evidence) -> Finding | None:
    """A 4xx has no CORS fields: authentication or routing answers outside of CORS."""
    answer = _bare(evidence)
    if answer is None or answer.is_ok or answer.status in _REDIRECTS:
        return None
    who = "Authentication" if answer.status in _AUTH else "Something before, or outside of, CORS"
    return Finding(
        "error-without-cors",
        f"{who} answers {answer.status} without the CORS fields, so that the page can't read even the error.",
        "Put CORS outside of it, so that errors carry the fields, too.",
        recipe(ERRORS, answer),
        OUTERMOST,
    )


def preflight_only(evidence: Evidence) -> Finding | None:
    """OPTIONS is answered well, the response has no fields."""
    answer, preflight = _bare(evidence), evidence.preflight
    if answer is None or preflight is None or preflight.allowed_origin is None:
        return None
    return Finding(
        "only-preflight-answered",
        f"The preflight is answered well, but the response to {evidence.question.method} has no"
        " Access-Control-Allow-Origin.",
        "Send the field on every response, not only on those to OPTIONS.",
        recipe(ORIGIN, answer, origin=evidence.question.origin),
        f"allow_origins=[{evidence.question.origin!r}]",
    )


def origin_not_allowed(evidence: Evidence) -> Finding | None:
    """CORS is on, and this origin isn't in the list."""
    answer = evidence.failed
    if answer is None or evidence.code != "MissingAllowOriginHeader":
        return None
    others = [name for name in hostile_origins(evidence.question.origin) if evidence.grants(name)]
    if not (answer.has_cors or answer.varies_by_origin or others):
        return None
    clues = "it has other CORS fields" if answer.has_cors else "it says 'Vary: Origin'"
    if others:
        clues = f"it allows others ({evidence.probes[others[0]].allowed_origin})"
    return Finding(
        "origin-not-allowed",
        f"The server knows CORS ({clues}), and doesn't allow {evidence.question.origin!r}.",
        "Add the origin to the server's list: scheme, host and port as the browser's address bar has them.",
        recipe(ORIGIN, answer, origin=evidence.question.origin),
        f"allow_origins=[{evidence.question.origin!r}]",
    )


def no_cors(evidence: Evidence) -> Finding | None:
    """Nothing shows that CORS is set up."""
    answer = evidence.failed
    if answer is None or evidence.code != "MissingAllowOriginHeader":
        return None
    what = "The preflight is answered" if evidence.is_preflight else "The response comes"
    return Finding(
        "no-cors",
        f"{what} ({answer.status}) without any CORS field: CORS isn't set up for this path, or this origin isn't"
        " allowed.",
        f"Send 'Access-Control-Allow-Origin: {evidence.question.origin}' and 'Vary: Origin'.",
        recipe(ORIGIN, answer, origin=evidence.question.origin),
        f"allow_origins=[{evidence.question.origin!r}]",
    )


def handshake_refused(evidence: Evidence) -> Finding | None:
    """The server refuses the WebSocket."""
    if evidence.visits[0].problem != HANDSHAKE_REFUSED:
        return None
    answer = evidence.answers[-1]
    said = " ".join(answer.text.split())[:160]
    return Finding(
        "handshake-refused",
        f"The server refuses the handshake with {answer.status}{f', and says: {said!r}' if said else ''}.",
        "Allow the origin there; with cookies, allow credentials, too. Behind a proxy pass Upgrade and Connection on.",
        "",
        f"allow_origins=[{evidence.question.origin!r}], allow_credentials=True",
    )


def header_not_exposed(evidence: Evidence) -> Finding | None:
    """The script wants a response header that it may not read."""
    visit = next((visit for visit in evidence.visits if visit.problem == HEADER_NOT_EXPOSED), None)
    if visit is None:
        return None
    hidden = visit.hidden(evidence.question.reads)
    answer, names = evidence.mains[-1], ", ".join(hidden)
    missing = [name for name in hidden if answer.get(name) is None]
    if missing:
        return Finding(
            "header-not-sent",
            f"The response has no {', '.join(missing)}: there is nothing that the script could read.",
            "Send it, and list it in Access-Control-Expose-Headers.",
            "",
            f"expose_headers={hidden!r}",
        )
    star = "*" in answer.listed(EXPOSE_HEADERS)
    why = "'*' doesn't count for a call with credentials" if star else "Access-Control-Expose-Headers doesn't list it"
    return Finding(
        "header-not-exposed",
        f"The page gets the response, but its script reads null for {names}: {why}.",
        f"Send 'Access-Control-Expose-Headers: {names}'.",
        recipe(EXPOSE, answer, headers=names),
        f"expose_headers={hidden!r}",
    )


def mixed_content(evidence: Evidence) -> Finding | None:
    """A secure page calls http."""
    if all(visit.problem != MIXED_CONTENT for visit in evidence.visits):
        return None
    secure = evidence.question.url.replace("http:", "https:", 1).replace("ws:", "wss:", 1)
    return Finding(
        "mixed-content",
        "A page over https may not call http: browsers block it before anything is sent, and CORS isn't asked.",
        f"Call {secure}.",
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
    preflight_only,
    origin_not_allowed,
    no_cors,
    handshake_refused,
    header_not_exposed,
)
