"""Tests of registries leave no connection to be freed in a later test."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator

import pytest


@pytest.fixture(autouse=True)
def freed_connections(request: pytest.FixtureRequest) -> Iterator[None]:
    """Free the connections of a Redis store that a test does not close, or whose event loop has ended.

    They warn when they are freed, and pytest reports that in whichever test runs then. The garbage collector frees them
    here and at no other time. It looks at the objects of this test only, since all those of pytest take it a second.
    """
    uses_redis = "redis" in request.node.nodeid.lower() or "stores" in request.node.nodeid
    if uses_redis:
        gc.disable()
        gc.freeze()
    yield
    if uses_redis:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        gc.unfreeze()
        gc.enable()


@pytest.fixture(autouse=True)
async def closed_connections(freed_connections: None) -> AsyncIterator[None]:
    """Close the connections of a store that a test has dropped. asyncio does so in a task, which ends too late."""
    yield
    await asyncio.sleep(0)  # the task is started by a callback
    closing = [task for task in asyncio.all_tasks() if type(task.get_coro()).__name__.startswith("async_generator")]
    if closing:
        await asyncio.wait(closing)
