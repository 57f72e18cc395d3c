"""Servers of the recipes, which the tests start and stop."""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("httpx") else ["test_*.py"]

if not collect_ignore_glob:
    from tests.project.examples.dynamic.serving import Server

Serve = Callable[..., "Server"]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that serves a recipe: `serve("rest_api", program="uvicorn", CUSTOMERS_API=url)`."""
    with contextlib.ExitStack() as stack:

        def start(recipe: str, **options: str) -> "Server":
            return stack.enter_context(Server(recipe, tmp_path, **options))

        yield start
