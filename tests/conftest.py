"""Fixtures of the whole suite; ``support`` is importable wherever pytest is started."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("support")

from support.apps import App  # noqa: E402 - now importable, and its asserts told in full
from support.shells import Served  # noqa: E402

# No timing assertion anywhere: a slow machine is no failure.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


@pytest.fixture(params=["asgi", "wsgi"])
def shell(request: pytest.FixtureRequest) -> str:
    """Each shell of the core in turn."""
    name: str = request.param
    return name


@pytest.fixture
def serve(shell: str) -> Callable[..., Served]:
    """Put an app behind the middleware of the shell: ``serve(policy, app=App(), **options)``."""

    def put(policy: Any = None, *, app: App | None = None, **options: Any) -> Served:
        return Served(shell, app or App(), policy, **options)

    return put
