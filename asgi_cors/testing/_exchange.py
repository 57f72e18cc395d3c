"""The exchanges of a page: its requests with their responses, and their text in a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import httpx

_SHOWN = (
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "cookie",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
    "access-control-expose-headers",
    "location",
    "vary",
)
_SHOWN_OF_A_FORM = (*_SHOWN, "sec-fetch-site", "referer")
_VALUE_WIDTH = 100


@dataclass(kw_only=True, eq=False)
class Exchange:
    """One request of the page with its response.

    Attributes:
        kind: "preflight", "main", "navigation" or "websocket".
        request: the request; if `cached` is True, it was not sent.
        response: the response; None if none came.
        cached: True for a preflight that the preflight cache made unnecessary.
        exception: the exception that the application raised, or None.
        problem: one line that says why the browser stopped here; empty if it went on.
    """

    kind: Literal["preflight", "main", "navigation", "websocket"]
    request: httpx.Request
    response: httpx.Response | None = None
    cached: bool = False
    exception: BaseException | None = None
    problem: str = ""

    def __repr__(self) -> str:
        """Show the exchange in one line."""
        return f"<Exchange {self.summary}>"

    @property
    def summary(self) -> str:
        """The exchange in one line: kind, method, URL and status."""
        return f"{self.kind} {self.request.method} {self.request.url} -> {self.outcome}"

    @property
    def outcome(self) -> str:
        """The status, or the reason for its absence."""
        if self.cached:
            return "not sent (in the preflight cache)"
        return "no response" if self.response is None else str(self.response.status_code)


def table(exchanges: Sequence[Exchange]) -> str:
    """Return the exchanges as text: a line for each, then its headers that CORS, or a form's protection, depends on."""
    lines: list[str] = []
    for number, exchange in enumerate(exchanges, 1):
        lines.append(f"{number:>3}  {exchange.summary}")
        names = _SHOWN_OF_A_FORM if exchange.kind == "navigation" else _SHOWN
        lines += [f"       > {line}" for line in _shown_headers(exchange.request.headers, names)]
        if exchange.response is not None:
            lines += [f"       < {line}" for line in _shown_headers(exchange.response.headers, names)]
        if exchange.exception is not None:
            lines.append(f"       ! the application raised {exchange.exception!r}")
        if exchange.problem:
            lines.append(f"       = blocked: {exchange.problem}")
    return "\n".join(lines) or "no request was sent"


def _shown_headers(headers: httpx.Headers, names: Sequence[str]) -> list[str]:
    shown = [(name.lower().decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
    return [f"{name}: {_truncate(value)}" for name, value in shown if name in names]


def _truncate(value: str) -> str:
    return value if len(value) <= _VALUE_WIDTH else f"{value[:_VALUE_WIDTH]}... ({len(value)} characters)"
