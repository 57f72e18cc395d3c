"""Requests without a usable response: the failure, and further safe requests that show its cause.

A failure is named only if a further request confirms it, such as TLS to the port that does not speak http, or a GET
that gets a response if OPTIONS gets none.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.testing import FetchTimeout, NetworkError, RedirectError

from .bodies import text_of
from .connections import AGAIN, CONNECT, HTTP2, UNVERIFIED
from .recorder import NETWORK_ERRORS

if TYPE_CHECKING:
    from asgi_cors.testing import Exchange, FetchError

    from .question import Question
    from .recorder import Recorder

# The kinds of a failure.
UNREACHABLE: Final = "unreachable"
TIMEOUT: Final = "timeout"
CERTIFICATE: Final = "certificate"
CLIENT_CERTIFICATE: Final = "client certificate"
TLS: Final = "TLS"
CLOSED: Final = "closed"
NOT_HTTP: Final = "not HTTP"
REDIRECT: Final = "redirect"
UNUSABLE: Final = "unusable"
# The code of a failure in the verdicts and in JSON.
CODES: Final = {
    UNREACHABLE: "ConnectionFailed",
    TIMEOUT: "NoResponse",
    CERTIFICATE: "CertificateRefused",
    CLIENT_CERTIFICATE: "TLSFailed",
    TLS: "TLSFailed",
    CLOSED: "NoResponse",
    NOT_HTTP: "ResponseNotHTTP",
    REDIRECT: "RedirectFailed",
    UNUSABLE: "ResponseRefused",
}

# The causes: the names of the findings in rules/network.py and rules/websocket.py.
HTTP_ON_TLS_PORT: Final = "http-on-tls-port"
TLS_ON_HTTP_PORT: Final = "tls-on-http-port"
HTTP2_ONLY: Final = "http2-only"
PREFLIGHT_DROPPED: Final = "preflight-dropped"
HANDSHAKE_DROPPED: Final = "handshake-dropped"
HANDSHAKE_REFUSED: Final = "handshake-refused"
EMPTY_REPLY: Final = "empty-reply"
RESPONSE_NOT_HTTP: Final = "response-not-http"
RESPONSE_UNUSABLE: Final = "response-unusable"
CERTIFICATE_REFUSED: Final = "certificate-refused"
CLIENT_CERTIFICATE_NEEDED: Final = "client-certificate-needed"
REDIRECT_FAILED: Final = "redirect-failed"
REDIRECT_UNREACHABLE: Final = "redirect-unreachable"

# The names of the further requests, as the progress and the report show them.
OVER_TLS: Final = "over TLS"
OVER_HTTP: Final = "over http"
OVER_HTTP2: Final = "over HTTP/2 without TLS"
UNVERIFIED_GET: Final = "with any certificate"
SECOND: Final = "a second time"
GET: Final = "as a plain GET"
WITHOUT_ORIGIN: Final = "without Origin"

# Parts of messages of Python: "[Errno 111] ", "[SSL: WRONG_VERSION_NUMBER] ", " (_ssl.c:1006)".
_INTERNAL: Final = re.compile(r"\[(?:Errno -?\d+|SSL(?:: [A-Z0-9_]+)?)\] ?| ?\(_ssl\.c:\d+\)")
_CHECK_TIMEOUT: Final = 5.0  # seconds
_SWITCHING_PROTOCOLS: Final = 101
_BAD_REQUEST: Final = 400
# Texts of servers that receive http on a port that speaks TLS, in lower case: nginx, Apache, Go.
_PLAIN_HTTP_TEXTS: Final = (
    "plain http request was sent to https port",
    "speaking plain http to an ssl-enabled server port",
    "client sent an http request to an https server",
)
_COMMON_HEADERS: Final = {"accept": "*/*", "user-agent": "asgi-cors doctor"}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A request without a usable response.

    Args:
        kind: One of the kinds above.
        exchange: The request, and its response if a redirect or a header of it is the problem.
        reason: The problem in one line.
    """

    kind: str
    exchange: Exchange
    reason: str

    @property
    def url(self) -> httpx.URL:
        """The URL of the request."""
        return self.exchange.request.url


@dataclass(frozen=True, kw_only=True)
class Check:
    """A further request that confirms a cause, or rules it out.

    Args:
        name: The name of the check, as the report shows it.
        request: The request. It is safe: it changes nothing on the server.
        response: Its response, or None.
        problem: Why there is no response, or "".
    """

    name: str
    request: httpx.Request
    response: httpx.Response | None = None
    problem: str = ""


