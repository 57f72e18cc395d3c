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
from tests.registry.support import APP

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
