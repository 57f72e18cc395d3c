"""The doctor's report: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors.cli.terminal import MARKS, heading, labelled, plain

from .evidence import ENGINES, HEADER_NOT_EXPOSED

if TYPE_CHECKING:
    from rich.console import RenderableType

    from asgi_cors.cli.findings import Finding
    from asgi_cors.testing import Exchange

    from .diagnosis import Diagnosis
    from .evidence import Visit

SCHEMA: Final = 1
_FIELDS: Final = (
    *("origin", "access-control-request-method", "access-control-request-headers", "cookie"),
    *("access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods"),
    *("access-control-allow-headers", "access-control-expose-headers", "access-control-max-age"),
    *("location", "vary", "set-cookie", "server", "via", "allow"),
)
_LONGEST: Final = 160  # characters of a value that are shown


def report(diagnosis: Diagnosis) -> RenderableType:
    """Tell people what the doctor found: the verdict, why, what to write, what went over the wire."""
    return Group(*_parts(diagnosis))


def _parts(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield _question(diagnosis)
    yield _verdicts(diagnosis)
    if diagnosis.cause:
        yield heading("Why, and what to write")
        yield findings_shown([diagnosis.cause], "red")
    if diagnosis.risks:
        yield heading("Also wrong" if diagnosis.cause else "It works, but")
        yield findings_shown(diagnosis.risks, "yellow")
    if diagnosis.notes:
        yield heading("Good to know")
        yield findings_shown(diagnosis.notes, "cyan")
    yield heading("Over the wire")
    yield from _wire(diagnosis)
    if any(visit.console for visit in diagnosis.evidence.visits):
        yield heading("In the browser's console")
        rows = [(ENGINES[v.engine], plain(v.console)) for v in diagnosis.evidence.visits if v.console]
        yield labelled(rows)


def _question(diagnosis: Diagnosis) -> RenderableType:
    question = diagnosis.evidence.question
    details = [f"from {question.origin}"]
    details += ["with credentials"] if question.credentials else []
    details += [f"headers {', '.join(name.lower() for name, _ in question.headers)}"] if question.headers else []
    details += [f"reading {', '.join(question.reads)}"] if question.reads else []
    details += ["the request itself not sent"] if question.preflight_only else []
    verb = "WebSocket" if question.is_handshake else question.method
    return Group(plain(f"{verb} {question.url}", "bold"), plain(", ".join(details)), Text(""))


def _verdicts(diagnosis: Diagnosis) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for visit in diagnosis.evidence.visits:
        mark, style = MARKS[not visit.code]
        said = _said(visit)
        grid.add_row(Text(mark, style), Text(ENGINES[visit.engine]), Text(said, style), Text(visit.code, "dim"))
    return Padding(grid, (0, 0, 0, 2))


def _said(visit: Visit) -> str:
    if visit.problem == HEADER_NOT_EXPOSED:
        return "lets it through, and hides a header"
    return f"blocks it at the {visit.step}" if visit.code else "lets it through"


def findings_shown(findings: Iterable[Finding], style: str) -> RenderableType:
    """Show findings, each with its name, what is so, and what to write."""
    parts = [part for finding in findings for part in (Text(""), _finding(finding, style))]
    return Group(*parts[1:])


def _finding(finding: Finding, style: str) -> RenderableType:
    rows: list[tuple[str, RenderableType]] = [("Write", plain(finding.remedy))]
    rows += [("Here", plain(finding.recipe))] if finding.recipe else []
    rows += [("asgi_cors", plain(finding.policy))] if finding.policy else []
    said = Group(Text(finding.name, f"bold {style}"), plain(finding.sentence))
    return Group(Padding(said, (0, 0, 0, 2)), labelled(rows, style="cyan"))


def _wire(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    for number, exchange in enumerate(diagnosis.evidence.exchanges, 1):
        status = str(exchange.response.status_code) if exchange.response else "no answer"
        kind = {"main": "request", "websocket": "handshake"}.get(exchange.kind, exchange.kind)
        url = exchange.request.url
        line = f"  {number}. {kind}: {exchange.request.method} {url} "
        yield Text.assemble(plain(line), (f"-> {status}", "bold"))
        rows = [(">", plain(f"{name}: {value}")) for name, value in _shown(exchange.request.headers.multi_items())]
        if exchange.response:
            fields = _shown(exchange.response.headers.multi_items())
            rows += [("<", plain(f"{name}: {value}", _style(name))) for name, value in fields]
        yield Padding(labelled(rows, width=1), (0, 0, 0, 3))


def _style(name: str) -> str:
    return "" if name.startswith("access-control-") else "dim"


def _shown(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        if name.lower() in _FIELDS:
            yield name.lower(), value if len(value) <= _LONGEST else f"{value[:_LONGEST]}… ({len(value)} characters)"


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Give the report as data; docs/cli.md describes it, and it changes with `schema` only."""
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
        "browsers": [_verdict(visit) for visit in evidence.visits],
        "cause": finding_json(diagnosis.cause) if diagnosis.cause else None,
        "risks": [finding_json(finding) for finding in diagnosis.risks],
        "notes": [finding_json(finding) for finding in diagnosis.notes],
        "exchanges": [_exchange(exchange) for exchange in evidence.exchanges],
    }


def finding_json(finding: Finding) -> dict[str, str]:
    """Give a finding as data."""
    return {
        "name": finding.name,
        "sentence": finding.sentence,
        "remedy": finding.remedy,
        "recipe": finding.recipe,
        "policy": finding.policy,
    }


def _verdict(visit: Visit) -> dict[str, Any]:
    return {
        "browser": ENGINES[visit.engine],
        "engine": visit.engine,
        "allowed": not visit.code,
        "code": visit.code or None,
        "step": visit.step or None,
        "console": visit.console or None,
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    return {
        "kind": exchange.kind,
        "method": exchange.request.method,
        "url": str(exchange.request.url),
        "status": response.status_code if response else None,
        "request": [list(pair) for pair in exchange.request.headers.multi_items()],
        "response": [list(pair) for pair in response.headers.multi_items()] if response else [],
    }
