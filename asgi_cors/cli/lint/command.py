"""The command `asgi-cors lint`."""

from __future__ import annotations

import json
from typing import Final

import click

from asgi_cors.cli.terminal import escape, stdout

from . import report
from .files import check_paths, count_mistakes

FOUND: Final = 1


@click.command("lint")
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
@click.option("--diff", is_flag=True, help="Print the change of the names, such as imports.")
@click.option("--sarif", is_flag=True, help="Print SARIF 2.1.0, for code scanning.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/cli.md describes it.")
def command(paths: tuple[str, ...], *, diff: bool, sarif: bool, as_json: bool) -> None:
    """Check the settings of other CORS libraries in source code.

    PATHS are files or folders. The code is read, not run. The libraries are Flask-CORS, Quart-CORS, the CORSMiddleware
    of Starlette and FastAPI, and django-cors-headers.
    """
    if sum((diff, sarif, as_json)) > 1:
        raise click.UsageError("Choose one of --diff, --sarif and --json.")
    files = list(check_paths(paths))
    if diff:
        click.echo(report.as_diff(files), nl=False)
        for change in report.remaining_changes(files):
            click.echo(escape(change), err=True)
    elif sarif or as_json:
        click.echo(json.dumps(report.as_sarif(files) if sarif else report.as_json(files), indent=2))
    else:
        stdout().print(report.report(files), crop=False)  # lines to copy are never broken
    if count_mistakes(files) and not diff:
        raise SystemExit(FOUND)
