"""The report of `explain`, for the terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors import Explanation
from asgi_cors.cli.terminal import SYMBOLS, labelled, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

SCHEMA: Final = 1
_VERDICTS: Final = {
    True: "as far as this middleware decides, the browser lets the page read the response",
    False: "the browser blocks it",
    None: "it depends",
}
_HANDSHAKE_VERDICTS: Final = {
    True: "as far as this middleware decides, the page can open the WebSocket",
    False: "the middleware refuses the WebSocket with status 403",
    None: "it depends",
}


def report(explanation: Explanation) -> RenderableType:
    """Return the verdict, each check and the correction for the terminal."""
    symbol, style = SYMBOLS[explanation.allowed]
    verdicts = _HANDSHAKE_VERDICTS if explanation.request.startswith("WebSocket ") else _VERDICTS
    verdict = f"{symbol} {verdicts[explanation.allowed]}"
    grid = Table.grid(padding=(0, 1))
    for step in explanation.steps:
        step_symbol, step_style = SYMBOLS[step.passed]
        grid.add_row(Text(step_symbol, step_style), Text(step.check, "bold"), plain(f"{step.value}: {step.rule}"))
    parts: list[RenderableType] = [
        plain(explanation.request, "bold"),
        Padding(Text.assemble((verdict, style), (f" {explanation.code or ''}", "dim")), (0, 0, 1, 2)),
        Padding(grid, (0, 0, 0, 2)),
    ]
    if explanation.remedy:
        parts += [Text(""), labelled([("asgi_cors", plain(explanation.remedy))], style="cyan")]
    return Group(*parts)


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
            {"check": step.check, "rule": step.rule, "value": step.value, "passed": step.passed}
            for step in explanation.steps
        ],
        "remedy": explanation.remedy,
    }
