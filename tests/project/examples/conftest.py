"""The browser needs httpx, which is an extra. No example changes the logging or Django's settings of later tests."""

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


@pytest.fixture
def unconfigured_django() -> Iterator[None]:
    """Have Django without settings, so that an example configures them."""
    if importlib.util.find_spec("django") is None:
        yield
        return
    from tests.support.django_settings import unconfigured  # noqa: PLC0415 - an extra

    with unconfigured():
        yield
