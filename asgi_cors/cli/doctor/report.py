"""The doctor's report, for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors.cli.findings import as_json as finding_as_json
from asgi_cors.cli.findings import render_findings
from asgi_cors.cli.terminal import SYMBOLS, heading, labelled, plain

from .evidence import ENGINES, HEADER_NOT_EXPOSED, RESPONSE_CUT_OFF
from .recipes import software_names
from .shown import ShownRequest, shown_requests

if TYPE_CHECKING:
    from rich.console import RenderableType

    from asgi_cors.cli.findings import Finding

    from .diagnosis import Diagnosis
    from .evidence import EngineResult
    from .question import Question

SCHEMA: Final = 1
_EXAMPLES: Final = ("nginx", "Express", "Spring", "Flask")  # of names for --server
_SHOWN_HEADERS: Final = (
    *("origin", "access-control-request-method", "access-control-request-headers", "cookie"),
    *("access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods"),
    *("access-control-allow-headers", "access-control-expose-headers", "access-control-max-age"),
    *("location", "vary", "set-cookie", "server", "via", "allow"),
)
_MAX_VALUE_LENGTH: Final = 160  # characters


def report(diagnosis: Diagnosis) -> RenderableType:
    """Return the verdicts, the findings and the exchanges for the terminal."""
    return Group(*_parts(diagnosis))


def _parts(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    evidence = diagnosis.evidence
    yield _question(evidence.question)
    yield _verdicts(evidence.results)
    if diagnosis.cause:
        yield heading("Cause and remedy")
        yield render_findings([diagnosis.cause], "red")
        yield from _servers(diagnosis.cause)
    if diagnosis.risks:
        yield heading("Other mistakes" if diagnosis.cause else "Allowed, but with mistakes")
        yield render_findings(diagnosis.risks, "yellow")
    if diagnosis.notes:
        yield heading("Notes")
        yield render_findings(diagnosis.notes, "cyan")
    yield heading("Requests and responses")
    yield from _requests(shown_requests(evidence))
    consoles = [(ENGINES[result.engine], plain(result.console)) for result in evidence.results if result.console]
    if consoles:
        yield heading("In the browser's console")
        yield labelled(consoles)


def _servers(cause: Finding) -> Iterator[RenderableType]:
    """Yield the names for `--server` if there are lines to write, and the response reveals no software."""
    if cause.recipe and not cause.recipe.software:
        text = (
            f"Add --server NAME for the lines to write in {', '.join(_EXAMPLES)} …; --server list prints all"
            f" {len(software_names())} names."
        )
        yield labelled([("Write", plain(text))], style="cyan")


def _question(question: Question) -> RenderableType:
    details = [f"from {question.origin}"]
    details += ["with credentials"] if question.credentials else []
    details += [f"headers {', '.join(name.lower() for name, _ in question.headers)}"] if question.headers else []
    details += [f"reading {', '.join(question.reads)}"] if question.reads else []
    details += ["the request itself not sent"] if question.preflight_only else []
    verb = "WebSocket" if question.is_handshake else question.method
    return Group(plain(f"{verb} {question.url}", "bold"), plain(", ".join(details)), Text(""))


def _verdicts(results: tuple[EngineResult, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for _ in range(4):
        grid.add_column(overflow="fold")
    for result in results:
        symbol, style = SYMBOLS[not result.code]
        grid.add_row(
            Text(symbol, style), Text(ENGINES[result.engine]), Text(_verdict(result), style), Text(result.code, "dim")
        )
    return Padding(grid, (0, 0, 0, 2))


def _verdict(result: EngineResult) -> str:
    """Return the text of a browser's decision."""
    if result.is_unsent:
        return f"does not send the {result.step}"
    if result.failure:
        return f"gets no usable response to the {result.step}"
    if result.problem == HEADER_NOT_EXPOSED:
        return "allows it, but hides a header"
    if result.problem == RESPONSE_CUT_OFF:
        return "allows it, but the body is cut off"
    if result.code:
        return f"blocks it at the {result.step}"
    return "allows it, but only over https on this machine" if result.needs_https else "allows it"


def _requests(requests: Iterable[ShownRequest]) -> Iterator[RenderableType]:
    for number, shown in enumerate(requests, 1):
        line = f"{shown.label}: {shown.request.method} {shown.request.url} "
        grid = Table.grid(padding=(0, 1))
        grid.add_row(f"{number}.", Text.assemble(plain(line), plain(f"-> {shown.outcome}", "bold"), overflow="fold"))
        yield Padding(grid, (0, 0, 0, 2))
        rows = [(">", plain(header)) for header in _shown(shown.request.headers.multi_items())]
        rows += [
            ("<", plain(header, "" if header.startswith("access-control-") else "dim"))
            for header in _shown(shown.response.headers.multi_items() if shown.response else [])
        ]
        if rows:
            yield Padding(labelled(rows, width=1), (0, 0, 0, 3))


def _shown(headers: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the headers that matter for CORS as `name: value`, long values truncated."""
    for name, value in headers:
        if name.lower() in _SHOWN_HEADERS:
            short = f"{value[:_MAX_VALUE_LENGTH]}… ({len(value)} characters)"
            yield f"{name.lower()}: {value if len(value) <= _MAX_VALUE_LENGTH else short}"


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as data. docs/cli.md describes the keys, and a change of one needs a new schema."""
    evidence, question = diagnosis.evidence, diagnosis.evidence.question
    return {
        "schema": SCHEMA,
        "command": "doctor",
        "question": {
            "url": question.url,
            "origin": question.origin,
            "method": question.method,
            "headers": [list(pair) for pair in question.headers],
            "credentials": question.credentials,
            "reads": list(question.reads),
        },
        "allowed": evidence.is_allowed,
        "browsers": [
            {
                "browser": ENGINES[result.engine],
                "engine": result.engine,
                "allowed": not result.code,
                "code": result.code or None,
                "step": result.step or None,
                "console": result.console or None,
                "needs_https": result.needs_https,
            }
            for result in evidence.results
        ],
        "cause": finding_as_json(diagnosis.cause) if diagnosis.cause else None,
        "risks": [finding_as_json(finding) for finding in diagnosis.risks],
        "notes": [finding_as_json(finding) for finding in diagnosis.notes],
        "exchanges": [_request_as_json(shown) for shown in shown_requests(evidence)],
    }


def _request_as_json(shown: ShownRequest) -> dict[str, Any]:
    response = shown.response
    return {
        "kind": shown.kind,
        "check": shown.check or None,
        "method": shown.request.method,
        "url": str(shown.request.url),
        "sent": shown.sent,
        "status": response.status_code if response else None,
        "problem": shown.problem or None,
        "request": [list(pair) for pair in shown.request.headers.multi_items()],
        "response": [list(pair) for pair in response.headers.multi_items()] if response else [],
    }
