"""A worker's copy of the entries, read by one thread while another changes it."""

import sys
import time
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest

from asgi_cors.registry import Change, Status
from asgi_cors.registry.expiring import ExpiringOrigins
from asgi_cors.registry.origin_list import OriginList
from tests.registry.support import APP, SHOP

SOON, LATER = datetime(2090, 1, 1, tzinfo=UTC), datetime(2091, 1, 1, tzinfo=UTC)


def make_list(origin: str, end: datetime | None) -> OriginList:
    origins = OriginList(time.monotonic, "sqlite:///origins.db", Status("id", 1, 1))
    origins.load([("", origin, None if end is None else end.timestamp())])
    return origins


def update(origin: str, end: datetime | None) -> Change:
    return Change(version=2, at=SOON, action="update", origin=origin, tenant="", expires_at=end)


@pytest.mark.parametrize("origin", [APP, "https://*.example.com"])
@pytest.mark.parametrize(("before", "after"), [(None, None), (SOON, LATER), (None, SOON), (SOON, None)])
def test_an_entry_is_allowed_at_each_step_of_its_update(origin, before, after) -> None:
    origins = make_list(origin, before)
    answers: list[bool] = []

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename.endswith("origin_list.py") and event == "line":
            answers.append(origins.answer("", APP, None).allowed)
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        origins.apply(update(origin, after))
    finally:
        sys.settrace(previous)
    assert answers
    assert all(answers)
    assert (origins.size, origins.count("")) == (1, 1)


def test_an_entry_whose_end_is_removed_during_a_request_is_allowed(monkeypatch) -> None:
    origins = make_list(APP, SOON)
    lease = ExpiringOrigins.lease

    def change_first(*arguments: Any) -> Any:
        origins.apply(update(APP, None))
        return lease(*arguments)

    monkeypatch.setattr(ExpiringOrigins, "lease", change_first)
    assert origins.answer("", APP, None).allowed


def test_entries_of_a_tenant_come_on_several_pages() -> None:
    origins = make_list(APP, None)
    origins.load([("", SHOP, SOON.timestamp()), ("acme", SHOP, None)])
    origins.load([("", "https://third.example.com", None), ("acme", "*", None), ("other", "null", None)])
    assert (origins.size, origins.count(""), origins.count("acme"), origins.count("other")) == (4, 3, 1, 0)
    assert origins.answer("", SHOP, None).allowed
    assert not origins.answer("acme", APP, None).allowed


@pytest.mark.parametrize(("first", "second"), [(None, SOON), (SOON, None), (SOON, LATER), (None, None)])
def test_an_entry_that_a_scan_yields_twice_counts_once(first, second) -> None:
    """It was removed and added again meanwhile."""
    origins = make_list(APP, first)
    origins.load([("", APP, None if second is None else second.timestamp())])
    assert (origins.size, origins.count("")) == (1, 1)
    assert len(origins.answer("", APP, None).leases or ()) == (1 if second is None else 2)
    origins.apply(Change(version=2, at=SOON, action="remove", origin=APP, tenant=""))
    assert not origins.answer("", APP, None).allowed
    assert origins.size == 0


def test_changes_add_entries_with_and_without_an_end() -> None:
    origins = make_list(APP, None)
    origins.apply(update(APP, SOON))
    assert len(origins.answer("", APP, None).leases or ()) == 2
    origins.apply(update(APP, None))
    assert len(origins.answer("", APP, None).leases or ()) == 1
    assert origins.size == 1


@pytest.mark.parametrize("end", [None, SOON])
@pytest.mark.parametrize("tenant", ["", "new"])
def test_an_invalid_entry_of_a_change_is_left_out_and_logged(caplog, tenant, end) -> None:
    origins = make_list(APP, None)
    origins.apply(Change(version=2, at=SOON, action="add", origin="*", tenant=tenant, expires_at=end))
    assert (origins.size, origins.count(tenant)) == (1, 0 if tenant else 1)
    assert "the stored entry '*'" in caplog.text
