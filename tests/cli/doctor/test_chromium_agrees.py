"""A real Chromium decides as the doctor says, on every server of the corpus."""

import pytest

from tests.cli.corpus import edges, gateways, raw
from tests.cli.corpus.chromium import chromium
from tests.cli.corpus.serving import serving
from tests.cli.corpus.stacks import STACKS
from tests.support.command_line import arguments, run

pytestmark = pytest.mark.corpus

ROWS = (*raw.ROWS, *raw.HEALTHY, *edges.ROWS, *gateways.ROWS, *gateways.HEALTHY)
CASES = [(name, case) for name, stack in STACKS.items() for case in (*stack.broken, *stack.healthy)]
ORIGINS = {item.call.get("origin", raw.PAGE) for item in (*ROWS, *(case for _, case in CASES))}
# Chromium blocks a redirect to an invalid URL without a CORS error.
WITHOUT_CORS_ERROR = {"OPTIONS redirected to an invalid URL"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(ORIGINS, tmp_path_factory.mktemp("chromium")) as running:
        yield running


def assert_agreement(browser, call, url, *, has_cors_error=True):
    """Compare the verdict, and the code of the CORS error that DevTools shows."""
    verdict = run("doctor", *arguments(call, url), "--no-probes", "--json").json["browsers"][0]
    assert verdict["engine"] == "chromium"
    seen = browser.run(call, url)
    assert seen.allowed == verdict["allowed"], verdict
    assert seen.cors_errors == ((verdict["code"],) if verdict["console"] and has_cors_error else ())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_chromium_decides_as_the_doctor_says_on_a_server(browser, row):
    with serving(row.server) as server:
        assert_agreement(browser, row.call, f"{server.url}/items", has_cors_error=row.id not in WITHOUT_CORS_ERROR)


@pytest.mark.parametrize(
    ("stack", "case"), [pytest.param(name, case, id=f"{name} {case.path} {dict(case.call)}") for name, case in CASES]
)
def test_chromium_decides_as_the_doctor_says_on_a_stack(browser, url_of, stack, case):
    assert_agreement(browser, case.call, url_of(stack) + case.path)
