"""A pytest plugin that runs Quart-CORS's own tests with our module in its place."""

import sys
from pathlib import Path

sys.path.extend(map(str, [Path(__file__).parents[0] / "shim", Path(__file__).parents[1]]))

from named import expect_failures
from quart_differences import DIFFERENCES


def pytest_collection_modifyitems(items):
    expect_failures(items, DIFFERENCES)
