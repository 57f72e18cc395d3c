"""The report of `explain`, for the terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors import Explanation
from asgi_cors._decision.decision import HOST_NOT_ALLOWED
from asgi_cors.cli.terminal import SYMBOLS, labelled, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

SCHEMA: Final = 1
_NOTE: Final = ("·", "cyan")
_HANDSHAKE_VERDICTS: Final = {
    True: "as far as this middleware decides, the page can open the WebSocket",
    False: "the middleware refuses the WebSocket with status 403",
    None: "it depends",
}


def report(explanation: Explanation) -> RenderableType:
    """Return the verdict, each check and the correction for the terminal."""
    symbol, style = SYMBOLS[explanation.allowed]
    verdict = f"{symbol} {_verdict(explanation)}"
    grid = Table.grid(padding=(0, 1))
    for step in explanation.steps:
        step_symbol, step_style = _NOTE if step.is_note else SYMBOLS[step.passed]
        grid.add_row(Text(step_symbol, step_style), Text(step.check, "bold"), plain(f"{step.value}: {step.rule}"))
    parts: list[RenderableType] = [
        plain(explanation.request, "bold"),
        Padding(Text.assemble((verdict, style), (f" {explanation.code or ''}", "dim")), (0, 0, 1, 2)),
        Padding(grid, (0, 0, 0, 2)),
    ]
    if explanation.remedy:
        parts += [Text(""), labelled([("asgi_cors", plain(explanation.remedy))], style="cyan")]
    return Group(*parts)


def _verdict(explanation: Explanation) -> str:
    is_handshake = explanation.request.startswith("WebSocket ")
    if is_handshake and explanation.code != HOST_NOT_ALLOWED:
        return _HANDSHAKE_VERDICTS[explanation.allowed]
    return explanation.verdict


def as_json(app: str, path: str, explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as data. docs/cli.md describes the keys."""
    return {
        "schema": SCHEMA,
        "command": "explain",
        "app": app,
        "path": path,
        "request": explanation.request,
        "allowed": explanation.allowed,
        "code": explanation.code,
        "steps": [
            {"check": step.check, "rule": step.rule, "value": step.value, "passed": step.passed, "note": step.is_note}
            for step in explanation.steps
        ],
        "remedy": explanation.remedy,
        "reaches_app": explanation.reaches_app,
    }
