"""The programs of docs/csrf.md run in their order and print the output shown."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.test_readme import BLOCK, run

TEXT = (Path(__file__).parents[2] / "docs" / "csrf.md").read_text("utf-8")
PROGRAMS = [(match["code"], match["output"] or "") for match in BLOCK.finditer(TEXT)]


@pytest.fixture
def browser() -> Iterator[None]:
    """Have the simulated browser, and afterwards no handler that a program adds."""
    pytest.importorskip("httpx")
    logger = logging.getLogger("asgi_cors")
    before = logger.handlers[:]
    yield
    logger.handlers[:] = before


def of_frameworks(code: str) -> str | None:
    """Return the framework that a program imports."""
    return next((name for name in ("django", "flask", "starlette") if f"from {name}" in code), None)


@pytest.mark.usefixtures("browser")
def test_the_programs_run_in_their_order_and_print_the_output_shown() -> None:
    names: dict[str, object] = {"__name__": "guide"}
    for code, output in PROGRAMS:
        if of_frameworks(code) is None:
            assert run(code, names) == output


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("framework", ["flask", "starlette"])
def test_a_migrated_app_refuses_a_forged_form(framework: str) -> None:
    pytest.importorskip(framework)
    ((code, output),) = [program for program in PROGRAMS if of_frameworks(program[0]) == framework]
    names: dict[str, object] = {"__name__": "guide"}
    run(PROGRAMS[0][0], names)
    assert run(code, names) == output == "403\n"
