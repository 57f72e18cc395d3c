"""The programs of docs/routing.md run and print the output shown."""

from pathlib import Path

import pytest

from tests.project.test_readme import BLOCK, EXTRAS, run

TEXT = (Path(__file__).parents[2] / "docs" / "routing.md").read_text("utf-8")
PROGRAMS = [(match["code"], match["output"]) for match in BLOCK.finditer(TEXT)]


@pytest.mark.parametrize(("code", "output"), PROGRAMS, ids=["paths", "views", "routes"])
def test_a_program_runs_and_prints_the_output_shown(code, output):
    try:
        printed = run(code, {"__name__": "guide"})
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in EXTRAS:
            raise
        pytest.skip(f"{error.name} is an extra")
    assert printed == output
