"""The report of a check, for the terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors.cli.doctor.evidence import ENGINES
from asgi_cors.cli.terminal import heading, labelled, plain

from .case import ADVICE, KINDS, Case

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx
    from rich.console import Console, ConsoleOptions, RenderableType

    from asgi_cors.testing import Exchange

    from .case import Result
    from .expectation import Expectation
    from .run import CheckReport
    from .session import Step

SCHEMA: Final = 1
HIDDEN: Final = "(hidden)"
_SYMBOLS: Final = {"passed": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("-", "dim")}
_SHOWN: Final = (
    *("origin", "vary", "location", "cache-control", "allow", "timing-allow-origin", "server", "via", "upgrade"),
    *("access-control-", "range", "sec-websocket-version"),
)
_LEGEND: Final = "C F S: Chromium, Firefox and Safari allow the script. x: the browser blocks it."
_MAX_STEPS: Final = 2
_NARROW: Final = 60  # columns
_MAX_VALUE: Final = 160  # characters


def report(check: CheckReport, *, verbose: bool = False) -> RenderableType:
    """Return the table of cases, and the details of those that failed; with `verbose`, of all."""
    return Group(*_parts(check, verbose=verbose))


def _parts(check: CheckReport, *, verbose: bool) -> Iterator[RenderableType]:
    yield plain(describe(check.expectation), "bold")
    yield Text("")
    yield CaseTable([result for result in check.results if verbose or result.status != "skipped"])
    if not verbose:
        yield from _skipped([result for result in check.results if result.status == "skipped"])
    yield Text(f"\n{_LEGEND}", "dim")
    shown = [result for result in check.results if verbose or result.status == "failed"]
    if shown:
        yield heading("Details" if verbose else "Failed")
    for result in shown:
        yield Text("")
        yield Padding(_details(result, check.expectation), (0, 0, 0, 2))
    yield Text("")
    yield _summary(check)


def describe(expectation: Expectation) -> str:
    """Return the expectation in one line."""
    parts = [expectation.url, f"from {', '.join(expectation.allow)}"]
    parts += [f"not from {', '.join(expectation.refuse)}"] if expectation.refuse else []
    parts += [f"methods {', '.join(expectation.methods)}"]
    parts += [f"headers {', '.join(expectation.headers)}"] if expectation.headers else []
    parts += ["with credentials"] if expectation.credentials else []
    return ", ".join(parts)


class CaseTable:
    """A line for each case: its name, kind and verdicts, and the reason if it was skipped.

    Args:
        results: The cases.
    """

    def __init__(self, results: Iterable[Result]) -> None:
        """Store the cases."""
        self._results = tuple(results)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw the table for a width. A narrow one has no kinds and no reasons."""
        yield _table(self._results, is_narrow=options.max_width < _NARROW)


def _table(results: Iterable[Result], *, is_narrow: bool) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for result in results:
        symbol, style = _SYMBOLS[result.status]
        if result.status == "failed" and result.case.kind == ADVICE:
            symbol, style = "!", "yellow"
        name = Text(result.case.name, style if result.status == "failed" else "")
        note = plain("see below" if result.status == "failed" else " ".join(result.problems), "dim")
        cells = [Text(symbol, style), name, _verdicts(result)]
        grid.add_row(*cells, *([] if is_narrow else [Text(result.case.kind), note]))
    return Padding(grid, (0, 0, 0, 1))


def _skipped(results: list[Result]) -> Iterator[RenderableType]:
    """Yield the reasons of skipped cases, each with the number of its cases."""
    reasons = Counter(" ".join(result.problems) for result in results)
    if reasons:
        yield heading("Skipped (--verbose shows the names)")
        yield labelled([(str(number).rjust(3), plain(reason)) for reason, number in reasons.items()], width=3)


