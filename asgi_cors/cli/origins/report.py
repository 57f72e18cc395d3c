"""The results of `origins` on a terminal, and as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors.cli.terminal import SYMBOLS, escape, plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from asgi_cors.registry import Change, Entry

    from .lines import InvalidLine
    from .transfer import ImportResult

_GAP: Final = 2  # columns
_MAX_VALUE: Final = 80  # characters of an invalid line

ADDED, UPDATED, UNCHANGED = "added", "updated", "unchanged"
REMOVED, NOT_FOUND, INVALID, VALID = "removed", "not-found", "invalid", "valid"
_TEXTS: Final = {
    ADDED: "added",
    UPDATED: "updated",
    UNCHANGED: "was there already",
    REMOVED: "removed",
    VALID: "valid",
}


@dataclass(frozen=True, kw_only=True)
class OriginResult:
    """The result of a command for one origin.

    Args:
        origin: The origin as given.
        tenant: The tenant; None for all.
        result: The result, such as `"added"`.
        message: The mistake, or more about the result; may be empty.
        hint: The correction; may be empty.
    """

    origin: str
    tenant: str | None
    result: str
    message: str = ""
    hint: str = ""

    @property
    def failed(self) -> bool:
        """Whether the command did not do what it should."""
        return self.result in {INVALID, NOT_FOUND}

    def line(self) -> str:
        """Return the result as one line of JSON."""
        return json.dumps(asdict(self))

    def text(self) -> RenderableType:
        """Return the result for the terminal."""
        symbol, style = SYMBOLS[not self.failed]
        details = ", ".join(part for part in (_TEXTS.get(self.result), self.message) if part)
        sentence = f"{details}. {self.hint}" if self.hint else details
        if self.result == INVALID:  # the message begins with the origin
            return Text.assemble((symbol, style), f" {escape(sentence)}")
        return Text.assemble((symbol, style), " ", plain(self.origin, "bold"), f": {escape(sentence)}")


class RowsTable:
    """A table without its empty columns. If it is wider than the terminal, each row begins with its origin on a line.

    Args:
        names: The names of the columns.
        rows: The cells of each row.
    """

    def __init__(self, names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
        """Find the columns with a value."""
        used = [index for index in range(len(names)) if any(row[index] for row in rows)]
        self._names = [names[index] for index in used]
        self._rows = [[escape(row[index]) for index in used] for row in rows]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw the rows for a width."""
        widths = [max(map(cell_len, cells)) for cells in zip(self._names, *self._rows, strict=True)]
        if sum(widths) + _GAP * (len(widths) - 1) > options.max_width:
            for row in self._rows:
                yield from self._stacked(row)
            return
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold", pad_edge=False)
        for name in self._names:
            table.add_column(name, no_wrap=True)
        for row in self._rows:
            table.add_row(*map(Text, row))
        yield table

    def _stacked(self, row: Sequence[str]) -> Iterator[RenderableType]:
        cells = dict(zip(self._names, row, strict=True))
        yield Text(cells.pop("origin"), "bold", overflow="fold")
        others = [f"{name} {value}" for name, value in cells.items() if value]
        yield Padding(Text(", ".join(others), overflow="fold"), (0, 0, 0, _GAP))


def entries_table(entries: Iterable[Entry]) -> RowsTable:
    """Return entries as a table. Columns without a value are left out."""
    now = datetime.now(UTC)
    rows = [
        (
            entry.origin,
            entry.tenant,
            entry.note,
            entry.by,
            time_text(entry.added_at),
            f"{time_text(entry.expires_at)}{' (expired)' if entry.expires_at and entry.expires_at <= now else ''}",
        )
        for entry in entries
    ]
    return RowsTable(("origin", "tenant", "note", "by", "added (UTC)", "expires (UTC)"), rows)


def changes_table(changes: Iterable[Change]) -> RowsTable:
    """Return changes as a table. Columns without a value are left out."""
    rows = [
        (str(change.version), time_text(change.at), change.action, change.origin, change.tenant, change.by, change.note)
        for change in changes
    ]
    return RowsTable(("version", "at (UTC)", "change", "origin", "tenant", "by", "note"), rows)


def time_text(time: datetime | None) -> str:
    """Return a time in UTC, to the minute; empty for None."""
    return "" if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


# -- import


def invalid_line(line: InvalidLine) -> str:
    """Return an invalid line as one line of JSON."""
    issue = line.issue
    return json.dumps(
        {
            "line": line.number,
            "value": shown_value(issue.value),
            "message": issue.message,
            "hint": issue.hint,
        }
    )


def invalid_text(line: InvalidLine) -> Text:
    """Return an invalid line for the terminal."""
    symbol, style = SYMBOLS[False]
    hint = f" {line.issue.hint}" if line.issue.hint else ""
    return Text.assemble((symbol, style), plain(f" line {line.number}: {line.issue.message}.{hint}"))


def shown_value(value: object) -> str:
    """Return the value of an invalid line, truncated."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"


def import_json(result: ImportResult, *, dry_run: bool, complete: bool) -> str:
    """Return the numbers of an import as one line of JSON."""
    return json.dumps({**asdict(result), "dry_run": dry_run, "complete": complete})


def import_text(result: ImportResult, *, dry_run: bool, complete: bool) -> Text:
    """Return the numbers of an import for the terminal."""
    symbol, style = SYMBOLS[complete and not result.invalid]
    counts = [(result.added, "added"), (result.updated, "updated"), (result.unchanged, "unchanged")]
    counts += [(result.invalid, "invalid")] if result.invalid else []
    text = ", ".join(f"{count:,} {name}" for count, name in counts)
    start = "the import was interrupted: " if not complete else "a dry run, nothing was stored: " if dry_run else ""
    return Text.assemble((symbol, style), f" {start}{text}")
