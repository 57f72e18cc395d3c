"""Tests of registries leave no connection to be freed in a later test."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def freed_connections(request: pytest.FixtureRequest) -> Iterator[None]:
    """Free the connections of a Redis store that a test does not close, or whose event loop has ended.

    They warn when they are freed, and pytest reports that in whichever test runs then.
    """
    yield
    if "redis" in request.node.nodeid.lower() or "stores" in request.node.nodeid:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
