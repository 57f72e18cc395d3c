"""The example that users copy passes in an empty folder, with the commands of its first lines."""

from __future__ import annotations

import ast
import pathlib
import re
import shlex
import shutil

import pytest

from tests.support.empty_folder import run_pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "test_my_cors.py"
DOCSTRING = ast.get_docstring(ast.parse(EXAMPLE.read_text(encoding="utf-8"))) or ""
# Each line of pip with the one of pytest beneath it.
COMMANDS = re.findall(r"(?m)^    (pip install .+)\n    (pytest .+)$", DOCSTRING)
PLUGINS = {"anyio": "anyio.pytest_plugin", "pytest-asyncio": "pytest_asyncio.plugin"}


def run_in_empty_folder(folder: pathlib.Path, command: str, *plugins: str) -> str:
    """Copy the example, run the command with these plugins only, and return the last line that pytest prints."""
    for framework in ("fastapi", "flask", "quart"):
        pytest.importorskip(framework)
    shutil.copy(EXAMPLE, folder)
    (program, *arguments) = shlex.split(command)
    assert program == "pytest"
    return run_pytest(folder, *arguments, plugins=[*plugins])


@pytest.mark.parametrize(("install", "command"), COMMANDS, ids=["anyio", "pytest-asyncio"])
def test_the_example_passes_by_its_own_commands(tmp_path: pathlib.Path, install: str, command: str) -> None:
    """No test is skipped, and none warns. anyio is always installed, because httpx needs it."""
    assert ("pytest-asyncio" in shlex.split(install)) == ("asyncio" in command)
    plugins = [module for name, module in PLUGINS.items() if name in ["anyio", *shlex.split(install)]]
    assert re.fullmatch(r"10 passed in [\d.]+s", run_in_empty_folder(tmp_path, command, *plugins))


@pytest.mark.parametrize("options", ["", "--asyncio-mode=auto", "--asyncio-mode=strict"])
def test_the_example_passes_with_pytest_asyncio_in_any_mode(tmp_path: pathlib.Path, options: str) -> None:
    """A project may use pytest-asyncio for its other tests."""
    command = f"pytest {options} test_my_cors.py"
    assert re.fullmatch(r"10 passed in [\d.]+s", run_in_empty_folder(tmp_path, command, *PLUGINS.values()))


def test_pytest_asyncio_alone_runs_the_async_tests(tmp_path: pathlib.Path) -> None:
    """With the second command, the example does not need anyio's plugin."""
    command = COMMANDS[1][1]
    last = run_in_empty_folder(tmp_path, command, PLUGINS["pytest-asyncio"])
    assert re.fullmatch(r"10 passed in [\d.]+s", last)
