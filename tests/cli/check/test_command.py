"""The command: its options and their mistakes, its output, and the requests that it never sends."""

import socket
from xml.etree import ElementTree as ET

import httpx
import pytest

from asgi_cors.cli.check.cases import ALL
from asgi_cors.cli.check.expectation import parse_expectation
from asgi_cors.cli.check.guard import Guard, UnsafeMethodError
from asgi_cors.cli.check.report import _verdict_texts
from asgi_cors.cli.check.run import run_check, select_cases
from asgi_cors.cli.check.session import Step
from asgi_cors.cli.doctor.evidence import EngineResult
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import run

from .servers import ALLOWED, HEADERS, METHODS, PAGE, REFUSED, right

URL = "http://127.0.0.1:9/items"
ARGUMENTS = [
    *(word for origin in ALLOWED for word in ("--allow", origin)),
    *(word for method in METHODS for word in ("--method", method)),
    *(word for header in HEADERS for word in ("--header", header)),
    *("--refuse", REFUSED, "--credentials", "--expose", "x-total"),
]
# The server of these tests reads the last line of a header only.
LINES = ["--skip", "preflight-names-split", "--skip", "forged-two-lines"]
FEW = ["--allow", PAGE, "--only", "request-*"]


def behave(request):
    """Respond as `right` to a request on a real connection."""
    headers = {name: value.encode("latin-1") for name, value in request.headers.items()}
    sent = httpx.Request(request.method, f"http://127.0.0.1{request.target}", headers=headers)
    response = right(sent)
    return Response(response.status_code, response.headers.multi_items(), b"")


def leaking(request):
    """Allow every origin."""
    if request.method == "OPTIONS":
        return Response(204, ())
    return Response(200, (("access-control-allow-origin", request.origin or "*"), ("vary", "Origin")))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "check needs a URL. Write asgi-cors check https://api.example.com/items --allow ORIGIN."),
        ([URL], "check needs an allowed origin. Write --allow https://app.example.com."),
        (
            ["api.example.com", "--allow", PAGE],
            "is not an http, https, ws or wss URL. Write 'https://api.example.com'.",
        ),
        ([URL, "--allow", f"{PAGE}/"], "--allow: "),
        ([URL, "--allow", "app.example.com"], "--allow: "),
        ([URL, "--allow", "*", "--allow", PAGE], "--allow '*' is every origin. Leave out the other --allow."),
        ([URL, "--allow", "*", "--credentials"], "--allow '*' with --credentials is not possible in browsers."),
        ([URL, "--allow", "*", "--refuse", PAGE], "--allow '*' is every origin, so --refuse has no meaning."),
        ([URL, "--allow", PAGE, "--refuse", PAGE], f"--refuse '{PAGE}' is also allowed by --allow."),
        ([URL, "--allow", PAGE, "--refuse", "https://*.a.com"], "is a pattern. Write an origin"),
        ([URL, "--allow", PAGE, "--refuse", "a.com"], "--refuse: "),
        ([URL, "--allow", PAGE, "--method", "P UT"], "--method: "),
        ([URL, "--allow", PAGE, "--method", "TRACE"], "--method: no script can send 'TRACE'."),
        ([URL, "--allow", PAGE, "--method", "*"], "--method '*' is not a method."),
        ([URL, "--allow", PAGE, "--header", "x id"], "--header: "),
        ([URL, "--allow", PAGE, "--header", "cookie"], "--header: "),
        ([URL, "--allow", PAGE, "--header", "*"], "--header '*' is not a name."),
        ([URL, "--allow", PAGE, "--expose", "*"], "--expose '*' is not a name."),
        ([URL, "--allow", PAGE, "--expose", "set-cookie"], "--expose: "),
        ([URL, "--allow", ""], "--allow '' is empty. Leave it out, or set the variable that it is read from."),
        ([URL, "--allow", f"{PAGE},https://b.com"], f"Write --allow {PAGE} --allow https://b.com."),
        ([URL, "--allow", "https://*"], "--allow: 'https://*' has a '*' without a domain after it."),
        ([URL, "--allow", PAGE, "--method", ""], "--method '' is empty."),
        ([URL, "--allow", PAGE, "--method", "PUT,PATCH"], "is a list. Write --method PUT --method PATCH."),
        ([URL, "--allow", PAGE, "--header", "x-a, x-b"], "is a list. Write --header x-a --header x-b."),
        ([URL, "--allow", PAGE, "--error", "ws://127.0.0.1:9"], "is a WebSocket. Write an http or https URL."),
        ([URL, "--allow", PAGE, "-H", "Transfer-Encoding: chunked"], "the connection sets this header."),
        ([URL, "--allow", PAGE, "-H", "x-key: é"], "-H: the value of x-key has a character that is not"),
        ([URL, "--allow", PAGE, "-H", "x-key: a\r\nb: c"], "-H: the value of x-key has a character that is not"),
        ([URL, "--allow", PAGE, "--error", "crash"], "is not an http, https, ws or wss URL."),
        ([URL, "--allow", PAGE, "-H", ": 7"], "has no name."),
        ([URL, "--allow", PAGE, "--only", "preflight-staus"], "Did you mean 'preflight-status'?"),
        ([URL, "--allow", PAGE, "--skip", "§"], "asgi-cors check --list shows all names."),
        ([URL, "--allow", PAGE, "--only", "vary-*", "--skip", "*"], "--only and --skip leave no case to run."),
        ([URL, "--allow", PAGE, "--timeout", "0"], "0.1<=x<=600"),
        ([URL, "--allow", PAGE, "--time-limit", "0"], "x>=1"),
        ([URL, "--allow", PAGE], "the server does not respond. GET http://127.0.0.1:9/items"),
    ],
)
def test_a_mistake_is_reported_in_one_line(arguments, line):
    ran = run("check", *arguments)
    assert ran.code == 2
    assert line in " ".join(ran.err.split())


