"""The programs of docs/recipes.md that need no database run and print the output shown."""

from pathlib import Path

import pytest

from tests.project.test_readme import BLOCK, run

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "recipes.md").read_text("utf-8")
SERVER = TEXT.partition("## An MCP server")[2].partition("## Uploads")[0]
OTHERS = TEXT.partition("## Uploads")[2]
PROGRAMS = [(match["code"], match["output"] or "") for match in BLOCK.finditer(OTHERS)]


@pytest.mark.parametrize(("code", "output"), PROGRAMS, ids=["presets", "hosts"])
def test_a_program_runs_and_prints_the_output_shown(code: str, output: str) -> None:
    if "asgi_cors.testing" in code:
        pytest.importorskip("httpx")
    assert run(code, {"__name__": "recipe"}) == output


def test_the_mcp_server_is_the_one_that_the_reference_sdk_calls() -> None:
    (block,) = BLOCK.finditer(SERVER)
    assert (ROOT / "tests" / "clients" / "apis" / "mcp_recipe.py").read_text("utf-8").endswith(f"\n\n{block['code']}")
