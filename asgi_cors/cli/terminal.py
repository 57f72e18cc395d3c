"""Text on a terminal: 80 columns, colours if the terminal has them, and no control character of a server."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

SYMBOLS: Final = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
_LABEL_WIDTH: Final = 9
_PIPED_WIDTH: Final = 80
_CODE_INDENT: Final = 4  # columns


def stdout(stream: TextIO | None = None) -> Console:
    """Return the console for reports. It has no colours if NO_COLOR is set or the output is not a terminal.

    Args:
        stream: The output; standard output by default.
    """
    output: TextIO | None = stream or sys.stdout  # None if it is closed
    is_terminal = output is not None and output.isatty()
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="replace")
    return Console(file=stream or sys.stdout, highlight=False, width=None if is_terminal else _PIPED_WIDTH)


@contextmanager
def apps_output_on_stderr() -> Generator[TextIO]:
    """Send everything that an app and its child processes print to standard error. Yield the real standard output.

    The file descriptor is redirected, too, because programs of the app inherit it. That of the process itself stays so
    until it ends, because threads and `atexit` functions of the app print after the command.
    """
    own: TextIO | None = sys.stdout
    if own is None:  # it is closed
        with contextlib.redirect_stdout(sys.stderr):
            yield io.StringIO()
        return
    own.flush()
    try:
        descriptor, errors = own.fileno(), sys.stderr.fileno()
        saved = os.dup(descriptor)
    except (OSError, ValueError):  # it is not a file
        with contextlib.redirect_stdout(sys.stderr):
            yield own
        return
    os.dup2(errors, descriptor)
    output = os.fdopen(saved, "w", encoding=own.encoding, errors="replace", closefd=False)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield output
    finally:
        with contextlib.suppress(OSError):  # what the app printed to the old object
            own.flush()
        try:
            output.flush()
        finally:
            if own is not sys.__stdout__:
                os.dup2(saved, descriptor)
            os.close(saved)


def stderr() -> Console:
    """Return the console for progress and errors."""
    return Console(stderr=True, highlight=False)


def escape(text: str) -> str:
    """Escape control characters, so that a server cannot write to the user's terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def plain(text: str, style: str = "") -> Text:
    """Return escaped text in which rich interprets no markup."""
    return Text(escape(text), style=style, overflow="fold")


def labelled(
    rows: Iterable[tuple[str, RenderableType]], *, width: int = _LABEL_WIDTH, style: str = "dim"
) -> RenderableType:
    """Return indented lines, each with a label of `width` columns before it."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=width, style=style)
    grid.add_column(overflow="fold")
    for label, content in rows:
        grid.add_row(Text(label), content)
    return Padding(grid, (0, 0, 0, 2))


def whole_line(text: str, style: str = "") -> Text:
    """Return an indented line that is never broken, so that it can be copied. Print it with `crop=False`."""
    return Text.assemble(" " * _CODE_INDENT, plain(text, style), no_wrap=True, overflow="ignore")


def heading(text: str) -> Text:
    """Return the title of a section."""
    return Text(f"\n{text}", style="bold")
