"""The demo in real browsers: the policy's decision is the browser's result, on every page."""

import socket
import urllib.request
from dataclasses import dataclass

import pytest

from .drivers import Browser, Tab

FORGED = "CrossSiteRequest"
REBOUND = "HostNotAllowed"
NOT_EXPOSED = "not exposed"
NO_ORIGIN = "MissingAllowOriginHeader"
NO_ORIGIN_PREFLIGHT = "PreflightMissingAllowOriginHeader"

# the row, the code for the allowed origin, and for the refused one; None is "allowed"
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
    "form": (None, FORGED),
    "form-read": (None, FORGED),
    "xhr": (None, NO_ORIGIN_PREFLIGHT),
    "sse": (None, NO_ORIGIN),
    "websocket": (None, NO_ORIGIN),
}
# the row of a route or view with a policy of its own, and the code for the allowed, the refused and the trusted origin;
# the refused origin is a partner, which some of the routes allow
ROUTES = {
    "route": (NO_ORIGIN, None, NO_ORIGIN),
    "route-put": (NO_ORIGIN_PREFLIGHT, None, NO_ORIGIN_PREFLIGHT),
    "inner": (None, None, None),
    "patch": (None, NO_ORIGIN_PREFLIGHT, NO_ORIGIN_PREFLIGHT),
    "delete": ("MethodDisallowedByPreflightResponse", NO_ORIGIN_PREFLIGHT, NO_ORIGIN_PREFLIGHT),
    "open-form": (None, None, None),
    "trusting-form": (None, None, FORGED),
    "route-websocket": (NO_ORIGIN, None, NO_ORIGIN),
}
# the exempt routes: whether the app's own headers allow the call; no policy decides
EXEMPT = {"exempt": True, "exempt-put": False}
BROWSERS = ["chromium", "firefox"]
SIDES = ["allowed", "refused", "trusted", "rebound"]
# in the order of the page
ROUTE_ROWS = [
    "route",
    "route-put",
    "inner",
    "patch",
    "delete",
    *EXEMPT,
    "open-form",
    "trusting-form",
    "route-websocket",
]
WEBSOCKETS = {"websocket", "route-websocket"}
FORMS = {"form", "open-form", "trusting-form"}
HTTP_ROWS = [case for case in (*ROWS, *ROUTE_ROWS) if case not in WEBSOCKETS]
APIS = {
    "asgi": [*ROWS],
    "flask": [case for case in ROWS if case not in WEBSOCKETS],
    "quart": [*ROWS],
    "fastapi": [*ROWS, *ROUTE_ROWS],
    "django": HTTP_ROWS,
}
TABLE = [(api, case) for api, rows in APIS.items() for case in rows]
READ_TABLES = """[...document.querySelectorAll(".api")].map((table) => (
    [...table.querySelectorAll("tr[data-case]")].map((row) => {
        const text = (name) => row.querySelector(name).textContent;
        return {...row.dataset, code: text(".code"), remedy: text(".remedy"), said: text(".said")};
    })
))"""
DONE = "document.documentElement.dataset.state === 'done'"
WIDTHS = [400, 1280]


def code_of(case: str, side: str) -> str | None:
    """Return the code that a row must have. An exempt route has none, because no policy decides."""
    if side == "rebound":
        return REBOUND
    if case in EXEMPT:
        return None
    if case in ROUTES:
        return ROUTES[case][SIDES.index(side)]
    if side == "trusted" and ROWS[case][1] == FORGED:
        return NO_ORIGIN if case == "form-read" else None
    return ROWS[case][side != "allowed"]


def devtools_code(case: str, side: str) -> str | None:
    """Return the code of a row in DevTools. An exempt route's own response to a preflight may lack the headers."""
    return NO_ORIGIN_PREFLIGHT if EXEMPT.get(case) is False and side != "rebound" else code_of(case, side)


@dataclass
class Seen:
    """The results of one visit: rows by API and case, errors of the page's script, and the line above each table."""

    rows: dict[str, dict[str, dict[str, str]]]
    script_errors: list[str]
    summaries: list[str]


def run_page(tab: Tab, url: str) -> None:
    """Open the demo's page, and wait until it has made all its calls."""
    tab.open(url)
    tab.wait_until(DONE)


def visit(browser: Browser, url: str) -> Seen:
    """Open the page in a fresh profile and wait until it has made all its calls."""
    with browser.tab() as tab:
        run_page(tab, url)
        tables = tab.evaluate(READ_TABLES)
        return Seen(
            rows={api: {row["case"]: row for row in rows} for api, rows in zip(APIS, tables, strict=True)},
            script_errors=tab.script_errors,
            summaries=tab.evaluate("[...document.querySelectorAll('.count')].map((line) => line.textContent)"),
        )