def test_a_right_server_exits_with_0_and_a_table():
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, *LINES, "--verbose")
    assert (ran.code, ran.err) == (0, "")
    assert "0 failed" in ran.out
    assert all(case.name in ran.out for case in ALL if case.name not in LINES)
    assert max(map(len, ran.out.splitlines())) <= 80


def test_an_unsafe_method_is_never_sent():
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS)
    assert ran.code == 0
    assert {request.method for request in server.requests} == {"GET", "HEAD", "OPTIONS", "PROPFIND"}


def test_the_declared_methods_are_sent_if_the_user_says_so():
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--send-unsafe", "--only", "request-unsafe")
    assert ran.code == 0
    assert {request.method for request in server.requests} >= {"PUT", "PATCH"}


def test_the_guard_refuses_an_unsafe_method():
    guard = Guard(httpx.MockTransport(right), parse_expectation(URL, allow=[PAGE], refuse=[]), 10)
    with pytest.raises(UnsafeMethodError):
        guard.handle_request(httpx.Request("POST", URL))


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "JSON"])
def test_a_dry_run_lists_the_requests_and_sends_nothing(form):
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--dry-run", *form)
        assert (ran.code, server.requests) == (0, [])
    assert f"OPTIONS {server.url}/items" in ran.out or form
    if form:
        requests = ran.json["requests"]
        assert {request["method"] for request in requests} == {"GET", "HEAD", "OPTIONS", "PROPFIND"}
        assert {request["case"] for request in requests} > {"request-accepted", "origin-null", "websocket-null"}


def test_a_dry_run_lists_the_same_requests_as_a_run():
    with serving(behave) as server:
        listed = run("check", f"{server.url}/items", *ARGUMENTS, "--dry-run", "--json").json["requests"]
        run("check", f"{server.url}/items", *ARGUMENTS)
    methods = [request["method"] for request in listed]
    assert abs(len(server.requests) - len(methods)) < 20


def test_a_failed_case_shows_its_clause_and_the_exchange_and_the_correction():
    with serving(leaking) as server:
        ran = run("check", f"{server.url}/items", "--allow", PAGE, "--method", "PUT")
    text = " ".join(ran.out.split())
    assert ran.code == 1
    for expected in (
        "✗ preflight-origin",
        "Kind required: a browser decides otherwise than declared",
        "https://fetch.spec.whatwg.org/#concept-cors-check",
        "access-control-request-method: PUT",
        "Chromium, Firefox, Safari: PreflightMissingAllowOriginHeader",
        "Send Access-Control-Allow-Origin with the request's origin on the response to OPTIONS",
        "Kind security: an origin that is not declared can use the server",
    ):
        assert expected in text


def test_advice_alone_exits_with_0():
    with serving(lambda _: Response(200, (("access-control-allow-origin", PAGE), ("vary", "Origin; x")))) as server:
        ran = run("check", f"{server.url}/items", "--allow", PAGE, "--json")
    failed = [case for case in ran.json["cases"] if case["status"] == "failed"]
    assert {case["kind"] for case in failed} == {"advice"}
    assert ran.code == 0


def test_json_has_every_case_with_its_exchanges_and_verdicts():
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--json")
    cases = {case["name"]: case for case in ran.json["cases"]}
    assert list(cases) == [case.name for case in ALL]
    step = cases["preflight-status"]["steps"][0]
    assert [each["engine"] for each in step["browsers"]] == ["chromium", "firefox", "webkit"]
    assert [(each["method"], each["sent"], each["status"]) for each in step["exchanges"]] == [
        ("OPTIONS", True, 204),
        ("PUT", False, None),
    ]
    assert (ran.json["failed"], ran.json["stopped"]) == (False, None)


