"""`asgi-cors check`: its options and exit codes.

Exit codes: 0 all cases pass or fail with advice only, 1 a required or security case fails, 2 could not run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import httpx

from asgi_cors.cli.doctor.connections import Connections
from asgi_cors.cli.errors import CannotRunError
from asgi_cors.cli.terminal import escape, stderr, stdout

from .cases import ALL
from .expectation import Expectation, parse_expectation
from .guard import DryRun
from .junit import junit_xml
from .report import as_json, case_as_json, list_cases, list_requests, report, request_as_json
from .run import CheckReport, run_check, select_cases

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .case import Case

FAILED: Final = 1
_EXPECTED: Final = ("allow", "refuse", "methods", "headers", "credentials", "expose", "error_url")
_SENDING: Final = ("main_headers", "send_unsafe", "timeout")


@click.command()
@click.argument("url", required=False)
@click.option("--allow", "-a", multiple=True, help="An allowed origin or pattern, or '*'. Repeatable.")
@click.option("--refuse", multiple=True, help="An origin that must be refused. Repeatable.")
@click.option("--method", "-X", "methods", multiple=True, help="A method that scripts send. Repeatable.")
@click.option("--header", "headers", multiple=True, help="A header that scripts set: x-id. Repeatable.")
@click.option("--credentials", "-c", is_flag=True, help="Scripts set credentials: 'include' (cookies).")
@click.option("--expose", multiple=True, help="A response header that scripts read. Repeatable.")
@click.option("--error", "error_url", help="A URL whose response is an error, such as a 500.")
@click.option("-H", "main_headers", multiple=True, help="Add 'name: value' to all requests but preflights. Repeatable.")
@click.option("--send-unsafe", is_flag=True, help="Really send the methods of --method, such as PUT.")
@click.option("--only", multiple=True, help="Run these cases only: 'preflight-*'. Repeatable.")
@click.option("--skip", multiple=True, help="Leave these cases out. Repeatable.")
@click.option("--list", "listing", is_flag=True, help="List the cases with their clauses.")
@click.option("--dry-run", is_flag=True, help="List the requests, and send nothing.")
@click.option("--junit", type=click.Path(dir_okay=False), help="Store the results as JUnit XML in a file.")
@click.option("--verbose", "-v", is_flag=True, help="Show the details of all cases.")
@click.option("--insecure", "-k", is_flag=True, help="Accept any TLS certificate, unlike browsers.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10, show_default=True, help="Seconds per response.")
@click.option("--time-limit", type=click.FloatRange(1), default=300, show_default=True, help="Seconds in all.")
@click.option("--json", "in_json", is_flag=True, help="Print JSON; docs/check.md describes it.")
def check(url: str | None, **options: Any) -> None:
    """Check any server against a declared expectation, for CI.

    Only GET, HEAD, OPTIONS and PROPFIND are sent, unless --send-unsafe is set. Exit code 1: a required or security case
    fails.
    """
    if options["listing"]:
        _list(select_cases(None, options["only"], options["skip"]), in_json=options["in_json"])
        return
    if url is None:
        raise CannotRunError("check needs a URL. Write asgi-cors check https://api.example.com/items --allow ORIGIN.")
    expectation = parse_expectation(url, **{name: options[name] for name in (*_EXPECTED, *_SENDING)})
    cases = select_cases(expectation, options["only"], options["skip"])
    if not cases:
        raise CannotRunError("--only and --skip leave no case to run.")
    if options["dry_run"]:
        _dry_run(expectation, cases, in_json=options["in_json"])
        return
    found = _run(expectation, cases, options)
    if options["junit"]:
        _store(options["junit"], junit_xml(found))
    _show(report(found, verbose=options["verbose"]), as_json(found), in_json=options["in_json"])
    if found.stopped:
        raise CannotRunError(found.stopped)
    if found.is_failed:
        raise SystemExit(FAILED)


def _run(expectation: Expectation, cases: tuple[Case, ...], options: dict[str, Any]) -> CheckReport:
    """Run the cases, with progress on standard error."""
    shown = escape(expectation.url)
    numbers = {case.name: number for number, case in enumerate(cases, 1)}
    with (
        Connections(verify=not options["insecure"]) as transport,
        stderr().status(f"checking {shown}") as status,
    ):
        return run_check(
            expectation,
            transport,
            cases,
            seconds=options["time_limit"],
            progress=lambda name: status.update(f"{numbers.get(name, '')} of {len(cases)}: {name}"),
        )


def _dry_run(expectation: Expectation, cases: tuple[Case, ...], *, in_json: bool) -> None:
    """List the requests to a server that decides as declared."""
    transport, current, found = DryRun(expectation), "", list[tuple[str, httpx.Request]]()

    def attribute(name: str) -> None:
        nonlocal current
        found.extend((current, request) for request in transport.requests[len(found) :])
        current = name

    current = "first, to see whether the server responds"
    run_check(expectation, transport, cases, progress=attribute)
    attribute("")
    listed = [{"case": name, **request_as_json(request, expectation)} for name, request in found]
    _show(
        list_requests(found, expectation),
        {"schema": 1, "command": "check", "dry_run": True, "requests": listed},
        in_json=in_json,
    )


def _list(cases: tuple[Case, ...], *, in_json: bool) -> None:
    data = {"schema": 1, "command": "check", "cases": [case_as_json(case) for case in cases or ALL]}
    _show(list_cases(cases), data, in_json=in_json)


def _show(content: RenderableType, data: dict[str, Any], *, in_json: bool) -> None:
    if in_json:
        click.echo(json.dumps(data, indent=2))
    else:
        stdout().print(content)


def _store(path: str, content: bytes) -> None:
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise CannotRunError(f"--junit {path!r} can't be stored: {error.strerror or error}.") from None
