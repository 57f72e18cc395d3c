"""Pages give the recorded results of real browsers, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from asgi_cors.testing import AsyncPage, CORSError, FetchError, Page
from tests.support import browser_truth as truth

pytestmark = pytest.mark.slow

ENGINES = ("chromium", "firefox", "webkit")

# Left out: Resource Timing (O), the HTTP cache (Q).
COVERED = {name: case for name, case in truth.CASES.items() if case["family"] not in {"O", "Q"}}
AGREED = {
    name: case
    for name, case in COVERED.items()
    if truth.expected(case, "chromium") == truth.expected(case, "firefox") == truth.expected(case, "webkit")
}
FILES = {"first": truth.FIRST, "second": truth.SECOND}

# The cases on which the three browsers agree, against the standard.
AGAINST_THE_STANDARD = {
    "C-100",  # they limit the numbers of a range
    "C-105",
    "D2-001",  # `*` covers Authorization
    "D2-022",
    "G-031",  # none caches a preflight whose Access-Control-Max-Age is `-0`
    *truth.SECOND["meta"]["not_the_standard"],
}
# The results that differ from a browser's.
DIFFERENT = {
    ("firefox", "G2-025"): "a second preflight, once, to 127.0.0.1: not when repeated, and by no rule",
    ("firefox", "XE-023"): "in XMLHttpRequest, a malformed element in Access-Control-Expose-Headers voids its `*`",
    ("webkit", "XR-099"): "the next hop's preflight is sent before the check of the redirect blocks the fetch",
}


def profiles_of(name: str) -> list[str]:
    """Return the profiles that must have the recorded result. Shared profiles count if all engines agree."""
    profiles = [engine for engine in ENGINES if (engine, name) not in DIFFERENT]
    if name in AGREED:
        profiles += ["browsers"] if name in AGAINST_THE_STANDARD else ["browsers", "standard"]
    return profiles


def run(case: dict[str, Any], engine: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Run the case in a Page. Return the observation of each step, and the codes of the CORSErrors."""
    server, time, steps, codes = truth.Server(case), [0.0], [], []
    options = {"engine": engine, "cookies": truth.COOKIES, "clock": lambda: time[0]}
    with Page(truth.PAGES[case["page"]], transport=server.transport(), **options) as page:
        for call, step in zip(truth.calls(case), case["steps"], strict=True):
            time[0] += call.delay
            server.next_step()
            response = None
            try:
                response = getattr(page, call.name)(call.url, **call.init)
            except CORSError as error:
                codes.append(error.code)
            except FetchError:
                pass
            steps.append(truth.observation(server, step["api"], response))
    return steps, codes


async def run_async(case: dict[str, Any], engine: str) -> list[dict[str, Any]]:
    """Run the case in an AsyncPage. Return the observation of each step."""
    server, time, steps = truth.Server(case), [0.0], []
    options = {"engine": engine, "cookies": truth.COOKIES, "clock": lambda: time[0]}
    async with AsyncPage(truth.PAGES[case["page"]], transport=server.transport(), **options) as page:
        for call, step in zip(truth.calls(case), case["steps"], strict=True):
            time[0] += call.delay
            server.next_step()
            try:
                response = await getattr(page, call.name)(call.url, **call.init)
            except FetchError:
                response = None
            steps.append(truth.observation(server, step["api"], response))
    return steps


@pytest.mark.parametrize("name", sorted(COVERED))
def test_the_page_sends_and_shows_the_same_as_the_browser(name: str) -> None:
    """The verdict, each preflight, each main request and the readable headers are the recorded ones."""
    case, profiles = COVERED[name], profiles_of(name)
    results = {profile: run(case, profile)[0] for profile in profiles}
    assert results == {profile: truth.expected(case, profile) for profile in profiles}


@pytest.mark.parametrize("name", sorted(COVERED))
async def test_the_async_page_sends_and_shows_the_same_as_the_page(name: str) -> None:
    assert await run_async(COVERED[name], "standard") == run(COVERED[name], "standard")[0]


@pytest.mark.parametrize("name", [name for name, case in COVERED.items() if case.get("chromium_cors_error")])
def test_the_code_is_the_one_that_chromiums_devtools_gave(name: str) -> None:
    codes = run(COVERED[name], "chromium")[1]
    assert codes == [error["corsError"] for error in COVERED[name]["chromium_cors_error"]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("file", FILES)
def test_at_least_992_in_a_thousand_cases_agree(engine: str, file: str) -> None:
    """The list of differences does not exceed the promise of docs/testing.md."""
    names = {case["id"] for case in FILES[file]["cases"]} & COVERED.keys()
    assert sum(1 for other, name in DIFFERENT if other == engine and name in names) <= 0.008 * len(names)


@pytest.mark.parametrize(("engine", "name"), DIFFERENT)
def test_a_listed_difference_still_exists(engine: str, name: str) -> None:
    """A difference that no longer exists must be removed from the list."""
    assert run(COVERED[name], engine)[0] != truth.expected(COVERED[name], engine)


@pytest.mark.parametrize("name", sorted(AGAINST_THE_STANDARD))
def test_the_standard_profile_does_not_follow_departures_of_all_browsers(name: str) -> None:
    assert name in AGREED
    assert run(COVERED[name], "standard")[0] != truth.expected(COVERED[name], "chromium")
