"""`import` and `export`: many entries, in transactions of a fixed size, with constant memory."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from asgi_cors.cli.errors import CannotRunError
from asgi_cors.registry import RegistryError
from asgi_cors.registry.validation import check_entry

from .lines import InvalidLine, LineReader, entry_line
from .store import delayed_interrupt

if TYPE_CHECKING:
    from asgi_cors.registry import Entry, SyncRegistry

    from .progress import Meter

BATCH: Final = 5_000  # entries of one transaction
_PAGE: Final = 1_000
STANDARD: Final = "-"


@dataclass
class ImportResult:
    """The result of an import so far.

    Args:
        read: The number of entries, valid or not.
        added: The number of new entries.
        updated: The number of entries whose note or expiry was changed.
        unchanged: The number of entries that were stored already.
        invalid: The number of invalid lines.
    """

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    invalid: int = 0


class Import:
    """An import of lines into a registry.

    Args:
        registry: The registry.
        lines: The lines.
        on_invalid: Called with each invalid line.
        meter: Shows the progress.
    """

    def __init__(
        self, registry: SyncRegistry, lines: LineReader, on_invalid: Callable[[InvalidLine], object], meter: Meter
    ) -> None:
        """Start with nothing read."""
        self._registry = registry
        self._lines = lines
        self._on_invalid = on_invalid
        self._meter = meter
        self.result = ImportResult()

    def run(self) -> None:
        """Add the valid entries. After an exception, `result` counts the finished transactions."""
        entries = self._valid_entries()
        while batch := [*islice(entries, BATCH)]:
            with delayed_interrupt():
                found = self._registry.add_all(batch)
                self._count(found.added, found.updated, found.unchanged)

    def preview(self) -> None:
        """Count the entries that `run` would add, and write nothing."""
        found = self._registry.add_all(self._valid_entries(), dry_run=True)
        self._count(found.added, found.updated, found.unchanged)

    def _count(self, added: int, updated: int, unchanged: int) -> None:
        self.result.added += added
        self.result.updated += updated
        self.result.unchanged += unchanged

    def _valid_entries(self) -> Iterator[Entry]:
        """Yield the valid entries, and report the others."""
        for line in self._lines:
            self.result.read += 1
            self._meter.update(self._lines.bytes_read, f"{self.result.read:,} origins")
            if isinstance(line, InvalidLine):
                self._report(line)
                continue
            number, entry = line
            issues = check_entry(entry)
            if not issues:
                yield entry
            else:
                self._report(InvalidLine(number, issues[0]))

    def _report(self, line: InvalidLine) -> None:
        self.result.invalid += 1
        self._on_invalid(line)


def all_entries(registry: SyncRegistry, tenant: str | None, after: int | None = None) -> Iterator[Entry]:
    """Yield the entries of a registry, page by page, in the order in which they were added."""
    while page := registry.list(tenant=tenant, after=after, limit=_PAGE):
        yield from page
        after = page[-1].id


def export(registry: SyncRegistry, tenant: str | None, stream: IO[str], meter: Meter) -> int:
    """Write the entries as JSON lines, without expired ones, and return their number."""
    count = 0
    now = datetime.now(UTC)
    for entry in registry.scan(tenant=tenant):
        if entry.expires_at is None or entry.expires_at > now:
            stream.write(entry_line(entry))
            count += 1
            meter.update(0, f"{count:,} origins")
    stream.flush()
    return count


# -- files


@contextmanager
def input_stream(name: str) -> Generator[tuple[IO[bytes], str, int | None]]:
    """Open a file, or standard input for "-". Yield the stream, its name in messages, and its size if that is known.

    Raises:
        CannotRunError: If the file cannot be read.
    """
    if name == STANDARD:
        if sys.stdin is None:
            raise CannotRunError("standard input is closed. Name a file.")
        yield sys.stdin.buffer, "standard input", None
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below
        size = os.fstat(stream.fileno())
    except (OSError, ValueError) as error:
        raise CannotRunError(f"{name!r} can't be read: {_reason(error)}.") from None
    with stream:
        yield stream, repr(name), size.st_size if stat.S_ISREG(size.st_mode) else None


@contextmanager
def output_stream(name: str) -> Generator[IO[str]]:
    """Open a file, or standard output for "-". A file is replaced when the block ends without an exception.

    Raises:
        CannotRunError: If writing the file fails.
    """
    if name == STANDARD:
        if sys.stdout is None:
            raise CannotRunError("standard output is closed. Name a file.")
        yield sys.stdout
        return
    path = Path(name)
    try:
        with _replaced(path) if path.is_file() or not path.exists() else path.open("w", encoding="utf-8") as stream:
            yield stream
    except (OSError, ValueError) as error:
        if isinstance(error, RegistryError):
            raise
        raise CannotRunError(f"{name!r} can't be written: {_reason(error)}.") from None


@contextmanager
def _replaced(path: Path) -> Generator[IO[str]]:
    """Yield a new file, which replaces `path` at the end."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with new.open("x", encoding="utf-8") as stream:
            yield stream
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
