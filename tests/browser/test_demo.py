"""The demo in a real browser: what the policy says is what Chromium does, on both origins."""

import socket
import urllib.request
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

NOT_EXPOSED = "not exposed"
NO_ORIGIN = "MissingAllowOriginHeader"
NO_ORIGIN_PREFLIGHT = "PreflightMissingAllowOriginHeader"

# the row, what Chromium must say to the allowed origin, and to the refused one; None is "it may"
ROWS = {
    "get": (None, NO_ORIGIN),
    "json": (None, NO_ORIGIN_PREFLIGHT),
    "put": (None, NO_ORIGIN_PREFLIGHT),
    "cookie": (None, NO_ORIGIN),
    "crash": (None, NO_ORIGIN),
    "public": (None, None),
    "public-cookie": ("WildcardOriginNotAllowed", "WildcardOriginNotAllowed"),
    "method": ("MethodDisallowedByPreflightResponse", NO_ORIGIN_PREFLIGHT),
    "header": ("HeaderDisallowedByPreflightResponse", NO_ORIGIN_PREFLIGHT),
    "exposed": (None, NO_ORIGIN),
    "unexposed": (NOT_EXPOSED, NO_ORIGIN),
    "xhr": (None, NO_ORIGIN_PREFLIGHT),
    "sse": (None, NO_ORIGIN),
    "websocket": (None, NO_ORIGIN),
}
SIDES = {"allowed": 0, "refused": 1}
APIS = {"asgi": ROWS, "flask": {case: codes for case, codes in ROWS.items() if case != "websocket"}, "quart": ROWS}
TABLE = [(api, case) for api, rows in APIS.items() for case in rows]
READ_ROWS = """rows => rows.map(row => {
    const text = name => row.querySelector(name).textContent;
    return {...row.dataset, code: text(".code"), remedy: text(".remedy"), said: text(".said")};
})"""
WIDTHS = [400, 1280]
PATIENCE = 20_000  # milliseconds


@dataclass
class Seen:
    """The results of one visit: rows by API and case, Chromium's CORS errors in order, errors of the page's script."""

    rows: dict[str, dict[str, dict[str, str]]]
    cors_errors: list[str]
    script_errors: list[str]
    summaries: list[str]


def run_page(page: Page, url: str) -> None:
    """Open the demo's page, and wait until it has made all its calls."""
    page.goto(url)
    page.wait_for_selector("html[data-state=done]", timeout=PATIENCE)


def visit(browser: Browser, url: str) -> Seen:
    """Open the page in a fresh profile and wait until it has made all its calls."""
    page = browser.new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    cors_errors, script_errors = [], []
    devtools.on("Network.loadingFailed", lambda event: cors_errors.append(event.get("corsErrorStatus")))
    page.on("pageerror", lambda error: script_errors.append(str(error)))
    run_page(page, url)
    tables = [section.eval_on_selector_all("tr[data-case]", READ_ROWS) for section in page.query_selector_all(".api")]
    seen = Seen(
        rows={api: {row["case"]: row for row in rows} for api, rows in zip(APIS, tables, strict=True)},
        cors_errors=[status["corsError"] for status in cors_errors if status],
        script_errors=script_errors,
        summaries=[line.inner_text() for line in page.query_selector_all(".count")],
    )
    page.context.close()
    return seen


@pytest.fixture(scope="module")
def seen(demo, chromium) -> dict[str, Seen]:
    """Return the results of both pages."""
    return {side: visit(chromium, demo.origins[side]) for side in SIDES}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("api", "case"), TABLE)
def test_the_policys_decision_is_right_and_chromium_agrees(seen, api, case, side):
    code = ROWS[case][SIDES[side]]
    row = seen[side].rows[api][case]
    expected = "refused" if code else "allowed"
    assert (row["policy"], row["browser"], row["agrees"]) == (expected, expected, "true"), row
    assert row["code"] == (code or "")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("api", "case"), TABLE)
def test_refused_rows_have_a_remedy_and_allowed_rows_have_none(seen, api, case, side):
    row = seen[side].rows[api][case]
    assert bool(row["remedy"]) == (row["policy"] == "refused")


@pytest.mark.parametrize("side", SIDES)
def test_the_codes_on_the_page_are_the_cors_errors_of_devtools(seen, side):
    # A header that is null is not an error, and the server refuses a handshake, not the browser.
    blocked = [ROWS[case][SIDES[side]] for _, case in TABLE if case != "websocket"]
    assert seen[side].cors_errors == [code for code in blocked if code not in {None, NOT_EXPOSED}]


@pytest.mark.parametrize("side", SIDES)
def test_no_row_is_missing_or_new(seen, side):
    """The page shows the rows of this table, in this order, and counts them all as agreeing."""
    assert [(api, case) for api, rows in seen[side].rows.items() for case in rows] == TABLE
    counts = [len(rows) for rows in APIS.values()]
    assert seen[side].summaries == [f"{count} of {count} calls went as the policy says." for count in counts]


@pytest.mark.parametrize("side", SIDES)
def test_the_page_has_no_mistake_of_its_own(seen, side):
    """No uncaught error of the page's script."""
    assert not seen[side].script_errors


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("get", '200 ["tea", "cake"]'),
        ("put", '200 {"done": "PUT"}'),
        ("cookie", '200 {"cookie": "visitor=ada"}'),
        ("crash", "500 Internal Server Error"),
        ("exposed", "200, x-total-count: 2"),
        ("unexposed", "200, x-build: null"),
        ("sse", "message: an event"),
        ("websocket", "echo: hello"),
    ],
)
def test_the_allowed_page_reads_the_responses_of_the_api(seen, case, said):
    """The cookie arrives, the 500 is readable, the events come."""
    assert {rows[case]["said"] for rows in seen["allowed"].rows.values() if case in rows} == {said}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_the_window(demo, chromium, width, scheme):
    """Nothing is wider than a phone's or a desktop's window, in either colour scheme."""
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    run_page(page, demo.origins["refused"])
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.context.close()


def test_ctrl_c_ends_the_demo_cleanly(run_demo, chromium):
    """Under an open page: exit code 0, no traceback although a route crashed, and the ports are free again."""
    with run_demo("--ports", "0", "0", "0") as demo:
        page = chromium.new_page()
        run_page(page, demo.origins["allowed"])
        assert demo.interrupt() == 0
        page.context.close()
    assert "GET /crash raised on purpose" in demo.printed
    assert "Traceback" not in demo.printed
    for origin in demo.origins.values():
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", int(origin.rpartition(":")[2])))


def test_a_taken_port_is_named_and_another_one_is_used(run_demo):
    """The demo says which port is taken and serves the same part at another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with run_demo("--ports", str(port), "0", "0") as demo:
            other = demo.origins["api"].rpartition(":")[2]
            assert f"Port {port} is taken: the API uses {other} instead." in demo.printed
            with urllib.request.urlopen(f"{demo.origins['api']}/items") as answer:
                assert answer.status == 200
