"""Runs pytest as a new user does: in a folder without configuration, with named plugins only."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys


def run_pytest(folder: pathlib.Path, *arguments: str, plugins: list[str]) -> str:
    """Run pytest with the plugin of this package and `plugins`. Return the last line of its output.

    A failed test fails the caller.
    """
    options = [f"-p{plugin}" for plugin in ("asgi_cors.testing._pytest", *plugins)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, *options],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": "default"},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1].strip("= ")
