"""Each case passes on a right server, and fails on a server that is wrong in this one thing."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from asgi_cors.cli.check.case import KINDS
from asgi_cors.cli.check.cases import ALL
from asgi_cors.cli.check.command import check
from asgi_cors.cli.check.report import markdown_table
from asgi_cors.cli.check.run import run_check, select_cases

from .servers import (
    ACAO,
    ALLOWED,
    EXPECTATION,
    OTHER,
    OTHERS,
    PREFLIGHT,
    PUBLIC,
    SCRIPT_GET,
    allows_too,
    changed,
    has,
    is_main,
    plus,
    respond,
    right,
)
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


def results(server, only=(), **changes):
    """Return the status and the problems of cases."""
    expectation = replace(EXPECTATION, **changes)
    report = run_check(expectation, httpx.MockTransport(server), select_cases(expectation, only, ()))
    return {result.case.name: (result.status, " ".join(result.problems)) for result in report.results}


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("origin-suffix", {"allow": ("null",)}, "no such origin differs"),
        ("origin-null", {"allow": ("null",)}, "null is declared"),
        ("origin-preflight-null", {"allow": ("null",)}, "null is declared"),
        ("origin-homoglyph", {"allow": ("https://bit.ly",)}, "no such origin differs"),
        ("forged-default-port", {"allow": ("null",)}, "null has no such form"),
        ("preflight-status", {"headers": (), "methods": ("GET",)}, "no --method or --header is declared"),
        ("preflight-each-header", {"headers": ("x-id",), "methods": ("GET",)}, "one header is declared"),
        ("preflight-names-repeated", {"headers": ()}, "no --header is declared"),
        ("preflight-names-gaps", {"headers": ()}, "no --header is declared"),
        ("preflight-names-split", {"headers": ("x-id",)}, "fewer than two --header"),
        ("preflight-names-empty", {"methods": ("GET",)}, "GET without headers needs no preflight"),
        ("preflight-lower-case-method", {"methods": ("PUT",)}, "no method is declared whose case"),
        ("request-slash", {"url": "http://127.0.0.1:9/"}, "the URL has no path"),
        ("request-unsafe", {"send_unsafe": False}, "PUT, PATCH is not sent without --send-unsafe"),
        ("error-declared", {"error_url": EXPECTATION.url}, "has the status 200, which is not an error"),
        ("cache-other-origin", {"allow": (ALLOWED[0],)}, "one origin is declared"),
    ],
)
def test_a_case_that_does_not_apply_is_skipped_with_the_reason(name, changes, reason):
    def server(request):
        return respond(200, [(ACAO, request.headers["origin"])]) if has("origin", "null")(request) else right(request)

    status, text = results(server if changes.get("allow") == ("null",) else right, [name], **changes)[name]
    assert status == "skipped"
    assert reason in text


def test_a_sandboxed_page_that_is_declared_is_not_tried_as_an_attack_on_a_websocket():
    guarded = results(
        lambda request: respond(101 if has("origin", "null")(request) else 403, []),
        ["websocket-null"],
        allow=("null",),
        url="ws://127.0.0.1:9/items",
    )
    assert guarded["websocket-null"] == ("skipped", "null is declared.")


def test_a_cached_response_with_vary_is_requested_again():
    server = changed(is_main, plus(("cache-control", "max-age=60")))
    found = results(server, ["cache-*"])
    assert {status for status, _ in found.values()} == {"passed"}


def test_a_redirect_that_browsers_cannot_follow_fails_the_redirect():
    server = changed(SCRIPT_GET, plus(("location", "http://[::1")), 302)
    assert list(failed(server)) == ["request-redirect"]


def test_a_preflight_that_browsers_cannot_parse_fails_its_status():
    server = changed(PREFLIGHT, plus(("content-disposition", "a"), ("content-disposition", "b")))
    assert list(failed(server)) == ["preflight-status"]


def test_an_origin_that_no_page_can_have_is_not_a_risk():
    server = allows_too(lambda origin: "%.evil" in origin)
    assert results(server, ["origin-special-characters"])["origin-special-characters"][0] == "passed"


def test_a_stack_trace_for_a_refused_origin_is_reported():
    body = "Error: Not allowed by CORS\n    at origin (/srv/app.js:7:11)"
    server = changed(lambda request: is_main(request) and has("origin", OTHER)(request), list, 403, body)
    assert failed(server) == {"refused-body": ("The body of the 403 has a stack trace.",)}


def test_the_page_has_a_row_for_each_case():
    page = Path(__file__).parents[3].joinpath("docs", "check.md").read_text("utf-8")
    assert f"<!-- cases -->\n{markdown_table(ALL)}\n<!-- /cases -->" in page


def test_the_page_has_every_option():
    page = Path(__file__).parents[3].joinpath("docs", "check.md").read_text("utf-8")
    options = [option for parameter in check.params for option in parameter.opts if option.startswith("-")]
    assert [option for option in options if f"`{option}`" not in page] == []
