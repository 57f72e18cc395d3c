"""The tests that a store must pass, for the author of a store for another database engine.

They need pytest, and no plug-in::

    from asgi_cors.registry.testing import RegistryTests, StoreTests

    class TestMyStore(StoreTests, RegistryTests):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStore(tmp_path / "origins")

`make_store` returns a new object for the same data at each call. The data of each test begin empty.
"""

from ._registries import RegistryTests
from ._stores import StoreTests
from ._support import MakeStore

__all__ = ["MakeStore", "RegistryTests", "StoreTests"]
