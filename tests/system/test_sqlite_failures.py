"""An SQLite file is missing at start-up, moved away, and replaced under load."""

import shutil
from pathlib import Path

import pytest

from .servers import STATIC, STRANGER, Load, fleet_of, run_command

pytestmark = [pytest.mark.slow, pytest.mark.system]

CUSTOMER, SECOND = "https://customer.example.com", "https://second.example.com"
REQUESTS = 200


def test_a_file_that_is_missing_at_start_up_is_found_when_the_first_origin_is_added(tmp_path: Path):
    store = f"sqlite:///{tmp_path / 'origins.db'}"
    with fleet_of(tmp_path, servers=1, STORE=store) as fleet:
        with Load(fleet, [], [CUSTOMER]) as load:
            load.wait_for_requests(REQUESTS)
        run_command(store, "add", CUSTOMER)
        fleet.wait_until_allowed(CUSTOMER)
        assert fleet.allow(STATIC)
        assert fleet.refuse(STRANGER)


def test_customers_stay_allowed_while_the_file_is_moved_away_and_a_restored_file_is_loaded(tmp_path: Path):
    path = tmp_path / "origins.db"
    store, backup = f"sqlite:///{path}", tmp_path / "backup.db"
    run_command(store, "add", CUSTOMER)
    with fleet_of(tmp_path, servers=1, STORE=store) as fleet:
        fleet.wait_until_allowed(CUSTOMER)
        with Load(fleet, [CUSTOMER]) as load:
            for file in tmp_path.glob("origins.db*"):
                file.rename(backup.with_name(file.name.replace("origins", "backup")))
            load.wait_for_requests(REQUESTS)
            run_command(f"sqlite:///{backup}", "add", SECOND)
            for file in tmp_path.glob("backup.db*"):
                copy = shutil.copy(file, tmp_path / f"new-{file.name}")
                copy.replace(tmp_path / file.name.replace("backup", "origins"))
            fleet.wait_until_allowed(SECOND)
            load.wait_for_requests(REQUESTS)


def test_an_empty_file_in_place_of_the_store_changes_nothing_for_customers(tmp_path: Path):
    path = tmp_path / "origins.db"
    store = f"sqlite:///{path}"
    run_command(store, "add", CUSTOMER)
    with fleet_of(tmp_path, servers=1, STORE=store) as fleet:
        fleet.wait_until_allowed(CUSTOMER)
        with Load(fleet, [CUSTOMER]) as load:
            empty = tmp_path / "empty"
            empty.touch()
            for journal in tmp_path.glob("origins.db-*"):
                journal.unlink()
            empty.replace(path)
            load.wait_for_requests(REQUESTS)
