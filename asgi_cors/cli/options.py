"""The options that several commands share, the help of groups, and the output of a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar

import click

from .terminal import stdout

if TYPE_CHECKING:
    from rich.console import RenderableType

BLOCKED: Final = 1
_MAX_SUMMARY: Final = 200  # characters
Command = TypeVar("Command", bound=Callable[..., Any])


def combine(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Combine options that several commands share."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class CommandGroup(click.Group):
    """A group whose help has the whole first sentence of each command."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, in lines that are long enough."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(_MAX_SUMMARY)) for name, command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/cli.md describes it.")
REQUEST: Final = combine(
    click.option("--origin", "-o", required=True, help="The page's origin: https://app.example.com"),
    click.option("--method", "-X", default="GET", show_default=True, help="The method, as the script spells it."),
    click.option("--header", "-H", "headers", multiple=True, help="A request header: 'x-id: 7'. Repeatable."),
    click.option("--credentials", "-c", is_flag=True, help="credentials: 'include' (cookies)."),
    JSON,
)
APP: Final = combine(
    click.option("--app-dir", default=".", show_default=True, help="The folder from which MODULE is imported."),
    click.option("--factory", is_flag=True, help="APP is a function that returns the app."),
)


def show(report: RenderableType, data: dict[str, Any], *, as_json: bool, output: TextIO | None = None) -> None:
    """Print a report, or the same as JSON.

    Args:
        report: The report.
        data: The same as data.
        as_json: Whether to print the data.
        output: The output; standard output by default.
    """
    if as_json:
        click.echo(json.dumps(data, indent=2), file=output)
    else:
        stdout(output).print(report, crop=False)  # lines to copy are never broken
