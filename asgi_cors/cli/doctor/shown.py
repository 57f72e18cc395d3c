"""The requests of a diagnosis as the report and JSON show them, also those that were not sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from .evidence import ENGINES, KINDS
from .unsent import REASONS

if TYPE_CHECKING:
    from asgi_cors.testing import Exchange

    from .evidence import EngineResult, Evidence
    from .failures import Check

CHECK = "check"


@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """A request and its response.

    Args:
        kind: "preflight", "main", "websocket" or "check".
        check: The name of the check, or "".
        browsers: The browsers that do not send it, if others send it.
        request: The request.
        response: Its response, or None.
        sent: Whether it was sent.
        problem: Why it was not sent or has no response, or "".
    """

    kind: str
    check: str = ""
    browsers: tuple[str, ...] = ()
    request: httpx.Request
    response: httpx.Response | None
    sent: bool = True
    problem: str = ""

    @property
    def label(self) -> str:
        """The text for the kind."""
        if self.check:
            return f"{CHECK} {self.check}"
        kind = KINDS.get(self.kind, self.kind)
        return f"{kind} of {' and '.join(self.browsers)}" if self.browsers else kind

    @property
    def outcome(self) -> str:
        """The status, or the reason why there is none."""
        if self.response is not None:
            return str(self.response.status_code)
        return f"{'no response' if self.sent else 'not sent'}{f' ({self.problem})' if self.problem else ''}"


def shown_requests(evidence: Evidence) -> Iterator[ShownRequest]:
    """Yield the requests of the first engine that blocks, those that other engines do not send, and the checks."""
    shown = next(result for result in evidence.results if result.exchanges == evidence.exchanges)
    for exchange in shown.exchanges:
        yield _from_exchange(exchange, shown, evidence)
    unsent = [result for result in evidence.results if result.is_unsent and not shown.is_unsent]
    if unsent:
        last = unsent[0].exchanges[-1]
        browsers = tuple(ENGINES[result.engine] for result in unsent)
        reason = REASONS[unsent[0].problem]
        yield ShownRequest(
            kind=last.kind, browsers=browsers, request=last.request, response=None, sent=False, problem=reason
        )
    for check in evidence.checks:
        yield _from_check(check)


def _from_exchange(exchange: Exchange, result: EngineResult, evidence: Evidence) -> ShownRequest:
    reason = ""
    if result.is_unsent and exchange is result.exchanges[-1]:
        reason = REASONS[result.problem]
    elif exchange.cached:
        reason = "in the preflight cache"
    elif evidence.question.preflight_only and exchange.kind == "main":
        reason = "--preflight-only"
    failure = result.failure.reason if result.failure and exchange is result.failure.exchange else ""
    return ShownRequest(
        kind=exchange.kind,
        request=exchange.request,
        response=None if reason else exchange.response,
        sent=not reason,
        problem=reason or failure.rstrip("."),
    )


def _from_check(check: Check) -> ShownRequest:
    return ShownRequest(
        kind=CHECK, check=check.name, request=check.request, response=check.response, problem=check.problem
    )
