"""A pytest plugin that runs the tests of Starlette's CORSMiddleware against ours."""

import sys
from pathlib import Path

import starlette.middleware.cors

from asgi_cors import CORSMiddleware

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from named import expect_failures  # noqa: E402 - found beside this file
from starlette_differences import DIFFERENCES  # noqa: E402

starlette.middleware.cors.CORSMiddleware = CORSMiddleware


def pytest_collection_modifyitems(items):
    expect_failures(items, DIFFERENCES)
