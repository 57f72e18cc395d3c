"""Servers of the recipes, which the tests start and stop."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("httpx") else ["test_*.py"]

if not collect_ignore_glob:
    from tests.project.examples.dynamic.serving import Server

Serve = Callable[..., "Server"]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Return a function that makes a server of a recipe, to be used in a `with` block."""
    return lambda recipe, **options: Server(recipe, tmp_path, **options)
