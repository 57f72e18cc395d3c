"""Collect the evidence: send the request as each engine does, then the probes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

import httpx

from asgi_cors.cli.errors import CannotRunError
from asgi_cors.testing import CORSError, Exchange, FetchError, FetchTimeout, NetworkError, Page

from .evidence import (
    ENGINES,
    HANDSHAKE_REFUSED,
    HEADER_NOT_EXPOSED,
    MIXED_CONTENT,
    EngineResult,
    Evidence,
    ServerResponse,
)
from .probes import build_probes
from .question import Question
from .recorder import NETWORK_ERRORS, Recorder

Progress = Callable[[str], None]
PROBE_TIMEOUT: Final = dict.fromkeys(("connect", "read", "write", "pool"), 5.0)  # seconds
_COOKIE_ATTRIBUTES: Final = "Path=/; SameSite=None; Secure"
_MAX_FAILED_PROBES: Final = 2


def collect_evidence(
    question: Question, transport: httpx.BaseTransport, *, probing: bool = True, progress: Progress = lambda _: None
) -> Evidence:
    """Send the request as three engines do, and the probes.

    Args:
        question: The request.
        transport: The transport that sends the requests. The caller closes it.
        probing: Whether to test other origins, too.
        progress: Called with a description of each step.

    Raises:
        CannotRunError: The server did not respond.
    """
    recorder = Recorder(transport, preflight_only=question.preflight_only)
    spaces = _address_spaces(question)
    results: list[EngineResult] = []
    for engine, browser in ENGINES.items():
        progress(f"testing as {browser}")
        results.append(_run_engine(question, engine, recorder, spaces))
    evidence = Evidence(question=question, results=tuple(results), address_spaces=spaces)
    return replace(evidence, probes=dict(_send_probes(evidence, recorder, progress))) if probing else evidence


def _run_engine(question: Question, engine: str, recorder: Recorder, spaces: tuple[str, str]) -> EngineResult:
    """Send the request as one engine does."""
    url = "http" + question.url.removeprefix("ws") if question.is_handshake else question.url
    stored = {url: [f"{cookie}; {_COOKIE_ATTRIBUTES}" for cookie in question.cookies]}
    try:
        page = Page(question.origin, transport=recorder, engine=engine, cookies=stored, timeout=question.timeout)
    except ValueError as error:
        raise CannotRunError(f"--origin: {error}") from None
    with page:
        result = _open_websocket(question, page) if question.is_handshake else _fetch(question, page)
    if _is_mixed_content(question, spaces):
        result = replace(result, error=None, problem=MIXED_CONTENT)
    return replace(result, stored=frozenset(page.cookies))


def _open_websocket(question: Question, page: Page) -> EngineResult:
    try:
        handshake = page.websocket(question.url)
    except FetchError as error:
        raise CannotRunError(_describe_failure(error, question)) from error
    problem = "" if handshake.accepted else HANDSHAKE_REFUSED
    return EngineResult(engine=page.engine.name, exchanges=tuple(page.exchanges), problem=problem)


def _fetch(question: Question, page: Page) -> EngineResult:
    result = EngineResult(engine=page.engine.name, exchanges=())
    try:
        response = page.fetch(
            question.url,
            method=question.method,
            headers=list(question.headers),
            content=question.data,
            credentials="include" if question.credentials else "same-origin",
            stream=True,
        )
    except CORSError as error:
        return replace(result, exchanges=tuple(page.exchanges), error=error)
    except FetchError as error:
        if _is_downgraded(page.exchanges):
            return replace(result, exchanges=tuple(page.exchanges), problem=MIXED_CONTENT)
        raise CannotRunError(_describe_failure(error, question)) from error
    visible = frozenset(name.lower() for name in response.headers)
    result = replace(result, exchanges=tuple(page.exchanges), visible=visible)
    return replace(result, problem=HEADER_NOT_EXPOSED) if result.hidden(question.reads) else result


def _is_mixed_content(question: Question, spaces: tuple[str, str]) -> bool:
    """Return whether a page over https requests http, other than on this machine (Mixed Content, 4)."""
    is_secure = httpx.URL(question.url).scheme in {"https", "wss"}
    return question.origin.startswith("https:") and not is_secure and spaces[1] != "loopback"


def _is_downgraded(exchanges: list[Exchange]) -> bool:
    """Return whether a redirect led from https to http, where the server does not respond."""
    schemes = [exchange.request.url.scheme for exchange in exchanges]
    return "https" in schemes and schemes[-1] == "http"


def _describe_failure(error: FetchError, question: Question) -> str:
    """Return in one line why there is no response."""
    exchange, cause = error.exchange, error.__cause__
    if exchange is None or not isinstance(error, (NetworkError, FetchTimeout)):
        return " ".join(str(error).split())
    url = exchange.request.url
    host, request = f"{url.host}:{url.port or url.scheme}", f"{exchange.request.method} {url}"
    if isinstance(error, FetchTimeout):
        return f"{request}: no response within {question.timeout:g} s. Set --timeout to wait longer."
    tls = next((link for link in _causes(error) if isinstance(link, ssl.SSLError)), None)
    if tls is not None:
        hint = " Browsers refuse it, too. Set --insecure to test anyway." if "CERT" in str(tls).upper() else ""
        return f"{host}: TLS failed: {tls.reason or tls}.{hint}"
    if any(isinstance(link, socket.gaierror) for link in _causes(error)) or "resolution" in str(cause):
        return f"{url.host}: the host name can't be resolved."
    if isinstance(cause, httpx.ConnectError):
        return f"{host}: the connection failed ({_one_line(cause)}). Is the server running?"
    if isinstance(cause, httpx.RemoteProtocolError):
        return f"{request}: the response is not HTTP that a browser accepts ({_one_line(cause)})."
    return f"{request}: {exchange.problem or _one_line(error)}."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _send_probes(evidence: Evidence, recorder: Recorder, progress: Progress) -> Iterator[tuple[str, ServerResponse]]:
    """Send the probes, and stop after `_MAX_FAILED_PROBES` without a response."""
    failed = 0
    for name, request in build_probes(evidence):
        progress(f"testing {name}")
        request.extensions = {"timeout": dict(PROBE_TIMEOUT)}
        try:
            response = recorder.handle_request(request)
            response.read()
        except NETWORK_ERRORS:
            failed += 1
            if failed == _MAX_FAILED_PROBES:
                return
            continue
        yield name, ServerResponse(request, response)


def _address_spaces(question: Question) -> tuple[str, str]:
    """Return the address spaces of the page and of the URL."""
    page = "unknown" if question.origin == "null" else _address_space(httpx.URL(question.origin).host)
    return page, _address_space(httpx.URL(question.url).host)


def _address_space(host: str) -> str:
    """Return the address space of a host (Local Network Access, "IP address space")."""
    try:
        found = ip_address(socket.getaddrinfo(host, None)[0][4][0])
    except (OSError, ValueError, UnicodeError):
        return "unknown"
    if found.is_loopback:
        return "loopback"
    return "local" if found.is_private or found.is_link_local else "public"
