"""The tests that a store must pass, for authors of stores for other database engines.

The tests need pytest, and no plug-in::

    from asgi_cors.registry.testing import RegistryTests, StoreTests

    class TestMyStore(StoreTests, RegistryTests):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStore(tmp_path / "origins")

Within one test, each call of `make_store` returns a new object for the same data. Each test begins without data.
"""

from ._registries import RegistryTests
from ._stores import StoreTests
from ._support import MakeStore

__all__ = ["MakeStore", "RegistryTests", "StoreTests"]
