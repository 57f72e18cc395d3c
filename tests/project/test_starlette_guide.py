"""The programs of docs/starlette.md run in their order and print the output shown."""

from pathlib import Path
from typing import Any

import pytest

from tests.project.test_readme import BLOCK, run

TEXT = (Path(__file__).parents[2] / "docs" / "starlette.md").read_text("utf-8")
PROGRAMS = [(match["code"], match["output"] or "") for match in BLOCK.finditer(TEXT)]


def test_the_programs_run_in_their_order_and_print_the_output_shown() -> None:
    pytest.importorskip("fastapi")
    names: dict[str, Any] = {"__name__": "guide"}
    for code, output in PROGRAMS:
        assert run(code, names) == output
