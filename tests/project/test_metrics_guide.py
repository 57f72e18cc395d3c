"""The programs of docs/metrics.md run in their order and print the output shown; its tables are complete."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgi_cors import Outcome
from asgi_cors._decision.decision import REASON_TEXTS
from asgi_cors.metrics import Report
from tests.project.test_readme import BLOCK, run
from tests.support.metrics import remove_our_counters

TEXT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
PROGRAMS = [(match["code"], match["output"]) for match in BLOCK.finditer(TEXT)]


@pytest.fixture
def clean_process() -> Iterator[None]:
    """Have none of our counters in the global registry, and afterwards no handler that a program adds."""
    pytest.importorskip("httpx")
    library = pytest.importorskip("prometheus_client")
    pytest.importorskip("opentelemetry.sdk.metrics")
    logger = logging.getLogger("asgi_cors")
    before = logger.handlers[:]
    remove_our_counters(library.REGISTRY)
    yield
    remove_our_counters(library.REGISTRY)
    logger.handlers[:] = before


@pytest.mark.usefixtures("clean_process")
def test_the_programs_run_in_their_order_and_print_the_output_shown() -> None:
    names: dict[str, object] = {"__name__": "guide"}
    for code, output in PROGRAMS:
        assert run(code, names) == (output or "")


def test_the_table_of_reasons_has_every_reason_and_no_other() -> None:
    rows = TEXT.partition("### Reasons")[2].partition("### Queries")[0]
    assert set(re.findall(r"`([A-Z][A-Za-z]+)`", rows)) == set(REASON_TEXTS)


def test_the_table_of_labels_has_every_outcome_and_report() -> None:
    rows = TEXT.partition("| label |")[2].partition("### Reasons")[0]
    assert {*Outcome, *Report} - {Outcome.LOOKUP} <= set(re.findall(r"`([a-z_-]+)`", rows))
