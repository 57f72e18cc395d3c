"""Each case passes on a right server, and fails on a server that is wrong in this one thing."""

from dataclasses import replace

import httpx
import pytest

from asgi_cors.cli.check.case import KINDS
from asgi_cors.cli.check.cases import ALL
from asgi_cors.cli.check.run import run_check, select_cases

from .servers import EXPECTATION, OTHER, OTHERS, PUBLIC, allows_too, right
from .servers import public as public_server

NOT_APPLICABLE = {
    "refused-body",  # a refused origin gets 200
    "header-credentials-undeclared",  # credentials are declared
    "cache-without-origin",  # the response cannot be cached
    "cache-other-origin",
}


def failed(server, **changes):
    """Return the failed cases with their problems."""
    expectation = replace(EXPECTATION, **changes)
    report = run_check(expectation, httpx.MockTransport(server), select_cases(expectation, (), ()))
    return {result.case.name: result.problems for result in report.results if result.status == "failed"}


def test_a_right_server_passes_every_case():
    report = run_check(EXPECTATION, httpx.MockTransport(right))
    found = {result.case.name: result.status for result in report.results}
    assert {name for name, status in found.items() if status != "passed"} == NOT_APPLICABLE
    assert list(found) == [case.name for case in ALL]
    assert not report.is_failed


def test_a_public_server_passes_every_case_of_every_origin():
    assert failed(public_server, **PUBLIC | {"headers": ("x-id",)}) == {}


@pytest.mark.parametrize("name", [case.name for case in ALL])
def test_a_server_with_one_mistake_fails_the_one_case(name):
    other = OTHERS[name]
    assert list(failed(other.server, **other.changes)) == [name]


def test_each_case_has_a_name_a_kind_and_a_link():
    names = [case.name for case in ALL]
    assert len(set(names)) == len(names) >= 80
    for case in ALL:
        assert case.kind in KINDS
        assert case.clause.url.startswith("https://")
        assert case.title.endswith(".")
        assert case.write.endswith((".", ")"))
        assert set(case.needs) < set(names)


def test_a_case_runs_after_those_that_it_needs():
    order = {case.name: number for number, case in enumerate(ALL)}
    assert all(order[need] < order[case.name] for case in ALL for need in case.needs)


def test_a_server_that_sends_every_origin_back_fails_for_this_reason_only():
    found = failed(allows_too(lambda origin: "://" in origin, preflights=True), refuse=())
    assert list(found) == ["origin-other-site"]
    assert OTHER in found["origin-other-site"][0]