def test_a_secret_is_sent_with_requests_but_not_with_preflights_and_is_not_shown():
    with serving(behave) as server:
        ran = run(
            "check", f"{server.url}/items", *ARGUMENTS, "-H", "x-token: secret-1", "--json", "--only", "preflight-*"
        )
        shown = run("check", f"{server.url}/items", *ARGUMENTS, "-H", "x-token: secret-1", "--verbose")
    assert "secret-1" not in ran.out + shown.out
    for request in server.requests:
        is_sent = "x-token" in request.headers
        assert is_sent == (not request.is_preflight)


def test_the_value_of_authorization_is_the_one_of_the_user():
    expectation = parse_expectation(
        URL, allow=[PAGE], refuse=[], headers=["Authorization"], main_headers=["authorization: B 1"]
    )
    assert expectation.script_headers == (("authorization", "B 1"),)


def test_every_declared_header_needs_a_preflight():
    names = ["content-type: application/json", "accept", "range", "x-id"]
    expectation = parse_expectation(URL, allow=["https://*.example.com:*"], refuse=[], headers=names, methods=["post"])
    assert expectation.origins == ("https://asgi-cors-check.example.com:3000",)
    assert [(name, len(value)) for name, value in expectation.script_headers] == [
        ("content-type", 16),
        ("accept", 129),
        ("range", 129),
        ("x-id", 1),
    ]
    assert [method for method, _ in expectation.preflights] == ["POST"]


def test_junit_has_a_failure_for_required_and_security_and_a_skip_for_advice(tmp_path):
    path = tmp_path / "cors.xml"

    def respond(request):
        origin = ("access-control-allow-origin", request.origin)
        if request.method == "OPTIONS":
            return Response(204, ())
        return Response(200, (origin, ("vary", "Origin\x01; x")) if request.origin in {PAGE, "null"} else ())

    with serving(respond) as server:
        ran = run("check", f"{server.url}/items", "--allow", PAGE, "--method", "PUT", "--junit", str(path))
    suites = ET.fromstring(path.read_bytes())  # noqa: S314 - our own document
    (suite,) = suites
    cases = suite.findall("testcase")
    found = {case.get("name"): case for case in cases}
    assert ran.code == 1
    assert list(found) == [case.name for case in ALL]
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 1
    assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
    assert found["preflight-origin"].find("failure").get("type") == "required"
    assert found["origin-null"].find("failure").get("type") == "security"
    assert found["vary-no-origin"].find("skipped").get("message").startswith("advice: ")
    assert found["websocket-null"].find("skipped").get("message").startswith("the URL is not a WebSocket")
    assert "Browsers: Chromium: PreflightMissingAllowOriginHeader" in found["preflight-origin"].find("failure").text
    assert all(case.get("time") and case.get("classname") for case in cases)


def test_a_junit_file_that_cannot_be_stored_is_reported(tmp_path):
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *FEW, "--junit", str(tmp_path / "no" / "folder.xml"))
    assert ran.code == 2
    assert "can't be stored: No such file or directory." in ran.err


def test_a_server_that_dies_is_reported_with_the_results_so_far(tmp_path):
    path = tmp_path / "cors.xml"

    def respond(request):
        if len(server.requests) > 40:
            raise ConnectionResetError
        return behave(request)

    with serving(respond) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--junit", str(path))
    assert ran.code == 2
    assert "the server stopped responding at " in ran.err
    assert "Stopped: the server stopped responding at" in " ".join(ran.out.split())
    assert "request-origin" in ran.out
    (suite,) = ET.fromstring(path.read_bytes())  # noqa: S314 - our own document
    assert suite.get("errors") == "1"
    assert suite.find("testcase[@name='stopped']/error") is not None


def test_a_request_that_the_server_drops_is_a_failed_case():

    def respond(request):
        if request.method == "HEAD":
            raise ConnectionResetError
        return behave(request)

    with serving(respond) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--method", "HEAD", "--only", "request-head", "--json")
    (case,) = ran.json["cases"]
    assert (ran.code, case["status"]) == (1, "failed")
    assert "The server does not respond. HEAD" in case["problems"][0]


def test_a_connection_that_fails_once_is_repeated():
    dropped = []

    def respond(request):
        if request.origin == "null" and not dropped:
            dropped.append(request)
            raise ConnectionResetError
        return behave(request)

    with serving(respond) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--only", "origin-null", "--json")
    assert (ran.code, ran.json["cases"][0]["status"], len(dropped)) == (0, "passed", 1)


def test_the_check_ends_at_its_time_limit(monkeypatch):
    monkeypatch.setattr("asgi_cors.cli.check.guard.time.monotonic", iter(range(0, 10_000, 7)).__next__)
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--time-limit", "60")
    assert ran.code == 2
    assert "the check took over 60 s, and ended at" in ran.err


