"""The programs of docs/routing.md run, and print what it says they print."""

from pathlib import Path

import pytest

from tests.project.test_readme import BLOCK, EXTRAS, run

TEXT = (Path(__file__).parents[2] / "docs" / "routing.md").read_text("utf-8")
PROGRAMS = [(match["code"], match["output"]) for match in BLOCK.finditer(TEXT)]


@pytest.mark.parametrize(("code", "output"), PROGRAMS, ids=["paths", "views"])
def test_a_program_of_the_guide_runs(code, output):
    """It prints exactly the text below it."""
    try:
        printed = run(code, {"__name__": "guide"})
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in EXTRAS:
            raise
        pytest.skip(f"{error.name} is an extra")
    assert printed == output