@pytest.fixture(scope="module")
def seen(demo, chromium, firefox) -> dict[tuple[str, str], Seen]:
    """Return the results of every page in every browser."""
    return {
        (browser.name, side): visit(browser, demo.origins[side]) for browser in (chromium, firefox) for side in SIDES
    }


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("api", "case"), TABLE)
def test_the_policys_decision_is_right_and_the_browser_agrees(seen, name, api, case, side):
    code = code_of(case, side)
    row = seen[name, side].rows[api][case]
    decided = "refused" if code else "allowed"
    policy, browser = decided, decided
    if case in EXEMPT and side != "rebound":
        policy, browser = "up to the app", "allowed" if EXEMPT[case] else "refused"
    assert (row["policy"], row["browser"], row["agrees"]) == (policy, browser, "true"), row
    assert row["code"] == (code or "")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("api", "case"), TABLE)
def test_refused_rows_have_a_remedy_and_allowed_rows_have_none(seen, api, case, side):
    row = seen["chromium", side].rows[api][case]
    assert bool(row["remedy"]) == (row["policy"] != "allowed")


@pytest.mark.parametrize("side", SIDES)
def test_the_codes_on_the_page_are_the_cors_errors_of_devtools(demo, chromium, side):
    found = []
    with chromium.tab() as tab:
        devtools = tab.page.context.new_cdp_session(tab.page)
        devtools.send("Network.enable")
        devtools.on("Network.loadingFailed", lambda event: found.append(event.get("corsErrorStatus")))
        run_page(tab, demo.origins[side])
    # A header that is null is not an error. The server refuses a handshake and a form, not the browser.
    blocked = [devtools_code(case, side) for _, case in TABLE if case not in WEBSOCKETS | FORMS]
    codes = [NO_ORIGIN if code == FORGED else code for code in blocked if code not in {None, NOT_EXPOSED, REBOUND}]
    assert [error["corsError"] for error in found if error] == codes


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("side", SIDES)
def test_no_row_is_missing_or_new(seen, name, side):
    """The page shows the rows of this table, in this order, and counts them all as agreeing."""
    assert [(api, case) for api, rows in seen[name, side].rows.items() for case in rows] == TABLE
    counts = [len(rows) for rows in APIS.values()]
    assert seen[name, side].summaries == [f"{count} of {count} calls went as the policy says." for count in counts]


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("side", SIDES)
def test_the_page_has_no_mistake_of_its_own(seen, name, side):
    """No uncaught error of the page's script."""
    assert not seen[name, side].script_errors


@pytest.mark.parametrize("name", BROWSERS)
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
        ("form", "ordered: visitor=ada"),
        ("form-read", '200 {"ordered": "visitor=ada"}'),
        ("websocket", "echo: hello"),
    ],
)
def test_the_allowed_page_reads_the_responses_of_the_api(seen, name, case, said):
    """The cookie arrives, the 500 is readable, the events come."""
    assert {rows[case]["said"] for rows in seen[name, "allowed"].rows.values() if case in rows} == {said}


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize(
    ("side", "case", "said"),
    [
        ("refused", "route", '200 ["tea", "cake"]'),
        ("refused", "route-put", '200 {"done": "PUT"}'),
        ("refused", "route-websocket", "echo: hello"),
        ("allowed", "inner", '200 {"up": true}'),
        ("allowed", "patch", '200 {"done": "PATCH"}'),
        ("refused", "exempt", '200 "its own headers"'),
        ("refused", "open-form", "ordered: visitor=ada"),
        ("refused", "trusting-form", "ordered: visitor=ada"),
        ("trusted", "trusting-form", "no order"),
    ],
)
def test_a_page_reads_the_routes_whose_own_policy_allows_it(seen, name, side, case, said):
    """The partner reads the routes for partners, which the policy of the app refuses."""
    assert {rows[case]["said"] for rows in seen[name, side].rows.values() if case in rows} == {said}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_the_window(demo, chromium, width, scheme):
    """Nothing is wider than a phone's or a desktop's window, in either colour scheme."""
    with chromium.tab(width) as tab:
        tab.page.emulate_media(color_scheme=scheme)
        run_page(tab, demo.origins["refused"])
        assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_ctrl_c_ends_the_demo_cleanly(run_demo, chromium):
    """Under an open page: exit code 0, no traceback although a route crashed, and the ports are free again."""
    with run_demo("--ports", "0", "0", "0", "0") as demo, chromium.tab() as tab:
        run_page(tab, demo.origins["allowed"])
        assert demo.interrupt() == 0
    assert "GET /crash raised on purpose" in demo.printed
    assert "Traceback" not in demo.printed
    for side in ("api", "allowed", "refused", "trusted"):
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", int(demo.origins[side].rpartition(":")[2])))


def test_a_taken_port_is_named_and_another_one_is_used(run_demo):
    """The demo says which port is taken and serves the same part at another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with run_demo("--ports", str(port), "0", "0", "0") as demo:
            other = demo.origins["api"].rpartition(":")[2]
            assert f"Port {port} is taken: the API uses {other} instead." in demo.printed
            with urllib.request.urlopen(f"{demo.origins['api']}/items") as answer:
                assert answer.status == 200