def _verdicts(result: Result) -> Text:
    """Return a letter for each browser: green if it allows the script, red if it blocks it."""
    steps = [step for step in result.steps if step.results]
    if not steps or result.status == "skipped":
        return Text("   ", "dim")
    return Text("").join(
        Text(
            ENGINES.get(each.engine, each.engine)[0].upper() if not each.code else "x", "red" if each.code else "green"
        )
        for each in (_decisive(steps) if result.status == "failed" else steps[-1]).results
    )


def _decisive(steps: list[Step]) -> Step:
    """Return the step that shows a problem best: the last one that a browser blocks, or else the last one."""
    return next((step for step in reversed(steps) if step.blocked), steps[-1])


def _details(result: Result, expectation: Expectation) -> RenderableType:
    case = result.case
    symbol, style = _SYMBOLS[result.status]
    texts = (case.title,) if result.status == "passed" else result.problems
    rows: list[tuple[str, RenderableType]] = [("Kind", plain(f"{case.kind}: {KINDS[case.kind]}"))]
    rows += [("Clause", Group(plain(case.clause.name), plain(case.clause.url, "dim")))]
    for step in _shown_steps(result):
        rows += list(_step_rows(step, expectation))
    rows += [("Write", plain(case.write))] if result.status == "failed" else []
    return Group(
        Text(f"{symbol} {case.name}", f"bold {style}"),
        Padding(Group(*map(plain, texts)), (0, 0, 0, 2)),
        labelled(rows, style="cyan"),
    )


def _shown_steps(result: Result) -> list[Step]:
    steps = list(dict.fromkeys(reversed(result.steps)))
    blocked = [step for step in steps if step.blocked and step.blocked.code != "HandshakeRefused"]
    return list(reversed((blocked or steps)[:_MAX_STEPS]))


def _step_rows(step: Step, expectation: Expectation) -> Iterator[tuple[str, RenderableType]]:
    for exchange in step.exchanges:
        yield "Sent", plain(_request_line(exchange, step))
        for line in _headers(exchange.request.headers.multi_items(), expectation):
            yield "", plain(line)
        if is_sent(exchange, step) and exchange.response is not None:
            yield "Received", plain(str(exchange.response.status_code))
            for line in _headers(exchange.response.headers.multi_items(), expectation):
                yield "", plain(line)
    yield "Browsers", plain(_verdict_texts(step) or "do not send this request")


def _verdict_texts(step: Step) -> str:
    """Return the verdicts in one line. Browsers with the same one share it."""
    browsers: dict[str, list[str]] = {}
    for each in step.results:
        browsers.setdefault(each.code or "allowed", []).append(ENGINES.get(each.engine, each.engine))
    return "; ".join(f"{', '.join(names)}: {verdict}" for verdict, names in browsers.items())


def _request_line(exchange: Exchange, step: Step) -> str:
    note = "" if is_sent(exchange, step) else " (not sent)"
    return f"{exchange.request.method} {exchange.request.url}{note}"


def is_sent(exchange: Exchange, step: Step) -> bool:
    """Return whether a request was really sent, and not left out after its preflight."""
    return exchange.kind == "preflight" or not step.is_preflight_only


def _headers(items: list[tuple[str, str]], expectation: Expectation) -> Iterator[str]:
    for name, value in items:
        if name.lower().startswith(_SHOWN):
            short = value if len(value) <= _MAX_VALUE else f"{value[:_MAX_VALUE]}… ({len(value)} characters)"
            yield f"{name.lower()}: {_hidden(name, short, expectation)}"


def _hidden(name: str, value: str, expectation: Expectation) -> str:
    """Hide the values of -H, which may be secrets."""
    return HIDDEN if name.lower() in {given.lower() for given, _ in expectation.main_headers} else value


def summary_line(check: CheckReport) -> str:
    """Return the counts in one line."""
    failed = [result.case.kind for result in check.results if result.status == "failed"]
    kinds = ", ".join(f"{failed.count(kind)} {kind}" for kind in KINDS if kind in failed)
    counts = f"{check.count('passed')} passed, {len(failed)} failed{f' ({kinds})' if kinds else ''}"
    return f"{counts}, {check.count('skipped')} skipped; {check.sent} requests in {check.seconds:.1f} s"