def test_only_and_skip_select_cases_and_run_those_that_they_need():
    with serving(leaking) as server:
        ran = run(
            "check",
            f"{server.url}/items",
            "--allow",
            PAGE,
            "--only",
            "origin-*",
            "--skip",
            "origin-other-site",
            "--json",
        )
    cases = {case["name"]: case for case in ran.json["cases"]}
    assert "origin-other-site" not in cases
    assert cases["origin-null"]["problems"] == ["see origin-other-site (fails)."]
    assert ran.code == 0


def test_list_shows_every_case_with_its_clause():
    ran = run("check", "--list")
    assert ran.code == 0
    assert all(case.name in ran.out and case.clause.url in ran.out for case in ALL)
    assert [case["name"] for case in run("check", "--list", "--json").json["cases"]] == [case.name for case in ALL]
    assert [case["name"] for case in run("check", "--list", "--only", "vary-form", "--json").json["cases"]] == [
        "vary-form"
    ]


def test_verbose_shows_the_details_of_passed_cases():
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *FEW, "--verbose")
    text = " ".join(ran.out.split())
    assert "The response allows the origin." in text
    assert "Browsers Chromium, Firefox, Safari: allowed" in text
    assert "- request-exposed required no response header is declared with --expose." in text
    assert "Browsers do not send this request" in text


def test_skipped_cases_are_counted_by_their_reason():
    with serving(leaking) as server:
        out = run("check", f"{server.url}/items", "--allow", PAGE).out
    assert "Skipped (--verbose shows the names)" in out
    assert "see origin-other-site (fails)." in out
    assert "origin-null " not in out
    assert "None" not in out


def test_a_narrow_terminal_has_whole_names_and_verdicts(monkeypatch):
    monkeypatch.setattr("asgi_cors.cli.terminal._PIPED_WIDTH", 40)
    with serving(behave) as server:
        out = run("check", f"{server.url}/items", *FEW).out
    assert "✓ request-credentials CFS" in " ".join(out.split())
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 40


def test_browsers_with_different_verdicts_are_listed_apart():
    step = Step(
        "",
        (),
        (
            EngineResult(engine="chromium", exchanges=(), problem="NoResponse"),
            EngineResult(engine="firefox", exchanges=()),
        ),
    )
    assert _verdict_texts(step) == "Chromium: NoResponse; Firefox: allowed"


def test_a_refused_connection_is_reported_without_the_number_of_the_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ran = run("check", f"http://127.0.0.1:{free.getsockname()[1]}/", "--allow", PAGE)
    assert "Connection refused" in ran.err
    assert "Errno" not in ran.err


def test_a_control_character_of_the_server_is_escaped():
    with serving(lambda _: Response(200, (("access-control-allow-origin", "\x1b[31mred"),))) as server:
        ran = run("check", f"{server.url}/items", *FEW)
    assert "\x1b" not in ran.out
    assert "\\x1b[31mred" in ran.out


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]:9/", "https://a.test/"])
def test_a_url_of_this_machine_is_not_mixed_content(url):
    expectation = parse_expectation(url, allow=[PAGE], refuse=[])
    report = run_check(expectation, httpx.MockTransport(right), select_cases(expectation, ["request-secure"], []))
    assert [result.status for result in report.results] == ["passed"]


def test_a_public_api_is_declared_by_an_asterisk():
    public = (("access-control-allow-origin", "*"),)
    with serving(lambda request: Response(200 if request.method == "GET" else 405, public)) as server:
        ran = run("check", f"{server.url}/items", "--allow", "*", "--json")
        listed = run("check", f"{server.url}/items", "--allow", "*", "--dry-run")
    assert (ran.code, listed.code) == (0, 0)
    assert {case["status"] for case in ran.json["cases"]} == {"passed", "skipped"}


def test_a_preflight_that_crashes_the_connection_is_reported_and_the_check_goes_on():

    def respond(request):
        if "," in request.headers.get("access-control-request-headers", "") and "x-999" in str(request.headers):
            raise ConnectionResetError
        return behave(request)

    with serving(respond) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, *LINES, "--json")
    failed = {case["name"]: case["problems"][0] for case in ran.json["cases"] if case["status"] == "failed"}
    assert list(failed) == ["preflight-names-thousand"]
    assert "The server does not respond. OPTIONS" in failed["preflight-names-thousand"]
    assert ran.code == 0


def test_the_letters_of_a_passed_case_are_those_of_its_last_request():
    with serving(behave) as server:
        ran = run("check", f"{server.url}/items", *ARGUMENTS, "--only", "request-repeated", "--only", "origin-null")
    rows = [line.split() for line in ran.out.splitlines() if line.startswith(" ✓")]
    assert rows == [["✓", "request-repeated", "CFS", "required"], ["✓", "origin-null", "xxx", "security"]]
