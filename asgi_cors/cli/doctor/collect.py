"""Collect the evidence: send the request as each engine does, then the probes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import httpx

from asgi_cors.cli.errors import CannotRunError
from asgi_cors.testing import CORSError, FetchError, Page

from .evidence import (
    ENGINES,
    HANDSHAKE_REFUSED,
    HEADER_NOT_EXPOSED,
    RESPONSE_CUT_OFF,
    EngineResult,
    Evidence,
    ServerResponse,
)
from .failures import HTTP_ON_TLS_PORT, Checks, classify, describe, find_cause, is_http_on_tls_port, one_line
from .probes import build_probes
from .question import Question
from .recorder import CUT_OFF, NETWORK_ERRORS, SAFE_METHODS, Recorder
from .unsent import MIXED_CONTENT, NotSentError, address_spaces, blocks_loopback, check_sent

Progress = Callable[[str], None]
PROBE_TIMEOUT: Final = dict.fromkeys(("connect", "read", "write", "pool"), 5.0)  # seconds
_COOKIE_ATTRIBUTES: Final = "Path=/; SameSite=None; Secure"
_MAX_FAILED_PROBES: Final = 2
_SWITCHING_PROTOCOLS: Final = 101


def collect_evidence(
    question: Question, transport: httpx.BaseTransport, *, probing: bool = True, progress: Progress = lambda _: None
) -> Evidence:
    """Send the request as three engines do, and the probes. Send nothing that no browser would send.

    Args:
        question: The request.
        transport: The transport that sends the requests. The caller closes it.
        probing: Whether to test other origins, too.
        progress: Called with a description of each step.

    Raises:
        CannotRunError: The server did not respond, and no further request shows the cause.
    """
    recorder = Recorder(transport, preflight_only=question.preflight_only)
    spaces = address_spaces(question)
    results: list[EngineResult] = []
    for engine, browser in ENGINES.items():
        progress(f"testing as {browser}")
        results.append(_run_engine(question, engine, recorder, spaces))
    evidence = Evidence(question=question, results=tuple(results), address_spaces=spaces)
    evidence = _confirm_failure(evidence, Checks(recorder, question.timeout, progress))
    if not probing or evidence.failure or all(result.is_unsent for result in results):
        return evidence
    return replace(evidence, probes=dict(_send_probes(evidence, recorder, progress)))


class _Browser(httpx.BaseTransport):
    """Send the requests that one engine would send, and no others."""

    def __init__(self, engine: str, question: Question, recorder: Recorder, spaces: tuple[str, str]) -> None:
        self._engine = engine
        self._question = question
        self._recorder = recorder
        self._spaces = spaces
        self.needs_https = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request if the engine does.

        Raises:
            NotSentError: The engine does not send it.
        """
        check_sent(self._engine, self._question, self._spaces, request)
        if blocks_loopback(self._engine, self._question.origin, request.url):
            if request.method not in SAFE_METHODS and not self._recorder.has_sent(request):
                raise NotSentError(MIXED_CONTENT)
            self.needs_https = True
        return self._recorder.handle_request(request)


def _run_engine(question: Question, engine: str, recorder: Recorder, spaces: tuple[str, str]) -> EngineResult:
    """Send the request as one engine does."""
    url = "http" + question.url.removeprefix("ws") if question.is_handshake else question.url
    stored = {url: [f"{cookie}; {_COOKIE_ATTRIBUTES}" for cookie in question.cookies]}
    browser = _Browser(engine, question, recorder, spaces)
    try:
        page = Page(question.origin, transport=browser, engine=engine, cookies=stored, timeout=question.timeout)
    except ValueError as error:
        raise CannotRunError(f"--origin: {error}") from None
    with page:
        try:
            result = _open_websocket(question, page, browser) if question.is_handshake else _fetch(question, page)
        except FetchError as error:
            result = _failed(question, page, error)
    return replace(result, stored=frozenset(page.cookies), needs_https=browser.needs_https)


def _failed(question: Question, page: Page, error: FetchError) -> EngineResult:
    """Return the result of a fetch that a browser blocks, or that gets no usable response.

    Raises:
        CannotRunError: The request can't be sent at all.
    """
    result = EngineResult(engine=page.engine.name, exchanges=tuple(page.exchanges))
    if isinstance(error, CORSError):
        return replace(result, error=error)
    if isinstance(error.__cause__, NotSentError):
        return replace(result, problem=error.__cause__.code)
    failure = classify(error, question.timeout)
    if failure is None:
        raise CannotRunError(one_line(error)) from error
    return replace(result, failure=failure)


def _open_websocket(question: Question, page: Page, browser: _Browser) -> EngineResult:
    handshake = page.websocket(question.url)
    response = browser.handle_request(handshake.exchange.request)  # with its body
    response.read()
    handshake.exchange.response = response
    problem = "" if _is_upgraded(response) else HANDSHAKE_REFUSED
    return EngineResult(engine=page.engine.name, exchanges=tuple(page.exchanges), problem=problem)


def _is_upgraded(response: httpx.Response) -> bool:
    """Return whether a browser accepts the response to a handshake (RFC 6455, 4.1)."""
    headers = response.headers
    is_websocket = (
        headers.get("upgrade", "").lower() == "websocket" and "upgrade" in headers.get("connection", "").lower()
    )
    return response.status_code == _SWITCHING_PROTOCOLS and is_websocket and "sec-websocket-accept" in headers


def _fetch(question: Question, page: Page) -> EngineResult:
    response = page.fetch(
        question.url,
        method=question.method,
        headers=list(question.headers),
        content=question.data,
        credentials="include" if question.credentials else "same-origin",
        stream=True,
    )
    visible = frozenset(name.lower() for name in response.headers)
    result = EngineResult(engine=page.engine.name, exchanges=tuple(page.exchanges), visible=visible)
    last = page.exchanges[-1].response
    if last is not None and last.is_error:
        with contextlib.suppress(*NETWORK_ERRORS):
            last.read()  # the recorder has bounded it
    if last is not None and CUT_OFF in last.extensions:
        return replace(result, problem=RESPONSE_CUT_OFF)
    return replace(result, problem=HEADER_NOT_EXPOSED) if result.hidden(question.reads) else result


def _confirm_failure(evidence: Evidence, checks: Checks) -> Evidence:
    """Return the evidence with the cause of a missing or unusable response.

    Raises:
        CannotRunError: There is no usable response, and no further request shows the cause.
    """
    failures = [result.failure for result in evidence.results if result.failure]
    causes: list[str] = []
    if failures:
        causes = [find_cause(failures[0], evidence.question, checks)]
        if causes == [""]:
            raise CannotRunError(describe(failures[0], checks.done))
    elif not evidence.is_allowed and evidence.exchanges and is_http_on_tls_port(evidence.exchanges[-1], checks):
        causes = [HTTP_ON_TLS_PORT]
    return replace(evidence, failure_cause="".join(causes), checks=tuple(checks.done))


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
