"""Asking: the call as each engine makes it, then the same URL with other origins."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

import httpx

from asgi_cors.testing import CORSError, Exchange, FetchError, FetchTimeout, NetworkError, Page

from .evidence import ENGINES, HANDSHAKE_REFUSED, HEADER_NOT_EXPOSED, MIXED_CONTENT, Answer, Evidence, Visit
from .probes import probes_of
from .question import CannotAskError, Question
from .recorder import Recorder

Progress = Callable[[str], None]
_COOKIE: Final = "Path=/; SameSite=None; Secure"
_PROBE_TIMEOUT: Final = 5.0  # seconds
_PATIENCE: Final = 2  # probes without an answer


def examine(
    question: Question, transport: httpx.BaseTransport, *, probing: bool = True, progress: Progress = lambda _: None
) -> Evidence:
    """Ask as three engines would, and with other origins.

    Args:
        question: What to ask.
        transport: What carries the requests; to close it is the caller's.
        probing: Whether to ask with other origins, too.
        progress: Told what is being done.

    Raises:
        CannotAskError: There was no answer; the line says why.
    """
    recorder = Recorder(transport, preflight_only=question.preflight_only)
    spaces = _spaces(question)
    visits: list[Visit] = []
    for engine, browser in ENGINES.items():
        progress(f"asking as {browser} does")
        visits.append(_visit(question, engine, recorder, spaces))
    evidence = Evidence(question=question, visits=tuple(visits), spaces=spaces)
    return replace(evidence, probes=dict(_probed(evidence, recorder, progress))) if probing else evidence


def _visit(question: Question, engine: str, recorder: Recorder, spaces: tuple[str, str]) -> Visit:
    """Ask as one engine does."""
    stored = {_web(question.url): [f"{cookie}; {_COOKIE}" for cookie in question.cookies]}
    try:
        page = Page(question.origin, transport=recorder, engine=engine, cookies=stored, timeout=question.timeout)
    except ValueError as error:
        raise CannotAskError(f"--origin: {error}") from None
    with page:
        visit = _handshake(question, page) if question.is_handshake else _call(question, page)
    if _is_mixed(question, spaces):
        visit = replace(visit, error=None, problem=MIXED_CONTENT)
    return replace(visit, stored=frozenset(page.cookies))


def _handshake(question: Question, page: Page) -> Visit:
    try:
        handshake = page.websocket(question.url)
    except FetchError as error:
        raise CannotAskError(_told(error, question)) from error
    problem = "" if handshake.accepted else HANDSHAKE_REFUSED
    return Visit(engine=page.engine.name, exchanges=tuple(page.exchanges), problem=problem)


def _call(question: Question, page: Page) -> Visit:
    visit = Visit(engine=page.engine.name, exchanges=())
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
        return replace(visit, exchanges=tuple(page.exchanges), error=error)
    except FetchError as error:
        if _is_downgraded(page.exchanges):
            return replace(visit, exchanges=tuple(page.exchanges), problem=MIXED_CONTENT)
        raise CannotAskError(_told(error, question)) from error
    visible = frozenset(name.lower() for name in response.headers)
    visit = replace(visit, exchanges=tuple(page.exchanges), visible=visible)
    return replace(visit, problem=HEADER_NOT_EXPOSED) if visit.hidden(question.reads) else visit


def _is_mixed(question: Question, spaces: tuple[str, str]) -> bool:
    """Tell whether a page over https calls http, other than on this machine (Mixed Content, 4)."""
    is_secure = httpx.URL(question.url).scheme in {"https", "wss"}
    return question.origin.startswith("https:") and not is_secure and spaces[1] != "loopback"


def _is_downgraded(exchanges: list[Exchange]) -> bool:
    """Tell whether a redirect led from https to http, where nothing answers."""
    schemes = [exchange.request.url.scheme for exchange in exchanges]
    return "https" in schemes and schemes[-1] == "http"


def _web(url: str) -> str:
    return "http" + url.removeprefix("ws") if url.startswith("ws") else url


def _told(error: FetchError, question: Question) -> str:
    """Say in one line why there was no answer."""
    exchange, cause = error.exchange, error.__cause__
    if exchange is None or not isinstance(error, (NetworkError, FetchTimeout)):
        return " ".join(str(error).split())
    who = f"{exchange.request.url.host}:{exchange.request.url.port or exchange.request.url.scheme}"
    what = f"{exchange.request.method} {exchange.request.url}"
    if isinstance(error, FetchTimeout):
        return f"{what}: no answer within {question.timeout:g} s. A longer wait: --timeout."
    tls = next((link for link in _chain(error) if isinstance(link, ssl.SSLError)), None)
    if tls is not None:
        hint = " Browsers refuse it, too; to look behind it: --insecure." if "CERT" in str(tls).upper() else ""
        return f"{who}: TLS failed: {tls.reason or tls}.{hint}"
    if any(isinstance(link, socket.gaierror) for link in _chain(error)) or "resolution" in str(cause):
        return f"{exchange.request.url.host}: no such host is known here."
    if isinstance(cause, httpx.ConnectError):
        return f"{who}: nothing answers there ({_plain(cause)}). Is the server running?"
    if isinstance(cause, httpx.RemoteProtocolError):
        return f"{what}: what came is no HTTP answer that a browser takes ({_plain(cause)})."
    return f"{what}: {exchange.problem or _plain(error)}."


def _plain(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _probed(evidence: Evidence, recorder: Recorder, progress: Progress) -> Iterator[tuple[str, Answer]]:
    """Ask the same URL otherwise; a probe without an answer tells nothing, and after some no more are made."""
    unanswered = 0
    for name, request in probes_of(evidence):
        progress(f"asking {name}")
        request.extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), _PROBE_TIMEOUT)}
        try:
            response = recorder.handle_request(request)
            response.read()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError):
            unanswered += 1
            if unanswered == _PATIENCE:
                return
            continue
        yield name, Answer(request, response)


def _spaces(question: Question) -> tuple[str, str]:
    """Tell the address spaces of the page and of what it calls."""
    page = "unknown" if question.origin == "null" else _space(httpx.URL(question.origin).host)
    return page, _space(httpx.URL(question.url).host)


def _space(host: str) -> str:
    """Tell where a host is (Local Network Access, "IP address space")."""
    try:
        found = ip_address(socket.getaddrinfo(host, None)[0][4][0])
    except (OSError, ValueError, UnicodeError):
        return "unknown"
    if found.is_loopback:
        return "loopback"
    return "local" if found.is_private or found.is_link_local else "public"
