"""Which case reports a block: one for each cause, by the browser's error and the response that it blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.check.session import REDIRECT_FAILED, RESPONSE_FAILED, NoResponseError, Session, Step
from asgi_cors.cli.doctor.evidence import ServerResponse

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import EngineResult

REQUEST_CASES: Final = (
    *("request-accepted", "request-redirect", "request-origin", "request-one-origin", "request-credentials"),
)
PREFLIGHT_CASES: Final = (
    *("preflight-redirect", "preflight-authentication", "preflight-status", "preflight-origin"),
    *("preflight-one-origin", "preflight-credentials", "preflight-lists", "preflight-methods"),
    *("preflight-method-case", "preflight-headers", "preflight-wildcards"),
)
_AUTHENTICATION: Final = {401, 407}
_REQUEST_CODES: Final = {
    RESPONSE_FAILED: "request-accepted",
    REDIRECT_FAILED: "request-redirect",
    "RedirectContainsCredentials": "request-redirect",
    "MultipleAllowOriginValues": "request-one-origin",
    "WildcardOriginNotAllowed": "request-credentials",
    "InvalidAllowCredentials": "request-credentials",
}
_PREFLIGHT_CODES: Final = {
    "PreflightMultipleAllowOriginValues": "preflight-one-origin",
    "PreflightWildcardOriginNotAllowed": "preflight-credentials",
    "PreflightInvalidAllowCredentials": "preflight-credentials",
    "InvalidAllowMethodsPreflightResponse": "preflight-lists",
    "InvalidAllowHeadersPreflightResponse": "preflight-lists",
}


def name_block(result: EngineResult) -> str:
    """Return the name of the case that reports the block of a request."""
    exchange = result.exchanges[-1]
    if exchange.kind != "preflight" or exchange.response is None:
        redirects = sum(each.kind == "main" for each in result.exchanges) > 1
        is_moved = exchange.response is not None and exchange.response.has_redirect_location
        return "request-redirect" if redirects or is_moved else _REQUEST_CODES.get(result.code, "request-origin")
    response = ServerResponse(exchange.request, exchange.response)
    if result.code == "PreflightDisallowedRedirect":
        return "preflight-redirect"
    if not response.is_ok:
        return "preflight-authentication" if response.status in _AUTHENTICATION else "preflight-status"
    if result.code in {"MethodDisallowedByPreflightResponse", "HeaderDisallowedByPreflightResponse"}:
        return _name_list_block(result, response)
    if result.code == RESPONSE_FAILED:
        return "preflight-status"
    return _PREFLIGHT_CODES.get(result.code, "preflight-origin")


def _name_list_block(result: EngineResult, response: ServerResponse) -> str:
    is_method = result.code == "MethodDisallowedByPreflightResponse"
    names = response.elements(f"access-control-allow-{'methods' if is_method else 'headers'}")
    if "*" in names:
        return "preflight-wildcards"
    method = response.request.headers["access-control-request-method"].upper()
    if is_method and method in {name.upper() for name in names}:
        return "preflight-method-case"
    return "preflight-methods" if is_method else "preflight-headers"


def report_blocks(name: str, steps: Iterable[Step], session: Session, unanswered: str) -> Iterator[str]:
    """Yield the verdicts on scripts that the case `name` reports. Skip it if all are blocked for other reasons.

    Raises:
        NoResponseError: The server does not respond, and `name` is the case `unanswered`, which reports it.
    """
    try:
        blocks = [(step, name_block(step.blocked)) for step in steps if step.blocked]
    except NoResponseError as error:
        if name == unanswered or not error.is_confirmed:
            raise
        session.skip(f"see {unanswered} (fails).")
    mine = [step.verdict for step, owner in blocks if owner == name]
    if blocks and not mine:
        session.skip(f"see {blocks[0][1]} (fails).")
    yield from mine
