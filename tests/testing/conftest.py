"""The tests of `asgi_cors.testing`."""

import importlib.util
import pathlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

# Without the extra [testing], only the error for its absence can be tested.
if importlib.util.find_spec("httpx") is None:
    collect_ignore = [
        path.name for path in pathlib.Path(__file__).parent.glob("test_*.py") if path.name != "test_imports.py"
    ]


class Interface:
    """A kind of page for ASGI applications, and the event loop of its tests."""

    def __init__(self, backend: str, name: str) -> None:
        import anyio  # noqa: PLC0415 - not there without the extra

        from asgi_cors.testing import AsyncPage  # noqa: PLC0415 - not there without the extra
        from tests.support.page_apps import SyncPage  # noqa: PLC0415 - not there without the extra

        self.page: Any = AsyncPage if name == "AsyncPage" else SyncPage
        self._run = anyio.run
        self._backend = backend

    def run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        """Run a coroutine function in the event loop."""
        return self._run(function, backend=self._backend)


INTERFACES = {
    "AsyncPage-asyncio": ("asyncio", "AsyncPage"),
    "AsyncPage-trio": ("trio", "AsyncPage"),
    "Page": ("asyncio", "Page"),
}


@pytest.fixture(params=INTERFACES.values(), ids=INTERFACES)
def interface(request: pytest.FixtureRequest) -> Interface:
    """Run the test with each kind of page, on each event loop."""
    return Interface(*request.param)


@pytest.fixture(params=["AsyncPage", "Page"])
def new_page(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Run the test with each kind of page, in asyncio's event loop. Return the class of the page."""
    return Interface("asyncio", request.param).page
