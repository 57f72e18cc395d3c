"""A clock that tests move, and the lines of the logger."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from asgi_cors._configuration.log import Log


class Clock:
    """Seconds as the test has them."""

    def __init__(self) -> None:
        """Far from 0, so that nothing is mistaken for the first minute."""
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Hold the clock of every middleware built from here on."""
    clock = Clock()
    with monkeypatch.context() as patch:
        patch.setattr(Log.__init__, "__defaults__", (clock,))
        patch.setattr(time, "monotonic", clock)
        yield clock


def lines(caplog: pytest.LogCaptureFixture, level: int | None = None) -> list[str]:
    """The messages of the logger, of one level or of all."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "asgi_cors" and (level is None or record.levelno == level)
    ]
