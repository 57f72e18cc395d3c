"""The public tests of stores, run for SQLite."""

from pathlib import Path

import pytest

from asgi_cors.registry.sqlite import SQLiteStore
from asgi_cors.registry.testing import MakeStore, RegistryTests, StoreTests


class TestSQLite(StoreTests, RegistryTests):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStore(tmp_path / "origins.db")