def _summary(check: CheckReport) -> RenderableType:
    style = "red" if check.is_failed or check.stopped else "green"
    return Group(
        plain(summary_line(check), style), *([plain(f"Stopped: {check.stopped}", "red")] if check.stopped else [])
    )


def as_json(check: CheckReport) -> dict[str, Any]:
    """Return the report as data. docs/check.md describes the keys, and a change of one needs a new schema."""
    expectation = check.expectation
    return {
        "schema": SCHEMA,
        "command": "check",
        "expectation": {
            "url": expectation.url,
            "allow": list(expectation.allow),
            "refuse": list(expectation.refuse),
            "methods": list(expectation.methods),
            "headers": list(expectation.headers),
            "credentials": expectation.credentials,
            "expose": list(expectation.expose),
        },
        "failed": check.is_failed,
        "stopped": check.stopped or None,
        "requests": check.sent,
        "seconds": round(check.seconds, 3),
        "cases": [_result_as_json(result, expectation) for result in check.results],
    }


def _result_as_json(result: Result, expectation: Expectation) -> dict[str, Any]:
    return {
        **case_as_json(result.case),
        "status": result.status,
        "problems": list(result.problems),
        "seconds": round(result.seconds, 3),
        "steps": [_step_as_json(step, expectation) for step in result.steps],
    }


def case_as_json(case: Case) -> dict[str, Any]:
    """Return a case as data."""
    return {
        "name": case.name,
        "kind": case.kind,
        "title": case.title,
        "clause": {"name": case.clause.name, "url": case.clause.url},
        "write": case.write,
    }


def _step_as_json(step: Step, expectation: Expectation) -> dict[str, Any]:
    return {
        "label": step.label,
        "exchanges": [
            {
                "kind": exchange.kind,
                **request_as_json(exchange.request, expectation),
                "sent": is_sent(exchange, step),
                "status": exchange.response.status_code if exchange.response and is_sent(exchange, step) else None,
                "response": [list(pair) for pair in exchange.response.headers.multi_items()]
                if exchange.response and is_sent(exchange, step)
                else [],
            }
            for exchange in step.exchanges
        ],
        "browsers": [
            {"engine": each.engine, "allowed": not each.code, "code": each.code or None} for each in step.results
        ],
    }


def request_as_json(request: httpx.Request, expectation: Expectation) -> dict[str, Any]:
    """Return a request as data. The values of -H are hidden."""
    headers = [[name, _hidden(name, value, expectation)] for name, value in request.headers.multi_items()]
    return {"method": request.method, "url": str(request.url), "request": headers}


def list_cases(cases: Iterable[Case]) -> RenderableType:
    """Return the cases with their clauses."""
    rows: list[RenderableType] = []
    for case in cases:
        rows.append(Text.assemble((case.name, "bold"), (f"  {case.kind}", "dim")))
        rows.append(
            Padding(Group(plain(case.title), plain(f"{case.clause.name}: {case.clause.url}", "dim")), (0, 0, 0, 2))
        )
    return Group(*rows)


def list_requests(requests: Iterable[tuple[str, httpx.Request]], expectation: Expectation) -> RenderableType:
    """Return the requests of a dry run, each with its case and headers."""
    rows: list[RenderableType] = []
    previous = ""
    for name, request in requests:
        if name != previous:
            rows.append(Text(name, "bold"))
        previous = name
        lines = [plain(line, "dim") for line in _headers(request.headers.multi_items(), expectation)]
        rows.append(Padding(Group(plain(f"{request.method} {request.url}"), *lines), (0, 0, 0, 2)))
    return Group(*rows)


def markdown_table(cases: Iterable[Case]) -> str:
    """Return the table of docs/check.md: a row for each case."""
    rows = [
        f"| `{case.name}` | {case.kind} | {case.title} | [{case.clause.name}]({case.clause.url}) |" for case in cases
    ]
    return "\n".join(["| case | kind | behaviour | clause |", "| --- | --- | --- | --- |", *rows])
