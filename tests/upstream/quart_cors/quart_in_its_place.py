"""A pytest plugin that runs Quart-CORS's own tests with our module in its place."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE / "shim")]

from named import expect_failures  # noqa: E402 - found beside this file
from quart_differences import DIFFERENCES  # noqa: E402


def pytest_collection_modifyitems(items):
    expect_failures(items, DIFFERENCES)
