"""The programs of docs/tightening.md run in their order, print the output shown, and log the lines shown."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.test_readme import BLOCK, run
from tests.support.metrics import remove_our_counters

TEXT = (Path(__file__).parents[2] / "docs" / "tightening.md").read_text("utf-8")
PROGRAMS = [(match["code"], match["output"] or "") for match in BLOCK.finditer(TEXT)]
LOGGED = "".join(re.findall(r"^```log\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)).splitlines()


@pytest.fixture
def clean_registry() -> Iterator[None]:
    """Have none of our counters in the global registry."""
    pytest.importorskip("httpx")
    library = pytest.importorskip("prometheus_client")
    remove_our_counters(library.REGISTRY)
    yield
    remove_our_counters(library.REGISTRY)


@pytest.mark.usefixtures("clean_registry")
def test_the_programs_print_the_output_and_log_the_lines_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "asgi_cors")
    names: dict[str, object] = {"__name__": "guide"}
    for code, output in PROGRAMS:
        assert run(code, names) == output
    assert [f"{record.levelname} {record.getMessage()}" for record in caplog.records] == LOGGED
