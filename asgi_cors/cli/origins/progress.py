"""The progress of a long operation, on standard error if that is a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, Self, TypeVar

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from asgi_cors.cli.terminal import escape, stderr

Item = TypeVar("Item")

DELAY: Final = 1.0  # seconds until the progress is shown


class Meter:
    """A progress bar. It is shown if an operation takes over a second, and removed at the end.

    Args:
        name: The operation.
        total: The amount of work; None if it is not known.
    """

    def __init__(self, name: str, total: int | None = None) -> None:
        """Show nothing yet."""
        self.console = stderr()
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, console=self.console, transient=True)
        self._task = self._progress.add_task("", total=total)
        self._name = name
        self._show_at = time.monotonic() + DELAY
        self._is_shown = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def update(self, done: int, text: str) -> None:
        """Show how much is done."""
        if not self.console.is_terminal or time.monotonic() < self._show_at:
            return
        if not self._is_shown:
            self._progress.start()
            self._is_shown = True
        self._progress.update(self._task, completed=done, description=escape(f"{self._name}: {text}"))

    def count(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items, and show how many there were."""
        for number, item in enumerate(items, 1):
            self.update(0, f"{number:,} origins")
            yield item

    def stop(self) -> None:
        """Remove the bar."""
        if self._is_shown:
            self._progress.stop()
            self._is_shown = False

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self.stop()