@dataclass
class Checks:
    """Send the further requests, and store them in order."""

    recorder: Recorder
    timeout: float
    progress: Callable[[str], None]
    done: list[Check] = field(default_factory=list[Check])

    def send(self, name: str, request: httpx.Request, connect: str = AGAIN) -> httpx.Response | None:
        """Send a request, once for each name, and return its response, or None."""
        if name in (sent := {check.name: check.response for check in self.done}):
            return sent[name]
        self.progress(f"testing {name}")
        seconds = dict.fromkeys(("connect", "read", "write", "pool"), min(self.timeout, _CHECK_TIMEOUT))
        request.extensions = {"timeout": seconds, CONNECT: connect}
        try:
            response = self.recorder.handle_request(request)
            response.read()
        except NETWORK_ERRORS as error:
            self.done.append(Check(name=name, request=request, problem=one_line(error)))
            return None
        self.done.append(Check(name=name, request=request, response=response))
        return response


def classify(error: FetchError, timeout: float) -> Failure | None:
    """Return the failure for an error of a page's fetch, or None if the request was never sent.

    Args:
        error: The error.
        timeout: The seconds that the request was allowed to take.
    """
    exchange = error.exchange
    if exchange is None or not isinstance(error, (NetworkError, FetchTimeout)):
        return None
    if isinstance(error, FetchTimeout):
        reason = f"no response within {timeout:g} s. Set --timeout to wait longer."
        return Failure(kind=TIMEOUT, exchange=exchange, reason=reason)
    if isinstance(error, RedirectError):
        return Failure(kind=REDIRECT, exchange=exchange, reason=exchange.problem)
    causes = list(_causes(error))
    kind, reason = _classify_causes(causes)
    return Failure(kind=kind, exchange=exchange, reason=reason or exchange.problem)


def _classify_causes(causes: list[BaseException]) -> tuple[str, str]:
    """Return the kind of a failure and its reason, by the exceptions from the outermost to the innermost."""
    first = causes[1] if len(causes) > 1 else causes[0]
    tls = next((link for link in causes if isinstance(link, ssl.SSLError)), None)
    if isinstance(tls, ssl.SSLCertVerificationError):
        return CERTIFICATE, tls.verify_message
    if tls is not None:
        needs_certificate = "CERTIFICATE_REQUIRED" in str(tls) or "HANDSHAKE_FAILURE" in str(tls)
        return (CLIENT_CERTIFICATE if needs_certificate else TLS), str(tls.reason or tls)
    if any(isinstance(link, socket.gaierror) for link in causes) or "resolution" in str(first):
        return UNREACHABLE, "the host name can't be resolved."
    if isinstance(first, httpx.ConnectError):
        return UNREACHABLE, f"the connection failed ({one_line(first)}). Is the server running?"
    if isinstance(first, httpx.RemoteProtocolError) and "without sending a response" not in str(first):
        return NOT_HTTP, one_line(first)
    if isinstance(first, httpx.TransportError):
        return CLOSED, one_line(first)
    return UNUSABLE, ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def one_line(error: BaseException) -> str:
    """Return the message of an exception in one line, without Python's numbers and file names."""
    return " ".join(_INTERNAL.sub("", str(error)).split())[:200] or type(error).__name__


def describe(failure: Failure, checks: list[Check]) -> str:
    """Return a failure without a known cause in one line."""
    url, request = failure.url, failure.exchange.request
    if failure.kind == UNREACHABLE:
        subject = url.host if "resolved" in failure.reason else f"{url.host}:{url.port or url.scheme}"
        return f"{subject}: {failure.reason}"
    if failure.kind in {TLS, CLIENT_CERTIFICATE, CERTIFICATE}:
        return f"{url.host}:{url.port or url.scheme}: TLS failed: {failure.reason}."
    second = next((check.response for check in checks if check.name == SECOND), None)
    again = f" A second one got {second.status_code}. Run the command again." if second else ""
    return f"{request.method} {url}: {failure.reason.rstrip('.')}.{again}"


