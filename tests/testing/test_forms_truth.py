"""Forms send the Origin, Referer, Fetch Metadata and cookies that real browsers sent, hop by hop."""

from __future__ import annotations

from typing import Any

import pytest

from asgi_cors.testing import FetchError, Page
from tests.support import forms_truth as truth

Json = dict[str, Any]

RESULTS = [(name, engine) for name, case in truth.CASES.items() for engine in case["seen"]]


def requests_of(case: Json, engine: str) -> list[Json]:
    """Open the page of the case, make its call, and return the requests of the call."""
    network = truth.Network(case)
    start = case["page"]
    with Page(start, transport=network.transport(), engine=engine, cookies=truth.COOKIES) as page:
        page.submit(network.page_url(), method="GET", data=[("q", "1")])
        try:
            getattr(page, case["call"])(network.url(), **truth.options_of(case))
        except FetchError as error:
            raise AssertionError(page.table()) from error
    return network.received


@pytest.mark.parametrize(("name", "engine"), RESULTS)
def test_the_page_sends_what_the_browser_sent(name: str, engine: str) -> None:
    assert requests_of(truth.CASES[name], engine) == truth.CASES[name]["seen"][engine]
