"""The programs of docs/dynamic.md run in their order and print the output shown."""

from pathlib import Path

import pytest

from tests.project.test_readme import BLOCK, EXTRAS, run

PAGE = Path(__file__).parents[2] / "docs" / "dynamic.md"
TEXT = PAGE.read_text("utf-8")
FIRST, *PROGRAMS = [(match["code"], match["output"]) for match in BLOCK.finditer(TEXT)]


@pytest.mark.parametrize(("code", "output"), PROGRAMS, ids=["cached", "loaded", "registry", "tenants", "feed"])
def test_a_program_runs_after_the_first_one_and_prints_the_output_shown(code, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # for the file of the registry
    names: dict[str, object] = {"__name__": "guide"}
    run(FIRST[0], names)
    try:
        printed = run("from asgi_cors import Cached\n" + code, names)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in EXTRAS:
            raise
        pytest.skip(f"{error.name} is an extra")
    assert printed == (output or "")


def test_the_figures_are_between_the_comments_that_the_benchmark_looks_for():
    assert TEXT.count("<!-- figures -->\n") == TEXT.count("<!-- end of the figures -->\n") == 1