def find_cause(failure: Failure, question: Question, checks: Checks) -> str:
    """Return the name of a failure's cause, or "" if the further requests confirm none."""
    if failure.kind in {REDIRECT, UNUSABLE}:
        return REDIRECT_FAILED if failure.kind == REDIRECT else RESPONSE_UNUSABLE
    if failure.kind == UNREACHABLE:
        first = httpx.URL(question.url)
        is_redirected = (failure.url.host, failure.url.port) != (first.host, first.port)
        return REDIRECT_UNREACHABLE if is_redirected else ""
    if failure.kind == CERTIFICATE:
        return CERTIFICATE_REFUSED if checks.send(UNVERIFIED_GET, _get(failure.url), UNVERIFIED) else ""
    return _wrong_protocol(failure, question, checks) or _no_response(failure, question, checks)


def _wrong_protocol(failure: Failure, question: Question, checks: Checks) -> str:
    """Return the cause if the server speaks another protocol on this port."""
    url = failure.url
    if url.scheme == "https":
        may_be_plain = failure.kind in {TLS, CLIENT_CERTIFICATE, TIMEOUT}
        plain = checks.send(OVER_HTTP, _get(_with_scheme(url, "http"))) if may_be_plain else None
        return TLS_ON_HTTP_PORT if plain is not None and not _points_to_tls(plain) else ""
    if checks.send(OVER_TLS, _get(_with_scheme(url, "https")), UNVERIFIED):
        return HTTP_ON_TLS_PORT
    if failure.kind == TIMEOUT or checks.send(OVER_HTTP2, _get(url), HTTP2) is None:
        return ""
    return "" if checks.send(GET, _get(url, question.origin)) else HTTP2_ONLY  # some ports speak both


def _no_response(failure: Failure, question: Question, checks: Checks) -> str:
    """Return the cause if the server closes the connection, or does not respond in time."""
    exchange, is_timeout = failure.exchange, failure.kind == TIMEOUT
    if failure.kind == CLIENT_CERTIFICATE:
        return CLIENT_CERTIFICATE_NEEDED
    if failure.kind == TLS:
        return ""
    is_safe = exchange.request.method in {"GET", "HEAD", "OPTIONS"}
    if is_safe and not (is_timeout and exchange.kind == "main") and checks.send(SECOND, _copy(exchange.request)):
        return ""  # it happened only once
    if exchange.kind == "preflight" and checks.send(GET, _get(failure.url, question.origin)):
        return PREFLIGHT_DROPPED
    if exchange.kind == "websocket":
        other = checks.send(WITHOUT_ORIGIN, _copy(exchange.request, without="origin"))
        if other is not None and other.status_code == _SWITCHING_PROTOCOLS:
            return HANDSHAKE_REFUSED
        if checks.send(GET, _get(failure.url, question.origin)):
            return HANDSHAKE_DROPPED
    if is_timeout:
        return ""
    if not is_safe:
        checks.send(GET, _get(failure.url, question.origin))
    return RESPONSE_NOT_HTTP if failure.kind == NOT_HTTP else EMPTY_REPLY


def is_http_on_tls_port(exchange: Exchange, checks: Checks) -> bool:
    """Return whether a server responds 400 to http because its port speaks TLS."""
    response, url = exchange.response, exchange.request.url
    if response is None or response.status_code != _BAD_REQUEST or url.scheme != "http":
        return False
    over_tls = checks.send(OVER_TLS, _get(_with_scheme(url, "https")), UNVERIFIED)
    has_text = any(text in text_of(response).lower() for text in _PLAIN_HTTP_TEXTS)
    return over_tls is not None and (has_text or over_tls.status_code != _BAD_REQUEST)


def _points_to_tls(response: httpx.Response) -> bool:
    """Return whether a server that speaks TLS sent this response to http."""
    is_error = response.status_code == _BAD_REQUEST and any(
        text in text_of(response).lower() for text in _PLAIN_HTTP_TEXTS
    )
    return is_error or response.headers.get("location", "").startswith("https:")


def _with_scheme(url: httpx.URL, scheme: str) -> httpx.URL:
    """Return the same URL with another scheme, at the same port."""
    return url.copy_with(scheme=scheme, port=url.port or {"http": 80, "https": 443}[url.scheme])


def _get(url: httpx.URL, origin: str = "") -> httpx.Request:
    return httpx.Request("GET", url, headers=_COMMON_HEADERS | ({"origin": origin} if origin else {}))


def _copy(request: httpx.Request, *, without: str = "") -> httpx.Request:
    headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() != without]
    copy = httpx.Request(request.method, request.url, headers=headers)
    copy.method = request.method
    return copy
