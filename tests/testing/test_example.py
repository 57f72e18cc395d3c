"""The example that users copy passes as it stands."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "test_my_cors.py"


def test_the_example_passes() -> None:
    """For FastAPI, Quart and Flask."""
    for framework in ("fastapi", "flask", "quart"):
        pytest.importorskip(framework)
    pytest_itself = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)]
    done = subprocess.run(pytest_itself, check=False, capture_output=True, text=True, cwd=EXAMPLE.parents[1])
    assert done.returncode == 0, done.stdout
    assert "9 passed" in done.stdout
