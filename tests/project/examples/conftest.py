"""The browser needs httpx, which is an extra. The examples of frameworks do not change the logging of later tests."""

import importlib.util
import logging
from collections.abc import Iterator

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("httpx") else ["test_*.py"]


@pytest.fixture(autouse=True)
def unchanged_logging() -> Iterator[None]:
    """Restore the root logger, which Litestar configures when an app is made."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
