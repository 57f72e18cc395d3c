"""A change by the command line reaches every worker of two uvicorn servers. No change is lost by a kill -9."""

import json
import subprocess
import sys

import pytest

from asgi_cors.registry import open_registry

from .servers import PROGRAMS, SECONDS, STATIC, STRANGER, Fleet, Load, environment, run_command

pytestmark = [pytest.mark.slow, pytest.mark.system]

CUSTOMER = "https://customer.example.com"


def test_an_added_origin_is_allowed_on_all_four_workers_and_a_removed_one_refused(fleet: Fleet, store):
    assert fleet.refuse(CUSTOMER)
    assert fleet.allow(STATIC)
    run_command(store, "add", CUSTOMER)
    fleet.wait_until_allowed(CUSTOMER)
    run_command(store, "remove", CUSTOMER)
    fleet.wait_until_refused(CUSTOMER)
    assert fleet.allow(STATIC)


def test_a_pattern_is_allowed_on_all_four_workers(fleet: Fleet, store):
    run_command(store, "add", "https://*.customer.example")
    fleet.wait_until_allowed("https://shop.customer.example")
    assert fleet.refuse("https://customer.example.net")


def test_an_import_reaches_all_four_workers_while_they_serve(fleet: Fleet, store):
    origins = [f"https://imported{number}.example.com" for number in range(6000)]  # more than one transaction
    lines = "".join(f"{json.dumps({'origin': origin})}\n" for origin in origins)
    with Load(fleet, [], []) as load:
        run_command(store, "import", "-", stdin=lines)
        for origin in (origins[0], origins[-1]):
            fleet.wait_until_allowed(origin)
        load.wait_for_requests(50)
    assert fleet.refuse(STRANGER)


def test_a_tenants_origin_is_not_allowed_by_the_registry_itself(fleet: Fleet, store):
    run_command(store, "add", "https://tenant.example.com", "--tenant", "acme")
    run_command(store, "add", "https://after.example.com")
    fleet.wait_until_allowed("https://after.example.com")  # the changes are applied in their order
    assert fleet.refuse("https://tenant.example.com")


def test_no_acknowledged_write_is_lost_if_the_writer_is_killed_20_times(store):
    acknowledged: list[int] = []
    for turn in range(20):
        first = turn * 1_000_000
        with subprocess.Popen(
            [sys.executable, str(PROGRAMS / "writer.py"), store, str(first)],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(turn + 1)]  # the kill comes at another moment each time
            writer.kill()
            lines += writer.stdout.readlines()
            acknowledged += [int(line) for line in lines if line.endswith("\n")]
            writer.wait(SECONDS)
    registry = open_registry(store).sync
    stored = {entry.origin for entry in registry.list(limit=100_000)}
    assert {f"https://n{number}.example.com" for number in acknowledged} <= stored


def test_the_history_has_each_entry_once_and_no_gap_after_the_kills(store):
    registry = open_registry(store).sync
    changes = registry.history(limit=100_000)
    assert [change.version for change in changes] == [*range(1, len(changes) + 1)]
    remaining: set[tuple[str, str]] = set()
    for change in changes:
        key = change.tenant, change.origin
        (remaining.discard if change.action == "remove" else remaining.add)(key)
    assert remaining == {(entry.tenant, entry.origin) for entry in registry.list(limit=100_000)}
