"""A pytest plugin that runs the tests of Starlette's CORSMiddleware against ours."""

import sys
from pathlib import Path

import starlette.middleware.cors

from asgi_cors import CORSMiddleware

sys.path.append(str(Path(__file__).parents[1]))

from named import expect_failures
from starlette_differences import DIFFERENCES

starlette.middleware.cors.CORSMiddleware = CORSMiddleware


def pytest_collection_modifyitems(items):
    expect_failures(items, DIFFERENCES)
