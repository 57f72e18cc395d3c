"""Causes without a usable HTTP response: a request that the browser does not send, a wrong protocol, no response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.doctor import failures
from asgi_cors.cli.doctor.evidence import ENGINES, RESPONSE_CUT_OFF
from asgi_cors.cli.doctor.recipes import PREFLIGHT, recipe
from asgi_cors.cli.doctor.recorder import CUT_OFF
from asgi_cors.cli.doctor.unsent import LOCAL_NETWORK, MIXED_CONTENT
from asgi_cors.cli.findings import Finding

from .rule import FORWARD_SCHEME, OUTERMOST, is_downgrade

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence


def redirected_to_http(evidence: Evidence) -> Iterator[Finding]:
    """Location has http, because the app does not know that its proxy terminates TLS."""
    is_unusable = evidence.failure is not None or any(result.problem == MIXED_CONTENT for result in evidence.results)
    hops = ((response.request.url, response.redirect_target) for response in evidence.main_responses)
    leads_to_http = [(before, after) for before, after in hops if after and before.scheme == "https" != after.scheme]
    for before, after in leads_to_http[:1]:
        is_lost = is_downgrade(before, after)
        if not is_lost and not is_unusable:
            continue
        secure = after.copy_with(scheme="https", port=before.port if is_lost else after.port)
        direct = f" Or request {secure}, without the redirect." if secure != before else ""
        yield Finding(
            "redirected-to-http",
            f"The server redirects from https to {after}."
            + (" Browsers block http on a secure page." if evidence.question.origin.startswith("https:") else ""),
            f"{FORWARD_SCHEME}{direct}" if is_lost else f"Redirect to {secure}.",
        )


def mixed_content(evidence: Evidence) -> Iterator[Finding]:
    """A page over https requests http."""
    blocking = [ENGINES[result.engine] for result in evidence.results if result.problem == MIXED_CONTENT]
    if not blocking:
        return
    url = next(result.exchanges[-1].request.url for result in evidence.results if result.problem == MIXED_CONTENT)
    text = str(url).replace("http", "ws", 1) if evidence.question.is_handshake else str(url)
    secure = text.replace("http:", "https:", 1).replace("ws:", "wss:", 1)
    if len(blocking) == len(ENGINES):
        sentence = (
            "A page over https can't request http. Browsers block the request before they send it, whatever CORS"
            " allows."
        )
    else:
        sentence = (
            f"A page over https can't request http. {' and '.join(blocking)} do not send the request, whatever CORS"
            f" allows. Chromium sends it, with a warning, because {url.host} is in the local network."
        )
    localhost = text.replace(url.netloc.decode(), f"localhost:{url.port}" if url.port else "localhost", 1)
    is_unspecified = url.host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    yield Finding("mixed-content", sentence, f"Request {localhost if is_unspecified else secure}.")


def insecure_local_network(evidence: Evidence) -> Iterator[Finding]:
    """A public page over http requests this machine or the local network, which Chromium refuses."""
    if any(result.problem == LOCAL_NETWORK for result in evidence.results):
        yield Finding(
            "needs-local-network-access",
            "The page is public and over http, and the URL is on this machine or in the local network. Chromium does"
            " not send the request (Local Network Access). No header changes that.",
            "Serve the page over https and let the user allow it, or serve the page from the same network.",
        )


def redirected_with_password(evidence: Evidence) -> Iterator[Finding]:
    """Location has a user name or a password."""
    if evidence.code == "RedirectContainsCredentials":
        yield Finding(
            "redirected-with-password",
            "The server redirects to a URL with a user name or a password. Browsers do not follow such a redirect.",
            "Redirect to the URL without them.",
        )


def response_cut_off(evidence: Evidence) -> Iterator[Finding]:
    """The connection ends before the body does."""
    if any(result.problem == RESPONSE_CUT_OFF for result in evidence.results):
        response = evidence.main_responses[-1]
        yield Finding(
            "response-cut-off",
            f"The body of the response ends too early: {response.raw.extensions[CUT_OFF]}. CORS is not the cause. The"
            " script gets status and headers, but an error when it reads the body.",
            "Send a Content-Length that is the number of bytes sent. Look for a middleware that changes the body, and"
            " for a crash in the server's log.",
        )


def failed(evidence: Evidence) -> Iterator[Finding]:
    """A cause that a further request confirms."""
    if evidence.failure_cause in _FAILURES:
        yield _FAILURES[evidence.failure_cause](evidence)


def _request(evidence: Evidence) -> httpx.Request:
    """Return the request that has no usable response."""
    return evidence.failure.exchange.request if evidence.failure else evidence.exchanges[-1].request


def _reason(evidence: Evidence) -> str:
    return evidence.failure.reason.rstrip(".") if evidence.failure else ""


def _url(evidence: Evidence, scheme: str) -> str:
    """Return the URL of the request with another scheme, which is that of a WebSocket if it opens one."""
    url = _request(evidence).url
    shown = scheme.replace("http", "ws") if evidence.question.is_handshake else scheme
    return f"{shown}{str(url.copy_with(port=url.port or {'http': 80, 'https': 443}[url.scheme]))[len(url.scheme) :]}"


def _http_on_tls_port(evidence: Evidence) -> Finding:
    url = _request(evidence).url
    return Finding(
        "http-on-tls-port",
        f"The URL has http, but {url.host}:{url.port or 80} speaks TLS. The server never sees the request as HTTP.",
        f"Request {_url(evidence, 'https')}.",
    )


def _tls_on_http_port(evidence: Evidence) -> Finding:
    url = _request(evidence).url
    return Finding(
        "tls-on-http-port",
        f"The URL has https, but {url.host}:{url.port or 443} speaks plain http ({_reason(evidence)}).",
        f"Configure TLS on this port, or request the port that has it. On a page over http: {_url(evidence, 'http')}.",
    )


def _http2_only(evidence: Evidence) -> Finding:
    url = _request(evidence).url
    return Finding(
        "http2-only",
        f"{url.host}:{url.port or 80} speaks only HTTP/2 without TLS. Browsers speak HTTP/2 over TLS only, and HTTP/1.1"
        " otherwise.",
        "Enable HTTP/1.1 on this port, or TLS, or place a proxy that speaks both before it.",
    )


def _preflight_dropped(evidence: Evidence) -> Finding:
    plain = evidence.checked(failures.GET)
    status = plain.status if plain else "one"
    is_late = evidence.failure is not None and evidence.failure.kind == failures.TIMEOUT
    dropped = "no response" if is_late else "a closed connection instead of a response"
    return Finding(
        "preflight-dropped",
        f"The preflight (OPTIONS) gets {dropped}, while a GET of the same URL gets {status}. A layer before the app, or"
        " the app itself, drops OPTIONS.",
        "Let OPTIONS pass that layer (a firewall, a load balancer, a method filter), and respond to it with 204 and the"
        " CORS headers.",
        recipe(PREFLIGHT, plain),
        OUTERMOST,
    )


def _empty_reply(evidence: Evidence) -> Finding:
    request = _request(evidence)
    other = evidence.checked(failures.GET)
    compared = f" A GET of the same URL gets {other.status}." if other else ""
    return Finding(
        "empty-reply",
        f"The server closes the connection on {request.method} {request.url} without a whole response. CORS is not the"
        f" cause.{compared}",
        "Read the server's log: a worker crashes, or a proxy closes connections.",
    )


def _response_not_http(evidence: Evidence) -> Finding:
    request = _request(evidence)
    return Finding(
        "response-not-http",
        f"The response to {request.method} {request.url} is not HTTP that a browser accepts: {_reason(evidence)}.",
        "Request the port of an HTTP server. If it is one, remove the characters that HTTP forbids from its headers.",
    )


def _response_unusable(evidence: Evidence) -> Finding:
    return Finding(
        "response-unusable",
        f"The browser refuses the response, whatever CORS allows: {_reason(evidence)}.",
        "Change the status or the headers that the sentence above names.",
    )


def _certificate_refused(evidence: Evidence) -> Finding:
    url = _request(evidence).url
    return Finding(
        "certificate-refused",
        f"The TLS certificate of {url.host} is not valid here: {_reason(evidence)}. Browsers send no request to such a"
        " server.",
        "Install a valid certificate with its whole chain. If the browser opens the URL without a warning, it knows the"
        " authority: set --insecure to test anyway.",
    )


def _client_certificate_needed(evidence: Evidence) -> Finding:
    url = _request(evidence).url
    return Finding(
        "client-certificate-needed",
        f"TLS with {url.host} fails ({_reason(evidence)}). The server requires a client certificate, or the two have no"
        " TLS version or cipher in common. A preflight never has a client certificate.",
        "Request the certificate only for requests other than OPTIONS, or on another host. To decide, run openssl"
        f" s_client -connect {url.host}:{url.port or 443}.",
    )


def _redirect_failed(evidence: Evidence) -> Finding:
    request = _request(evidence)
    return Finding(
        "redirect-failed",
        f"The redirect of {request.method} {request.url} can't be followed: {_reason(evidence)}.",
        "Correct the server's Location. If it redirects from http to https without end, forward X-Forwarded-Proto from"
        " the proxy.",
    )


def _redirect_unreachable(evidence: Evidence) -> Finding:
    url = _request(evidence).url
    return Finding(
        "redirect-unreachable",
        f"The server redirects to {url}, and this host can't be reached: {_reason(evidence)}.",
        "Redirect to a public URL. If it is an internal address, forward Host and X-Forwarded-Proto from the proxy.",
    )


_FAILURES: Final[dict[str, Callable[[Evidence], Finding]]] = {
    failures.HTTP_ON_TLS_PORT: _http_on_tls_port,
    failures.TLS_ON_HTTP_PORT: _tls_on_http_port,
    failures.HTTP2_ONLY: _http2_only,
    failures.PREFLIGHT_DROPPED: _preflight_dropped,
    failures.EMPTY_REPLY: _empty_reply,
    failures.RESPONSE_NOT_HTTP: _response_not_http,
    failures.RESPONSE_UNUSABLE: _response_unusable,
    failures.CERTIFICATE_REFUSED: _certificate_refused,
    failures.CLIENT_CERTIFICATE_NEEDED: _client_certificate_needed,
    failures.REDIRECT_FAILED: _redirect_failed,
    failures.REDIRECT_UNREACHABLE: _redirect_unreachable,
}


RULES: Final = (
    redirected_to_http,
    mixed_content,
    insecure_local_network,
    redirected_with_password,
    failed,
    response_cut_off,
)
