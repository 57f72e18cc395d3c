"""`explain` and `audit` for apps whose origins are known at run time."""

import logging
from pathlib import Path

import pytest

from tests.support.command_line import Ran, run

PAGE = "https://app.example.com"
OTHER = "https://shop.example.com"
APPS = str(Path(__file__).parents[1] / "support")
ALLOWED, BLOCKED = 0, 1


def explain(app: str, origin: str = PAGE) -> Ran:
    return run("explain", f"source_apps:{app}", "/", "-o", origin, "--app-dir", APPS, "--json")


@pytest.mark.parametrize(
    ("app", "origin", "allowed", "rule"),
    [
        ("loaded", PAGE, True, "allowed by customers(), loaded 0 s ago, 2 entries"),
        ("loaded", OTHER, False, "no entry allows the origin: refused by customers(), loaded 0 s ago, 2 entries"),
        ("known", PAGE, True, "allowed by customers(), loaded 12 s ago"),
        ("forgetful", PAGE, True, "allowed by Later(customers)"),
        ("forgetful", OTHER, False, "no entry allows the origin: refused by Later(customers)"),
        (
            "failing",
            PAGE,
            False,
            "the look-up of the origin failed: Later(customers) failed: OSError: no database",
        ),
        ("several", PAGE, True, "allowed by customers(), loaded 0 s ago, 2 entries"),
        ("with_context", PAGE, True, "allowed by by_context()"),
        ("source_with_context", PAGE, True, "allowed by Later(customers)"),
    ],
)
def test_sources_are_called_so_that_the_verdict_is_definite(app, origin, allowed, rule):
    ran = explain(app, origin)
    assert ran.json["allowed"] is allowed
    assert ran.json["steps"][0]["rule"] == rule
    assert (ran.code, ran.err) == (ALLOWED if allowed else BLOCKED, "")


@pytest.mark.parametrize(
    ("app", "rule"),
    [
        ("hanging", "Later(customers) failed: TimeoutError: no result within 0.1 seconds"),
        ("broken", "Later(customers) failed: RuntimeError: "),
        ("untyped", "Later(customers) failed: TypeError: look_up returned a value of type bool"),
    ],
)
def test_a_source_that_does_not_answer_is_a_failed_look_up(app, rule):
    ran = explain(app)
    assert (ran.json["code"], ran.code) == ("OriginLookupFailed", BLOCKED)
    assert rule in ran.json["steps"][0]["rule"]


@pytest.mark.parametrize(("origin", "verb"), [(PAGE, "allowed"), (OTHER, "refused")])
def test_a_source_that_can_not_describe_its_answer_is_called_all_the_same(origin, verb):
    ran = explain("silent", origin)
    assert ran.json["allowed"] is (verb == "allowed")
    assert f"{verb} by <Silent>" in ran.json["steps"][0]["rule"]
    ran = run("audit", "source_apps:silent", "--app-dir", APPS, "--json")
    assert (ran.code, ran.json["routes"][0]["origins"]) == (0, "<Silent>")


def test_the_tasks_of_a_source_are_ended():
    explain("loaded")
    import source_apps  # noqa: PLC0415 - imported by the command

    assert source_apps.later_source.stopped


def test_the_remedy_names_the_source():
    assert f"let Later(customers) allow {OTHER!r}" in explain("loaded", OTHER).json["remedy"]


def test_the_report_is_readable_in_80_columns():
    ran = run("explain", "source_apps:loaded", "/", "-o", OTHER, "--app-dir", APPS)
    assert "refused by customers(), loaded 0 s ago" in " ".join(ran.out.split())
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("app", ["loaded", "forgetful", "hanging", "failing", "broken", "several"])
def test_an_app_with_sources_is_audited(app):
    ran = run("audit", f"source_apps:{app}", "--app-dir", APPS, "--json")
    assert (ran.code, ran.json["findings"], ran.err) == (0, [], "")
    assert "Later(customers)" in ran.json["routes"][0]["origins"]


def test_the_audit_finds_a_hostile_origin_that_a_source_allows():
    ran = run("audit", "source_apps:with_credentials", "--app-dir", APPS, "--json")
    (finding,) = ran.json["findings"]
    assert finding["name"] == "attack-gets-in"
    assert "'http://static.example.com'" in finding["sentence"]
    assert "by customers(), loaded 0 s ago, 2 entries." in finding["sentence"]


def test_the_audit_looks_a_required_origin_up():
    ran = run("audit", "source_apps:loaded", "--app-dir", APPS, "-o", PAGE, "-o", OTHER, "--json")
    (finding,) = ran.json["findings"]
    assert finding["name"] == "origin-refused"
    assert OTHER in finding["sentence"]


def test_the_logger_is_as_before():
    logger = logging.getLogger("asgi_cors")
    before = [*logger.handlers], logger.propagate
    explain("failing")
    assert (logger.handlers, logger.propagate) == before
