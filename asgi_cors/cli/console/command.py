"""The command `asgi-cors console`."""

from __future__ import annotations

import json
import sys
from typing import Final

import click

from asgi_cors.cli.errors import CannotRunError
from asgi_cors.cli.terminal import stderr, stdout

from . import report
from .closest import find_closest
from .messages import MAX_LENGTH, recognise

UNKNOWN: Final = 2
_WAITING: Final = (
    "Paste the message of the browser's console, then press Enter and Ctrl-D (on Windows Ctrl-Z, Enter):\n"
)


@click.command("console")
@click.argument("message", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/cli.md describes it.")
def command(message: str | None, *, as_json: bool) -> None:
    """Explain a message of the browser's console.

    MESSAGE is the text as pasted. Without it, the text comes from standard input.
    """
    text = _standard_input() if message is None else message
    readings = recognise(text)
    closest = None if readings else find_closest(text)
    if as_json:
        data = report.as_json(readings) if readings else report.unknown_as_json(text, closest)
        click.echo(json.dumps(data, indent=2))
    elif readings:
        stdout().print(report.report(readings), crop=False)  # lines to copy are never broken
    else:
        stderr().print(report.unknown_report(text, closest), crop=False)
    if not readings:
        raise SystemExit(UNKNOWN)


def _standard_input() -> str:
    """Return standard input, which may be closed or not be text."""
    if sys.stdin is None:
        raise CannotRunError("there is no text: standard input is closed. Write asgi-cors console 'THE MESSAGE'.")
    if sys.stdin.isatty():
        click.echo(_WAITING, err=True, nl=False)
    try:
        return sys.stdin.read(MAX_LENGTH)
    except UnicodeDecodeError as error:
        raise CannotRunError(f"standard input is not text: {error}.") from None
