"""How things look on a terminal: at 80 columns, in colour where there is one, and nothing that a server could forge."""

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

MARKS: Final = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
_LABEL_WIDTH: Final = 9
_PIPED_WIDTH: Final = 80


def stdout() -> Console:
    """Give the console for answers; NO_COLOR and what is no terminal get none of its colours."""
    stream: TextIO = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(highlight=False, width=width)


def stderr() -> Console:
    """Give the console for progress and mistakes."""
    return Console(stderr=True, highlight=False)


def shown(text: str) -> str:
    """Make control characters visible, so that no answer writes to the terminal but through us."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def plain(text: str, style: str = "") -> Text:
    """Give text to be printed as it is, markup or not."""
    return Text(shown(text), style=style, overflow="fold")


def labelled(
    rows: Iterable[tuple[str, RenderableType]], *, width: int = _LABEL_WIDTH, style: str = "dim"
) -> RenderableType:
    """Give lines with a label before each, indented."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=width, style=style)
    grid.add_column(overflow="fold")
    for label, content in rows:
        grid.add_row(Text(label), content)
    return Padding(grid, (0, 0, 0, 2))


def heading(text: str) -> Text:
    """Give the title of a part."""
    return Text(f"\n{text}", style="bold")
