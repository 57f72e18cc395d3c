"""Text on a terminal: 80 columns, colours if the terminal has them, and no control character of a server."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
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


def stdout() -> Console:
    """Return the console for reports. It has no colours if NO_COLOR is set or the output is not a terminal."""
    stream: TextIO | None = sys.stdout  # None if it is closed
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    return Console(highlight=False, width=None if stream and stream.isatty() else _PIPED_WIDTH)


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


def heading(text: str) -> Text:
    """Return the title of a section."""
    return Text(f"\n{text}", style="bold")
